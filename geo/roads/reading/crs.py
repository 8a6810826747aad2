"""Where roads are: the city's reference system, and coordinates that arrive in it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError

from geo.errors import ConfigurationError, LayerError
from geo.ledger import Entry
from geo.roads.columns import ROW, count_rows
from geo.roads.reading.area import Area, read_area

LONGEST_M = 500_000.0
"""A line that is longer than this is no road, but a faulty coordinate (metres)."""
SCALE_SAMPLE, SCALE_TOLERANCE = 1000, 0.01
"""Roads whose length is held against that on the ground, and by how much of it they may differ in sum."""


def metric_crs(crs: str, rows: pd.DataFrame | None = None) -> pyproj.CRS:
    """Check that a CRS is projected, in metres.

    Raises
    ------
    ConfigurationError
        Naming the key, what was found, and a CRS that fits.
    """
    try:
        found = pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise ConfigurationError(
            f"{crs!r} is no CRS that PROJ knows",
            where="crs",
            todo=f"Give a projected CRS in metres.{_fitting(rows)}",
        ) from error
    units = {axis.unit_conversion_factor for axis in found.axis_info[:2]}
    if not found.is_projected or units != {1.0}:
        unit = found.axis_info[0].unit_name if found.axis_info else "unknown"
        raise ConfigurationError(
            f"{crs!r} ({found.name}) has its axes in {unit}; lengths need a projected CRS in metres",
            where="crs",
            todo=f"Give a projected CRS in metres, or leave crs out.{_fitting(rows)}",
        )
    return found


def _fitting(rows: pd.DataFrame | None) -> str:
    """Name a CRS that fits the roads, where one can be told."""
    try:
        return f" {_zone(rows).to_string()} fits the roads." if isinstance(rows, gpd.GeoDataFrame) else ""
    except (RuntimeError, ValueError):
        return ""


def _zone(rows: gpd.GeoDataFrame, area: shapely.Geometry | None = None) -> pyproj.CRS:
    """Find the UTM zone in which most of the roads lie, or most of those about the area."""
    xy = shapely.get_coordinates(rows.geometry.to_numpy())
    xy = xy[np.isfinite(xy).all(axis=1)]
    if area is not None:
        low, high = np.reshape(shapely.bounds(area), (2, 2))
        inside = ((xy >= low) & (xy <= high)).all(axis=1)
        xy = xy[inside] if inside.any() else xy
    if len(xy) == 0:
        raise ValueError("no coordinates")
    # a place that roads go through, not one between two ends of the world
    middle = gpd.GeoSeries(shapely.points(np.quantile(xy, [0.5], axis=0, method="lower")), crs=rows.crs)
    return pyproj.CRS.from_user_input(middle.estimate_utm_crs())


def utm_zone(lines: gpd.GeoDataFrame, area: Area | None, source: str) -> pyproj.CRS:
    """Find the UTM zone of the roads."""
    try:
        return _zone(lines, None if area is None else read_area(area, lines.crs))
    except (RuntimeError, ValueError) as error:
        raise LayerError(
            f"where its roads are cannot be told from their coordinates and CRS ({lines.crs.name})",
            where=source,
            todo="Check the CRS that the file states (GeoJSON without one means degrees), or give crs.",
        ) from error


def project(lines: gpd.GeoDataFrame, crs: pyproj.CRS, source: str) -> tuple[gpd.GeoDataFrame, list[Entry]]:
    """Bring lines to the city's CRS; a row is left out whole when one of its parts does not arrive."""
    stated = lines.crs.name
    try:
        lines = lines.to_crs(crs)
    except ProjError as error:
        raise LayerError(
            f"its CRS ({stated}) cannot be brought to {crs.name!r}",
            where=source,
            todo="Write the CRS that its coordinates are in into the file (ogr2ogr -a_srs EPSG:...).",
        ) from error
    with np.errstate(over="ignore", invalid="ignore"):
        length = shapely.length(lines.geometry.to_numpy())
    row = lines[ROW]
    lost = row.isin(row[~np.isfinite(length)])
    far = row.isin(row[length > LONGEST_M]) & ~lost
    entries = [
        Entry("roads", "rejected", f"longer than {LONGEST_M / 1000:,.0f} km", count_rows(lines[far])),
        Entry("roads", "rejected", "coordinates that the city's CRS cannot hold", count_rows(lines[lost])),
    ]
    if (lost | far).all():
        raise LayerError(
            "no road has coordinates that the city's CRS can hold",
            where=source,
            todo="Check the CRS that the file states, and the key crs.",
        )
    return lines[~(lost | far)], entries


def check_scale(lines: gpd.GeoDataFrame, crs: pyproj.CRS) -> None:
    """Refuse a CRS in which the roads are not as long as on the ground."""
    some = lines.geometry.iloc[:: max(1, len(lines) // SCALE_SAMPLE)]
    geod = crs.get_geod()
    degrees = shapely.multilinestrings(some.to_crs(4326).to_numpy())
    on_ground = 0.0 if geod is None else geod.geometry_length(degrees)
    if on_ground and abs(some.length.sum() / on_ground - 1) > SCALE_TOLERANCE:
        raise ConfigurationError(
            f"in {crs.name!r} the roads are {some.length.sum() / on_ground:.3g} times as long as on the ground",
            where="crs",
            todo=f"Give a projected CRS made for this place, or leave crs out.{_fitting(lines)}",
        )
