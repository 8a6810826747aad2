"""Collisions at junctions and between them, counted and rated apart and together."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from geo.config import ROAD_USERS, Severity
from geo.safety.rates import (
    count_adjusted,
    count_severities,
    count_users,
    junction_rates,
    people_rates,
    rates_of,
    segment_rates,
    traffic_rates,
)

_COUNTS = ("n_collisions", "n_fatal", "n_serious", "n_slight", "n_ksi", "n_severity_unknown")
_OF_TYPES = ("n_collisions", "n_ksi", "n_severity_unknown")
MANY_ARMS = 5
"""Junctions of so many arms or more are one type."""


def count_places(
    records: pd.DataFrame | None,
    by: str,
    index: pd.Index,
    severities: Collection[Severity],
    users: Collection[str],
) -> pd.DataFrame:
    """Count the collisions of places in every way that the records allow.

    Parameters
    ----------
    records
        Placed collisions: `by`, ``severity``, ``ksi_adjusted`` and whether each road user was involved; None: the city
        has no records, and every count is null.
    by
        What is counted by, ``segment_id`` or ``junction_id``: a column of the records.
    index
        The places, all of which get a row.
    severities
        Severities that the records tell apart; a count of any other is null.
    users
        Road users that the records tell of; a count of any other is null.

    Returns
    -------
    On `index`: see `geo.safety.rates.count_severities`, `count_users` and `count_adjusted`.

    Examples
    --------
    >>> import pandas as pd
    >>> records = pd.DataFrame({"segment_id": ["a", "a", None], "severity": ["slight", "fatal", "slight"]})
    >>> records = records.assign(ksi_adjusted=None, cyclist=[True, False, True])
    >>> counts = count_places(
    ...     records, "segment_id", pd.Index(["a", "b"]), {"fatal", "serious", "slight"}, {"cyclist"}
    ... )
    >>> counts[["n_collisions", "n_ksi", "n_cyclist_collisions"]].values.tolist()
    [[2, 1, 1], [0, 0, 0]]
    """
    if records is None:
        nothing = pd.DataFrame({name: [] for name in (by, "severity", "ksi_adjusted", *ROAD_USERS)})
        table = count_places(nothing, by, index, (), ())
        return table.mask(np.ones(table.shape, dtype=bool))
    return (
        count_severities(records, by, index, severities)
        .join(count_users(records, by, index, users))
        .join(count_adjusted(records, by, index))
    )


def rate_segments(
    counts: pd.DataFrame, counted_m: pd.Series, traffic: pd.DataFrame, years: float | None
) -> pd.DataFrame:
    """Put the rates of segments beside their counts: by length and time, and by traffic where that is known.

    Parameters
    ----------
    counts
        Counts of each segment (`count_places`), by ``segment_id``.
    counted_m
        Length of each segment that collisions can be counted on (metres; `geo.collisions.reach.counted_length`), on the
        index of `counts`; where it is 0 no rate is defined.
    traffic
        ``aadt`` (motor vehicles a day) and what is known of it, by ``segment_id``; a segment may be missing.
    years
        How long the records cover (years); None: that is not known, and every rate is null.

    Returns
    -------
    The counts, ``years`` and rates (`geo.safety.rates.segment_rates`), the columns of `traffic`, and rates per
    vehicle-kilometre (`geo.safety.rates.traffic_rates`); where `traffic` tells of people on foot and on bicycles, rates
    per kilometre walked and cycled (`geo.safety.rates.people_rates`).

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"n_collisions": [4, 0], "n_ksi": [1, 0]}, index=["a", "b"], dtype="Int64")
    >>> traffic = pd.DataFrame({"aadt": [10_000.0]}, index=["a"])
    >>> rates = rate_segments(counts, pd.Series({"a": 400.0, "b": 100.0}), traffic, years=5.0)
    >>> rates[["ksi_per_km_year", "ksi_per_km_year_high"]].round(2).values.tolist()
    [[0.5, 2.79], [0.0, 7.38]]
    >>> rates["ksi_per_100m_vkm"].round(1).tolist()
    [13.7, nan]
    """
    rates = segment_rates(counts, counted_m, years)
    traffic = traffic.reindex(counts.index)
    found = counts.join(rates).join(traffic).join(traffic_rates(counts, counted_m, traffic["aadt"], years))
    if "pedestrians_per_day" in traffic:
        found = found.join(people_rates(counts, counted_m, traffic, years))
    return found


def rate_junctions(counts: pd.DataFrame, years: float | None) -> pd.DataFrame:
    """Put the rates of junctions (`geo.safety.rates.junction_rates`) beside their counts (`count_places`)."""
    return counts.join(junction_rates(counts, years))


def junction_types(junctions: pd.DataFrame, years: float | None) -> pd.DataFrame:
    """Add up junctions by form and arms.

    Parameters
    ----------
    junctions
        ``arms``, ``form`` (``crossing`` or ``roundabout``), ``n_collisions``, ``n_ksi``; where it is known of every
        junction, ``signalised``.
    years
        How long the records cover (years); None: that is not known, and every rate is null.

    Returns
    -------
    One row a type, and one for all junctions: ``junction_type`` (in words), ``form``, ``arms`` (as text), ``n``,
    ``junction_years``, ``n_collisions``, ``n_ksi``, ``n_severity_unknown``, and collisions and KSI per junction-year
    with exact intervals (Garwood 1936). Three arms may be a T or a Y, which arms alone do not tell. Whether a junction
    has signals is known only where its source says so of all: records tell it of junctions with collisions alone, which
    would compare the wrong ones.
    """
    keys = {
        "junction_type": type_of(junctions),
        "form": junctions["form"],
        "arms": _arms_in_words(junctions["arms"]),
    }
    frame = junctions.reindex(columns=list(_OF_TYPES)).assign(**keys)
    rows = [
        _added(group).assign(**dict(zip(keys, map(str, names), strict=True)))
        for names, group in frame.groupby(list(keys))
    ]
    rows.append(_added(frame).assign(junction_type="all junctions", form=None, arms=None))
    table = pd.concat(rows, ignore_index=True)
    table["junction_years"] = table["n"] * (np.nan if years is None else years)
    table = table[["junction_type", "form", "arms", "n", "junction_years", *_OF_TYPES]]
    return table.join(rates_of(table, table["junction_years"], "junction_year"))


def type_of(junctions: pd.DataFrame) -> pd.Series:
    """Name the type of each junction by its form and arms, and by its signals where these are known of all.

    Parameters
    ----------
    junctions
        ``arms`` and ``form`` (``crossing`` or ``roundabout``), perhaps ``signalised``.

    Examples
    --------
    >>> import pandas as pd
    >>> junctions = pd.DataFrame({"arms": [3, 4, 7, 4], "form": [*["crossing"] * 3, "roundabout"]})
    >>> type_of(junctions).tolist()
    ['T or Y (3 arms)', 'crossroads (4 arms)', 'crossing of 5 or more arms', 'roundabout of 4 arms']
    """
    arms, label = junctions["arms"], _arms_in_words(junctions["arms"])
    kind = pd.Series("crossing of " + label + " arms", index=junctions.index, dtype=object)
    kind = kind.mask(arms == 3, "T or Y (3 arms)").mask(arms == 4, "crossroads (4 arms)")
    kind = kind.mask(junctions["form"] == "roundabout", "roundabout of " + label + " arms")
    if len(junctions) and "signalised" in junctions and junctions["signalised"].notna().all():
        signals = junctions["signalised"].astype(bool)
        kind = kind + pd.Series(", no signals", index=junctions.index).mask(signals, ", signals")
    return kind.rename("junction_type")


def _arms_in_words(arms: pd.Series) -> pd.Series:
    """Write how many arms there are; many are one."""
    label: pd.Series = arms.astype(str).mask(arms >= MANY_ARMS, f"{MANY_ARMS} or more")
    return label


def _added(group: pd.DataFrame) -> pd.DataFrame:
    """Add up the counts that are known; where none is, nor is their sum."""
    sums = {name: _sum(group[name]) for name in _OF_TYPES}
    if group.empty:
        sums = dict.fromkeys(sums, 0)
    return pd.DataFrame({"n": [len(group)]} | {name: pd.array([v], "Int64") for name, v in sums.items()})


def places(segments: pd.DataFrame, junctions: pd.DataFrame, years: float | None) -> pd.DataFrame:
    """Tell the collisions between junctions, those at junctions, and both together.

    Parameters
    ----------
    segments
        ``length_m``, ``counted_m`` (`geo.collisions.reach.counted_length`) and the counts of each segment
        (`geo.safety.rates.count_severities`).
    junctions
        The same counts of each junction.
    years
        How long the records cover (years); None: that is not known, and every rate is null.

    Returns
    -------
    Three rows: ``place`` (``between junctions``, ``at junctions``, ``together``), ``n_places``, ``length_km`` and
    ``km_years`` (null for junctions), ``junction_years`` (null for segments), the counts, ``share_of_collisions`` and
    ``share_of_ksi`` (0 to 1), and rates with exact intervals: per km and year between junctions and together, per
    junction and year at junctions.
    """
    span = np.nan if years is None else years
    length_km = float(segments["length_m"].sum()) / 1000
    counted_km = float(segments["counted_m"].sum()) / 1000
    apart = pd.DataFrame([_sums(segments), _sums(junctions)]).astype("Int64")
    together = apart.sum(skipna=False).to_frame().T
    table = pd.concat([apart, together], ignore_index=True).astype("Int64")
    table.insert(0, "place", ["between junctions", "at junctions", "together"])
    table.insert(1, "n_places", [len(segments), len(junctions), len(segments) + len(junctions)])
    table.insert(2, "length_km", [length_km, np.nan, length_km])
    # where both are taken together, all of the length can have a collision
    table.insert(3, "km_years", [counted_km * span, np.nan, length_km * span])
    table.insert(4, "junction_years", [np.nan, len(junctions) * span, np.nan])
    for name, what in (("n_collisions", "share_of_collisions"), ("n_ksi", "share_of_ksi")):
        counts = table[name].astype("Float64").astype("float64")
        total = counts.iloc[-1]
        table[what] = counts / (total if total > 0 else np.nan)
    for per, exposure in (("km_year", table["km_years"]), ("junction_year", table["junction_years"])):
        table = table.join(rates_of(table, exposure, per))
    return table


def _sums(frame: pd.DataFrame) -> dict[str, object]:
    """Add the counts of places up; without any place there is none to count."""
    if frame.empty:
        return dict.fromkeys(_COUNTS, 0)
    return {name: _sum(frame[name]) if name in frame else None for name in _COUNTS}


def _sum(counts: pd.Series) -> int | None:
    """Add up what is known: counts are of collisions that tell; None where nothing is."""
    return None if counts.isna().all() else int(counts.astype("Int64").sum())
