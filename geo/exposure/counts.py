"""Traffic counts as they are published, one figure a count point at the end.

The count-point file of the Department for Transport holds a row a point and year: the annual average daily flow (AADF),
which is what others call AADT. Columns: Department for Transport, 'Road traffic statistics metadata', 2018 and later.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyproj

from geo.collisions.cells.numbers import numbers
from geo.collisions.cells.text import text
from geo.collisions.schema import check_names
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_all
from geo.collisions.tables.table import BROKEN, Form, Rows
from geo.config import Exposure
from geo.config.sections.records import as_list
from geo.errors import LayerError
from geo.exposure.units import check_thousands
from geo.ledger import Entry, Status
from geo.sources.crs import EXAMPLE, crs_of_user

ITEM = "traffic figures"
SECTION = "exposure"
_DFT = {
    "point_id": ("count_point_id", "cp"),
    "year": ("year", "aadfyear"),
    "aadt": ("all_motor_vehicles", "allmotorvehicles"),
    "road": ("road_name", "road"),
    "easting": ("easting",),
    "northing": ("northing",),
    "longitude": ("longitude",),
    "latitude": ("latitude",),
    "direction": ("direction_of_travel",),
}
"""Names in the DfT's files, those of before 2018 last; case differs from file to file."""
_NUMBERED = r"^(?:M|A|B)\s*\d+"


@dataclass(frozen=True, slots=True)
class Counts:
    """Traffic figures before they are brought to roads.

    Attributes
    ----------
    table
        One row a source row, in the source's order: ``point_id``, ``year`` (null where not told), ``aadt``, ``x, y`` in
        the CRS asked for, ``road_name, road_ref, road_class``; ``fate``, why a row cannot be used, null where it can.
    notes
        What was found in the files beside the rows.
    """

    table: pd.DataFrame
    notes: list[Entry] = field(default_factory=list)


def expand_counts(exposure: Exposure) -> list[str]:
    """List the files of counts; a glob that finds nothing stays as it is."""
    return expand_globs(exposure.sources)


def read_points(settings: Exposure, crs: pyproj.CRS, *, section: str = SECTION) -> Counts | None:
    """Read the figures of count points, see `read_counts`; None where the city names none, or a column of its roads."""
    if settings.column is not None or not settings.sources:
        return None
    return read_counts(settings, crs, section=section)


def read_counts(exposure: Exposure, crs: pyproj.CRS, *, section: str = SECTION) -> Counts:
    """Read all tables of count points.

    Parameters
    ----------
    exposure
        The section ``exposure`` of the city's file, with at least one source.
    crs
        CRS that the points are brought to.
    section
        What messages call the section: ``exposure.pedestrians`` where it is that of people on foot.

    Raises
    ------
    SourceError, LayerError, ConfigurationError
        Naming the file, the column or key, what was found, and what to do.
    """
    tables = read_all(expand_counts(exposure), _form(exposure, section))
    if exposure.schema_ == "dft_aadf":
        parts = [_read_dft(rows, crs) for rows in tables]
    else:
        parts = [_read_mapped(rows, exposure, crs, section) for rows in tables]
    notes = [note for rows in tables for note in rows.notes]
    return Counts(_fates(_one_a_year(pd.concat(parts, ignore_index=True))), notes)


def _key(section: str, name: str) -> str:
    """Write the key that names a column: those of people stand in their section itself."""
    if section == SECTION:
        return f"{section}.columns.{name}"
    return f"{section}.{'count' if name == 'aadt' else name}"


def _form(exposure: Exposure, section: str) -> Form:
    parts, columns = exposure.parts(), exposure.columns
    if exposure.schema_ == "dft_aadf" or columns is None:
        return Form(section=section, named_by=section, columns=None, parts=parts)
    return Form(
        section=section,
        named_by=section,
        columns=f"{section}.columns" if section == SECTION else section,
        parts=parts,
        delimiter=columns.delimiter,
        encoding=columns.encoding,
        skip_lines=columns.skip_lines,
        numbered=tuple(as_list(columns.id)),
    )


def _read_dft(rows: Rows, crs: pyproj.CRS) -> pd.DataFrame:
    frame, source = rows.frame, rows.name
    spelled = {str(name).casefold(): str(name) for name in frame.columns}
    found = {
        what: next((spelled[name] for name in names if name in spelled), None) for what, names in _DFT.items()
    }
    missing = [_DFT[what][0] for what in ("point_id", "year", "aadt", "road") if found[what] is None]
    place = next(
        (pair for pair in (("easting", "northing"), ("longitude", "latitude")) if all(map(found.get, pair))),
        None,
    )
    if missing or place is None:
        there = ", ".join(str(name) for name in frame.columns if name != BROKEN)
        raise LayerError(
            f"it lacks {', '.join(missing) or 'easting and northing'}; there are {there}",
            where=source,
            todo="Give the DfT's count-point CSV of annual average daily flow, or use exposure.schema: columns.",
        )
    check_names(frame, {f"DfT: {name}": name for name in found.values() if name}, source)
    table = pd.DataFrame({"_row": np.arange(len(frame))})
    for what in ("point_id", "direction"):
        table[what] = text(frame[found[what]]) if found[what] else None
    for what in ("year", "aadt"):
        table[what] = numbers(frame[found[what]])
    road = text(frame[found["road"]])
    numbered = road.str.match(_NUMBERED, case=False).fillna(value=False)
    table["road_ref"], table["road_name"] = road.where(numbered), None
    motorway = road.str.contains("(M)", regex=False).fillna(value=False)
    table["road_class"] = road.str[:1].str.upper().mask(motorway, "M")
    own = 27700 if place[0] == "easting" else 4326
    x, y = (numbers(frame[found[axis]]).to_numpy() for axis in place)
    return _placed(table, x, y, pyproj.CRS.from_epsg(own), crs, frame)


def _read_mapped(rows: Rows, exposure: Exposure, crs: pyproj.CRS, section: str) -> pd.DataFrame:
    columns = exposure.columns
    assert columns is not None, "the configuration promises a mapping"
    frame, source = rows.frame, rows.name
    fields = ("x", "y", "aadt", "id", "year", "road_name", "road_ref", "road_class")
    wanted = {_key(section, key): getattr(columns, key) for key in fields}
    check_names(frame, wanted, source)
    table = pd.DataFrame({"_row": np.arange(len(frame)), "direction": None})
    table["point_id"] = None if columns.id is None else text(frame[columns.id])
    if "decimal" not in columns.model_fields_set:
        key = _key(section, "decimal")
        todo = f"Say which mark is the decimal one in {key}: ',' where the point parts thousands."
        check_thousands(frame[columns.aadt], where=f"{source}, column {columns.aadt}", todo=todo)
    table["aadt"] = numbers(frame[columns.aadt], columns.decimal)
    table["year"] = np.nan if columns.year is None else numbers(frame[columns.year])
    for what in ("road_name", "road_ref", "road_class"):
        name = getattr(columns, what)
        table[what] = None if name is None else text(frame[name])
    own = crs_of_user(columns.crs, _key(section, "crs"), EXAMPLE)
    if columns.x is not None and columns.y is not None:
        x, y = (numbers(frame[name], columns.decimal).to_numpy() for name in (columns.x, columns.y))
        return _placed(table, x, y, own, crs, frame)
    if rows.points is None:
        there = ", ".join(str(name) for name in frame.columns if name != BROKEN)
        raise LayerError(
            f"no places: it has no geometry, and {_key(section, 'x')} and .y name no columns; there are {there}",
            where=source,
            todo="Name the columns with longitude and latitude (or easting and northing).",
        )
    if rows.crs is None and "crs" not in columns.model_fields_set:
        raise LayerError(
            "its geometry states no CRS", where=source, todo=f"Say which one it is in {_key(section, 'crs')}."
        )
    return _placed(table, rows.points[:, 0], rows.points[:, 1], rows.crs or own, crs, frame)


def _placed(
    table: pd.DataFrame, x: np.ndarray, y: np.ndarray, own: pyproj.CRS, crs: pyproj.CRS, frame: pd.DataFrame
) -> pd.DataFrame:
    """Bring places to the city's CRS, and mark rows whose cells cannot be trusted."""
    there = np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0))
    if own.is_geographic:
        there &= (np.abs(x) <= 180) & (np.abs(y) <= 90)
    change = pyproj.Transformer.from_crs(own, crs, always_xy=True)
    east, north = change.transform(np.where(there, x, np.nan), np.where(there, y, np.nan))
    there &= np.isfinite(east) & np.isfinite(north)
    table["x"], table["y"] = np.where(there, east, np.nan), np.where(there, north, np.nan)
    table["broken"] = frame[BROKEN].to_numpy(dtype=bool)
    made = "at " + table["x"].round(1).astype(str) + " " + table["y"].round(1).astype(str)
    table["point_id"] = table["point_id"].astype(object).where(table["point_id"].notna(), made)
    for what in ("road_name", "road_ref", "road_class", "direction"):
        table[what] = table[what].astype(object).where(table[what].notna(), None)
    return table


def _one_a_year(table: pd.DataFrame) -> pd.DataFrame:
    """Add up the directions of a point and year: the DfT also publishes its figures by direction of travel."""
    told = table["direction"].notna()
    usable = told & (table["aadt"] > 0) & table["year"].notna()
    key = [table["point_id"], table["year"]]
    total = table["aadt"].where(usable).groupby(key).transform("sum")
    first = usable & ~table.assign(u=usable).duplicated(["point_id", "year", "u"])
    table["merged"] = usable & ~first
    table["aadt"] = table["aadt"].mask(first, total)
    return table


def _fates(table: pd.DataFrame) -> pd.DataFrame:
    """Say of each row why it cannot be used: one reason, null where it can."""
    point_year = ["point_id", "year"]
    good = ~table["broken"] & (table["aadt"] > 0) & np.isfinite(table["aadt"]) & table["x"].notna()
    good &= ~table["merged"]
    kept = table.where(good)
    # of rows that repeat each other the one that says most of its road stays, whatever their order
    said = ["road_ref", "road_name", "road_class"]
    order = kept.assign(unsaid=kept[said].isna().sum(axis=1)).sort_values(["unsaid", *said, "x", "y"])
    again = good & order.duplicated([*point_year, "aadt"]).reindex(table.index)
    figures = kept[~again].groupby(point_year, dropna=False)["aadt"].transform("size")
    at_odds = good & ~again & (figures.reindex(table.index) > 1)
    # one of several rows of a point and year that differ; those that repeat one of them go the same way
    odd = table.loc[at_odds, point_year].drop_duplicates().assign(odd=True)
    same = table[point_year].merge(odd, on=point_year, how="left")["odd"].notna().to_numpy()
    table["fate"] = np.select(
        [
            table["broken"],
            table["merged"],
            table["aadt"].isna() | ~np.isfinite(table["aadt"]),
            table["aadt"] <= 0,
            table["x"].isna(),
            table["year"].isna() & bool(table["year"].notna().any()),
            good & same,
            again,
        ],
        [
            "other number of fields than the header",
            "added to the other direction of its point and year",
            "no number",
            "zero or negative",
            "no coordinates that can be used",
            "no year",
            "several figures for its point and year",
            "repeats a row",
        ],
        "",
    )
    table["fate"] = table["fate"].astype(object).where(table["fate"] != "", None)
    return table.drop(columns=["broken", "merged", "_row"])


REJECTED = frozenset(
    (
        *("other number of fields than the header", "no number", "zero or negative", "no year"),
        *("no coordinates that can be used", "several figures for its point and year"),
    )
)
"""Fates that are faults of the input; all others are rightly left out."""


def account(fate: pd.Series) -> list[Entry]:
    """Account for every row of the sources, once."""
    done = int(fate.isna().sum())
    entries = [Entry(ITEM, "done", "", done)] if done else []
    for reason, count in fate.value_counts().sort_index().items():
        status: Status = "rejected" if reason in REJECTED else "skipped"
        entries.append(Entry(ITEM, status, str(reason), int(count)))
    return entries
