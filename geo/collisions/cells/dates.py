"""Cells as dates."""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.text import text
from geo.errors import LayerError

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
