"""The time of day that a date is written with, and the offset from UTC, apart from the day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.errors import ConfigurationError

_ZONE = r"(?P<offset>z|utc|gmt|[+\-\u2212]\d{2}(?::?\d{2})?)?"
_TIME = (
    r"(?i)^(?P<day>.*?)[t,\s]+(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?\s*" + _ZONE + r"(?:\s?[a-z]{2,5})?$"
)
_BASIC = (
    r"(?i)^(?P<day>\d{8})t(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?(?:[.,]\d{1,9})?" + _ZONE + "$"
)
"""ISO 8601's form without colons."""
_UTC = ("z", "utc", "gmt")
END_OF_DAY = pd.Timedelta(hours=24) - pd.Timedelta(seconds=1)
"""What 24:00 is taken for, so that it stays on the day that the record names."""


@dataclass(frozen=True, slots=True)
class Written:
    """Cells in their parts, each on the index of the cells.

    Attributes
    ----------
    day
        What is left of the cell without time and offset; null where the time is none that a clock shows.
    clock
        Time of day; NaT where none is written.
    offset
        East of UTC; NaT where none is written.
    """

    day: pd.Series
    clock: pd.Series
    offset: pd.Series


def part(cells: pd.Series) -> Written:
    """Part cells into day, time of day and offset.

    Parameters
    ----------
    cells
        Text, or null. The name of a zone, such as EST, says that the time is a local one, and is left out.
    """
    cells = cells.astype("string")
    found = cells.str.extract(_TIME)
    found = found.where(found["hour"].notna(), cells.str.extract(_BASIC).reindex(columns=found.columns))
    there = found["hour"].notna()
    hour, minute, second = (
        pd.to_numeric(found[name], errors="coerce").astype("float64") for name in ("hour", "minute", "second")
    )
    second = second.fillna(0)
    half = found["half"].str[:1].str.casefold().fillna("")
    afternoon = (half == "p").astype(bool)
    hour = hour.mask((half != "").astype(bool) & (hour <= 12), hour % 12 + np.where(afternoon, 12.0, 0.0))
    shown = (hour < 24) & (minute < 60) & (second <= 60) & ~((half == "a").astype(bool) & (hour >= 12))
    last = (hour == 24) & (minute == 0) & (second == 0) & (half == "").astype(bool)
    seconds = (hour * 3600 + minute * 60 + second.clip(upper=59)).where(shown)
    clock = pd.to_timedelta(seconds, unit="s").mask(last, END_OF_DAY)
    day = found["day"].where(there, cells).mask(there & clock.isna())
    return Written(day.str.strip(), clock.where(there), _offset(found["offset"]))


def without_offset(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Take the offset out of cells that a format of the user's reads; gives the rest, and the offset."""
    pattern = r"(?i)(?<=\d)\s*(z|[+\-]\d{2}:?\d{2})(?=$|\s)"
    offset = _offset(cells.astype("string").str.extract(pattern)[0])
    return cells.astype("string").str.replace(pattern, "", regex=True).str.strip(), offset


def _offset(written: pd.Series) -> pd.Series:
    """Read offsets: ``Z``, ``+01``, ``+0100``, ``-05:00``."""
    plain = written.str.casefold().str.replace("\N{MINUS SIGN}", "-").str.replace(":", "")
    sign = pd.Series(np.where(plain.str.startswith("-").fillna(value=False), -1.0, 1.0), index=plain.index)
    digits = plain.str.extract(r"^[+-](\d{2})(\d{2})?$").astype("float64")
    minutes = sign * (digits[0] * 60 + digits[1].fillna(0))
    minutes = minutes.mask(plain.isin(_UTC), 0.0)
    return pd.to_timedelta(minutes, unit="min")


def on_clock_of(wall: pd.Series, clock: pd.Series, offset: pd.Series, zone: str) -> pd.Series:
    """Bring moments to the clock of a place; days without a time of day stay.

    Parameters
    ----------
    wall
        Day and time as they are written, without zone.
    clock
        Time of day; NaT where a day alone is written.
    offset
        East of UTC; a moment without one is in UTC.
    zone
        IANA name of the place's zone.

    Raises
    ------
    ConfigurationError
        When there is no such zone.
    """
    moment = wall - offset.fillna(pd.Timedelta(0))
    try:
        local = moment.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{zone!r} is no time zone",
            where="collisions.columns.time_zone",
            todo="Give its IANA name, America/Toronto for example.",
        ) from error
    return wall.where(clock.isna() | moment.isna(), local)
