"""Which segments elsewhere in the city look most like a segment."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from geo.clusters.graph.neighbours import NOBODY, nearest
from geo.clusters.space import Points

if TYPE_CHECKING:
    from geo.clusters.fit import Labels

SHOWN = 3
SAME_ROAD_M = 200.0
"""Nearer than this, another segment of the same road is a part of it that looks the same, and no find (metres)."""


def most_alike(
    points: Points,
    labels: Labels,
    places: NDArray[np.float64],
    *,
    apart_m: float,
    shown: int = SHOWN,
    least: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Find the segments of the same cluster that look most like each segment, by the cosine of their points.

    In a cluster of more than `geo.clusters.graph.neighbours.EXACT` segments not every pair is looked at.

    Parameters
    ----------
    points
        Array ``(segments, components)`` of rows of length 1, see `geo.clusters.space.to_space`.
    labels
        Cluster of each segment, ``(segments,)``.
    places
        Middle of each segment, ``(segments, 2)`` (metres).
    apart_m
        Least distance on the ground: nearer ones show the same ground, or the same street (metres).
    shown
        How many look-alikes each segment gets.
    least
        The least cosine with which another one looks like each segment, ``(segments,)``
        (`geo.clusters.likeness.chance.Likeness.limits`); None: any.

    Returns
    -------
    Array ``(segments, shown)`` of row numbers, the most alike first; -1 where there are fewer.
    """
    found = np.full((len(points), shown), NOBODY, dtype=np.int64)
    near = _nearer_than(places, apart_m)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        rows, cosines = nearest(points[mine], shown, left_out=near[mine][:, mine].tocsr())
        # a cosine of single precision may fall short of its own value by a hair
        enough = cosines >= (
            np.float32(-np.inf) if least is None else (least[mine] - 1e-6).astype(np.float32)[:, None]
        )
        found[mine] = np.where((rows != NOBODY) & enough, mine[rows], NOBODY)
    return found


def _nearer_than(places: NDArray[np.float64], apart_m: float) -> sp.csr_array:
    """Tell which pairs of places are nearer than that on the ground: symmetric ``(n, n)``, without the diagonal."""
    one, other = cKDTree(places).query_pairs(apart_m, output_type="ndarray").T
    near = ((places[one] - places[other]) ** 2).sum(axis=1) < apart_m**2
    one, other = one[near], other[near]
    both = np.concatenate([one, other]), np.concatenate([other, one])
    return sp.csr_array((np.ones(len(both[0]), dtype=bool), both), shape=(len(places), len(places)))


def most_like(
    points: Points, row: int, left_out: NDArray[np.bool_], *, shown: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the segments that look most like one, whatever their clusters.

    Parameters
    ----------
    points
        Array ``(segments, components)`` of rows of length 1, see `geo.clusters.space.to_space`.
    row
        Row of the segment that others are held against.
    left_out
        One a segment: True where it is no answer, as of `same_place`; the segment itself never is one.
    shown
        How many; fewer come out where there are fewer.

    Returns
    -------
    Rows of the segments, the most alike first (of equal ones the first), and the cosine of each, from -1 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, 0.6]])
    >>> rows, cosines = most_like(points, 0, np.array([False, False, True, False]), shown=2)
    >>> rows.tolist(), cosines.tolist()
    ([3, 1], [0.8, 0.0])
    """
    with threadpool_limits(limits=1):
        cosines: NDArray[np.float64] = points @ points[row]
    answers = ~left_out
    answers[row] = False
    order = np.argsort(-cosines, kind="stable")
    rows = order[answers[order]][:shown].astype(np.int64)
    return rows, cosines[rows]


def same_place(
    segments: gpd.GeoDataFrame,
    tiles: gpd.GeoDataFrame,
    segment_ids: str | Collection[str],
    *,
    near_m: float = SAME_ROAD_M,
) -> NDArray[np.bool_]:
    """Tell which segments show the place of one of some: parts of its road near it, and whose tiles overlap its own.

    Parameters
    ----------
    segments
        ``segment_id, name, ref`` (null: none; a road is the same by its name or by its number) and LineStrings, in a
        projected CRS in metres.
    tiles
        ``segment_id`` and footprints, in the same CRS.
    segment_ids
        Id of one of `segments`, or ids of some.
    near_m
        Less than this between two lines is near (metres).

    Returns
    -------
    Array ``(segments,)`` of booleans; True for these segments themselves.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, box
    >>> lines = [LineString([(x, 0), (x + 90, 0)]) for x in (0, 100, 900)]
    >>> segments = gpd.GeoDataFrame(
    ...     {"segment_id": ["a", "b", "c"], "name": "High Street", "ref": None}, geometry=lines, crs=27700
    ... )
    >>> tiles = gpd.GeoDataFrame({"segment_id": ["a"]}, geometry=[box(0, -50, 100, 50)], crs=27700)
    >>> same_place(segments, tiles, "a").tolist()
    [True, True, False]
    """
    ids = [segment_ids] if isinstance(segment_ids, str) else list(segment_ids)
    found: NDArray[np.bool_] = segments["segment_id"].isin(ids).to_numpy(dtype=bool, copy=True)
    own = np.flatnonzero(found)
    lines = segments.geometry.to_numpy()
    mine, near = segments.sindex.query(lines[own], predicate="dwithin", distance=near_m)
    mine = own[mine]
    named = np.zeros(len(mine), dtype=bool)
    for column in ("name", "ref"):
        one, other = np.split(pd.factorize(segments[column].iloc[np.concatenate([mine, near])])[0], 2)
        named |= (one == other) & (one >= 0)
    mine, near = mine[named], near[named]
    found[near[shapely.distance(lines[mine], lines[near]) < near_m]] = True
    footprints = tiles.geometry.to_numpy()
    here = footprints[tiles["segment_id"].isin(ids).to_numpy(dtype=bool)]
    mine, over = tiles.sindex.query(here, predicate="intersects")
    # footprints that share an edge show no common ground
    over = np.unique(over[~shapely.touches(here[mine], footprints[over])])
    found |= segments["segment_id"].isin(tiles["segment_id"].iloc[over]).to_numpy(dtype=bool)
    return found
