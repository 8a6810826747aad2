"""Pictures of tiles as the page shows them: the segment drawn on each, and no larger than the page has room for."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw

PICTURES = ((160, 72), (160, 60), (144, 56), (128, 56), (112, 52), (96, 48))
"""Longer side (pixels) and quality of the JPEG that pictures are tried with, until all have room."""
LINE, CASING = (255, 225, 77), (20, 20, 20)
"""Colours of the segment on a picture and of its edges: the one stands out from asphalt and trees, the other from
pale ground."""
_WIDTH, _LEAST = 1 / 80, 1.3
"""Width of the line as a share of the picture's side, and at least (pixels)."""
_SAMPLE = 12
"""Pictures by which it is told whether all have room."""
_FINER = 3
"""The line is drawn so many times larger and made smaller, so that its edges are smooth."""
Ways = Mapping[str, Sequence[NDArray[np.float64]]]


def ways_on(tiles: gpd.GeoDataFrame, segments: gpd.GeoDataFrame) -> dict[str, list[NDArray[np.float64]]]:
    """Find where the segment of each tile lies on its picture.

    Parameters
    ----------
    tiles
        ``tile_id, segment_id`` and footprint (Polygon; corners as `geo.tiles.along.squares` lays them).
    segments
        ``segment_id`` and line, in the CRS of the tiles (metres).

    Returns
    -------
    By ``tile_id`` the parts of its line that lie in the tile: arrays ``(n, 2)`` of x and y as shares of the picture's
    sides, from its upper left corner. A tile without a footprint, or beside its line, is not in it.
    """
    if tiles.empty:
        return {}
    lines = segments.set_index("segment_id").geometry.reindex(tiles["segment_id"]).to_numpy()
    squares = tiles.geometry.to_numpy()
    there = ~(shapely.is_missing(lines) | shapely.is_missing(squares) | shapely.is_empty(squares))
    names, squares = tiles["tile_id"].to_numpy()[there], squares[there]
    inside = shapely.intersection(shapely.force_2d(lines[there]), squares)
    parts, of = shapely.get_parts(inside, return_index=True)
    drawn = (shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING) & ~shapely.is_empty(parts)
    parts, of = parts[drawn], of[drawn]
    corners = shapely.get_coordinates(squares).reshape(len(squares), -1, 2)[of][:, :4]
    points, part = shapely.get_coordinates(parts, return_index=True)
    places = _shares(points, corners[part])
    found: dict[str, list[NDArray[np.float64]]] = {}
    for name, way in zip(names[of], np.split(places, np.flatnonzero(np.diff(part)) + 1), strict=True):
        found.setdefault(str(name), []).append(way)
    return found


def _shares(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give points ``(n, 2)`` as shares along the sides of squares ``(n, 4, 2)``, from their upper left corners."""
    left, right, top = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    across = ((points - left) * right).sum(axis=1) / (right**2).sum(axis=1)
    up = ((points - left) * top).sum(axis=1) / (top**2).sum(axis=1)
    return np.column_stack([across, 1 - up])


def with_way(picture: Image.Image, ways: Iterable[NDArray[np.float64]]) -> Image.Image:
    """Draw lines on a picture, pale with dark edges.

    Parameters
    ----------
    picture
        Red, green and blue.
    ways
        Arrays ``(n, 2)`` of x and y as shares of the picture's sides (`ways_on`).
    """
    size = picture.width * _FINER, picture.height * _FINER
    scaled = [[(float(x) * size[0], float(y) * size[1]) for x, y in way] for way in ways]
    if not scaled:
        return picture
    drawn = picture.copy()
    width = max(_LEAST, max(picture.size) * _WIDTH)
    for colour, wide in ((CASING, 2 * width), (LINE, width)):
        mask = Image.new("L", size)
        pen = ImageDraw.Draw(mask)
        for way in scaled:
            pen.line(way, fill=255, width=round(wide * _FINER), joint="curve")
        drawn.paste(colour, mask=mask.resize(picture.size, Image.Resampling.BOX))
    return drawn


def fitted(jpeg: bytes, px: int) -> Image.Image:
    """Read a picture and make it smaller, so that its longer side is no more than so many pixels."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    if max(picture.size) > px:
        picture.thumbnail((px, px), Image.Resampling.LANCZOS)
    return picture


def as_jpeg(picture: Image.Image, quality: int) -> bytes:
    """Write a picture; the same one gives the same bytes."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def in_page(size: int) -> int:
    """Say how many characters of a page so many bytes take (RFC 4648, section 4: four for three bytes)."""
    return 4 * -(-size // 3)


def pictures_within(pictures: Mapping[str, bytes], ways: Ways, most: int) -> dict[str, bytes]:
    """Draw segments on pictures, and make all of them as small as it takes.

    Parameters
    ----------
    pictures
        JPEG by ``tile_id``.
    ways
        Where the segment lies on each (`ways_on`); others, of junctions, stay as they are.
    most
        Characters that all of them may take in the page.

    Returns
    -------
    JPEG by ``tile_id``. None is left out: where not even the smallest have room, these are given.
    """
    tiles = sorted(pictures)
    sample = tiles[:: max(1, len(tiles) // _SAMPLE)]
    shown: dict[str, bytes] = {}
    for px, quality in PICTURES:
        last = (px, quality) == PICTURES[-1]
        tried = _shrunk(pictures, sample, ways, px, quality)
        if not last and _taken(tried) / max(1, len(sample)) * len(tiles) > most:
            continue
        shown = _shrunk(pictures, tiles, ways, px, quality)
        if last or _taken(shown) <= most:
            break
    return shown


def _shrunk(
    pictures: Mapping[str, bytes], tiles: Sequence[str], ways: Ways, px: int, quality: int
) -> dict[str, bytes]:
    return {
        tile: as_jpeg(with_way(fitted(pictures[tile], px), ways.get(tile, ())), quality) for tile in tiles
    }


def _taken(shown: Mapping[str, bytes]) -> int:
    return sum(in_page(len(jpeg)) for jpeg in shown.values())


def of_tiles(tiles: gpd.GeoDataFrame | pd.DataFrame | None, names: Iterable[str]) -> gpd.GeoDataFrame:
    """Take the tiles of these names that have a footprint; none where footprints are not known."""
    if not isinstance(tiles, gpd.GeoDataFrame):
        return gpd.GeoDataFrame({"tile_id": [], "segment_id": []}, geometry=[])
    return tiles[tiles["tile_id"].isin(list(names))]
