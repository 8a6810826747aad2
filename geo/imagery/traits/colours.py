"""Which bands of a raster give red, green and blue, as the file itself says.

Where ``imagery.bands`` names none, what the file calls its bands counts: in whatever order red, green and blue stand,
transparency beside them, a table of colours, or grey alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from geo.imagery.traits.unusable import UnusableError

RGB = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
PLAIN = (1, 2, 3)
_NOT_RGB = {
    **dict.fromkeys((ColorInterp.cyan, ColorInterp.magenta, ColorInterp.yellow, ColorInterp.black), "CMYK"),
    **dict.fromkeys((ColorInterp.hue, ColorInterp.saturation, ColorInterp.lightness), "HSL"),
    **dict.fromkeys((ColorInterp.Y, ColorInterp.Cb, ColorInterp.Cr), "YCbCr"),
}
Table = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Light:
    """What is read of one raster.

    Attributes
    ----------
    bands
        Numbers of its bands, counted from 1; a band may stand there several times.
    table
        Colours of a palette, ``(numbers, 4)``: red, green, blue and opacity of each number; None: bands hold light.
    dtype
        Dtype of the light.
    """

    bands: tuple[int, ...]
    table: Table | None
    dtype: np.dtype[Any]

    def expand(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Look the colours of a palette's numbers up: light, ``(bands, height, width)``."""
        if self.table is None:
            return raw
        return np.moveaxis(self.table[np.minimum(raw[0], len(self.table) - 1)][..., :3], -1, 0)

    def opaque(self, raw: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Tell where a palette's colours are not transparent, ``(height, width)``; None: everywhere."""
        if self.table is None or self.table[:, 3].all():
            return None
        found: NDArray[np.bool_] = self.table[np.minimum(raw[0], len(self.table) - 1), 3] > 0
        return found


def light_of(raster: rasterio.DatasetReader, bands: tuple[int, ...] | None) -> Light:
    """Find what is read of a raster.

    Parameters
    ----------
    raster
        An open raster.
    bands
        Bands that are named for all rasters; None: red, green and blue as the raster says, or its grey three times.

    Raises
    ------
    UnusableError
        When the raster has no colours that are known to be red, green and blue, or lacks a band.
    """
    chosen = colours_of(raster) if bands is None else bands
    if max(chosen) > raster.count:
        raise UnusableError(f"it has {raster.count} bands only")
    table = None
    if bands is None and raster.colorinterp[chosen[0] - 1] == ColorInterp.palette:
        table = _table(raster, chosen[0])
    dtype = np.dtype(np.uint8 if table is not None else raster.dtypes[chosen[0] - 1])
    return Light(chosen, table, dtype)


def colours_of(raster: rasterio.DatasetReader) -> tuple[int, ...]:
    """Name the bands that are red, green and blue as a raster says; of one that has grey or a palette alone, that.

    Raises
    ------
    UnusableError
        When it says that its bands are other colours, or has two bands of which it does not say what they are.
    """
    called = raster.colorinterp
    # inks that GDAL turns into colours come out in other hues than those of a photograph
    inks = raster.tags(ns="IMAGE_STRUCTURE").get("SOURCE_COLOR_SPACE") == "CMYK"
    other = "CMYK" if inks else next((_NOT_RGB[kind] for kind in called if kind in _NOT_RGB), None)
    if set(RGB) <= set(called) and not inks:
        return tuple(called.index(colour) + 1 for colour in RGB)
    if other is not None:
        raise UnusableError(
            f"its bands are {other}: bring them to red, green and blue (QGIS or ImageMagick), or name imagery.bands"
        )
    light = [band for band, kind in enumerate(called, start=1) if kind != ColorInterp.alpha]
    if len(light) == 1:
        return (light[0],) * 3
    if len(light) < 3:
        raise UnusableError(
            f"it has {len(called)} bands, and does not say which are red, green and blue: name imagery.bands"
        )
    return tuple(light[:3])


def is_grey(raster: rasterio.DatasetReader) -> bool:
    """Tell whether a raster has one band of light, or of a palette's numbers."""
    return len(alpha_bands(raster)) == int(raster.count) - 1


def told_colours(raster: rasterio.DatasetReader) -> str:
    """Say how the colours of a raster are read where that is not bands 1, 2 and 3; empty where it is."""
    bands = colours_of(raster)
    if bands == PLAIN:
        return ""
    if is_grey(raster):
        if raster.colorinterp[bands[0] - 1] == ColorInterp.palette:
            return "a palette, read as its colours"
        return f"grey (band {bands[0]}), read as red, green and blue"
    return f"red, green and blue are bands {', '.join(map(str, bands))}, as the file says"


def _table(raster: rasterio.DatasetReader, band: int) -> Table:
    """Give the colours of a palette by their number."""
    colours = raster.colormap(band)
    table = np.zeros((max(colours) + 1, 4), dtype=np.uint8)
    table[list(colours)] = list(colours.values())
    return table


def alpha_bands(raster: rasterio.DatasetReader) -> list[int]:
    """List the bands of a raster that it calls transparency, counted from 1."""
    return [band for band, kind in enumerate(raster.colorinterp, start=1) if kind == ColorInterp.alpha]
