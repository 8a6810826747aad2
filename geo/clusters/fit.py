"""Grouping segments into types. Nothing here sees a collision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.clusters.methods.kind import NOTHING, Beside, Fit
from geo.clusters.methods.mending import distinct, middles
from geo.clusters.registry import method_of
from geo.clusters.space import Points
from geo.config import Clusters

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Clustering:
    """A partition of segments.

    Attributes
    ----------
    labels
        Cluster of each segment, counted from 1; 1 is the largest.
    margin
        How much nearer a segment is to its own centroid than to the next one: 1 - own distance / next distance,
        from 0 (as near to another, or nearer) to 1 (at its centroid). NaN where there is one cluster alone.
    distance
        Distance of each segment to its own centroid, in the space of looks.
    notes
        What whoever reads the result must know of how it was come by, in words.
    """

    labels: Labels
    margin: NDArray[np.float64]
    distance: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(np.unique(self.labels))


def cluster(
    points: Points,
    k: int,
    settings: Clusters,
    *,
    smoothed: Points | None = None,
    beside: Beside = NOTHING,
) -> Clustering:
    """Partition segments into `k` clusters.

    Parameters
    ----------
    points
        Places of the segments in the space of their looks, ``(segments, components)`` (`geo.clusters.space.to_space`).
    k
        Number of clusters; no more than there are distinct points come out.
    settings
        The section ``clusters`` of the city's file: ``method`` and ``seed``; the same give the same clusters.
    smoothed
        Where the points are drawn before they are grouped (`geo.clusters.graph.smoothing.smooth`); None: they are not.
        Margins and distances are told where they were: smoothing makes all of them look sure.
    beside
        What else is known of the segments.

    Raises
    ------
    ConfigurationError
        When there are more segments than the method takes.
    """
    grouped = points if smoothed is None else smoothed
    k = min(k, len(distinct(grouped)[0]))
    fit = method_of(settings).fit(grouped, k, beside=beside)
    labels = order_by_size(fit.labels)
    return _measured(points, labels, fit if smoothed is None else _about(points, fit.labels, fit.notes))


def about(points: Points, labels: Labels) -> Clustering:
    """Measure how points lie in a partition that is given.

    Parameters
    ----------
    points
        Places of the segments in the space of their looks, ``(segments, components)``.
    labels
        Cluster of each, any numbers, ``(segments,)``.

    Examples
    --------
    >>> about(np.array([[0.0], [2.0], [9.0]]), np.array([4, 4, 7])).margin.round(2).tolist()
    [0.89, 0.86, 1.0]
    """
    places = np.unique(labels, return_inverse=True)[1].ravel()
    return _measured(points, labels, _about(points, places))


def _measured(points: Points, labels: Labels, fit: Fit) -> Clustering:
    """Measure distances and margins about the centroids of a fit."""
    distances = fit.distances(points)
    row = np.arange(len(points))
    own = distances[row, fit.labels]
    if len(fit.centroids) == 1:
        return Clustering(labels, np.full(len(points), np.nan), own, fit.notes)
    distances[row, fit.labels] = np.inf
    following = distances.min(axis=1)
    margin = 1 - np.divide(own, following, out=np.ones_like(own), where=following > 0)
    return Clustering(labels, np.maximum(margin, 0.0), own, fit.notes)


def _about(points: Points, labels: Labels, notes: tuple[str, ...] = ()) -> Fit:
    """Give groups their middles among the points as they were."""
    return Fit(labels, middles(points, labels), notes)


def order_by_size(raw: NDArray[np.int64]) -> Labels:
    """Count clusters from 1 by falling size; two of a size in the order of their first segments."""
    values, first, counts = np.unique(raw, return_index=True, return_counts=True)
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[np.lexsort((first, -counts))] = np.arange(1, len(values) + 1)
    labels: Labels = ranks[np.searchsorted(values, raw)]
    return labels
