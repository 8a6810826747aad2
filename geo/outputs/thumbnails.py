"""Small pictures of tiles."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geo.errors import RoadprintError

PX, QUALITY = 160, 80
"""Longer side of a small picture (pixels), and the quality of its JPEG."""


def thumbnail(pixels: NDArray[np.uint8], px: int = PX, quality: int = QUALITY) -> bytes:
    """Make a JPEG of a tile.

    Parameters
    ----------
    pixels
        Array ``(3, height, width)`` of red, green and blue.
    px
        Longer side of the picture (pixels); smaller tiles are enlarged.
    quality
        Quality of the JPEG, from 1 to 95.

    Returns
    -------
    The file's bytes, the same for the same pixels.

    Raises
    ------
    RoadprintError
        When the array is not such a picture.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[0] != 3 or 0 in pixels.shape:
        raise RoadprintError(
            f"an array of {pixels.dtype} of shape {pixels.shape}, uint8 of (3, height, width) expected",
            where="thumbnail",
            todo="Read the tile with its three colour bands, mapped to 8 bit.",
        )
    height, width = pixels.shape[1:]
    scale = px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = Image.fromarray(np.ascontiguousarray(np.moveaxis(pixels, 0, -1)))
    file = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=quality)
    return file.getvalue()
