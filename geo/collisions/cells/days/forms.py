"""The forms that dates are written in, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from geo.collisions.cells.days.clock import Written, without_offset

YEARS = (1900, 2199)
"""A date of another year is a mistake, and beyond what is stored."""
_DAYS = (
    "ISO8601",
    *("%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d"),
    *("%d.%m.%Y", "%d.%m.%y", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d"),
    *("%d %b %Y", "%b %d %Y", "%Y %b %d", "%d %b %y"),
)
_DIGITS = {
    6: ("%y%m%d", "%d%m%y", "%m%d%y", "%Y%m"),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    10: ("%Y%m%d%H",),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S",),
}
"""Compact forms, by the number of their digits."""
_EPOCHS: dict[str, tuple[int, int]] = {"s": (9, 10), "ms": (11, 13), "us": (14, 16), "ns": (17, 19)}
"""Digits of a count since 1970, from 1973 to beyond 2199, by its unit."""
_SERIAL_DIGITS = 5
_SERIALS = (25569, 73415)
"""Spreadsheets' days since 1899-12-30, from 1970 to 2100."""
_EXCEL = {"excel": "1899-12-30", "excel_1904": "1904-01-01"}
_MOST = 0.5
_MONTH = r"(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_WEEKDAY = r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]?\s+"
_ORDINAL = r"(?i)(\d)(?:st|nd|rd|th)\b"
_YEAR_MONTH = r"^(?P<year>\d{4})[-/.](?P<month>\d{1,2})(?:[-/.]0{1,2})?$"
_MONTH_YEAR = r"^(?:0{1,2}[-/.])?(?P<month>\d{1,2})(?:[-/.]0{1,2})?[-/.](?P<year>\d{4})$"
_NAMED_MONTH = r"^(?P<month>[^\W\d]{3,})\.?[-/. ]+(?P<year>\d{4})$"
Unit = Literal["moment", "day", "month", "year"]


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of a column with dates, as they stand and in their parts.

    Attributes
    ----------
    whole
        As they stand, stripped; null where there is none.
    parts
        Day, time of day and offset.
    """

    whole: pd.Series
    parts: Written


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write dates.

    Attributes
    ----------
    name
        As ``collisions.columns.date_format`` names it.
    unit
        The finest that a cell tells; a moment is one in UTC.
    read
        Gives the time of each cell as it stands there, and of a month or a year its beginning; NaT where a cell is not
        of this form.
    """

    name: str
    unit: Unit
    read: Callable[[Cells], pd.Series] = field(compare=False)


def forms_of(cells: Cells) -> list[Form]:
    """List the forms that cells may be of: those of numbers where most are numbers."""
    whole = cells.whole.dropna()
    count = whole.str.extract(r"^(\d+)(?:\.\d+)?$")[0]
    if count.notna().mean() > _MOST:
        lengths = set(count.str.len().dropna().unique().tolist())
        compact = [named(name) for n in sorted(lengths & _DIGITS.keys()) for name in _DIGITS[n]]
        since = [
            named(f"unix_{unit}")
            for unit, (few, many) in _EPOCHS.items()
            if lengths & {*range(few, many + 1)}
        ]
        return [*compact, *since, *([named("excel")] if _SERIAL_DIGITS in lengths else [])]
    return [named(name) for name in _DAYS]


def named(name: str) -> Form:
    """Give the form that a name of ``collisions.columns.date_format`` means.

    Parameters
    ----------
    name
        As for `datetime.datetime.strptime`; ``ISO8601``; ``excel`` (days since 1899-12-30), ``excel_1904``
        (since 1904-01-01: workbooks made by old Macs), or ``unix_s``, ``unix_ms``,
        ``unix_us`` and ``unix_ns`` (since 1970 in UTC).
    """
    if name in _EXCEL:
        return Form(name, "day", lambda cells: _serial(cells, _EXCEL[name]))
    if name.startswith("unix_") and name.removeprefix("unix_") in _EPOCHS:
        return Form(name, "moment", lambda cells: _since_1970(cells, name.removeprefix("unix_")))
    if name == "ISO8601":
        return Form(name, "day", lambda cells: _of_days(cells.parts.day, name))
    told = {letter for part in name.replace("%%", "").split("%")[1:] for letter in part[:1]}
    unit: Unit = "day" if told & set("djxcDFUWVs") else "month" if told & set("mbBh") else "year"
    if told & set("HIMSfpcXTRs"):
        return Form(name, unit, lambda cells: _strptime(cells.whole, name))
    if "b" in told and name in _DAYS:
        return Form(name, unit, lambda cells: _strptime(_plain(cells.parts.day), name))
    return Form(name, unit, lambda cells: _strptime(cells.parts.day, name))


def months(cells: pd.Series) -> pd.DataFrame:
    """Read cells that name no day: ``2019-03``, ``03/2019``, ``2019-03-00``, ``March 2019``, ``2019``.

    Returns
    -------
    ``year`` and ``month``, Int64: both null where a cell is of another form, ``month`` where it names a year alone.
    """
    found = cells.str.extract(_YEAR_MONTH)[["year", "month"]]
    other = cells.str.extract(_MONTH_YEAR)[["year", "month"]]
    spelled = cells.str.extract(_NAMED_MONTH)[["year", "month"]]
    spelled["month"] = month_numbers(spelled["month"]).astype("string")
    spelled["year"] = spelled["year"].where(spelled["month"].notna())
    alone = pd.DataFrame(
        {"year": cells.where(cells.str.fullmatch(r"\d{4}").fillna(value=False)), "month": pd.NA}
    )
    for more in (other, spelled, alone):
        found = found.where(found["year"].notna(), more)
    year, month = (pd.to_numeric(found[name], errors="coerce").astype("Int64") for name in ("year", "month"))
    there = year.between(*YEARS).fillna(value=False) & month.between(0, 12).fillna(value=True)
    month = month.where(there & month.between(1, 12).fillna(value=False))
    return pd.DataFrame({"year": year.where(there), "month": month})


def month_numbers(names: pd.Series) -> pd.Series:
    """Read names of months in English, whole or by their first three letters; null for all else."""
    plain = (
        names.astype("string")
        .str.strip()
        .str.rstrip(".")
        .str.title()
        .str.replace(r"^Sept$", "Sep", regex=True)
    )
    found = pd.to_datetime(plain, format="%b", errors="coerce")
    found = found.fillna(pd.to_datetime(plain, format="%B", errors="coerce"))
    return found.dt.month.astype("Int64")


def with_day_first(forms: Sequence[Form]) -> list[Form]:
    """Leave out the forms that begin with the month, or with two digits of the year."""
    return [form for form in forms if not form.name.startswith(("%m", "%b", "%y"))]


def _of_days(day: pd.Series, name: str) -> pd.Series:
    """Read days; of a month or a year alone ISO 8601 would give the first."""
    whole = day.mask(day.str.fullmatch(r"\d{4}(?:[-/.]?\d{1,2})?").fillna(value=False))
    return _strptime(whole, name)


def _strptime(cells: pd.Series, name: str) -> pd.Series:
    if "%z" in name:
        cells, name = without_offset(cells)[0], name.replace("%z", "").strip()
    found = pd.to_datetime(cells, format=name, errors="coerce", utc=True).dt.tz_localize(None)
    return _in_years(found)


def _plain(day: pd.Series) -> pd.Series:
    """Bring days with the name of a month to one spelling: its three letters, no weekday, no ordinal, single spaces."""
    plain = day.str.replace(_WEEKDAY, "", regex=True).str.replace(_ORDINAL, r"\1", regex=True)
    plain = plain.str.replace(_MONTH, r"\1", regex=True)
    return plain.str.replace(r"[-/.,\s]+", " ", regex=True).str.strip()


def _in_years(found: pd.Series) -> pd.Series:
    return found.where(found.dt.year.between(*YEARS)).astype("datetime64[ns]")


def _since_1970(cells: Cells, unit: str) -> pd.Series:
    few, many = _EPOCHS[unit]
    mine = cells.whole.where(cells.whole.str.fullmatch(rf"\d{{{few},{many}}}").fillna(value=False))
    count = pd.to_numeric(mine, errors="coerce").astype("Int64")
    return _in_years(pd.to_datetime(count, unit=unit, errors="coerce"))  # type: ignore[call-overload]


def _serial(cells: Cells, since: str) -> pd.Series:
    days = pd.to_numeric(cells.whole, errors="coerce").astype("float64")
    seconds = np.round(days.where(days.between(*_SERIALS)) * 86400)
    return _in_years(pd.Series(pd.to_datetime(seconds, unit="s", origin=since), index=days.index))
