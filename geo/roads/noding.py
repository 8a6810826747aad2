"""Where roads meet: lines are split at the junctions they form, and nowhere else."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.roads.lines import GRID_M, TOUCH_M, Floats, Integers, Lines, cut_lines, ends


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


def node(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Split roads where they meet.

    An end that lies on another road splits it. Two roads that cross in their interiors split each other when they
    are of one `level`; a bridge and what it crosses do not. Roads that run along each other for a while are split
    where they part. A road that crosses itself is split there.

    Parameters
    ----------
    roads
        LineStrings with a ``level`` (0 on the ground).

    Returns
    -------
    The pieces, with the attributes of their roads; coordinates are rounded to `geo.roads.lines.GRID_M`.
    """
    roads = _self_noded(roads.reset_index(drop=True))
    lines = roads.geometry.to_numpy()
    which, points = _meetings(lines, roads["level"].to_numpy())
    where = shapely.line_locate_point(lines[which], shapely.points(points))
    pieces, owner = cut_lines(lines, which, where, points)
    noded = roads.iloc[owner].reset_index(drop=True)
    noded = noded.set_geometry(gpd.GeoSeries(pieces, crs=roads.crs))
    return noded[shapely.length(pieces) > 0].reset_index(drop=True)


def _self_noded(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Split the few roads that cross or touch themselves."""
    lines = roads.geometry.to_numpy()
    tangled = ~shapely.is_simple(lines)
    if not tangled.any():
        return roads
    parts, owner = shapely.get_parts(shapely.node(lines[tangled]), return_index=True)
    parts = shapely.transform(parts, lambda xy: np.round(xy / GRID_M) * GRID_M)
    index = np.concatenate([np.flatnonzero(~tangled), np.flatnonzero(tangled)[owner]])
    geometry = np.concatenate([lines[~tangled], parts])
    # a vertex that stands twice comes out as a piece of no length
    long = shapely.length(geometry) > 0
    split = roads.iloc[index[long]].reset_index(drop=True)
    return split.set_geometry(gpd.GeoSeries(geometry[long], crs=roads.crs))


def _meetings(lines: Lines, level: Integers) -> tuple[Integers, Floats]:
    """List the points at which each line is to be split: its position, and the point, once for each of the two."""
    tree = shapely.STRtree(lines)
    first, last = ends(lines)
    tips, owner = np.concatenate([first, last]), np.tile(np.arange(len(lines)), 2)
    tip, touched = tree.query(shapely.points(tips), predicate="dwithin", distance=TOUCH_M)
    other = owner[tip] != touched
    which, points = touched[other], tips[tip[other]]

    left, right = tree.query(lines, predicate="intersects")
    pair = (left < right) & (level[left] == level[right])
    left, right = left[pair], right[pair]
    shared = shapely.intersection(lines[left], lines[right])
    atoms, of = shapely.get_parts(shared, return_index=True)
    # collections hold points and lines; what two lines share for a while counts by its ends alone
    atoms, inner = shapely.get_parts(atoms, return_index=True)
    of = of[inner]
    is_line = shapely.get_type_id(atoms) == shapely.GeometryType.LINESTRING
    pairs, number = np.unique(of[is_line], return_inverse=True)
    runs = shapely.line_merge(shapely.multilinestrings(atoms[is_line], indices=number.reshape(-1)))
    runs, run_of = shapely.get_parts(runs, return_index=True)
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
    return np.concatenate([which, left[of], right[of]]), np.concatenate([points, spots, spots])
