"""Spherical k-means: groups of directions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus
from threadpoolctl import threadpool_limits

from geo.features.lengths import of_length_1
from geo.ground.contract import Features

ITERATIONS, STARTS = 50, 3
STILL = 1e-4
"""Middles of which none moves farther are taken as they are."""


def spherical_k_means(points: Features, k: int, seed: int) -> tuple[Features, NDArray[np.int64]]:
    """Group points by their directions: the middles' cosines with their own points add up to as much as can be found.

    Dhillon and Modha 2001, Machine Learning 42:143-175, from starts that lie apart (Arthur and Vassilvitskii 2007); the
    best of several is taken.

    Parameters
    ----------
    points
        Of length 1, ``(n, components)``, more than `k`.
    k
        How many groups.
    seed
        Of the starts.

    Returns
    -------
    The middles, of length 1, ``(k, components)``; and the group of each point, ``(n,)``.
    """
    found: list[tuple[float, Features]] = []
    with threadpool_limits(limits=1):
        for start in range(STARTS):
            middles, _ = kmeans_plusplus(points, k, random_state=(seed + start) % 2**32)
            middles = _settled(points, np.asarray(of_length_1(middles)))
            found.append((float((points @ middles.T).max(axis=1).sum()), middles))
        best = max(found, key=lambda one: one[0])[1]
        return best, (points @ best.T).argmax(axis=1)


def _settled(points: Features, middles: Features) -> Features:
    """Move middles to the directions of the sums of their points until none moves; an empty group keeps its own."""
    for _ in range(ITERATIONS):
        groups = (points @ middles.T).argmax(axis=1)
        member = np.zeros((len(points), len(middles)), dtype=np.float32)
        member[np.arange(len(points)), groups] = 1
        sums = member.T @ points
        some = (sums != 0).any(axis=1, keepdims=True)
        moved = np.where(some, of_length_1(sums), middles)
        settled = bool(np.abs(moved - middles).max() < STILL)
        middles = moved.astype(np.float32)
        if settled:
            break
    return middles
