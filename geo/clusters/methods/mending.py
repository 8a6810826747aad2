"""What ways of clustering that join points share: small pieces before it, and one run of k-means after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.clusters.methods.kind import Fit

MOST_LINKED = 4000
"""Up to so many points are joined one by one; more are brought together into `PIECES` first."""
PIECES = 2000
SAME_DIGITS = 5
"""Points are one look whose numbers are the same to so many decimals: means of equal embeddings differ in the seventh
digit, and by more where weak components are evened out."""


def distinct(points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell which points are other looks, by more than rounding.

    Parameters
    ----------
    points
        ``(n, components)``, of about length 1.

    Returns
    -------
    The first row of each look, looks in the order of their numbers, ``(looks,)``; and the look of each point, counted
    from 0, ``(n,)``.

    Examples
    --------
    >>> [rows.tolist() for rows in distinct(np.array([[0.6, 0.8], [0.1 + 0.2, 0.0], [0.3, 0.0]]))]
    [[1, 0], [1, 0, 0]]
    """
    # 0 may have a sign
    rounded = np.round(points, SAME_DIGITS) + 0.0
    _, first, look = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
    order = np.lexsort(points[first].T[::-1])
    place = np.argsort(order, kind="stable")
    return first[order].astype(np.int64), place[look.ravel()].astype(np.int64)


def pieces(points: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Bring many points together into `PIECES`; a few are one each, and equal ones one together.

    Parameters
    ----------
    points
        ``(n, components)``, in an order of their own.
    seed
        Of k-means, which draws nothing: its starts lie evenly in the order of the points.

    Returns
    -------
    Piece of each point, counted from 0, ``(n,)``; each has a point.
    """
    from sklearn.cluster import KMeans

    first, piece = distinct(points)
    if len(first) <= MOST_LINKED:
        return piece
    starts = points[first[np.linspace(0, len(first) - 1, PIECES).astype(np.int64)]]
    labels = KMeans(PIECES, init=starts, n_init=1, max_iter=5, random_state=seed).fit_predict(points)
    return np.unique(labels, return_inverse=True)[1].ravel().astype(np.int64)


def middles(points: NDArray[np.float64], labels: NDArray[np.int64], groups: int = 0) -> NDArray[np.float64]:
    """Give the mean of the points of each group, ``(groups, components)``.

    Parameters
    ----------
    points
        ``(n, components)``.
    labels
        Group of each, counted from 0.
    groups
        So many groups there are at least (number); the middle of one that has no points is null.
    """
    sizes = np.bincount(labels, minlength=groups)
    sums = np.stack([np.bincount(labels, column, minlength=groups) for column in points.T], axis=1)
    found: NDArray[np.float64] = sums / np.where(sizes > 0, sizes, np.nan)[:, None]
    return found


def mended(points: NDArray[np.float64], joined: NDArray[np.int64], seed: int) -> Fit:
    """Bring each point to the nearest group: k-means from the middles of groups (Milligan 1980, Psychometrika 45)."""
    from sklearn.cluster import KMeans

    starts = middles(points, joined)
    model = KMeans(n_clusters=len(starts), init=starts, n_init=1, random_state=seed).fit(points)
    return Fit(model.labels_.astype(np.int64), model.cluster_centers_)
