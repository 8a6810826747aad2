"""What is known of each cluster: its rates, and how they compare."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from geo.safety.rates import LEVEL, poisson_interval, rate, told_outcome

Floats = NDArray[np.float64]


def cluster_table(segments: pd.DataFrame) -> pd.DataFrame:
    """Lay out what is known of each cluster.

    Parameters
    ----------
    segments
        ``cluster, road_class, length_m, counted_m, years, n_collisions, n_ksi``. Segments without a cluster are in no
        row and in no comparison: nothing is known of their look.

    Returns
    -------
    One row a cluster: ``cluster, n_segments, length_km, n_collisions, n_ksi``; the rate of KSI with its exact interval
    (``ksi_per_km_year, low, high``) and that of all collisions; ``outcome``, what the ratios compare: KSI, or all
    collisions where KSI is not known; ``rate_ratio`` against all other clustered roads together, and
    ``rate_ratio_in_class`` against what the cluster's road classes lead one to expect, both with intervals
    (``_low, _high``). ``p_value`` and ``q_value`` are null: see `with_tests`.
    """
    known = segments[segments["cluster"].notna()]
    outcome = told_outcome(known)
    count = f"n_{outcome}"
    exposure = known["counted_m"] / 1000 * known["years"]
    frame = known.assign(exposure=exposure, expected=_expected(known, exposure, count))
    by = frame.groupby("cluster")
    table = pd.DataFrame({"n_segments": by.size(), "length_km": by["length_m"].sum() / 1000})
    for name in ("n_collisions", "n_ksi"):
        table[name] = by[name].sum(min_count=1).astype("Int64")
    total, expected = by["exposure"].sum(min_count=1), by["expected"].sum(min_count=1)
    for name, column, limits in (
        ("n_ksi", "ksi_per_km_year", ("low", "high")),
        (
            "n_collisions",
            "collisions_per_km_year",
            ("collisions_per_km_year_low", "collisions_per_km_year_high"),
        ),
    ):
        table[column] = rate(table[name], total)
        table[limits[0]], table[limits[1]] = poisson_interval(_plain(table[name]), total)
    table["outcome"] = outcome
    observed = _plain(table[count])
    table["rate_ratio"], table["rate_ratio_low"], table["rate_ratio_high"] = rate_ratio(
        observed, total.to_numpy(), np.nansum(observed) - observed, total.sum() - total.to_numpy()
    )
    divisor = expected.where(expected > 0).to_numpy(dtype=np.float64)
    table["rate_ratio_in_class"] = observed / divisor
    table["rate_ratio_in_class_low"], table["rate_ratio_in_class_high"] = poisson_interval(observed, divisor)
    return table.assign(p_value=np.nan, q_value=np.nan).reset_index()


def with_tests(table: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Put what the table of tests says of each cluster into the table of clusters.

    Parameters
    ----------
    table
        The table of clusters (`cluster_table`).
    tests
        The table of tests (`geo.safety.comparison.inference.cluster_tests`), with the comparisons ``all clustered
        roads`` and ``same class``.

    Returns
    -------
    The table with ``p_value`` and ``q_value`` of the comparison with all clustered roads, and ``p_value_in_class`` and
    ``q_value_in_class``; the intervals of both ratios are those of the tests, and ``rate_ratio_in_class`` is that to
    the *other* roads of the same classes. Where a cluster was not tested, its exact Poisson interval stays, and
    ``interval`` says so and why.
    """
    found = table.copy()
    tests = tests[tests["outcome"] == "n_" + str(table["outcome"].iloc[0])] if len(table) else tests.iloc[:0]
    words = pd.Series("", index=found.index)
    for comparison, suffix in (("all clustered roads", ""), ("same class", "_in_class")):
        mine = tests[tests["comparison"] == comparison].set_index("cluster").reindex(found["cluster"])
        mine = mine.set_axis(found.index)
        known = mine["p_value"].notna()
        for name in ("p_value", "q_value"):
            found[f"{name}{suffix}"] = mine[name]
        for theirs, ours in (("ratio", ""), ("low", "_low"), ("high", "_high")):
            column = f"rate_ratio{suffix}{ours}"
            found[column] = mine[theirs].where(known, found[column])
        why = mine["reason"].fillna("no row in the table of tests")
        part = pd.Series("permutation of the map", index=found.index).where(known, "exact Poisson: " + why)
        words = words + ("" if not suffix else "; in class: ") + part
    return found.assign(interval=words.astype(object))


def _plain(counts: pd.Series) -> Floats:
    return np.asarray(counts.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _expected(segments: pd.DataFrame, exposure: pd.Series, count: str) -> pd.Series:
    """Events that a segment's length and road class alone lead one to expect (indirect standardisation).

    The rates of the classes are taken as known; where a class is rare, the interval of a ratio to it is too narrow.
    They are those of all clustered roads, the cluster's own among them, which draws a large cluster's ratio towards 1.
    """
    road_class = segments["road_class"].fillna("")
    events = segments[count].astype("Float64").groupby(road_class).transform("sum").astype("float64")
    total = exposure.groupby(road_class).transform("sum")
    found: pd.Series = exposure * events / total.where(total > 0)
    return found


def rate_ratio(
    count: Floats, exposure: Floats, other_count: Floats, other_exposure: Floats
) -> tuple[Floats, Floats, Floats]:
    """Compare two Poisson rates exactly.

    Given the sum of the two counts, the first is binomial, and the limits of its share (Clopper and Pearson 1934) give
    those of the ratio (Przyborowski and Wilenski 1940, Biometrika 31:313-323).

    Returns
    -------
    Ratio, lower and upper limit: null where a rate is not defined or no event is there at all; an upper limit is
    infinite where the other count is 0.
    """
    total = count + other_count
    usable = (exposure > 0) & (other_exposure > 0) & (total > 0)
    k, m = np.where(usable, count, 0.0), np.where(usable, other_count, 1.0)
    relative = np.divide(other_exposure, exposure, out=np.ones_like(exposure), where=usable)
    tail = (1 - LEVEL) / 2
    low = np.where(k > 0, beta.ppf(tail, np.where(k > 0, k, 1), m + 1), 0.0)
    high = np.where(m > 0, beta.ppf(1 - tail, k + 1, np.where(m > 0, m, 1)), 1.0)
    ratio = np.divide(k, m, out=np.full_like(k, np.inf), where=m > 0) * relative
    odds_low = low / (1 - low)
    odds_high = np.divide(high, 1 - high, out=np.full_like(high, np.inf), where=high < 1)
    limits = (ratio, odds_low * relative, odds_high * relative)
    return tuple(np.where(usable, value, np.nan) for value in limits)  # type: ignore[return-value]
