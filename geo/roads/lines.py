"""The algebra of lines: cutting at arc lengths, canonical direction, where lines meet. No loop over rows."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Lines = NDArray[np.object_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

GRID_M = 0.01
"""Coordinates are rounded to this (metres) before lines are compared."""
TOUCH_M = 0.05
"""An end of a line lies on another line when it is no farther from it than this (metres)."""


def canonical(lines: Lines) -> Lines:
    """Turn each line so that its end with the smaller x, then y, comes first; of two equal ends, the next points.

    A closed line starts where it starts; only its sense is settled.
    """
    reverse = shapely.reverse(lines)
    own, other = (_first_coordinates(each) for each in (lines, reverse))
    turn = np.zeros(len(lines), dtype=bool)
    decided = np.zeros(len(lines), dtype=bool)
    for column in range(own.shape[1]):
        differs = ~decided & (own[:, column] != other[:, column])
        turn |= differs & (own[:, column] > other[:, column])
        decided |= differs
    return np.where(turn, reverse, lines)


def _first_coordinates(lines: Lines) -> Floats:
    """Coordinates of the first two points, side by side."""
    points = [shapely.get_point(lines, i) for i in (0, 1)]
    return np.column_stack([f(p) for p in points for f in (shapely.get_x, shapely.get_y)])


def ends(lines: Lines) -> tuple[Floats, Floats]:
    """Give the first and the last point of each line, arrays ``(lines, 2)``."""
    first, last = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    return tuple(np.column_stack([shapely.get_x(p), shapely.get_y(p)]) for p in (first, last))  # type: ignore[return-value]


def cut_lines(
    lines: Lines, which: Integers, where: Floats, at: Floats | None = None
) -> tuple[Lines, Integers]:
    """Cut lines at given arc lengths.

    Parameters
    ----------
    lines
        LineStrings, in any planar unit.
    which
        For each cut, the position of its line in `lines`.
    where
        For each cut, its distance along that line (units of the lines).
    at
        For each cut, the point to put there, ``(cuts, 2)``; None: the point of the line itself.

    Returns
    -------
    The pieces in the order of the lines and along each, and for each piece the position of its line. A cut
    at (or within a rounding of) an end, or twice at the same place, makes no piece of its own.
    """
    length = shapely.length(lines)
    inside = (where > GRID_M / 2) & (where < length[which] - GRID_M / 2)
    which, where = which[inside], where[inside]
    cuts = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines[which], where))
        if at is None
        else at[inside]
    )
    coordinates, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(coordinates, axis=0).T)
    step = np.concatenate([[0.0], np.where(np.diff(owner) == 0, step, 0.0)])
    along = np.cumsum(step)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(owner) != 0]))
    along -= along[starts][owner]

    all_owner = np.concatenate([owner, which])
    all_along = np.concatenate([along, where])
    is_cut = np.concatenate([np.zeros(len(owner), dtype=bool), np.ones(len(which), dtype=bool)])
    points = np.round(np.concatenate([coordinates, cuts]) / GRID_M) * GRID_M
    order = np.lexsort((is_cut, all_along, all_owner))
    all_owner, is_cut, points = all_owner[order], is_cut[order], points[order]
    # two points of one line at the same place are one; it is a cut if either is
    same = np.concatenate([[False], (np.diff(all_owner) == 0) & (points[1:] == points[:-1]).all(axis=1)])
    group = np.cumsum(~same) - 1
    cut_here = np.bincount(group, weights=is_cut) > 0
    all_owner, points = all_owner[~same], points[~same]
    first = np.concatenate([[True], np.diff(all_owner) != 0])
    last = np.concatenate([first[1:], [True]])
    cut_here &= ~first & ~last
    # a point where a line is cut ends one piece and begins the next
    repeats = np.where(cut_here, 2, 1)
    begins = first | cut_here
    piece = np.repeat(np.cumsum(begins) - 1, repeats)
    doubled = np.flatnonzero(np.repeat(cut_here, repeats))[::2]
    piece[doubled] -= 1
    pieces: Lines = np.asarray(shapely.linestrings(np.repeat(points, repeats, axis=0), indices=piece))
    return pieces, all_owner[begins]


def measure(lines: Lines) -> tuple[Floats, Integers, Floats]:
    """List the points of lines ``(points, 2)``, the line of each, and how far along it each lies."""
    coordinates, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(coordinates, axis=0, prepend=coordinates[:1]).T)
    first = np.flatnonzero(np.diff(owner, prepend=-1) != 0)
    step[first] = 0
    along = np.cumsum(step)
    along -= np.repeat(along[first], np.diff(np.append(first, len(owner))))
    return coordinates, owner.astype(np.int64), along


def stretches(
    measured: tuple[Floats, Integers, Floats], which: Integers, start: Floats, end: Floats
) -> Lines:
    """Take stretches out of lines; they may overlap.

    Parameters
    ----------
    measured
        Points of the lines, the line of each (ascending), and how far along it the point lies (ascending): see
        `measure`.
    which
        For each stretch, the number of its line.
    start, end
        Where each stretch begins and ends along its line, ``start < end``.
    """
    points, owner, along = measured
    # points and limits in one order: by line, then along it
    span = along.max(initial=0.0) + 1
    key = owner * span + along
    tips = []
    for limit, side in ((start, "right"), (end, "left")):
        # the point before a limit and the one after it, on the same line
        lowest, highest = np.searchsorted(owner, which), np.searchsorted(owner, which, side="right") - 1
        found = np.searchsorted(key, which * span + limit, side=side)  # type: ignore[call-overload]
        after = np.clip(found, lowest + 1, highest)
        between = along[after] - along[after - 1]
        share = np.where(between > 0, (limit - along[after - 1]) / np.where(between > 0, between, 1), 0)
        share = np.clip(share, 0, 1)[:, None]
        tips.append(points[after - 1] * (1 - share) + points[after] * share)
    inside = np.searchsorted(key, which * span + start + GRID_M / 2, side="right")
    beyond = np.searchsorted(key, which * span + end - GRID_M / 2, side="left")
    inner = np.maximum(beyond - inside, 0)
    size = inner + 2
    begin = np.cumsum(size) - size
    taken = np.empty((int(size.sum()), 2))
    taken[begin], taken[begin + size - 1] = tips
    number = np.arange(int(inner.sum())) - np.repeat(np.cumsum(inner) - inner, inner)
    taken[np.repeat(begin + 1, inner) + number] = points[np.repeat(inside, inner) + number]
    pieces: Lines = np.asarray(shapely.linestrings(taken, indices=np.repeat(np.arange(len(which)), size)))
    return pieces
