"""A layer of any vector file, with the rows whose geometry cannot be read told from those that have none."""

from __future__ import annotations

import io
import json
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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

UNREADABLE = (
    *(ArrowException, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError),
    *(NotImplementedError, OSError, ShapelyError, ValueError),
)
"""What reading raises for a file that is damaged or of another kind."""


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


def is_parquet(source: str) -> bool:
    """Tell GeoParquet by its ending."""
    return Path(source).suffix.lower() in {".parquet", ".geoparquet"}


def leaving_nothing(source: str) -> dict[str, str]:
    """Give the options to open a file with, so that nothing is written beside it.

    GDAL's reader of GML leaves the schema that it guesses, which would then count as an input.
    """
    return {"WRITE_GFS": "NO"} if source.lower().endswith(".gml") else {}


def layer_names(source: str) -> list[str]:
    """List the layers of a file; raises one of `UNREADABLE`."""
    options = leaving_nothing(source)
    if not options:
        return [str(name) for name in pyogrio.list_layers(source)[:, 0]]
    names: list[str] = []
    # a list of layers takes no options
    with suppress(DataLayerError):
        while True:
            names.append(str(pyogrio.read_info(source, layer=len(names), **options)["layer_name"]))
    return names


def read_vector_layer(source: str, layer: str | None) -> LayerRows:
    """Read a layer; raises one of `UNREADABLE`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Could not parse column .* as JSON")
        opened = reveal(source)
        return _parquet(opened) if is_parquet(source) else _vector(opened, layer)


def _vector(source: str, layer: str | None) -> LayerRows:
    """Read whatever GDAL reads."""
    options = leaving_nothing(source)
    try:
        rows = pyogrio.read_dataframe(source, layer=layer, use_arrow=False, **options)
        return LayerRows(rows, np.zeros(len(rows), dtype=bool))
    except ShapelyError:
        table = pyogrio.read_dataframe(source, layer=layer, use_arrow=False, read_geometry=False, **options)
        meta, _, wkb, _ = pyogrio.raw.read(source, layer=layer, columns=[], **options)
        shapes = shapely.from_wkb(wkb, on_invalid="ignore")
        broken = shapely.is_missing(shapes) & ~pd.isna(wkb)
        return LayerRows(gpd.GeoDataFrame(table, geometry=shapes, crs=meta["crs"]), broken)


def _parquet(source: str) -> LayerRows:
    """Read GeoParquet; what pandas took for an index is a column like others."""
    try:
        rows = gpd.read_parquet(source)
        broken = np.zeros(len(rows), dtype=bool)
    except ShapelyError:
        rows, broken = _mended(pq.read_table(source))
    named = [n for n in rows.index.names if n is not None and n not in rows.columns]
    rows = rows.reset_index(named).reset_index(drop=True) if named else rows.reset_index(drop=True)
    return LayerRows(rows.rename(columns=str), broken)


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
