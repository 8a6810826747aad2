"""The canonical table of collision records that every reader produces, one row a source row, in the source's order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyproj

from geo.config.records import DECIMAL_MARK, ROAD_USERS, Severity
from geo.errors import ConfigurationError, LayerError
from geo.ledger import Entry

COLUMNS = (
    *(
        "collision_id",
        "date",
        "year",
        "severity",
        "n_casualties",
        "x",
        "y",
        "road_class",
        "road_ref",
        "road_name",
    ),
    *("at_junction", "kept", "source_row"),
    *(*ROAD_USERS, "ksi_adjusted"),
)
MISSING = ("", "-1", "null", "none", "nan", "na", "n/a", "<na>")
"""What stands for 'no value' in a text cell, in any case."""
_DAYS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%d %b %Y",
    "%d-%b-%Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DATE_FORMATS = ("ISO8601", *(day + time for day in _DAYS for time in _TIMES))
_YEARS = (1900, 2199)
"""A date of another year is a mistake, and beyond what is stored."""
_UNREAD, _UNREAD_LEAST = 0.2, 10
"""More dates than this share, and at least so many, that cannot be read are written otherwise than thought."""
_SAMPLE = 1000
"""Distinct cells that tell which formats are worth trying on all."""
_YES, _NO = ("y", "yes", "true", "t", "j", "ja"), ("n", "no", "false", "f", "nein")


@dataclass(frozen=True, slots=True)
class CollisionSource:
    """Collision records as they were read, before any is placed.

    Attributes
    ----------
    table
        `COLUMNS` (and counts of casualties by road user where they are known), one row a source row; the columns of
        `geo.config.ROAD_USERS` and ``ksi_adjusted``, the probability that someone was killed or seriously hurt by the
        DfT's adjustment, are null where the source does not tell. ``x`` and ``y`` are NaN where the record has none;
        ``kept`` says whether the row passes the configured filter; ``at_junction`` is what the record itself says, null
        where it does not.
    crs
        CRS of ``x`` and ``y``.
    severities
        Severities that the source can tell apart.
    has_ids
        Whether ``collision_id`` is the source's own; else it is made from the row, and says nothing of duplicates.
    entries
        Notes on values that could not be read. The rows themselves are accounted for when they are placed.
    """

    table: pd.DataFrame
    crs: pyproj.CRS
    severities: frozenset[Severity]
    has_ids: bool
    entries: list[Entry]


def comparable(values: pd.Series) -> pd.Series:
    """Bring cells to the form in which they are compared: stripped, in lower case, 1.0 as 1; a null is empty."""
    return _strip(values).str.casefold().fillna("")


def text(values: pd.Series) -> pd.Series:
    """Strip cells and make those that stand for 'no value' null; whole numbers lose their '.0'."""
    stripped = _strip(values)
    return stripped.mask(stripped.str.casefold().isin(MISSING).fillna(value=True))


def _strip(values: pd.Series) -> pd.Series:
    return values.astype("string").str.strip().str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)


def numbers(values: pd.Series, decimal: str = DECIMAL_MARK) -> pd.Series:
    """Read numbers; NaN where a cell holds none."""
    cells = values.astype("string").str.strip()
    if decimal != ".":
        cells = cells.str.replace(".", "", regex=False).str.replace(decimal, ".", regex=False)
    return pd.to_numeric(cells, errors="coerce").astype("float64")


def whole(values: pd.Series) -> pd.Series:
    """Read counts; null where a cell holds none, or a negative one."""
    found = numbers(values)
    return found.where((found >= 0) & (found % 1 == 0)).astype("Int64")


def dates(values: pd.Series, *, where: str, date_format: str | None = None) -> pd.Series:
    """Read dates as moments in UTC; null where a cell holds none.

    Without a format, ISO 8601 and the usual day-first and month-first forms are tried, and the one that reads most
    cells is taken for all.

    Parameters
    ----------
    values
        Cells of a column with dates, as text.
    where
        The file and column, for the message.
    date_format
        How the dates are written, as for `datetime.datetime.strptime`, or ``ISO8601``; None: it is found out.

    Raises
    ------
    LayerError
        When day-first and month-first read the cells equally well but differently: a guess would be silent. When no
        cell can be read, or all hold a year alone: the whole column would be lost, or taken for the first of January.
    """
    cells = text(values)
    there = cells.dropna()
    if there.empty:
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns, UTC]")
    if date_format is None and there.str.fullmatch(r"\d{4}").all():
        raise LayerError(
            f"the dates are years alone, such as {there.iloc[0]!r}",
            where=where,
            todo="Name the column in collisions.columns.year instead of .date.",
        )
    formats = _DATE_FORMATS if date_format is None else (date_format,)
    sample = pd.Series(there.unique()[:_SAMPLE], dtype="string")
    tries = {form: _read_dates(cells, form) for form in formats if _read_dates(sample, form).notna().any()}
    if not tries:
        raise LayerError(
            f"no date can be read, such as {there.iloc[0]!r}{'' if date_format is None else f' as {date_format}'}",
            where=where,
            todo="Say how they are written in collisions.columns.date_format, '%d %B %Y' for example.",
        )
    read = {form: int(found.notna().sum()) for form, found in tries.items()}
    best = max(read, key=lambda form: read[form])
    lost = len(there) - read[best]
    if lost >= _UNREAD_LEAST and lost > _UNREAD * len(there):
        strange = there[tries[best][there.index].isna()].iloc[0]
        raise LayerError(
            f"only {read[best]:,} of {len(there):,} dates can be read as {best}; {strange!r} cannot",
            where=where,
            todo="Say how they are written in collisions.columns.date_format, or mend them.",
        )
    rivals = [form for form in read if form != best and read[form] == read[best]]
    if any(not tries[form].equals(tries[best]) for form in rivals):
        raise LayerError(
            f"the dates, such as {there.iloc[0]!r}, can be read as {best} and as {rivals[0]}",
            where=where,
            todo="Say which in collisions.columns.date_format.",
        )
    return tries[best]


def _read_dates(cells: pd.Series, form: str) -> pd.Series:
    found = pd.to_datetime(cells, format=form, errors="coerce", utc=True)
    return found.where(found.dt.year.between(*_YEARS)).astype("datetime64[ns, UTC]")


def unread(cells: pd.Series, found: pd.Series, item: str) -> list[Entry]:
    """Account for cells that hold something, of which nothing could be read; their rows are kept."""
    lost = int((text(cells).notna() & found.isna()).sum())
    return (
        [Entry(item, "rejected", "cannot be read; their collisions are kept without", lost)] if lost else []
    )


def severities(values: pd.Series, mapping: Mapping[Severity, Sequence[str]]) -> tuple[pd.Series, pd.Series]:
    """Map the values of a severity column.

    Returns
    -------
    The severity of each row, null where it is not known; and, for rows with a value that is not mapped, that value.

    Raises
    ------
    ConfigurationError
        When one value stands for two severities.
    """
    given = [(severity, str(value)) for severity, values_of in mapping.items() for value in values_of]
    spelled = comparable(pd.Series([value for _, value in given], dtype="string"))
    if spelled.duplicated().any():
        twice = given[int(spelled.duplicated().to_numpy().argmax())][1]
        raise ConfigurationError(
            f"the value {twice!r} is listed twice",
            where="collisions.severity_values",
            todo="List each value under one severity.",
        )
    meaning = dict(zip(spelled, (severity for severity, _ in given), strict=True))
    cells = text(values)
    found = comparable(values).map(meaning).astype(object)
    unknown = cells[found.isna() & cells.notna()]
    return found.where(found.notna(), None), unknown


def unknown_severities(unknown: pd.Series, without: int) -> list[Entry]:
    """Account for rows whose severity is not known: by value, and those that have none."""
    counts = unknown.value_counts().sort_index()
    entries = [
        Entry(
            "severities",
            "rejected",
            f"the value {str(value)[:40]!r} is not mapped; counted without severity",
            int(n),
        )
        for value, n in counts.items()
    ]
    return [*entries, Entry("severities", "skipped", "none recorded; counted without severity", without)]


def without_injury(
    values: pd.Series, no_injury: Sequence[str], not_known: Sequence[str]
) -> tuple[pd.Series, list[Entry]]:
    """Account for values that a scheme of severities lists, and that are none of the three.

    Parameters
    ----------
    values
        Values of the severity column that `severities` could not map.
    no_injury
        Codes of collisions without injury (`geo.collisions.schemas.schemes.Scheme`).
    not_known
        Codes by which the records say that severity is not known.

    Returns
    -------
    The values that are left, and the entries.
    """
    cells = comparable(values)
    none = cells.isin(comparable(pd.Series(list(no_injury), dtype="string")))
    unknown = cells.isin(comparable(pd.Series(list(not_known), dtype="string")))
    entries = [
        Entry("severities", "skipped", reason, int(which.sum()))
        for which, reason in (
            (none, "no injury by its code; counted without severity"),
            (unknown, "not known by its code; counted without severity"),
        )
    ]
    return values[~none & ~unknown], entries


def flags(values: pd.Series, *, empty_is_none: bool) -> pd.Series:
    """Read whether a road user was involved: yes, true or a number above 0; null where a cell does not say.

    Parameters
    ----------
    values
        Cells of a road user's column, as text.
    empty_is_none
        Whether an empty cell says that no such user was involved.
    """
    cells = comparable(values)
    count = numbers(values)
    yes = cells.isin(_YES) | (count > 0)
    no = cells.isin(_NO) | (count == 0)
    if empty_is_none:
        no |= cells.isin(("", "null", "nan", "<na>"))
    return yes.astype("boolean").where(yes | no)


def check_names(frame: pd.DataFrame, wanted: Mapping[str, str | None], source: str) -> None:
    """Name every column that is asked for and that a table does not have, or has more than once.

    Parameters
    ----------
    frame
        The table as it was read from the source.
    wanted
        Name of the column by the key that asks for it; None: not asked for.
    source
        Path of the file, for the message.

    Raises
    ------
    LayerError
        Naming key, column, and the columns that there are.
    """
    names = [str(name) for name in frame.columns if not str(name).startswith("_")]
    twice = [f"{key}: {name!r}" for key, name in wanted.items() if names.count(str(name)) > 1]
    if twice:
        raise LayerError(
            f"it has more than one column for {'; '.join(twice)}",
            where=source,
            todo="Rename one of them in the file.",
        )
    missing = [f"{key}: {name!r}" for key, name in wanted.items() if name is not None and name not in names]
    if missing:
        raise LayerError(
            f"it has no column for {'; '.join(missing)}; there are {', '.join(names)}",
            where=source,
            todo="Mend the mapping, or the delimiter (collisions.columns.delimiter).",
        )


def kept_rows(frame: pd.DataFrame, keep: Mapping[str, Sequence[str]]) -> pd.Series:
    """Tell which rows have one of the wanted values in every named column."""
    kept = pd.Series(data=True, index=frame.index)
    for column, values in keep.items():
        kept &= comparable(frame[column]).isin(comparable(pd.Series(list(values), dtype="string")))
    return kept.astype(bool)


def told_apart(table: pd.DataFrame, mapped: Iterable[Severity]) -> frozenset[Severity]:
    """Give the severities that records tell apart: those that are mapped, but none where no row has a known one."""
    return frozenset(mapped) if table["severity"].notna().any() else frozenset()


def canonical_table(table: pd.DataFrame) -> pd.DataFrame:
    """Bring a table to the canonical columns and types; what a source does not have is null, but an id is made."""
    n = len(table)
    empty: dict[str, Any] = {
        "collision_id": None,
        "date": pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns, UTC]"),
        "year": pd.array([pd.NA] * n, dtype="Int64"),
        "severity": None,
        "n_casualties": pd.array([pd.NA] * n, dtype="Int64"),
        "x": np.nan,
        "y": np.nan,
        "road_class": None,
        "road_ref": None,
        "road_name": None,
        "at_junction": pd.array([pd.NA] * n, dtype="boolean"),
        "kept": True,
        "ksi_adjusted": np.nan,
    } | {user: pd.array([pd.NA] * n, dtype="boolean") for user in ROAD_USERS}
    table = table.assign(**{name: value for name, value in empty.items() if name not in table})
    table["source_row"] = np.arange(n)
    table["date"] = table["date"].astype("datetime64[ns, UTC]")
    for name in ("collision_id", "road_class", "road_ref", "road_name", "severity"):
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    made = "row " + table["source_row"].astype(str)
    table["collision_id"] = table["collision_id"].where(table["collision_id"].notna(), made)
    extra = sorted(name for name in table.columns if name not in COLUMNS)
    return table[[*COLUMNS, *extra]].reset_index(drop=True)
