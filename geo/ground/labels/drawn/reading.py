"""Labels that an analyst drew, from whatever files, each with its class and its place or with a reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from geo.collisions.tables.places import expand_globs, locate
from geo.collisions.tables.reading import read_tables
from geo.collisions.tables.table import Form, Rows
from geo.config.sections.records import as_list
from geo.errors import LayerError, meant
from geo.ground.labels.drawn.naming import EXTENT, plain
from geo.ground.labels.drawn.places import part_into_places
from geo.ledger import Entry, merge
from geo.roads.files import UNREADABLE, layer_kinds
from geo.roads.reading.layers import layers_with
from geo.sources.crs import crs_of_user

if TYPE_CHECKING:
    from geo.ground.contract import Surroundings
    from geo.ground.labels.settings import Labels

ITEM = "labels"
LABEL_M = 3.0
"""How far around a point or a line the ground is looked at (metres), so that the cells that it touches are read."""
_KINDS = {
    "Point": 0,
    "MultiPoint": 0,
    "LineString": 1,
    "LinearRing": 1,
    "MultiLineString": 1,
    "Polygon": 2,
    "MultiPolygon": 2,
}
Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Labels that can be used.

    Attributes
    ----------
    rows
        In the city's CRS: ``name`` (class as it is written, empty: an extent), ``order`` (0 points, 1 lines, 2
        polygons), ``place`` (number of the place, from 0).
    entries
        What became of each row of the source.
    """

    rows: gpd.GeoDataFrame
    entries: tuple[Entry, ...]

    @property
    def extents(self) -> gpd.GeoDataFrame:
        """Polygons on whose ground nothing was left unlabelled."""
        return self.rows[self.rows["name"] == ""]

    @property
    def labels(self) -> gpd.GeoDataFrame:
        """What names a class."""
        return self.rows[self.rows["name"] != ""]

    def ground(self) -> Shapes:
        """Give the ground that must be seen to learn (Polygons)."""
        return np.asarray(shapely.buffer(self.rows.geometry.to_numpy(), LABEL_M, quad_segs=2))


def read_labels(settings: Labels, around: Surroundings) -> Drawn:
    """Read labels.

    Parameters
    ----------
    settings
        The section ``ground``.
    around
        ``area`` with the city's CRS: a label that none of it reaches is left out.

    Raises
    ------
    SourceError, LayerError, ConfigurationError
        When a file cannot be read, has no column of classes or no CRS, or no label can be used.
    """
    tables = [rows for source in expand_globs(as_list(settings.labels)) for rows in _tables(source, settings)]
    where = "; ".join(as_list(settings.labels))
    if not tables:
        raise LayerError(
            "it has no labels", where=where, todo="Draw some in QGIS, see docs/ground.md, and run again."
        )
    crs = pyproj.CRS(around.area.crs)
    parts, entries = [], []
    told = [rows for rows in tables if _is_extents(rows) or settings.class_field in rows.frame]
    left = [rows for rows in tables if not any(rows is one for one in told)]
    without = f"no column {settings.class_field!r}"
    entries += [Entry(ITEM, "skipped", f"{_short(rows.name)}: {without}", len(rows.frame)) for rows in left]
    if not told:
        there = ", ".join(str(name) for name in tables[0].frame.columns if not str(name).startswith("_"))
        raise LayerError(
            f"it has no column {settings.class_field!r}; there are {there or 'none'}"
            f"{meant(settings.class_field, there.split(', '))}",
            where=tables[0].name,
            todo="Name the column that holds the classes in ground.class_field.",
        )
    for rows in told:
        part, said = _usable(rows, settings, crs)
        parts.append(part)
        entries += said
    table = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=crs)
    table, outside = _within(table, around)
    entries += [outside, Entry(ITEM, "done", "", len(table))]
    accounted = tuple(entry for entry in merge(entries) if entry.count)
    if not (table["name"] != "").any():
        said_all = "; ".join(
            f"{e.count}: {e.reason or 'outlines of labelled ground alone'}" for e in accounted
        )
        raise LayerError(
            f"no label in it can be used ({said_all})",
            where=where,
            todo="Draw labels on the imagery, each with its class; docs/ground.md shows how.",
        )
    places = part_into_places(table.geometry.to_numpy(), table["name"].eq("").to_numpy(), settings.place_m)
    return Drawn(table.assign(place=places), accounted)


def _tables(source: str, settings: Labels) -> list[Rows]:
    """Read the tables of one source: of a file with several layers all that have rows, where none is named."""
    named = tuple(as_list(settings.layer))
    path, within = locate(source)
    if not named and not within and path.exists():
        try:
            full = (
                [layer.name for layer in layers_with(str(path), ("",))[1] if layer.kind is not None]
                if len(layer_kinds(str(path))) > 1
                else []
            )
            if len(layer_kinds(str(path))) > 1 and not full:
                return []
            named = tuple(full)
        except UNREADABLE:
            named = ()  # what is no file of layers is read, or refused, as any other table
    return read_tables(source, Form(section="ground", named_by="ground", columns=None, parts=named))


def _short(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _is_extents(rows: Rows) -> bool:
    """Tell whether a layer holds outlines alone: its name says so."""
    return (
        plain(rows.name.rpartition(", layer ")[2]) in EXTENT
        if ", layer " in rows.name
        else plain(Path(rows.name).stem) in EXTENT
    )


def _usable(rows: Rows, settings: Labels, crs: pyproj.CRS) -> tuple[pd.DataFrame, list[Entry]]:
    """Take the rows of a table that have a class and a geometry, in the city's CRS."""
    if rows.shapes is None:
        raise LayerError(
            "it has no geometry",
            where=rows.name,
            todo="Give a layer of points, lines or polygons with a class.",
        )
    stated = rows.crs
    if stated is None and settings.crs is None:
        raise LayerError(
            "it states no CRS",
            where=rows.name,
            todo="Say which one it is in ground.crs (EPSG:...), or save it from QGIS with its CRS.",
        )
    own = stated or crs_of_user(str(settings.crs), "ground.crs")
    only_outlines = _is_extents(rows)
    named = (
        pd.Series("", index=rows.frame.index)
        if only_outlines
        else rows.frame[settings.class_field].fillna("").astype(str).str.split().str.join(" ")
    )
    outline = named.map(plain).isin(EXTENT) | only_outlines
    shapes = np.asarray(shapely.force_2d(rows.shapes))
    brought, fate = _brought(shapes, own, crs, rows.name)
    kind = pd.Series(gpd.GeoSeries(brought).geom_type.to_numpy(), index=rows.frame.index, dtype=object)
    order = kind.map(_KINDS)
    fate = fate.mask(fate.eq("") & order.isna(), "neither points, lines nor polygons")
    fate = fate.mask(fate.eq("") & ~outline & named.eq(""), "no class is told")
    fate = fate.mask(fate.eq("") & outline & order.ne(_KINDS["Polygon"]), "an extent that is no polygon")
    good = fate.eq("")
    entries = [
        Entry(ITEM, "rejected", str(reason), int(n))
        for reason, n in fate[~good].value_counts(sort=False).items()
    ]
    names = named.mask(outline, "")
    part = pd.DataFrame(
        {
            "name": names[good],
            "order": order[good].astype(np.int64),
            "geometry": pd.Series(brought, index=fate.index, dtype=object)[good],
        }
    )
    return part, entries


def _brought(shapes: Shapes, own: pyproj.CRS, crs: pyproj.CRS, source: str) -> tuple[Shapes, pd.Series]:
    """Bring geometries to the city's CRS, valid; and say of each why it cannot be used, empty where it can."""
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    try:
        brought = np.asarray(gpd.GeoSeries(shapes, crs=own).to_crs(crs).to_numpy()).copy()
    except ProjError as error:
        raise LayerError(
            f"its CRS ({own.name}) cannot be brought to {crs.name!r}",
            where=source,
            todo="Save it from QGIS in the CRS that its coordinates are in.",
        ) from error
    lost = ~np.isfinite(shapely.bounds(brought)).all(axis=1) & ~missing
    brought[missing | lost] = None
    invalid = ~shapely.is_valid(brought) & ~shapely.is_missing(brought)
    brought[invalid] = shapely.make_valid(brought[invalid])
    fate = pd.Series("", index=pd.RangeIndex(len(shapes)), dtype=object)
    fate = fate.mask(missing, "no geometry").mask(lost, "coordinates that the city's CRS cannot hold")
    return brought, fate


def _within(table: gpd.GeoDataFrame, around: Surroundings) -> tuple[gpd.GeoDataFrame, Entry]:
    """Leave out what no imagery shows."""
    shown = around.area.geometry.to_numpy()
    hit = np.unique(shapely.STRtree(shown).query(table.geometry.to_numpy(), predicate="intersects")[0])
    inside = np.zeros(len(table), dtype=bool)
    inside[hit] = True
    left = Entry(ITEM, "rejected", "outside the imagery", int((~inside).sum()))
    return table[inside].reset_index(drop=True), left
