"""A coarse picture of a run's imagery, to lie beneath a map in a page."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray
from PIL import Image

from geo.config import Imagery, Tiles
from geo.imagery.band_set import BandSet
from geo.imagery.catalogue import check_pictured, open_raster
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.reader import TileFailure, TileReader

QUALITY = 50
"""Quality of the WebP pictures, from 0 to 100: beneath lines, finer ground tells more than purer colours."""
EXPECTED_BITS = 0.6
"""Bits that a pixel takes at least at that quality, by which the first resolution is chosen."""
MOST_PX = 9_000_000
"""Pixels of all pictures together: phones hold no more at once."""
MOST_SIDE_PX = 4096
"""Longer side of one picture (pixels)."""
MOST_PICTURES, LEAST_GAP = 24, 0.001
"""Where there would be more, those become one that lie no farther apart than this share of the whole, then twice it."""
SQUARE_PX = 256
"""Side of the squares that imagery is read in (pixels of the picture)."""
MOST_READ_PX = 2_000_000_000
"""So many pixels are read within a minute or two even where no smaller copies (overviews) of them exist."""
TOO_LARGE = "no picture of the imagery lies beneath the map: it is large, and its rasters have no overviews"

Bounds = tuple[float, float, float, float]
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Backdrop:
    """One picture of the ground.

    Attributes
    ----------
    bounds
        West, south, east and north edge of the picture, in the city's CRS (metres).
    webp
        The picture, its upper side to the north of the city's grid; what no raster shows is transparent.
    """

    bounds: Bounds
    webp: bytes


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of drawing.

    Attributes
    ----------
    pictures
        From west to east; none where no raster shows anything.
    unread
        Squares of the pictures that are transparent for the imagery could not be read.
    """

    pictures: list[Backdrop]
    unread: int


def draw_backdrop(images: gpd.GeoDataFrame, about: Bounds, imagery: Imagery, most_bytes: int) -> Drawn:
    """Draw the imagery of a city as coarse as it takes for all pictures together to have a size.

    Parameters
    ----------
    images
        The catalogue of the city's rasters (``images`` in docs/stages.md), in the city's CRS.
    about
        West, south, east and north edge of what is shown (metres); imagery beyond is left out.
    imagery
        The section ``imagery`` of the city's file.
    most_bytes
        Size of all pictures together, at most.

    Returns
    -------
    The pictures, the same for the same rasters.

    Raises
    ------
    LayerError
        When a raster lacks the bands of pictures.
    SourceError
        When a raster cannot be reached any more, or is not the one that was catalogued.
    """
    ground = shapely.intersection(shapely.union_all(images.geometry.to_numpy()), shapely.box(*about))
    if most_bytes <= 0 or not ground.area > 0:
        return Drawn([], 0)
    seen = images[shapely.intersects(images.geometry.to_numpy(), ground)]
    check_pictured(seen, imagery)
    boxes = _boxes(ground)
    pixel = max(
        float(seen["pixel_m"].min()),
        math.sqrt(ground.area * EXPECTED_BITS / 8 / most_bytes),
        math.sqrt(sum(shapely.area(shapely.box(*box)) for box in boxes) / MOST_PX),
        *(max(box[2] - box[0], box[3] - box[1]) / MOST_SIDE_PX for box in boxes),
    )
    pictures, unread = _read(seen, boxes, pixel, imagery)
    shown = [(box, picture) for box, picture in zip(boxes, pictures, strict=True) if picture[..., 3].any()]
    return Drawn([Backdrop(box, webp) for box, webp in _fitting(shown, most_bytes)], unread)


def too_large(images: gpd.GeoDataFrame) -> bool:
    """Tell whether rasters are too large to be looked through at a coarse resolution: no smaller copies are in them."""
    if int((images["width"].astype("int64") * images["height"]).sum()) <= MOST_READ_PX:
        return False
    with open_raster(str(images["path"].iloc[0])) as raster:
        return not raster.overviews(1)


def _boxes(ground: shapely.Geometry) -> list[Bounds]:
    """Find boxes that hold the ground and do not overlap, from west to east: at most `MOST_PICTURES`."""
    parts = shapely.get_parts(ground)
    bounds = shapely.bounds(parts[shapely.area(parts) > 0])
    found = _merged(bounds, 0.0)
    gap = float((bounds[:, 2:].max(axis=0) - bounds[:, :2].min(axis=0)).max()) * LEAST_GAP
    while len(found) > MOST_PICTURES:
        found = _merged(found, gap)
        gap *= 2
    return sorted(
        (float(west), float(south), float(east), float(north)) for west, south, east, north in found
    )


def _merged(bounds: Floats, gap: float) -> Floats:
    """Make one of boxes ``(n, 4)`` that overlap, touch along an edge, or lie no farther apart than a gap (metres)."""
    rim = np.array([-1, -1, 1, 1]) * gap / 2
    while True:
        grown = shapely.union_all(shapely.box(*(bounds + rim).T))
        merged: Floats = shapely.bounds(np.array(shapely.get_parts(grown))) - rim
        if len(merged) == len(bounds):
            return merged
        bounds = merged


def _read(
    images: gpd.GeoDataFrame, boxes: Sequence[Bounds], pixel: float, imagery: Imagery
) -> tuple[list[Pixels], int]:
    """Read the ground of boxes as pictures of red, green, blue and opacity ``(height, width, 4)``.

    Returns
    -------
    The pictures, and how many squares of them could not be read.
    """
    side = SQUARE_PX * pixel
    squares = pd.concat([_squares(number, box, side) for number, box in enumerate(boxes)], ignore_index=True)
    half = side / 2
    x, y = squares["x"], squares["y"]
    outlines = gpd.GeoDataFrame(
        squares, geometry=shapely.box(x - half, y - half, x + half, y + half), crs=images.crs
    )
    found = outlines.join(cover_tiles(outlines, images)).assign(bearing=0.0)
    found = found.assign(tile_id=found.index.astype(str))[found["coverage"] > 0]
    # squares of any size are cut as tiles are: of rasters on another grid than the city's, as those of a road that
    # goes north are, which are turned
    turned = not all(
        pyproj.CRS.from_wkt(wkt).equals(images.crs, ignore_axis_order=True) for wkt in images["crs"].unique()
    )
    cut = Tiles.model_construct(
        **Tiles().model_dump() | {"tile_m": side, "pixel_m": pixel, "align": "road" if turned else "north"}
    )
    sizes = squares.groupby("box")[["row", "column"]].max().to_numpy() + 1
    whole = [np.zeros((rows * SQUARE_PX, columns * SQUARE_PX, 4), dtype=np.uint8) for rows, columns in sizes]
    grid, unread = squares[["box", "row", "column"]].to_numpy(), 0
    with TileReader(images, imagery, cut, band_set=BandSet.pictured(imagery)) as reader:
        for square in reader.read(found):
            if isinstance(square, TileFailure):
                unread += 1
            else:
                box, row, column = grid[int(square.tile_id)].tolist()
                top, left = row * SQUARE_PX, column * SQUARE_PX
                opaque = np.where(square.valid, 255, 0)
                at = np.s_[top : top + SQUARE_PX, left : left + SQUARE_PX]
                whole[box][at] = np.dstack([*square.pixels, opaque])
    true = [
        (round((north - south) / pixel), round((east - west) / pixel)) for west, south, east, north in boxes
    ]
    pictures = [
        picture[: max(1, rows), : max(1, columns)]
        for picture, (rows, columns) in zip(whole, true, strict=True)
    ]
    return pictures, unread


def _squares(number: int, box: Bounds, side: float) -> pd.DataFrame:
    """Lay squares over a box from its north-western corner: ``box, row, column`` and the middle ``x, y``."""
    west, south, east, north = box
    # a hair less, so that rounding adds no row that nothing lies in
    rows, columns = (math.ceil(length / side - 1e-9) for length in (north - south, east - west))
    row, column = (at.ravel() for at in np.mgrid[: max(1, rows), : max(1, columns)])
    x, y = west + (column + 0.5) * side, north - (row + 0.5) * side
    return pd.DataFrame({"box": number, "row": row, "column": column, "x": x, "y": y})


def _fitting(shown: Sequence[tuple[Bounds, Pixels]], most_bytes: int) -> list[tuple[Bounds, bytes]]:
    """Write pictures as WebP, smaller and smaller until they have the size."""
    shrink = 1.0
    while True:
        made = [(box, _webp(picture, shrink)) for box, picture in shown]
        size = sum(len(webp) for _, webp in made)
        if size <= most_bytes:
            return made
        shrink *= min(0.95, math.sqrt(most_bytes / size))


def _webp(picture: Pixels, shrink: float) -> bytes:
    """Write a picture as WebP, its sides so much shorter."""
    height, width = picture.shape[:2]
    gaps = bool((picture[..., 3] == 0).any())
    image = Image.fromarray(picture if gaps else np.ascontiguousarray(picture[..., :3]))
    if shrink < 1:
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        image = image.resize(size, Image.Resampling.BOX)
    file = io.BytesIO()
    image.save(file, "WEBP", quality=QUALITY, method=4)
    return file.getvalue()
