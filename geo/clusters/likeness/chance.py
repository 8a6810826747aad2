"""How alike two segments must look to be called look-alikes: more than nearly all pairs that chance would bring."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geo.clusters.likeness.alike import SAME_ROAD_M
from geo.clusters.space import Points

MORE_ALIKE_THAN = 0.9
"""Share of random pairs of a road class that look-alikes are more alike than."""
SURELY = 0.8
"""Of this cosine or more two segments are alike, be others as alike: where half of a city is of one look, a limit that
nine in ten pairs keep below would leave out roads that nobody can tell apart."""
PAIRS = 20_000
"""Pairs drawn of a class; of a class that has no more, all."""
LEAST_SEGMENTS = 20
"""A class with fewer segments is held against pairs of all roads: its own would be too few to tell what is usual."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike random pairs of segments are.

    Attributes
    ----------
    of_class
        Cosines of pairs of a road class, in order; of classes with enough segments alone.
    of_all
        Those of pairs of all roads, in order.
    """

    of_class: Mapping[str, Floats]
    of_all: Floats

    def pairs(self, road_class: str) -> Floats:
        """Give the cosines that a road class is held against, in order."""
        return self.of_class.get(road_class, self.of_all)

    def limits(self, road_class: pd.Series, more_alike_than: float = MORE_ALIKE_THAN) -> Floats:
        """Give the least cosine with which another segment is a look-alike, for segments of some classes.

        Parameters
        ----------
        road_class
            Class of each segment; null is a class of its own.
        more_alike_than
            Share of random pairs that must be less alike (0 to 1); 0: whatever there is counts as alike.

        Returns
        -------
        One each, at most `SURELY`; infinite where there are no pairs to hold it against, and nothing can be called
        alike.
        """
        names = _named(road_class)
        if more_alike_than <= 0:
            return np.full(len(names), -np.inf)
        found = {
            # the least cosine that so large a share of pairs is less alike than
            name: min(float(pairs[min(math.ceil(more_alike_than * len(pairs)), len(pairs) - 1)]), SURELY)
            if len(pairs)
            else np.inf
            for name in names.unique()
            for pairs in [self.pairs(name)]
        }
        return names.map(found).to_numpy(dtype=np.float64)

    def share_less_alike(self, road_class: pd.Series, cosines: ArrayLike) -> Floats:
        """Tell what share of random pairs of its class is less alike than a segment and another one.

        Parameters
        ----------
        road_class, cosines
            Class of the segment, and cosine with the other one, of each pair.
        """
        values, names = np.asarray(cosines, dtype=np.float64), _named(road_class).to_numpy()
        found = np.full(len(values), np.nan)
        for name in np.unique(names):
            mine, pairs = names == name, self.pairs(str(name))
            if len(pairs):
                found[mine] = np.searchsorted(pairs, values[mine], side="left") / len(pairs)
        return found


def likeness_of_pairs(points: Points, road_class: pd.Series, places: NDArray[np.float64]) -> Likeness:
    """Draw pairs of segments of each road class by lot, and tell how alike they are.

    Parameters
    ----------
    points
        Rows of length 1, ``(segments, components)``, see `geo.clusters.space.to_space`.
    road_class
        Class of each segment, in the order of `points`; null is a class of its own.
    places
        Middle of each segment, ``(segments, 2)`` (metres): pairs nearer than
        `geo.clusters.likeness.alike.SAME_ROAD_M` are left out, for they show the same street, or the same ground.

    Examples
    --------
    Of 40 roads in pairs of the same look, every fortieth pair or so is alike, and that is how alike look-alikes are:

    >>> rng = np.random.default_rng(0)
    >>> look = rng.normal(size=(20, 8))
    >>> points = np.repeat(look / np.linalg.norm(look, axis=1, keepdims=True), 2, axis=0)
    >>> places = np.column_stack([300.0 * np.arange(40), np.zeros(40)])
    >>> found = likeness_of_pairs(points, pd.Series(["primary"] * 40), places)
    >>> limit = found.limits(pd.Series(["primary"]))[0]
    >>> len(found.pairs("primary")), bool(0.3 < limit < SURELY)
    (780, True)
    """
    names = _named(road_class).to_numpy()
    every = np.arange(len(points))
    of_class = {
        str(name): _cosines(points, places, mine)
        for name in np.unique(names)
        if len(mine := every[names == name]) >= LEAST_SEGMENTS
    }
    return Likeness(of_class, _cosines(points, places, every))


def _cosines(points: Points, places: NDArray[np.float64], rows: NDArray[np.int64]) -> Floats:
    """Draw pairs of some segments, and give their cosines in order."""
    n = len(rows)
    if n * (n - 1) // 2 <= PAIRS:
        one, other = np.triu_indices(n, 1)
    else:
        # the same pairs of the same segments, whatever else is drawn in a run
        rng = np.random.default_rng(0)
        one = rng.integers(0, n, PAIRS)
        other = (one + rng.integers(1, n, PAIRS)) % n
    one, other = rows[one], rows[other]
    apart = ((places[one] - places[other]) ** 2).sum(axis=1) >= SAME_ROAD_M**2
    found: Floats = np.sort(np.einsum("ij,ij->i", points[one[apart]], points[other[apart]]))
    return found


def _named(road_class: pd.Series) -> pd.Series:
    """Write classes as text; the one that is not known is empty."""
    return road_class.astype(object).where(road_class.notna(), "").astype(str)
