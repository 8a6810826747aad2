"""The first and the last years of the records, counted apart for the held-out check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from geo.config import Severity
from geo.safety.comparison.heldout import Periods
from geo.safety.rates import count_severities, count_users, years_of

LEAST_YEARS = 2.0
"""Records of less are not divided: a half would miss whole seasons."""
MOST_UNDATED = 0.01
"""With a greater share of undated collisions nothing is held out."""
_SAME = 0.01


def halves(records: pd.DataFrame, source: Mapping[str, Any], index: pd.Index) -> Periods | None:
    """Count the collisions of segments in the first and in the last years.

    Records are divided at the turn of the year nearest to the middle of their period.

    Parameters
    ----------
    records
        Placed collisions: ``segment_id, severity, date`` and road users.
    source
        What the records tell: ``severities``, ``users``, ``years``, ``period`` (first and last day, ISO).
    index
        Segments.

    Returns
    -------
    None where the period is not known, shorter than `LEAST_YEARS` or with years that no record covers, or too many
    collisions have no date.
    """
    if source.get("period") is None:
        return None
    first, last = (date.fromisoformat(day) for day in source["period"])
    when = pd.to_datetime(records["date"], utc=True)
    years = years_of(first, last)
    if years < LEAST_YEARS or abs(years - source["years"]) > _SAME or records.empty:
        return None
    if when.isna().mean() > MOST_UNDATED:
        return None
    middle = first + (last - first) / 2
    turns = [date(year, 1, 1) for year in range(first.year + 1, last.year + 1)]
    turn = min(turns, key=lambda day: abs((day - middle).days))
    early = when < pd.Timestamp(turn, tz="UTC")
    counted = source["users"], frozenset(source["severities"])
    return Periods(
        _count(records[early], index, *counted),
        _count(records[when.notna() & ~early], index, *counted),
        years_of(first, turn - timedelta(days=1)),
        years_of(turn, last),
    )


def _count(
    records: pd.DataFrame, index: pd.Index, users: Sequence[str], severities: frozenset[Severity]
) -> pd.DataFrame:
    by_user = count_users(records, "segment_id", index, users)
    return count_severities(records, "segment_id", index, severities).join(by_user)
