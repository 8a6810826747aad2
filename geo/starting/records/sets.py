"""Which tables are records of collisions, by which schema they are read, and which belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj

from geo.collisions.cells.numbers import decimal_mark, numbers
from geo.collisions.schemas.published.known import PRESETS, recognise
from geo.collisions.schemas.published.preset import Header, Names
from geo.collisions.tables.table import Rows
from geo.errors import RoadprintError
from geo.starting.files import Left
from geo.starting.places import NONE, Points, in_degrees
from geo.starting.records.mapping import Mapping, Surroundings, guess_mapping
from geo.starting.records.names import spelled
from geo.starting.tables import Table

COLUMNS = "columns"
_HINTS = re.compile(
    r"crash|collision|accident|casualt|injur|severity|(?<![a-z])ksi(?![a-z])|killed|fatal|unfall|onnettomuu|siniestr|"
    r"incident|ulykke|olycka|ongeval|verkehrsunf|tues|bless"
)
"""Words, in the name of a file or of a column, by which records of collisions are known."""
_TRAFFIC = re.compile(
    r"(?<![a-z])aadt|all_motor_vehicles|annual_average_daily|traffic_count|(?<![a-z])adt(?![a-z])|dtv"
)
_LINKED: dict[str, dict[str, tuple[tuple[str, ...], ...]]] = {
    "stats19": {
        "casualties": (
            ("casualty_reference", "casualty_class", "casualty_type"),
            ("collision_index", "accident_index"),
        ),
        "vehicles": (("vehicle_type",), ("collision_index", "accident_index")),
    },
    "baac": {
        "casualties": (("Num_Acc", "Accident_Id"), ("grav",), ("catu",)),
        "vehicles": (("Num_Acc", "Accident_Id"), ("catv",)),
        "places": (("Num_Acc", "Accident_Id"), ("catr",)),
    },
    "fars": {"casualties": (("ST_CASE",), ("PER_TYP",), ("INJ_SEV",))},
}
"""By schema and key: columns that a table beside the collisions has, one of each."""
_YEARS = re.compile(r"(19|20)\d\d|\d+")


@dataclass(slots=True)
class Records:
    """Tables that are read together.

    Attributes
    ----------
    schema
        ``collisions.schema``.
    tables
        Of collisions, with the same columns.
    linked
        Tables beside them, by the key that names them.
    mapping
        What the columns are guessed to hold; None: the schema knows.
    points
        Places in degrees, as far as they are known.
    """

    schema: str
    tables: list[Table]
    linked: dict[str, list[Table]] = field(default_factory=dict)
    mapping: Mapping | None = None
    points: Points = field(default_factory=lambda: NONE)

    @property
    def title(self) -> str:
        """Name of the first table, and how many there are."""
        more = len(self.tables) - 1
        return self.tables[0].title + (f" and {more} more" if more else "")

    @property
    def whole(self) -> bool:
        """Whether all rows were looked at."""
        return all(table.whole for table in self.tables)

    @property
    def count(self) -> int:
        """How many rows were looked at."""
        return sum(len(table.rows.frame) for table in self.tables)


def find_records(tables: Sequence[Table], around: Surroundings) -> tuple[list[Records], list[Left]]:
    """Find sets of tables with collisions; gives also why each other table is none."""
    left: list[Left] = []
    kinds: dict[tuple[str, ...], list[Table]] = {}
    beside: list[tuple[str, str, Table]] = []
    for table in tables:
        linked = _linked_as(table)
        schema = recognise(table.columns)
        if schema is None and linked is not None:
            beside.append((*linked, table))
        elif schema is not None or _is_hinted(table):
            kinds.setdefault(_kind(table, schema or COLUMNS), []).append(table)
        else:
            left.append(left_of(table, _why_none(table)))
    found = []
    for kind, mine in kinds.items():
        schema, folder = kind[:2]
        linked_here: dict[str, list[Table]] = {}
        for of, key, table in beside:
            if of == schema and str(Path(table.source).parent) == folder:
                linked_here.setdefault(key, []).append(table)
        records = _read(Records(schema, mine, linked_here), around)
        if records.mapping is not None and not records.mapping.where.known:
            left += [left_of(table, "no coordinates were found in it") for table in mine]
        else:
            found.append(records)
    used = {id(table) for records in found for tables in records.linked.values() for table in tables}
    left += [
        left_of(table, f"{key} of {of}, without their collisions")
        for of, key, table in beside
        if id(table) not in used
    ]
    return found, left


def left_of(table: Table, why: str) -> Left:
    """Say why a table is left out, by its layer or sheet where its file has several."""
    return Left(table.source, f"{table.key} {table.part}: {why}" if table.part else why)


def _linked_as(table: Table) -> tuple[str, str] | None:
    """Name the schema and key of a table that belongs beside collisions; None where it is none."""
    header = Header(table.columns)
    for schema, keys in _LINKED.items():
        for key, wanted in keys.items():
            if all(header.find(names) is not None for names in wanted):
                return schema, key
    return None


def _kind(table: Table, schema: str) -> tuple[str, ...]:
    """Tell tables apart that are not read together: of other schemas, folders, columns or kinds of names."""
    path = Path(table.source)
    stem = stem_of(path)
    columns = "" if schema != COLUMNS else "\n".join(sorted(table.columns))
    return schema, str(path.parent), stem, path.suffix, columns, _YEARS.sub("#", table.part or "")


def stem_of(path: Path) -> str:
    """Give a file's name without the years and numbers that tell files of one series apart."""
    return _YEARS.sub("", path.stem)


def _is_hinted(table: Table) -> bool:
    """Tell whether anything but a place and a date speaks for collisions."""
    title = spelled(f"{Path(table.source).name} {table.part or ''}")
    return bool(_HINTS.search(title)) or any(_HINTS.search(spelled(column)) for column in table.columns)


def _why_none(table: Table) -> str:
    if any(_TRAFFIC.search(spelled(column)) for column in table.columns):
        return "it looks like counts of traffic (exposure.sources)"
    return "nothing in its name or columns tells of collisions"


def _read(records: Records, around: Surroundings) -> Records:
    """Guess the mapping of a set, or find its places by what its schema knows."""
    schema = records.schema
    if (
        schema == "baac"
        and "casualties" not in records.linked
        and Header(records.tables[0].columns).find(("grav",))
    ):
        # severity stands in the table itself, where the published ones have none
        schema = COLUMNS
    if schema == COLUMNS:
        rows = together(records.tables)
        mapping = guess_mapping(rows, records.tables[0].columns, around, whole=records.whole)
        return replace(records, schema=schema, mapping=mapping, points=mapping.where.points)
    return replace(records, points=_points_of(records))


def together(tables: Sequence[Table]) -> Rows:
    """Put the rows of tables with the same columns together."""
    first = tables[0].rows
    if len(tables) == 1:
        return first
    points = [table.rows.points for table in tables]
    known = [one for one in points if one is not None]
    frame = pd.concat([table.rows.frame for table in tables], ignore_index=True)
    return Rows(frame, np.concatenate(known) if len(known) == len(points) else None, first.crs, first.name)


def _points_of(records: Records) -> Points:
    """Find places by the columns that a published schema has."""
    pairs: list[tuple[Names, Names, int]] = [
        (("longitude",), ("latitude",), 4326),
        (("location_easting_osgr",), ("location_northing_osgr",), 27700),
    ]
    pairs += [(("long", "LONGITUD"), ("lat", "LATITUDE"), 4326)]
    if records.schema in PRESETS:
        pairs = [(p.x, p.y, int(p.crs.rpartition(":")[2])) for p in PRESETS[records.schema].places]
    found = []
    for table in records.tables:
        header = Header(table.columns)
        for x, y, code in pairs:
            east, north = header.find(x), header.find(y)
            if east is not None and north is not None:
                pair = (table.rows.frame[east], table.rows.frame[north])
                xy = _numbers(pair)
                if len(xy):
                    found.append(in_degrees(xy, pyproj.CRS.from_epsg(code)))
                    break
        else:
            if table.rows.points is not None and table.rows.crs is not None:
                found.append(in_degrees(table.rows.points, table.rows.crs))
    return np.concatenate(found) if found else NONE


def _numbers(pair: tuple[pd.Series, pd.Series]) -> Points:
    try:
        mark = decimal_mark(pair, degrees=True, where="")
    except RoadprintError:
        return NONE
    xy = np.column_stack([numbers(column, mark) for column in pair])
    finite: Points = xy[np.isfinite(xy).all(axis=1)]
    return finite
