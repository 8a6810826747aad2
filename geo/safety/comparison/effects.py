"""What is known of each cluster: its rates, and how they compare."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.safety.rates import poisson_interval, rate, told_outcome

SAME_PART, LIKE_TRAFFIC = "in the same part of town", "with like traffic where it is known"
"""What an adjusted ratio is to: the second where traffic is among what it is adjusted for."""
Floats = NDArray[np.float64]
LIMITS = ("", "_low", "_high")
PARTS = ("", "_adjusted", "_in_class", "_in_class_adjusted")
"""Ratios of the table of clusters: to all other roads and to those of the class, as counted and in the same part of
town."""


def cluster_table(segments: pd.DataFrame) -> pd.DataFrame:
    """Lay out what is known of each cluster.

    Parameters
    ----------
    segments
        ``cluster, road_class, length_m, counted_m, years, n_collisions, n_ksi``. Segments without a cluster are in no
        row and in no comparison: nothing is known of their look.

    Returns
    -------
    One row a cluster: ``cluster, n_segments, length_km, n_collisions, n_ksi``, and where segments have it
    ``n_severity_unknown``; the rate of KSI with its exact interval
    (``ksi_per_km_year, low, high``) and that of all collisions; ``outcome``, what the ratios compare: KSI, or all
    collisions where KSI is not known; ``rate_ratio`` against all other clustered roads together. Limits of ratios, the
    ratio within class, ``p_value`` and ``q_value`` are null: see `with_tests`.
    """
    known = segments[segments["cluster"].notna()]
    outcome = told_outcome(known)
    count = f"n_{outcome}"
    exposure = known["counted_m"] / 1000 * known["years"]
    frame = known.assign(exposure=exposure)
    by = frame.groupby("cluster")
    table = pd.DataFrame({"n_segments": by.size(), "length_km": by["length_m"].sum() / 1000})
    for name in (
        "n_collisions",
        "n_ksi",
        *(("n_severity_unknown",) if "n_severity_unknown" in frame else ()),
    ):
        table[name] = by[name].sum(min_count=1).astype("Int64")
    total = by["exposure"].sum(min_count=1)
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
    others, rest = np.nansum(observed) - observed, total.sum() - total.to_numpy()
    table["rate_ratio"] = _quotient(observed, total.to_numpy(), others, rest)
    names = [
        f"rate_ratio{part}{limit}" for part in ("", "_pooled", "_in_class_pooled") for limit in LIMITS[1:]
    ]
    names += [f"rate_ratio{part}{limit}" for part in PARTS[1:] for limit in LIMITS]
    table[names] = np.nan
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
    The table with both ratios of each comparison, as counted and to roads in the same part of town (``_adjusted``),
    their intervals, the limits of the latter that allow for how unsure the grouping is (``_pooled``), and ``p_value``
    and ``q_value`` of the latter. The ratio within class is that to the *other* roads
    of the same classes. A ratio that was not tested has no interval: an exact one would take every road as independent
    of its neighbours, and claim what is not there. ``interval`` says what each is of, or why there is none.
    """
    found = table.copy()
    tests = tests[tests["outcome"] == "n_" + str(table["outcome"].iloc[0])] if len(table) else tests.iloc[:0]
    words = pd.Series("", index=found.index)
    for comparison, suffix in (("all clustered roads", ""), ("same class", "_in_class")):
        mine = tests[tests["comparison"] == comparison].set_index("cluster").reindex(found["cluster"])
        mine = mine.set_axis(found.index)
        ratio = mine["ratio"].astype("float64")
        found[f"rate_ratio{suffix}"] = ratio if suffix else ratio.fillna(found["rate_ratio"])
        for theirs, ours in (("low", "_low"), ("high", "_high")):
            found[f"rate_ratio{suffix}{ours}"] = mine[theirs].where(mine["p_value"].notna())
        for limit in LIMITS:
            found[f"rate_ratio{suffix}_adjusted{limit}"] = mine[f"ratio_adjusted{limit}"]
        for limit in LIMITS[1:]:
            found[f"rate_ratio{suffix}_pooled{limit}"] = mine[f"ratio_pooled{limit}"]
        found[f"p_value{suffix}"], found[f"q_value{suffix}"] = mine["p_value_adjusted"], mine["q_value"]
        why = mine["reason_adjusted"].fillna(mine["reason"]).fillna("no row in the table of tests")
        by_traffic = mine["adjusted_for"].astype("string").str.contains("log_").fillna(value=False)
        part = pd.Series(SAME_PART, index=found.index).mask(by_traffic, f"{SAME_PART}, {LIKE_TRAFFIC}")
        part = part.where(mine["p_value_adjusted"].notna(), "not tested: " + why.astype(str))
        words = words + ("" if not suffix else "; in class: ") + part
    return found.assign(interval=words.astype(object))


def _plain(counts: pd.Series) -> Floats:
    return np.asarray(counts.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _quotient(count: Floats, exposure: Floats, other_count: Floats, other_exposure: Floats) -> Floats:
    """Divide two rates: null where one is not defined or no event is there at all, infinite where the other is 0."""
    usable = (exposure > 0) & (other_exposure > 0) & (count + other_count > 0)
    rates = [
        np.where(usable, n, 1.0) / np.where(usable, e, 1.0)
        for n, e in ((count, exposure), (other_count, other_exposure))
    ]
    with np.errstate(divide="ignore"):
        return np.where(usable, rates[0] / rates[1], np.nan)
