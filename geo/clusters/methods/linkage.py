"""Flexible average linkage of points that count for several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
BETA = -0.1
"""What Belbin, Faith and Milligan (1992) recommend: groups of like size gain, and those of unequal size lose little."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Mergers of groups of points, by rising distance.

    Attributes
    ----------
    ends
        A point of either group of each merger, ``(n - 1, 2)``.
    heights
        Distance between the two groups, ``(n - 1,)``: with no flexibility the mean one of their points.
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


def average_linkage(points: Floats, weights: Floats, *, beta: float = BETA) -> Tree:
    """Merge groups of points, always two that are least apart.

    The distance of two points is 1 less their inner product, the cosine for points of length 1. That of two groups is
    the mean one of their points (Sokal and Michener 1958), made flexible: what is merged moves away from all others by
    -`beta` times what they were farther than its two parts, so that a large group does not draw in all that lies about
    it (Belbin, Faith and Milligan 1992, Multivariate Behavioral Research 27:417-433). A point may stand for many, as if
    they had been one group from the start. In time of about the square of points (the generic algorithm of Müllner
    2011, arXiv 1109.2378, without its queue): which mergers come before others changes what is flexible.

    Parameters
    ----------
    points
        ``(n, components)``.
    weights
        For how many each stands, above 0, ``(n,)``.
    beta
        From -1 to 0; 0: average linkage as it was published first.

    Examples
    --------
    >>> tree = average_linkage(np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]]), np.ones(3), beta=0.0)
    >>> tree.ends.tolist(), tree.heights.round(2).tolist(), tree.cut(2).tolist()
    ([[0, 2], [0, 1]], [0.2, 0.7], [0, 1, 0])
    """

    def merged(one: int, other: int, apart: Floats, sizes: Floats) -> Floats:
        mean = (sizes[one] * apart[one] + sizes[other] * apart[other]) / (sizes[one] + sizes[other])
        row: Floats = (1 - beta) * mean + beta * apart[one, other]
        return row

    return _joined(1.0 - points @ points.T, weights, merged)


def ward_linkage(points: Floats, weights: Floats) -> Tree:
    """Merge groups of points, always two whose merger adds least to the squares about middles (Ward 1963).

    By the formula of Lance and Williams (1967, The Computer Journal 9:373-380). A point may stand for many that lie
    where it does, as if they had been one group from the start.

    Parameters
    ----------
    points
        ``(n, components)``.
    weights
        For how many each stands, above 0, ``(n,)``.

    Examples
    --------
    >>> tree = ward_linkage(np.array([[0.0], [1.0], [5.0]]), np.array([1.0, 1.0, 2.0]))
    >>> tree.ends.tolist(), tree.heights.tolist(), tree.cut(2).tolist()
    ([[0, 1], [0, 2]], [0.5, 20.25], [0, 0, 1])
    """

    def merged(one: int, other: int, apart: Floats, sizes: Floats) -> Floats:
        both = (sizes[one] + sizes) * apart[one] + (sizes[other] + sizes) * apart[other]
        row: Floats = (both - sizes * apart[one, other]) / (sizes[one] + sizes[other] + sizes)
        return row

    squares = (points**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares[None, :] - 2 * (points @ points.T), 0.0)
    return _joined(apart * weights[:, None] * weights / (weights[:, None] + weights), weights, merged)


def _joined(apart: Floats, weights: Floats, merge: Callable[[int, int, Floats, Floats], Floats]) -> Tree:
    """Merge always the two that are least apart, told how far what is merged is from all others."""
    n = len(apart)
    np.fill_diagonal(apart, np.inf)
    sizes = weights.astype(np.float64).copy()
    nearest = apart.argmin(axis=1) if n > 1 else np.zeros(n, dtype=np.int64)
    least = apart[np.arange(n), nearest]
    ends = np.empty((max(n - 1, 0), 2), dtype=np.int64)
    heights = np.empty(max(n - 1, 0))
    for step in range(n - 1):
        first = int(least.argmin())
        one, other = sorted((first, int(nearest[first])))
        ends[step], heights[step] = (one, other), apart[one, other]
        merged = merge(one, other, apart, sizes)
        merged[[one, other]] = np.inf
        sizes[one] += sizes[other]
        apart[one], apart[:, one] = merged, merged
        apart[other], apart[:, other] = np.inf, np.inf
        # what is merged is no nearer to any other than its nearer part was: only what was nearest to it looks anew
        anew = np.flatnonzero((nearest == one) | (nearest == other))
        anew = np.union1d(anew[np.isfinite(least[anew])], [one])
        nearest[anew] = apart[anew].argmin(axis=1)
        least[anew] = apart[anew, nearest[anew]]
        least[other] = np.inf
    return Tree(ends, heights)
