"""Years, months and days that stand in columns of their own."""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.days.forms import YEARS, month_numbers
from geo.collisions.cells.numbers import whole

_PIVOT = 69
"""Two digits from here on are of the last century (POSIX, 'strptime', %y)."""


def years(values: pd.Series) -> pd.Series:
    """Read years, also those of two digits: 19 is 2019; null where a cell holds none of 1900 to 2199."""
    found = whole(values)
    short = found.between(0, 99).fillna(value=False)
    found = found.mask(short & (found < _PIVOT), found + 2000).mask(short & (found >= _PIVOT), found + 1900)
    return found.where(found.between(*YEARS))


def months_of_year(values: pd.Series) -> pd.Series:
    """Read months by number or English name; null where a cell holds none."""
    found = whole(values)
    return found.where(found.between(1, 12)).fillna(month_numbers(values))


def days_of(year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    """Put days together; null where one part is missing, or the month has no such day.

    Returns
    -------
    ``datetime64[ns, UTC]``, in which the clock of the place is written.
    """
    parts = pd.DataFrame({"year": year, "month": month, "day": day}).astype("Int64").astype("Float64")
    there = parts.notna().all(axis=1)
    parts = parts.fillna({"year": 1, "month": 1, "day": 1}).astype("int64")
    found = pd.to_datetime(parts, errors="coerce").where(there)
    return found.astype("datetime64[ns]").dt.tz_localize("UTC")
