"""Layers of whatever GDAL's vector drivers read, with or without geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyproj
import shapely
from pyproj.exceptions import CRSError

from geo.collisions.tables.cells import text_columns
from geo.collisions.tables.dbase import BYTES, Dbase, open_dbase
from geo.collisions.tables.parts import choose
from geo.collisions.tables.table import BROKEN, Form, Rows
from geo.errors import SourceError
from geo.ledger import Entry
from geo.roads.files import UNREADABLE, layer_kinds, leaving_nothing

_OF_PROGRAMS = {"layer_styles", "qgis_projects"}
"""Tables that QGIS keeps its styles and projects in."""
_POINT, _POINTS = 0, 4
"""Shapely's numbers of points."""


def read_layers(path: Path, form: Form, name: str) -> list[Rows]:
    """Read the layers that are asked for, else the only one that has rows.

    Raises
    ------
    SourceError
        When GDAL cannot read it.
    LayerError
        When a layer is not there, or one of several must be named.
    """
    options = leaving_nothing(path.name)
    try:
        counts = {
            layer: int(pyogrio.read_info(path, layer=layer, force_feature_count=True, **options)["features"])
            for layer in dict(layer_kinds(str(path)))
            if layer not in _OF_PROGRAMS or layer in form.parts
        }
        chosen = choose(counts, form, name, what="layer")
        dbase = open_dbase(path, form, name)
        return [
            _read(path, layer, dbase, form, f"{name}, layer {layer}" if len(counts) > 1 else name)
            for layer in chosen
        ]
    except UNREADABLE as error:
        raise SourceError(
            f"it cannot be read as a table ({str(error).strip().splitlines()[0]:.200})",
            where=name,
            todo="Give a CSV, a workbook, JSON, GeoPackage, Shapefile, FlatGeobuf, FileGDB or Parquet file.",
        ) from error


def _read(path: Path, layer: str, dbase: Dbase | None, form: Form, name: str) -> Rows:
    """Read one layer; raises one of `geo.roads.files.UNREADABLE`."""
    encoding = None if dbase is None or dbase.encoding is None else BYTES
    options = leaving_nothing(path.name)
    own = str(pyogrio.read_info(path, layer=layer, **options)["fid_column"])
    asked = next((one for one in form.numbered if one.casefold() in {own.casefold(), "fid"}), None)
    meta, table = pyogrio.read_arrow(
        path,
        layer=layer,
        encoding=encoding,
        datetime_as_string=True,
        return_fids=asked is not None,
        **options,
    )
    if asked is not None:
        number = meta["fid_column"] or "OGC_FID"
        same = asked in table.column_names and asked != number
        names = [asked if one == number else one for one in table.column_names]
        table = table.drop_columns([number]) if same else table.rename_columns(names)
    if meta["geometry_type"] is None:
        return Rows(_frame(table, dbase), name=name)
    shape = meta["geometry_name"] or "wkb_geometry"
    shapes = shapely.from_wkb(table.column(shape).to_numpy(), on_invalid="ignore")
    points, notes = centres(shapes, name)
    frame = _frame(table.drop_columns([shape]), dbase)
    return Rows(frame, points, crs_of(meta["crs"]), name, notes, shapes=shapes)


def _frame(table: pa.Table, dbase: Dbase | None) -> pd.DataFrame:
    frame = text_columns(table)
    if dbase is not None:
        frame = dbase.exact(frame)
    frame[BROKEN] = False
    return frame


def crs_of(stated: object) -> pyproj.CRS | None:
    """Make a CRS of what a file states; None where it states none that PROJ knows."""
    try:
        return None if stated is None else pyproj.CRS.from_user_input(stated)
    except CRSError:
        return None


def centres(shapes: np.ndarray, name: str) -> tuple[np.ndarray, list[Entry]]:
    """Give the place of each row, its geometry's centre where that is no point, which is told; NaN without geometry."""
    centre = shapely.centroid(np.where(shapely.is_empty(shapes), np.array(None), shapes))
    points = np.column_stack([shapely.get_x(centre), shapely.get_y(centre)])
    kind = shapely.get_type_id(shapes)
    one = (kind == _POINT) | ((kind == _POINTS) & (shapely.get_num_geometries(shapes) == 1))
    drawn = int(((kind >= 0) & ~one).sum())
    short = name.replace("\\", "/").rpartition("/")[2]
    reason = f"of {short} are no points; their centre is taken for the place"
    return points, [Entry("geometries", "done", reason, drawn)] if drawn else []
