"""The columns of a road source under our own names, as text, numbers and levels."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import Roads
from geo.errors import LayerError

_NO = ("", "no", "n", "f", "false", "0", "0.0", "none", "nan")
_RINGS = ("roundabout", "circular")
HIGHEST = 100
"""A ``layer`` beyond this says nothing about bridges."""
ROW = "__row__"
"""The column with a row's place in the source, until the rows are counted."""


def name_columns(lines: gpd.GeoDataFrame, roads: Roads) -> gpd.GeoDataFrame:
    """Give the columns their own names; all others become ``src_<column>``."""
    there = [str(c) for c in lines.columns if c not in {lines.geometry.name, ROW}]
    standard = Roads.model_fields
    for key in ("class_field", "name_field", "ref_field", "id_field"):
        column = getattr(roads, key)
        needed = key == "class_field" or column != standard[key].default
        if column is not None and column not in there and needed:
            raise LayerError(
                f"it has no column {column!r}; there are {', '.join(there)}",
                where=roads.source,
                todo=f"Mend roads.{key}" + (", or set it to null." if key != "id_field" else "."),
            )
    osm_id = "osm_id" if roads.source.lower().endswith(".pbf") else None
    id_field = roads.id_field or (osm_id if osm_id in there else None)
    ids = _text(lines, id_field)
    own = {
        "source_id": ids.where(ids.notna(), lines[ROW].astype(str).astype(object)),
        "name": _text(lines, roads.name_field),
        "road_class": _text(lines, roads.class_field),
        "ref": _text(lines, roads.ref_field),
        "level": _level(lines),
        "roundabout": _text(lines, _spelled(there, "junction")).str.casefold().isin(_RINGS),
        ROW: lines[ROW],
    }
    used = {roads.name_field, roads.class_field, roads.ref_field, id_field}
    rest = {f"src_{c}": _storable(lines[c]) for c in there if c not in used}
    return gpd.GeoDataFrame(
        pd.DataFrame(own | rest, index=lines.index), geometry=lines.geometry, crs=lines.crs
    )


def _spelled(there: Sequence[str], name: str) -> str | None:
    """Find a column whatever its case."""
    return next((column for column in there if column.casefold() == name), None)


def _text(lines: gpd.GeoDataFrame, column: str | None) -> pd.Series:
    """Bring a column to stripped text, null where it is empty or not there."""
    if column is None or column not in lines:
        return pd.Series([None] * len(lines), index=lines.index, dtype=object)
    values = lines[column]
    if pd.api.types.is_float_dtype(values):
        values = values.astype(np.float64)
        values = values.where(np.isfinite(values))
        if (values.dropna() % 1 == 0).all() and (values.dropna().abs() < 2.0**63).all():
            values = values.astype("Int64")
    text = _words(values).str.strip()
    there = text.notna() & (text != "")
    stripped: pd.Series = text.astype(object).where(there.to_numpy(dtype=bool), None)
    return stripped


def _words(values: pd.Series) -> pd.Series:
    """Bring values of any kind to text; of several in one cell, all."""
    if pd.api.types.infer_dtype(values) not in {"string", "empty"} and values.dtype == object:
        values = values.map(_word)
    words: pd.Series = values.astype("string")
    return words


def _word(value: object) -> object:
    """Write a cell that is no text as text, where pandas would not or not well."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list | tuple | np.ndarray):
        return ";".join(str(each) for each in value if each is not None)
    return value


def _level(lines: gpd.GeoDataFrame) -> pd.Series:
    """Tell bridges and tunnels from what they cross: ``layer`` where it says so, else 1 and -1."""
    there = [str(c) for c in lines.columns]

    def is_so(name: str) -> pd.Series:
        text = _text(lines, _spelled(there, name)).astype("string").str.casefold().fillna("")
        return ~text.isin(_NO)

    layer = pd.to_numeric(_text(lines, _spelled(there, "layer")), errors="coerce")
    layer = layer.where(layer.abs() <= HIGHEST, 0)
    built = is_so("bridge").astype(int) - is_so("tunnel").astype(int)
    level: pd.Series = layer.where(layer != 0, built).round().astype(np.int64)
    return level


def _storable(values: pd.Series) -> pd.Series:
    """Keep numbers, truth values and times as they are; everything else as text."""
    kinds = pd.api.types
    if kinds.is_bool_dtype(values) or kinds.is_numeric_dtype(values) or kinds.is_datetime64_any_dtype(values):
        return values
    return _words(values).astype(object).where(values.notna(), None)
