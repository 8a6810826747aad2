"""What classes that were found mostly are, in words of a map: which of its features lie where a class does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize

from geo.ground.contract import Piece

if TYPE_CHECKING:
    import geopandas as gpd

WIDE_M = 2.0
"""How far around a point or a line of the map its word is said of the ground (metres)."""
LEAST_SHARE, LEAST_TIMES = 0.2, 1.5
"""A word is said of a class of which at least this share lies in its features, so many times what lies there of all."""
MOST_WORDS = 3
DRAWS, LEVEL = 2000, 0.05
LEAST_CHIPS = 10
"""Of fewer squares of ground nothing is said: they are what chance is told by."""
_POLYGON = 2


@dataclass(frozen=True, slots=True)
class Drawn:
    """A map's features by word, on the ground of a city.

    Attributes
    ----------
    words
        What features are called.
    shapes
        Polygons of each (metres, city's CRS); points and lines are widened.
    reach
        The box about all features: beyond it the map says nothing.
    """

    words: tuple[str, ...]
    shapes: tuple[NDArray[np.object_], ...]
    reach: shapely.Polygon

    @classmethod
    def of(cls, features: gpd.GeoDataFrame) -> Drawn:
        """Take features with a column of booleans a word (`geo.ground.tags.mapped.read_features`)."""
        words = tuple(str(name) for name in features.columns.drop(features.geometry.name))
        shapes = features.geometry.to_numpy()
        wide = np.where(shapely.get_dimensions(shapes) < _POLYGON, shapely.buffer(shapes, WIDE_M), shapes)
        of_word = tuple(wide[features[word].to_numpy(dtype=bool)] for word in words)
        return cls(words, of_word, shapely.box(*features.total_bounds))

    def on(self, piece: Piece) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell in which features the middles of a piece's cells lie.

        Returns
        -------
        Of each word ``(cells, words)``, and which cells the map reaches, ``(cells,)``.
        """
        rows, columns = piece.shape
        grid = Affine(piece.cell_m, 0, piece.x, 0, -piece.cell_m, piece.y)
        frame = shapely.box(*piece.bounds)
        found = np.zeros((rows * columns, len(self.words)), dtype=np.bool_)
        for at, shapes in enumerate(self.shapes):
            mine = shapes[shapely.intersects(shapes, frame)]
            if len(mine):
                found[:, at] = rasterize(mine, (rows, columns), transform=grid, dtype=np.uint8).ravel() > 0
        x = piece.x + (np.arange(columns) + 0.5) * piece.cell_m
        y = piece.y - (np.arange(rows) + 0.5) * piece.cell_m
        east, north = np.meshgrid(x, y)
        return found, shapely.contains_xy(self.reach, east.ravel(), north.ravel())


def describe(
    classes: NDArray[np.int64],
    lies: NDArray[np.bool_],
    chips: NDArray[np.int64],
    words: Sequence[str],
    seed: int,
) -> dict[int, str]:
    """Say of each class what it mostly is, where that is sure.

    A word is said where a class lies in its features more often than all ground does, by `LEAST_TIMES`, and still more
    often in 95 of 100 draws of squares of ground, all words of all classes counted (Bonferroni).

    Parameters
    ----------
    classes
        Number of the class of each cell, ``(cells,)``.
    lies
        Whether it lies in features of each word, ``(cells, words)``.
    chips
        Number of the square of ground that each cell is of, ``(cells,)``.
    words
        What features are called.
    seed
        Of the draws.

    Returns
    -------
    By numbers of classes, of those of which something is said.
    """
    squares, of = np.unique(chips, return_inverse=True)
    numbers, which = np.unique(classes, return_inverse=True)
    if len(squares) < LEAST_CHIPS:
        return {}
    # cells of each class in each square, and those of them that lie in features of each word
    there = np.zeros((len(squares), len(numbers)))
    inside = np.zeros((len(squares), len(numbers), len(words)))
    np.add.at(there, (of, which), 1)
    np.add.at(inside, (of, which), lies)
    even = np.full(len(squares), 1 / len(squares))
    drawn = np.random.default_rng(seed).multinomial(len(squares), even, DRAWS)
    own, all_of = _shares(np.ones((1, len(squares))), there, inside)
    more = np.subtract(*_shares(drawn, there, inside))
    low = np.nanquantile(more, LEVEL / 2 / (len(numbers) * len(words)), axis=0)
    sure = (own[0] >= LEAST_SHARE) & (own[0] >= LEAST_TIMES * all_of[0]) & (low > 0)
    told = {}
    for at, number in enumerate(numbers.tolist()):
        best = [word for word in np.argsort(-own[0, at], kind="stable") if sure[at, word]][:MOST_WORDS]
        if best:
            told[int(number)] = "by the map: " + ", ".join(
                f"{own[0, at, word]:.0%} {words[word]} (of all ground {all_of[0, 0, word]:.0%})"
                for word in best
            )
    return told


def _shares(
    weights: NDArray[np.number], there: NDArray[np.float64], inside: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give what lies in features of each word, ``(draws, classes, words)`` of classes, ``(draws, 1, words)`` of all."""
    cells, hits = weights @ there, np.tensordot(weights, inside, axes=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = hits / cells[:, :, None]
    return own, hits.sum(axis=1, keepdims=True) / cells.sum(axis=1)[:, None, None]
