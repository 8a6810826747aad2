"""Pictures of tiles with a class of ground drawn on them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from PIL import Image
from rasterio.windows import Window

ENOUGH = 0.6
"""A class that covers more of a tile has nothing beside it to be seen against; it is taken if there is no other."""
LEAST = 0.02
"""A class that covers less of every tile is not shown."""
_SAMPLE = 40
"""Points along each side of a tile by which tiles are chosen."""
_TINT, _QUALITY = 0.25, 85
Bytes = NDArray[np.uint8]


def examples(
    numbers: Mapping[str, tuple[int, str]],
    tiles: gpd.GeoDataFrame,
    pictures: Mapping[str, bytes],
    raster: Path,
) -> dict[str, bytes]:
    """Draw each class on the picture of a tile that shows much of it.

    Parameters
    ----------
    numbers
        Number in the raster and colour (``#RRGGBB``) of each class, by its key.
    tiles
        ``tile_id`` and footprint (Polygon, metres; corners as `geo.tiles.along.squares` lays them).
    pictures
        JPEG by ``tile_id``, upright along the tile's own axes.
    raster
        The map of classes, in the CRS of the tiles.

    Returns
    -------
    JPEG by key; a class that no tile shows is not in it. The same inputs give the same bytes.
    """
    shown = tiles[tiles["tile_id"].isin(list(pictures))].sort_values("tile_id")
    if shown.empty or not numbers:
        return {}
    corners = shapely.get_coordinates(shown.geometry.to_numpy()).reshape(len(shown), -1, 2)[:, :4]
    found = {}
    with rasterio.open(raster) as opened:
        grids = [_classes(opened, square, _SAMPLE, _SAMPLE) for square in corners]
        for key, (number, colour) in numbers.items():
            shares = np.array([(grid == number).mean() for grid in grids])
            best = int(np.where(shares <= ENOUGH, shares, ENOUGH / 2 * (shares > 0)).argmax())
            if shares[best] < LEAST:
                continue
            picture = Image.open(io.BytesIO(pictures[str(shown["tile_id"].iloc[best])])).convert("RGB")
            here = _classes(opened, corners[best], picture.width, picture.height) == number
            found[key] = _drawn(picture, here, colour)
    return found


def _classes(raster: rasterio.DatasetReader, square: NDArray[np.float64], width: int, height: int) -> Bytes:
    """Read the classes of a tile at its own pixels; 0 beyond the raster."""
    left, right, _, top = square
    across = ((np.arange(width) + 0.5) / width)[None, :, None] * (right - left)
    # the first row is the one at the top
    up = (1 - (np.arange(height) + 0.5) / height)[:, None, None] * (top - left)
    places = (left + across + up).reshape(-1, 2)
    back = np.array(~raster.transform).reshape(3, 3)
    at = np.floor(places @ back[:2, :2].T + back[:2, 2]).astype(np.int64)
    columns, rows = at[:, 0], at[:, 1]
    inside = (rows >= 0) & (rows < raster.height) & (columns >= 0) & (columns < raster.width)
    values = np.zeros(len(rows), dtype=np.uint8)
    if inside.any():
        row, column = int(rows[inside].min()), int(columns[inside].min())
        window = Window(
            column, row, int(columns[inside].max()) - column + 1, int(rows[inside].max()) - row + 1
        )
        part = raster.read(1, window=window)
        values[inside] = part[rows[inside] - row, columns[inside] - column]
    return values.reshape(height, width)


def _drawn(picture: Image.Image, here: NDArray[np.bool_], colour: str) -> bytes:
    """Tint where the class is, and draw its edge, with white beside it."""
    pixels = np.asarray(picture, dtype=np.float64).copy()
    ink = np.array(list(bytes.fromhex(colour.removeprefix("#"))), dtype=np.float64)
    pixels[here] = (1 - _TINT) * pixels[here] + _TINT * ink
    pixels[_around(here) & ~here] = 255.0
    pixels[here & _around(~here)] = ink
    file = io.BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(file, "JPEG", quality=_QUALITY, subsampling=0)
    return file.getvalue()


def _around(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give the places of a mask, and those beside it."""
    wide = np.pad(mask, 1)
    sides: Sequence[NDArray[np.bool_]] = (wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:])
    found: NDArray[np.bool_] = np.logical_or.reduce([mask, *sides])
    return found
