"""How much of each segment collisions can be counted on: what the reach of junctions leaves of it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

_CIRCLE = 64
"""Straight sides by which a quarter of a circle is drawn: its rim is then less than 1 mm off at a reach of 20 m."""
LEAST_M = 0.01
"""Less than this is what rounding leaves (metres)."""


def counted_length(segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, reach_m: float) -> pd.Series:
    """Measure the part of each segment on which a collision is counted on the segment.

    A collision within reach of a junction belongs to the junction (`geo.collisions.assign.place_collisions`), so the
    length of road within reach is none over which a segment's collisions are spread: dividing by it would make short
    segments look safer than long ones. Any junction counts, also one that the segment does not end at, as it does
    where collisions are placed.

    Parameters
    ----------
    segments
        LineStrings in metres, by ``segment_id``.
    junctions
        Points in the same CRS, with ``radius_m``: how far a junction reaches from its centre to its rim.
    reach_m
        Within this of a junction's rim a collision belongs to it (metres, ``collisions.junction_reach_m``); 0: never.

    Returns
    -------
    ``counted_m`` on the index of `segments` (metres), from 0 to ``length_m``.

    Examples
    --------
    A street of 100 m from one junction to another, and one of 30 m that is all within reach of both:

    >>> from shapely import LineString, Point
    >>> lines = [LineString([(0, 0), (100, 0)]), LineString([(100, 0), (130, 0)])]
    >>> segments = gpd.GeoDataFrame({"length_m": [100.0, 30.0]}, index=["a", "b"], geometry=lines, crs=27700)
    >>> ends = [Point(0, 0), Point(100, 0), Point(130, 0)]
    >>> junctions = gpd.GeoDataFrame({"radius_m": 0.0}, index=["j", "k", "l"], geometry=ends, crs=27700)
    >>> counted_length(segments, junctions, reach_m=20.0).round(2).tolist()
    [60.0, 0.0]
    """
    length = segments["length_m"].astype("float64")
    if reach_m == 0 or junctions.empty:
        return pd.Series(length, name="counted_m")
    lines: NDArray[np.object_] = segments.geometry.to_numpy()
    radius = junctions["radius_m"].to_numpy(dtype=np.float64) + reach_m
    discs = shapely.buffer(junctions.geometry.to_numpy(), radius, quad_segs=_CIRCLE)
    disc, line = shapely.STRtree(lines).query(discs, predicate="intersects")
    order = np.argsort(line, kind="stable")
    disc, line = disc[order], line[order]
    near, group = np.unique(line, return_inverse=True)
    covered = shapely.union_all(shapely.multipolygons(discs[disc], indices=group)[:, None], axis=1)
    left = length.to_numpy().copy()
    # as a share, since lengths of segments are rounded
    share = shapely.length(shapely.difference(lines[near], covered)) / shapely.length(lines[near])
    left[near] *= share
    left[left < LEAST_M] = 0.0
    return pd.Series(np.round(left, 3), index=segments.index, name="counted_m")
