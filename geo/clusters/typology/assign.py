"""Segments of a city given to the types of a typology, in place of types found in the city itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from geo.clusters.evidence.groupings import NONE, membership
from geo.clusters.graph.smoothing import smooth
from geo.clusters.methods.kind import Fit
from geo.clusters.space import Points
from geo.clusters.typology.model import Typology
from geo.features.encoder import Embeddings

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Assigned:
    """To which types segments belong.

    Attributes
    ----------
    points
        Where they lie in the typology's space of looks, ``(n, components)``.
    numbers
        Number of the type of each, `geo.clusters.evidence.regrouping.NONE` where it is like none, ``(n,)``.
    nearest
        Number of the type that it is nearest to, whether it is like it or not.
    distance
        From the middle of that type, in the space of looks.
    margin
        How much nearer it is to that middle than to the next one (`geo.clusters.fit.Clustering`); NaN where there is
        one type.
    probability
        Share of the typology's bootstrap groupings in which it is of that type; NaN where it is like none.
    second
        The type that it is of most often besides; `NONE`: it never is.
    groupings
        Its type in each of these groupings, ``(n, groupings)``.
    """

    points: Points
    numbers: Rows
    nearest: Rows
    distance: NDArray[np.float64]
    margin: NDArray[np.float64]
    probability: NDArray[np.float64]
    second: Rows
    groupings: Rows


def assign(typology: Typology, vectors: Embeddings, left_out: sp.csr_array | None = None) -> Assigned:
    """Give segments to the types of a typology.

    They are brought into the typology's space, smoothed there on the graph of likeness of the segments that it was
    found with and of their own, and given to the nearest centroid. One that lies further from the middle of its type
    than `geo.clusters.typology.model.Arrays.limits` is like none.

    Parameters
    ----------
    typology
        The types.
    vectors
        Fingerprints that were made as its own were, ``(n, dimension)``.
    left_out
        ``(n, n)``: pairs of them that are no neighbours (`geo.clusters.graph.ground.same_ground`); None: all may be.
    """
    parts = typology.arrays
    points = typology.space.of(vectors)
    drawn = _drawn(typology, points, left_out)
    numbers = typology.card.numbers
    place = Fit(np.arange(len(numbers)), parts.centroids).nearest(drawn)
    distance, margin = _about(points, parts.middles, place)
    alike = distance <= parts.limits[place]
    groupings = _regrouped(typology, drawn)
    groupings[~alike] = NONE
    found = numbers[place]
    probability, second = np.full(len(points), np.nan), np.full(len(points), NONE, dtype=np.int64)
    if alike.any():
        sure = membership(place[alike] + 1, _places(groupings[alike], numbers))
        probability[alike] = sure.probability
        second[alike] = np.where(sure.second == NONE, NONE, numbers[np.maximum(sure.second, 1) - 1])
    return Assigned(
        points, np.where(alike, found, NONE), found, distance, margin, probability, second, groupings
    )


def _drawn(typology: Typology, points: Points, left_out: sp.csr_array | None) -> Points:
    """Smooth new points together with those that the typology was found with."""
    anchors, settings = typology.arrays.anchors.astype(np.float64), typology.card.settings.clusters()
    none = sp.csr_array((len(points), len(points)), dtype=bool)
    there = typology.arrays.apart
    theirs = sp.csr_array((np.ones(len(there), dtype=bool), there.T), shape=(len(anchors), len(anchors)))
    both = sp.block_diag([theirs, none if left_out is None else left_out], format="csr")
    drawn: Points = smooth(np.concatenate([anchors, points]), settings, sp.csr_array(both))[len(anchors) :]
    return drawn


def _about(points: Points, middles: Points, place: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tell how far segments are from the middle of their type, and how much nearer than from the next one."""
    distances = Fit(np.arange(len(middles)), middles).distances(points)
    row = np.arange(len(points))
    own = distances[row, place].copy()
    if len(middles) == 1:
        return own, np.full(len(points), np.nan)
    distances[row, place] = np.inf
    following = distances.min(axis=1)
    margin = 1 - np.divide(own, following, out=np.ones_like(own), where=following > 0)
    return own, np.maximum(margin, 0.0)


def _regrouped(typology: Typology, drawn: Points) -> Rows:
    """Give segments to the groups of each bootstrap grouping, in the numbers of the types."""
    parts, numbers = typology.arrays, typology.card.numbers
    found = np.empty((len(drawn), len(parts.partitions)), dtype=np.int64)
    with threadpool_limits(limits=1):
        for column, (centroids, counterparts) in enumerate(
            zip(parts.partitions, parts.counterparts, strict=True)
        ):
            group = Fit(np.arange(len(centroids)), centroids).nearest(drawn)
            place = counterparts[group]
            found[:, column] = np.where(place < 0, NONE, numbers[place])
    return found


def _places(groupings: Rows, numbers: Rows) -> Rows:
    """Turn numbers of types into their places, counted from 1; `NONE` stays."""
    table = np.zeros(int(numbers.max()) + 1, dtype=np.int64)
    table[numbers] = np.arange(1, len(numbers) + 1)
    places: Rows = table[groupings]
    return places
