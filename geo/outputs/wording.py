"""Figures and findings in words, the same in every output."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from geo.safety.comparison.effects import LIKE_TRAFFIC, SAME_PART
from geo.safety.expected.overdispersion import NO_SPREAD
from geo.safety.rates import OUTCOME_NAMES, Outcome

NOT_KNOWN = "not known"
OTHERS = "other roads that have a type"
"""What the ratio of a rate compares a type with: of roads without imagery nothing is said."""
ALL_ROADS = "all clustered roads"
"""The comparison of the layer ``tests`` that holds a type against all other roads that have one."""
SAME_CLASS = "same class"
"""The comparison of the layer ``tests`` that holds a type against roads of the same class."""
NO_IMAGERY, LIKE_NONE = "no imagery", "like none of the types"
"""Why a segment has no type."""
SAME_WITHIN = (2 / 3, 3 / 2)
"""An interval of the rate ratio that lies in here and includes 1 is narrow enough to be called 'about the same'."""
DISCOVERY = 0.05
"""Share of false ones among the findings that is put up with (Benjamini and Hochberg 1995)."""

NOT_APART = "injury, serious or slight"
"""What ``slight`` means where records do not tell the two apart."""
DEPENDS = "That depends on which roads are taken as this type"
"""What is said of a claim that would not stand if roads were grouped a little otherwise."""
DAYS_BELOW = 0.1
"""Records of fewer years than that are told in days."""
SUREST = 0.995
"""What is likelier is told as over 0.99, and what is unlikelier than the rest of it to 1 as under 0.01."""
LEAST_CHANCE = 0.0001
"""A p or q value below it is not written: its digits say nothing."""
LONGEST = 80
"""Characters of a name that are shown."""


def shorten(text: str, most: int = LONGEST) -> str:
    """Cut a text that is too long to show, with an ellipsis, and put it on one line."""
    # ten thousand spaces, or words beyond what is shown, need not be looked at
    line = " ".join(text[: 8 * most].split())
    return (
        line
        if len(line) <= most and len(text) <= 8 * most
        else line[: most - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    )


def road_name(name: str | None, road_class: str | None) -> str | None:
    """Give what a road is called, as long as is shown: by its name, else its class; None for neither."""
    return next(
        (shorten(str(text)) for text in (name, road_class) if not pd.isna(text) and str(text).strip()), None
    )


def where_like(told: object) -> str:
    """Say which other roads, or junctions, an adjusted ratio is to: where they lie, and whether with like traffic.

    Parameters
    ----------
    told
        What the columns ``interval`` of types or ``adjusted_for`` of tests say.

    Examples
    --------
    >>> where_like("road_class, log_aadt, part of town"), where_like(None)
    (' in the same part of town, with like traffic where it is known', ' in the same part of town')
    """
    by_traffic = isinstance(told, str) and (LIKE_TRAFFIC in told or "log_" in told)
    return f" {SAME_PART}, {LIKE_TRAFFIC}" if by_traffic else f" {SAME_PART}"


def untyped(segments: pd.DataFrame) -> str:
    """Say why segments have no type: no imagery shows them, or they are like none of a typology's types.

    Parameters
    ----------
    segments
        The layer ``segments``: what has imagery has a type by band statistics (``cluster_baseline``) in any case.
    """
    if "cluster_baseline" not in segments:
        return NO_IMAGERY
    without = segments["cluster"].isna()
    unseen = segments["cluster_baseline"].isna()
    if not (without & ~unseen).any():
        return NO_IMAGERY
    return f"{NO_IMAGERY}, or {LIKE_NONE}" if (without & unseen).any() else LIKE_NONE


def severity_words(segments: pd.DataFrame) -> dict[str, str]:
    """Say what the severities of the layer ``collisions`` mean.

    Parameters
    ----------
    segments
        The frame of the layer ``segments``: where its ``n_serious`` is not known, records do not tell serious injuries
        from slight ones.
    """
    apart = not segments["n_fatal"].notna().any() or bool(segments["n_serious"].notna().any())
    return {"fatal": "fatal", "serious": "serious", "slight": "slight" if apart else NOT_APART}


def predictions_only(places: pd.DataFrame) -> dict[Outcome, str]:
    """Say of which outcomes shrunk figures are predictions, or nearly so, because k does not differ from 0.

    Parameters
    ----------
    places
        The layer ``segments`` or ``junctions``: ``<outcome>_eb_method``.
    """
    found: dict[Outcome, str] = {}
    for outcome in OUTCOME_NAMES:
        column = f"{outcome}_eb_method"
        if column in places and places[column].astype("string").str.contains(NO_SPREAD).any():
            found[outcome] = f"{NO_SPREAD}: these are predictions from roads like it, or near them"
    return found


def number(value: object) -> float:
    """Give a number, NaN for null; raises TypeError for anything else."""
    if value is None or value is pd.NA:
        return float("nan")
    if isinstance(value, (int, float, np.integer, np.floating)):
        return float(value)
    raise TypeError(f"a number expected, found {value!r}")


def untold(unknown: float, total: float) -> str:
    """Say beside a count of KSI how many collisions do not tell their severity; empty where all do.

    Examples
    --------
    >>> untold(2, 41), untold(0, 41), untold(float("nan"), 41)
    ('severity not known of 2 of 41 collisions', '', '')
    """
    if math.isnan(unknown) or unknown <= 0:
        return ""
    return f"severity not known of {figure(unknown)} of {figure(total)} collisions"


def figure(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits, never with an exponent; `NOT_KNOWN` for none."""
    if value is None or math.isnan(value):
        return NOT_KNOWN
    if math.isinf(value):
        return "no limit" if value > 0 else "no lower limit"
    if abs(value) >= 10**digits:
        return f"{round(value):,}".replace(",", "\N{NO-BREAK SPACE}")
    return np.format_float_positional(value, precision=digits, fractional=False, trim="-")


def chance_words(value: float | None) -> str:
    """Write a p or q value: what is less than once in ten thousand is said to be that.

    Examples
    --------
    >>> chance_words(0.0412), chance_words(3e-61), chance_words(0.0), chance_words(None)
    ('0.041', 'under 0.0001', 'under 0.0001', 'not known')
    """
    if value is not None and value < LEAST_CHANCE:
        return f"under {figure(LEAST_CHANCE)}"
    return figure(value, 2)


def probability_words(value: float | None) -> str:
    """Write a probability, which is never wholly 0 or 1.

    Examples
    --------
    >>> probability_words(0.856), probability_words(1.0), probability_words(0.001), probability_words(None)
    ('0.86', 'over 0.99', 'under 0.01', 'not known')
    """
    if value is not None and value > SUREST:
        return f"over {figure(0.99)}"
    return f"under {figure(0.01)}" if value is not None and value < 1 - SUREST else figure(value, 2)


def time_words(years: float) -> str:
    """Write how long records go on; less than `DAYS_BELOW` years in days.

    Examples
    --------
    >>> time_words(5.0), time_words(1.0), time_words(0.25), time_words(1 / 365)
    ('5 years', '1 year', '0.25 years', '1 day')
    """
    told, unit = (round(years * 365.25), "day") if years < DAYS_BELOW else (years, "year")
    return f"{figure(told)} {unit}{'' if told == 1 else 's'}"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """Write an interval as ``0.8 to 1.3``; one without an upper limit as ``0.8 or more``.

    A lower limit that is nothing beside the upper one is not written in all of its digits.

    Examples
    --------
    >>> interval(0.8, 1.3), interval(2.9e-9, 3.2), interval(2.9e-9, 0.004), interval(0.0, 3.2)
    ('0.8 to 1.3', 'under 0.01 to 3.2', 'under 0.00001 to 0.004', '0 to 3.2')
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return NOT_KNOWN
    if math.isinf(high):
        return f"{figure(low, digits)} or more"
    least = min(0.01, 10.0 ** math.floor(math.log10(high / 100))) if high > 0 else 0.0
    lower = f"under {figure(least)}" if 0 < low < least else figure(low, digits)
    return f"{lower} to {figure(high, digits)}"


def ratio_limits(low: float | None, high: float | None) -> str:
    """Write the interval of a ratio with as many digits as it takes to see on which side of 1 its ends lie."""
    ends = [end for end in (low, high) if end is not None and math.isfinite(end) and end != 1]
    digits = next((d for d in range(2, 9) if all(float(f"{end:.{d}g}") != 1 for end in ends)), 9)
    return interval(low, high, digits)


def verdict(
    low: float | None,
    high: float | None,
    q_value: float | None,
    outcome: Outcome,
    others: str = OTHERS,
    why_not: str = "",
    regrouped: tuple[float, float] | None = None,
    *,
    per: str = "km and year",
) -> str:
    """Say in a sentence what the test of a rate ratio allows to be said.

    Parameters
    ----------
    low, high
        Limits of the ratio of this type's rate to that of `others`.
    q_value
        p-value of the same comparison, corrected for all comparisons made; None: it was not tested.
    outcome
        Which collisions the rate counts: KSI, or all.
    others
        What the type is compared with.
    why_not
        Why it was not tested, in words.
    regrouped
        Limits of the ratio that allow for how unsure the grouping is; None, or not known: nothing is said of that.
    per
        What rates are divided by.

    Returns
    -------
    'More' and 'Fewer' only where it was tested, the interval excludes 1 and `q_value` bears it out, with a sentence
    where `regrouped` does not exclude 1: then it is said of the roads as they are grouped, not of how they look; 'About
    the same' only when the interval is narrow (`SAME_WITHIN`); else that it cannot be told, or was not tested.
    """
    noun, limits = OUTCOME_NAMES[outcome], ratio_limits(low, high)
    if q_value is None or math.isnan(q_value):
        return f"Not tested against {others}{why_not and ': '}{why_not}. Nothing is claimed."
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return f"Not known: no rate of {noun} to compare with {others}."
    if (low > 1 or high < 1) and q_value <= DISCOVERY:
        more = "More" if low > 1 else "Fewer"
        return f"{more} {noun} per {per} than {others}: {limits} times.{_unsure(low, regrouped)}"
    return _not_found(low, high, f"{noun} per {per}", others, q_value)


def _not_found(low: float, high: float, rate: str, others: str, q_value: float) -> str:
    """Say of a ratio by which no difference is claimed what it allows to be said."""
    limits, q = ratio_limits(low, high), f"(q = {figure(q_value, 2)})"
    if low > 1 or high < 1:
        # by itself it would be a finding: among as many comparisons some are by chance
        return (
            f"Not claimed: {limits} times the {rate} of {others}, but among as many comparisons as were made chance "
            f"makes such intervals too {q}."
        )
    if low >= SAME_WITHIN[0] and high <= SAME_WITHIN[1]:
        return f"About the same as {others}: {limits} times their {rate}."
    if low <= 0 and math.isinf(high):
        return f"Too few {rate.split(' per ', maxsplit=1)[0]} to tell."
    return f"No difference from {others} that chance would not make: {limits} times their {rate} {q}."


def _unsure(low: float, regrouped: tuple[float, float] | None) -> str:
    """Say that a claim depends on which roads were taken together; nothing where it does not, or it is not known."""
    if regrouped is None or any(math.isnan(limit) for limit in regrouped):
        return ""
    if regrouped[0] > 1 if low > 1 else regrouped[1] < 1:
        return ""
    return f" {DEPENDS}: over groupings that other samples of them give, {ratio_limits(*regrouped)} times."
