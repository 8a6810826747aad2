"""What the values of rasters say of the range that a picture needs: a look at some of them, and what is told of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

Values = NDArray[Any]
"""Values of pixels with data, ``(bands, pixels)``."""
Scale = tuple[float, float]

TAIL = 2.0
"""Of the values, so many percent at each end are left out of a range that is proposed."""
LOOKED_AT_PX = 256
"""Side of the windows of a raster that are looked at (pixels)."""
LEAST_LEVELS = 4
"""Of 256, so few different ones show nothing."""
NARROW = 0.1
"""Share of the range that values take up, below which most of what they tell apart is lost."""
LOST = 0.5
"""Share of values that a range cuts off, from which on it is told."""
MARKS = (-9999.0, -32_768.0, -32_767.0, -99_999.0, 1e20, 3.4028234663852886e38, -3.4028234663852886e38)
"""Values that stand for no data in rasters of signed and real numbers that do not say so."""
MARKED = 0.001
FEW_COLOURS, OF_PIXELS = 16, 10_000


def look_at(raster: rasterio.DatasetReader, bands: Sequence[int]) -> Values:
    """Read some values of an open raster: of its middle and the middles of its quarters."""
    side = min(LOOKED_AT_PX, raster.width, raster.height)
    windows = [
        Window(int(x * (raster.width - side)), int(y * (raster.height - side)), side, side)
        for x, y in ((0.5, 0.5), (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
    ]
    read = [raster.read(list(bands), window=window, masked=True) for window in windows]
    parts = [part.data[:, ~np.ma.getmaskarray(part).any(axis=0)] for part in read]
    return np.concatenate(parts, axis=1)


def proposed(values: Values) -> Scale | None:
    """Propose a range: nearly all values without marks of no data, rounded outwards; None where there is none."""
    usable = plain(values)
    if not usable.size:
        return None
    low, high = np.percentile(usable, [TAIL, 100 - TAIL]).tolist()
    if not low < high:
        return None
    step = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    return round(math.floor(low / step) * step, 12), round(math.ceil(high / step) * step, 12)


def plain(values: Values) -> NDArray[np.float64]:
    """Leave out what is no number, and marks of no data."""
    numbers = values.astype(np.float64)
    usable: NDArray[np.float64] = numbers[np.isfinite(numbers) & ~np.isin(numbers, MARKS)]
    return usable


def words(scale: Scale | None) -> str:
    """Write a range as the key that sets it; nothing where there is none."""
    return "" if scale is None else f"imagery.scale: [{scale[0]:.6g}, {scale[1]:.6g}]"


def marks_in(values: Values) -> float | None:
    """Find the mark of no data that stands among values though nothing says so; None where there is none."""
    if values.dtype.kind == "u" or not values.size:
        return None
    shares = [(float(np.isclose(values, mark, rtol=1e-7, atol=0).mean()), mark) for mark in MARKS]
    share, mark = max(shares)
    return mark if share >= MARKED else None


def levels(values: NDArray[np.float64], scale: Scale) -> float:
    """Count the levels of 8 bit that nearly all values are spread over."""
    low, high = np.clip(np.percentile(values, [TAIL, 100 - TAIL]), *scale)
    return float((high - low) / (scale[1] - scale[0]) * 255)


def few_colours(values: Values) -> int | None:
    """Count the colours of many pixels where they are so few that these are labels, or a map; else None."""
    if values.shape[1] < OF_PIXELS:
        return None
    count = len(np.unique(values, axis=1).T)
    return count if 1 < count <= FEW_COLOURS else None
