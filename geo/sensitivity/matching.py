"""Which roads of two runs are the same road, however each was cut, and which of their types are the same."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.optimize import linear_sum_assignment

from geo.clusters.found.numbers import NEAR_M

STEP_M = 10.0
"""Roads that were cut otherwise are compared at points so far apart (metres)."""


def shared_length(first: gpd.GeoDataFrame, second: gpd.GeoDataFrame) -> pd.DataFrame:
    """Say how much road segments of two runs share.

    Segments of the same ids are the same lines, for ids are of lines. Others are compared at points along `first`, each
    of which lies on the nearest segment of `second`, no further than `geo.clusters.found.numbers.NEAR_M`.

    Parameters
    ----------
    first, second
        ``segment_id`` and LineStrings, in one projected CRS (metres).

    Returns
    -------
    One row a pair: ``first`` and ``second`` (ids), ``length_m``; segments that have none in the other are in no row.
    """
    if set(first["segment_id"]) == set(second["segment_id"]):
        ids, lengths = first["segment_id"].to_numpy(), first.length.to_numpy()
        return pd.DataFrame({"first": ids, "second": ids, "length_m": lengths})
    lines, lengths = first.geometry.to_numpy(), first.length.to_numpy()
    pieces = np.maximum(np.ceil(lengths / STEP_M), 1).astype(np.int64)
    of = np.repeat(np.arange(len(first)), pieces)
    place = np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    points = shapely.line_interpolate_point(lines[of], (place + 0.5) / pieces[of], normalized=True)
    at, near = second.sindex.nearest(points, return_all=False, max_distance=NEAR_M)
    pairs = pd.DataFrame(
        {
            "first": first["segment_id"].to_numpy()[of[at]],
            "second": second["segment_id"].to_numpy()[near],
            "length_m": (lengths / pieces)[of[at]],
        }
    )
    return pairs.groupby(["first", "second"], sort=True)["length_m"].sum().reset_index()


def counterparts(shared: pd.DataFrame, first: pd.Series, second: pd.Series) -> pd.DataFrame:
    """Pair the types of two runs by the length of road that they share.

    Parameters
    ----------
    shared
        What segments share (`shared_length`).
    first, second
        Type of each segment of both runs, by ``segment_id``; null: none.

    Returns
    -------
    By type of `first`: ``cluster_there`` (null: none) and ``overlap``, the share of their road that both have
    (Jaccard); paired one to one so that the sum of overlaps is the greatest.
    """
    types = pd.Index(sorted(first.dropna().astype(int).unique()), name="cluster")
    none = pd.DataFrame({"cluster_there": pd.NA, "overlap": 0.0}, types).astype({"cluster_there": "Int64"})
    mine, theirs = shared["first"].map(first), shared["second"].map(second)
    known = (mine.notna() & theirs.notna()).to_numpy()
    if not known.any():
        return none
    both = pd.crosstab(
        mine[known].astype(int), theirs[known].astype(int), values=shared["length_m"][known], aggfunc="sum"
    ).fillna(0.0)
    length = both.to_numpy(dtype=np.float64)
    either = length.sum(axis=1, keepdims=True) + length.sum(axis=0, keepdims=True) - length
    overlap = length / either
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    found = pd.DataFrame(
        {"cluster_there": both.columns[columns], "overlap": overlap[rows, columns]}, index=both.index[rows]
    ).astype({"cluster_there": "Int64"})
    paired = found[found["overlap"] > 0].reindex(types)
    return paired.assign(overlap=paired["overlap"].fillna(0.0))
