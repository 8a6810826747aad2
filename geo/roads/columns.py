"""The columns of a road source under our own names, as text, numbers and levels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import Roads
from geo.errors import LayerError, meant
from geo.roads.reading.cells import as_text, at_path, has_path, is_structure, members, paths_in, paths_within
from geo.roads.reading.paths import is_openstreetmap
from geo.sources.columns import carried_name

_NO = ("", "no", "n", "f", "false", "0", "0.0", "none", "nan")
_LEVELS = ("layer", "pos_sol")
"""Columns that tell on which level a road is: OpenStreetMap's, and that of France's BD TOPO."""
_RINGS = ("roundabout", "circular")
HIGHEST = 100
"""A ``layer`` beyond this says nothing about bridges."""
LARGEST = 2**63 - 1
"""The largest whole number that a GeoPackage holds."""
_BRACKETS = ("[", "(", "{")
ID = "__id__"
"""The column with ids where rows of several files are together, which may be told apart by more than a column."""
LEVEL = "__level__"
"""The column with the level, where it is told otherwise than by columns of OpenStreetMap's keys."""
ROW = "__row__"
"""The column with a row's place in the source, until the rows are counted."""
_INNER = {ID, LEVEL, ROW}


def count_rows(lines: pd.DataFrame) -> int:
    """Count the source rows that lines come from."""
    return int(lines[ROW].nunique())


def column_of(rows: pd.DataFrame, key: str | None) -> pd.Series | None:
    """Find the column that a key of the city's file names, or what a dotted path leads to; None where there is none."""
    if key is None or key in rows:
        return None if key is None else rows[key]
    lead, *path = key.split(".")
    return at_path(rows[lead], path) if path and lead in rows and has_path(rows[lead], path) else None


def as_spelled(rows: pd.DataFrame, roads: Roads) -> Roads:
    """Find the columns that the city's file does not name, whatever their case: ``NAME`` for ``name``."""
    plain: dict[str, str] = {}
    for column in rows:
        plain.setdefault(str(column).casefold(), str(column))
    found = {
        key: plain[column]
        for key in ("class_field", "name_field", "ref_field")
        if (column := getattr(roads, key)) == Roads.model_fields[key].default
        and column not in rows
        and column in plain
    }
    return roads.model_copy(update=found) if found else roads


def check_columns(rows: gpd.GeoDataFrame, roads: Roads, where: str) -> list[str]:
    """Make sure that the columns are there which the city's file names, and hold what can be written as text.

    Returns
    -------
    What is to be told of a column that the city's file does not name and that is not there.

    Raises
    ------
    LayerError
        Naming the key, and the columns or paths that there are.
    """
    roads = as_spelled(rows, roads)
    there = [str(c) for c in rows.columns if c not in {rows.geometry.name, *_INNER}]
    standard = Roads.model_fields
    for key in ("class_field", "name_field", "ref_field", "id_field"):
        column = getattr(roads, key)
        values = column_of(rows, column)
        needed = key == "class_field" or column != standard[key].default
        if column is not None and values is None and needed:
            lead = column.partition(".")[0]
            paths = paths_in(rows[lead], lead) if lead in rows else []
            raise LayerError(
                f"it has no column {column!r}; there are {', '.join(paths or there)}"
                f"{meant(column, paths or there)}",
                where=where,
                todo=f"Mend roads.{key}" + (", or set it to null." if key != "id_field" else "."),
            )
        if values is not None:
            _refuse_structures(values, column, f"roads.{key}", where)
    if roads.name_field is not None and column_of(rows, roads.name_field) is None:
        told = f"{Path(where).name} has no column {roads.name_field!r}; there are {', '.join(there)}"
        told += meant(roads.name_field, there)
        return [
            f"{told}: without roads.name_field no record tells roads apart by name (null: they have none)"
        ]
    return []


def _refuse_structures(values: pd.Series, column: str, key: str, where: str) -> None:
    """Refuse a column of structures, with the paths to what they hold."""
    if pd.api.types.infer_dtype(values, skipna=True) not in {"mixed", "string", "mixed-integer"}:
        return
    found = next((value for value in values.dropna() if is_structure(value)), None)
    if found is None:
        return
    paths = paths_within(found, column)
    raise LayerError(
        f"the column {column!r} holds structures, not text ({as_text(found)!s:.120})",
        where=where,
        todo=f"Name what is meant in {key}, for example {paths[0] if paths else column + '.primary'}"
        + (f"; there are {', '.join(paths[:12])}." if len(paths) > 1 else "."),
    )


def name_columns(lines: gpd.GeoDataFrame, roads: Roads) -> gpd.GeoDataFrame:
    """Give the columns their own names; all others become ``src_<column>``."""
    roads = as_spelled(lines, roads)
    there = [str(c) for c in lines.columns if c not in {lines.geometry.name, *_INNER}]
    id_field = _id_field(lines, roads)
    ids = lines[ID] if ID in lines else ids_of(lines, roads)
    own = {
        "source_id": ids.where(ids.notna(), lines[ROW].astype(str).astype(object)),
        "name": _text(lines, roads.name_field),
        "road_class": _text(lines, roads.class_field, lists=False),
        "ref": _text(lines, roads.ref_field),
        "level": lines[LEVEL] if LEVEL in lines else _level(lines),
        "roundabout": _text(lines, _spelled(there, "junction")).str.casefold().isin(_RINGS),
        ROW: lines[ROW],
    }
    used = {roads.name_field, roads.class_field, roads.ref_field, id_field}
    rest = {carried_name(c): _storable(lines[c]) for c in there if c not in used}
    return gpd.GeoDataFrame(
        pd.DataFrame(own | rest, index=lines.index), geometry=lines.geometry, crs=lines.crs
    )


def _id_field(rows: pd.DataFrame, roads: Roads) -> str | None:
    """Name the column of ids: the one asked for, else that of OpenStreetMap's extracts."""
    has_own = all(is_openstreetmap(source) for source in roads.sources) and "osm_id" in rows
    return roads.id_field or ("osm_id" if has_own else None)


def ids_of(rows: gpd.GeoDataFrame, roads: Roads) -> pd.Series:
    """Give the source's own ids as text, null where there are none."""
    return _text(rows, _id_field(rows, roads))


def _spelled(there: Sequence[str], name: str) -> str | None:
    """Find a column whatever its case."""
    return next((column for column in there if column.casefold() == name), None)


def _text(lines: gpd.GeoDataFrame, column: str | None, *, lists: bool = True) -> pd.Series:
    """Bring a column to stripped text, null where it is empty or not there; of lists all members, by semicolons."""
    values = column_of(lines, column)
    if values is None:
        return pd.Series([None] * len(lines), index=lines.index, dtype=object)
    if pd.api.types.is_float_dtype(values):
        values = values.astype(np.float64)
        values = values.where(np.isfinite(values))
        if (values.dropna() % 1 == 0).all() and (values.dropna().abs() < 2.0**63).all():
            values = values.astype("Int64")
    text = _words(values).str.strip()
    if lists:
        found = {each: members(each) for each in text.dropna().unique() if each[:1] in _BRACKETS}
        text = text.replace({each: ";".join(parts) for each, parts in found.items() if parts is not None})
    there = text.notna() & (text != "")
    stripped: pd.Series = text.astype(object).where(there.to_numpy(dtype=bool), None)
    return stripped


def _words(values: pd.Series) -> pd.Series:
    """Bring values of any kind to text; of several in one cell, all."""
    if pd.api.types.infer_dtype(values) not in {"string", "empty"} and values.dtype == object:
        values = values.map(as_text)
    words: pd.Series = values.astype("string")
    return words


def _level(lines: gpd.GeoDataFrame) -> pd.Series:
    """Tell bridges and tunnels from what they cross: ``layer`` where it says so, else 1 and -1."""
    there = [str(c) for c in lines.columns]

    def is_so(name: str) -> pd.Series:
        text = _text(lines, _spelled(there, name)).astype("string").str.casefold().fillna("")
        return ~text.isin(_NO)

    told = next((column for name in _LEVELS if (column := _spelled(there, name)) is not None), None)
    layer = pd.to_numeric(_text(lines, told, lists=False).map(_outermost), errors="coerce")
    layer = layer.where(layer.abs() <= HIGHEST, 0)
    built = is_so("bridge").astype(int) - is_so("tunnel").astype(int)
    level: pd.Series = layer.where(layer != 0, built).round().astype(np.int64)
    return level


def _outermost(text: str | None) -> str | None:
    """Choose of several levels, of streets that were joined, the one that is farthest from the ground."""
    several = [] if text is None else members(text) or []
    levels = [each for each in several if re.fullmatch(r"[+-]?\d+(\.0*)?", each)]
    return max(levels, key=lambda each: abs(float(each))) if levels else text


def _storable(values: pd.Series) -> pd.Series:
    """Keep numbers, truth values and times as they are; everything else as text, as are numbers that no file holds."""
    kinds = pd.api.types
    too_large = kinds.is_unsigned_integer_dtype(values) and values.max() > LARGEST
    plain = kinds.is_bool_dtype(values) or kinds.is_float_dtype(values) or kinds.is_integer_dtype(values)
    if (plain and not too_large) or kinds.is_datetime64_any_dtype(values):
        return values
    return _words(values).astype(object).where(values.notna(), None)
