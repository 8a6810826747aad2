"""Whether a city can be run, how long that takes, and what will not come of it, in plain words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

FEW, NEARLY_ALL = 0.5, 0.995
"""Shares of tiles with imagery: below the one it is 'only', from the other on it is all of them."""
_MINUTE, _HOUR = 60, 3600
_MANY, _STEP = 10, 5
"""From so many minutes on, they are said to the nearest five, as seconds are: a forecast knows no more."""


@dataclass(frozen=True, slots=True)
class Met:
    """What a run would meet.

    Attributes
    ----------
    seconds
        How long it may take.
    timed
        What that is from, in words.
    segments, typed
        Segments, and those of them with a tile of which imagery covers enough.
    coverage
        Share of tiles (0 to 1) of which imagery covers enough.
    shown_by
        What shows the ground: imagery, or embeddings.
    rows, placed
        Rows of the records, and collisions that can be placed; None: there are no records.
    severities
        Those that collisions can be counted by.
    looked_at, of
        Segments whose imagery was looked at, and those that they were drawn from: where these are more, `typed` is an
        estimate. 0: none were.
    """

    seconds: float
    timed: str
    segments: int
    typed: int
    coverage: float
    shown_by: str = "imagery"
    rows: int | None = None
    placed: int = 0
    severities: Collection[str] = ()
    looked_at: int = 0
    of: int = 0


def verdict(met: Met) -> list[str]:
    """Say that a city is ready to be run, how long that takes, and what it lacks, a sentence each.

    Examples
    --------
    >>> met = Met(340, "the encoder was timed here", 23722, 1316, 0.07, rows=56028, placed=6372, severities=["fatal"])
    >>> for sentence in verdict(met):
    ...     print(sentence)
    Ready, about 6 minutes (the encoder was timed here).
    Only 7 % of tiles have imagery: 1,316 of 23,722 segments will get a type.
    The records do not tell serious from slight: no KSI.
    """
    return [f"Ready, about {duration(met.seconds)} ({met.timed}).", _of_types(met), *_of_records(met)]


def duration(seconds: float) -> str:
    """Say how long something takes, as exactly as a forecast knows it.

    Examples
    --------
    >>> [duration(seconds) for seconds in (4, 38, 100, 340, 1500, 4000, 10_000, 100_000)]
    ['5 seconds', '40 seconds', '2 minutes', '6 minutes', '25 minutes', '1 hour', '3 hours', '28 hours']
    """
    if seconds < _MINUTE - _STEP / 2:
        return f"{max(_STEP, _STEP * round(seconds / _STEP))} seconds"
    minutes = round(seconds / _MINUTE)
    if minutes >= _MANY:
        minutes = _STEP * round(seconds / _MINUTE / _STEP)
    if minutes < _HOUR / _MINUTE:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    hours = round(seconds / _HOUR)
    return "1 hour" if hours == 1 else f"{hours} hours"


def _of_types(met: Met) -> str:
    """Say how many segments will get a type."""
    number, how = f"{met.typed:,}", ""
    if 0 < met.looked_at < met.of:
        number = f"about {_rounded(met.typed):,}"
        how = f" ({met.looked_at:,} of {met.of:,} under it were looked at)"
    many = f"{number} of {met.segments:,} segments will get a type{how}"
    if met.coverage >= NEARLY_ALL:
        return f"All tiles have {met.shown_by}: {many}."
    share = f"{100 * met.coverage:.0f} %" if met.coverage >= 0.01 else "under 1 %"
    lead = f"Only {share}" if met.coverage < FEW else share[0].upper() + share[1:]
    return f"{lead} of tiles have {met.shown_by}: {many}."


def _rounded(number: int) -> int:
    """Round a number that is an estimate to two digits."""
    return number if number < _MANY else int(float(f"{number:.1e}"))


def _of_records(met: Met) -> list[str]:
    """Say what the records do not tell."""
    if met.rows is None:
        return ["There are no collision records: a run ends with types alone."]
    told = set(met.severities)
    if {"fatal", "serious"} <= told:
        return []
    if not told:
        return ["The records tell no severities that can be counted: no KSI."]
    lacks = "serious from slight" if "fatal" in told else "who was killed"
    return [f"The records do not tell {lacks}: no KSI."]
