"""The ground that labels lie on, as it is learned from: features, picture and what is told of each place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.ground.contract import Features, Piece
from geo.ground.labels.drawn.marks import REST, SILENT, Codes, Marks, mark
from geo.ground.labels.drawn.reading import Drawn

DETAIL_M = 0.5
"""Places of the map are no smaller than this (metres)."""
RIM = 16
"""Cells around labels that are kept with them, so that what lies around a place is known there as anywhere."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Labelled ground: a part of a piece, and what labels say of its places."""

    piece: Piece
    marks: Marks


def places_a_cell(piece: Piece) -> int:
    """Find how many places a cell has along each side: as many as its pixels part evenly, none below `DETAIL_M`."""
    k = piece.per_cell
    fits = [n for n in range(1, k + 1) if k % n == 0 and piece.cell_m / n >= DETAIL_M - 1e-9]
    return max(fits, default=1)


def lay_out_plots(
    pieces: Sequence[Piece], drawn: Drawn, codes: Codes
) -> tuple[list[Plot], NDArray[np.int64], NDArray[np.int64]]:
    """Read the labelled ground, one piece after the other.

    Parameters
    ----------
    pieces
        In any order.
    drawn
        The labels.
    codes
        Class of each of `Drawn.labels`.

    Returns
    -------
    Plots by the names of their pieces; and the rows of `Drawn.labels` under which there is data, and of which some
    ground is left to learn from.
    """
    plots: list[Plot] = []
    none = np.zeros(0, dtype=np.int64)
    seen, used = [none], [none]
    for piece in pieces:
        finer = places_a_cell(piece)
        marks = mark(piece, drawn.labels, codes, drawn.extents, finer=finer)
        seen.append(marks.seen)
        used.append(marks.used)
        told = marks.codes != SILENT
        if told.any():
            plots.append(_cut(piece, marks, told, finer))
    plots.sort(key=lambda plot: (plot.piece.name, plot.piece.y, plot.piece.x))
    return plots, np.unique(np.concatenate(seen)), np.unique(np.concatenate(used))


def _cut(piece: Piece, marks: Marks, told: NDArray[np.bool_], finer: int) -> Plot:
    """Cut the part of a piece out that labels lie on."""
    rows, columns = piece.shape
    cells = np.asarray(told.reshape(rows, finer, columns, finer).any(axis=(1, 3)))
    down, across = (_window(np.asarray(cells.any(axis=axis), dtype=np.bool_)) for axis in (1, 0))
    k = piece.per_cell
    pixels = _times(down, k), _times(across, k)
    small = replace(
        piece,
        features=np.ascontiguousarray(piece.features[down, across]),
        picture=np.ascontiguousarray(piece.picture[:, *pixels]),
        valid=np.ascontiguousarray(piece.valid[pixels]),
        x=piece.x + across.start * piece.cell_m,
        y=piece.y - down.start * piece.cell_m,
    )
    places = _times(down, finer), _times(across, finer)
    kept = Marks(marks.codes[places], marks.pure[places], marks.places[places], marks.seen, marks.used)
    return Plot(small, kept)


def _window(some: NDArray[np.bool_]) -> slice:
    at = np.flatnonzero(some)
    return slice(max(0, int(at[0]) - RIM), min(len(some), int(at[-1]) + 1 + RIM))


def _times(cells: slice, by: int) -> slice:
    return slice(cells.start * by, cells.stop * by)


@dataclass(frozen=True, slots=True)
class Examples:
    """Places that are examples of a class.

    Attributes
    ----------
    rows
        What describes each, ``(n, measures)``.
    classes, place
        Its class, from 0 (`REST` or the first class) on, and the number of its place.
    plot, at
        Number of its plot, and its own number among the places of the map there.
    """

    rows: Features
    classes: NDArray[np.int64]
    place: NDArray[np.int64]
    plot: NDArray[np.int64]
    at: NDArray[np.int64]

    def without(self, left_out: NDArray[np.int64]) -> Examples:
        """Leave out those of some places."""
        kept = ~np.isin(self.place, left_out)
        classes, place, plot, at = (one[kept] for one in (self.classes, self.place, self.plot, self.at))
        return Examples(self.rows[kept], classes, place, plot, at)


def draw(marks: Marks, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw places that are examples, so many of each class at most: flat numbers of places of the map."""
    pure = np.where(marks.pure, marks.codes, SILENT).ravel()
    drawn = [rng.permutation(np.flatnonzero(pure == one))[:most] for one in np.unique(pure[pure >= REST])]
    return np.concatenate(drawn) if drawn else np.zeros(0, dtype=np.int64)
