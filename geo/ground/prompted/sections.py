"""Cross sections of roads: where they are laid, and how far what a mask shows reaches to each side of the line.

A section is laid every few metres along a line, square to it. What is seen on it is the stretch of the mask at the
line; its ends are where the mask ends, found between samples. An end is open, and tells nothing, where the mask goes on
up to the way half to another road, to the end of the section, or to where there is no data.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Shapes = NDArray[np.object_]
APART_M, ACROSS_M, STEP_M = 2.0, 25.0, 0.25
"""Sections lie so far apart, reach so far to each side, and are sampled so densely (metres)."""
CLEAR_M = 10.0
"""So near to a junction a carriageway opens into another, and is not measured."""
NEAR_M = 3.0
"""A line may lie so far beside its carriageway."""
GAP_M = 2.5
"""What is narrower than this and has carriageway on both sides, such as a car, is taken for carriageway."""
_BEARING_M = 1.0


@dataclass(frozen=True, slots=True)
class Sections:
    """Cross sections, one a row.

    Attributes
    ----------
    line
        Place of each one's line among those that sections were laid on.
    along
        Where it lies on the line (metres from its beginning).
    place
        Where it crosses the line, ``(sections, 2)`` (metres).
    across
        Direction to the left of the line, of length 1, ``(sections, 2)``.
    left, right
        How far it may be looked to each side (metres): half the way to the next road, `ACROSS_M` at most.
    """

    line: Numbers
    along: Floats
    place: Floats
    across: Floats
    left: Floats
    right: Floats

    def take(self, some: Flags) -> Self:
        """Keep some of them."""
        return type(self)(*(getattr(self, one.name)[some] for one in fields(self)))

    def __len__(self) -> int:
        return len(self.line)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen on sections, one a row.

    Attributes
    ----------
    known
        Whether there is data at the line.
    found
        Whether there is carriageway at the line.
    left, right
        How far it reaches to each side of the line (metres; below 0 on the other side of it); NaN where that end is
        open or nothing was found.
    """

    known: Flags
    found: Flags
    left: Floats
    right: Floats


@dataclass(frozen=True, slots=True)
class Field:
    """Masks of the same ground as numbers above 0 inside and below outside, the first row in the north.

    Attributes
    ----------
    masks
        ``(masks, rows, columns)``, each of the middle of its cell.
    west, north
        Its edges (metres).
    cell_m
        Side of a cell (metres).
    """

    masks: NDArray[np.float32]
    west: float
    north: float
    cell_m: float

    def at(self, places: Floats, mask: Numbers) -> Floats:
        """Read masks at places ``(n, ..., 2)`` between the middles of cells: each of the n by a mask of its own."""
        rows = (self.north - places[..., 1]) / self.cell_m - 0.5
        columns = (places[..., 0] - self.west) / self.cell_m - 0.5
        which = np.broadcast_to(mask.reshape(-1, *[1] * (rows.ndim - 1)), rows.shape)
        found: Floats = ndimage.map_coordinates(
            self.masks, [which, rows, columns], output=np.float64, order=1, mode="nearest"
        )
        return found


def lay(lines: Shapes, junctions: Shapes, radius: Floats | None = None) -> Sections:
    """Lay sections on every line, where it is clear of junctions.

    Parameters
    ----------
    lines
        LineStrings of all roads (metres).
    junctions
        Points (metres).
    radius
        Of each junction (metres), for roundabouts; None: 0.

    Returns
    -------
    From half of `APART_M` on; of a road that crosses or runs beside, sections end half way to it.
    """
    lengths = shapely.length(lines)
    counts = np.maximum(np.floor(lengths / APART_M).astype(np.int64), 0)
    line = np.repeat(np.arange(len(lines)), counts)
    number = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
    spare = (lengths - counts * APART_M) / 2
    along = spare[line] + (number + 0.5) * APART_M
    place = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], along))
    clear = away_from(place, junctions, radius) >= CLEAR_M
    line, along, place = line[clear], along[clear], place[clear]
    across = _left_of(lines[line], along)
    left, right = (_half_way(lines, line, place, across * side) for side in (1, -1))
    return Sections(line, along, place, across, left, right)


def away_from(places: Floats, junctions: Shapes, radius: Floats | None = None) -> Floats:
    """Measure how far places ``(n, 2)`` are from the nearest junction (metres), from the edge of a round one."""
    far: Floats = np.full(len(places), np.inf)
    if not len(junctions) or not len(places):
        return far
    edges = junctions
    if radius is not None:
        wide = np.nan_to_num(radius)
        # a buffer of nothing is empty
        edges = np.where(wide > 0, shapely.buffer(junctions, wide), junctions)
    points = shapely.points(places)
    which, found = shapely.STRtree(edges).query_nearest(points, return_distance=True, all_matches=False)
    far[which[0]] = found
    return far


def _left_of(lines: Shapes, along: Floats) -> Floats:
    """Point to the left of lines, of length 1, by a chord of a metre to each side."""
    behind, ahead = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines, np.maximum(along + step, 0)))
        for step in (-_BEARING_M, _BEARING_M)
    )
    chord = ahead - behind
    length = np.hypot(*chord.T)[:, None]
    forward = np.divide(chord, length, out=np.zeros_like(chord), where=length > 0)
    return np.column_stack([-forward[:, 1], forward[:, 0]])


def _half_way(lines: Shapes, own: Numbers, place: Floats, towards: Floats) -> Floats:
    """Measure half the way from each place to the next other line in a direction, `ACROSS_M` at most."""
    limit: Floats = np.full(len(own), ACROSS_M)
    if not len(own):
        return limit
    # beyond twice its reach no line cuts a section short
    rays: Shapes = np.asarray(shapely.linestrings(np.stack([place, place + 2 * ACROSS_M * towards], axis=1)))
    ray, other = shapely.STRtree(lines).query(rays, predicate="intersects")
    strange = other != own[ray]
    ray, other = ray[strange], other[strange]
    met = shapely.intersection(rays[ray], lines[other])
    np.minimum.at(limit, ray, shapely.distance(met, shapely.points(place[ray])) / 2)
    return limit


def look(sections: Sections, field: Field, mask: Numbers, valid: Field | None = None) -> Seen:
    """Look at masks along sections.

    Parameters
    ----------
    sections
        Those that lie on the field.
    field
        The masks.
    mask
        Which of them each section is looked at on.
    valid
        One mask, above 0 where there is data; None: everywhere.
    """
    offsets = np.arange(-round(ACROSS_M / STEP_M), round(ACROSS_M / STEP_M) + 1) * STEP_M
    places = sections.place[:, None] + offsets[:, None] * sections.across[:, None]
    values = field.at(places, mask)
    within = (offsets <= sections.left[:, None]) & (offsets >= -sections.right[:, None])
    if valid is not None:
        within &= valid.at(places, np.zeros_like(mask)) > 0
    middle = len(offsets) // 2
    known = within[:, middle]
    inside = (values > 0) & within
    start = np.argmin(np.where(inside, np.abs(offsets), np.inf), axis=1)
    rows = np.arange(len(start))
    found = inside[rows, start] & (np.abs(offsets[start]) <= NEAR_M) & known
    left = _end(values, inside, within, start)
    right = _end(values[:, ::-1], inside[:, ::-1], within[:, ::-1], len(offsets) - 1 - start)
    return Seen(known, found, np.where(found, left, np.nan), np.where(found, right, np.nan))


def _end(values: Floats, inside: Flags, within: Flags, start: Numbers) -> Floats:
    """Find how far the stretch that begins at `start` reaches towards the last column (metres); NaN: it is open."""
    columns = np.arange(values.shape[1])
    beyond = ~within & (columns > start[:, None])
    # what comes before the start ends no stretch
    on = inside | (columns <= start[:, None])
    last = np.maximum.accumulate(np.where(on, columns, -1), axis=1)
    ended = (columns - last >= round(GAP_M / STEP_M)) | beyond
    rows = np.arange(len(values))
    stop = np.where(ended.any(axis=1), ended.argmax(axis=1), len(columns) - 1)
    end = last[rows, stop]
    following = np.minimum(end + 1, len(columns) - 1)
    is_open = beyond[rows, following] | (end == len(columns) - 1)
    inner, outer = values[rows, end], values[rows, following]
    drop = inner - outer
    part = np.divide(inner, drop, out=np.zeros_like(inner), where=drop > 0)
    reach = (end - len(columns) // 2 + np.clip(part, 0, 1)) * STEP_M
    return np.where(is_open, np.nan, reach)
