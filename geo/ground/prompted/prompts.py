"""Prompts along the lines of roads: points on the carriageway, and beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.ground.prompted.sections import Floats, Numbers, Sections, Shapes

APART_M, MOST = 12.0, 10
"""A point on the carriageway lies so far from the next (metres), and a prompt has no more of them."""
BESIDE_M = 6.0
"""How far beyond the edge of a carriageway of its class's width a point lies beside it (metres)."""
ALONE_M = 15.0
"""A point lies beside the carriageway only where no other road is so near (metres)."""
_OWN = 0.8
"""A point beside a road that bends is dropped where it is nearer to it than this share of its offset."""
WIDTHS_M = {
    "motorway": 11.0,
    "trunk": 9.0,
    "primary": 9.0,
    "secondary": 8.0,
    "tertiary": 7.3,
    "unclassified": 6.0,
    "residential": 6.0,
    "living_street": 5.0,
    "service": 4.0,
    "motorway_link": 5.5,
    "trunk_link": 5.5,
    "primary_link": 5.5,
    "secondary_link": 5.5,
    "tertiary_link": 5.5,
}
"""Usual width of a carriageway by its class (metres): lanes of about 3.65 m on main roads, 5.5 m for two in streets of
houses (DMRB CD 127, Manual for Streets). It only keeps points beside a road off its carriageway."""
OTHER_M = 7.3


@dataclass(frozen=True, slots=True)
class Prompts:
    """Points, one a row.

    Attributes
    ----------
    line
        Place of the line that each is for.
    place
        ``(points, 2)`` (metres).
    on
        Whether it lies on the carriageway, or beside.
    """

    line: Numbers
    place: Floats
    on: NDArray[np.bool_]


def usual_width(classes: NDArray[np.object_]) -> Floats:
    """Say how wide a carriageway of each class usually is (metres)."""
    return np.array([WIDTHS_M.get(str(one).casefold(), OTHER_M) for one in classes], dtype=np.float64)


def prompts(sections: Sections, lines: Shapes, width: Floats) -> Prompts:
    """Place the points of one prompt for every line that sections lie on.

    Parameters
    ----------
    sections
        Of the ground that one picture shows, by line and along it; near junctions there are none, and so no points.
    lines
        LineStrings of all roads there (metres).
    width
        Usual width of each one's carriageway (metres).
    """
    chosen = _spread(sections)
    line, place, across = sections.line[chosen], sections.place[chosen], sections.across[chosen]
    offset = width[line] / 2 + BESIDE_M
    beside = np.concatenate([place + side * offset[:, None] * across for side in (1, -1)])
    twice = np.concatenate([line, line])
    free = _free(beside, twice, lines, np.concatenate([offset, offset]))
    return Prompts(
        np.concatenate([line, twice[free]]),
        np.concatenate([place, beside[free]]),
        np.repeat([True, False], [len(line), int(free.sum())]),
    )


def _spread(sections: Sections) -> Numbers:
    """Choose sections of each line, evenly, one for `APART_M` metres and `MOST` at most."""
    _, first, count = np.unique(sections.line, return_index=True, return_counts=True)
    apart = np.median(np.diff(sections.along)) if len(sections) > 1 else APART_M
    wanted = np.clip(np.round(count * max(float(apart), 1.0) / APART_M).astype(np.int64), 1, MOST)
    number = np.arange(wanted.sum()) - np.repeat(np.cumsum(wanted) - wanted, wanted)
    step = np.repeat(count / wanted, wanted)
    chosen: Numbers = np.repeat(first, wanted) + np.floor((number + 0.5) * step).astype(np.int64)
    return chosen


def _free(places: Floats, own: Numbers, lines: Shapes, offset: Floats) -> NDArray[np.bool_]:
    """Tell points that no other road is near, nor their own one that comes back."""
    points = shapely.points(places)
    free = shapely.distance(points, lines[own]) >= _OWN * offset
    point, other = shapely.STRtree(lines).query(points, predicate="dwithin", distance=ALONE_M)
    free[point[other != own[point]]] = False
    return free
