"""The systemic analysis in sentences that claim no more than it found."""

from __future__ import annotations

import pandas as pd

from geo.safety.systemic.analysis import Screened
from geo.safety.systemic.focus import ALL_FACILITIES, ALL_USERS, BETWEEN
from geo.safety.systemic.screening import risk_factors

NOTHING = (
    "Systemic analysis: no factor that is known here goes with more {words} than chance would make, so no site is "
    "screened{why}"
)
STOOD_OUT = (
    "factors that stand are those that stood out, so their ratios are on average farther from 1 than in truth"
)
"""What selection does to ratios (Zoellner and Pritchard 2007, American Journal of Human Genetics 80:605-615)."""


def findings(types: pd.DataFrame, segments: Screened) -> list[str]:
    """Say what to look at, which factors stand, and what they were worth in years that they were not found by.

    Parameters
    ----------
    types
        The table of focus types (`geo.safety.systemic.focus.focus_types`).
    segments
        What was found of segments.

    Returns
    -------
    Sentences without their full stops; none without collisions.
    """
    if types.empty:
        return []
    said = [sentence for sentence in (focus_sentence(types), screening_sentence(segments)) if sentence]
    later = later_sentence(segments.later)
    return [*said, later] if later else said


def focus_sentence(types: pd.DataFrame) -> str:
    """Say which road user holds most of the harm, between junctions or at them."""
    chosen = types[
        types["focus"].astype(bool) & types["facility"].eq(ALL_FACILITIES) & types["share"].notna()
    ]
    if chosen.empty:
        return ""
    row = chosen.iloc[0]
    noun = "KSI collisions" if row["outcome"] == "ksi" else "collisions"
    user = "" if row["road_user"] == ALL_USERS else f" with a {str(row['road_user']).replace('_', ' ')}"
    told = "" if row["road_user"] == ALL_USERS else " that tell of it"
    low, high = float(row["share_low"]), float(row["share_high"])
    return (
        f"Systemic analysis: {noun}{user} {row['place']} are {float(row['share']):.0%} of the {noun}{told} "
        f"({int(row['n'])} of {int(row['of'])}; in as long a time again {low:.0%} to {high:.0%})"
    )


def screening_sentence(screened: Screened) -> str:
    """Say which factors stand, and how much road without a record has them; or that there is nothing to screen by."""
    standing = risk_factors(screened.factors, screened.focus.column)
    sites = screened.sites
    why = f" ({screened.focus.why})" if screened.focus.why else ""
    what = screened.focus.words.removeprefix("all ")
    if standing.empty:
        return NOTHING.format(words=what, why=why)
    names = "; ".join(standing["factor"].str.cat(standing["level"].astype(str), sep=": "))
    here = (sites["n_risk_factors"] > 0).fillna(value=False) & sites["focus_recorded"].eq(False)  # noqa: FBT003
    kind = "segments" if screened.factors["place"].iloc[0] == BETWEEN else "junctions"
    return (
        f"Factors that go with more {what} than on other roads in the same part of town: {names}; "
        f"{int(here.sum())} {kind} have one of them and no such collision yet, which is no sign that they are safe; "
        f"{STOOD_OUT}{why}"
    )


def later_sentence(later: pd.DataFrame) -> str:
    """Say how many later collisions sites without an earlier one had, by whether they have a factor; else nothing."""
    row = later.iloc[0]
    if pd.isna(row["p_value"]):
        return ""
    value = {str(name): float(row[name]) for name in later.columns if isinstance(row[name], float)}
    return (
        "Of sites without such a collision in the first {years_first:.3g} years, those with a factor that stood by "
        "these years alone had {observed:.0f} in the last {years_last:.3g}, where {expected:.3g} would be theirs by "
        "length; in the same part of town {ratio:.2g} times the rate of the others ({low:.2g} to {high:.2g}, "
        "p = {p_value:.2g})"
    ).format(**value)
