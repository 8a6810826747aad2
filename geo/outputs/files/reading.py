"""Read layers back as they were handed over, from GeoParquet or from the GeoPackage: the same rows and types."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from geo.errors import LayerError, SourceError, meant, meant_file
from geo.outputs.layers.arrange import cast, plain
from geo.outputs.layers.layers import LAYERS

GEOPACKAGE = ".gpkg"
GEOMETRY = "geometry"


def read_layer(source: Path, name: str) -> pd.DataFrame:
    """Read one layer.

    Parameters
    ----------
    source
        A GeoPackage (``.gpkg``) that a run wrote, or a folder with ``<name>.parquet``.
    name
        A layer's name, one of `geo.outputs.layers.layers.LAYERS`.

    Returns
    -------
    The layer's rows: text as ``string``, whole numbers as ``Int64``, others as ``float64``, yes or no as ``boolean``,
    times as ``datetime64[ms, UTC]``; what is not known is null. A GeoDataFrame in the city's CRS with the column
    ``geometry``, where the layer has places.

    Raises
    ------
    SourceError
        When the file is not there or cannot be read.
    LayerError
        When there is no such layer, or it is not as declared.

    Examples
    --------
    >>> read_layer(Path("runs/grid/latest/grid.gpkg"), "junctions").dtypes[["arms", "geometry"]].astype(str).tolist()
    ['Int64', 'geometry']
    """
    layer = LAYERS.get(name)
    if layer is None:
        raise LayerError(
            f"no layer is called {name!r}{meant(name, LAYERS)}",
            where=str(source),
            todo=f"Name one of {', '.join(LAYERS)}.",
        )
    frame = _read(source, name)
    kinds = {column.name: column.kind for column in layer.columns}
    try:
        columns = {
            column: cast(values, kinds[column]) if column in kinds else _wide(values)
            for column, values in frame.items()
            if column != GEOMETRY
        }
    except (TypeError, ValueError) as error:
        raise LayerError(
            f"a column is not of its type ({error})",
            where=f"{source}, layer {name!r}",
            todo="Take the file as the run wrote it; who changes a layer does so in a copy.",
        ) from error
    table = pd.DataFrame(columns, index=frame.index)
    if isinstance(frame, gpd.GeoDataFrame):
        table = gpd.GeoDataFrame(table, geometry=frame.geometry)
    return table


def read_table(file: Path) -> pd.DataFrame:
    """Read a Parquet file; a GeoDataFrame with the column ``geometry`` where it is GeoParquet.

    Raises
    ------
    SourceError
        When the file is not there or cannot be read.
    """
    try:
        placed = b"geo" in (pq.read_schema(file).metadata or {})
        frame: pd.DataFrame = gpd.read_parquet(file) if placed else pd.read_parquet(file)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(file, error) from error
    if isinstance(frame, gpd.GeoDataFrame) and frame.geometry.name != GEOMETRY:
        frame = frame.rename_geometry(GEOMETRY)
    return frame


def _read(source: Path, name: str) -> pd.DataFrame:
    """Read a layer as its file holds it."""
    if source.suffix.lower() != GEOPACKAGE:
        return read_table(source / f"{name}.parquet")
    if not source.is_file():
        raise _unreadable(source, f"no such file{meant_file(source)}")
    try:
        frame: pd.DataFrame = pyogrio.read_dataframe(
            source, layer=name, use_arrow=True, arrow_to_pandas_kwargs={"types_mapper": _TYPES.get}
        )
    except DataLayerError as error:
        raise LayerError(
            f"there is no layer {name!r}{meant(name, pyogrio.list_layers(source)[:, 0])}",
            where=str(source),
            todo="Give a GeoPackage that 'roadprint run' wrote.",
        ) from error
    except (DataSourceError, OSError) as error:
        raise _unreadable(source, error) from error
    return frame


# without these, a column of whole numbers or of yes and no becomes another one where a value is null
_TYPES = {
    pa.int32(): pd.Int64Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
    pa.binary(): pd.ArrowDtype(pa.binary()),
}


def _wide(values: pd.Series) -> pd.Series:
    """Give a column that is not declared the type that either file tells of it."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("boolean")
    return values.astype("float64") if pd.api.types.is_float_dtype(values.dtype) else plain(values)


def _unreadable(file: Path, why: object) -> SourceError:
    return SourceError(
        f"it cannot be read ({why})",
        where=str(file),
        todo="Check that all of it is there, and run the city again where it is not.",
    )
