"""Where things lie to each other: the share of some in the others, by their edges in degrees."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from geo.starting.rasters import Box

SAMPLE = 4000
_FAR = 0.001
"""Share of points at each edge that may be mistyped."""
Points = NDArray[np.float64]
"""Longitudes and latitudes, ``(points, 2)``."""
NONE: Points = np.empty((0, 2))


def some_points(layer: gpd.GeoDataFrame) -> Points:
    """Give the middles of some lines in degrees; none where their CRS is not known."""
    if layer.crs is None:
        return NONE
    some = layer.geometry.iloc[:: max(1, len(layer) // SAMPLE)]
    shapes = some.to_numpy()
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    middle = shapely.point_on_surface(shapes)
    return in_degrees(shapely.get_coordinates(middle), pyproj.CRS(layer.crs))


def box_of(layer: gpd.GeoDataFrame) -> Box | None:
    """Give the edges of lines in degrees; of many those of nearly all, as one that is mistyped moves them far."""
    if layer.crs is None:
        return None
    some = layer.geometry.iloc[:: max(1, len(layer) // SAMPLE)]
    points = in_degrees(shapely.get_coordinates(some.to_numpy()), pyproj.CRS(layer.crs))
    if not len(points):
        return None
    left_out = _FAR if len(points) >= SAMPLE else 0.0
    (west, south), (east, north) = np.quantile(points, [left_out, 1 - left_out], axis=0)
    return float(west), float(south), float(east), float(north)


def in_degrees(xy: Points, crs: pyproj.CRS) -> Points:
    """Bring coordinates to degrees, without those that do not arrive."""
    try:
        change = pyproj.Transformer.from_crs(crs, 4326, always_xy=True)
        found = np.column_stack(change.transform(xy[:, 0], xy[:, 1]))
    except ProjError:
        return NONE
    finite: Points = found[np.isfinite(found).all(axis=1)]
    return finite


def share_within(points: Points, boxes: Iterable[Box]) -> float:
    """Give the share of points that lie in any of some boxes; 0 where there are none."""
    if not len(points):
        return 0.0
    inside = np.zeros(len(points), dtype=bool)
    for west, south, east, north in boxes:
        x, y = points[:, 0], points[:, 1]
        inside |= (x >= west) & (x <= east) & (y >= south) & (y <= north)
    return float(inside.mean())


def widened(box: Box, share: float) -> Box:
    """Move edges outwards by a share of their distance."""
    west, south, east, north = box
    dx, dy = (east - west) * share, (north - south) * share
    return west - dx, south - dy, east + dx, north + dy


def named(crs: pyproj.CRS) -> str | None:
    """Name a CRS as a city's file does, ``EPSG:27700``; None where it has no number."""
    found = crs.to_authority(min_confidence=70)
    return None if found is None else ":".join(found)


def told_crs(crs: pyproj.CRS | None) -> str:
    """Name a CRS in a sentence."""
    if crs is None:
        return "no CRS stated"
    number = named(crs)
    return f"{number}, {crs.name}" if number else str(crs.name)
