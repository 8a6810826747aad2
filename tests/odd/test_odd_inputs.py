"""No odd input gives a wrong answer without a word: each is right, told, or refused in one message."""

import os

import pandas as pd
import pytest
from forms import Judge
from inputs import every_form
from small_town import EDGE, RANK, USERS

EVERY = 1 if os.environ.get("ROADPRINT_ODD") == "all" else 3
"""Of so many forms one is tried, so that tests stay quick; ``make odd`` tries all."""


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    return Judge(tmp_path_factory.mktemp("odd"))


@pytest.mark.parametrize("form", every_form()[::EVERY], ids=lambda form: form.title)
def test_an_odd_input_is_right_or_told_or_refused(judge, form):
    verdict = judge.judge(form)
    assert not verdict.fault, f"{verdict.what}: {verdict.words}"


@pytest.mark.parametrize("place", ["england", "germany", "france", "usa", "australia", "japan"])
def test_the_right_form_gives_what_the_town_was_made_of(judge, place):
    """By road and by row: the answers that odd forms are held against are true."""
    right, made = judge.right(place), judge.town(place).collisions
    assert len(right.segments) == 64
    assert len(right.junctions) == 32
    found = right.collisions.merge(made, on="id", suffixes=("", "_made"))
    assert len(found) == len(made) == 240
    at_junction = found["place"].isin(right.junctions)
    assert (at_junction == found["at_junction"]).all()
    names = right.segments.set_index("place")["name"]
    assert (found["place"].map(names)[~at_junction] == found["road_name"][~at_junction]).all()
    assert (found["severity"] == found["severity_made"]).all()
    assert (found["day"] == found["date"].str[:10]).all()
    assert (found["year"].astype(str) == found["date"].str[:4]).all()
    assert set(pd.to_datetime(list(EDGE.values())).strftime("%Y-%m-%d")) <= set(found["day"])
    for user in USERS:
        assert (found[user] == (found[f"{user}_made"] == 1)).all()
    assert right.whole["severities"] == sorted(RANK)
