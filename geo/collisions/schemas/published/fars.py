"""FARS: collisions in the United States in which someone was killed, as the NHTSA publishes them.

Columns and codes: National Highway Traffic Safety Administration, 'Fatality Analysis Reporting System (FARS) Analytical
User's Manual' (DOT HS 812 447 for 1975 to 2016, and later ones): ``accident.csv``, and ``person.csv`` for road users.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import pandas as pd
import pyproj
from pydantic import Field

from geo.collisions.cells.days.calendar import days_of, months_of_year, years
from geo.collisions.cells.kept import kept_rows
from geo.collisions.cells.numbers import numbers, whole
from geo.collisions.cells.severities import BLANK, KNOWN
from geo.collisions.rows.origin import Origin, origin_of, together
from geo.collisions.schema import CollisionSource, canonical_table, check_names
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.published.people import OTHER, UNHURT, gather
from geo.collisions.schemas.published.reading import column, need, own_tables, read_published
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.table import BROKEN, Form, Rows, broken_rows
from geo.config.sections.records import Row
from geo.errors import LayerError
from geo.ledger import Entry

HARM = {"0": UNHURT, "1": "slight", "2": "slight", "3": "serious", "4": "fatal", "5": "hurt", "6": UNHURT}
"""``INJ_SEV`` of a person: 5 is hurt, it is not known how badly; 6 died before the collision."""
ON_FOOT, ON_BICYCLE = ("5",), ("6", "7")
IN_VEHICLE, NEITHER = ("1", "2", "3", "9"), ("4", "8", "10", "11", "12", "13")
"""``PER_TYP`` of a person: on personal conveyances, in buildings and on animals are neither."""
MOTORCYCLES, CARS = range(80, 90), (*range(1, 10), 12, *range(14, 18), 19, 20)
"""``BODY_TYP`` of the vehicle: mopeds are motorcycles; cars are automobiles, utility vehicles and minivans."""
UNKNOWN_BODY = (49, 79, 98, 99)
TABLES = "Give accident.csv of each year in sources, and person.csv in casualties."
SAME_DAY = 0.99
"""So many persons of a year's table have the day of their collision; of another year's, one in a hundred."""


class Fars(SchemaKind):
    """Fatal collisions in the United States (FARS); their columns and codes are known."""

    tag: ClassVar[str] = "fars"
    form: ClassVar[str] = "fars"
    linking: ClassVar[tuple[str, ...]] = ("casualties",)

    schema_: Literal["fars"] = Field(default="fars", alias="schema", description="fars.")
    casualties: str | list[str] | None = Field(
        default=None,
        description="person.csv of the same years, files or globs, optional: they tell road users.",
    )

    def read(self) -> CollisionSource:
        """See `SchemaKind.read`."""
        return read_fars(self)

    def row(self) -> Row | None:
        """See `SchemaKind.row`."""
        return self.rows or "collisions"


def read_fars(collisions: Fars) -> CollisionSource:
    """Read FARS collisions, with their persons where the configuration names those tables.

    Raises
    ------
    SourceError, LayerError
        When a file cannot be read, or lacks a column that it must have; when the year of persons cannot be told.
    """
    parts: list[pd.DataFrame] = []
    origins: list[Origin] = []
    entries: list[Entry] = []
    people = expand_globs(collisions.linked())
    keep, form = collisions.keep or {}, Form(columns=None, parts=collisions.parts())
    carrying = collisions.carrying()
    sources = own_tables(collisions.sources, people)
    for rows in (rows for source in sources for rows in read_published(source, form)):
        check_names(rows.frame, {f"collisions.keep.{name}": name for name in keep}, rows.name)
        carried = carrying.take(rows.frame, rows.name)
        parts.append(accidents(rows).assign(kept=kept_rows(rows.frame, keep), **carried))
        origins.append(origin_of(rows.frame, rows.name, {"id": "ST_CASE", "date": "DAY", "year": "YEAR"}))
        entries += [*rows.notes, *broken_rows(rows.frame, rows.name)]
    table = pd.concat(parts, ignore_index=True)
    if people:
        tables = [rows for source in people for rows in read_published(source)]
        table, notes = gather(table, pd.concat([persons(rows, table) for rows in tables]), "casualties")
        entries += [*(note for rows in tables for note in rows.notes), *notes]
        table = table.drop(columns="worst")
    return CollisionSource(
        canonical_table(table.drop(columns=["case", "day"])),
        pyproj.CRS.from_epsg(4326),
        frozenset({"fatal"}),
        has_ids=True,
        entries=[entry for entry in entries if entry.count],
        origin=together(origins),
        carried=carrying.doubts(),
    )


def accidents(rows: Rows) -> pd.DataFrame:
    """Bring a table of collisions (accident) to ids, dates, places in degrees, and severities.

    Numbers of cases start anew each year, so that an id is of the year and the case. What is beyond the earth stands
    for an unknown place: 77.7777, 88.8888 and 99.9999 with 777.7777 and so on.
    """
    month, day, case = (_need(rows, name) for name in ("MONTH", "DAY", "ST_CASE"))
    year = years(_need(rows, "YEAR"))
    x, y = numbers(_need(rows, "LONGITUD", "LONGITUDE")), numbers(_need(rows, "LATITUDE"))
    there = x.between(-180, 180) & y.between(-90, 90) & ~rows.frame[BROKEN].astype(bool)
    killed = numbers(_need(rows, "FATALS")) > 0
    table = pd.DataFrame(
        {
            "case": case,
            "day": month + "/" + day,
            "collision_id": year.astype("string") + "/" + case,
            "date": days_of(year, months_of_year(month), whole(day)),
            "year": year,
            "month": months_of_year(month),
            "x": x.where(there),
            "y": y.where(there),
            "severity": pd.Series("fatal", index=case.index, dtype=object).where(killed, None),
            "severity_state": killed.map({True: KNOWN, False: BLANK}).astype(object),
        }
    )
    name = column(rows.frame, ("TWAY_ID",))
    return table if name is None else table.assign(road_name=name)


def persons(rows: Rows, table: pd.DataFrame) -> pd.DataFrame:
    """Bring a table of persons to what `gather` wants.

    Parameters
    ----------
    rows
        As it was read.
    table
        Collisions of all years, as `accidents` gives them.

    Raises
    ------
    LayerError
        When it cannot be told of which year they are.
    """
    case, kind = _need(rows, "ST_CASE"), _need(rows, "PER_TYP")
    year, body = column(rows.frame, ("YEAR",)), column(rows.frame, ("BODY_TYP",))
    of = years(year) if year is not None else pd.Series(_year(rows, case, table), index=case.index)
    user = pd.Series(pd.NA, index=case.index, dtype="string")
    if body is not None:
        code = whole(body)
        user = user.mask(code.notna() & ~code.isin(UNKNOWN_BODY), OTHER)
        user = user.mask(code.isin(MOTORCYCLES), "motorcyclist").mask(code.isin(CARS), "car_occupant")
    user = user.where(kind.isin(IN_VEHICLE))
    for codes, name in ((ON_FOOT, "pedestrian"), (ON_BICYCLE, "cyclist"), (NEITHER, OTHER)):
        user = user.mask(kind.isin(codes), name)
    id_ = of.astype("Int64").astype("string") + "/" + case
    return pd.DataFrame({"collision_id": id_, "user": user, "harm": _need(rows, "INJ_SEV").map(HARM)})


def _year(rows: Rows, case: pd.Series, table: pd.DataFrame) -> int:
    """Tell of which year a table of persons is that does not say it: that in which its cases fell on the same days."""
    there = sorted(map(int, table["year"].dropna().unique()))
    if len(there) == 1:
        return there[0]
    month, day = column(rows.frame, ("MONTH",)), column(rows.frame, ("DAY",))
    fitting = []
    if month is not None and day is not None:
        fitting = [year for year in there if _fits(case, month + "/" + day, table[table["year"] == year])]
    if len(fitting) != 1:
        years_ = ", ".join(map(str, there))
        raise LayerError(
            f"it does not say of which year its persons are; their days fit {len(fitting)} of the years {years_}",
            where=rows.name,
            todo="Give accident.csv of the same year, or add a column YEAR.",
        )
    return fitting[0]


def _fits(case: pd.Series, days: pd.Series, table: pd.DataFrame) -> bool:
    """Tell whether persons have the day of the collisions of one year that have the numbers of their cases."""
    theirs = case.map(table.drop_duplicates("case").set_index("case")["day"])
    known = theirs.notna() & days.notna()
    return bool(known.any()) and float((theirs[known] == days[known]).mean()) >= SAME_DAY


def _need(rows: Rows, *names: str) -> pd.Series:
    return need(rows, names, "fars", TABLES)
