"""What was found, in three sentences that somebody reads who reads nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from geo.outputs.report.parts.cards import Card, Comparison
from geo.outputs.wording import DEPENDS, chance_words, figure, number
from geo.safety.picture.imagery_value import CLUSTER, EMBEDDINGS, VISIBLE
from geo.safety.rates import Outcome

_NAMED = 3
"""So many types are named in the sentence, at most."""
_SURE = 0.05


class Found(NamedTuple):
    """One thing that was found: what of, in a sentence, and how sure it is (a clause; empty: that is said already)."""

    title: str
    said: str
    sure: str = ""


def in_short(
    cards: Sequence[Card],
    high_injury: pd.DataFrame | None,
    value: pd.DataFrame | None,
    outcome: Outcome,
    *,
    has_collisions: bool,
) -> list[Found]:
    """Say what was found of types, of where collisions gather, and of what the picture adds.

    Parameters
    ----------
    cards
        What is said of each type.
    high_injury, value
        The layers ``high_injury`` and ``value_of_imagery``; None: nothing is said of them.
    outcome
        Which collisions roads are judged by.
    has_collisions
        Whether any record was placed.

    Returns
    -------
    One sentence of each; without records, of types alone.
    """
    found = [Found("Types of road", *_types(cards, has_collisions=has_collisions))]
    if not has_collisions:
        return found
    gathered = None if high_injury is None else _gathered(high_injury, outcome)
    added = None if value is None else _added(value)
    told = (("Where collisions gather", gathered), ("What the picture adds", added))
    return [*found, *(Found(title, *said) for title, said in told if said)]


def _types(cards: Sequence[Card], *, has_collisions: bool) -> tuple[str, str]:
    """Say which types differ from other roads, and by how much."""
    many = f"{len(cards)} types" if len(cards) != 1 else "one type"
    if not cards:
        return "No types were found: no road has imagery.", ""
    if not has_collisions:
        looks = f"Roads are grouped into {many} by what they look like"
        return f"{looks}; no collisions are given to compare them by.", ""
    found = [(card.title, one) for card in cards for one in card.comparisons if one.claimed]
    claimed = list({title: (title, one) for title, one in reversed(found)}.values())[::-1]
    if claimed:
        return _claims(claimed, len(cards) - len(claimed))
    if not any("Not tested" not in one.verdict for card in cards for one in card.comparisons):
        few = "there are too few collisions to compare any of them with other roads"
        return f"Roads are grouped into {many}; {few}.", ""
    none = "none has more or fewer collisions than other roads in the same part of town by more than chance makes"
    return (
        f"Of {many}, {none}.",
        "small differences would not be seen in these records, so they need not be alike",
    )


def _claims(claimed: Sequence[tuple[str, Comparison]], rest: int) -> tuple[str, str]:
    """Say of each type that differs how many times the collisions of other roads it has."""
    parts, said = [], None
    for title, one in claimed[:_NAMED]:
        roads = one.others.removeprefix("all collisions, ").removesuffix(" that have a type")
        what = f"the {one.counts} per km of {roads}{one.where}"
        parts.append(
            f"{title} has {one.limits} times {what}" if what != said else f"{title} {one.limits} times"
        )
        said = what
    more = len(claimed) - _NAMED
    tail = [f"{more} more differ{'s' if more == 1 else ''} as well"] if more > 0 else []
    tail += [f"of the other {rest} no difference is claimed"] if rest else []
    doubt = [title for title, one in claimed[:_NAMED] if DEPENDS in one.verdict]
    sure = "tested, with all comparisons that were made in mind: at most one in twenty such claims is false on average"
    if doubt:
        sure += f"; {' and '.join(doubt)} would not stand if roads were grouped a little otherwise"
    return f"{'; '.join([*parts, *tail])}.", sure


def _gathered(high_injury: pd.DataFrame, outcome: Outcome) -> tuple[str, str] | None:
    """Say how much of the outcome the worst roads carry, and how much of it a fresh look would find there."""
    rows = high_injury[high_injury["measure"].astype(str).str.startswith("share_of_length")]
    if rows.empty or rows["value"].isna().all():
        return None
    row = rows.iloc[0]
    share, value, chance, fresh, p = (
        number(row[name]) for name in ("share", "value", "chance", "held_out", "held_out_p_value")
    )
    what = "collisions" if outcome == "collisions" else "collisions that killed or seriously injured (KSI)"
    said = f"{_percent(value)} of road length carries {_percent(share)} of {what}"
    said += f"; if they fell at random, {_percent(chance)} would."
    if math.isnan(fresh) or math.isnan(p):
        return said, "not known, for there are too few records to look at each half by itself"
    seen = "they gather there beyond chance" if p <= _SURE else "that they gather there is not beyond chance"
    return said, (
        f"{seen} (p {_chance(p)}); roads chosen by one half of the records need {_percent(fresh)} of length to "
        "hold as much of the other half"
    )


def _added(value: pd.DataFrame) -> tuple[str, str] | None:
    """Say what the picture tells beyond road class: by the type, or by the embeddings where there is none."""
    compared = value[value["reason"].isna() & value["model"].isin([CLUSTER, EMBEDDINGS])]
    if compared.empty:
        return None
    row = compared.sort_values("model", key=lambda names: names != CLUSTER, kind="stable").iloc[0]
    told, low, high = (number(row[f"explained_beyond_class{end}"]) for end in ("", "_low", "_high"))
    knowing = "the type of a road" if row["model"] == CLUSTER else "the look of a road"
    range_of = f"{_percent(low)} to {_percent(high)}, measured on roads that were not looked at"
    if low > VISIBLE:
        return (
            f"Beyond its road class, {knowing} explains {_percent(told)} of how collisions vary from road to road.",
            range_of,
        )
    return (
        f"Once the class of a road is known, {knowing} tells nothing more of its collisions that can be seen here.",
        f"it explains {_percent(told)} of how they vary ({range_of})",
    )


def _chance(p: float) -> str:
    said = chance_words(p)
    return said if said.startswith("under") else f"= {said}"


def _percent(share: float) -> str:
    return f"{figure(100 * share, 2)} %".replace("-", "\N{MINUS SIGN}")
