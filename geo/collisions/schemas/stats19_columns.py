"""The columns of STATS19 under any of their names: DfT, 'Road safety open data guide' (2024)."""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.text import text
from geo.collisions.rows.ids import ROUNDED
from geo.collisions.schemas.published.known import hint
from geo.collisions.tables.table import BROKEN
from geo.errors import LayerError

NAMES = {
    "id": ("collision_index", "accident_index", "Accident_Index", "Acc_Index"),
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
    "police_force": ("police_force", "Police_Force"),
    "injury_based": ("collision_injury_based", "accident_injury_based"),
    "adjusted_serious": (
        "collision_adjusted_severity_serious",
        "collision_adjusted_serious",
        "accident_adjusted_severity_serious",
    ),
    "casualty_type": ("casualty_type", "Casualty_Type"),
    "casualty_class": ("casualty_class", "Casualty_Class"),
    "casualty_reference": ("casualty_reference", "Casualty_Reference"),
    "vehicle_reference": ("vehicle_reference", "Vehicle_Reference"),
    "vehicle_type": ("vehicle_type", "Vehicle_Type"),
}


def named(frame: pd.DataFrame, what: str) -> str | None:
    """Name the column that holds something, whatever the case of its name; None where it is not there."""
    return spelled(frame, *NAMES[what])


def spelled(frame: pd.DataFrame, *names: str) -> str | None:
    """Name the first column that is called by one of some names, whatever its case; None where there is none."""
    there = {plain(name): name for name in reversed([*map(str, frame.columns)])}
    return next((there[plain(name)] for name in names if plain(name) in there), None)


def find(frame: pd.DataFrame, what: str) -> pd.Series | None:
    """Find a column under any of its names, as text; None where it is not there."""
    name = named(frame, what)
    return None if name is None else text(frame[name])


def plain(name: str) -> str:
    """Bring the name of a column to the form in which names are compared."""
    return name.casefold().replace(" ", "_").replace("-", "_")


def need(frame: pd.DataFrame, what: str, source: str) -> pd.Series:
    """Find a column that must be there.

    Raises
    ------
    LayerError
        Naming it, and the columns that there are.
    """
    found = find(frame, what)
    if found is None:
        raise LayerError(
            f"it has none of the columns {', '.join(NAMES[what][:2])}; there are "
            f"{', '.join(str(c) for c in frame.columns if c != BROKEN)}",
            where=source,
            todo=hint(map(str, frame.columns), "stats19")
            + "Give the DfT's collision table, or use collisions.schema: columns with a mapping.",
        )
    return found


def ids(frame: pd.DataFrame, source: str) -> pd.Series:
    """Take the index, else the year and the reference that it is made of; a reference alone comes back every year.

    Where a spreadsheet has rounded the index and not the reference, it is made anew.
    """
    year, reference, index = (find(frame, what) for what in ("year", "reference", "id"))
    made = None if year is None or reference is None else year + reference
    if index is None:
        return need(frame, "id", source) if made is None else made
    if made is None or reference is None:
        return index
    rounded, whole = (cells.str.fullmatch(ROUNDED).fillna(value=False) for cells in (index, reference))
    return index.mask(rounded & ~whole, made)


def linked_ids(frame: pd.DataFrame, source: str, *, by_year: bool) -> pd.Series:
    """Take the id of the collision that each row of a linked table is of, behind its year where that tells ids apart.

    Raises
    ------
    LayerError
        When the year is needed, and the table has none.
    """
    found = ids(frame, source)
    if not by_year:
        return found
    year = find(frame, "year")
    if year is None:
        raise LayerError(
            "the ids of the collisions start anew each year, and it has no year that tells which of them is meant",
            where=source,
            todo=f"Add the column {NAMES['year'][0]} to it, or give collisions and linked tables of one year.",
        )
    return year + "/" + found
