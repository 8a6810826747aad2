"""Which columns tell when collisions happened, how they are written, and the time that they cover."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from geo.collisions.cells.days.clock import part
from geo.collisions.cells.days.dates import When, dates
from geo.collisions.cells.days.forms import Cells, forms_of
from geo.collisions.cells.samples import shown
from geo.collisions.cells.text import text
from geo.collisions.rows.hints import DATES, are
from geo.errors import LayerError
from geo.starting.guess import Guess, Option
from geo.starting.records.names import matching

DAYS = (
    r"(crash|collision|accident|acc|incident|occur|event).*(date|datum|time)|^accdate$",
    r"^(date|datum|fecha|data|dato|datetime|date_time|dt|dateheure|paivamaara|pvm)$",
    r"date|datum|fecha",
)
"""What columns with days are called."""
_OF_EDITS = re.compile(r"edit|updat|creat|modif|report|load|entered|publish|extract|birth|last_|sys")
YEARS = (
    r"^(year|jahr|ujahr|an|annee|ano|anno|vuosi|vv|yr)$",
    r"(crash|accident|collision|acc).*year",
    r"year|jahr",
)
MONTHS = (r"^(month|monat|umonat|mois|mes|mese|kuukausi|kk)$", r"month|monat")
DAYS_OF_MONTH = (r"^(day|jour|tag|dia|giorno|paiva|day_of_month)$",)
_YEAR = r"\s*(?:19|20)?\d{2}(?:\.0+)?\s*"
_KNOWN = 0.8
_WHOLE_YEAR_DAYS, _MANY = 7, 200
"""Records of so many at least that begin and end so many days from the ends of years are of whole years."""
_LEAST_READ = 0.9


@dataclass(frozen=True, slots=True)
class Time:
    """What tells time.

    Attributes
    ----------
    guesses
        Keys of the section ``collisions``.
    used
        Columns that are read for it.
    first, last
        First and last day, as far as they are known.
    """

    guesses: tuple[Guess, ...]
    used: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None


def guess_time(frame: pd.DataFrame, columns: Sequence[str], *, whole: bool) -> Time:
    """Find what tells time.

    Parameters
    ----------
    frame
        Cells as text.
    columns
        Those that may be meant.
    whole
        Whether these are all rows, so that the first and last day are those of the records.
    """
    others = [column for column in columns if not _OF_EDITS.search(column.casefold())]
    named = matching(others, DAYS)
    named += [column for column in others if column not in named and are(text(frame[column]), DATES)]
    doubtful: Time | None = None
    for column in named:
        cells = text(frame[column])
        if cells.isna().mean() > 1 - _KNOWN / 2 or cells.dropna().str.fullmatch(r"\d{1,4}").all():
            continue
        try:
            found = dates(frame[column], where=column)
        except LayerError as error:
            doubtful = doubtful or _open(frame[column], column, error)
            continue
        if found.known().notna().mean() >= _KNOWN * cells.notna().mean():
            return _told(found, column, frame[column], whole=whole)
    return doubtful or _of_parts(frame, columns, whole=whole)


def _told(found: When, column: str, cells: pd.Series, *, whole: bool) -> Time:
    """Say how days are read."""
    why = f"Such as {shown(cells, found.date.dt.strftime('%Y-%m-%d'))}" + (
        f" ({found.form})." if found.form else "."
    )
    guesses = [Guess("collisions.columns.date", column, (why,))]
    if found.warnings:
        says = ("The dates are written in UTC, or say so.",)
        doubt = (
            "Are they in UTC? Then name the place's time zone; where they are on its own clock, leave it out."
        )
        guesses.append(Guess("collisions.columns.time_zone", "America/New_York", says, doubt, left_out=True))
    days = found.date.dropna()
    if days.empty:
        return Time(tuple(guesses), (column,))
    first, last = _ends(days)
    guesses.append(_period(first, last, len(days), whole=whole))
    return Time(tuple(guesses), (column,), first, last)


def guess_period(days: pd.Series) -> Guess:
    """Guess ``collisions.period`` from the dates of all records, of which none is null."""
    first, last = _ends(days)
    return _period(first, last, len(days), whole=True)


def _ends(days: pd.Series) -> tuple[date, date]:
    """Give the first and last day, without years apart that a mistyped date or two stand in."""
    years = days.dt.year.value_counts().sort_index()
    real = years[years > max(2, 0.001 * len(days))].index if len(days) > _MANY else years.index
    inside = days[days.dt.year.isin(real)]
    return inside.min().date(), inside.max().date()


def _period(first: date, last: date, number: int, *, whole: bool) -> Guess:
    """Guess ``collisions.period``: whole years where the records nearly fill them."""
    why = [f"The first day is {first}, the last {last}" + ("." if whole else ", of a sample.")]
    opens, closes = date(first.year, 1, 1), date(last.year, 12, 31)
    near = (first - opens).days <= _WHOLE_YEAR_DAYS and (closes - last).days <= _WHOLE_YEAR_DAYS
    if whole and near and number >= _MANY:
        why.append("The records fill these years: rates are of that time.")
        return Guess("collisions.period", [str(opens), str(closes)], tuple(why))
    why.append(
        "Left out, the time from the first to the last record counts; say it where records are of a longer time."
    )
    return Guess("collisions.period", [str(first), str(last)], tuple(why), left_out=True)


def _open(values: pd.Series, column: str, error: LayerError) -> Time:
    """Ask how dates are written that can be read in several ways, or in none."""
    cells = text(values)
    tried = Cells(cells, part(cells))
    forms = [
        form
        for form in forms_of(tried)
        if form.read(tried).notna().sum() >= _LEAST_READ * cells.notna().sum()
    ]
    example = cells.dropna().iloc[0]
    options = tuple(
        Option(form.name, f"{example} is {form.read(tried).dropna().iloc[0]:%d %B %Y}") for form in forms
    )
    question = f"How are the dates in {column} written? {error.what[0].upper()}{error.what[1:]}."
    value = options[0].value if options else "%d/%m/%Y"
    form_ = Guess(
        "collisions.columns.date_format",
        value,
        ("Nothing in the file tells.",),
        question,
        options,
        left_out=True,
    )
    return Time((Guess("collisions.columns.date", column, (f"Such as {shown(cells)}.",)), form_), (column,))


def _of_parts(frame: pd.DataFrame, columns: Sequence[str], *, whole: bool) -> Time:
    """Find year, month and day in columns of their own."""
    year = next((c for c in matching(columns, YEARS) if are(frame[c], _YEAR)), None)
    if year is None:
        why = ("No column with dates was found: what is counted is not of a known time.",)
        return Time(
            (Guess("collisions.columns.date", "date", why, "Which column tells when?", left_out=True),)
        )
    years = pd.to_numeric(text(frame[year]), errors="coerce").dropna().astype(int)
    guesses = [Guess("collisions.columns.year", year, (f"From {years.min()} to {years.max()}.",))]
    used = [year]
    month = next((c for c in matching(columns, MONTHS) if _within(frame[c], 12)), None)
    day = next((c for c in matching(columns, DAYS_OF_MONTH) if _within(frame[c], 31)), None)
    for key, column in (("month", month), ("day", day if month else None)):
        if column is not None:
            guesses.append(Guess(f"collisions.columns.{key}", column, (f"Such as {shown(frame[column])}.",)))
            used.append(column)
    full = years.mask(years < 100, years + 2000)
    counts = full.value_counts().sort_index()
    real = counts[counts > 0.001 * len(full)].index
    first, last = date(int(real.min()), 1, 1), date(int(real.max()), 12, calendar.monthrange(2000, 12)[1])
    why = (f"The first year is {real.min()}, the last {real.max()}" + ("." if whole else ", of a sample."),)
    guesses.append(Guess("collisions.period", [str(first), str(last)], why, left_out=True))
    return Time(tuple(guesses), tuple(used), first, last)


def _within(values: pd.Series, most: int) -> bool:
    """Tell whether a column holds whole numbers from 1 to `most`; months may be spelled out."""
    cells = text(values).dropna()
    numbers = pd.to_numeric(cells, errors="coerce")
    if (
        most == 12
        and cells.str.fullmatch(r"(?i)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*").all()
    ):
        return bool(len(cells))
    return bool(len(cells)) and bool(numbers.between(1, most).mean() >= _LEAST_READ)
