"""Canvases brought to another resolution, or turned.

Pixels without data take no part in a mean; a pixel of the result has data where at least half of its weight has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from geo.imagery.band_set import to_dtype
from geo.imagery.reading.canvas import NOBODY, Canvas

BILINEAR_SHRINK = 0.8
"""Down to this ratio of pixels out to pixels in, bilinear sampling alone leaves hardly a pixel out."""

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Square:
    """Where a tile lies on a canvas, in continuous pixel coordinates ``(column, row)``.

    Attributes
    ----------
    centre
        Middle of the tile on the canvas (pixels).
    right, up
        Steps from its middle to the middle of its right and of its upper side (pixels).
    """

    centre: Floats
    right: Floats
    up: Floats

    def corners(self) -> Floats:
        """Corners, array ``(4, 2)``."""
        return np.array([self.centre + a * self.right + b * self.up for a in (-1, 1) for b in (-1, 1)])


def resize(canvas: Canvas, box: Box, side: int) -> Canvas:
    """Bring a box of a canvas to ``side`` x ``side`` pixels: the mean by area where it shrinks, else bilinear.

    Parameters
    ----------
    canvas
        A canvas that encloses the box by a pixel or more.
    box
        Left, upper, right and lower edge of the box on the canvas (pixels).
    side
        Side of the result (pixels).
    """
    left, top, right, bottom = box
    if right - left >= side and bottom - top >= side:
        return _mean(canvas, box, (side, side))
    half = np.array([(right - left) / 2, 0]), np.array([0, (top - bottom) / 2])
    return _sample(canvas, Square(np.array([(left + right) / 2, (top + bottom) / 2]), *half), side)


def turn(canvas: Canvas, square: Square, side: int) -> Canvas:
    """Cut a square that lies at any angle out of a canvas, its upper side up, bilinear.

    Where it shrinks, the canvas is first brought to the resolution of the result by area.

    Parameters
    ----------
    canvas
        A canvas that encloses the square by a pixel of the result or more.
    square
        Where the tile lies on the canvas.
    side
        Side of the result (pixels).
    """
    ratio = side / (np.hypot(square.right, square.up) * 2)
    height, width = canvas.valid.shape
    size = np.array([width, height])
    new = np.maximum(1, np.rint(size * np.where(ratio < BILINEAR_SHRINK, ratio, 1))).astype(int)
    if (new < size).any():
        canvas = _mean(canvas, (0, 0, width, height), (int(new[1]), int(new[0])))
        scale = new / size
        square = Square(square.centre * scale, square.right * scale, square.up * scale)
    return _sample(canvas, square, side)


def _sample(canvas: Canvas, square: Square, side: int) -> Canvas:
    """Sample a square of a canvas, bilinear between the middles of pixels."""
    # rows and columns of the result step down and to the right
    steps = np.array([[-square.up[1], square.right[1]], [-square.up[0], square.right[0]]]) * (2 / side)
    first = (square.centre + (square.up - square.right) * (1 - 1 / side))[::-1] - 0.5

    def sample(plane: NDArray[np.generic], order: Literal[0, 1]) -> Floats:
        cut: Floats = ndimage.affine_transform(
            plane.astype(np.float64),
            steps,
            offset=first,
            output_shape=(side, side),
            order=order,
            mode="nearest",
            prefilter=False,
        )
        return cut

    weight = np.ones((side, side)) if canvas.valid.all() else sample(canvas.valid, 1)
    sums = np.stack([sample(band, 1) for band in canvas.pixels])
    return _canvas(sums, weight, sample(canvas.owner, 0).astype(np.int16), canvas)


def _mean(canvas: Canvas, box: Box, shape: tuple[int, int]) -> Canvas:
    """Average a box of a canvas over the cells of a grid, each pixel by its area in the cell."""
    left, top, right, bottom = box
    height, width = canvas.valid.shape
    rows, cols = _shares(top, bottom, shape[0], height), _shares(left, right, shape[1], width)

    def mean(plane: NDArray[np.generic]) -> Floats:
        cells: Floats = (cols @ (rows @ plane.astype(np.float64)).T).T
        return cells

    weight = np.ones(shape) if canvas.valid.all() else mean(canvas.valid)
    sums = np.stack([mean(band) for band in canvas.pixels])
    # which raster a cell is from cannot be averaged: that at its middle
    middles = _middles(top, bottom, shape[0], height), _middles(left, right, shape[1], width)
    return _canvas(sums, weight, canvas.owner[np.ix_(*middles)], canvas)


def _shares(start: float, end: float, cells: int, pixels: int) -> sparse.csr_array:
    """Share of each pixel of a line in the mean of each of the equal cells of a stretch: ``(cells, pixels)``."""
    edges = np.linspace(start, end, cells + 1)
    inner = np.arange(np.floor(start) + 1, np.ceil(end))
    cuts = np.unique(np.concatenate([edges, inner]))
    middle = (cuts[1:] + cuts[:-1]) / 2
    cell = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, cells - 1)
    pixel = np.clip(np.floor(middle).astype(int), 0, pixels - 1)
    share = np.diff(cuts) * cells / (end - start)
    return sparse.csr_array((share, (cell, pixel)), shape=(cells, pixels))


def _middles(start: float, end: float, cells: int, pixels: int) -> NDArray[np.int64]:
    """Pixels in which the middles of the equal cells of a stretch lie."""
    middle = start + (np.arange(cells) + 0.5) * (end - start) / cells
    return np.clip(np.floor(middle), 0, pixels - 1).astype(np.int64)


def _canvas(sums: Floats, weight: Floats, owner: NDArray[np.int16], source: Canvas) -> Canvas:
    """Make a canvas of weighted sums, in which pixels without data are 0, and of the weight of those with data.

    A pixel at the rim may have data though the nearest one had none: it is put down to the source's main raster.
    """
    # a weight of one half comes out of its sum a shade above or below
    valid = weight >= 0.5 - 1e-9
    means = sums / np.where(valid, weight, 1)
    pixels = to_dtype(np.where(valid, means, 0), source.pixels.dtype)
    main = next(iter(source.contributors()), NOBODY)
    owner = np.where(owner == NOBODY, main, owner)
    return Canvas(pixels, valid, np.where(valid, owner, NOBODY).astype(np.int16))
