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
from geo.roads.reading.layers import POLYGONS, layers_with, listed
from geo.roads.reading.paths import is_parquet

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
        shapes = read_vector_layer(area, _layer(area))[0].rows
    except UNREADABLE as error:
        raise SourceError(
            "it cannot be read", where=f"area {area}", todo="Give a file of polygons."
        ) from error
    if not isinstance(shapes, gpd.GeoDataFrame):
        raise LayerError(
            "it has no geometry", where=f"area {area}", todo="Give a file of polygons with a CRS."
        )
    polygons = shapes[shapes.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        kinds = ", ".join(sorted(shapes.geom_type.dropna().unique()))
        raise LayerError(
            f"it holds no polygon ({kinds or 'no geometry at all'})",
            where=f"area {area}",
            todo="Give a file of polygons with a CRS.",
        )
    if shapes.crs is None:
        raise LayerError(
            "it states no CRS",
            where=f"area {area}",
            todo="Write its CRS into the file (ogr2ogr -a_srs EPSG:...), or give the key area as "
            "[west, south, east, north] in degrees.",
        )
    try:
        there = polygons.to_crs(crs).geometry.to_numpy()
    except ProjError as error:
        raise LayerError(
            f"its CRS ({shapes.crs.name}) cannot be brought to {crs.name!r}",
            where=f"area {area}",
            todo="Give a file of polygons with the CRS that its coordinates are in.",
        ) from error
    return _polygon(there, f"area {area}")


def _layer(area: str) -> str | None:
    """Find the only layer of a file that has polygons."""
    if is_parquet(area):
        return None
    layers, found = layers_with(area, POLYGONS)
    if len(found) > 1:
        raise LayerError(
            f"it has {len(found)} layers of polygons: {listed(found)}",
            where=f"area {area}",
            todo="Save the one that is meant as a file of its own, and name that one in the key area.",
        )
    return found[0].name if found else (layers[0].name if layers else None)


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
