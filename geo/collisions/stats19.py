"""STATS19: road traffic collisions in Great Britain, as the Department for Transport publishes them.

Columns and codes: DfT, 'Road safety open data guide' (2024), in both generations of names (``accident_*`` until 2023,
``collision_*`` since) and with codes spelled out, as the R package stats19 writes them.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pyproj

from geo.collisions.schema import (
    SEVERITIES,
    CollisionSource,
    check_names,
    dates,
    finish,
    kept_rows,
    numbers,
    severities,
    text,
    told_apart,
    unknown_severities,
    unread,
    whole,
)
from geo.collisions.sources import BROKEN, broken_rows, expand_tables, read_rows
from geo.config import Collisions, Severity
from geo.errors import ConfigurationError, LayerError
from geo.ledger import Entry

OSGR, DEGREES = pyproj.CRS.from_epsg(27700), pyproj.CRS.from_epsg(4326)
NAMES = {
    "id": ("collision_index", "accident_index", "Accident_Index"),
    "year": ("collision_year", "accident_year", "Year"),
    "reference": ("collision_ref_no", "accident_reference"),
    "severity": ("collision_severity", "accident_severity", "Accident_Severity"),
    "easting": ("location_easting_osgr", "Location_Easting_OSGR"),
    "northing": ("location_northing_osgr", "Location_Northing_OSGR"),
    "longitude": ("longitude", "Longitude"),
    "latitude": ("latitude", "Latitude"),
    "date": ("date", "Date"),
    "n_casualties": ("number_of_casualties", "Number_of_Casualties"),
    "road_class": ("first_road_class", "1st_Road_Class"),
    "road_number": ("first_road_number", "1st_Road_Number"),
    "junction": ("junction_detail", "Junction_Detail"),
    "junction_before": ("junction_detail_historic",),
}
SEVERITY: dict[Severity, list[str]] = {
    "fatal": ["1", "Fatal"],
    "serious": ["2", "Serious"],
    "slight": ["3", "Slight"],
}
ROAD_CLASS = {"1": "Motorway", "2": "A(M)", "3": "A", "4": "B", "5": "C", "6": "Unclassified"}
_NUMBERED = {"Motorway": "M", "A(M)": "A", "A": "A", "B": "B", "C": "C"}
_NOT_AT_JUNCTION = ("0", "not at junction or within 20 metres")
_JUNCTION_UNKNOWN = ("99", "unknown (self reported)", "data missing or out of range")
USERS = {
    "n_pedestrian": ("0", "pedestrian"),
    "n_cyclist": ("1", "cyclist"),
    "n_motorcyclist": ("2", "3", "4", "5", "23", "97", "103", "104", "105", "106"),
    "n_car_occupant": ("8", "9", "108", "109", "car occupant", "taxi/private hire car occupant"),
}
"""Values of ``casualty_type`` by road user, those of earlier specifications (from 103 on) included."""


def read_stats19(collisions: Collisions) -> CollisionSource:
    """Read STATS19 collisions, with their casualties and vehicles where the configuration names those tables.

    Raises
    ------
    SourceError, LayerError
        When a file cannot be read, or lacks the id, the severity or coordinates.
    """
    parts, entries, crss = [], [], set()
    tables = [t for t in expand_tables(collisions) if t not in {collisions.casualties, collisions.vehicles}]
    for source in tables:
        rows = read_rows(source)
        wanted = {f"collisions.keep.{name}": name for name in collisions.keep or {}}
        used = {f"STATS19: {name}": name for names in NAMES.values() for name in names if name in rows.frame}
        check_names(rows.frame, wanted | used, source)
        table, crs, unknown, without = _canonical(rows.frame, collisions, source)
        parts.append(table)
        crss.add(crs)
        entries += [*broken_rows(rows.frame, source), *unknown_severities(unknown, without)]
        when = _find(rows.frame, "date")
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
    merged, linked = _link(merged.drop(columns="_crs"), collisions)
    found = [entry for entry in (*entries, *linked) if entry.count]
    return CollisionSource(finish(merged), crs, told_apart(merged, SEVERITIES), has_ids=True, entries=found)


def _crss(parts: list[pd.DataFrame]) -> list[pyproj.CRS]:
    return [OSGR if part["_crs"].iloc[0] == "osgr" else DEGREES for part in parts]


def _to(crs: pyproj.CRS, own: pyproj.CRS, part: pd.DataFrame) -> pd.DataFrame:
    """Bring one file's coordinates to the CRS of all."""
    if own == crs:
        return part
    x, y = pyproj.Transformer.from_crs(own, crs, always_xy=True).transform(part["x"], part["y"])
    finite = np.isfinite(x) & np.isfinite(y)
    return part.assign(x=np.where(finite, x, np.nan), y=np.where(finite, y, np.nan))


def _find(frame: pd.DataFrame, what: str) -> pd.Series | None:
    """Find a column under any of its names."""
    name = next((name for name in NAMES[what] if name in frame), None)
    return None if name is None else text(frame[name])


def _need(frame: pd.DataFrame, what: str, source: str) -> pd.Series:
    found = _find(frame, what)
    if found is None:
        raise LayerError(
            f"it has none of the columns {', '.join(NAMES[what][:2])}; there are "
            f"{', '.join(str(c) for c in frame.columns if c != BROKEN)}",
            where=source,
            todo="Give the DfT's collision table, or use collisions.schema: columns with a mapping.",
        )
    return found


def _canonical(
    frame: pd.DataFrame, collisions: Collisions, source: str
) -> tuple[pd.DataFrame, pyproj.CRS, pd.Series, int]:
    """Bring one file to the canonical columns; gives also its CRS, the unknown severities and how many have none."""
    trusted = ~frame[BROKEN].to_numpy(dtype=bool)
    severity, unknown = severities(_need(frame, "severity", source), SEVERITY)
    x, y, crs = _place(frame, source)
    when, year = _find(frame, "date"), _find(frame, "year")
    table = pd.DataFrame(
        {
            "collision_id": _ids(frame, source),
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
    casualties = _find(frame, "n_casualties")
    if casualties is not None:
        table["n_casualties"] = whole(casualties)
    return table.assign(**_road(frame)), crs, unknown, int(severity.isna().sum() - len(unknown))


def _form(when: pd.Series) -> str:
    """Tell the DfT's day-first dates from ISO ones: STATS19 never has the month first."""
    return "%d/%m/%Y" if when.str.contains("/").fillna(value=False).any() else "ISO8601"


def _ids(frame: pd.DataFrame, source: str) -> pd.Series:
    """Take the index, else the year and the reference that it is made of; a reference alone comes back every year."""
    year, reference = _find(frame, "year"), _find(frame, "reference")
    if _find(frame, "id") is None and year is not None and reference is not None:
        return year + reference
    return _need(frame, "id", source)


def _place(frame: pd.DataFrame, source: str) -> tuple[pd.Series, pd.Series, pyproj.CRS]:
    """Take the grid reference, recorded to the metre, before the longitude and latitude made from it."""
    found = {
        crs: [numbers(cells) for cells in map(partial(_find, frame), names) if cells is not None]
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
    given = _find(frame, "road_class")
    if given is None:
        return {}
    spelled = {label.casefold(): label for label in ROAD_CLASS.values()}
    road_class = given.map(ROAD_CLASS).fillna(given.str.casefold().map(spelled))
    number = _find(frame, "road_number")
    if number is None:
        return {"road_class": road_class}
    ref = road_class.map(_NUMBERED) + number.where(number != "0")
    return {"road_class": road_class, "road_ref": ref + np.where(road_class == "A(M)", "(M)", "")}


def _at_junction(frame: pd.DataFrame) -> pd.Series:
    """Tell whether the record puts the collision at, or within 20 m of, a junction."""
    told = _find(frame, "junction")
    before = _find(frame, "junction_before")
    if told is None:
        return pd.Series(pd.NA, index=frame.index, dtype="boolean")
    if before is not None:
        told = told.fillna(before)
    plain = told.str.casefold()
    known = plain.notna() & ~plain.isin(_JUNCTION_UNKNOWN)
    return (~plain.isin(_NOT_AT_JUNCTION)).astype("boolean").where(known)


def _link(table: pd.DataFrame, collisions: Collisions) -> tuple[pd.DataFrame, list[Entry]]:
    """Count casualties by road user, and vehicles, from the linked tables."""
    entries: list[Entry] = []
    if collisions.casualties is not None:
        people, note = _linked(collisions.casualties, "casualties", table)
        kind = _casualty_type(people, collisions.casualties)
        of = people["_id"]
        for column, values in USERS.items():
            counts = kind.isin(values).groupby(of).sum()
            table[column] = _counts(table, counts)
        linked = _counts(table, of.value_counts())
        table["n_casualties"] = linked.fillna(table["n_casualties"]) if "n_casualties" in table else linked
        entries.append(note)
    if collisions.vehicles is not None:
        vehicles, note = _linked(collisions.vehicles, "vehicles", table)
        table["n_vehicles"] = _counts(table, vehicles["_id"].value_counts())
        entries.append(note)
    return table, entries


def _linked(source: str, item: str, table: pd.DataFrame) -> tuple[pd.DataFrame, Entry]:
    """Read a linked table; rows of collisions that are not there are accounted for."""
    frame = read_rows(source).frame
    frame["_id"] = _ids(frame, source)
    known = frame["_id"].isin(table["collision_id"])
    return frame[known], Entry(
        item, "skipped", "their collision is not among the records", int((~known).sum())
    )


def _casualty_type(people: pd.DataFrame, source: str) -> pd.Series:
    name = next((n for n in ("casualty_type", "Casualty_Type") if n in people), None)
    if name is None:
        raise LayerError(
            "it has no column casualty_type", where=source, todo="Give the DfT's casualty table."
        )
    plain = text(people[name]).str.casefold()
    return plain.where(~plain.str.contains("motorcycle").fillna(value=False), "2")


def _counts(table: pd.DataFrame, counts: pd.Series) -> pd.Series:
    """Bring counts by collision to the rows of the collisions: null without a linked row, for none is known."""
    return table["collision_id"].map(counts).astype("Int64")
