"""What lies around a place, by what its surroundings were first told to be: near it, and along lines through it.

A road is told from a car park by its length, a roof by its being among roofs: scores of a first look are described for
a second one, as in auto-context (Tu and Bai 2010, IEEE TPAMI 32: 1744-1757).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from geo.ground.contract import Features, Scores
from geo.ground.labels.fitted.scorers import Rows, Scorer, scorer_of
from geo.ground.labels.fitted.space import drawn_out

SQUARES_M, LINES_M, DIRECTIONS = (10.0, 18.0, 34.0), (22.0, 50.0), 8
"""Sides of squares and lengths of lines that scores are averaged over (metres), and directions of lines."""
LOWEST = -12.0
"""Scores below this are as good as impossible."""


def around(scores: Scores, finer: int, cell_m: float) -> Features:
    """Describe places by scores of their surroundings.

    Parameters
    ----------
    scores
        Logarithms of probabilities, ``(classes, rows * finer, columns * finer)``.
    finer
        Places a cell along each side.
    cell_m
        Side of a cell (metres).

    Returns
    -------
    ``(rows * finer, columns * finer, classes * 8)``: the scores themselves, their means in squares, and of lines of
    each length the largest of the means over directions, and by how much it exceeds the mean of these.
    """
    low = np.maximum(scores, LOWEST)
    classes, rows, columns = low.shape
    cells = low.reshape(classes, rows // finer, finer, columns // finer, finer).mean(axis=(2, 4))
    found = [
        uniform_filter(cells, size=(1, *[max(1, round(side / cell_m)) | 1] * 2), mode="nearest")
        for side in SQUARES_M
    ]
    for length in LINES_M:
        along = line_means(cells, max(1, round(length / cell_m / 2)))
        most = along.max(axis=0)
        found += [most, most - along.mean(axis=0)]
    wide = drawn_out(np.moveaxis(np.concatenate(found), 0, -1), finer)
    return np.concatenate([np.moveaxis(low, 0, -1), wide], axis=-1)


def line_means(cells: Scores, half: int) -> Scores:
    """Average over lines through each cell: ``(directions, classes, rows, columns)``.

    Parameters
    ----------
    cells
        ``(classes, rows, columns)``; beyond its edge it goes on as it ends.
    half
        How far a line reaches to each side (cells).
    """
    padded = np.pad(cells, ((0, 0), (half, half), (half, half)), mode="edge")
    rows, columns = cells.shape[1:]
    steps = np.arange(-half, half + 1)
    found = []
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        down = half + np.rint(steps * np.sin(angle)).astype(int)
        across = half + np.rint(steps * np.cos(angle)).astype(int)
        total = np.zeros_like(cells)
        for y, x in zip(down.tolist(), across.tolist(), strict=True):
            total += padded[:, y : y + rows, x : x + columns]
        found.append(total / len(steps))
    return np.stack(found)


@dataclass(frozen=True, slots=True)
class InContext:
    """A scorer that looks twice: the second time it knows what the first look said of the surroundings.

    Attributes
    ----------
    first, second
        The scorers of each look.
    middle, spread
        Of what `around` gives, ``(measures,)``.
    """

    first: Scorer
    second: Scorer
    middle: Rows
    spread: Rows

    def joined(self, rows: Features, scores: Scores, finer: int, cell_m: float) -> Features:
        """Join descriptions of places, ``(rows, columns, measures)``, with those of their surroundings."""
        wide = (around(scores, finer, cell_m) - self.middle) / self.spread
        return np.concatenate([rows, wide], axis=-1)

    def scores(self, rows: Rows) -> Rows:
        """Score rows of descriptions that were joined; see `Scorer.scores`."""
        return self.second.scores(rows)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Scorer.arrays`."""
        looks = {
            f"{name}_{key}": array
            for name, look in (("first", self.first), ("second", self.second))
            for key, array in look.arrays().items()
        }
        return looks | {"middle": self.middle, "spread": self.spread}


def in_context_of(arrays: Mapping[str, NDArray[Any]]) -> Scorer:
    """Make a scorer again of its arrays, of one look or of two."""
    if "middle" not in arrays:
        return scorer_of(arrays)

    def part(prefix: str) -> Scorer:
        return scorer_of({n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)})

    return InContext(part("first_"), part("second_"), arrays["middle"], arrays["spread"])
