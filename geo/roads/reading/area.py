"""The area of a city: a file of polygons, or a box in degrees."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from pyproj.exceptions import ProjError

from geo.errors import LayerError, SourceError
from geo.roads.files import UNREADABLE, read_vector_layer
from geo.roads.lines import Lines

Area = str | tuple[float, float, float, float]


def read_area(area: Area, crs: pyproj.CRS) -> shapely.Geometry:
    """Read the area of a city: a polygon file, or a box in degrees; in the city's CRS.

    Raises
    ------
    SourceError, LayerError
        When the file cannot be read, states no CRS, or holds no polygon.
    """
    if not isinstance(area, str):
        box = gpd.GeoSeries([shapely.segmentize(shapely.box(*area), 0.01)], crs=4326)
        return _polygon(box.to_crs(crs).to_numpy(), "area")
    try:
        shapes = read_vector_layer(area, None)[0].rows
    except UNREADABLE as error:
        raise SourceError(
            "it cannot be read", where=f"area {area}", todo="Give a file of polygons."
        ) from error
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise LayerError(
            "it has no geometry", where=f"area {area}", todo="Give a file of polygons with a CRS."
        )
    polygons = shapes[shapes.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty or shapes.crs is None:
        fault = "it holds no polygon" if polygons.empty else "it states no CRS"
        raise LayerError(fault, where=f"area {area}", todo="Give a file of polygons with a CRS.")
    try:
        there = polygons.to_crs(crs).geometry.to_numpy()
    except ProjError as error:
        raise LayerError(
            f"its CRS ({shapes.crs.name}) cannot be brought to {crs.name!r}",
            where=f"area {area}",
            todo="Give a file of polygons with the CRS that its coordinates are in.",
        ) from error
    return _polygon(there, f"area {area}")


def _polygon(shapes: Lines, where: str) -> shapely.Geometry:
    """Make one valid shape of polygons; what is only a line is no part of it."""
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise LayerError(
            "some of its coordinates are no places in the city's CRS",
            where=where,
            todo="Check its coordinates, and that it lies where the roads are.",
        )
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shapes)))
    parts = parts[shapely.area(parts) > 0]
    if len(parts) == 0:
        raise LayerError("it holds no polygon", where=where, todo="Give a file of polygons with a CRS.")
    return shapely.union_all(parts)
