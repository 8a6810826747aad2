"""Types are corrected without collisions in view: what tells of them is refused, and remembered where asked for."""

import re

import pytest
from starlette.requests import Request

from flows.explore.outcome import Outcome
from geo.errors import BlindError
from geo.outputs.layers.layers import LAYERS
from tasks.explore.outcome import OUTCOME

TELLS = re.compile(r"collision|ksi|rank|gi\*|risk|rate|p value|q value", re.IGNORECASE)
EXPOSURE = {"years", "counted_m"}
"""Their titles name what they are used for, and they are known before any collision."""


def request(query):
    return Request({"type": "http", "query_string": query.encode()})


def test_every_column_whose_title_speaks_of_collisions_is_hidden():
    columns = {column.name: column.alias for column in LAYERS["segments"].columns}
    telling = {name for name, alias in columns.items() if TELLS.search(alias)} - EXPOSURE
    assert telling <= OUTCOME
    assert not OUTCOME & {"cluster", "length_m", "cluster_margin", "aadt", "road_class"}


def test_a_page_that_corrects_sees_collisions_only_where_it_asks_and_that_is_remembered():
    outcome = Outcome(edit=True)
    with pytest.raises(BlindError, match="after the outcome"):
        outcome.need(request(""))
    assert not outcome.seen("page-0001")
    outcome.need(request("collisions=page-0001"))
    assert outcome.seen("page-0001")
    assert not outcome.seen("page-0002")


@pytest.mark.parametrize("name", ["", "short", "a" * 65, "page 0001", "<script>"])
def test_a_page_without_a_sound_name_is_not_answered_and_counts_as_having_seen(name):
    outcome = Outcome(edit=True)
    assert not outcome.asked(request(f"collisions={name}"))
    assert outcome.seen(name)


def test_a_page_that_only_shows_sees_all():
    Outcome(edit=False).need(request(""))
