"""Average linkage of points that count for several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tree:
    """Mergers of groups of points, by rising distance.

    Attributes
    ----------
    ends
        A point of either group of each merger, ``(n - 1, 2)``.
    heights
        Mean distance between the two groups, ``(n - 1,)``.
    """

    ends: NDArray[np.int64]
    heights: Floats

    def cut(self, k: int) -> NDArray[np.int64]:
        """Group the points into `k`, ``(n,)``, counted from 0 by their first points."""
        n = len(self.ends) + 1
        first = self.ends[: n - k]
        joined = sp.coo_array((np.ones(len(first)), (first[:, 0], first[:, 1])), shape=(n, n))
        labels = connected_components(joined, directed=False)[1]
        found: NDArray[np.int64] = labels.astype(np.int64)
        return found


def average_linkage(points: Floats, weights: Floats) -> Tree:
    """Merge groups of points, always two whose points are least apart in the mean (Sokal and Michener 1958).

    The distance of two points is 1 less their inner product, the cosine for points of length 1: that of two groups is
    then 1 less the inner product of their means, so that a point may stand for many. By chains of nearest neighbours
    (Murtagh 1983, The Computer Journal 26:354-359), in time of the square of points.

    Parameters
    ----------
    points
        ``(n, components)``.
    weights
        For how many each stands, above 0, ``(n,)``.

    Examples
    --------
    >>> tree = average_linkage(np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]]), np.ones(3))
    >>> tree.ends.tolist(), tree.heights.round(2).tolist(), tree.cut(2).tolist()
    ([[0, 2], [0, 1]], [0.2, 0.7], [0, 1, 0])
    """
    n = len(points)
    apart = 1.0 - points @ points.T
    np.fill_diagonal(apart, np.inf)
    sizes = weights.astype(np.float64).copy()
    alive = np.ones(n, dtype=bool)
    ends = np.empty((max(n - 1, 0), 2), dtype=np.int64)
    heights = np.empty(max(n - 1, 0))
    chain: list[int] = []
    for step in range(n - 1):
        if not chain:
            chain = [int(alive.argmax())]
        while True:
            last = chain[-1]
            row = apart[last]
            following = int(row.argmin())
            # of equal distances that to the one before, or the chain would go round in a ring
            if len(chain) > 1 and row[chain[-2]] <= row[following]:
                break
            chain.append(following)
        one, other = sorted((chain.pop(), chain.pop()))
        ends[step], heights[step] = (one, other), apart[one, other]
        merged = (sizes[one] * apart[one] + sizes[other] * apart[other]) / (sizes[one] + sizes[other])
        sizes[one] += sizes[other]
        alive[other] = False
        merged[one] = np.inf
        apart[one], apart[:, one] = merged, merged
        apart[other], apart[:, other] = np.inf, np.inf
    order = np.argsort(heights, kind="stable")
    return Tree(ends[order], heights[order])
