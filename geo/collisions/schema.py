"""The canonical table of collision records that every reader produces, one row a source row, in the source's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyproj

from geo.config import Severity
from geo.errors import LayerError
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
)
MISSING = ("", "-1", "null", "none", "nan", "na", "n/a", "<na>")
"""What stands for 'no value' in a text cell, in any case."""
_DATE_FORMATS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
)
SEVERITIES: tuple[Severity, ...] = ("fatal", "serious", "slight")


@dataclass(frozen=True, slots=True)
class CollisionSource:
    """Collision records as they were read, before any is placed.

    Attributes
    ----------
    table
        `COLUMNS` (and counts of casualties by road user where they are known), one row a source row. ``x`` and ``y``
        are NaN where the record has none; ``kept`` says whether the row passes the configured filter; ``at_junction``
        is what the record itself says, null where it does not.
    crs
        Of ``x`` and ``y``.
    severities
        Those that the source can tell apart.
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


def text(values: pd.Series) -> pd.Series:
    """Strip cells and make those that stand for 'no value' null; whole numbers lose their '.0'."""
    stripped = values.astype("string").str.strip().str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
    return stripped.mask(stripped.str.casefold().isin(MISSING).fillna(value=True))


def numbers(values: pd.Series, decimal: str = ".") -> pd.Series:
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

    Raises
    ------
    LayerError
        When day-first and month-first read the cells equally well but differently: a guess would be silent.
    """
    cells = text(values)
    if date_format is not None:
        return pd.to_datetime(cells, format=date_format, errors="coerce", utc=True)
    tries = {"ISO8601": pd.to_datetime(cells, format="ISO8601", errors="coerce", utc=True)}
    tries |= {form: pd.to_datetime(cells, format=form, errors="coerce", utc=True) for form in _DATE_FORMATS}
    read = {form: int(found.notna().sum()) for form, found in tries.items()}
    best = max(read, key=lambda form: read[form])
    rivals = [form for form in read if form != best and read[form] == read[best] > 0]
    if any(not tries[form].equals(tries[best]) for form in rivals):
        raise LayerError(
            f"the dates, such as {cells.dropna().iloc[0]!r}, can be read as {best} and as {rivals[0]}",
            where=where,
            todo="Say which in collisions.columns.date_format.",
        )
    return tries[best]


def severities(values: pd.Series, mapping: Mapping[Severity, Sequence[str]]) -> tuple[pd.Series, pd.Series]:
    """Map the values of a severity column.

    Returns
    -------
    The severity of each row, null where it is not known; and, for rows with a value that is not mapped, that value.
    """
    meaning = {_plain(value): severity for severity, given in mapping.items() for value in given}
    cells = text(values)
    found = cells.str.casefold().map(meaning).astype(object)
    unknown = cells[found.isna() & cells.notna()]
    return found.where(found.notna(), None), unknown


def _plain(value: str) -> str:
    return str(text(pd.Series([value])).fillna("").iloc[0]).casefold()


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


def finish(table: pd.DataFrame) -> pd.DataFrame:
    """Bring a table to the canonical columns and types; what a source does not have is null."""
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
    }
    table = table.assign(**{name: value for name, value in empty.items() if name not in table})
    table["source_row"] = np.arange(n)
    table["date"] = table["date"].astype("datetime64[ns, UTC]")
    for name in ("collision_id", "road_class", "road_ref", "road_name", "severity"):
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    extra = sorted(name for name in table.columns if name not in COLUMNS)
    return table[[*COLUMNS, *extra]].reset_index(drop=True)
