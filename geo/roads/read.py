"""Reading road centrelines from any vector source, row by row accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError

from geo.addresses import is_url, reveal
from geo.config import Roads
from geo.errors import ConfigurationError, LayerError, SourceError
from geo.ledger import Entry, merge
from geo.roads.columns import ROW, name_columns
from geo.roads.files import UNREADABLE, LayerRows, is_parquet, layer_names, read_vector_layer
from geo.roads.lines import Lines

DRIVABLE = (
    *(
        "motorway",
        "motorway_link",
        "trunk",
        "trunk_link",
        "primary",
        "primary_link",
        "secondary",
        "secondary_link",
    ),
    *(
        "tertiary",
        "tertiary_link",
        "unclassified",
        "residential",
        "living_street",
        "road",
        "busway",
        "bus_guideway",
    ),
)
"""Values of OpenStreetMap's ``highway`` that are roads for motor traffic (OpenStreetMap wiki, 'Key:highway'): what is
kept of a ``.pbf`` when the configuration names no classes. Service ways, tracks and paths are not among them."""
_OSM_TAGS = ("ref", "junction", "bridge", "tunnel", "layer", "oneway")
LONGEST_M = 500_000.0
"""A line that is longer than this is no road, but a faulty coordinate (metres)."""
SCALE_SAMPLE, SCALE_TOLERANCE = 1000, 0.01
"""Roads whose length is held against that on the ground, and by how much of it they may differ in sum."""
Area = str | tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class RoadSource:
    """Road centrelines in the city's CRS.

    Attributes
    ----------
    kept
        LineStrings of the classes that are kept: ``source_id``, ``name``, ``road_class``, ``ref``, ``level`` (0 on the
        ground, above 0 for bridges, below for tunnels), ``roundabout``, and all other columns as ``src_<column>``.
    others
        Roads of the classes that are left out: ``road_class``, ``name``, ``ref``, ``level``.
    crs
        The city's projected CRS, in metres.
    area
        Polygon of the area asked for, in `crs`; None: none was asked for.
    entries
        What became of the rows; those of item ``roads`` add up to the rows of the source.
    """

    kept: gpd.GeoDataFrame
    others: gpd.GeoDataFrame
    crs: pyproj.CRS
    area: shapely.Geometry | None
    entries: list[Entry]


def read_roads(roads: Roads, *, crs: str | None = None, area: Area | None = None) -> RoadSource:
    """Read road centrelines.

    Parameters
    ----------
    roads
        The ``roads`` section of the city's file.
    crs
        The city's CRS, projected and in metres; None: the UTM zone of the roads.
    area
        A polygon file, or ``(west, south, east, north)`` in degrees; roads are clipped to it.

    Raises
    ------
    SourceError
        When the source cannot be read at all.
    LayerError
        When it lacks a layer, column, CRS, lines, or any road that is asked for.
    ConfigurationError
        When `crs` is not projected in metres.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> from geo.config import Roads
    >>> lines = [LineString([(-1.50, 52.4), (-1.49, 52.4)]), LineString([(-1.49, 52.4), (-1.48, 52.4)])]
    >>> drawn = {"highway": ["primary", "footway"], "name": ["High Street", None]}
    >>> gpd.GeoDataFrame(drawn, geometry=lines, crs=4326).to_file("roads.gpkg")
    >>> source = read_roads(Roads(source="roads.gpkg", drop=["footway"]))
    >>> source.crs.name, source.kept["name"].tolist(), source.others["road_class"].tolist()
    ('WGS 84 / UTM zone 30N', ['High Street'], ['footway'])
    """
    layer = _read(roads)
    asked = None if crs is None else metric_crs(crs, layer.rows)
    lines, entries = _lines(layer, roads.source)
    city = asked or _utm(lines, area, roads.source)
    lines, faults = _project(lines, city, roads.source)
    entries += faults
    lines = name_columns(lines, roads)
    shape = None if area is None else read_area(area, city)
    if shape is not None:
        lines, outside = _clip(lines, shape, roads.source)
        entries.append(outside)
    _check_scale(lines, city)
    kept, others, left_out = _by_class(lines, roads)
    entries += left_out
    entries.append(Entry("roads", "done", "", _rows(kept)))
    return RoadSource(
        kept.drop(columns=ROW).reset_index(drop=True),
        others[["road_class", "name", "ref", "level", "geometry"]].reset_index(drop=True),
        city,
        shape,
        [entry for entry in merge(entries) if entry.count],
    )


def _rows(lines: gpd.GeoDataFrame) -> int:
    """Count the source rows that lines come from."""
    return int(lines[ROW].nunique())


def _read(roads: Roads) -> LayerRows:
    """Read the source's rows, whatever their geometry."""
    path = Path(roads.source)
    if not is_url(roads.source) and not path.exists():
        raise SourceError("no such file", where=roads.source, todo="Mend the path in roads.source.")
    try:
        layer = read_vector_layer(roads.source, None if is_parquet(roads.source) else _layer(roads))
    except UNREADABLE as error:
        raise SourceError(
            f"it cannot be read as roads ({str(error).strip().splitlines()[0]:.200})",
            where=roads.source,
            todo="Give a GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet or OSM .pbf of road lines.",
        ) from error
    rows = layer.rows
    if not isinstance(rows, gpd.GeoDataFrame):
        raise LayerError(
            "it has no geometry", where=roads.source, todo="Choose a layer of lines in roads.layer."
        )
    if rows.empty:
        raise LayerError("the layer has no rows", where=roads.source, todo="Give a layer with roads in it.")
    if rows.crs is None:
        raise LayerError(
            "it states no CRS",
            where=roads.source,
            todo="Write its CRS into the file (ogr2ogr -a_srs EPSG:...).",
        )
    return LayerRows(_osm(rows), layer.broken) if path.suffix.lower() == ".pbf" else layer


def _layer(roads: Roads) -> str | None:
    """Find the layer to read, or say which ones there are."""
    names = layer_names(reveal(roads.source))
    if roads.layer is None:
        return "lines" if roads.source.lower().endswith(".pbf") else (names[0] if names else None)
    if roads.layer not in names:
        raise LayerError(
            f"it has no layer {roads.layer!r}; there are {', '.join(names)}",
            where=roads.source,
            todo="Mend roads.layer.",
        )
    return roads.layer


def _osm(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Take the tags that matter out of OpenStreetMap's ``other_tags`` (``"key"=>"value"``, comma-separated)."""
    tags = rows["other_tags"] if "other_tags" in rows else pd.Series("", index=rows.index)
    found = {
        tag: tags.str.extract(rf'(?:^|,)"{tag}"=>"((?:[^"\\]|\\.)*)"', expand=False).str.replace(
            r"\\(.)", r"\1", regex=True
        )
        for tag in _OSM_TAGS
        if tag not in rows
    }
    return rows.assign(**found)


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


def _utm(lines: gpd.GeoDataFrame, area: Area | None, source: str) -> pyproj.CRS:
    """Find the UTM zone of the roads."""
    try:
        return _zone(lines, None if area is None else read_area(area, lines.crs))
    except (RuntimeError, ValueError) as error:
        raise LayerError(
            f"where its roads are cannot be told from their coordinates and CRS ({lines.crs.name})",
            where=source,
            todo="Check the CRS that the file states (GeoJSON without one means degrees), or give crs.",
        ) from error


def _project(lines: gpd.GeoDataFrame, crs: pyproj.CRS, source: str) -> tuple[gpd.GeoDataFrame, list[Entry]]:
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
        Entry("roads", "rejected", f"longer than {LONGEST_M / 1000:,.0f} km", _rows(lines[far])),
        Entry("roads", "rejected", "coordinates that the city's CRS cannot hold", _rows(lines[lost])),
    ]
    if (lost | far).all():
        raise LayerError(
            "no road has coordinates that the city's CRS can hold",
            where=source,
            todo="Check the CRS that the file states, and the key crs.",
        )
    return lines[~(lost | far)], entries


def _check_scale(lines: gpd.GeoDataFrame, crs: pyproj.CRS) -> None:
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
        shapes = read_vector_layer(area, None).rows
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


def _lines(layer: LayerRows, source: str) -> tuple[gpd.GeoDataFrame, list[Entry]]:
    """Bring rows to single flat lines; a row that is none is rejected with its reason."""
    rows = layer.rows.assign(**{ROW: np.arange(len(layer.rows))})
    flat = shapely.force_2d(rows.geometry.to_numpy())
    kind = shapely.get_type_id(flat)
    is_line = np.isin(kind, [shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING])
    is_line |= kind == shapely.GeometryType.LINEARRING
    empty = shapely.is_missing(flat) | shapely.is_empty(flat)
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.where(is_line & ~empty, shapely.length(flat), np.nan)
    coordinates, owner = shapely.get_coordinates(flat, return_index=True)
    finite = np.ones(len(rows), dtype=bool)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    faults = {
        "geometry that cannot be read": layer.broken,
        "no geometry": empty & ~layer.broken,
        "not a line": ~empty & ~is_line,
        "coordinates that are no numbers": ~empty & is_line & ~finite,
        "zero length": ~empty & is_line & finite & (length == 0),
    }
    bad = np.logical_or.reduce(list(faults.values()))
    entries = [Entry("roads", "rejected", reason, int(which.sum())) for reason, which in faults.items()]
    if bad.all():
        found = "; ".join(f"{e.count} rows: {e.reason}" for e in entries if e.count)
        raise LayerError(
            f"it holds no line ({found})", where=source, todo="Give road centrelines, or their layer."
        )
    good = rows[~bad].set_geometry(gpd.GeoSeries(flat[~bad], index=rows.index[~bad], crs=rows.crs))
    parts = good.explode(ignore_index=True)
    with np.errstate(over="ignore"):
        return parts[shapely.length(parts.geometry.to_numpy()) > 0], entries


def _clip(lines: gpd.GeoDataFrame, shape: shapely.Geometry, source: str) -> tuple[gpd.GeoDataFrame, Entry]:
    """Cut roads at the border of the area."""
    shapely.prepare(shape)
    geometry = lines.geometry.to_numpy().copy()
    inside = shapely.contains_properly(shape, geometry)
    geometry[~inside] = shapely.intersection(geometry[~inside], shape)
    clipped = lines.set_geometry(gpd.GeoSeries(geometry, index=lines.index, crs=lines.crs)).explode(
        ignore_index=True
    )
    clipped = clipped[shapely.length(clipped.geometry.to_numpy()) > 0]
    outside = Entry("roads", "skipped", "outside the area", _rows(lines) - _rows(clipped))
    if clipped.empty:
        raise LayerError("no road lies in the area", where=source, todo="Check the key area, and its CRS.")
    return clipped, outside


def _by_class(
    lines: gpd.GeoDataFrame, roads: Roads
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, list[Entry]]:
    """Part roads by the classes that are asked for."""
    classes = lines["road_class"]
    entries = []
    if roads.source.lower().endswith(".pbf"):
        if roads.keep is None:
            road = classes.isin(DRIVABLE)
            reason = "not a road for motor traffic"
        else:
            road, reason = classes.notna(), "not a highway"
        entries.append(Entry("roads", "skipped", reason, _rows(lines) - _rows(lines[road])))
        lines, classes = lines[road], classes[road]
    asked = classes.isin(roads.keep) if roads.keep is not None else ~classes.isin(roads.drop or [])
    kept, others = lines[asked], lines[~asked]
    entries.append(Entry("roads", "skipped", "a class that is left out", _rows(others)))
    if kept.empty:
        there = ", ".join(sorted(map(str, classes.dropna().unique()))) or "none"
        raise LayerError(
            f"no road is left of the classes asked for; there are {there}",
            where=roads.source,
            todo="Mend roads.keep or roads.drop.",
        )
    return kept, others, entries
