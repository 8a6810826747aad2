"""What was found, in three sentences that somebody reads who reads nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from geo.outputs.report.parts.cards import Card
from geo.outputs.wording import figure, number
from geo.safety.picture.imagery_value import CLUSTER, EMBEDDINGS, VISIBLE
from geo.safety.rates import OUTCOME_NAMES, Outcome

_CLAIMS = ("More", "Fewer")
_NAMED = 3
"""So many types are named in the sentence, at most."""
_SURE = 0.05


def in_short(
    cards: Sequence[Card],
    high_injury: pd.DataFrame | None,
    value: pd.DataFrame | None,
    outcome: Outcome,
    *,
    has_collisions: bool,
) -> list[tuple[str, str]]:
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
    Title and sentence of each; without records, of types alone.
    """
    found = [("Types of road", _types(cards, has_collisions=has_collisions))]
    if not has_collisions:
        return found
    gathered = None if high_injury is None else _gathered(high_injury, outcome)
    added = None if value is None else _added(value)
    told = (("Where collisions gather", gathered), ("What the picture adds", added))
    return [*found, *((title, said) for title, said in told if said)]


def _types(cards: Sequence[Card], *, has_collisions: bool) -> str:
    """Say which types differ from other roads, and by how much."""
    many = f"{len(cards)} types" if len(cards) != 1 else "one type"
    if not cards:
        return "No types were found: no road has imagery."
    if not has_collisions:
        return f"Roads are grouped into {many} by what they look like; no collisions are given to compare them by."
    claimed = [
        f"{card.title}: {verdict[0].lower()}{verdict[1:]}"
        for card in cards
        if (verdict := next((one.verdict for one in card.comparisons if one.verdict.startswith(_CLAIMS)), ""))
    ]
    if claimed:
        rest = len(cards) - len(claimed)
        more = f" {len(claimed) - _NAMED} more types differ as well." if len(claimed) > _NAMED else ""
        other = f" Of the other {rest} no difference is claimed." if rest else ""
        return f"{' '.join(claimed[:_NAMED])}{more}{other}"
    tested = any("Not tested" not in one.verdict for card in cards for one in card.comparisons)
    if not tested:
        return f"Roads are grouped into {many}; there are too few collisions to compare any of them with other roads."
    return (
        f"Of {many}, none has more or fewer collisions than other roads in the same part of town by more than chance "
        "makes; that is not to say that they are alike."
    )


def _gathered(high_injury: pd.DataFrame, outcome: Outcome) -> str | None:
    """Say how much of the outcome the worst roads carry, and how much of it a fresh look would find there."""
    rows = high_injury[high_injury["measure"].astype(str).str.startswith("share_of_length")]
    if rows.empty or rows["value"].isna().all():
        return None
    row = rows.iloc[0]
    share, value, chance, fresh, p = (
        number(row[name]) for name in ("share", "value", "chance", "held_out", "held_out_p_value")
    )
    said = f"{_percent(value)} of road length carry {_percent(share)} of {OUTCOME_NAMES[outcome]}"
    said += f", against {_percent(chance)} if they fell at random"
    if math.isnan(fresh) or math.isnan(p):
        return f"{said}."
    seen = "they gather there beyond chance" if p <= _SURE else "that they gather there is not beyond chance"
    return (
        f"{said}; roads chosen by one half of the records need {_percent(fresh)} to hold as much of the other half, "
        f"so {seen} (p = {figure(p, 2)})."
    )


def _added(value: pd.DataFrame) -> str | None:
    """Say what the picture tells beyond road class: by the type, or by the embeddings where there is none."""
    compared = value[value["reason"].isna() & value["model"].isin([CLUSTER, EMBEDDINGS])]
    if compared.empty:
        return None
    row = compared.sort_values("model", key=lambda names: names != CLUSTER, kind="stable").iloc[0]
    told, low, high = (number(row[f"explained_beyond_class{end}"]) for end in ("", "_low", "_high"))
    knowing = "the type of a road" if row["model"] == CLUSTER else "the look of a road"
    said = (
        f"Beyond its road class, {knowing} explains {_percent(told)} of how collisions vary on roads that were not "
        f"looked at ({_percent(low)} to {_percent(high)})"
    )
    return f"{said}." if low > VISIBLE else f"{said}: nothing that can be seen here."


def _percent(share: float) -> str:
    return f"{figure(100 * share, 2)} %".replace("-", "\N{MINUS SIGN}")
