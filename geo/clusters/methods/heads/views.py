"""Other looks of segments, tile by tile and turn by turn, brought to where the segments lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.methods.kind import Views
from geo.features.lengths import of_length_1

Looks = tuple[NDArray[np.object_], NDArray[np.floating]]
"""Ids of segments, and a vector of each, ``(looks,)`` and ``(looks, dimension)``; a segment may have several."""


def views_of(
    looks: Iterable[Looks], ids: pd.Index, bring: Callable[[NDArray[np.float32]], NDArray[np.floating]]
) -> Views | None:
    """Gather the looks of each segment.

    Parameters
    ----------
    looks
        Ids and vectors, part by part, so that not all vectors need be in memory together. Each vector is brought to
        length 1 first, as for fingerprints.
    ids
        ``segment_id`` of each point, without repeats; looks of others are left out.
    bring
        Brings vectors into the space of the points.

    Returns
    -------
    The looks of each point in the order in which they came; None: there is none.

    Examples
    --------
    >>> looks = [(np.array(["b", "a"]), np.array([[0.0, 2.0], [3.0, 0.0]])), (np.array(["b"]), np.array([[1.0, 0.0]]))]
    >>> views = views_of(looks, pd.Index(["a", "b", "c"]), lambda vectors: vectors)
    >>> views.points.tolist(), views.starts.tolist()
    ([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [0, 1, 3, 3])
    """
    rows, points = [], []
    for of, vectors in looks:
        mine = ids.get_indexer(pd.Index(of))
        known = np.isfinite(vectors).all(axis=1) & (mine >= 0)
        if known.any():
            exact = vectors[known].astype(np.float64)
            rows.append(mine[known])
            points.append(bring(of_length_1(exact).astype(np.float32)).astype(np.float32))
    if not rows:
        return None
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    starts = np.searchsorted(row[order], np.arange(len(ids) + 1))
    return Views(np.concatenate(points)[order], starts)
