"""Bring frames into the form in which the GeoPackage holds them, or say everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from pandas.api import types
from pyproj import CRS

from geo.errors import LayerError
from geo.outputs.layers.declare import Column, Kind, Layer
from geo.outputs.layers.layers import GEOMETRY_COLUMN, LAYERS, ROW_COLUMN

_LARGEST = 2**63 - 1
"""The largest whole number that a GeoPackage holds."""
_REAL = ("float32", "float64")
_UTC = pd.DatetimeTZDtype("ms", "UTC")
# bytes of plain Python objects would become a text where all are null
_PLAIN: dict[Kind, Any] = {"text": "string", "boolean": "boolean", "blob": pd.ArrowDtype(pa.binary())}


def empty_layer(name: str, crs: CRS) -> pd.DataFrame:
    """Make a layer without rows, for what the inputs cannot fill at all.

    Parameters
    ----------
    name
        A layer's name, one of `LAYERS`.
    crs
        The city's projected CRS, in metres.

    Returns
    -------
    A frame with every column (a GeoDataFrame where the layer has a geometry).
    """
    layer = LAYERS[name]
    frame = pd.DataFrame(
        {column.name: cast(pd.Series(dtype=object), column.kind) for column in layer.columns}
    )
    return frame if layer.geometry is None else gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([], crs=crs))


def arrange(name: str, frame: pd.DataFrame, crs: CRS) -> pd.DataFrame:
    """Bring a frame into the form in which it is written, or say everything that is wrong with it.

    Parameters
    ----------
    name
        A layer's name, one of `LAYERS`.
    frame
        The layer's rows, with at least its columns that are not optional; a GeoDataFrame where it has a geometry.
    crs
        The city's projected CRS, in metres.

    Returns
    -------
    The declared columns in order and of their types, then all others as text, numbers, booleans or times in
    UTC; the geometry is called `GEOMETRY_COLUMN`. Rows are sorted by the layer's key.

    Raises
    ------
    LayerError
        Naming every column that is missing, of another type or with values that it must not have, rows that
        share a key, and geometries of another type, without a place, or in another CRS.
    """
    layer = LAYERS[name]
    missing = [column for column in layer.columns if column.name not in frame.columns]
    if any(not column.optional for column in missing):
        raise _fault(
            layer, [f"without the column {column.name!r}" for column in missing if not column.optional]
        )
    frame = frame.assign(**{column.name: None for column in missing})
    faults = _geometry_faults(layer, frame, crs)
    done: dict[str, pd.Series] = {}
    for column in layer.columns:
        try:
            done[column.name] = cast(frame[column.name], column.kind)
        except (TypeError, ValueError) as error:
            faults.append(f"column {column.name!r} is not {column.kind} ({error})")
            continue
        faults += _value_faults(column, done[column.name])
    if layer.key in done and (done[layer.key].isna().any() or done[layer.key].duplicated().any()):
        faults.append(f"column {layer.key!r} does not name each row once")
    if faults:
        raise _fault(layer, faults)
    done |= _others(layer, frame)
    result = pd.DataFrame(done)
    if layer.geometry is not None:
        result = gpd.GeoDataFrame(
            result, geometry=gpd.GeoSeries(frame.geometry.to_numpy(), frame.index, crs=crs)
        ).rename_geometry(GEOMETRY_COLUMN)
    return (
        result.reset_index(drop=True)
        if layer.key is None
        else result.sort_values(layer.key, ignore_index=True)
    )


def _fault(layer: Layer, faults: list[str]) -> LayerError:
    return LayerError(
        "; ".join(faults),
        where=f"layer {layer.name!r}",
        todo="Hand over the layer as geo/outputs/layers/layers.py declares it.",
    )


def _geometry_faults(layer: Layer, frame: pd.DataFrame, crs: CRS) -> list[str]:
    """Say what is wrong with the places of the rows."""
    if layer.geometry is None:
        return ["has geometries, but is a table"] if isinstance(frame, gpd.GeoDataFrame) else []
    if not isinstance(frame, gpd.GeoDataFrame):
        return [f"has no geometries, {layer.geometry} expected"]
    faults = []
    if frame.crs is None or not CRS.from_user_input(frame.crs).equals(crs, ignore_axis_order=True):
        faults.append(f"its CRS is {_named(frame.crs)}, {_named(crs)} expected")
    other = sorted(set(frame.geom_type.dropna()) - {layer.geometry})
    if other:
        faults.append(f"has {', '.join(other)}, {layer.geometry} expected")
    if shapely.has_z(frame.geometry.to_numpy()).any():
        faults.append("has heights (Z)")
    nowhere = int((frame.geometry.isna() | frame.geometry.is_empty).sum())
    if layer.located and nowhere:
        faults.append(f"{nowhere} rows have no geometry")
    return faults


def _named(crs: CRS | None) -> str:
    return "not given" if crs is None else CRS.from_user_input(crs).name


def _value_faults(column: Column, values: pd.Series) -> list[str]:
    """Say which values a column must not have."""
    found = set(values.dropna()) - set(column.allowed) if column.allowed else set()
    return (
        [f"column {column.name!r} has {sorted(found)}, one of {list(column.allowed)} expected"]
        if found
        else []
    )


def cast(values: pd.Series, kind: Kind) -> pd.Series:
    """Give a column its type; raises TypeError or ValueError where that would change a value."""
    if kind == "integer":
        return pd.to_numeric(values).astype("Int64")
    if kind == "real":
        return pd.to_numeric(values).astype("Float64").astype("float64")
    if kind in _PLAIN:
        return values.astype(_PLAIN[kind])
    if values.isna().all():
        return pd.Series(pd.NaT, index=values.index, dtype=_UTC)
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        raise TypeError("times with a time zone expected")
    return values.astype(_UTC)


def names_written(name: str, frame: pd.DataFrame) -> list[str]:
    """Give the names of the columns that a layer is written with, in order, its geometry left out.

    Parameters
    ----------
    name
        A layer's name, one of `LAYERS`.
    frame
        Its rows.
    """
    layer = LAYERS[name]
    return [*(column.name for column in layer.columns), *_other_names(layer, frame).values()]


def _other_names(layer: Layer, frame: pd.DataFrame) -> dict[str, str]:
    """Name columns beyond the declared ones, otherwise where SQLite would take two names for one."""
    declared = {column.name for column in layer.columns}
    geometry = frame.geometry.name if isinstance(frame, gpd.GeoDataFrame) else None
    names = [str(name) for name in frame.columns if name not in declared and name != geometry]
    return dict(zip(names, _unique(names, taken=[*declared, GEOMETRY_COLUMN, ROW_COLUMN]), strict=True))


def _others(layer: Layer, frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Give the columns beyond the declared ones."""
    return {unique: plain(frame[name]) for name, unique in _other_names(layer, frame).items()}


def _unique(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Add ``_2``, ``_3``... to names that differ from an earlier or a taken one in case alone, or in nothing."""
    seen = {name.casefold() for name in taken}
    result = []
    for name in names:
        unique, n = name, 1
        while unique.casefold() in seen:
            n += 1
            unique = f"{name}_{n}"
        seen.add(unique.casefold())
        result.append(unique)
    return result


def plain(values: pd.Series) -> pd.Series:
    """Bring a column of any type into one that GeoPackage has; what it cannot hold as it is becomes text."""
    dtype = values.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return values.astype(_UTC)
    if isinstance(dtype, pd.SparseDtype):
        return plain(pd.Series(np.asarray(values), index=values.index))
    if types.is_bool_dtype(dtype):
        return values
    if types.is_float_dtype(dtype):
        # half precision has no type in GDAL, and more than double none in Arrow
        return values if dtype.name.casefold() in _REAL else values.astype(np.float64)
    if types.is_integer_dtype(dtype):
        # GDAL reads unsigned 64 bit integers from Arrow as real numbers
        too_large = types.is_unsigned_integer_dtype(dtype) and bool(values.max() > _LARGEST)
        return values.astype("string") if too_large else values.astype("Int64")
    if types.is_object_dtype(dtype):
        values = values.map(_as_text)
    return values.astype("string")


def _as_text(value: object) -> object:
    """Write what pandas cannot write as text, or would write as Python shows it."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, np.ndarray | list | tuple | set | dict):
        return str(value.tolist() if isinstance(value, np.ndarray) else value)
    return value
