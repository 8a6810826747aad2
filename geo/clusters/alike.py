"""Which segments elsewhere in the city look most like a segment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from geo.clusters.fit import Labels
from geo.clusters.space import Points

SHOWN = 3
AT_ONCE = 1000
"""Rows of the matrix of likeness that are in memory together."""


def most_alike(
    points: Points, labels: Labels, places: NDArray[np.float64], *, apart_m: float, shown: int = SHOWN
) -> NDArray[np.int64]:
    """Find the segments of the same cluster that look most like each segment, by the cosine of their points.

    Parameters
    ----------
    points
        Array ``(segments, components)`` of rows of length 1, see `geo.clusters.space.to_space`.
    labels
        Cluster of each segment.
    places
        Array ``(segments, 2)``: the middle of each (metres).
    apart_m
        Least distance on the ground: nearer ones show the same ground, or the same street (metres).
    shown
        How many of each.

    Returns
    -------
    Array ``(segments, shown)`` of row numbers, the most alike first; -1 where there are fewer.
    """
    found = np.full((len(points), shown), -1, dtype=np.int64)
    rows = points.astype(np.float32)
    # sums over several threads come in any order, and the last bit of a cosine with them
    with threadpool_limits(limits=1):
        for label in np.unique(labels):
            mine = np.flatnonzero(labels == label)
            for start in range(0, len(mine), AT_ONCE):
                some = mine[start : start + AT_ONCE]
                found[some] = _best(
                    rows[some] @ rows[mine].T, places[some], places[mine], mine, apart_m, shown
                )
    return found


def _best(
    cosines: NDArray[np.float32],
    here: NDArray[np.float64],
    there: NDArray[np.float64],
    mine: NDArray[np.int64],
    apart_m: float,
    shown: int,
) -> NDArray[np.int64]:
    """Take the highest cosines of each row among those far enough; of equal ones the first."""
    near = ((here[:, None, :] - there[None, :, :]) ** 2).sum(axis=2) < apart_m**2
    cosines[near] = -np.inf
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :shown]
    best = np.where(np.take_along_axis(cosines, order, axis=1) > -np.inf, mine[order], -1)
    return np.pad(best, ((0, 0), (0, shown - best.shape[1])), constant_values=-1)
