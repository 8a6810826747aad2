"""The types of a city's roads compared: what is known of each segment, by which road users, and among which traffic."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.ledger import Entry
from geo.safety.comparison.heldout import Periods
from geo.safety.comparison.inference import COMPARISONS, OUTCOMES, cluster_tests

LEAST_TRAFFIC = 0.2
"""Share of the clustered roads' length on which traffic must be known for it to be compared by."""
BANDS = ("low", "middle", "high")
"""Thirds of the clustered segments with known traffic."""
BY_TRAFFIC = "same class and traffic band"
MOST_UNTOLD = 0.05
"""With a greater share of collisions on segments none of whose records tell of a severity or a road user, that is not
tested."""


def known_of_segments(segments: gpd.GeoDataFrame, types: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Bring together what a comparison of types looks at.

    Parameters
    ----------
    segments
        ``segment_id, road_class, length_m`` and LineStrings in metres, one row a segment.
    types
        The type of each segment: ``cluster``, by ``segment_id``; a segment may be missing.
    counts
        What was counted on each segment: ``n_collisions``, ``counted_m`` (the length that it was counted on, metres)
        and whatever else is known, by ``segment_id``.

    Returns
    -------
    By ``segment_id``, in the order of `segments`: ``road_class, length_m, cluster``, the columns of `counts`, and
    ``x, y``, the middle of the segment along its line (metres).
    """
    roads = segments.set_index("segment_id")
    lines = roads.geometry.to_numpy()
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    frame = roads[["road_class", "length_m"]].join(types["cluster"]).join(counts)
    return pd.DataFrame(frame.assign(x=middle[:, 0], y=middle[:, 1]))


def told_counts(segments: pd.DataFrame) -> pd.DataFrame:
    """Count those that tell of their severity and road users on every segment, where few collisions do not.

    Parameters
    ----------
    segments
        ``n_collisions`` and the counts of `OUTCOMES`: null where no record of the segment tells.

    Returns
    -------
    The same with 0 in place of null for the severities and road users of whom no more than `MOST_UNTOLD` of all
    collisions lie on segments that do not tell; the counts of others are left as they are, and no such column is added.
    """
    total = segments["n_collisions"].sum()
    found = segments.copy()
    for name in (name for name in OUTCOMES if name in segments):
        counts = segments[name]
        if counts.notna().any() and segments["n_collisions"][counts.isna()].sum() <= MOST_UNTOLD * total:
            found[name] = counts.fillna(0)
    return found


def traffic_bands(segments: pd.DataFrame) -> pd.DataFrame | None:
    """Divide the clustered segments into bands of equal number by their traffic, where enough of it is known.

    Parameters
    ----------
    segments
        ``cluster``, ``counted_m`` (metres) and ``aadt`` (motor vehicles a day; null or 0: not known).

    Returns
    -------
    On the same index ``traffic_band`` (`BANDS`; null without a cluster or traffic) and ``log_aadt``; None where traffic
    is known on less than `LEAST_TRAFFIC` of the length of clustered segments.
    """
    traffic = segments["aadt"].astype("float64").where(segments["aadt"] > 0)
    seen = segments["cluster"].notna()
    length = segments["counted_m"].where(seen, 0.0)
    if not seen.any() or length[traffic.notna()].sum() < LEAST_TRAFFIC * length.sum():
        return None
    ranks = traffic.where(seen).rank(method="average", pct=True)
    band = pd.cut(ranks, [0, 1 / 3, 2 / 3, 1], labels=list(BANDS)).astype(object)
    return pd.DataFrame({"traffic_band": band, "log_aadt": np.log(traffic)}, index=segments.index)


def compare_types(
    segments: pd.DataFrame,
    periods: Periods | None,
    *,
    permutations: int,
    seed: int,
    groupings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compare types by every outcome: against all roads, those of a class, and of a class and traffic band.

    Parameters
    ----------
    segments
        What is known of each segment (`known_of_segments`), with the counts of `geo.safety.rates` and ``aadt``.
    periods
        Counts of the first and of the last years; None: no check whether an effect lasts.
    permutations
        How many times the map of types is moved (number); 0: no test.
    seed
        Seed of the moves: the same one gives the same p-values.
    groupings
        The type of each segment in other groupings, by ``segment_id``, a column each; None: not known.

    Returns
    -------
    See `geo.safety.comparison.inference.cluster_tests`; the comparison within traffic bands is there where
    `traffic_bands` finds any.
    """
    frame = told_counts(segments)
    comparisons: dict[str, tuple[str, ...]] = dict(COMPARISONS)
    covariates: tuple[str, ...] = ()
    bands = traffic_bands(frame)
    if bands is not None:
        comparisons[BY_TRAFFIC] = ("road_class", "traffic_band")
        covariates = ("log_aadt",)
        frame = frame.join(bands)
    return cluster_tests(
        frame,
        OUTCOMES,
        comparisons,
        covariates=covariates,
        periods=periods,
        groupings=groupings,
        permutations=permutations,
        seed=seed,
    )


def count_tests(tests: pd.DataFrame) -> list[Entry]:
    """Count the comparisons that were tested, and those that were not by their reason.

    Parameters
    ----------
    tests
        The table of tests (`compare_types`).
    """
    untested = tests["p_value"].isna()
    reasons = tests.loc[untested, "reason"].value_counts().sort_index()
    skipped = [Entry("comparisons", "skipped", str(why), int(count)) for why, count in reasons.items()]
    return [Entry("comparisons", "done", "", int((~untested).sum())), *skipped]
