"""BAAC: injury collisions in France, four linked tables a year, as the ONISR publishes them.

Columns and codes: Observatoire national interministériel de la sécurité routière (ONISR), 'Description des bases de
données annuelles des accidents corporels de la circulation routière', on data.gouv.fr. Until 2018 years have two
digits, and coordinates are in hundred thousandths of a degree; one year's file calls ``Num_Acc`` ``Accident_Id``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import pandas as pd
import pyproj
from pydantic import Field

from geo.collisions.cells.carried import Carrying
from geo.collisions.cells.days.calendar import days_of, months_of_year, years
from geo.collisions.cells.kept import kept_rows
from geo.collisions.cells.numbers import numbers, whole
from geo.collisions.cells.samples import unread
from geo.collisions.cells.severities import told_apart
from geo.collisions.rows.origin import Origin, origin_of, together
from geo.collisions.schema import CollisionSource, canonical_table, check_names
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.published.people import OTHER, UNHURT, gather, states, without_severity
from geo.collisions.schemas.published.preset import Header
from geo.collisions.schemas.published.reading import LINKED, column, need, own_tables, read_published
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.table import BROKEN, Form, Rows, broken_rows
from geo.config.sections.records import SEVERITIES
from geo.ledger import Entry

ID = ("Num_Acc", "Accident_Id")
HARM = {"1": UNHURT, "2": "fatal", "3": "serious", "4": "slight"}
"""``grav`` of a person; serious is more than 24 hours in hospital."""
ON_FOOT, IN_VEHICLE = ("3", "4"), ("1", "2")
"""``catu`` of a person: 4 was on roller skates or a scooter, until 2017."""
VEHICLES = {
    "cyclist": ("1", "80"),
    "motorcyclist": ("2", "4", "5", "6", "30", "31", "32", "33", "34", "41", "42", "43"),
    "car_occupant": ("7", "8", "9"),
}
"""``catv`` of a vehicle by road user, those out of use since 2006 included; electric bicycles are bicycles."""
UNKNOWN_VEHICLE = ("0", "-1")
CLASSES = {"1": "A", "2": "N", "3": "D"}
"""``catr`` of a road, and the letter before its number: autoroute, route nationale, route départementale."""
TABLES = "Give the four tables of the BAAC: caracteristiques in sources, usagers in casualties, vehicules in vehicles."
HUNDRED_THOUSANDTHS = 1e5
BREAK = 2018
"""From this year on, who was taken to hospital is recorded in another way."""


class Baac(SchemaKind):
    """Injury collisions in France (BAAC), four linked tables a year; their columns and codes are known."""

    tag: ClassVar[str] = "baac"
    form: ClassVar[str] = "baac"
    linking: ClassVar[tuple[str, ...]] = ("casualties", "vehicles", "places")

    schema_: Literal["baac"] = Field(default="baac", alias="schema", description="baac.")
    casualties: str | list[str] | None = Field(
        default=None,
        description="Tables of persons (usagers), files or globs: without them no severity is known.",
    )
    vehicles: str | list[str] | None = Field(
        default=None,
        description="Tables of vehicles (vehicules), files or globs, optional: they tell road users.",
    )
    places: str | list[str] | None = Field(
        default=None,
        description="Tables of roads (lieux), files or globs, optional: they tell a road's number.",
    )

    def read(self) -> CollisionSource:
        """See `SchemaKind.read`."""
        return read_baac(self)

    def breaks(self, records: pd.DataFrame) -> list[str]:
        """See `SchemaKind.breaks`."""
        before = records["source_year"] < BREAK
        if not before.any() or before.all():
            return []
        told = f"since {BREAK} who was taken to hospital is recorded in another way than before (ONISR)"
        return [f"{told}: serious collisions of the years before and since then do not compare"]


def read_baac(collisions: Baac) -> CollisionSource:
    """Read BAAC collisions, with persons, vehicles and roads where the configuration names those tables.

    Raises
    ------
    SourceError, LayerError
        When a file cannot be read, or lacks a column that it must have.
    """
    linked = {key: expand_globs(tables) for key, tables in collisions.tables().items()}
    carrying = collisions.carrying()
    others = [one for tables in linked.values() for one in tables]
    table, origins, entries = _collisions(collisions, others, carrying)
    if linked["casualties"]:
        kinds = [vehicle_kinds(rows) for rows in _tables(linked["vehicles"], entries)]
        vehicles = pd.concat(kinds) if kinds else None
        people = [persons(rows, vehicles) for rows in _tables(linked["casualties"], entries)]
        table, notes = gather(table, pd.concat(people), "casualties")
        entries += notes
    if "worst" in table:
        harm = table.pop("worst")
        entries += without_severity(harm[table["kept"]])
        table["severity"], table["severity_state"] = harm.where(harm.isin(SEVERITIES), None), states(harm)
    if linked["places"]:
        roads = pd.concat([road_numbers(rows) for rows in _tables(linked["places"], entries)])
        table["road_ref"] = table["collision_id"].map(roads[~roads.index.duplicated()])
    return CollisionSource(
        canonical_table(table),
        pyproj.CRS.from_epsg(4326),
        told_apart(table, SEVERITIES) if "severity" in table else frozenset(),
        has_ids=True,
        entries=[entry for entry in entries if entry.count],
        origin=together(origins),
        carried=carrying.doubts(),
    )


def _collisions(
    collisions: Baac, linked: Sequence[str], carrying: Carrying
) -> tuple[pd.DataFrame, list[Origin], list[Entry]]:
    """Read the tables of collisions of all years."""
    parts: list[pd.DataFrame] = []
    origins: list[Origin] = []
    entries: list[Entry] = []
    form = Form(columns=None, parts=collisions.parts())
    sources = own_tables(collisions.sources, linked)
    for rows in (rows for source in sources for rows in read_published(source, form)):
        keep = collisions.keep or {}
        check_names(rows.frame, {f"collisions.keep.{name}": name for name in keep}, rows.name)
        carried = carrying.take(rows.frame, rows.name)
        parts.append(characteristics(rows).assign(kept=kept_rows(rows.frame, keep), **carried))
        id_ = Header(rows.frame.columns).find(ID)
        origins.append(origin_of(rows.frame, rows.name, {"id": id_, "date": "jour", "year": "an"}))
        entries += [*rows.notes, *broken_rows(rows.frame, rows.name)]
        entries += unread(_need(rows, "an"), parts[-1]["year"], "years")
    return pd.concat(parts, ignore_index=True), origins, entries


def characteristics(rows: Rows) -> pd.DataFrame:
    """Bring a table of collisions (caracteristiques) to ids, dates and places in degrees.

    Tables that others have joined hold the severity of persons (``grav``), too: that is ``worst`` then.
    """
    year, month = years(_need(rows, "an")), months_of_year(_need(rows, "mois"))
    x, y = degrees(_need(rows, "long"), _need(rows, "lat"))
    trusted = ~rows.frame[BROKEN].to_numpy(dtype=bool)
    harm = column(rows.frame, ("grav",))
    table = pd.DataFrame(
        {
            "collision_id": _need(rows, *ID),
            "date": days_of(year, month, whole(_need(rows, "jour"))),
            "year": year,
            "month": month,
            "x": x.where(trusted),
            "y": y.where(trusted),
        }
    )
    return table if harm is None else table.assign(worst=harm.map(HARM))


def degrees(longitude: pd.Series, latitude: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Read coordinates of any year, with decimal commas or points; NaN where there are none, written as 0 in old files.

    They are hundred thousandths of a degree where the latitude is beyond the poles otherwise.
    """
    x, y = (numbers(of.str.replace(",", ".", regex=False)) for of in (longitude, latitude))
    nowhere = x.isna() | y.isna() | ((x == 0) & (y == 0))
    scale = (y.abs() > 90).map({True: HUNDRED_THOUSANDTHS, False: 1.0})
    return (x / scale).mask(nowhere), (y / scale).mask(nowhere)


def vehicle_kinds(rows: Rows) -> pd.Series:
    """Tell the road user in each vehicle (vehicules), by collision and vehicle; null where its kind is not known."""
    code = whole(_need(rows, "catv")).astype("string")
    users = {one: user for user, codes in VEHICLES.items() for one in codes}
    kind = code.map(users).astype("string").fillna(OTHER).mask(code.isna() | code.isin(UNKNOWN_VEHICLE))
    return kind.set_axis(_vehicle(rows))


def persons(rows: Rows, vehicles: pd.Series | None) -> pd.DataFrame:
    """Bring a table of persons (usagers) to what `gather` wants; `vehicles` are of `vehicle_kinds`."""
    role = _need(rows, "catu")
    user = pd.Series(pd.NA, index=role.index, dtype="string")
    if vehicles is not None:
        kinds = vehicles[~vehicles.index.duplicated()]
        user = kinds.reindex(_vehicle(rows)).set_axis(role.index).astype("string")
    user = user.where(role.isin(IN_VEHICLE)).mask(role.isin(ON_FOOT), "pedestrian")
    return pd.DataFrame(
        {"collision_id": _need(rows, *ID), "user": user, "harm": _need(rows, "grav").map(HARM)}
    )


def road_numbers(rows: Rows) -> pd.Series:
    """Give the number of the road, as on its signs, by collision (lieux), where it is of a numbered class."""
    letter = _need(rows, "catr").map(CLASSES)
    number = _need(rows, "voie").str.extract(r"^[AND]?\s*(\d+)$")[0]
    found = (letter + number).set_axis(pd.Index(_need(rows, *ID)))
    return found[found.notna() & ~found.index.duplicated()]


def _vehicle(rows: Rows) -> pd.MultiIndex:
    """Name the vehicle of each row: its id since 2019, before that its letter within the collision."""
    named = [column(rows.frame, (name,)) for name in ("id_vehicule", "num_veh")]
    first, *others = [one for one in named if one is not None] or [_need(rows, "id_vehicule", "num_veh")]
    for other in others:
        first = first.fillna(other)
    return pd.MultiIndex.from_arrays([_need(rows, *ID), first])


def _need(rows: Rows, *names: str) -> pd.Series:
    return need(rows, names, "baac", TABLES)


def _tables(sources: Sequence[str], entries: list[Entry]) -> Iterator[Rows]:
    """Read linked tables of one kind, and account for rows that cannot be trusted."""
    for rows in (rows for source in sources for rows in read_published(source, LINKED)):
        entries += [*rows.notes, *broken_rows(rows.frame, rows.name)]
        yield rows
