"""What a plan of the demo town is made of: roads, each of one known form, in metres from its south-west corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.interpolate import CubicSpline

Point = tuple[float, float]
SIZE_M = 2000.0
CARRIAGEWAY_OFFSET_M = 8.0
DRAWN_M = 6.0
"""Vertices of a smooth line lie about so far apart (metres)."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a road form looks like: carriageway and pavement (metres wide), class and markings."""

    highway: str
    width_m: float
    pavement_m: float
    marked: bool


FORMS: dict[str, Form] = {
    "dual_carriageway": Form("trunk", 8.0, 0.0, marked=True),
    "high_street": Form("primary", 10.0, 4.0, marked=True),
    "distributor_road": Form("tertiary", 7.5, 1.8, marked=True),
    "terraced_street": Form("residential", 7.0, 1.8, marked=False),
    "cul_de_sac": Form("residential", 5.5, 1.6, marked=False),
    "industrial_road": Form("unclassified", 9.0, 1.5, marked=True),
    "rural_lane": Form("unclassified", 4.2, 0.0, marked=False),
}


@dataclass(frozen=True, slots=True)
class Road:
    """One source road.

    Attributes
    ----------
    name, ref
        The road's name and number, as on the signs.
    form
        One of `FORMS`, or ``roundabout`` for a ring.
    line
        Centreline of the road (metres).
    bridge
        Whether it crosses above what it crosses.
    highway
        Its class, where that is not the usual one of its form.
    """

    name: str | None
    ref: str | None
    form: str
    line: shapely.LineString
    bridge: bool = False
    highway: str | None = None

    @property
    def look(self) -> Form:
        """Width and class; a ring is as wide as a distributor road."""
        usual = FORMS.get(self.form, replace(FORMS["distributor_road"], width_m=9.0, highway="primary"))
        return usual if self.highway is None else replace(usual, highway=self.highway)


@dataclass(frozen=True, slots=True)
class Park:
    """Open ground among houses, and what is on it (metres).

    Attributes
    ----------
    ground
        Its outline.
    paved
        Whether it is a square of stone, not of grass.
    pond
        Centre and radius of a pond.
    paths
        Points that each path goes through.
    pitches
        South-west corner of each pitch.
    """

    ground: shapely.Polygon
    paved: bool = False
    pond: tuple[Point, float] | None = None
    paths: tuple[tuple[Point, ...], ...] = ()
    pitches: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of the town.

    Attributes
    ----------
    roads
        Every road; the number of one in the town's files is its place here, from 1.
    roundabouts
        Centre and radius of each ring (metres).
    signals
        Where roads cross under signals.
    parks
        Open ground that is kept free of houses.
    median
        Middle of all dual carriageways.
    """

    roads: list[Road]
    roundabouts: tuple[tuple[Point, float], ...]
    signals: tuple[Point, ...]
    parks: tuple[Park, ...]
    median: shapely.Geometry


def smooth_line(
    points: Sequence[Point], apart_m: float = DRAWN_M, *, closed: bool = False
) -> shapely.LineString:
    """Draw a smooth line through points (cubic spline over the chord length)."""
    through = np.array([*points, points[0]] if closed else points, dtype=np.float64)
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(through, axis=0).T))])
    spline = CubicSpline(along, through, bc_type="periodic" if closed else "natural")
    dense = spline(np.linspace(0, along[-1], max(2, round(along[-1] / apart_m)) + 1))
    dense[[0, -1]] = through[[0, -1]]
    return shapely.LineString(dense)


def longest_part(shape: shapely.Geometry) -> shapely.LineString:
    """Keep the longest part of a clipped line."""
    parts = shapely.get_parts(shape)
    longest: shapely.LineString = parts[int(np.argmax(shapely.length(parts)))]
    return longest
