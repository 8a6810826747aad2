"""What the columns that a mapping names tell of collisions: when, how severe, and which road users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from geo.collisions.cells.days.calendar import days_of, months_of_year, years
from geo.collisions.cells.days.dates import UNREAD, dates
from geo.collisions.cells.numbers import whole
from geo.collisions.cells.samples import counted, lost, unread
from geo.collisions.cells.seen import Seen
from geo.collisions.cells.severities import (
    UNMAPPED,
    Severities,
    of_counts,
    severities,
    unknown_severities,
    unmapped_values,
)
from geo.collisions.cells.text import text
from geo.collisions.cells.users import any_of, flags, of_kind, silent
from geo.collisions.schemas.schemes import Scheme
from geo.config.sections.records import SEVERITIES, Columns, SeverityValue, UserValues, as_list
from geo.errors import LayerError
from geo.ledger import Entry

_MANY, _SHARE = 10, 0.01
"""Values that no mapping knows are more than a slip when so many rows, or this share of them, have one."""
_ALL = 30
"""So many collisions are not all with one kind of road user."""
_WEEK, _WEEKS = 7, 60
"""So many days of the month are not all in its first week."""
_MOST = _OPEN = 0.5
"""Empty cells that are more than this share of a road user's column mean something."""


@dataclass(frozen=True, slots=True)
class Told:
    """What columns tell, and what is to be told of them.

    Attributes
    ----------
    columns
        Canonical columns, on the index of the rows.
    entries, warnings
        Of cells that could not be read.
    """

    columns: dict[str, pd.Series]
    entries: list[Entry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def time(frame: pd.DataFrame, columns: Columns, source: str) -> Told:
    """Read when collisions happened: by date, else by year, month and day as far as they are recorded.

    Raises
    ------
    LayerError
        When a column holds nothing that can be read.
    """
    told = Told({})
    if columns.date is not None:
        cells = frame[columns.date]
        when = dates(
            cells,
            where=f"{source}, column {columns.date}",
            date_format=columns.date_format,
            time_zone=columns.time_zone,
        )
        told.columns.update(date=when.date, year=when.year, month=when.month)
        told.entries.extend([*when.entries, *unread(cells, when.known(), "dates")])
        told.warnings.extend(when.warnings)
    if columns.year is not None:
        _calendar(frame, columns, source, told)
    date = told.columns.get("date", pd.Series(dtype="datetime64[ns, UTC]")).dropna()
    if len(date) >= _WEEKS and (date.dt.day == 1).all():
        told.warnings.append(
            f"all {len(date):,} dates are the first of a month: the month alone may be known"
        )
    used = [name for name in (columns.date, columns.year) if name is not None]
    if used:
        blank = pd.concat([text(frame[name]).isna() for name in used], axis=1).all(axis=1)
        told.entries.append(Entry("dates", "skipped", "no date is recorded", int(blank.sum())))
    return told


def _calendar(frame: pd.DataFrame, columns: Columns, source: str, told: Told) -> None:
    """Read year, month and day from their own columns."""
    year = _part(frame, "year", columns.year, years, "years", source, told)
    month = _part(frame, "month", columns.month, months_of_year, "months", source, told)
    day = _part(frame, "day", columns.day, whole, "days of the month", source, told)
    date = days_of(year, month, day)
    if day.notna().sum() >= _WEEKS and 1 < day.max() <= _WEEK:
        raise LayerError(
            f"the days of the month run from {day.min()} to {day.max()} alone: they are days of the week",
            where=f"{source}, column {columns.day}",
            todo="Name the column with the day of the month in collisions.columns.day, or leave it out.",
        )
    if columns.day is not None:
        none_such = date.isna() & year.notna() & month.notna() & day.notna()
        told.entries.append(
            Entry("dates", "rejected", "the month has no such day; taken for the month", int(none_such.sum()))
        )
    own = told.columns.get("date")
    own_year, own_month = (told.columns.get(name) for name in ("year", "month"))
    told.columns["date"] = date if own is None else own.fillna(date)
    told.columns["year"] = year if own_year is None else year.fillna(own_year)
    told.columns["month"] = month if own_month is None else month.fillna(own_month)


def _part(
    frame: pd.DataFrame,
    key: str,
    name: str | None,
    read: Callable[[pd.Series], pd.Series],
    item: str,
    source: str,
    told: Told,
) -> pd.Series:
    """Read one part of a date from its own column; null everywhere where none is named."""
    if name is None:
        return pd.Series(pd.NA, index=frame.index, dtype="Int64")
    found = read(frame[name])
    cells = text(frame[name])
    if cells.notna().any() and found.isna().all():
        raise LayerError(
            f"no cell can be read as {item}: {counted(cells)}",
            where=f"{source}, column {name}",
            todo=f"Name another column in collisions.columns.{key}, or a column with whole dates in .date.",
        )
    unknown = cells[found.isna()].dropna()
    if len(unknown) >= _MANY and len(unknown) > UNREAD * cells.notna().sum():
        raise LayerError(
            f"{len(unknown):,} of {cells.notna().sum():,} cells cannot be read as {item}: {counted(unknown)}",
            where=f"{source}, column {name}",
            todo=f"Look at which column collisions.columns.{key} names.",
        )
    told.entries.extend(lost(unknown, item))
    return found


def severity(
    frame: pd.DataFrame,
    columns: Columns,
    scheme: Scheme,
    named: str,
    kept: pd.Series,
    seen: Seen,
    source: str,
) -> Told:
    """Read severity, from a column of its own or from the numbers of people hurt.

    Parameters
    ----------
    frame
        Cells of one file, as text.
    columns
        The mapping.
    scheme
        What the values of a severity column mean.
    named
        What gives them their meaning, for messages.
    kept
        Which rows are kept: of the others nothing is accounted for.
    seen
        Takes note of the values of the severity column.
    source
        The file, for messages.

    Raises
    ------
    LayerError
        When most values are none of a published scheme: it is another one's.
    """
    counts = {name: names for name in SEVERITIES if (names := as_list(getattr(columns, name)))}
    if columns.severity is not None:
        cells = frame[columns.severity]
        seen.add("collisions.columns.severity", cells)
        found = severities(cells, scheme.codes, scheme.no_injury, scheme.not_known)
        told = Told(_columns(found), unknown_severities(cells[kept], found.state[kept]))
        unknown = int((found.state[kept] == UNMAPPED).sum())
        if scheme.source and unknown >= _MANY and unknown > _MOST * kept.sum():
            raise LayerError(
                f"{unknown:,} of {kept.sum():,} rows have a severity that {named} does not list: "
                f"{unmapped_values(cells[kept], found.state[kept])}",
                where=f"{source}, column {columns.severity}",
                todo="Name another one in collisions.severity_scheme, or list the values in severity_values.",
            )
        if unknown >= _MANY or unknown > _SHARE * kept.sum():
            told.warnings.append(
                f"{unknown:,} of {kept.sum():,} rows have a severity that {named} does not list, and are counted "
                f"without one: {unmapped_values(cells[kept], found.state[kept])}"
            )
        return told
    if not counts:
        return Told({})
    some = {
        name: any_of([flags(frame[column], empty_is_none=columns.empty_is_none) for column in names])
        for name, names in counts.items()
    }
    found = of_counts(some)
    nothing = pd.Series("", index=frame.index, dtype="string")
    told = Told(_columns(found), unknown_severities(nothing[kept], found.state[kept]))
    every = [column for names in counts.values() for column in names]
    for column in every:
        read = flags(frame[column], empty_is_none=columns.empty_is_none)
        told.entries.extend(unread(frame[column], read, "numbers of people hurt"))
    if columns.n_casualties is None:
        hurt = pd.DataFrame({column: whole(frame[column]) for column in every})
        hurt = hurt.fillna(0) if columns.empty_is_none else hurt
        told.columns["n_casualties"] = hurt.sum(axis=1, skipna=False).astype("Int64")
    return told


def _columns(found: Severities) -> dict[str, pd.Series]:
    return {"severity": found.severity, "severity_state": found.state}


def users(frame: pd.DataFrame, columns: Columns, trusted: pd.Series, seen: Seen) -> Told:
    """Read which road users were involved.

    Parameters
    ----------
    frame
        Cells of one file, as text.
    columns
        The mapping.
    trusted
        Rows whose cells stand in their own columns.
    seen
        Takes note of the values of columns that name a kind of road user.
    """
    told = Told({})
    for user, place in columns.users().items():
        item = f"cells on {user.replace('_', ' ')}s"
        if isinstance(place, UserValues):
            cells = frame[place.column]
            seen.add(f"collisions.columns.{user}", cells)
            found = of_kind(cells, place.values, empty_is_none=columns.empty_is_none)
        else:
            each = {name: flags(frame[name], empty_is_none=columns.empty_is_none) for name in as_list(place)}
            found = any_of(list(each.values()))
            for name, flag in each.items():
                told.entries.extend(lost(silent(frame[name], flag).dropna(), item))
                told.warnings.extend(_odd(frame[name], flag, item, name, empty_is_none=columns.empty_is_none))
        told.columns[user] = found.where(trusted)
    return told


def _odd(cells: pd.Series, found: pd.Series, item: str, column: str, *, empty_is_none: bool) -> list[str]:
    """Question a column of a road user that says little else than yes, or holds values that are neither yes nor no."""
    strange = silent(cells, found).dropna()
    if len(strange) >= _MANY and len(strange) > _SHARE * len(cells):
        told = f"{len(strange):,} {item} ({column}) say neither yes nor no, and are taken for not known: "
        told += f"{counted(strange)}; "
        return [told + "give {column: ..., values: [...]} where it names a kind of road user"]
    if found.sum() >= _ALL and found.fillna(value=True).all() and found.notna().mean() > _OPEN:
        told = f"all {int(found.sum()):,} {item} ({column}) that say anything say yes: "
        return [
            told
            + f"{counted(text(cells).dropna())}; "
            + "give {column: ..., values: [...]} where these are codes"
        ]
    blank = text(cells).isna() & found.isna()
    if not empty_is_none and found.any() and not (found == False).any() and blank.mean() > _OPEN:  # noqa: E712
        told = f"{int(blank.sum()):,} {item} ({column}) are empty, no other says no, and they are taken for not known: "
        return [told + "set collisions.columns.empty_is_none if they mean that there was none"]
    return []


def unknown_values(
    columns: Columns, severity_values: Mapping[SeverityValue, Sequence[str]] | None, seen: Seen
) -> list[str]:
    """Tell values that the mapping lists and no row of any file has."""
    warnings = []
    if columns.severity is not None and severity_values is not None:
        for name, values in severity_values.items():
            if absent := seen.absent("collisions.columns.severity", values):
                warnings.append(
                    f"no row has the severity {', '.join(map(repr, absent))}, which collisions.severity_values lists "
                    f"under {name}; there are {seen.found('collisions.columns.severity')}"
                )
    for user, place in columns.users().items():
        key = f"collisions.columns.{user}"
        if isinstance(place, UserValues) and (absent := seen.absent(key, place.values)):
            end = "; whether there was one is not known" if len(absent) == len(place.values) else ""
            warnings.append(
                f"no row has {', '.join(map(repr, absent))} in {place.column}, which {key} lists; there are "
                f"{seen.found(key)}{end}"
            )
    return warnings


def unseen_users(columns: Columns, seen: Seen) -> list[str]:
    """Name the road users of whose values no row of any file has one: that is no sign that there was none."""
    return [
        user
        for user, place in columns.users().items()
        if isinstance(place, UserValues)
        and len(seen.absent(f"collisions.columns.{user}", place.values)) == len(place.values)
    ]
