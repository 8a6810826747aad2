"""Where roads meet: lines are split at the junctions they form, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.roads.lines import GRID_M, TOUCH_M, Floats, Integers, Lines, cut_lines, ends, measure

Truths = NDArray[np.bool_]


def join_ends(lines: Lines) -> Lines:
    """Bring ends that nearly meet to one place (see `gathered`)."""
    tips = np.concatenate(ends(lines))
    joined = gathered(tips)
    if (joined == tips).all():
        return lines
    coordinates, owner = shapely.get_coordinates(lines, return_index=True)
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    coordinates[begins] = joined[: len(lines)]
    coordinates[np.append(begins[1:], len(owner)) - 1] = joined[len(lines) :]
    moved: Lines = np.asarray(shapely.linestrings(coordinates, indices=owner))
    return moved


def gathered(points: Floats) -> Floats:
    """Bring points no farther apart than `TOUCH_M` to one of them: the one with the smallest x, then y.

    A row of points, each near the next, that is longer than twice that is left as it is.
    """
    if len(points) == 0:
        return points
    places, number = np.unique(points, axis=0, return_inverse=True)
    spots: Lines = np.asarray(shapely.points(places))
    left, right = shapely.STRtree(spots).query(spots, predicate="dwithin", distance=TOUCH_M)
    links = coo_array((np.ones(len(left)), (left, right)), shape=(len(places), len(places)))
    count, group = connected_components(links, directed=False)
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, group, places)
    np.maximum.at(high, group, places)
    narrow = (high - low).max(axis=1) <= 2 * TOUCH_M
    _, smallest = np.unique(group, return_index=True)
    place = np.where(narrow[group], smallest[group], np.arange(len(places)))
    together: Floats = places[place][number.reshape(-1)]
    return together


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where roads on one level meet.

    Attributes
    ----------
    crossings
        Wherever they cross.
    vertices
        Where both have a vertex, and where one ends at a vertex of the other one.
    dead_ends
        Where a dead end of one lies on the other.
    """

    crossings: bool
    vertices: bool
    dead_ends: bool


@dataclass(frozen=True, slots=True)
class Touches:
    """Where lines touch each other.

    Attributes
    ----------
    tips, line
        Ends of lines ``(n, 2)`` that lie on another line, and the position of that line.
    at_end, at_vertex, dead
        Whether the other line ends there too, has a vertex there, and whether no other line ends there.
    spots, left, right
        Points that two lines of one level have in common ``(n, 2)``, and the positions of both.
    part, apart, common
        Whether they part there after a stretch that both run along, whether no line ends there, and whether both have a
        vertex there.
    """

    tips: Floats
    line: Integers
    at_end: Truths
    at_vertex: Truths
    dead: Truths
    spots: Floats
    left: Integers
    right: Integers
    part: Truths
    apart: Truths
    common: Truths


WHEREVER = Meeting(crossings=True, vertices=True, dead_ends=True)
"""Roads meet wherever they cross or touch."""


def node(roads: gpd.GeoDataFrame, touches: Touches, meeting: Meeting = WHEREVER) -> gpd.GeoDataFrame:
    """Split roads where they meet.

    An end that lies on another road splits it. Two roads that cross in their interiors split each other when they
    are of one `level`; a bridge and what it crosses do not. Roads that run along each other for a while are split
    where they part. Where a source says where its roads meet, they are split
    there alone: see `geo.roads.crossings`.

    Parameters
    ----------
    roads
        LineStrings with a ``level`` (0 on the ground), as `untangled` gives them.
    touches
        Where they touch, see `find_touches`.
    meeting
        Where they meet.

    Returns
    -------
    The pieces, with the attributes of their roads; coordinates are rounded to `geo.roads.lines.GRID_M`.
    """
    lines = roads.geometry.to_numpy()
    splits = np.full(len(touches.tips), meeting.crossings)
    splits |= (meeting.vertices & touches.at_vertex) | (meeting.dead_ends & touches.dead)
    crosses = touches.part | meeting.crossings | (meeting.vertices & touches.common)
    at = touches.spots[crosses]
    which = np.concatenate([touches.line[splits], touches.left[crosses], touches.right[crosses]])
    points = np.concatenate([touches.tips[splits], at, at])
    where = shapely.line_locate_point(lines[which], shapely.points(points))
    pieces, owner = cut_lines(lines, which, where, points)
    noded = roads.iloc[owner].reset_index(drop=True)
    noded = noded.set_geometry(gpd.GeoSeries(pieces, crs=roads.crs))
    return noded[shapely.length(pieces) > 0].reset_index(drop=True)


def untangled(roads: gpd.GeoDataFrame, meeting: Meeting = WHEREVER) -> gpd.GeoDataFrame:
    """Split the few roads that cross or touch themselves, where roads meet at all."""
    roads = roads.reset_index(drop=True)
    lines = roads.geometry.to_numpy()
    tangled = ~shapely.is_simple(lines)
    if not tangled.any() or not (meeting.crossings or meeting.vertices):
        return roads
    if meeting.crossings:
        parts, owner = shapely.get_parts(shapely.node(lines[tangled]), return_index=True)
        parts = shapely.transform(parts, lambda xy: np.round(xy / GRID_M) * GRID_M)
    else:
        parts, owner = _at_own_vertices(lines[tangled])
    index = np.concatenate([np.flatnonzero(~tangled), np.flatnonzero(tangled)[owner]])
    geometry = np.concatenate([lines[~tangled], parts])
    # a vertex that stands twice comes out as a piece of no length
    long = shapely.length(geometry) > 0
    split = roads.iloc[index[long]].reset_index(drop=True)
    return split.set_geometry(gpd.GeoSeries(geometry[long], crs=roads.crs))


def _at_own_vertices(lines: Lines) -> tuple[Lines, Integers]:
    """Split lines at the vertices that they come back to."""
    points, owner, along = measure(lines)
    again = (
        pd.DataFrame({"x": points[:, 0], "y": points[:, 1], "line": owner}).duplicated(keep=False).to_numpy()
    )
    return cut_lines(lines, owner[again], along[again], points[again])


def find_touches(roads: gpd.GeoDataFrame) -> Touches:
    """Find where roads touch each other: LineStrings with a ``level``, none of which crosses itself."""
    lines, level = roads.geometry.to_numpy(), roads["level"].to_numpy()
    tree = shapely.STRtree(lines)
    first, last = ends(lines)
    tips, owner = np.concatenate([first, last]), np.tile(np.arange(len(lines)), 2)
    tip, touched = tree.query(shapely.points(tips), predicate="dwithin", distance=TOUCH_M)
    other = owner[tip] != touched
    tip, touched = tip[other], touched[other].astype(np.int64)
    near = np.minimum(*(np.hypot(*(tips[tip] - side[touched]).T) for side in (first, last)))
    spots, left, right, part, apart = _shared(lines, level, tree, tips)
    common = np.zeros(len(spots), dtype=bool)
    common[apart] = _has_vertex(lines, left[apart], spots[apart])
    common[apart] &= _has_vertex(lines, right[apart], spots[apart])
    return Touches(
        tips=tips[tip],
        line=touched,
        at_end=near <= TOUCH_M,
        at_vertex=_has_vertex(lines, touched, tips[tip]),
        dead=_degree(lines, tips)[tip] == 1,
        spots=spots,
        left=left,
        right=right,
        part=part,
        apart=apart,
        common=common,
    )


def _degree(lines: Lines, tips: Floats) -> Integers:
    """Count the lines that end at each tip; those that are drawn twice count once."""
    _, once = np.unique(shapely.to_wkb(lines), return_index=True)
    mine = np.zeros(len(lines), dtype=np.int64)
    mine[once] = 1
    _, place = np.unique(tips, axis=0, return_inverse=True)
    place = place.reshape(-1)
    degree: Integers = np.bincount(place, weights=np.tile(mine, 2)).astype(np.int64)[place]
    return degree


def _has_vertex(lines: Lines, which: Integers, points: Floats) -> Truths:
    """Tell which points are vertices of a line each."""
    found = np.zeros(len(points), dtype=bool)
    if len(points) == 0:
        return found
    needed = np.unique(which)
    vertices, owner = shapely.get_coordinates(lines[needed], return_index=True)
    point, vertex = shapely.STRtree(np.asarray(shapely.points(vertices))).query(
        shapely.points(points), predicate="dwithin", distance=TOUCH_M
    )
    found[point[needed[owner[vertex]] == which[point]]] = True
    return found


def _shared(
    lines: Lines, level: Integers, tree: shapely.STRtree, tips: Floats
) -> tuple[Floats, Integers, Integers, Truths, Truths]:
    """List the points that two lines of one level share: the point, both lines, and `Touches.part` and ``apart``."""
    left, right = tree.query(lines, predicate="intersects")
    pair = (left < right) & (level[left] == level[right])
    left, right = left[pair].astype(np.int64), right[pair].astype(np.int64)
    shared = shapely.intersection(lines[left], lines[right])
    atoms, of = shapely.get_parts(shared, return_index=True)
    # collections hold points and lines; what two lines share for a while counts by its ends alone
    atoms, inner = shapely.get_parts(atoms, return_index=True)
    of = of[inner]
    is_line = shapely.get_type_id(atoms) == shapely.GeometryType.LINESTRING
    pairs, number = np.unique(of[is_line], return_inverse=True)
    runs = shapely.line_merge(shapely.multilinestrings(atoms[is_line], indices=number.reshape(-1)))
    runs, run_of = shapely.get_parts(runs, return_index=True)
    part = np.arange(2 * len(runs) + len(atoms)) < 2 * len(runs)
    atoms = np.concatenate([shapely.get_point(runs, 0), shapely.get_point(runs, -1), atoms])
    of = np.concatenate([pairs[run_of], pairs[run_of], of])
    kept = shapely.get_type_id(atoms) == shapely.GeometryType.POINT
    spots = np.round(shapely.get_coordinates(atoms[kept]) / GRID_M) * GRID_M
    # a crossing beside the end of a line is that end: rounded one by one, two spots would stand for one
    near, tip = shapely.STRtree(np.asarray(shapely.points(tips))).query_nearest(
        shapely.points(spots), max_distance=TOUCH_M, all_matches=False
    )
    spots[near] = tips[tip]
    apart = np.ones(len(spots), dtype=bool)
    apart[near] = False
    spots[apart] = gathered(spots[apart])
    of = of[kept]
    return spots, left[of], right[of], part[kept], apart
