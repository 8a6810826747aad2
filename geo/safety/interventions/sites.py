"""Treated sites: the time before and after each, and which of them can be studied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.config import Interventions
from geo.safety.interventions.times import Floats, Integers
from geo.safety.interventions.without import Windows

YEAR = 365.25
NO_DATE = "no date that can be read"
ENDS_FIRST = "its works end before they begin"
TOO_EARLY = "its works began before the records do"
TOO_LATE = "its works began after the records end"
SHORT_BEFORE = "less time of records before it than interventions.min_years"
SHORT_AFTER = "less time of records after it than interventions.min_years"
REPEATED = "repeats a treatment of the same kind, place and day"
TOGETHER = "on the day of another kind of treatment at the same place: effects cannot be told apart"
LATER = "after another treatment at the same place, so that its time before was not untreated"
UNDATED_BESIDE = "another treatment at the same place has no date"
NEVER_COUNTED = "all of it lies within reach of junctions: no collision is counted on it"


MOSTLY = 0.05
"""Where more collisions than this share tell no day but a year, all are taken by their years."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of the records in days from its first one.

    Attributes
    ----------
    first, n_days
        The first day, and how many there are.
    covered
        Years of records from the first day to the beginning of each, without years of which there is none,
        ``(days + 1,)``.
    new_years
        Days on which windows may begin and end where records tell years alone; None: on any.
    """

    first: pd.Timestamp
    n_days: int
    covered: Floats
    new_years: Integers | None

    def day(self, when: pd.Series) -> Floats:
        """Days from the first one to given ones; NaN where none is given."""
        return np.asarray((when - self.first).dt.days, dtype=np.float64)

    def down(self, day: Floats) -> Integers:
        """Bring days into the period, to the last new year before each where windows hold whole years."""
        inside = np.clip(np.nan_to_num(day), 0, self.n_days).astype(np.int64)
        if self.new_years is None:
            return inside
        return self.new_years[np.searchsorted(self.new_years, inside, side="right") - 1]

    def up(self, day: Floats) -> Integers:
        """Bring days into the period, to the next new year where windows hold whole years."""
        inside = np.clip(np.nan_to_num(day), 0, self.n_days).astype(np.int64)
        if self.new_years is None:
            return inside
        return self.new_years[np.minimum(np.searchsorted(self.new_years, inside), len(self.new_years) - 1)]


def clock_of(period: tuple[date, date], told: pd.Series, years: pd.Series) -> tuple[Clock, Floats]:
    """Lay the records out in days.

    Parameters
    ----------
    period
        First and last day of the records.
    told, years
        Date and year of each collision; null where none is recorded.

    Returns
    -------
    The clock, and the day of each collision from 0, NaN where it is not known.
    """
    first, last = pd.Timestamp(period[0]), pd.Timestamp(period[1])
    n_days = (last - first).days + 1
    calendar = pd.date_range(first, periods=n_days)
    year = np.asarray(
        pd.to_numeric(years, errors="coerce").astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    )
    when = told.dt.tz_localize(None) if isinstance(told.dtype, pd.DatetimeTZDtype) else told
    day = np.asarray((when.dt.normalize() - first).dt.days, dtype=np.float64)
    new_years = None
    if len(day) and np.isnan(day).mean() > MOSTLY:
        begins = np.flatnonzero((calendar.month == 1) & (calendar.day == 1))
        new_years = np.unique(np.concatenate([[0], begins, [n_days]]))
        day = np.maximum(
            (pd.Series(year) - first.year).map(dict(enumerate(_firsts(calendar)))).to_numpy(float), 0.0
        )
    there = np.isin(calendar.year, year[np.isfinite(year)])
    covered = np.concatenate([[0.0], np.cumsum(there / YEAR)])
    return Clock(first, n_days, covered, new_years), np.where((day >= 0) & (day < n_days), day, np.nan)


def _firsts(calendar: pd.DatetimeIndex) -> Integers:
    """First day of each year of a calendar, from 0."""
    return np.searchsorted(calendar.year, np.arange(calendar.year[0], calendar.year[-1] + 1))


@dataclass(frozen=True, slots=True)
class Sites:
    """Treatments with their places and times.

    Attributes
    ----------
    table
        One row a treatment: ``fate`` (why it cannot be studied, null where it can), ``before_end``, ``after_start`` and
        ``after_end`` (days of the period; ends are not included), ``years_before`` and ``years_after``.
    units
        Which segments and junctions each treated: ``row``, ``unit``, ``id``; also those of treatments that cannot be
        studied, whose places are no untreated ones.
    """

    table: pd.DataFrame
    units: pd.DataFrame

    def until(self, unit: str, ids: pd.Index, clock: Clock) -> Integers:
        """First day on which places are not known to be untreated; the number of days where they are throughout."""
        mine = self.units[self.units["unit"] == unit]
        day = (
            pd.Series(self.table["treated_from"].to_numpy()[mine["row"]], index=mine["id"])
            .groupby(level=0)
            .min()
        )
        return np.asarray(day.reindex(ids).fillna(clock.n_days), dtype=np.int64)

    def windows(self, unit: str, ids: pd.Index, countable: NDArray[np.bool_]) -> tuple[Windows, Integers]:
        """Give the treated places of one kind that can be studied and counted on, and the treatment of each."""
        fine = self.table["fate"].isna().to_numpy()
        mine = self.units[(self.units["unit"] == unit) & fine[self.units["row"]]]
        mine = mine[mine["id"].isin(ids[countable])]
        row = mine["row"].to_numpy(dtype=np.int64)
        ends = (
            self.table[name].to_numpy(dtype=np.int64)[row]
            for name in ("before_end", "after_start", "after_end")
        )
        return Windows(ids.get_indexer(pd.Index(mine["id"])), *ends), row


def lay_out_sites(
    treatments: pd.DataFrame,
    placed: pd.DataFrame,
    fate: pd.Series,
    clock: Clock,
    settings: Interventions,
    counted: pd.Series,
) -> Sites:
    """Find the time before and after each treatment, and say which cannot be studied, and why.

    Works, with the margin on both sides, belong to neither. Of several treatments at one place the first is studied, up
    to the next one.

    Parameters
    ----------
    treatments
        ``kind``, ``start`` and ``end`` of each (`geo.safety.interventions.reading.Treatments`).
    placed, fate
        Their places, and why some have none (`geo.safety.interventions.placing.place_treatments`).
    clock
        The time of the records.
    settings
        The section ``interventions`` of the city's file.
    counted
        By the id of segments and junctions, whether collisions can be counted on it at all.
    """
    start, end = clock.day(treatments["start"]), clock.day(treatments["end"])
    end = np.where(np.isnan(end) & treatments["end"].isna() & treatments["start"].notna(), np.nan, end)
    before_end = clock.down(start - settings.margin_days)
    others = _others(placed, start, treatments["kind"])
    after_end = clock.down(
        np.where(np.isfinite(others["next"]), others["next"] - settings.margin_days, clock.n_days)
    )
    after_start = clock.up(end + 1 + settings.margin_days)
    after_end = np.maximum(after_end, after_start)
    years_before, years_after = (
        clock.covered[before_end],
        clock.covered[after_end] - clock.covered[after_start],
    )
    least = settings.min_years - 2 / YEAR
    usable = placed["id"].map(counted).fillna(value=False).astype(bool).groupby(placed["row"]).any()
    rules = {
        NO_DATE: np.isnan(start) | np.isnan(end),
        ENDS_FIRST: end < start,
        TOO_EARLY: start < 0,
        TOO_LATE: start >= clock.n_days,
        **{reason: others[reason] for reason in (UNDATED_BESIDE, LATER, REPEATED, TOGETHER)},
        NEVER_COUNTED: ~usable.reindex(treatments.index).fillna(value=False).to_numpy(dtype=bool),
        SHORT_BEFORE: years_before < least,
        SHORT_AFTER: years_after < least,
    }
    found = pd.Series(np.select([*rules.values()], [*rules], ""), index=treatments.index, dtype=object)
    fate = fate.where(fate.notna(), found.where(found != "", None))
    table = pd.DataFrame(
        {
            "fate": fate,
            "before_end": before_end,
            "after_start": after_start,
            "after_end": after_end,
            "years_before": years_before,
            "years_after": years_after,
            # from a day that is not known on, nothing is known of a place
            "treated_from": np.where(np.isnan(start), 0, before_end),
        },
        index=treatments.index,
    )
    return Sites(table, placed)


def _others(placed: pd.DataFrame, start: Floats, kind: pd.Series) -> dict[str, np.ndarray]:
    """Hold each treatment against others at the same places: when the next one began, and what forbids to study it."""
    pairs = placed.merge(placed, on=["unit", "id"])[["row_x", "row_y"]]
    pairs = pairs[pairs["row_x"] != pairs["row_y"]].drop_duplicates()
    mine, other = (pairs[name].to_numpy(dtype=np.int64) for name in ("row_x", "row_y"))
    kinds = kind.to_numpy()
    same_day, same_kind = start[mine] == start[other], kinds[mine] == kinds[other]

    def any_of(which: np.ndarray) -> np.ndarray:
        found = np.zeros(len(start), dtype=bool)
        found[mine[which]] = True
        return found

    later = start[other] > start[mine]
    following = np.full(len(start), np.inf)
    np.minimum.at(following, mine[later], start[other][later])
    return {
        "next": following,
        UNDATED_BESIDE: any_of(np.isnan(start[other])),
        LATER: any_of(start[other] < start[mine]),
        REPEATED: any_of(same_day & same_kind & (other < mine)),
        TOGETHER: any_of(same_day & ~same_kind),
    }
