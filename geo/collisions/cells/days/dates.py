"""Cells as dates: on the clock of the place, and no more precise than they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from geo.collisions.cells.days.clock import on_clock_of, part, without_offset
from geo.collisions.cells.days.forms import Cells, Form, forms_of, months, named, with_day_first
from geo.collisions.cells.samples import shown
from geo.collisions.cells.text import text
from geo.errors import ConfigurationError, LayerError
from geo.ledger import Entry

UNREAD, UNREAD_LEAST = 0.2, 10
"""More dates than this share, and at least so many, that cannot be read are written otherwise than thought."""
_RIVAL = 0.9
"""A form that reads this share of what the best one reads, and reads it otherwise, leaves open which one is meant: of
days that are spread over a month, six in ten cannot be taken for a month."""
_DAYS, _MANY_DAYS = 0.75, 20
"""A reading with fewer than this share of the days of the month that another one finds, which finds so many at least,
has taken years for days."""
_SAMPLE = 1000
"""Distinct cells that tell which formats are worth trying on all."""
_KEY = "Say how they are written in collisions.columns.date_format, '%d %B %Y' for example"


@dataclass(frozen=True, slots=True)
class When:
    """When collisions happened, each on the index of the cells.

    Attributes
    ----------
    date
        Day and time on the clock of the place, ``datetime64[ns, UTC]``: UTC is what that clock is written in, not where
        it stands. Null where a cell tells no day.
    year, month
        Int64, of cells that tell no day; ``month`` is null where a cell tells a year alone.
    form
        How the cells are written, see `geo.collisions.cells.days.forms.named`; empty where none tells a day.
    entries, warnings
        What is to be told of them.
    """

    date: pd.Series
    year: pd.Series
    month: pd.Series
    form: str = ""
    entries: tuple[Entry, ...] = ()
    warnings: tuple[str, ...] = ()

    def known(self) -> pd.Series:
        """Give the year of each cell that tells one."""
        years: pd.Series = self.date.dt.year.astype("Int64").fillna(self.year)
        return years


def dates(
    values: pd.Series,
    *,
    where: str,
    date_format: str | None = None,
    time_zone: str | None = None,
    bare_in_utc: bool = True,
    day_first: bool = False,
) -> When:
    """Read dates; null where a cell holds none.

    Without a format the usual ones are tried, and the one that reads most cells is taken for all. A written offset is
    left out, so that the day is the one on the clock of the place.

    Parameters
    ----------
    values
        Cells of a column with dates, as text.
    where
        The file and column, for the message.
    date_format
        How the dates are written (`geo.collisions.cells.days.forms.named`); None: it is found out.
    time_zone
        IANA name of the place's time zone: times are brought to its clock. Days without a time stay. None: all stay as
        they are written.
    bare_in_utc
        Whether a time without an offset is one in UTC; else it is on the clock of the place.
    day_first
        Whether the day stands first wherever the year does not.

    Raises
    ------
    LayerError
        When two forms read the cells equally well but differently: a guess would be silent. When no cell can be read,
        or all hold a year alone: the whole column would be lost, or taken for the first of January.
    ConfigurationError
        When there is no such time zone, or form of dates.
    """
    cells = text(values)
    there = cells.dropna()
    none = pd.Series(pd.NA, index=values.index, dtype="Int64")
    if there.empty:
        return When(_as_utc(pd.Series(pd.NaT, index=values.index)), none, none)
    if date_format is None and there.str.fullmatch(r"\d{4}").all():
        raise LayerError(
            f"the dates are years alone, such as {there.iloc[0]!r}",
            where=where,
            todo="Name the column in collisions.columns.year instead of .date.",
        )
    partial = pd.DataFrame({"year": none, "month": none}) if date_format is not None else months(cells)
    rest = cells.mask(partial["year"].notna())
    found = Cells(rest, part(rest))
    form, wall = (
        _best(found, day_first=day_first, where=where) if date_format is None else _asked(found, date_format)
    )
    if form is not None and form.unit in {"month", "year"}:
        told = _beginnings(wall, form)
        partial, wall = partial.where(partial["year"].notna(), told), wall.mask(wall.notna())
    _refuse_unread(there, wall.notna() | partial["year"].notna(), form, where=where, asked=date_format)
    local, warnings, entries = _local(found, wall, form, time_zone, bare_in_utc=bare_in_utc)
    return When(
        _as_utc(local),
        partial["year"],
        partial["month"],
        "" if form is None else form.name,
        entries,
        warnings,
    )


def _asked(cells: Cells, date_format: str) -> tuple[Form | None, pd.Series]:
    """Read cells as the configuration says."""
    form = named(date_format)
    try:
        return form, form.read(cells)
    except (ValueError, re.error) as error:
        # cells that cannot be read are null: what is wrong is the form
        raise ConfigurationError(
            f"{date_format!r} is no form of dates ({error})",
            where="collisions.columns.date_format",
            todo="Write it as for Python's strptime, '%d %B %Y' for example.",
        ) from error


def _best(cells: Cells, *, day_first: bool, where: str) -> tuple[Form | None, pd.Series]:
    """Choose the form that reads most cells, and read them; None where no cell but those of months tells anything."""
    there = cells.whole.dropna()
    sample = there.drop_duplicates().iloc[:_SAMPLE]
    few = Cells(sample, part(sample))
    forms = forms_of(few) if len(sample) else []
    forms = with_day_first(forms) if day_first else forms
    tries = {form: form.read(cells) for form in forms if form.read(few).notna().any()}
    if not tries:
        return None, pd.Series(pd.NaT, index=cells.whole.index, dtype="datetime64[ns]")
    read = {form: int(found.notna().sum()) for form, found in tries.items()}
    most = max(read.values())
    calendar = any(read[f] == most and f.unit != "moment" for f in read)
    close = [f for f in read if read[f] >= _RIVAL * most and not (calendar and f.unit == "moment")]
    days = {f: int(tries[f].dt.day.nunique()) for f in close}
    least = _DAYS * max(days.values()) if max(days.values()) >= _MANY_DAYS else 0
    close = sorted((f for f in close if days[f] >= least), key=lambda f: -read[f])
    best = close[0]
    rival = next((f for f in close[1:] if _differ(tries[f], tries[best])), None)
    if rival is not None:
        which = there[(tries[rival] != tries[best])[there.index]].iloc[0]
        raise LayerError(
            f"the dates, such as {which!r}, can be read as {best.name} and as {rival.name}",
            where=where,
            todo="Say which in collisions.columns.date_format.",
        )
    return best, tries[best]


def _differ(one: pd.Series, other: pd.Series) -> bool:
    """Tell whether two readings take any cell for two days."""
    both = one.notna() & other.notna()
    return bool((one[both] != other[both]).any())


def _beginnings(wall: pd.Series, form: Form) -> pd.DataFrame:
    """Give the year and month of readings that tell no day."""
    month = wall.dt.month.astype("Int64")
    return pd.DataFrame(
        {
            "year": wall.dt.year.astype("Int64"),
            "month": month if form.unit == "month" else month.mask(month > 0),
        }
    )


def _refuse_unread(
    there: pd.Series, read: pd.Series, form: Form | None, *, where: str, asked: str | None
) -> None:
    """Refuse a column of which nothing, or too little, can be read."""
    found, lost = int(read.sum()), there[~read[there.index]]
    if not found:
        raise LayerError(
            f"no date can be read, such as {there.iloc[0]!r}{'' if asked is None else f' as {asked}'} ({shown(there)})",
            where=where,
            todo=f"{_KEY}.",
        )
    if len(lost) >= UNREAD_LEAST and len(lost) > UNREAD * len(there):
        raise LayerError(
            f"only {found:,} of {len(there):,} dates can be read"
            f"{'' if form is None else f' as {form.name}'}; {lost.iloc[0]!r} cannot ({shown(lost)})",
            where=where,
            todo=f"{_KEY}, or mend them.",
        )


def _local(
    cells: Cells, wall: pd.Series, form: Form | None, time_zone: str | None, *, bare_in_utc: bool
) -> tuple[pd.Series, tuple[str, ...], tuple[Entry, ...]]:
    """Bring what was read to the clock of the place, with what is to be told."""
    if form is None or wall.isna().all():
        return wall, (), ()
    clock, offset = cells.parts.clock, cells.parts.offset
    if form.unit == "moment" or wall.ne(wall.dt.normalize()).any():
        clock = (wall - wall.dt.normalize()).where(wall.notna())
        offset = without_offset(cells.whole)[1] if form.unit == "day" else clock * 0
    else:
        wall = wall + clock.fillna(pd.Timedelta(0))
    entries: tuple[Entry, ...] = ()
    if form.name == "excel" or form.unit == "moment":
        first = wall.first_valid_index()
        told = f"read as {form.name}: {cells.whole[first]} is {wall[first]:%Y-%m-%d %H:%M}"
        told += " (excel_1904 is four years later)" if form.name == "excel" else " in UTC"
        entries = (Entry("dates", "done", told, int(wall.notna().sum())),)
    timed = bool((clock.notna() & (clock != pd.Timedelta(0)) & wall.notna()).any())
    if not timed:
        return wall, (), entries
    if time_zone is not None:
        if not bare_in_utc:
            clock = clock.where(offset.notna())
        bare = int((wall.notna() & clock.notna() & offset.isna()).sum())
        if bare:
            told = f"state no offset and are taken for UTC, brought to the clock of {time_zone}"
            entries = (*entries, Entry("dates", "done", told, bare))
        return on_clock_of(wall, clock, offset, time_zone), (), entries
    stated = offset[offset.notna() & wall.notna()]
    if len(stated) and (stated == pd.Timedelta(0)).all():
        first = stated.index[0]
        warning = (
            f"the dates, such as {cells.whole[first]!r}, are in UTC, whose day may be another than the place's: name "
            "its time zone in collisions.columns.time_zone"
        )
        return wall, (warning,), entries
    return wall, (), entries


def _as_utc(wall: pd.Series) -> pd.Series:
    return pd.to_datetime(wall).astype("datetime64[ns]").dt.tz_localize("UTC")
