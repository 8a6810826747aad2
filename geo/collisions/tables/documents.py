"""Records in JSON: lists of them, GeoJSON, answers of open-data servers, and a record a line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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

Record = dict[str, Any]
_DEEP = 3
"""Levels of an answer at which its records may stand."""
_CUT = "exceededTransferLimit"
"""What ArcGIS servers put into an answer that holds only the first records."""
_TOTALS = (
    "total",
    "total_count",
    "totalCount",
    "numberMatched",
    "totalFeatures",
    "totalResults",
    "nhits",
    "count",
)
"""What servers call the number of all records, of which an answer may hold the first."""
_ABOUT = {"fields", "columns", "links", "_links", "schema", "facets", "metadata"}
"""Lists of objects in answers that are no records."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Records, with their geometry where the form of the answer states one."""

    records: list[Record]
    shapes: np.ndarray | None = None
    crs: pyproj.CRS | None = None


def read_json(data: bytes, form: Form, name: str) -> Rows:
    """Read records; numbers keep every digit.

    Raises
    ------
    SourceError
        When it is no JSON.
    LayerError
        When it holds no list of records, or several.
    """
    found = _parsed(decode(data, form, name), name)
    if isinstance(found, list) and found and all(isinstance(row, list) for row in found):
        return lay_out([[_text(cell) or "" for cell in row] for row in found], form, name)
    answer = _answer(found, name, form)
    frame = pd.DataFrame([dict(_flat(record, "")) for record in answer.records], dtype="string")
    frame[BROKEN] = False
    shapes, crs = answer.shapes, answer.crs
    if shapes is None:
        shapes = _own_geometry(answer.records)
        crs = None if shapes is None else _degrees(shapes)
    whole = _told(found, len(frame))
    if shapes is None:
        return Rows(frame, name=name, whole=whole)
    points, notes = centres(shapes, name)
    return Rows(frame, points, crs, name, notes, whole, shapes)


def _told(found: object, here: int) -> float:
    """Give the number of records that an answer is the first part of; infinite where a server does not say it."""
    if not isinstance(found, dict):
        return here
    parts = [found, *(_mapping(found.get(key)) for key in ("properties", "result", "meta", "metadata"))]
    if any(part.get(_CUT) is True for part in parts):
        return math.inf
    said = [int(part[key]) for part in parts for key in _TOTALS if isinstance(part.get(key), int)]
    return max(here, *said) if said else here


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


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


def _answer(found: Any, name: str, form: Form) -> _Answer:  # noqa: ANN401 - whatever JSON holds
    """Find the records of an answer."""
    if isinstance(found, list) and found and all(_mapping(one).get("type") == "Feature" for one in found):
        return _features({"features": found})
    if not isinstance(found, dict):
        found = {"": found}
    if found.get("type") == "Feature":
        return _features({"features": [found]})
    if isinstance(found.get("features"), list):
        return _features(found)
    view = _mapping(_mapping(found.get("meta")).get("view")).get("columns")
    if isinstance(found.get("data"), list) and isinstance(view, list):
        names = [str(_mapping(column).get("name")) for column in view]
        return _Answer(
            [dict(zip(names, row, strict=False)) for row in found["data"] if isinstance(row, list)]
        )
    if _is_columns(found):
        return _Answer(
            [{key: column[row] for key, column in found.items()} for row in next(iter(found.values()))]
        )
    lists = dict(_lists(found, "", 0))
    if len(lists) == 1:
        return _Answer(next(iter(lists.values())))
    there = "; ".join(f"{key or 'top'} ({len(rows):,} records)" for key, rows in lists.items())
    what = f"more than one list of records: {there}" if lists else f"no list of records: {found!s:.100}"
    raise LayerError(
        f"it holds {what}", where=name, todo=f"Give a file with one list of records for {form.section}."
    )


def _is_columns(found: Mapping[str, Any]) -> bool:
    """Tell an object whose members are columns, each with a cell by the name of its row, as pandas writes it."""
    columns = [column for column in found.values() if isinstance(column, dict)]
    same = len({tuple(column) for column in columns}) == 1
    return len(columns) == len(found) > 1 and same and len(columns[0]) > 0


def _lists(found: object, key: str, deep: int) -> Iterator[tuple[str, list[Record]]]:
    """Give every list of records of an answer by where it stands."""
    if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
        yield key, found
    elif isinstance(found, dict) and deep < _DEEP:
        for name, value in found.items():
            if name not in _ABOUT:
                yield from _lists(value, f"{key}.{name}".strip("."), deep + 1)


def _features(found: Mapping[str, Any]) -> _Answer:
    """Part features, of GeoJSON or of an ArcGIS server, into cells and geometry."""
    features = [_mapping(feature) for feature in found["features"]]
    if any("attributes" in feature for feature in features):
        return _of_arcgis(features, _mapping(found.get("spatialReference")))
    cells = []
    for feature in features:
        given = dict(_mapping(feature.get("properties")))
        if "id" in feature and "id" not in given:
            given["id"] = feature["id"]
        cells.append(given)
    named = _mapping(_mapping(found.get("crs")).get("properties")).get("name")
    shapes = _shapes([feature.get("geometry") for feature in features])
    return _Answer(cells, shapes, _degrees(shapes) if named is None else crs_of(named))


def _of_arcgis(features: Sequence[Mapping[str, Any]], stated: Mapping[str, Any]) -> _Answer:
    cells = [dict(_mapping(feature.get("attributes"))) for feature in features]
    if not any("geometry" in feature for feature in features):
        return _Answer(cells)
    code = stated.get("latestWkid") or stated.get("wkid") or stated.get("wkt")
    crs = None if code is None else crs_of(f"EPSG:{code}") or crs_of(f"ESRI:{code}") or crs_of(code)
    places = [_mapping(feature.get("geometry")) for feature in features]
    there = pd.DataFrame(
        [[place.get("x"), place.get("y")] for place in places], columns=["x", "y"], dtype=object
    )
    return _Answer(cells, shapely.points(there.apply(pd.to_numeric, errors="coerce").to_numpy(float)), crs)


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


def _own_geometry(records: Sequence[Record]) -> np.ndarray | None:
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
