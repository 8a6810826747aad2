"""Where roads meet: lines are split at the junctions they form, and nowhere else."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from geo.roads.lines import GRID_M, TOUCH_M, Floats, Integers, Lines, cut, ends


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
    pieces, owner = cut(lines, which, where, points)
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
    runs = shapely.get_type_id(shared) == shapely.GeometryType.MULTILINESTRING
    shared[runs] = shapely.line_merge(shared[runs])
    atoms, of = shapely.get_parts(shared, return_index=True)
    # collections hold points and lines; what two lines share for a while counts by its ends
    atoms, inner = shapely.get_parts(atoms, return_index=True)
    of = of[inner]
    atoms = np.concatenate([shapely.get_point(atoms, 0), shapely.get_point(atoms, -1), atoms])
    of = np.tile(of, 3)
    kept = shapely.get_type_id(atoms) == shapely.GeometryType.POINT
    spots = np.round(shapely.get_coordinates(atoms[kept]) / GRID_M) * GRID_M
    # a crossing beside the end of a line is that end: rounded one by one, two spots would stand for one
    near, tip = shapely.STRtree(np.asarray(shapely.points(tips))).query_nearest(
        shapely.points(spots), max_distance=TOUCH_M, all_matches=False
    )
    spots[near] = tips[tip]
    of = of[kept]
    return np.concatenate([which, left[of], right[of]]), np.concatenate([points, spots, spots])
