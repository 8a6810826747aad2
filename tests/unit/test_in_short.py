"""The report's first sentences claim what the tests allow, and nothing else."""

from dataclasses import replace

import pandas as pd
import pytest

from geo.outputs.report.parts.cards import cards
from geo.outputs.report.parts.short import in_short

GATHERED = {
    "measure": ["share_of_length_with_50_pct_of_ksi"],
    "share": [0.5],
    "value": [0.28],
    "chance": [0.32],
    "held_out": [0.42],
    "held_out_p_value": [0.041],
}


@pytest.fixture
def laid(grid_city):
    found, _ = cards(grid_city.layers["clusters"], grid_city.layers["segments"], None, {}, "ksi")
    return found


def told(laid, high_injury=None, value=None, *, has_collisions=True):
    return dict(in_short(laid, high_injury, value, "ksi", has_collisions=has_collisions))


def with_verdict(card, verdict):
    return replace(card, comparisons=[replace(card.own, verdict=verdict)])


def test_only_what_was_claimed_is_claimed(laid):
    more = "More KSI collisions per km and year than other roads: 1.2 to 3.9 times."
    quiet = [
        with_verdict(card, "No difference from other roads that chance would not make.") for card in laid
    ]
    said = told(quiet)["Types of road"]
    assert "none has more or fewer collisions" in said
    assert "not to say that they are alike" in said
    said = told([with_verdict(quiet[0], more), *quiet[1:]])["Types of road"]
    assert said == f"{laid[0].title}: m{more[1:]} Of the other {len(laid) - 1} no difference is claimed."
    assert (
        "too few collisions"
        in told([with_verdict(c, "Not tested against any.") for c in laid])["Types of road"]
    )


def test_without_records_or_types_nothing_is_said_of_collisions(laid):
    assert list(told(laid, pd.DataFrame(GATHERED), has_collisions=False)) == ["Types of road"]
    assert told([])["Types of road"] == "No types were found: no road has imagery."


@pytest.mark.parametrize(
    ("p", "said"), [(0.041, "they gather there beyond chance"), (0.2, "is not beyond chance")]
)
def test_where_collisions_gather_is_told_beside_chance_and_a_fresh_look(laid, p, said):
    gathered = pd.DataFrame(GATHERED | {"held_out_p_value": [p]})
    sentence = told(laid, gathered)["Where collisions gather"]
    assert sentence.startswith(
        "28 % of road length carry 50 % of KSI collisions, against 32 % if they fell at random"
    )
    assert "42 %" in sentence
    assert said in sentence


def test_what_cannot_be_told_is_left_out(laid):
    nothing = pd.DataFrame(GATHERED | {"value": [float("nan")]})
    assert list(told(laid, nothing, pd.DataFrame({"model": ["x"], "reason": ["too few"]}))) == [
        "Types of road"
    ]
    fresh = pd.DataFrame(GATHERED | {"held_out": [float("nan")]})
    assert told(laid, fresh)["Where collisions gather"].endswith("if they fell at random.")


def test_what_the_picture_adds_is_told_by_the_type_with_its_interval(laid):
    rows = {
        "model": ["class and embeddings", "class and cluster"],
        "reason": [None, None],
        "explained_beyond_class": [0.2, 0.05],
        "explained_beyond_class_low": [0.1, -0.01],
        "explained_beyond_class_high": [0.3, 0.09],
    }
    said = told(laid, None, pd.DataFrame(rows))["What the picture adds"]
    assert "the type of a road explains 5 %" in said
    assert "(\N{MINUS SIGN}1 % to 9 %)" in said
    assert said.endswith("nothing that can be seen here.")
