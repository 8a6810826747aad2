"""Segments drawn towards those that look most like them, so that types come apart."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from geo.clusters.graph.neighbours import graph_of, nearest
from geo.clusters.space import Points
from geo.config import Clusters
from geo.features.lengths import of_length_1

OWN = 0.5
"""What a segment keeps of its own place in each step."""


def smooth(points: Points, settings: Clusters, left_out: sp.csr_array | None = None) -> Points:
    """Draw points towards their neighbours on the graph of likeness.

    In each step a point goes halfway to the mean of its neighbours, then all are brought to length 1: a low-pass filter
    of the graph (Li, Han and Wu 2018, AAAI; Zhang et al. 2019, IJCAI: adaptive graph convolution for clustering). What
    groups share stays, what single segments have of their own fades.

    Parameters
    ----------
    points
        Array ``(n, components)`` of rows of length 1 (`geo.clusters.space.to_space`).
    settings
        The section ``clusters``: ``neighbours`` and ``smoothing``; either of them 0 leaves points as they are.
    left_out
        ``(n, n)``: pairs that are no neighbours (`geo.clusters.graph.ground.same_ground`).

    Examples
    --------
    >>> from geo.clusters.registry import method_of
    >>> points = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]])
    >>> smoothed = smooth(points, method_of(Clusters(method="average", neighbours=1)))
    >>> (points @ points.T).round(2)[0].tolist(), (smoothed @ smoothed.T).round(2)[0].tolist()
    ([1.0, 0.8, 0.0, -0.6], [1.0, 1.0, 0.57, 0.57])
    """
    if not settings.neighbours or not settings.smoothing:
        return points
    return drawn_together(points, settings.neighbours, settings.smoothing, left_out)


def drawn_together(
    points: Points,
    neighbours: int,
    steps: int,
    left_out: sp.csr_array | None = None,
    *,
    mutual: bool = False,
) -> Points:
    """Draw points towards their neighbours on the graph of likeness, see `smooth`.

    Parameters
    ----------
    points
        Array ``(n, components)`` of rows of length 1.
    neighbours, steps
        How many neighbours each has, and how often it is drawn (numbers).
    left_out
        ``(n, n)``: pairs that are no neighbours.
    mutual
        See `geo.clusters.graph.neighbours.graph_of`.
    """
    if len(points) <= 1:
        return points
    graph = graph_of(nearest(points, neighbours, left_out=left_out)[0], mutual=mutual)
    joined = np.asarray(graph.sum(axis=1)).ravel()
    shares = sp.diags_array(1 / np.where(joined > 0, joined, 1)) @ graph
    # a point without neighbours stays where it is
    alone = (joined == 0)[:, None]
    with threadpool_limits(limits=1):
        for _ in range(steps):
            points = np.where(alone, points, OWN * points + (1 - OWN) * (shares @ points))
    return of_length_1(points)
