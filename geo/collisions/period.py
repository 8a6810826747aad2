"""The time that collision records cover, on which every rate rests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from geo.safety.rates import years_of

STRAY = 0.05
"""Years apart from all others that hold less than this share of the records, before or after them, are taken for
mistyped dates."""
SHORT_YEARS = 0.25


@dataclass(frozen=True, slots=True)
class Period:
    """The time covered.

    Attributes
    ----------
    first, last
        Its first and last day; None where the records hold no time at all.
    years
        How long it is, without whole calendar years in between that hold no record; None likewise. A configured period
        counts in full.
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
        ``date`` and ``year``, one row a record that counts.
    asked
        First and last day, as configured.
    """
    year = records["date"].dt.year.astype("Int64").fillna(records["year"])
    counts = year.dropna().astype(int).value_counts().sort_index()
    if asked is not None:
        empty = [y for y in range(asked[0].year, asked[1].year + 1) if y not in counts.index]
        told = f"the configured period holds no record of {_listed(empty)}: rates count these years as empty"
        return Period(*asked, years_of(*asked), (told,) if empty else ())
    if counts.empty:
        return Period(None, None, None)
    runs = _runs(counts)
    strays = [run for run in (runs[:1] + runs[1:][-1:]) if len(runs) > 1 and run.sum() < STRAY * counts.sum()]
    runs = [run for run in runs if not any(run is stray for stray in strays)]
    spans = [_span(records["date"], run) for run in runs]
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
            f"the records run from {first} to {last} only: rates per year rest on {years:.2g} years; give "
            "collisions.period if they stand for more"
        )
    return Period(first, last, years, tuple(warnings))


def _runs(counts: pd.Series) -> list[pd.Series]:
    """Part counts by year into runs of years without a gap."""
    breaks = np.flatnonzero(np.diff(counts.index.to_numpy()) > 1) + 1
    edges = [0, *breaks.tolist(), len(counts)]
    return [counts.iloc[a:b] for a, b in pairwise(edges)]


def _span(dates: pd.Series, run: pd.Series) -> tuple[date, date]:
    """First and last day of a run of years: of the dates in it, or where there are none, of the years as a whole."""
    first, last = int(run.index[0]), int(run.index[-1])
    within = dates[dates.dt.year.between(first, last)]
    if within.empty:
        return date(first, 1, 1), date(last, 12, 31)
    return within.min().date(), within.max().date()


def _listed(years: list[int]) -> str:
    """Write years, a long list by its ends."""
    return (
        ", ".join(map(str, years)) if len(years) <= 3 else f"{years[0]} to {years[-1]} ({len(years)} years)"
    )
