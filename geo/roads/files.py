"""A layer of any vector file, with the rows whose geometry cannot be read told from those that have none."""

from __future__ import annotations

import io
import json
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from numpy.typing import NDArray
from pyarrow import ArrowException
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError
from shapely.errors import ShapelyError

from geo.addresses import reveal
from geo.ledger import Entry
from geo.roads.reading.encoding import BYTES, WESTERN, decode, find_encoding, has_language, states_encoding
from geo.roads.reading.paths import is_parquet

UNREADABLE = (
    *(ArrowException, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError),
    *(NotImplementedError, OSError, ShapelyError, ValueError),
)
"""What reading raises for a file that is damaged or of another kind."""

TEXT = "text of roads"
"""What the ledger calls rows whose text was read in an encoding that the file does not state."""
_DIGITS = 2.0**53
"""Whole numbers from here on lose digits as real numbers."""
_WHOLE = {pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}


@dataclass(frozen=True, slots=True)
class LayerRows:
    """The rows of a layer; without geometry a plain table.

    Attributes
    ----------
    rows
        The rows, with an index from 0 and text as names of columns.
    broken
        Which rows have a geometry that cannot be read, such as a line of a single point; theirs is null.
    """

    rows: pd.DataFrame
    broken: NDArray[np.bool_]


def leaving_nothing(source: str) -> dict[str, str]:
    """Give the options to open a file with, so that nothing is written beside it.

    GDAL's reader of GML leaves the schema that it guesses, which would then count as an input.
    """
    return {"WRITE_GFS": "NO"} if source.lower().endswith(".gml") else {}


def layer_kinds(source: str) -> list[tuple[str, str | None]]:
    """List the layers of a file, and what geometries each has (None: a table); raises one of `UNREADABLE`."""
    options = leaving_nothing(source)
    if not options:
        return [(str(name), kind) for name, kind in pyogrio.list_layers(source)]
    found: list[tuple[str, str | None]] = []
    # a list of layers takes no options
    with suppress(DataLayerError):
        while True:
            info = pyogrio.read_info(source, layer=len(found), **options)
            found.append((str(info["layer_name"]), info["geometry_type"]))
    return found


def read_vector_layer(
    source: str, layer: str | None, *, encoding: str | None = None, fid: str | None = None
) -> tuple[LayerRows, list[Entry]]:
    """Read a layer; raises one of `UNREADABLE`, and LookupError where an encoding is not known.

    Parameters
    ----------
    source
        Path or address of the file.
    layer
        Name of the layer; None: its first one.
    encoding
        Encoding of text where the file does not state it; None: it is found out (Shapefile).
    fid
        Name of a column that may be the number that the file gives each row, as GeoPackage's ``fid`` and FileGDB's
        ``OBJECTID``, which are no columns to GDAL. It becomes one.

    Returns
    -------
    The rows, and what is to be told of how their text was read.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Could not parse column .* as JSON")
        opened = reveal(source)
        if is_parquet(source):
            return _parquet(opened), []
        found, entries = _decoded(opened, layer, encoding)
        return _numbered(opened, layer, found, fid), entries


def _decoded(source: str, layer: str | None, encoding: str | None) -> tuple[LayerRows, list[Entry]]:
    """Read a layer with its text in the right encoding."""
    if encoding is None and states_encoding(source):
        try:
            return _vector(source, layer), []
        except UnicodeDecodeError as error:
            # a letter that the width of its column cut in two
            found = _vector(source, layer, encoding=BYTES)
            return LayerRows(decode(found.rows, error.encoding), found.broken), []
    if encoding is not None and Path(source).suffix.lower() not in {".shp", ".dbf"}:
        "".encode(encoding)
        return _vector(source, layer, encoding=encoding), []
    found = _vector(source, layer, encoding=BYTES)
    if encoding is not None:
        return LayerRows(decode(found.rows, encoding), found.broken), []
    guess, count = find_encoding(found.rows)
    name = Path(source).name
    told = "no .cpg beside it states its encoding, which roads.encoding would"
    if guess is None and has_language(source):
        return _vector(source, layer), []
    entry = Entry(TEXT, "done", f"{name}: read as {guess or WESTERN}; {told}", count)
    return LayerRows(decode(found.rows, guess or WESTERN), found.broken), [entry] if count else []


def _numbered(source: str, layer: str | None, found: LayerRows, fid: str | None) -> LayerRows:
    """Add the file's own number of each row, where a column of its name is asked for and not there."""
    rows = found.rows
    if fid is None or fid in rows or "." in fid:
        return found
    options = leaving_nothing(source)
    named = str(pyogrio.read_info(source, layer=layer, **options)["fid_column"])
    if fid.casefold() not in {named.casefold(), "fid"}:
        return found
    numbers = pyogrio.raw.read(
        source, layer=layer, columns=[], read_geometry=False, return_fids=True, **options
    )[1]
    return LayerRows(rows.assign(**{fid: numbers}), found.broken)


def _vector(source: str, layer: str | None, encoding: str | None = None) -> LayerRows:
    """Read whatever GDAL reads."""
    options: dict[str, Any] = leaving_nothing(source) | ({} if encoding is None else {"encoding": encoding})
    try:
        rows = pyogrio.read_dataframe(source, layer=layer, use_arrow=False, **options)
        rows = _exact(rows, source, layer, options)
        return LayerRows(rows, np.zeros(len(rows), dtype=bool))
    except ShapelyError:
        table = pyogrio.read_dataframe(source, layer=layer, use_arrow=False, read_geometry=False, **options)
        meta, _, wkb, _ = pyogrio.raw.read(source, layer=layer, columns=[], **options)
        shapes = shapely.from_wkb(wkb, on_invalid="ignore")
        broken = shapely.is_missing(shapes) & ~pd.isna(wkb)
        return LayerRows(gpd.GeoDataFrame(table, geometry=shapes, crs=meta["crs"]), broken)


def _exact(rows: pd.DataFrame, source: str, layer: str | None, options: dict[str, Any]) -> pd.DataFrame:
    """Read whole numbers again that lost digits because others in their column are null."""
    real = [
        str(name) for name in rows if rows[name].dtype == np.float64 and (rows[name].abs() >= _DIGITS).any()
    ]
    if not real:
        return rows
    info = pyogrio.read_info(source, layer=layer, **options)
    kinds = dict(zip(info["fields"], info["dtypes"], strict=True))
    whole = [name for name in real if kinds.get(name) == "int64"]
    if not whole:
        return rows
    _, table = pyogrio.raw.read_arrow(source, layer=layer, columns=whole, read_geometry=False, **options)
    again = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return rows.assign(**{name: again[name].array for name in whole})


def _parquet(source: str) -> LayerRows:
    """Read GeoParquet; what pandas took for an index is a column like others."""
    try:
        rows = _narrowed(gpd.read_parquet(source, to_pandas_kwargs={"types_mapper": _WHOLE.get}))
        broken = np.zeros(len(rows), dtype=bool)
    except ShapelyError:
        rows, broken = _mended(pq.read_table(source))
    named = [n for n in rows.index.names if n is not None and n not in rows.columns]
    rows = rows.reset_index(named).reset_index(drop=True) if named else rows.reset_index(drop=True)
    return LayerRows(rows.rename(columns=str), broken)


def _narrowed(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give whole numbers without nulls their plain type."""
    whole = [n for n in rows if rows[n].dtype in _WHOLE.values() and not rows[n].isna().any()]
    return rows.astype({name: str(rows[name].dtype).lower() for name in whole})


def _mended(table: pa.Table) -> tuple[gpd.GeoDataFrame, NDArray[np.bool_]]:
    """Read a table with those geometries left empty that cannot be read."""
    told = json.loads(table.schema.metadata[b"geo"])
    broken = np.zeros(len(table), dtype=bool)
    for name in told["columns"]:
        wkb = table.column(name).to_pandas().to_numpy(dtype=object)
        faulty = shapely.is_missing(shapely.from_wkb(wkb, on_invalid="ignore")) & ~pd.isna(wkb)
        field = table.schema.field(name)
        good = pa.array(np.where(faulty, None, wkb), field.type)
        table = table.set_column(table.schema.get_field_index(name), field, good)
        if name == told["primary_column"]:
            broken = faulty
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return gpd.read_parquet(buffer), broken
