"""The report's first sentences claim what the tests allow, and nothing else."""

from dataclasses import replace

import pandas as pd
import pytest

from geo.outputs.report.parts.cards import cards
from geo.outputs.report.parts.short import in_short
from geo.outputs.wording import DEPENDS

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
    found = in_short(laid, high_injury, value, "ksi", has_collisions=has_collisions)
    return {one.title: f"{one.said} How sure: {one.sure}." if one.sure else one.said for one in found}


def with_verdict(card, verdict):
    return replace(card, comparisons=[replace(card.own, verdict=verdict)])


def test_only_what_was_claimed_is_claimed(laid):
    more = "More KSI collisions per km and year than other roads: 1.2 to 3.9 times."
    quiet = [
        with_verdict(card, "No difference from other roads that chance would not make.") for card in laid
    ]
    said = told(quiet)["Types of road"]
    assert "none has more or fewer collisions" in said
    assert "they need not be alike" in said
    said = told([with_verdict(quiet[0], more), *quiet[1:]])["Types of road"]
    assert said == (
        f"{laid[0].title} has {laid[0].own.limits} times the KSI collisions per km of other roads in the same part of "
        f"town; of the other {len(laid) - 1} no difference is claimed. How sure: tested, with all comparisons that "
        "were made in mind: at most one in twenty such claims is false on average."
    )
    doubtful = f"{more} {DEPENDS}: 0.9 to 4 times."
    said = told([with_verdict(quiet[0], doubtful), *quiet[1:]])["Types of road"]
    assert f"{laid[0].title} would not stand if roads were grouped a little otherwise" in said
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
        "28 % of road length carries 50 % of collisions that killed or seriously injured (KSI); if they fell at "
        "random, 32 % would. How sure: "
    )
    assert "42 %" in sentence
    assert said in sentence


def test_what_cannot_be_told_is_left_out(laid):
    nothing = pd.DataFrame(GATHERED | {"value": [float("nan")]})
    assert list(told(laid, nothing, pd.DataFrame({"model": ["x"], "reason": ["too few"]}))) == [
        "Types of road"
    ]
    fresh = pd.DataFrame(GATHERED | {"held_out": [float("nan")]})
    assert "How sure: not known" in told(laid, fresh)["Where collisions gather"]


def test_what_the_picture_adds_is_told_by_the_type_with_its_interval(laid):
    rows = {
        "model": ["class and embeddings", "class and cluster"],
        "reason": [None, None],
        "explained_beyond_class": [0.2, 0.05],
        "explained_beyond_class_low": [0.1, -0.01],
        "explained_beyond_class_high": [0.3, 0.09],
    }
    said = told(laid, None, pd.DataFrame(rows))["What the picture adds"]
    assert said.startswith("Once the class of a road is known, the type of a road tells nothing more")
    assert "it explains 5 % of how they vary (\N{MINUS SIGN}1 % to 9 %" in said
    sure = pd.DataFrame(rows | {"explained_beyond_class_low": [0.1, 0.02]})
    said = told(laid, None, sure)["What the picture adds"]
    assert said.startswith("Beyond its road class, the type of a road explains 5 % of how collisions vary")
