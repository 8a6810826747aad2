"""Reading road centrelines from any vector source, row by row accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geo.config import Roads
from geo.errors import LayerError
from geo.ledger import Entry, merge
from geo.roads.columns import ROW, count_rows, name_columns
from geo.roads.files import LayerRows
from geo.roads.reading.area import Area, read_area
from geo.roads.reading.classes import not_there, one_class, part_by_class
from geo.roads.reading.crs import check_scale, metric_crs, project, utm_zone
from geo.roads.reading.encoding import mistaken_letters
from geo.roads.reading.overture import lay_out_stretches
from geo.roads.reading.sources import read_sources


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
    warnings
        What is to be told besides, in words.
    """

    kept: gpd.GeoDataFrame
    others: gpd.GeoDataFrame
    crs: pyproj.CRS
    area: shapely.Geometry | None
    entries: list[Entry]
    warnings: list[str] = field(default_factory=list)


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
    read = read_sources(roads)
    asked = None if crs is None else metric_crs(crs, read.layer.rows)
    lines, faults = _lines(read.layer, roads.where)
    city = asked or utm_zone(lines, area, roads.where)
    lines, lost = project(lines, city, roads.where)
    entries = [*read.entries, *faults, *lost]
    lines = name_columns(lay_out_stretches(lines), roads)
    lines["road_class"] = one_class(lines["road_class"], roads)
    warnings = [*read.warnings, *not_there(lines["road_class"], roads), *mistaken_letters(lines["name"])]
    shape = None if area is None else read_area(area, city)
    if shape is not None:
        lines, outside = _clip(lines, shape, roads.where)
        entries.append(outside)
    check_scale(lines, city)
    kept, others, left_out = part_by_class(lines, roads)
    entries += left_out
    entries.append(Entry("roads", "done", "", count_rows(kept)))
    return RoadSource(
        kept.drop(columns=ROW).reset_index(drop=True),
        others[["road_class", "name", "ref", "level", "geometry"]].reset_index(drop=True),
        city,
        shape,
        [entry for entry in merge(entries) if entry.count],
        warnings,
    )


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
    outside = Entry("roads", "skipped", "outside the area", count_rows(lines) - count_rows(clipped))
    if clipped.empty:
        raise LayerError("no road lies in the area", where=source, todo="Check the key area, and its CRS.")
    return clipped, outside
