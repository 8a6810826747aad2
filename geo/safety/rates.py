"""Counts and rates, and the exact intervals of both."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from geo.config import ROAD_USERS, Severity

LEVEL = 0.95
Outcome = Literal["ksi", "collisions"]
"""What is counted: collisions in which someone was killed or seriously injured, or all."""
OUTCOME_NAMES: Mapping[Outcome, str] = MappingProxyType({"ksi": "KSI collisions", "collisions": "collisions"})
Floats = NDArray[np.float64]


def told_outcome(counts: pd.DataFrame) -> Outcome:
    """Choose what places are judged by: KSI where it is known of any, else all collisions.

    Parameters
    ----------
    counts
        ``n_ksi`` of each place; null where it is not known.
    """
    return "ksi" if counts["n_ksi"].notna().any() else "collisions"


def years_of(first: date, last: date) -> float:
    """Count the calendar years from one day to another, both included: a whole calendar year is exactly 1."""
    total = 0.0
    for year in range(first.year, last.year + 1):
        start, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
        total += ((end - start) + timedelta(days=1)) / timedelta(days=366 if isleap(year) else 365)
    return total


def poisson_interval(
    count: ArrayLike, exposure: ArrayLike = 1.0, level: float = LEVEL
) -> tuple[Floats, Floats]:
    """Find the exact interval of a Poisson rate (Garwood 1936, Biometrika 28:437-442).

    From the quantiles of chi-squared with 2 x count and 2 x count + 2 degrees of freedom; the lower limit of no events
    is 0. It covers the true rate with at least the stated probability.

    Parameters
    ----------
    count
        How many events were counted; NaN gives NaN.
    exposure
        What the rate is divided by; 0 or NaN gives NaN.
    level
        Probability that the interval covers the true rate (0 to 1).

    Returns
    -------
    Lower and upper limit of the rate.

    Examples
    --------
    No KSI collision in 5 years on 400 m of road, and four of them: per km and year,

    >>> low, high = poisson_interval([0, 4], exposure=0.4 * 5)
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0, 0.54], [1.84, 5.12])
    """
    events, divisor = np.broadcast_arrays(
        np.asarray(count, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    )
    tail = (1 - level) / 2
    low = np.where(events > 0, chi2.ppf(tail, 2 * np.where(events > 0, events, 1)) / 2, 0.0)
    high = chi2.ppf(1 - tail, 2 * events + 2) / 2
    usable = np.isfinite(events) & (divisor > 0)
    safe = np.where(usable, divisor, 1.0)
    return np.where(usable, low / safe, np.nan), np.where(usable, high / safe, np.nan)


def rate(count: pd.Series, exposure: pd.Series) -> pd.Series:
    """Divide counts by exposure; null where either is not known or there is no exposure."""
    divisor = exposure.astype("float64")
    found: pd.Series = count.astype("Float64").astype("float64") / divisor.where(divisor > 0)
    return found


def count_severities(
    collisions: pd.DataFrame, by: str, index: pd.Index, severities: Collection[Severity]
) -> pd.DataFrame:
    """Count collisions by place and severity.

    Parameters
    ----------
    collisions
        Placed collisions: `by`, ``severity``, and ``severity_known`` (where nobody was hurt there is no severity, and
        that is known; without this column, a severity is known where there is one).
    by
        What is counted by, ``segment_id`` or ``junction_id``: a column of the records.
    index
        The places, all of which get a row.
    severities
        Severities that the source can tell apart; a count of another one is null, and so is ``n_ksi`` unless fatal and
        serious collisions can both be told.

    Returns
    -------
    ``n_collisions, n_fatal, n_serious, n_slight, n_ksi, n_severity_unknown`` on `index`, Int64. Counts by severity are
    of the collisions that tell, and null at a place none of whose collisions does: one of unknown severity is neither
    KSI nor not KSI. ``n_severity_unknown`` says how many there are; it is null unless KSI can be told.
    """
    placed = collisions[collisions[by].notna()]
    table = pd.crosstab(placed[by], placed["severity"].astype(object).fillna("unknown")).reindex(
        index, fill_value=0
    )
    assert int(table.to_numpy().sum()) == len(placed), "a collision lies on a place that is not in the index"
    total = table.sum(axis=1).astype("Int64")
    counts = pd.DataFrame({"n_collisions": total}, index=index)
    # of a source that does not tell KSI, what is empty may be all that is not fatal
    tells_ksi = {"fatal", "serious"} <= set(severities)
    told = placed["severity_known"] if "severity_known" in placed else placed["severity"].notna()
    untold = _occurring(placed[by], ~told.astype(bool), index) if tells_ksi else 0 * total
    silent = (total > 0) & (untold == total)
    for severity in ("fatal", "serious", "slight"):
        found = table[severity] if severity in table else pd.Series(0, index=index)
        counts[f"n_{severity}"] = _known(found, ~silent, told=severity in severities)
    counts["n_ksi"] = counts["n_fatal"] + counts["n_serious"]
    counts["n_severity_unknown"] = _known(untold, total.notna(), told=tells_ksi)
    return counts


def _known(counts: pd.Series, known: pd.Series, *, told: bool) -> pd.Series:
    """Leave counts null where they are not known: everywhere where records do not tell."""
    return counts.astype("Int64").where(known.astype(bool) & told)


def _occurring(places: pd.Series, which: pd.Series, index: pd.Index) -> pd.Series:
    """Count how often each place occurs among some rows."""
    return places[which].value_counts().reindex(index, fill_value=0).astype("Int64")


def count_users(collisions: pd.DataFrame, by: str, index: pd.Index, users: Collection[str]) -> pd.DataFrame:
    """Count collisions by place and road user.

    Parameters
    ----------
    collisions
        Placed collisions: `by`, and for each road user whether one was involved (hurt, with STATS19): null where the
        record does not tell.
    by
        What is counted by, ``segment_id`` or ``junction_id``: a column of the records.
    index
        The places, all of which get a row.
    users
        Road users that the source tells of; a count of any other is null.

    Returns
    -------
    ``n_<user>_collisions`` on `index`, Int64: by the same rule as counts by severity (`count_severities`); and
    ``n_users_unknown``, collisions that do not tell of one or more of `users`.
    """
    placed = collisions[collisions[by].notna()]
    total = placed[by].value_counts().reindex(index, fill_value=0).astype("Int64")
    counts = pd.DataFrame(index=index)
    for user in ROAD_USERS:
        if user not in users:
            counts[f"n_{user}_collisions"] = pd.array([pd.NA] * len(index), "Int64")
            continue
        told = placed[user].astype("boolean")
        silent = (total > 0) & (_occurring(placed[by], told.isna(), index) == total)
        involved = _occurring(placed[by], told.fillna(value=False).astype(bool), index)
        counts[f"n_{user}_collisions"] = _known(involved, ~silent, told=True)
    untold = placed[[user for user in ROAD_USERS if user in users]].isna().any(axis=1).astype(bool)
    unknown = _occurring(placed[by], untold, index)
    counts["n_users_unknown"] = _known(unknown, total.notna(), told=len(users) > 0)
    return counts


def count_adjusted(collisions: pd.DataFrame, by: str, index: pd.Index) -> pd.Series:
    """Add up ``ksi_adjusted`` by place; null where a collision there has none, and everywhere when none has.

    Returns
    -------
    ``n_ksi_adjusted`` on `index`.
    """
    placed = collisions[collisions[by].notna()]
    if placed["ksi_adjusted"].isna().all():
        return pd.Series(np.nan, index=index, name="n_ksi_adjusted")
    known = placed["ksi_adjusted"].notna().groupby(placed[by]).all()
    total = placed.groupby(by)["ksi_adjusted"].sum().where(known)
    absent = ~index.isin(placed[by])
    found: pd.Series = total.reindex(index).mask(absent, 0.0).rename("n_ksi_adjusted")
    return found


def traffic_rates(
    counts: pd.DataFrame, counted_m: pd.Series, aadt: pd.Series, years: float | None
) -> pd.DataFrame:
    """Turn the counts of segments into rates per 100 million vehicle-kilometres.

    Vehicle-kilometres are AADT x 365 x length x years (FHWA 2011, 'Roadway Departure Safety: A Manual for Local Rural
    Road Owners', FHWA-SA-11-09, appendix C; Highway Safety Manual, AASHTO 2010, equation 10-6), of the length that
    collisions are counted on.

    Parameters
    ----------
    counts
        Counts of each segment (`count_severities`).
    counted_m
        Length of each segment that collisions can be counted on (metres; `geo.collisions.reach.counted_length`), on the
        index of `counts`; where it is 0 no rate is defined.
    aadt
        Annual average daily traffic on each (motor vehicles per day); null where not known, and no rate is.
    years
        How long the records cover (years); None: that is not known, and every rate is null.

    Returns
    -------
    ``million_vkm`` over the time of the records and, for collisions and KSI, the rate per 100 million of them with its
    exact interval (``_low``, ``_high``).
    """
    vkm = aadt.astype("float64") * 365 * counted_m / 1000 * (np.nan if years is None else years) / 1e6
    rates = pd.DataFrame({"million_vkm": vkm}, index=counts.index, dtype="float64")
    return rates.join(rates_of(counts, vkm / 100, "100m_vkm"))


def people_rates(
    counts: pd.DataFrame, counted_m: pd.Series, people: pd.DataFrame, years: float | None
) -> pd.DataFrame:
    """Turn collisions with people on foot and on bicycles into rates per million kilometres walked or cycled.

    Kilometres are people a day x 365 x length x years, as those of vehicles (`traffic_rates`); the measure is that of
    ITF 2020, 'Monitoring Progress in Urban Road Safety: 2020 Update', Safer City Streets, which counts casualties.

    Parameters
    ----------
    counts
        ``n_pedestrian_collisions`` and ``n_cyclist_collisions`` of each segment (`count_users`); null is not known.
    counted_m
        Length of each segment that collisions can be counted on (metres).
    people
        ``pedestrians_per_day`` and ``cyclists_per_day`` (`geo.exposure.people.measure_people`); null where not known,
        and no rate is.
    years
        How long the records cover (years); None: that is not known, and every rate is null.

    Returns
    -------
    ``million_pedestrian_km`` over the time of the records, ``pedestrian_collisions_per_million_km`` with its exact
    interval, and the same of cyclists.
    """
    table = pd.DataFrame(index=counts.index)
    for user in ("pedestrian", "cyclist"):
        daily = people[f"{user}s_per_day"].astype("float64")
        km = daily * 365 * counted_m / 1000 * (np.nan if years is None else years) / 1e6
        number = counts[f"n_{user}_collisions"]
        name = f"{user}_collisions_per_million_km"
        table[f"million_{user}_km"] = km
        table[name] = rate(number, km)
        table[f"{name}_low"], table[f"{name}_high"] = poisson_interval(
            number.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), km
        )
    return table


def rates_of(counts: pd.DataFrame, exposure: pd.Series, per: str) -> pd.DataFrame:
    """Turn counts of collisions and KSI into rates, with exact intervals.

    Parameters
    ----------
    counts
        ``n_collisions`` and ``n_ksi`` of each place.
    exposure
        What they are divided by, on the same index.
    per
        What the exposure is, for the names: ``collisions_per_<per>``.
    """
    rates = pd.DataFrame(index=counts.index)
    for count, what in (("n_collisions", "collisions"), ("n_ksi", "ksi")):
        name = f"{what}_per_{per}"
        rates[name] = rate(counts[count], exposure)
        rates[f"{name}_low"], rates[f"{name}_high"] = poisson_interval(
            counts[count].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), exposure
        )
    return rates


def segment_rates(counts: pd.DataFrame, counted_m: pd.Series, years: float | None) -> pd.DataFrame:
    """Turn the counts of segments into rates per kilometre and year.

    Parameters
    ----------
    counts
        Counts of each segment (`count_severities`).
    counted_m
        Length of each segment that collisions can be counted on (metres; `geo.collisions.reach.counted_length`), on the
        index of `counts`; where it is 0 no rate is defined.
    years
        How long the records cover (years); None: that is not known, and every rate is null.

    Returns
    -------
    ``years`` and, for collisions and KSI, the rate with its exact interval (``_low``, ``_high``).
    """
    exposure = counted_m / 1000 * (np.nan if years is None else years)
    rates = pd.DataFrame({"years": years}, index=counts.index, dtype="float64")
    return rates.join(rates_of(counts, exposure, "km_year"))


def junction_rates(counts: pd.DataFrame, years: float | None) -> pd.DataFrame:
    """Turn the counts of junctions into rates per year, with exact intervals; ``years`` stands beside them."""
    exposure = pd.Series(np.nan if years is None else years, index=counts.index, dtype="float64")
    return pd.DataFrame({"years": exposure}).join(rates_of(counts, exposure, "year"))
