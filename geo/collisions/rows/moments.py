"""Whether rows of one id tell of the same place and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

SAME_PLACE_M = 20.0
"""Places of one id nearer than this are one (metres): coordinates are rounded, and each vehicle may have its own."""
ROUNDED_DEGREES = 5
METRES_A_DEGREE = 111_195.0
"""Along a meridian of a sphere of 6,371,009 m."""


@dataclass(frozen=True, slots=True)
class Apart:
    """How rows differ from the first row of their group that tells anything.

    Attributes
    ----------
    time, place
        Whether it is of another day (month, year, where no more is known), or at another place, ``(rows,)``.
    known_time, known_place
        Whether both rows tell it.
    """

    time: NDArray[np.bool_]
    place: NDArray[np.bool_]
    known_time: NDArray[np.bool_]
    known_place: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """Rows of another time or place than the first."""
        return self.time | self.place

    @property
    def partly(self) -> NDArray[np.bool_]:
        """Rows that differ in one of the two and agree in the other."""
        return self.any & ((self.known_time & ~self.time) | (self.known_place & ~self.place))

    @property
    def same(self) -> NDArray[np.bool_]:
        """Rows that are known to agree in both."""
        return self.known_time & self.known_place & ~self.any


@dataclass(frozen=True, slots=True)
class Moments:
    """Place and time of rows: coordinates as read, days since 1970, months since the year 0, years; NaN: not known."""

    x: pd.Series
    y: pd.Series
    day: pd.Series
    month: pd.Series
    year: pd.Series
    crs: pyproj.CRS

    def take(self, rows: pd.Index) -> Moments:
        """Take some rows."""
        return Moments(
            self.x[rows], self.y[rows], self.day[rows], self.month[rows], self.year[rows], self.crs
        )

    def places(self) -> pd.DataFrame:
        """Round coordinates to about a metre: columns ``x`` and ``y``, null where there is none."""
        digits = ROUNDED_DEGREES if self.crs.is_geographic else 0
        return pd.DataFrame({"x": self.x.round(digits), "y": self.y.round(digits)})

    def apart(self, groups: NDArray[np.int64], *, places: bool = True) -> Apart:
        """Hold each row against the first of its group.

        Parameters
        ----------
        groups
            Number of each row's group, ``(rows,)``.
        places
            Whether places count; else rows differ by their time alone.
        """
        own = pd.DataFrame(
            {"x": self.x, "y": self.y, "day": self.day, "month": self.month, "year": self.year}
        )
        first = own.groupby(groups).transform("first")
        # each by the finest of day, month and year that both tell
        gap = (self.day - first["day"]).fillna(self.month - first["month"]).fillna(self.year - first["year"])
        time = gap.fillna(0) != 0
        metres = self._metres(first)
        place = (metres > SAME_PLACE_M) & places
        known_place = metres.notna() & places
        known_time = gap.notna()
        return Apart(*(one.to_numpy(dtype=bool) for one in (time, place, known_time, known_place)))

    def _metres(self, first: pd.DataFrame) -> pd.Series:
        east, north = self.x - first["x"], self.y - first["y"]
        if self.crs.is_geographic:
            east, north = east * METRES_A_DEGREE * np.cos(np.radians(self.y)), north * METRES_A_DEGREE
        else:
            unit = self.crs.axis_info[0].unit_conversion_factor
            east, north = east * unit, north * unit
        return pd.Series(np.hypot(east, north), index=self.x.index)


def moments(table: pd.DataFrame, crs: pyproj.CRS) -> Moments:
    """Take place and time from a canonical table; (0, 0) is the mark of a missing place."""
    x, y = table["x"].astype(float), table["y"].astype(float)
    there = np.isfinite(x) & np.isfinite(y) & ~((x == 0) & (y == 0))
    day = (table["date"].dt.floor("D") - pd.Timestamp(0, tz="UTC")).dt.days.astype(float)
    year = table["date"].dt.year.astype(float).fillna(table["year"].astype("Float64").astype(float))
    month = table["date"].dt.month.astype(float).fillna(table["month"].astype("Float64").astype(float))
    return Moments(x.where(there), y.where(there), day, year * 12 + month, year, crs)
