"""STATS19: road traffic collisions in Great Britain, as the Department for Transport publishes them.

Columns and codes: DfT, 'Road safety open data guide' (2024), in both generations of names (``accident_*`` until 2023,
``collision_*`` since) and with codes spelled out, as the R package stats19 writes them.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import pyproj
from pydantic import Field

from geo.collisions.cells.carried import Carrying
from geo.collisions.cells.days.calendar import years
from geo.collisions.cells.days.dates import dates
from geo.collisions.cells.kept import kept_rows, kept_values
from geo.collisions.cells.numbers import numbers, whole
from geo.collisions.cells.places.coordinates import Place, check_place
from geo.collisions.cells.places.doubts import doubtful
from geo.collisions.cells.samples import SHOWN, unread
from geo.collisions.cells.seen import Seen
from geo.collisions.cells.severities import (
    UNMAPPED,
    questioned,
    severities,
    told_apart,
    unknown_severities,
    unmapped_values,
)
from geo.collisions.recording import severity_breaks
from geo.collisions.rows.ids import tell_apart
from geo.collisions.rows.moments import moments
from geo.collisions.rows.origin import Origin, origin_of, together
from geo.collisions.schema import CollisionSource, canonical_table, check_names
from geo.collisions.schemas.casualties import link
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.stats19_codes import carried, codes_of
from geo.collisions.schemas.stats19_columns import NAMES, find, ids, named, need
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_all
from geo.collisions.tables.table import BROKEN, Form, broken_rows
from geo.config.sections.records import SEVERITIES, Severity
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
_CLASS_UNKNOWN = ("9", "unknown (self rep only)", "data missing or out of range")
_NOT_AT_JUNCTION = ("0", "not at junction or within 20 metres")
_AT_JUNCTION = (
    *("1", "2", "3", "5", "6", "7", "8", "9", "13", "16", "17", "18", "19"),
    *("roundabout", "mini-roundabout", "t or staggered junction", "slip road", "crossroads"),
    *("more than 4 arms (not roundabout)", "junction with more than four arms (not roundabout)"),
    *("private drive or entrance", "using private drive or entrance", "other junction", "junction - other"),
)
"""Codes and labels of ``junction_detail``, of all specifications."""
_JUNCTION_UNKNOWN = ("99", "unknown (self reported)", "data missing or out of range")
_MANY = 10
"""So many rows with a value that is not known are no slip."""


class Stats19(SchemaKind):
    """The open data of the Department for Transport (Great Britain); its columns and codes are known."""

    tag: ClassVar[str] = "stats19"
    form: ClassVar[str] = "stats19"
    linking: ClassVar[tuple[str, ...]] = ("casualties", "vehicles")

    schema_: Literal["stats19"] = Field(default="stats19", alias="schema", description="stats19.")
    casualties: str | list[str] | None = Field(
        default=None,
        description="STATS19 casualty table, optional; several, of years for example: a list, or globs.",
    )
    vehicles: str | list[str] | None = Field(
        default=None, description="STATS19 vehicle table, optional; several: a list, or globs."
    )

    def read(self) -> CollisionSource:
        """See `SchemaKind.read`."""
        return read_stats19(self)

    def carrying(self) -> Carrying:
        """See `SchemaKind.carrying`."""
        return Carrying(self.carry, carried, codes_of)

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
    parts: list[pd.DataFrame] = []
    origins: list[Origin] = []
    entries: list[Entry] = []
    warnings: list[str] = []
    keep, seen, carrying = collisions.keep or {}, Seen(), collisions.carrying()
    linked = expand_globs(collisions.linked())
    form = Form(columns=None, parts=collisions.parts())
    tables = [table for table in expand_globs(collisions.sources) if table not in linked]
    for rows in read_all(tables, form):
        source = rows.name
        wanted = {f"collisions.keep.{name}": name for name in keep}
        used = {f"STATS19: {name}": name for names in NAMES.values() for name in names if name in rows.frame}
        check_names(rows.frame, wanted | used, source)
        _refuse_linked(rows.frame, source)
        origins.append(origin_of(rows.frame, source, _whence(rows.frame)))
        table, notes, questions = _canonical(rows.frame, collisions, source, seen)
        parts.append(table.assign(**carrying.take(rows.frame, source)))
        entries += [*rows.notes, *notes]
        warnings += questions
    if not parts:
        raise ConfigurationError(
            "its only file is also named as casualties or vehicles",
            where="collisions.sources",
            todo="Name the table of collisions there.",
        )
    crs = OSGR if all((part["_crs"] == "osgr").all() for part in parts) else DEGREES
    merged = pd.concat(
        [_to(crs, own, part) for own, part in zip(_crss(parts), parts, strict=True)], ignore_index=True
    )
    casualties, vehicles = (expand_globs(tables) for tables in collisions.tables().values())
    merged, origin = merged.drop(columns="_crs"), together(origins)
    by_year = False
    if casualties or vehicles:
        merged, by_year = _linkable(merged, crs, origin, collisions)
    merged, beside, doubts = link(merged, casualties=casualties, vehicles=vehicles, by_year=by_year)
    warnings += kept_values(merged["kept"], keep, seen, ", ".join(collisions.sources))
    warnings += doubtful(merged.loc[merged["kept"], "x"], merged.loc[merged["kept"], "y"], crs)
    warnings += questioned(merged.loc[merged["kept"], "severity"], "the codes of STATS19")
    return CollisionSource(
        canonical_table(merged.drop(columns="_cells")),
        crs,
        told_apart(merged, SEVERITIES),
        has_ids=True,
        entries=[entry for entry in (*entries, *beside) if entry.count],
        origin=origin,
        warnings=(*warnings, *doubts),
        cells=merged["_cells"].dropna().head(SHOWN),
        carried=carrying.doubts(),
    )


def _refuse_linked(frame: pd.DataFrame, source: str) -> None:
    """Make sure that a table is not one that belongs beside the collisions.

    Raises
    ------
    LayerError
        When it has no severity of collisions, but rows of casualties or vehicles.
    """
    if named(frame, "severity") is not None:
        return
    for what in ("casualty", "vehicle"):
        if named(frame, f"{what}_type") is not None:
            key = {"casualty": "casualties", "vehicle": "vehicles"}[what]
            raise LayerError(
                f"it is a table of {key}, not of collisions",
                where=source,
                todo=f"Name it in collisions.{key}, and the table of collisions in collisions.sources.",
            )


def _whence(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Name the columns that something is read from."""
    id_ = named(frame, "id") or named(frame, "reference")
    mapped = [name for name in map(partial(named, frame), NAMES) if name is not None]
    return {"id": [] if id_ is None else [id_], "mapped": mapped}


def _linkable(
    merged: pd.DataFrame, crs: pyproj.CRS, origin: Origin, collisions: Stats19
) -> tuple[pd.DataFrame, bool]:
    """Write ids behind their year where they start anew with it, so that each linked row finds its own collision.

    Raises
    ------
    LayerError
        When ids come back with other dates or places, and the year does not tell the collisions apart.
    """
    told = tell_apart(
        merged["collision_id"].fillna(""), moments(canonical_table(merged), crs), origin, collisions
    )
    if told.by not in ("", "year"):
        raise LayerError(
            f"the ids of its collisions come back, and only {told.by} tells them apart, which the tables of casualties "
            "and vehicles do not have",
            where=", ".join(origin.files),
            todo="Leave collisions.casualties and .vehicles out, or give tables whose ids are whole.",
        )
    return merged.assign(collision_id=told.ids.where(merged["collision_id"].notna())), told.by == "year"


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
    frame: pd.DataFrame, collisions: Stats19, source: str, seen: Seen
) -> tuple[pd.DataFrame, list[Entry], list[str]]:
    """Bring one file to the canonical columns, with what is to be told of it."""
    trusted = ~frame[BROKEN].to_numpy(dtype=bool)
    given = need(frame, "severity", source)
    found = severities(given, SEVERITY)
    x, y, crs, cells = _place(frame, source)
    when, year = find(frame, "date"), find(frame, "year")
    kept = kept_rows(frame, collisions.keep or {}, seen)
    at_junction, junctions = _at_junction(frame)
    road, roads = _road(frame)
    table = pd.DataFrame(
        {
            "collision_id": ids(frame, source),
            "severity": found.severity,
            "severity_state": found.state,
            "x": x.where(trusted),
            "y": y.where(trusted),
            "_crs": "osgr" if crs == OSGR else "degrees",
            "_cells": cells,
            "at_junction": at_junction,
            "kept": kept,
        }
    )
    late: list[Entry] = []
    warnings: list[str] = []
    if when is not None:
        told = dates(when, where=source, time_zone="Europe/London", bare_in_utc=False, day_first=True)
        table["date"], table["year"], table["month"] = told.date, told.year, told.month
        late = [*told.entries, *unread(when, told.known(), "dates")]
        warnings += told.warnings
    if year is not None:
        table["year"] = years(year).fillna(table["year"]) if when is not None else years(year)
    casualties = find(frame, "n_casualties")
    if casualties is not None:
        table["n_casualties"] = whole(casualties)
    table, entries = _adjusted(table.assign(**road), frame)
    entries += [*broken_rows(frame, source), *unknown_severities(given[kept], found.state[kept]), *late]
    unknown = int((found.state[kept] == UNMAPPED).sum())
    if unknown >= _MANY:
        values = unmapped_values(given[kept], found.state[kept])
        warnings.append(f"{unknown:,} rows have a severity that STATS19 does not know: {values}")
    return table, [*entries, *junctions, *roads], warnings


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


def _place(frame: pd.DataFrame, source: str) -> tuple[pd.Series, pd.Series, pyproj.CRS, pd.Series]:
    """Take the grid reference, recorded to the metre, before the longitude and latitude made from it.

    Returns
    -------
    x, y, their CRS, and some of the cells as they stand in the file.
    """
    cells = {
        crs: [found for name in names if (found := find(frame, name)) is not None]
        for crs, names in ((OSGR, ("easting", "northing")), (DEGREES, ("longitude", "latitude")))
    }
    places = {
        crs: Place(numbers(pair[0]), numbers(pair[1]), pd.concat(pair, axis=1))
        for crs, pair in cells.items()
        if len(pair) == 2
    }
    if not places:
        raise LayerError(
            f"it has no coordinates ({NAMES['easting'][0]} and {NAMES['northing'][0]}, or longitude and latitude)",
            where=source,
            todo="Give the DfT's collision table with its coordinates.",
        )
    for crs, place in places.items():
        check_place(place, crs, f"{source}, {' and '.join(map(str, place.cells))}")
    crs = OSGR if OSGR in places else DEGREES
    x, y = places[crs].x, places[crs].y
    if len(places) == 2:
        change = pyproj.Transformer.from_crs(DEGREES, OSGR, always_xy=True)
        east, north = change.transform(places[DEGREES].x.to_numpy(), places[DEGREES].y.to_numpy())
        gap = (x.isna() | y.isna()).to_numpy() & np.isfinite(east) & np.isfinite(north)
        x, y = x.mask(gap, east), y.mask(gap, north)
    return x, y, crs, places[crs].shown()


def _road(frame: pd.DataFrame) -> tuple[dict[str, pd.Series], list[Entry]]:
    """Class and number of the first road, as on its signs; a class that STATS19 does not know is null, and told."""
    given = find(frame, "road_class")
    if given is None:
        return {}, []
    spelled = {label.casefold(): label for label in ROAD_CLASS.values()}
    road_class = given.map(ROAD_CLASS).fillna(given.str.casefold().map(spelled))
    entries = _strange(given, road_class.notna() | given.str.casefold().isin(_CLASS_UNKNOWN), "road classes")
    number = find(frame, "road_number")
    if number is None:
        return {"road_class": road_class}, entries
    ref = road_class.map(_NUMBERED) + number.where(number != "0")
    return {"road_class": road_class, "road_ref": ref + np.where(road_class == "A(M)", "(M)", "")}, entries


def _at_junction(frame: pd.DataFrame) -> tuple[pd.Series, list[Entry]]:
    """Tell whether the record puts the collision at, or within 20 m of, a junction; null where it is not known."""
    told = find(frame, "junction")
    before = find(frame, "junction_before")
    if told is None:
        return pd.Series(pd.NA, index=frame.index, dtype="boolean"), []
    if before is not None:
        told = told.fillna(before)
    plain = told.str.casefold()
    no = plain.isin(_NOT_AT_JUNCTION)
    yes = plain.isin(_AT_JUNCTION)
    entries = _strange(told, no | yes | plain.isin(_JUNCTION_UNKNOWN), "junction details")
    return yes.astype("boolean").where((yes | no).astype(bool)), entries


def _strange(cells: pd.Series, known: pd.Series, item: str) -> list[Entry]:
    """Account for values that STATS19 does not know."""
    return unread(cells, known.astype("boolean").where(known.fillna(value=False).astype(bool)), item)
