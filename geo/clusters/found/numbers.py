"""Numbers of clusters that last: a cluster keeps the number it had in an earlier run, as long as it is the same one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

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
    missing = set(reserved) - set(earlier["cluster"].dropna())
    runs = [*(one[one["cluster"].isin(missing)] for one in older), earlier[earlier["cluster"].notna()]]

    def shared_with(run: gpd.GeoDataFrame) -> Callable[[Collection[int]], pd.DataFrame]:
        return lambda taken: _shared_length(known, run[~run["cluster"].isin(list(taken))])

    return lasting(clusters, map(shared_with, runs), reserved)


def lasting(
    clusters: Iterable[int],
    runs: Iterable[Callable[[Collection[int]], pd.DataFrame]],
    reserved: Collection[int] = (),
) -> dict[int, int]:
    """Give groups the numbers that they had in earlier runs, as far as they are the same (`SAME`).

    Parameters
    ----------
    clusters
        What the groups are called now.
    runs
        For each earlier run, those that count most first, what gives how much each group (rows) has in common with each
        of that run's (columns), those left out whose numbers are taken by then.
    reserved
        Numbers that mean something to the analyst, and are given to the group they were given to or to none.

    Returns
    -------
    The lasting number of each group, one to one; those that match none take the smallest ones that are free.

    Examples
    --------
    >>> before = pd.DataFrame([[0.0, 9.0], [5.0, 1.0]], index=[1, 2], columns=[1, 2])
    >>> lasting([1, 2, 3], [lambda taken: before.drop(columns=list(taken))], reserved=[3])
    {1: 2, 2: 1, 3: 4}
    """
    matched: dict[int, int] = {}
    for shared_with in runs:
        found = _paired(shared_with(list(matched.values())))
        matched |= {cluster: number for cluster, number in found.items() if cluster not in matched}
    groups = list(clusters)
    taken = {*matched.values(), *reserved}
    free = (n for n in range(1, len(groups) + len(taken) + 1) if n not in taken)
    return {cluster: matched[cluster] if cluster in matched else next(free) for cluster in groups}


def _paired(shared: pd.DataFrame) -> dict[int, int]:
    """Pair the groups that are the same, of what they have in common."""
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
    if known.empty or earlier.empty:
        return pd.DataFrame()
    earlier = earlier.to_crs(known.crs)
    middles = known.geometry.interpolate(0.5, normalized=True).to_numpy()
    mine, theirs = earlier.sindex.nearest(middles, return_all=False, max_distance=NEAR_M)
    return pd.crosstab(
        known["cluster"].to_numpy(dtype=np.int64)[mine],
        earlier["cluster"].to_numpy(dtype=np.int64)[theirs],
        values=known["length_m"].to_numpy()[mine],
        aggfunc="sum",
    ).fillna(0.0)
