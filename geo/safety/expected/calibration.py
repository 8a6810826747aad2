"""How far a safety performance function is off in a city: the local calibration factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm

from geo.config.sections.given import GivenFunction
from geo.safety.expected import overdispersion
from geo.safety.expected.recipe import as_floats
from geo.safety.rates import LEVEL

KM_PER_MILE = 1.609344
ENOUGH_UNITS, ENOUGH_EVENTS = 30, 100
"""Sites, and collisions a year among them, that the Highway Safety Manual (2010, part C, appendix A.1.2) asks for."""
PART = "calibration"


@dataclass(frozen=True, slots=True)
class Factor:
    """A calibration factor.

    Attributes
    ----------
    value, low, high
        Observed over predicted events, with its 95 % limits; null where nothing is predicted.
    observed, predicted
        Events in the time of the records.
    overdispersion
        k of the counts about the calibrated predictions.
    """

    value: float
    low: float
    high: float
    observed: float
    predicted: float
    overdispersion: float


def calibration_factor(counts: ArrayLike, predicted: ArrayLike, k: float | None = None) -> Factor:
    """Divide what was observed by what a function predicts of the same places in the same time.

    Highway Safety Manual 2010, part C, appendix A.1.1.5, eq. A-1. Its variance is that of the sum of counts over the
    square of the sum of predictions, each count varying by ``m + k m^2`` about its calibrated prediction m (Bahar and
    Hauer 2014, User's Guide to Develop Highway Safety Manual Safety Performance Function Calibration Factors, NCHRP
    20-07(332), with the observed count in place of m, which counts chance twice); limits are symmetric in the
    logarithm, as of a ratio. Where nothing was observed the upper limit is Garwood's, of independent events.

    Parameters
    ----------
    counts, predicted
        Events of each unit, and what the function predicts of it (above 0).
    k
        Overdispersion about the calibrated predictions; None: the most likely one.
    """
    y, m = np.asarray(counts, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    observed, total = float(y.sum()), float(m.sum())
    if not total > 0:
        return Factor(np.nan, np.nan, np.nan, observed, total, np.nan)
    value = observed / total
    if observed == 0:
        return Factor(0.0, 0.0, float(chi2.ppf((1 + LEVEL) / 2, 2)) / 2 / total, observed, total, 0.0)
    mean = value * m
    if k is None:
        k = overdispersion.most_likely(y, mean) if overdispersion.is_overdispersed(y, mean) else 0.0
    error = float(np.sqrt((mean + k * mean**2).sum())) / observed
    half = float(norm.ppf((1 + LEVEL) / 2)) * error
    return Factor(value, value * float(np.exp(-half)), value * float(np.exp(half)), observed, total, k)


def predict_given(
    function: GivenFunction, length_km: pd.Series | None, traffic: pd.Series, minor: pd.Series | None = None
) -> pd.Series:
    """Say how many collisions a year a published function predicts.

    Parameters
    ----------
    function
        See `GivenFunction`.
    length_km
        Length of each segment (km); None: of junctions.
    traffic, minor
        Traffic of each segment, or of the major and the minor road of each junction (motor vehicles a day).

    Returns
    -------
    Null where something that the function asks for is not known or 0.
    """
    found = pd.Series(function.intercept, index=traffic.index, dtype="float64")
    terms: list[tuple[float, pd.Series | None]] = [
        (function.log_traffic, traffic),
        (function.log_minor, minor),
    ]
    if length_km is not None:
        terms.append(
            (function.log_length, length_km / (KM_PER_MILE if function.length_unit == "mile" else 1.0))
        )
    for exponent, known in terms:
        if exponent == 0 or known is None:
            continue
        value = pd.Series(as_floats(known), index=found.index)
        found = found + exponent * np.log(value.where(value > 0))
    if length_km is not None:
        found = found.where(pd.Series(as_floats(length_km), index=found.index) > 0)
    return pd.Series(np.exp(found))


def calibrate_given(
    function: GivenFunction,
    units: pd.DataFrame,
    counts: pd.Series,
    years: float,
    by_year: Mapping[int, tuple[float, pd.Series]],
) -> pd.DataFrame:
    """Lay out the calibration factors of a published function as rows of the table of models.

    Parameters
    ----------
    function
        See `GivenFunction`.
    units
        Segments or junctions: ``group`` (road class, or type of junction), ``length_km`` (segments), ``traffic`` and
        ``minor``; null is not known.
    counts
        Events of each in the time of the records; null is not known.
    years
        Time of the records (years).
    by_year
        Of each calendar year the share that the records cover and the events of each unit in it.

    Returns
    -------
    ``outcome, part`` (`PART`), ``name, value, low, high, says``: a factor of all units, then of each group and year.
    """
    there = function.of == "junctions"
    outcome = f"{function.outcome} at junctions" if there else function.outcome
    of = function.is_of()
    inside = units["group"].isin(of) if of else pd.Series(data=True, index=units.index)
    a_year = predict_given(
        function,
        None if there else units["length_km"],
        units["traffic"],
        units["minor"] if there else None,
    ).where(inside)
    y = pd.Series(as_floats(counts), index=counts.index).reindex(units.index)
    used = a_year.notna() & y.notna()
    rows: list[tuple[str, Factor, int, float]] = []
    if used.any():
        whole = calibration_factor(y[used].to_numpy(), (a_year[used] * years).to_numpy())
        rows.append(("", whole, int(used.sum()), years))
        groups = units.loc[used, "group"].astype("object").fillna("not known")
        if len(groups.unique()) > 1:
            for group, index in groups.groupby(groups).groups.items():
                part = calibration_factor(
                    y[index].to_numpy(), (a_year[index] * years).to_numpy(), whole.overdispersion
                )
                rows.append((f", {group}", part, len(index), years))
        for year, (covered, events) in by_year.items() if len(by_year) > 1 else ():
            of_year = pd.Series(as_floats(events.reindex(units.index)), index=units.index)[used]
            if of_year.notna().all():
                part = calibration_factor(
                    of_year.to_numpy(), (a_year[used] * covered).to_numpy(), whole.overdispersion
                )
                rows.append((f", {year}", part, int(used.sum()), covered))
    left = int((inside & ~used).sum())
    table = pd.DataFrame(
        {
            "name": [f"factor of {function.name}{which}" for which, *_ in rows],
            "value": [one.value for _, one, _, _ in rows],
            "low": [one.low for _, one, _, _ in rows],
            "high": [one.high for _, one, _, _ in rows],
            "says": [_says(one, n, function.of, time, left) for _, one, n, time in rows],
        }
    )
    if table.empty:
        why = f"none of {int(inside.sum()):,} {function.of} has all that the function asks for, and a count"
        table = pd.DataFrame({"name": [f"factor of {function.name}"], "says": [why]})
    sources = [f"; {function.source}", *[""] * (len(table) - 1)]
    return table.assign(outcome=outcome, part=PART, says=table["says"].astype(object) + sources)


def _says(factor: Factor, n: int, units: str, years: float, left: int) -> str:
    """Say what a factor rests on."""
    words = (
        f"{factor.observed:,.0f} observed over {factor.predicted:,.1f} predicted on {n:,} {units}; "
        f"k {factor.overdispersion:.2g}"
    )
    if left:
        words += f"; {left:,} {units} are left out: their traffic, length or count is not known"
    if n < ENOUGH_UNITS or factor.observed < ENOUGH_EVENTS * years:
        words += f"; such a factor asks for {ENOUGH_UNITS} {units} and {ENOUGH_EVENTS} collisions a year, and has fewer"
    return words


def calibrate_own(
    outcome: str, groups: pd.Series, counts: pd.Series, predicted: pd.Series, k: float
) -> pd.DataFrame:
    """Lay out observed over predicted by group of a city's own function, as rows of the table of models.

    Of a function fitted to the same counts all together is near 1 by its making; a group is where it was pooled with
    others, or where its traffic says another thing than its class.

    Parameters
    ----------
    outcome
        What the function predicts, as the table calls it.
    groups
        Road class, or type of junction, of each unit.
    counts, predicted
        Events of each, and what is predicted of it in the same time; null is not known.
    k
        Overdispersion of the function.
    """
    y, m = (pd.Series(as_floats(one), index=one.index) for one in (counts, predicted))
    used = y.notna() & m.gt(0)
    of = groups[used].astype("object").fillna("not known")
    rows = []
    for group, index in of.groupby(of).groups.items():
        one = calibration_factor(y[index].to_numpy(), m[index].to_numpy(), k)
        says = f"{one.observed:,.0f} observed over {one.predicted:,.1f} predicted on {len(index):,}"
        rows.append((f"observed over predicted, {group}", one.value, one.low, one.high, says))
    table = pd.DataFrame(rows, columns=["name", "value", "low", "high", "says"])
    return table.assign(outcome=outcome, part=PART)
