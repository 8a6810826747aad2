"""The systemic analysis in the report: focus collisions, risk factors, and sites that carry them without a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geo.outputs.report.parts.tables import column_title
from geo.outputs.wording import chance_words, figure, interval, number, ratio_limits, road_name, shorten

MOST_FOCUS, MOST_WORST = 12, 5
"""Rows of the table of focus collisions, and sites named for each factor."""
_USERS = {"all road users": "all"}


@dataclass(frozen=True, kw_only=True)
class Systemic:
    """What the section shows.

    Attributes
    ----------
    focus, tested, standing
        Rows of the three tables; of `standing` those with more collisions, with where else they are found.
    n_tested, n_untested
        Levels that were compared, and that were not.
    outcome
        Which collisions sites between junctions are screened by.
    later
        The check in later years, or why there is none.
    """

    focus: list[dict[str, str]] = field(default_factory=list)
    tested: list[dict[str, str]] = field(default_factory=list)
    standing: list[dict[str, str]] = field(default_factory=list)
    n_tested: int = 0
    n_untested: int = 0
    outcome: str = ""
    later: list[str] = field(default_factory=list)


def systemic(layers: Mapping[str, pd.DataFrame], segments: pd.DataFrame, slight: str) -> Systemic | None:
    """Lay the section out.

    Parameters
    ----------
    layers
        ``systemic_focus``, ``systemic_factors`` and ``systemic_held_out``, as they are in the GeoPackage.
    segments
        The frame of the layer ``segments``: names of roads.
    slight
        What slight collisions are called (`geo.outputs.wording.severity_words`).

    Returns
    -------
    None where there are no collisions.
    """
    focus, factors, later = (layers.get(f"systemic_{name}") for name in ("focus", "factors", "held_out"))
    if focus is None or factors is None or later is None or focus.empty or factors.empty:
        return None
    mine = factors[factors["screened_by"].astype("boolean").fillna(value=False)]
    made = mine[mine["p_value"].notna()].sort_values(["q_value", "p_value", "factor", "level"], kind="stable")
    stand = made[made["stands"].astype(bool) & (made["ratio"] > 1)]
    between = mine.loc[mine["place"].eq("between junctions"), "outcome"]
    columns = (segments[name] for name in ("segment_id", "name", "road_class"))
    names = {str(one): road_name(*said) or "unnamed road" for one, *said in zip(*columns, strict=True)}
    return Systemic(
        focus=[_focus_row(row) for row in focus.head(MOST_FOCUS).to_dict("records")],
        tested=[_factor_row(row) for row in made.to_dict("records")],
        standing=[
            _where_row(row, names)
            for row in stand.drop_duplicates(["place", "factor", "level"]).to_dict("records")
        ],
        n_tested=len(made),
        n_untested=len(mine) - len(made),
        outcome=column_title(str(between.iloc[0]), slight) if len(between) else "",
        later=[text for row in later.to_dict("records") if (text := _later(row))],
    )


def _focus_row(row: Mapping[Any, Any]) -> dict[str, str]:
    user = str(row["road_user"])
    limits = interval(number(row["share_low"]) * 100, number(row["share_high"]) * 100)
    return {
        "place": str(row["place"]),
        "user": _USERS.get(user, user.replace("_", " ")),
        "facility": shorten(str(row["facility"])),
        "n": f"{figure(number(row['n']))} of {figure(number(row['of']))}",
        "share": f"{figure(number(row['share']) * 100, 2)} % ({limits})",
        "network": f"{figure(number(row['share_of_network']) * 100, 2)} %"
        if pd.notna(row["share_of_network"])
        else "",
        "focus": "focus" if row["focus"] is True or row["focus"] == 1 else "",
    }


def _factor_row(row: Mapping[Any, Any]) -> dict[str, str]:
    more = number(row["ratio"]) > 1
    return {
        "place": str(row["place"]),
        "level": f"{row['factor']}: {shorten(str(row['level']))}",
        "comparison": str(row["comparison"]),
        "n": figure(number(row["n"])),
        "observed": figure(number(row["observed"])),
        "ratio": figure(number(row["ratio"]), 2),
        "limits": ratio_limits(number(row["low"]), number(row["high"])),
        "q_value": chance_words(number(row["q_value"])),
        "stands": ("more" if more else "fewer") if bool(row["stands"]) else "",
    }


def _where_row(row: Mapping[Any, Any], names: Mapping[str, str]) -> dict[str, str]:
    ids = str(row["worst_unrecorded"]).split(";")[:MOST_WORST] if pd.notna(row["worst_unrecorded"]) else []
    worst = [f"{names[one]} ({one})" if one in names else one for one in ids if one]
    km = number(row["km_unrecorded"])
    return {
        "place": str(row["place"]),
        "level": f"{row['factor']}: {shorten(str(row['level']))}",
        "n": figure(number(row["n_unrecorded"])),
        "km": figure(km) if row["place"] == "between junctions" else "",
        "worst": ", ".join(worst),
    }


def _later(row: Mapping[Any, Any]) -> str:
    """Say what the check in later years found."""
    kind = "Segments" if row["place"] == "between junctions" else "Junctions"
    if pd.isna(row["p_value"]):
        why = "" if pd.isna(row["reason"]) else str(row["reason"])
        return f"{kind}: not checked; {shorten(why)}." if why else ""
    value = {
        name: number(row[name]) for name in ("observed", "observed_others", "expected", "ratio", "p_value")
    }
    by = "length" if kind == "Segments" else "their number"
    return (
        f"{kind} without such a collision in the first {figure(number(row['years_first']))} years: those with a factor "
        f"that stood by these years alone ({shorten(str(row['factors']))}) had {figure(value['observed'])} in the last "
        f"{figure(number(row['years_last']))} years, where {figure(value['expected'])} would be theirs by {by} if "
        f"factors said nothing. In the same part of town their rate was {figure(value['ratio'], 2)} times that of the "
        f"others ({ratio_limits(number(row['low']), number(row['high']))}; p = {chance_words(value['p_value'])})."
    )
