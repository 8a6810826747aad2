"""Which bands of rasters are read, and as which values.

An encoder sees the bands that it was trained on, in their own range or mapped to 8 bit; a picture is always 8 bit of
red, green and blue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from geo.config import Imagery

Pixels = NDArray[Any]
"""Array ``(bands, height, width)``: uint8 where imagery is mapped to 8 bit, else of the raster's dtype."""
Scale = tuple[float, float]
RGB_BANDS = 3


@dataclass(frozen=True, slots=True)
class BandSet:
    """What is read of every raster of a city.

    Attributes
    ----------
    bands
        Numbers of the bands, counted from 1, in the order in which they are given; None: red, green and blue as each
        raster says (`geo.imagery.traits.colours`).
    scale
        Raster values that become 0 and 255; None: values stay as they are, in the raster's dtype.
    nodata
        Value that marks pixels without data where the raster does not say so; None: there is none.
    light
        Bands that hold light whatever the raster calls them: one of these is no transparency. (GDAL marks the fourth
        band of an 8-bit file as such unless it is told otherwise.)
    """

    bands: tuple[int, ...] | None
    scale: Scale | None
    nodata: float | None
    light: frozenset[int]

    @classmethod
    def seen(cls, imagery: Imagery, *, own_values: bool = False) -> Self:
        """Give what an encoder sees.

        Parameters
        ----------
        imagery
            The section ``imagery`` of the city's file.
        own_values
            Whether it takes the raster's own values, else what ``imagery.scale`` makes of them.
        """
        scale = None if own_values else imagery.scale
        return cls(_named(imagery), scale, imagery.nodata, frozenset(imagery.bands or ()))

    @classmethod
    def pictured(cls, imagery: Imagery) -> Self:
        """Give what pictures show: red, green and blue, 8 bit."""
        plain = imagery.bands is None and imagery.picture_bands is None
        bands = None if plain else imagery.pictured
        light = frozenset(bands or ()) | frozenset(imagery.bands or ())
        return cls(bands, imagery.scale, imagery.nodata, light)

    @property
    def count(self) -> int:
        """How many bands are given."""
        return RGB_BANDS if self.bands is None else len(self.bands)

    def dtype(self, raster: np.dtype[Any]) -> np.dtype[Any]:
        """Tell the dtype of the pixels that are read of a raster of some dtype."""
        return raster if self.scale is None else np.dtype(np.uint8)

    def without_data(
        self, marked: NDArray[np.bool_], value: float | None, raw: np.dtype[Any]
    ) -> NDArray[np.bool_]:
        """Tell which pixels have no data from which of their bands are marked so.

        A dark band may hold the mark 0 beside others that hold light, so all bands must; of values that stay as they
        are, one mark such as -9999 is enough, for an encoder would take it for light.

        Parameters
        ----------
        marked
            Which pixels of which bands hold the mark, ``(bands, height, width)``.
        value
            Value that marks pixels without data.
        raw
            Dtype of the raster's values.
        """
        light = self.scale is None and raw != np.uint8 and value != 0
        enough = np.logical_or if light else np.logical_and
        found: NDArray[np.bool_] = enough.reduce(marked, axis=0)
        return found


def _named(imagery: Imagery) -> tuple[int, ...] | None:
    return None if imagery.bands is None else tuple(imagery.bands)


def to_8_bit(raw: Pixels, scale: Scale | None) -> NDArray[np.uint8]:
    """Map values linearly so that the ends of `scale` become 0 and 255, clip and round; None: they are 8 bit."""
    if scale is None:
        whole = np.rint(np.clip(raw, 0, 255)) if raw.dtype.kind == "f" else raw
        return whole.astype(np.uint8, copy=False)
    low, high = scale
    finite = np.nan_to_num(raw.astype(np.float64), nan=low, posinf=high, neginf=low)
    stretched = (finite - low) * (255.0 / (high - low))
    return np.rint(np.clip(stretched, 0, 255)).astype(np.uint8)


def to_dtype(values: NDArray[np.float64], dtype: np.dtype[Any]) -> Pixels:
    """Bring computed values to the dtype of pixels: whole numbers are rounded, and clipped to its range."""
    if dtype.kind == "f":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.rint(np.clip(values, limits.min, limits.max)).astype(dtype)
