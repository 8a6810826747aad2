"""Records in JSON: lists of them, GeoJSON, answers of open-data servers, and a record a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.collisions.tables.encodings import decode
from geo.collisions.tables.heads import lay_out
from geo.collisions.tables.table import BROKEN, Form, Rows
from geo.collisions.tables.vector import centres, crs_of
from geo.errors import LayerError, SourceError

Records = list[dict[str, Any]]
_DEEP = 3
"""Levels of an answer at which its records may stand."""
_CUT = "exceededTransferLimit"
"""What ArcGIS servers put into an answer that holds only the first records."""


def read_json(data: bytes, form: Form, name: str) -> Rows:
    """Read records; numbers keep every digit.

    Raises
    ------
    SourceError
        When it is no JSON.
    LayerError
        When it holds no list of records, or several, or only the first part of them.
    """
    found = _parsed(decode(data, form, name), name)
    if isinstance(found, list) and found and all(isinstance(row, list) for row in found):
        return lay_out([[_text(cell) or "" for cell in row] for row in found], form, name)
    if isinstance(found, Mapping) and (found.get(_CUT) or (found.get("properties") or {}).get(_CUT)):
        raise LayerError(
            f"it holds only the first records: the server stopped at its limit ({_CUT})",
            where=name,
            todo="Ask it for the rest (resultOffset), and take the mark out of each answer.",
        )
    records, shapes, crs = _records(found, name, form)
    flat = [dict(_flat(record, "")) for record in records]
    frame = pd.DataFrame(flat, dtype="string")
    frame[BROKEN] = False
    if shapes is None:
        shapes = _own_geometry(records)
        crs = None if shapes is None else _degrees(shapes)
    if shapes is None:
        return Rows(frame, name=name)
    points, notes = centres(shapes, name)
    return Rows(frame, points, crs, name, notes)


class _Number(float):
    """A number with a point or an exponent, and how it is written."""

    def __new__(cls, text: str) -> Self:
        """Read it."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _parsed(text: str, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Parse JSON, or JSON in lines, with numbers as they are written."""
    try:
        return json.loads(text, parse_float=_Number)
    except (json.JSONDecodeError, RecursionError) as error:
        lines = [line for line in text.split("\n") if line.strip(" \r\t\x1e")]
        try:
            return [json.loads(line.strip("\x1e"), parse_float=_Number) for line in lines]
        except (json.JSONDecodeError, RecursionError):
            raise SourceError(
                f"it is no JSON ({error})", where=name, todo="Fetch it again, or mend it."
            ) from error


def _records(found: Any, name: str, form: Form) -> tuple[Records, np.ndarray | None, pyproj.CRS | None]:  # noqa: ANN401
    """Find the records, with their geometry where the form of the answer states one."""
    if (
        isinstance(found, list)
        and found
        and all(isinstance(one, dict) and one.get("type") == "Feature" for one in found)
    ):
        found = {"type": "FeatureCollection", "features": found}
    if isinstance(found, dict) and found.get("type") == "Feature":
        found = {"type": "FeatureCollection", "features": [found]}
    if isinstance(found, dict) and isinstance(found.get("features"), list):
        return _features(found)
    if isinstance(found, dict) and isinstance(found.get("data"), list) and "view" in found.get("meta", {}):
        names = [str(column["name"]) for column in found["meta"]["view"]["columns"]]
        return [dict(zip(names, row, strict=False)) for row in found["data"]], None, None
    if isinstance(found, dict) and _is_columns(found):
        return (
            [{name: column[row] for name, column in found.items()} for row in next(iter(found.values()))],
            None,
            None,
        )
    lists = dict(_lists(found, "", 0))
    if len(lists) != 1:
        there = "; ".join(f"{key} ({len(rows):,} records)" for key, rows in lists.items()) or str(found)[:100]
        fault = (
            f"it holds more than one list of records: {there}"
            if lists
            else f"it holds no list of records: {there}"
        )
        raise LayerError(fault, where=name, todo=f"Give a file with one list of records for {form.section}.")
    return next(iter(lists.values())), None, None


def _is_columns(found: Mapping[str, Any]) -> bool:
    """Tell an object whose members are columns, each with a cell by the name of its row, as pandas writes it."""
    columns = [column for column in found.values() if isinstance(column, dict)]
    same = len({tuple(column) for column in columns}) == 1
    return len(columns) == len(found) > 1 and same and len(columns[0]) > 0


def _lists(found: object, key: str, deep: int) -> Iterator[tuple[str, Records]]:
    """Give every list of records of an answer by where it stands."""
    if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
        yield key or "(top)", found
    elif isinstance(found, dict) and deep < _DEEP:
        for name, value in found.items():
            yield from _lists(value, f"{key}.{name}".lstrip("."), deep + 1)


def _features(found: Mapping[str, Any]) -> tuple[Records, np.ndarray | None, pyproj.CRS | None]:
    """Part features, of GeoJSON or of an ArcGIS server, into cells and geometry."""
    features: Sequence[Mapping[str, Any]] = found["features"]
    if any("attributes" in feature for feature in features):
        stated = found.get("spatialReference") or {}
        code = stated.get("latestWkid") or stated.get("wkid") or stated.get("wkt")
        crs = None if code is None else crs_of(f"EPSG:{code}") or crs_of(f"ESRI:{code}") or crs_of(code)
        places = [feature.get("geometry") or {} for feature in features]
        there = [[place.get("x"), place.get("y")] for place in places]
        if not any("geometry" in feature for feature in features):
            return [dict(feature["attributes"] or {}) for feature in features], None, None
        xy = pd.DataFrame(there, columns=["x", "y"]).apply(pd.to_numeric, errors="coerce").to_numpy(float)
        return [dict(feature["attributes"] or {}) for feature in features], shapely.points(xy), crs
    cells = []
    for feature in features:
        given = dict(feature.get("properties") or {})
        if "id" in feature and "id" not in given:
            given["id"] = feature["id"]
        cells.append(given)
    named = ((found.get("crs") or {}).get("properties") or {}).get("name")
    shapes = _shapes([feature.get("geometry") for feature in features])
    crs = _degrees(shapes) if named is None else crs_of(named)
    return cells, shapes, crs


def _degrees(shapes: np.ndarray) -> pyproj.CRS | None:
    """Give the CRS of GeoJSON that names none, WGS 84; None where most of its places cannot be degrees."""
    x, y = (np.abs(f(shapely.centroid(shapes))) for f in (shapely.get_x, shapely.get_y))
    there = np.isfinite(x) & np.isfinite(y)
    beyond = there & ((x > 360) | (y > 90))
    return None if beyond.sum() > there.sum() / 2 else pyproj.CRS.from_epsg(4326)


def _shapes(geometries: Sequence[object]) -> np.ndarray:
    """Make geometries of GeoJSON's; null where one is none."""
    texts = [None if one is None else json.dumps(one) for one in geometries]
    shapes: np.ndarray = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
    return shapes


def _own_geometry(records: Records) -> np.ndarray | None:
    """Find the geometry of plain records: the only cell that is a place of GeoJSON, as Socrata's answers have one."""
    named = {key for record in records for key, cell in record.items() if _is_geometry(cell)}
    if len(named) != 1:
        return None
    key = named.pop()
    return _shapes([record[key] if _is_geometry(record.get(key)) else None for record in records])


def _is_geometry(cell: object) -> bool:
    return isinstance(cell, dict) and "coordinates" in cell and isinstance(cell.get("type"), str)


def _flat(record: Mapping[str, Any], above: str) -> Iterator[tuple[str, str | None]]:
    """Give the cells of a record as text; those of a record within it by a dotted name."""
    for key, cell in record.items():
        if isinstance(cell, dict) and not _is_geometry(cell):
            yield from _flat(cell, f"{above}{key}.")
        else:
            yield f"{above}{key}", _text(cell)


def _text(cell: object) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return cell.text if isinstance(cell, _Number) else json.dumps(cell, ensure_ascii=False)
