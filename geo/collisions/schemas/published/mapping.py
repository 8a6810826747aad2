"""What a preset makes of one file: the mapping of its columns, as a user would write it for ``schema: columns``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geo.collisions.cells.numbers import numbers
from geo.collisions.cells.text import text
from geo.collisions.schemas.published.known import hint
from geo.collisions.schemas.published.preset import DEGREES, Header, Names, OneOf, Place, Preset
from geo.config.sections.records import Columns, UserValues
from geo.errors import LayerError

MONTH_FIRST = {
    r"\d{1,2}/\d{1,2}/\d{4}": "%m/%d/%Y",
    r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}": "%m/%d/%Y %H:%M",
    r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2}": "%m/%d/%Y %H:%M:%S",
    r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2} [APap][Mm]": "%m/%d/%Y %I:%M %p",
    r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}:\d{2} [APap][Mm]": "%m/%d/%Y %I:%M:%S %p",
}
"""Dates as they are written in the United States, and their format."""
OFFSET = r"\d(?:Z|[+-]\d{2}(?::?\d{2})?)$"
"""Ends a time that says how far it is from UTC."""


def mapping_of(
    preset: Preset, schema: str, frame: pd.DataFrame, source: str, own: Columns | None = None
) -> Columns:
    """Map the columns of one file, which may have changed their names over the years.

    Parameters
    ----------
    preset
        What is known of such files.
    schema
        Its name, for messages.
    frame
        The file as it was read, all cells as text. Where several columns tell one thing together, one that adds them up
        is put beside them, under their names.
    source
        Its path, for messages.
    own
        Keys of the user's, which stand over the preset's.

    Raises
    ------
    LayerError
        When the file lacks columns that it must have: which, and which schema its header is of.
    """
    given: dict[str, Any] = {} if own is None else own.model_dump(exclude_unset=True)
    header = Header(frame.columns)
    missing = preset.missing(header, without=given)
    if missing:
        raise LayerError(
            f"it has no column {', '.join(missing)}, which schema: {schema} needs ({preset.title}); there are "
            f"{', '.join(header.names)}",
            where=source,
            todo=f"{hint(header.names, schema)}Any other table is read by collisions.schema: columns with a mapping.",
        )
    empty_is_none = bool(given.get("empty_is_none", preset.blank_is_none))
    found: dict[str, Any] = {"empty_is_none": empty_is_none}
    found |= {key: header.find(names) for key, names in preset.names.items()}
    found |= {
        key: _together(frame, header, names, empty_is_none=empty_is_none)
        for key, names in preset.sums.items()
    }
    found |= {
        user: _user(frame, header, of, empty_is_none=empty_is_none) for user, of in preset.users.items()
    }
    found |= _place(frame, header, preset.places)
    if found.get("id") in header.find_all(preset.year_within):
        found["id"] = [found["year"], found["id"]]
    if found.get("date") is not None:
        found["year"] = None
        cells = text(frame[found["date"]]).dropna()
        found["date_format"] = _month_first(cells) if preset.month_first else None
        found["time_zone"] = preset.time_zone if len(cells) and cells.str.contains(OFFSET).all() else None
    if {"x", "y", "point"} & given.keys():
        found = {key: name for key, name in found.items() if key not in ("x", "y", "crs")}
    if {"date", "year"} & given.keys():
        found |= dict.fromkeys(("date", "date_format", "time_zone", "year", "month", "day"))
    return Columns(**{key: name for key, name in (found | given).items() if name is not None})


def _together(frame: pd.DataFrame, header: Header, names: Names, *, empty_is_none: bool) -> str | None:
    """Give the column that holds a count, or one that adds several up; None: there is none.

    What is not known of one count is not known of the sum, unless an empty cell is none.
    """
    there = header.find_all(names)
    if len(there) < 2:
        return there[0] if there else None
    name = " + ".join(there)
    counts = pd.concat([numbers(frame[one]) for one in there], axis=1)
    blank = pd.concat([text(frame[one]).isna() for one in there], axis=1)
    if empty_is_none:
        counts = counts.mask(blank, 0.0)
    frame[name] = counts.sum(axis=1, skipna=False).astype("Int64").astype("string").fillna("")
    return name


def _user(
    frame: pd.DataFrame, header: Header, of: Names | OneOf, *, empty_is_none: bool
) -> str | UserValues | None:
    """Give what tells a road user: a column, one that adds several up, or the values of one that names its kind."""
    if isinstance(of, OneOf):
        name = header.find(of.column)
        return None if name is None else UserValues(column=name, values=of.values)
    return _together(frame, header, of, empty_is_none=empty_is_none)


def _place(frame: pd.DataFrame, header: Header, places: tuple[Place, ...]) -> dict[str, str]:
    """Give the columns with coordinates, and what these are in; without any, what the geometry is brought to."""
    for place in places:
        x, y = header.find(place.x), header.find(place.y)
        if x is not None and y is not None:
            degrees = place.or_degrees and _in_degrees(frame[x], frame[y])
            return {"x": x, "y": y, "crs": DEGREES if degrees else place.crs}
    return {"crs": places[0].crs}


def _in_degrees(x: pd.Series, y: pd.Series) -> bool:
    """Tell degrees from metres: no coordinate is beyond the earth."""
    east, north = numbers(x).abs(), numbers(y).abs()
    return bool(east.notna().any()) and bool(np.nanmax(east) <= 180 and np.nanmax(north) <= 90)


def _month_first(cells: pd.Series) -> str | None:
    """Tell how dates are written of which the month is known to stand first; None: otherwise, to be found out."""
    first = cells.head(1)
    return next((form for pattern, form in MONTH_FIRST.items() if first.str.fullmatch(pattern).any()), None)
