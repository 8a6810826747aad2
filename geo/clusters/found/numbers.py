"""Numbers of clusters that last: a cluster keeps the number it had in an earlier run, as long as it is the same one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

NEAR_M = 15.0
"""A segment's middle this far or less from an earlier segment lies on the same road, however both were cut (metres)."""
SAME = 0.5
"""Share of their common length (Jaccard) from which two clusters are the same; Hennig (2007) calls less dissolved."""


def keep_numbers(
    segments: gpd.GeoDataFrame,
    earlier: gpd.GeoDataFrame,
    reserved: Collection[int] = (),
    older: Sequence[gpd.GeoDataFrame] = (),
) -> dict[int, int]:
    """Match clusters to those of an earlier run by the length of road that they share.

    Parameters
    ----------
    segments
        The segments of this run: ``cluster`` (null: none), ``length_m`` and lines in a projected CRS (metres).
    earlier
        The segments of the earlier run, with ``cluster``, in any CRS.
    reserved
        Numbers that mean something to the analyst, and are given to the cluster they were given to or to none.
    older
        Segments of runs before the earlier one, which say where reserved numbers lay that `earlier` does not have.

    Returns
    -------
    The lasting number of each cluster, one to one. A cluster that is the same as an earlier one (`SAME`) takes its
    number; the others take the smallest numbers that are neither taken nor reserved.
    """
    known = segments[segments["cluster"].notna()]
    clusters = sorted(int(c) for c in known["cluster"].unique())
    matched: dict[int, int] = {}
    missing = set(reserved) - set(earlier["cluster"].dropna())
    for run in [*(one[one["cluster"].isin(missing)] for one in older), earlier[earlier["cluster"].notna()]]:
        found = _matches(known, run[~run["cluster"].isin(list(matched.values()))])
        matched |= {cluster: number for cluster, number in found.items() if cluster not in matched}
    taken = {*matched.values(), *reserved}
    free = (n for n in range(1, len(clusters) + len(taken) + 1) if n not in taken)
    return {cluster: matched[cluster] if cluster in matched else next(free) for cluster in clusters}


def _matches(known: gpd.GeoDataFrame, earlier: gpd.GeoDataFrame) -> dict[int, int]:
    """Pair the clusters that are the same on the road that both runs cover."""
    if known.empty or earlier.empty:
        return {}
    shared = _shared_length(known, earlier.to_crs(known.crs))
    if shared.empty:
        return {}
    both = shared.to_numpy(dtype=np.float64)
    jaccard = both / (both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both)
    rows, columns = linear_sum_assignment(jaccard, maximize=True)
    return {
        int(shared.index[row]): int(shared.columns[column])
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if jaccard[row, column] > SAME
    }


def _shared_length(known: gpd.GeoDataFrame, earlier: gpd.GeoDataFrame) -> pd.DataFrame:
    """Add up metres by cluster (rows) and earlier cluster of the road under each segment's middle (columns)."""
    middles = known.geometry.interpolate(0.5, normalized=True).to_numpy()
    mine, theirs = earlier.sindex.nearest(middles, return_all=False, max_distance=NEAR_M)
    return pd.crosstab(
        known["cluster"].to_numpy(dtype=np.int64)[mine],
        earlier["cluster"].to_numpy(dtype=np.int64)[theirs],
        values=known["length_m"].to_numpy()[mine],
        aggfunc="sum",
    ).fillna(0.0)
