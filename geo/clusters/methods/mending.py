"""What ways of clustering that join points share: small pieces before it, and one run of k-means after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.clusters.methods.kind import Fit

MOST_LINKED = 4000
"""Up to so many points are joined one by one; more are brought together into `PIECES` first."""
PIECES = 2000


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

    distinct, piece = np.unique(points, axis=0, return_inverse=True)
    if len(distinct) <= MOST_LINKED:
        return piece.ravel().astype(np.int64)
    starts = distinct[np.linspace(0, len(distinct) - 1, PIECES).astype(np.int64)]
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
