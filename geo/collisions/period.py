"""The time that collision records cover, on which every rate rests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.collisions.cells.days.calendar import days_of
from geo.safety.rates import years_of

STRAY = 0.05
"""Years apart from all others that hold less than this share of the records, before or after them, are taken for
mistyped dates."""
PLACEHOLDER = 0.5
"""The same of years that hold one day alone, again and again: 1900-01-01 is written where no date is known."""
SHORT_YEARS = 0.25
CHANCE = 0.001
"""Silence less probable than this is not chance: the source does not cover that time."""
SHORT_SILENCE = 31 / 365.25
"""Years of silence that are never taken for a gap: records of a month may be late, or of few."""


@dataclass(frozen=True, slots=True)
class Period:
    """The time covered.

    Attributes
    ----------
    first, last
        Its first and last day; None where the records hold no time at all.
    years
        How long it is, without whole calendar years in between that hold no record; None likewise. Of a configured
        period, the part that records cover.
    warnings
        What is odd about it, in words.
    """

    first: date | None
    last: date | None
    years: float | None
    warnings: tuple[str, ...] = ()


def period_covered(records: pd.DataFrame, asked: tuple[date, date] | None) -> Period:
    """Find the time that records cover: the configured one, else that of the records themselves.

    Parameters
    ----------
    records
        ``date``, ``year`` and, where they are recorded, ``month``, one row a record that counts. A month counts as a
        whole, a year alone where no record of it and the years beside it tells more.
    asked
        First and last day, as configured.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.Series(pd.date_range("2022-01-01", "2023-12-31", freq="D", tz="UTC"))
    >>> records = pd.DataFrame({"date": days, "year": pd.array([pd.NA] * len(days), dtype="Int64")})
    >>> period_covered(records, None).years
    2.0
    """
    year = records["date"].dt.year.astype("Int64").fillna(records["year"])
    counts = year.dropna().astype(int).value_counts().sort_index()
    if asked is not None:
        return _within(records, year, asked)
    if counts.empty:
        return Period(None, None, None)
    runs = _runs(counts)
    strays = [run for run in (runs[:1] + runs[1:][-1:]) if len(runs) > 1 and _is_stray(run, counts, records)]
    runs = [run for run in runs if not any(run is stray for stray in strays)]
    spans = [_span(records, run) for run in runs]
    years = sum(years_of(*span) for span in spans)
    first, last = spans[0][0], spans[-1][1]
    warnings = [
        f"{int(run.sum()):,} records of {_listed(list(run.index))} stand apart from all others and are left out as "
        "mistyped: give collisions.period if they are not"
        for run in strays
    ]
    if len(runs) > 1:
        missing = [y for y in range(first.year, last.year) if y not in counts.index]
        warnings.append(
            f"no record is of {_listed(missing)}: rates leave these years out; give collisions.period"
        )
    if years < SHORT_YEARS:
        warnings.append(
            f"the records run from {first} to {last} only: rates per year rest on {round(years * 365.25)} days; give "
            "collisions.period if they stand for more"
        )
    return Period(first, last, years, tuple(warnings))


def _within(records: pd.DataFrame, year: pd.Series, asked: tuple[date, date]) -> Period:
    """Find the part of a configured period that records cover.

    Silence at an end of the period, or over whole years within it, is taken for time that the source does not cover
    when so long a silence would be rarer than `CHANCE` in a steady (Poisson) stream of as many records.
    """
    whole = years_of(*asked)
    inside = in_period(records, asked)
    inside |= (_undated(records) & year.between(asked[0].year, asked[1].year).fillna(value=False)).to_numpy()
    if not inside.any():
        told = "the configured period holds no record: every rate in it is 0, which is to be believed only if it is so"
        return Period(*asked, whole, (told,) if len(records) else ())
    counts = year[inside].astype(int).value_counts().sort_index()
    start, end = _span(records[inside], counts)
    start, end = max(start, asked[0]), min(end, asked[1])
    silent = [y for y in range(start.year + 1, end.year) if y not in counts.index]
    covered = years_of(start, end) - len(silent)
    longest = max(-np.log(CHANCE) * covered / inside.sum(), SHORT_SILENCE)
    warnings = []
    if _between(asked[0], start) > longest:
        warnings.append(f"the records begin on {start}, not with the configured period on {asked[0]}")
    else:
        start = asked[0]
    if _between(end, asked[1]) > longest:
        warnings.append(f"the records end on {end}, not with the configured period on {asked[1]}")
    else:
        end = asked[1]
    if silent and longest >= 1:
        silent = []
    if silent:
        warnings.append(f"no record is of {_listed(silent)}")
    years = years_of(start, end) - len(silent)
    notes = tuple(f"{text}: rates rest on the {years:.3g} years that are covered" for text in warnings)
    return Period(start, end, years, notes)


def _between(first: date, last: date) -> float:
    """Count the years from one day to another, which is not counted."""
    return (last - first).days / 365.25


def _is_stray(run: pd.Series, counts: pd.Series, records: pd.DataFrame) -> bool:
    """Tell whether years apart from all others are no time of the records: few, or one day that stands for nothing."""
    days = records.loc[records["date"].dt.year.isin(run.index), "date"].dt.normalize()
    one_day = len(days) > 1 and (days == days.iloc[0]).all()
    return bool(run.sum() < (PLACEHOLDER if one_day else STRAY) * counts.sum())


def _runs(counts: pd.Series) -> list[pd.Series]:
    """Part counts by year into runs of years without a gap."""
    breaks = np.flatnonzero(np.diff(counts.index.to_numpy()) > 1) + 1
    edges = [0, *breaks.tolist(), len(counts)]
    return [counts.iloc[a:b] for a, b in pairwise(edges)]


def in_period(records: pd.DataFrame, period: tuple[date, date]) -> NDArray[np.bool_]:
    """Tell which records lie in a period, both days included; a month or a year alone when the whole of it does.

    Parameters
    ----------
    records
        ``date``, ``year`` and, where they are recorded, ``month``.
    period
        First and last day.
    """
    first, last = (pd.Timestamp(day, tz="UTC") for day in period)
    by_date = (records["date"] >= first) & (records["date"] < last + pd.Timedelta(days=1))
    begins, ends = _months(records)
    by_month = (begins >= first) & (ends <= last)
    whole_first = period[0].year + (period[0] > date(period[0].year, 1, 1))
    whole_last = period[1].year - (period[1] < date(period[1].year, 12, 31))
    by_year = _undated(records) & records["year"].between(whole_first, whole_last).fillna(value=False)
    found: NDArray[np.bool_] = (by_date | by_month | by_year).to_numpy(dtype=bool)
    return found


def _undated(records: pd.DataFrame) -> pd.Series:
    """Tell which records have a year alone, at most."""
    return records["date"].isna() & (records["month"].isna() if "month" in records else True)


def _months(records: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Give the first and last day of the months of records without a day; NaT for all others."""
    if "month" not in records:
        none = pd.Series(pd.NaT, index=records.index, dtype="datetime64[ns, UTC]")
        return none, none
    month = records["month"].where(records["date"].isna())
    begins = days_of(records["year"], month, month.mask(month.notna(), 1))
    return begins, begins + pd.offsets.MonthEnd(0)


def _span(records: pd.DataFrame, run: pd.Series) -> tuple[date, date]:
    """First and last day of a run of years: of what is dated in it, or where nothing is, of the years as a whole."""
    first, last = int(run.index[0]), int(run.index[-1])
    begins, ends = (records["date"].fillna(month) for month in _months(records))
    within = begins.dt.year.between(first, last)
    if not within.any():
        return date(first, 1, 1), date(last, 12, 31)
    return begins[within].min().date(), ends[within].max().date()


def _listed(years: list[int]) -> str:
    """Write years, a long list by its ends."""
    return (
        ", ".join(map(str, years)) if len(years) <= 3 else f"{years[0]} to {years[-1]} ({len(years)} years)"
    )
