"""Windows on a raster's pixel grid: where a tile's pixels are, apart from reading them.

Pixel coordinates are continuous, (column, row) from the raster's upper left corner: the pixel in row 0 and column 0
reaches from 0 to 1, its centre lies at 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Coordinate = TypeVar("Coordinate", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class PixelWindow:
    """A rectangle of whole pixels; it may lie partly or wholly outside the raster.

    Attributes
    ----------
    row, col
        Row and column of the upper left pixel; either may be negative.
    height, width
        Size of the window (pixels), at least one each.
    """

    row: int
    col: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a window has at least one pixel, found {self.height} x {self.width}")

    @classmethod
    def about(cls, col: float, row: float, *, height: int, width: int) -> Self:
        """Centre a window of a given size at a point as well as whole pixels allow (half a pixel at most)."""
        return cls(round_half_up(row - height / 2), round_half_up(col - width / 2), height, width)

    @classmethod
    def enclosing(cls, left: float, top: float, right: float, bottom: float, *, margin: int = 0) -> Self:
        """Enclose a rectangle of pixel coordinates, with some pixels to spare on each side."""
        row, col = math.floor(top) - margin, math.floor(left) - margin
        height, width = math.ceil(bottom) + margin - row, math.ceil(right) + margin - col
        return cls(row, col, max(1, height), max(1, width))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, as of an array."""
        return self.height, self.width

    @property
    def ranges(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and one past the last row, then column: what rasterio takes as a window."""
        return (self.row, self.row + self.height), (self.col, self.col + self.width)

    def shifted(self, *, rows: int, cols: int) -> PixelWindow:
        """Count the same pixels from another origin."""
        return PixelWindow(self.row + rows, self.col + cols, self.height, self.width)

    def intersection(self, other: PixelWindow) -> PixelWindow | None:
        """Find the pixels of both windows; None where they share none."""
        top, left = max(self.row, other.row), max(self.col, other.col)
        bottom = min(self.row + self.height, other.row + other.height)
        right = min(self.col + self.width, other.col + other.width)
        if top >= bottom or left >= right:
            return None
        return PixelWindow(top, left, bottom - top, right - left)

    def clip(self, *, height: int, width: int) -> PixelWindow | None:
        """Keep what lies on a raster of this size; None where nothing does."""
        return self.intersection(PixelWindow(0, 0, height, width))

    def slices_in(self, outer: PixelWindow) -> tuple[slice, slice]:
        """Find where this window's pixels stand in the array of a window that encloses it.

        Raises
        ------
        ValueError
            When `outer` does not enclose it.
        """
        row, col = self.row - outer.row, self.col - outer.col
        if row < 0 or col < 0 or row + self.height > outer.height or col + self.width > outer.width:
            raise ValueError(f"{self} does not lie within {outer}")
        return slice(row, row + self.height), slice(col, col + self.width)

    def blocks(self, *, height: int, width: int) -> tuple[range, range]:
        """Find the rows and columns of the blocks, each of a given size in pixels, that hold its pixels."""
        return (
            range(self.row // height, (self.row + self.height - 1) // height + 1),
            range(self.col // width, (self.col + self.width - 1) // width + 1),
        )


def map_pixels(transform: Sequence[float], col: Coordinate, row: Coordinate) -> tuple[Coordinate, Coordinate]:
    """Bring pixel coordinates through the six numbers ``a, b, c, d, e, f`` of an affine transform.

    Returns
    -------
    x = a col + b row + c and y = d col + e row + f.
    """
    a, b, c, d, e, f = transform[:6]
    return a * col + b * row + c, d * col + e * row + f


def round_half_up(value: float) -> int:
    """Round to the nearest whole number, a half upwards everywhere, so that equal tiles get equal windows."""
    return math.floor(value + 0.5)


def pixel_count(side_m: float, pixel_m: float) -> int:
    """Count the whole pixels nearest to a length, at least one.

    Parameters
    ----------
    side_m
        The length to be divided into pixels (metres).
    pixel_m
        Ground size of a pixel (metres). It is measured through a change of CRS, so noise far below a pixel must not
        decide a half: a city's tiles shall not differ by a pixel.
    """
    return max(1, round_half_up(round(side_m / pixel_m, 6)))
