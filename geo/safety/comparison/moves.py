"""Moving a map of labels over a network, so that neighbours stay together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from sklearn.cluster import DBSCAN

from geo.counting import counted

GAP_M = 500.0
"""Segments further than this from all others are of another area."""
LEAST_SHARE = 0.25
"""Areas with at least this share of the segments of the largest exchange their patterns; smaller ones only receive."""
MANY = 20_000_000
"""With more places times moves, the nearest place is that of the middle of a fine square."""
SQUARES = 1000
"""Of the longer side of a bounding box, where squares are used."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def find_areas(places: Floats, gap_m: float = GAP_M) -> Integers:
    """Tell areas that lie apart: chains of places, none further than `gap_m` from the next (metres).

    Parameters
    ----------
    places
        Middles of the segments, ``(n, 2)`` (metres).

    Returns
    -------
    Number of the area of each place, from 0; they are counted from west to east.
    """
    if not len(places):
        return np.empty(0, dtype=np.int64)
    found = DBSCAN(eps=gap_m, min_samples=1).fit(places).labels_
    west = np.full(found.max() + 1, np.inf)
    np.minimum.at(west, found, places[:, 0])
    renumbered: Integers = np.argsort(np.argsort(west, kind="stable"), kind="stable")[found]
    return renumbered


def move_labels(places: Floats, areas: Integers, moves: int, *, seed: int) -> Integers:
    """Move the whole map of labels at random: from where each place gets its label.

    Each area's map is mirrored or not, turned by any angle and shifted by any distance; what leaves its bounding box
    on one side comes back on the other (Lotwick and Silverman 1982, J. R. Statist. Soc. B 44:406-413; the turn as for
    maps of the cortex, Alexander-Bloch et al. 2018, NeuroImage 178:540-551). Each place then takes the label of the
    nearest place of the moved map; in a large town (`MANY`), of the place nearest to the middle of its square, of which
    `SQUARES` make up the longer side. Areas that lie apart exchange their maps too, at random: were they to keep them,
    nothing could be said of what differs between areas. Along the seams, and where there are no roads, the moved map
    is not quite as the true one is; statistics should be divided by their own standard error under each map.

    Parameters
    ----------
    places
        Middles of the segments, ``(n, 2)`` (metres).
    areas
        Number of the area of each segment, ``(n,)`` (`find_areas`).
    moves
        How many times the map is moved.
    seed
        Seed of the moves: the same one gives the same maps.

    Returns
    -------
    ``(moves, n)`` positions: place ``i`` has the label of place ``result[b, i]`` in map ``b``.
    """
    rng = np.random.default_rng([seed, 41])
    n_areas = int(areas.max()) + 1 if len(areas) else 0
    members = [np.flatnonzero(areas == area) for area in range(n_areas)]
    sizes = np.array([len(rows) for rows in members])
    givers = np.flatnonzero(sizes >= LEAST_SHARE * sizes.max()) if n_areas else np.empty(0, dtype=np.int64)
    many = moves * len(places) > MANY
    nearest = [_nearest(places[rows], by_squares=many and len(rows) > SQUARES) for rows in members]
    boxes = [_box(places[rows]) for rows in members]
    result = np.empty((moves, len(places)), dtype=np.int64)
    for move in counted(range(moves), "moves of the map"):
        source = rng.choice(givers, n_areas)
        source[givers] = rng.permutation(givers)
        for area, rows in enumerate(members):
            giver = int(source[area])
            moved = _motion(places[rows], boxes[area], boxes[giver], rng)
            result[move, rows] = members[giver][nearest[giver](moved)]
    return result


def _nearest(places: Floats, *, by_squares: bool) -> Callable[[Floats], Integers]:
    """Give what tells the nearest of some places to points of their bounding box."""
    tree = KDTree(places)
    if not by_squares:
        return lambda points: np.asarray(tree.query(points)[1], dtype=np.int64)
    low, size = places.min(axis=0), np.maximum(np.ptp(places, axis=0), 1.0)
    side = float(size.max()) / SQUARES
    shape = np.ceil(size / side).astype(np.int64)
    x, y = np.meshgrid(*(np.arange(count) for count in shape), indexing="ij")
    middles = low + side * (np.column_stack([x.ravel(), y.ravel()]) + 0.5)
    known = np.asarray(tree.query(middles)[1], dtype=np.int64)

    def look_up(points: Floats) -> Integers:
        square = np.clip(((points - low) / side).astype(np.int64), 0, shape - 1)
        return np.asarray(known[square[:, 0] * shape[1] + square[:, 1]], dtype=np.int64)

    return look_up


def _box(places: Floats) -> tuple[Floats, Floats]:
    """Give the lower corner and the size of the box that holds some places."""
    low = places.min(axis=0)
    return low, places.max(axis=0) - low


def _motion(
    places: Floats, target: tuple[Floats, Floats], source: tuple[Floats, Floats], rng: np.random.Generator
) -> Floats:
    """Put places of one area somewhere in the bounding box of another, which repeats itself without end."""
    low, size = source[0], np.maximum(source[1], 1.0)
    angle, mirror = rng.uniform(0, 2 * np.pi), rng.choice([-1.0, 1.0])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]]) * np.array([mirror, 1.0])
    centre = (target[0] + (target[0] + target[1])) / 2
    moved: Floats = low + np.mod((places - centre) @ turn.T + rng.uniform(0, 1, 2) * size, size)
    return moved
