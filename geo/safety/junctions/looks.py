"""Whether junctions of one look have more or fewer collisions than comparable junctions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.safety.comparison.compared import LEAST_TRAFFIC, told_counts
from geo.safety.comparison.effects import cluster_table, with_tests
from geo.safety.comparison.heldout import Periods
from geo.safety.comparison.inference import OUTCOMES, cluster_tests

ALL, SAME_FORM = "all junctions", "same form and arms"
"""With which junctions those of a type are compared, whatever their form or with the same one."""
COMPARISONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        ALL: (),
        SAME_FORM: ("junction_type",),
        "same form, arms and road class": ("junction_type", "highest_class"),
    }
)
"""All comparisons, with the columns whose values must be equal."""
_OF_ROADS = {ALL: "all clustered roads", SAME_FORM: "same class"}
"""What the table of types of road calls the first two."""
_WORDS = (
    ("other clustered roads are of its classes", "other junctions with a type are like it"),
    ("clustered roads", "junctions"),
    ("segments", "junctions"),
    ("segment", "junction"),
    ("roads", "junctions"),
    ("class, covariates", "form, covariates"),
    ("in class", "in form"),
)
_UNIT_M = 1000.0
"""A junction counts as one unit of exposure a year: in the machinery of roads, a kilometre (metres)."""
_PER = {"ksi_per_km_year": "ksi_per_junction_year", "collisions_per_km_year": "collisions_per_junction_year"}


def known_of_looks(junctions: gpd.GeoDataFrame, types: pd.DataFrame, counted: pd.DataFrame) -> pd.DataFrame:
    """Bring together what a comparison of types of junction looks at.

    Parameters
    ----------
    junctions
        Points in metres, by ``junction_id``.
    types
        ``cluster`` of each junction that has a type, by ``junction_id``.
    counted
        What the stage ``safety`` says of each junction, by ``junction_id``: counts, ``years``, ``junction_type``,
        ``highest_class``, ``traffic_major``.

    Returns
    -------
    By ``junction_id``, in the order of `junctions`: ``cluster`` (Int64; null without a type), the columns of `counted`,
    and ``x, y`` (metres).
    """
    frame = counted.reindex(junctions.index).assign(x=junctions.geometry.x, y=junctions.geometry.y)
    return frame.assign(cluster=types["cluster"].astype("Int64").reindex(junctions.index))


def compare_looks(
    junctions: pd.DataFrame,
    periods: Periods | None,
    *,
    permutations: int,
    seed: int,
    groupings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compare types of junction by every outcome, per junction and year, as types of road are compared.

    Expected counts are those of the other junctions of the same strata (`COMPARISONS`; `cluster_tests`). Where the
    traffic of the major road is known at enough of the junctions, its logarithm is among what the adjusted ratio takes
    into account.

    Parameters
    ----------
    junctions
        What is known of each (`known_of_looks`).
    periods
        Counts of the first and of the last years, by ``junction_id``; None: no check whether an effect lasts.
    permutations
        How many times the map of types is moved (number); 0: no p-value by it.
    seed
        Seed of the moves: the same one gives the same p-values.
    groupings
        The type of each junction in other groupings, by ``junction_id``, a column each; None: not known.

    Returns
    -------
    The table of tests, as `geo.safety.comparison.inference.cluster_tests` lays it out, but for ``length_km``, which
    junctions have not; ``share_compared`` is of the type's junctions.
    """
    frame = told_counts(junctions).assign(counted_m=_UNIT_M)
    covariates: tuple[str, ...] = ()
    seen = frame["cluster"].notna()
    known = frame["traffic_major"].notna() & seen
    if known.sum() >= LEAST_TRAFFIC * max(seen.sum(), 1):
        frame["log_traffic_major"] = np.log(frame["traffic_major"].astype("float64"))
        covariates = ("log_traffic_major",)
    tests = cluster_tests(
        frame,
        OUTCOMES,
        COMPARISONS,
        covariates=covariates,
        periods=periods,
        permutations=permutations,
        seed=seed,
        groupings=groupings,
    ).drop(columns="length_km")
    for name in ("reason", "reason_adjusted", "reason_pooled", "method", "held_out_result"):
        tests[name] = _in_words(tests[name])
    return tests


def looks_table(junctions: pd.DataFrame, tests: pd.DataFrame) -> pd.DataFrame:
    """Lay out what is known of each type of junction.

    Parameters
    ----------
    junctions
        What is known of each (`known_of_looks`).
    tests
        The table of tests (`compare_looks`).

    Returns
    -------
    One row a type: ``cluster``, ``n_junctions``, ``junction_years``, ``forms`` (how many of which form and arms, in
    words), ``n_collisions``, ``n_ksi``, both rates per junction and year with exact intervals, ``outcome`` (what ratios
    are of), and ratios as of types of road (`geo.safety.comparison.effects.with_tests`): to all junctions that have a
    type, and (``_in_form``) to those of the same form and arms.
    """
    frame = junctions.assign(counted_m=_UNIT_M, length_m=_UNIT_M)
    as_of_roads = tests.assign(comparison=tests["comparison"].replace(_OF_ROADS))
    table = with_tests(cluster_table(frame), as_of_roads)
    table["junction_years"] = (
        frame.groupby("cluster")["years"].sum(min_count=1).reindex(table["cluster"]).to_numpy()
    )
    table["forms"] = _forms(frame).reindex(table["cluster"]).to_numpy(dtype=object)
    table["interval"] = _in_words(table["interval"])
    low, high = (f"ksi_per_km_year_{end}" for end in ("low", "high"))
    table = table.rename(columns={"low": low, "high": high, "n_segments": "n_junctions"}).drop(
        columns="length_km"
    )
    return table.rename(columns=_named)


def _named(column: str) -> str:
    """Name a column of the table of types of road as it is called of junctions."""
    for theirs, ours in _PER.items():
        column = column.replace(theirs, ours)
    return column.replace("_in_class", "_in_form")


def _in_words(texts: pd.Series) -> pd.Series:
    """Say of junctions what is said of roads."""
    found = texts.astype(object)
    told = found.notna()
    for roads, ours in _WORDS:
        found = found.where(~told, found[told].astype(str).str.replace(roads, ours, regex=False))
    return found


def _forms(frame: pd.DataFrame) -> pd.Series:
    """Say how many junctions of which form and arms each type has, the most first."""
    seen = frame[frame["cluster"].notna()]
    sizes = seen.groupby(["cluster", "junction_type"]).size().rename("n").reset_index()
    sizes = sizes.sort_values(["cluster", "n", "junction_type"], ascending=[True, False, True])
    words = sizes["junction_type"].astype(str) + ": " + sizes["n"].astype(str)
    found: pd.Series = words.groupby(sizes["cluster"]).agg("; ".join)
    return found.astype(object)
