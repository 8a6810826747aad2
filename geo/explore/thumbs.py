"""Pictures of tiles with the road drawn on them."""

from __future__ import annotations

import io

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from geo.outputs.thumbnails import QUALITY

CASING, LINE = (0, 0, 0), (255, 225, 0)
"""Black beneath, yellow above: one of them stands out from any ground."""
CASING_SHARE, LINE_SHARE = 0.022, 0.01
"""Widths as shares of the picture's longer side."""
FINER = 2
"""The line is drawn so many times as large, and brought to size with soft edges."""

Floats = NDArray[np.float64]


def on_picture(
    line: shapely.Geometry, centre: tuple[float, float], lie: Floats, size: tuple[int, int]
) -> list[Floats]:
    """Bring a road's line onto the picture of a tile.

    Parameters
    ----------
    line
        LineString or MultiLineString in the city's CRS (metres).
    centre
        Middle of the tile, there.
    lie
        How the ground lies on the picture, ``(2, 2)``, see `geo.imagery.reading.reader.lie_on_pictures`.
    size
        Width and height of the picture (pixels).

    Returns
    -------
    The parts of the line as points ``(n, 2)``, to the right and downwards from the picture's upper left corner
    (pixels); they may lie outside.
    """
    parts = shapely.get_parts(line)
    shares = [0.5 + (shapely.get_coordinates(part) - centre) @ lie.T for part in parts]
    return [share * size for share in shares if len(share) > 1]


def with_line(jpeg: bytes, line: shapely.Geometry, centre: tuple[float, float], lie: Floats) -> bytes:
    """Draw a road's line on the picture of a tile.

    Parameters
    ----------
    jpeg
        The picture.
    line, centre, lie
        As of `on_picture`.

    Returns
    -------
    A JPEG of the same size.
    """
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    width, height = picture.size
    large = width * FINER, height * FINER
    parts = on_picture(line, centre, lie, large)
    for share, colour in ((CASING_SHARE, CASING), (LINE_SHARE, LINE)):
        mask = Image.new("L", large)
        draw = ImageDraw.Draw(mask)
        thick = max(FINER, round(share * max(large)))
        for points in parts:
            _stroke(draw, points, thick)
        picture.paste(colour, mask=mask.resize(picture.size, Image.Resampling.BOX))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _stroke(draw: ImageDraw.ImageDraw, points: Floats, thick: int) -> None:
    """Draw one part with round joints and ends."""
    draw.line([(float(x), float(y)) for x, y in points], fill=255, width=thick, joint="curve")
    for x, y in (points[0], points[-1]):
        draw.ellipse([x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2], fill=255)
