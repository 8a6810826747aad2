"""Places of labels: what is near to each other is learned from together, or left out together."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

WIDEST = 4.0
"""A chain of labels that is wider than this many times the distance is cut by squares of that side."""


def part_into_places(
    shapes: NDArray[np.object_], outline: NDArray[np.bool_], apart_m: float
) -> NDArray[np.int64]:
    """Part labels into places that features of one do not reach into another.

    An outline is a place, with the labels in it; outlines that touch are one. Other labels are one place where each is
    within a distance of the next. A chain of these that runs through the city is cut by squares, as blocks are in
    spatial cross-validation (Roberts et al. 2017, Ecography 40: 913-929).

    Parameters
    ----------
    shapes
        Geometries (metres).
    outline
        Which of them are outlines of ground on which nothing was left unlabelled.
    apart_m
        The distance (metres).

    Returns
    -------
    Number of each one's place, from 0, in the order of their first shapes.
    """
    n = len(shapes)
    tree = shapely.STRtree(shapes)
    touch = tree.query(shapes, predicate="intersects")
    within = touch[:, outline[touch[1]]]
    inside = outline.copy()
    inside[within[0]] = True
    near = tree.query(shapes, predicate="dwithin", distance=apart_m)
    free = near[:, ~inside[near[0]] & ~inside[near[1]]]
    one, other = np.concatenate([within, free], axis=1)
    _, group = connected_components(
        coo_array((np.ones(len(one)), (one, other)), shape=(n, n)), directed=False
    )
    side = WIDEST * apart_m
    bounds = shapely.bounds(shapes)
    low = np.full((group.max() + 1, 2), np.inf)
    high = -low
    np.minimum.at(low, group, bounds[:, :2])
    np.maximum.at(high, group, bounds[:, 2:])
    wide = (high - low).max(axis=1)[group] > side
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    square = np.where((wide & ~inside)[:, None], np.floor(middle / side), 0).astype(np.int64)
    told = np.column_stack([group, square])
    _, first, number = np.unique(told, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[number.ravel()])
