"""STATS19: road traffic collisions in Great Britain, as the Department for Transport publishes them.

Columns and codes: DfT, 'Road safety open data guide' (2024), in both generations of names (``accident_*`` until 2023,
``collision_*`` since) and with codes spelled out, as the R package stats19 writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
import pyproj
from pydantic import Field

from geo.collisions.cells.dates import dates
from geo.collisions.cells.kept import kept_rows
from geo.collisions.cells.numbers import numbers, whole
from geo.collisions.cells.samples import unread
from geo.collisions.cells.severities import severities, told_apart, unknown_severities
from geo.collisions.recording import severity_breaks
from geo.collisions.rows.origin import origin_of, together
from geo.collisions.schema import CollisionSource, canonical_table, check_names
from geo.collisions.schemas.casualties import link
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.stats19_columns import NAMES, find, ids, named, need
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_tables
from geo.collisions.tables.table import BROKEN, Form, broken_rows
from geo.config.records import SEVERITIES, Severity, as_list
from geo.errors import ConfigurationError, LayerError
from geo.ledger import Entry

OSGR, DEGREES = pyproj.CRS.from_epsg(27700), pyproj.CRS.from_epsg(4326)
SEVERITY: dict[Severity, list[str]] = {
    "fatal": ["1", "Fatal"],
    "serious": ["2", "Serious"],
    "slight": ["3", "Slight"],
}
ROAD_CLASS = {"1": "Motorway", "2": "A(M)", "3": "A", "4": "B", "5": "C", "6": "Unclassified"}
_NUMBERED = {"Motorway": "M", "A(M)": "A", "A": "A", "B": "B", "C": "C"}
_NOT_AT_JUNCTION = ("0", "not at junction or within 20 metres")
_JUNCTION_UNKNOWN = ("99", "unknown (self reported)", "data missing or out of range")


class Stats19(SchemaKind):
    """The open data of the Department for Transport (Great Britain); its columns and codes are known."""

    tag: ClassVar[str] = "stats19"
    form: ClassVar[str] = "stats19"

    schema_: Literal["stats19"] = Field(default="stats19", alias="schema", description="stats19.")
    casualties: str | list[str] | None = Field(
        default=None,
        description="STATS19 casualty table, optional; several, of years for example: a list, or globs.",
    )
    vehicles: str | list[str] | None = Field(
        default=None, description="STATS19 vehicle table, optional; several: a list, or globs."
    )

    def linked(self) -> list[str]:
        """See `Collisions.linked`."""
        return [*as_list(self.casualties), *as_list(self.vehicles)]

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """See `Collisions.with_paths`."""
        linked = {"casualties": self.casualties, "vehicles": self.vehicles}
        return self.model_copy(
            update={key: [resolve(one) for one in as_list(tables)] for key, tables in linked.items()}
        )

    def read(self) -> CollisionSource:
        """See `SchemaKind.read`."""
        return read_stats19(self)

    def breaks(self, records: pd.DataFrame) -> list[str]:
        """See `SchemaKind.breaks`."""
        return severity_breaks(records)


def read_stats19(collisions: Stats19) -> CollisionSource:
    """Read STATS19 collisions, with their casualties and vehicles where the configuration names those tables.

    Raises
    ------
    SourceError, LayerError
        When a file cannot be read, or lacks the id, the severity or coordinates.
    """
    parts, origins, entries, crss = [], [], [], set()
    linked = expand_globs(collisions.linked())
    form = Form(columns=None, parts=collisions.parts())
    tables = [table for table in expand_globs(collisions.sources) if table not in linked]
    for rows in (rows for table in tables for rows in read_tables(table, form)):
        source = rows.name
        wanted = {f"collisions.keep.{name}": name for name in collisions.keep or {}}
        used = {f"STATS19: {name}": name for names in NAMES.values() for name in names if name in rows.frame}
        check_names(rows.frame, wanted | used, source)
        origins.append(
            origin_of(rows.frame, source, {what: named(rows.frame, what) for what in ("id", "date", "year")})
        )
        table, crs, unknown, without = _canonical(rows.frame, collisions, source)
        table, notes = _adjusted(table, rows.frame)
        entries += notes
        parts.append(table)
        crss.add(crs)
        entries += [*rows.notes, *broken_rows(rows.frame, source), *unknown_severities(unknown, without)]
        when = find(rows.frame, "date")
        entries += [] if when is None else unread(when, table["date"], "dates")
    if not parts:
        raise ConfigurationError(
            "its only file is also named as casualties or vehicles",
            where="collisions.sources",
            todo="Name the table of collisions there.",
        )
    crs = OSGR if crss == {OSGR} else DEGREES
    merged = pd.concat(
        [_to(crs, own, part) for own, part in zip(_crss(parts), parts, strict=True)], ignore_index=True
    )
    casualties, vehicles = (
        expand_globs(as_list(tables)) for tables in (collisions.casualties, collisions.vehicles)
    )
    merged, notes = link(merged.drop(columns="_crs"), casualties=casualties, vehicles=vehicles)
    found = [entry for entry in (*entries, *notes) if entry.count]
    return CollisionSource(
        canonical_table(merged),
        crs,
        told_apart(merged, SEVERITIES),
        has_ids=True,
        entries=found,
        origin=together(origins),
    )


def _crss(parts: list[pd.DataFrame]) -> list[pyproj.CRS]:
    return [OSGR if part["_crs"].iloc[0] == "osgr" else DEGREES for part in parts]


def _to(crs: pyproj.CRS, own: pyproj.CRS, part: pd.DataFrame) -> pd.DataFrame:
    """Bring one file's coordinates to the CRS of all."""
    if own == crs:
        return part
    x, y = pyproj.Transformer.from_crs(own, crs, always_xy=True).transform(part["x"], part["y"])
    finite = np.isfinite(x) & np.isfinite(y)
    return part.assign(x=np.where(finite, x, np.nan), y=np.where(finite, y, np.nan))


def _canonical(
    frame: pd.DataFrame, collisions: Stats19, source: str
) -> tuple[pd.DataFrame, pyproj.CRS, pd.Series, int]:
    """Bring one file to the canonical columns; gives also its CRS, the unknown severities and how many have none."""
    trusted = ~frame[BROKEN].to_numpy(dtype=bool)
    severity, unknown = severities(need(frame, "severity", source), SEVERITY)
    x, y, crs = _place(frame, source)
    when, year = find(frame, "date"), find(frame, "year")
    table = pd.DataFrame(
        {
            "collision_id": ids(frame, source),
            "severity": severity,
            "x": x.where(trusted),
            "y": y.where(trusted),
            "_crs": "osgr" if crs == OSGR else "degrees",
            "at_junction": _at_junction(frame),
            "kept": kept_rows(frame, collisions.keep or {}),
        }
    )
    if when is not None:
        table["date"] = dates(when, where=source, date_format=_form(when))
    if year is not None:
        table["year"] = whole(year)
    casualties = find(frame, "n_casualties")
    if casualties is not None:
        table["n_casualties"] = whole(casualties)
    return table.assign(**_road(frame)), crs, unknown, int(severity.isna().sum() - len(unknown))


def _adjusted(table: pd.DataFrame, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Entry]]:
    """Add how severity was recorded, and the DfT's adjustment for forces that judged it without listing injuries.

    ``ksi_adjusted`` is the probability that a collision would count as fatal or serious under injury-based recording:
    1 for a fatal one, else the published adjusted figure (Department for Transport, 'Guide to severity adjustments for
    reported road casualties Great Britain', 2024; Office for National Statistics, final methodology report, 2019).
    """
    force, based = find(frame, "police_force"), find(frame, "injury_based")
    if force is not None:
        table["police_force"] = force
    if based is not None:
        table["injury_based"] = (based == "1").astype("boolean").where(based.isin(["0", "1"]))
    serious = find(frame, "adjusted_serious")
    if serious is None:
        return table, []
    share = numbers(serious)
    share = share.where(share.between(0, 1))
    table["ksi_adjusted"] = share.mask((table["severity"] == "fatal") & share.notna(), 1.0)
    return table, unread(serious, share, "adjusted severities")


def _form(when: pd.Series) -> str:
    """Tell the DfT's day-first dates from ISO ones: STATS19 never has the month first."""
    return "%d/%m/%Y" if when.str.contains("/").fillna(value=False).any() else "ISO8601"


def _place(frame: pd.DataFrame, source: str) -> tuple[pd.Series, pd.Series, pyproj.CRS]:
    """Take the grid reference, recorded to the metre, before the longitude and latitude made from it."""
    found = {
        crs: [numbers(cells) for cells in map(partial(find, frame), names) if cells is not None]
        for crs, names in ((OSGR, ("easting", "northing")), (DEGREES, ("longitude", "latitude")))
    }
    whole_ones = [crs for crs, pair in found.items() if len(pair) == 2]
    if len(whole_ones) == 2:
        change = pyproj.Transformer.from_crs(DEGREES, OSGR, always_xy=True)
        lon, lat = found[DEGREES]
        east, north = change.transform(lon.to_numpy(), lat.to_numpy())
        x, y = found[OSGR]
        gap = (x.isna() | y.isna()).to_numpy() & np.isfinite(east) & np.isfinite(north)
        return x.mask(gap, east), y.mask(gap, north), OSGR
    if whole_ones:
        x, y = found[whole_ones[0]]
        return x, y, whole_ones[0]
    raise LayerError(
        f"it has no coordinates ({NAMES['easting'][0]} and {NAMES['northing'][0]}, or longitude and latitude)",
        where=source,
        todo="Give the DfT's collision table with its coordinates.",
    )


def _road(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Class and number of the first road, as on its signs."""
    given = find(frame, "road_class")
    if given is None:
        return {}
    spelled = {label.casefold(): label for label in ROAD_CLASS.values()}
    road_class = given.map(ROAD_CLASS).fillna(given.str.casefold().map(spelled))
    number = find(frame, "road_number")
    if number is None:
        return {"road_class": road_class}
    ref = road_class.map(_NUMBERED) + number.where(number != "0")
    return {"road_class": road_class, "road_ref": ref + np.where(road_class == "A(M)", "(M)", "")}


def _at_junction(frame: pd.DataFrame) -> pd.Series:
    """Tell whether the record puts the collision at, or within 20 m of, a junction."""
    told = find(frame, "junction")
    before = find(frame, "junction_before")
    if told is None:
        return pd.Series(pd.NA, index=frame.index, dtype="boolean")
    if before is not None:
        told = told.fillna(before)
    plain = told.str.casefold()
    known = plain.notna() & ~plain.isin(_JUNCTION_UNKNOWN)
    return (~plain.isin(_NOT_AT_JUNCTION)).astype("boolean").where(known)
