"""The map that stands still: on paper, and where no script runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.outputs.report.map.colours import MapClass, Paint
from geo.outputs.wording import figure

MAP_WIDTH = 1000.0
TOLERANCE = 0.5
FINEST, BROADEST = 0.9, 2.4
INKED = 0.1
"""Share of the map that lines may cover before they are drawn finer."""
WIDEST = 2.0
"""Width of the lines of a class that stands out, by that of the others, at most."""
LABEL = (64.0, 44.0)
"""Width and height that a number takes on paper (units of the drawing)."""
_AROUND = tuple(
    (round(LABEL[0] * ring * math.sin(turn), 1), round(-LABEL[1] * ring * math.cos(turn), 1))
    for ring in (0.9, 1.9, 2.9, 3.9, 4.9)
    for turn in (math.pi / 4 * n for n in range(8))
)
"""Where a number is tried beside its place, the nearest first."""


@dataclass(frozen=True, slots=True)
class MapLine:
    """All segments of one class of the legend as an SVG path, and how wide they are drawn (pixels)."""

    look: MapClass
    width: float
    path: str


@dataclass(frozen=True, slots=True)
class Numbered:
    """A place of a list on the map: its number, where it is, and where the number stands."""

    number: str
    x: float
    y: float
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class StillMap:
    """A map of the segments, north up.

    Attributes
    ----------
    width, height
        Size of the drawing (its own units).
    lines
        The segments, those of which nothing is known first (undermost).
    title, classes
        What they are coloured by, and its legend.
    places
        The places of a list.
    bar, bar_label
        Length of the scale bar in the drawing, and what it stands for.
    """

    width: float
    height: float
    lines: list[MapLine]
    title: str
    classes: Sequence[MapClass]
    places: list[Numbered]
    bar: float
    bar_label: str


def still_map(
    segments: gpd.GeoDataFrame, paint: Paint, listed: Sequence[tuple[str, str]] = ()
) -> StillMap | None:
    """Draw segments.

    Parameters
    ----------
    segments
        ``segment_id`` and lines, in a projected CRS in metres; at least one with an extent, else None is returned.
    paint
        What they are coloured by, on their index.
    listed
        Number and segment of each place of a list that is to be found on the map.
    """
    west, south, east, north = segments.total_bounds if len(segments) else (0.0, 0.0, 0.0, 0.0)
    extent = max(east - west, north - south)
    if not extent > 0:
        return None
    scale = MAP_WIDTH / extent
    # a city that is taller than wide fits the same square
    ordered = segments.sort_values("segment_id")
    drawn = shapely.transform(ordered.geometry.to_numpy(), lambda xy: (xy - [west, north]) * [scale, -scale])
    drawn = shapely.simplify(drawn, TOLERANCE)
    metres = _round_length(extent / 4)
    width, height = (east - west) * scale, (north - south) * scale
    inked = INKED * width * height / shapely.length(drawn).sum()
    stroke = min(max(inked, FINEST), BROADEST)
    of = paint.of.loc[ordered.index].to_numpy()
    order = sorted(range(len(paint.classes)), key=lambda at: not paint.classes[at].quiet)
    return StillMap(
        round(width, 1),
        round(height, 1),
        [
            MapLine(one := paint.classes[at], _width(one, stroke), _path(drawn[of == at]))
            for at in order
            if (of == at).any()
        ],
        paint.title,
        paint.classes,
        _numbered(dict(zip(ordered["segment_id"].astype(str), drawn, strict=True)), listed, (width, height)),
        round(metres * scale, 1),
        f"{figure(metres / 1000)} km" if metres >= 1000 else f"{figure(metres)} m",
    )


def _width(one: MapClass, stroke: float) -> float:
    return round(min(stroke, 1.2) if one.quiet else stroke * min(one.weight, WIDEST), 2)


def _numbered(
    lines: dict[str, shapely.LineString], listed: Sequence[tuple[str, str]], size: tuple[float, float]
) -> list[Numbered]:
    """Put numbers beside the middle of their segments, none over another as long as there is room."""
    there = [(number, lines[segment]) for number, segment in listed if segment in lines]
    middles = shapely.get_coordinates([line.interpolate(0.5, normalized=True) for _, line in there])
    taken: list[tuple[float, float]] = []
    for x, y in middles.tolist():
        tried = [(x + right, y + down) for right, down in _AROUND]
        free = (at for at in tried if _within(at, size) and not any(_meet(at, other) for other in taken))
        taken.append(next(free, tried[0]))
    return [
        Numbered(number, *(round(one, 1) for one in (*middle, *label)))
        for (number, _), middle, label in zip(there, middles.tolist(), taken, strict=True)
    ]


def _within(at: tuple[float, float], size: tuple[float, float]) -> bool:
    return all(LABEL[0] / 4 <= one <= most - LABEL[0] / 4 for one, most in zip(at, size, strict=True))


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) < LABEL[0] and abs(one[1] - other[1]) < LABEL[1]


def _path(lines: NDArray[np.object_]) -> str:
    """Write lines as one SVG path, to a tenth of a unit."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    # minus zero is zero
    tenths = (np.round(points, 1) + 0.0).astype(str)
    starts = np.diff(line, prepend=-1) != 0
    return "".join(
        np.char.add(
            np.where(starts, "M", "L"), np.char.add(np.char.add(tenths[:, 0], " "), tenths[:, 1])
        ).tolist()
    )


def _round_length(most: float) -> float:
    """Give the longest of 1, 2 and 5 times a power of ten that is not above `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step * power <= most)
