"""The pixels of tiles.

Roads come to the raster: a tile's centre is brought into the raster's CRS and the pixels about it are read on the
raster's own grid. Nothing is resampled unless ``tiles.pixel_m`` or ``tiles.align: road`` asks for it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from types import TracebackType
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from geo.config import Imagery, Tiles
from geo.imagery.band_set import BandSet, Pixels
from geo.imagery.catalogue import check_unchanged
from geo.imagery.cover import SAME_GRID, WHOLE, mosaics
from geo.imagery.patience import patience
from geo.imagery.reading.blocks import BlockStore, Valid
from geo.imagery.reading.canvas import Canvas, Linear, OpenRaster, Shelf, fill
from geo.imagery.reading.resample import Square, resize, turn
from geo.imagery.traits.collars import dropped, from_text, to_text
from geo.tiles.grid import PixelWindow, map_pixels, pixel_count

READING_BAND_PX = 512
"""Tiles are read in bands of this many raster rows, from left to right: a common height of a raster's blocks, so that
a block is still there when the next tile wants it."""

TABLE = "look_up"
"""Column of a catalogue with the look-up table of each raster."""
GDAL_CACHE_MB = 8
"""GDAL's own cache (megabytes), which all readers of a process share: what it decodes for one call, and the blocks of a
VRT's files."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TileImage:
    """The pixels of a tile.

    Attributes
    ----------
    tile_id
        ``tile_id`` of the tile.
    pixels
        Array ``(bands, height, width)``, see `geo.imagery.band_set.BandSet`; 0 where there is no data. Height and width
        differ where the raster's pixels are not square on the ground (degrees) and are not resampled.
    valid
        Array ``(height, width)``: where there is data.
    image_id
        What the pixels are from: image ids joined by ``;``, the one with the largest share first; empty without data.
    coverage
        Share of the pixels with data, from 0 to 1.
    faults
        What kept images that would have come first from being read, in words.
    """

    tile_id: str
    pixels: Pixels
    valid: Valid
    image_id: str
    coverage: float
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TileFailure:
    """A tile without pixels because something went wrong.

    Attributes
    ----------
    tile_id
        ``tile_id`` of the tile.
    reason
        Why, in words; the same for all tiles that one cause befalls.
    """

    tile_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A tile's centre in some CRS, and the steps there that one metre to the east and to the north makes.

    The steps are the columns of a 2 x 2 matrix, which stands here row by row.
    """

    x: float
    y: float
    per_metre: Linear


class TileReader:
    """Reads tiles; a context manager, for use by one thread (each thread its own).

    Parameters
    ----------
    images
        The catalogue of the city's rasters (``images`` in docs/stages.md), one row a raster. Its CRS is the city's.
        Where it has a column `TABLE`, that says what the values of each raster become, of the bands that are read
        (`geo.imagery.flights.tables.LookUp`; None: they stay).
    imagery
        The section ``imagery`` of the city's file.
    tiles
        The section ``tiles`` of the city's file: ``tile_m``, ``pixel_m`` and ``align``. North is up in the raster's own
        grid, which may differ from the city's by the few degrees between two map grids; a road is turned upright
        exactly.
    store
        Decoded blocks, which readers of the same images may share; None: one of its own, of ``imagery.cache_mb``.
    band_set
        Which bands are read, and how; None: the bands of `imagery`, 8 bit.
    """

    def __init__(
        self,
        images: gpd.GeoDataFrame,
        imagery: Imagery,
        tiles: Tiles,
        *,
        store: BlockStore | None = None,
        band_set: BandSet | None = None,
    ) -> None:
        self._tiles = tiles
        self._city = images.crs
        columns = images[["image_id", "path", "digest", "crs", "pixel_m", "transform"]]
        columns = columns.assign(mosaic=mosaics(images))
        self._images: dict[str, dict[str, Any]] = columns.set_index("image_id").to_dict("index")
        files = dict(zip(images["image_id"], zip(images["path"], images["crs"], strict=True), strict=True))
        borders: dict[str, str] = {}
        if "collar" in images:
            borders = {
                name: to_text(dropped(from_text(text), imagery.collars))
                for name, text in zip(images["image_id"], images["collar"], strict=True)
                if text
            }
        tables = {}
        if TABLE in images:
            pairs = zip(images["image_id"], images[TABLE], strict=True)
            tables = {name: table for name, table in pairs if table is not None}
        memory = store or BlockStore(imagery.cache_mb)
        wanted = band_set or BandSet.seen(imagery)
        self._shelf = Shelf(files, memory, wanted, collars=borders, tables=tables)
        self._open = ExitStack()
        self._failed: set[str] = set()

    def __enter__(self) -> Self:
        # GDAL takes a small number for megabytes, rasterio hands it on as bytes, which would be no cache at all
        self._open.enter_context(rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_MB * 2**20, **patience(os.environ)))
        self._open.callback(self._shelf.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def read(self, tiles: pd.DataFrame) -> Iterator[TileImage | TileFailure]:
        """Read the tiles of one shard, each once, in the order that suits the rasters.

        Of a tile's mosaics the first is taken unless it has no data on a part of the tile and another has data on
        more of it. A raster that is damaged gives no pixels; the tile is then read from what is left.

        Parameters
        ----------
        tiles
            ``tile_id, x, y, bearing, image_ids``, as of `geo.tiles.along.place_tiles` and
            `geo.imagery.cover.cover_tiles`.

        Raises
        ------
        SourceError
            When a raster cannot be reached any more, or is not the one that was catalogued.
        """
        candidates = {
            tile_id: [str(name) for name in names]
            for tile_id, names in zip(tiles["tile_id"], tiles["image_ids"], strict=True)
        }
        places = self._locate(tiles, candidates)
        bearings = dict(zip(tiles["tile_id"], tiles["bearing"], strict=True))
        for tile_id in self._reading_order(candidates, places):
            yield self._read_tile(tile_id, candidates[tile_id], places, float(bearings[tile_id]))

    def _locate(self, tiles: pd.DataFrame, candidates: dict[str, list[str]]) -> dict[tuple[str, str], _Place]:
        """Place each tile in the CRS of each of its images, by tile and CRS."""
        wanted = sorted(
            {(self._images[name]["crs"], tile_id) for tile_id, names in candidates.items() for name in names}
        )
        xy = tiles.set_index("tile_id")[["x", "y"]]
        places: dict[tuple[str, str], _Place] = {}
        for wkt, keys in groupby(wanted, key=lambda key: key[0]):
            ids = [tile_id for _, tile_id in keys]
            centre, per_metre = _project(xy.loc[ids].to_numpy(), self._city, wkt, self._tiles.tile_m / 2)
            for tile_id, (x, y), steps in zip(ids, centre, per_metre, strict=True):
                places[tile_id, wkt] = _Place(float(x), float(y), tuple(steps.ravel().tolist()))
        return places

    def _reading_order(
        self, candidates: dict[str, list[str]], places: dict[tuple[str, str], _Place]
    ) -> list[str]:
        """Order tiles by their first image, there by bands of rows, there by column."""
        to_pixels = {name: tuple(~Affine(*self._images[name]["transform"]))[:6] for name in self._images}

        def key(tile_id: str) -> tuple[str, int, float, str]:
            if not candidates[tile_id]:
                return "", 0, 0.0, tile_id
            first = candidates[tile_id][0]
            place = places[tile_id, self._images[first]["crs"]]
            col, row = map_pixels(to_pixels[first], place.x, place.y)
            return first, int(row // READING_BAND_PX), col, tile_id

        return sorted(candidates, key=key)

    def _read_tile(
        self, tile_id: str, names: list[str], places: dict[tuple[str, str], _Place], bearing: float
    ) -> TileImage | TileFailure:
        """Read a tile from the first of its mosaics that has data on all of it, else the one with most."""
        self._shelf.tidy()
        if not names:
            return TileFailure(tile_id, "no raster covers it")
        best: TileImage | None = None
        faults: list[str] = []
        for _, group in groupby(names, key=lambda name: int(self._images[name]["mosaic"])):
            rasters = self._take(list(group), faults)
            if not rasters:
                continue
            place = places[tile_id, self._images[rasters[0].image_id]["crs"]]
            canvas = self._view(rasters, place, bearing, faults)
            share = int(np.count_nonzero(canvas.valid)) / canvas.valid.size
            if best is None or share > best.coverage:
                sources = ";".join(rasters[i].image_id for i in canvas.contributors())
                best = TileImage(tile_id, canvas.pixels, canvas.valid, sources, share)
            if share >= WHOLE:
                break
        if best is None or (faults and best.coverage == 0):
            return TileFailure(tile_id, "; ".join(faults))
        return TileImage(tile_id, best.pixels, best.valid, best.image_id, best.coverage, tuple(faults))

    def _take(self, names: list[str], faults: list[str]) -> list[OpenRaster]:
        """Open the images of one mosaic, at the coarsest level that all have and that is fine enough."""
        rasters = self._take_each([(name, 1) for name in names], faults)
        if self._tiles.pixel_m is None or not rasters:
            return rasters
        pixel_m = float(self._images[rasters[0].image_id]["pixel_m"])
        largest = max(1.0, self._tiles.pixel_m / pixel_m * (1 + SAME_GRID))
        shared = set.intersection(*(set(raster.factors) for raster in rasters))
        factor = max(factor for factor in shared if factor <= largest)
        return self._take_each([(raster.image_id, factor) for raster in rasters], faults)

    def _take_each(self, wanted: list[tuple[str, int]], faults: list[str]) -> list[OpenRaster]:
        """Open rasters, noting which cannot be."""
        rasters = []
        for name, factor in wanted:
            try:
                rasters.append(self._shelf.take(name, factor))
            except RasterioError:
                self._check(name)
                faults.append(f"{name} cannot be opened")
        return rasters

    def _check(self, name: str) -> None:
        """Make sure, once, that an image which fails is as it was when it was catalogued."""
        if name not in self._failed:
            image = self._images[name]
            check_unchanged(image["path"], image["digest"])
            self._failed.add(name)

    def _view(
        self, rasters: Sequence[OpenRaster], place: _Place, bearing: float, faults: list[str]
    ) -> Canvas:
        """Read a tile's square from one mosaic, resampled or turned where that is asked for."""
        first = rasters[0]
        steps, pixel = _scale(first.linear, place.per_metre)
        tile_m, pixel_m = self._tiles.tile_m, self._tiles.pixel_m
        col, row = first.pixel_of(place.x, place.y)
        if self._tiles.align == "road" or not first.upright:
            heading = np.radians(bearing if self._tiles.align == "road" else 0.0)
            square = _square((col, row), steps, heading, tile_m)
            side = pixel_count(tile_m, pixel_m or math.sqrt(pixel[0] * pixel[1]))
            return self._turned(rasters, square, side, faults)
        if pixel_m is None or all(abs(size / pixel_m - 1) <= SAME_GRID for size in pixel):
            width, height = (pixel_count(tile_m, size if pixel_m is None else pixel_m) for size in pixel)
            window = PixelWindow.about(col, row, height=height, width=width)
            return self._fill(rasters, window, faults)
        half = tile_m / 2 / pixel[0], tile_m / 2 / pixel[1]
        box = col - half[0], row - half[1], col + half[0], row + half[1]
        window = PixelWindow.enclosing(*box, margin=1)
        canvas = self._fill(rasters, window, faults)
        inside = box[0] - window.col, box[1] - window.row, box[2] - window.col, box[3] - window.row
        return resize(canvas, inside, pixel_count(tile_m, pixel_m))

    def _turned(self, rasters: Sequence[OpenRaster], square: Square, side: int, faults: list[str]) -> Canvas:
        """Read the pixels about a square that lies at an angle, and turn it upright."""
        corners = square.corners()
        # bilinear sampling reaches one pixel of the result further
        margin = 2 + int(np.ceil(2 * np.hypot(*square.right) / side))
        window = PixelWindow.enclosing(*corners.min(axis=0), *corners.max(axis=0), margin=margin)
        canvas = self._fill(rasters, window, faults)
        origin = np.array([window.col, window.row])
        return turn(canvas, Square(square.centre - origin, square.right, square.up), side)

    def _fill(self, rasters: Sequence[OpenRaster], window: PixelWindow, faults: list[str]) -> Canvas:
        """Read a window, noting which rasters failed."""
        canvas, broken = fill(rasters, window)
        for name in broken:
            self._check(name)
        faults += [f"{name} is damaged, cut short or out of reach" for name in broken]
        return canvas


def lie_on_pictures(tiles: pd.DataFrame, images: gpd.GeoDataFrame, settings: Tiles) -> Floats:
    """Tell how the ground lies in the pictures of tiles: which way is east, and which way is north.

    Parameters
    ----------
    tiles
        ``x, y, bearing`` and ``image_id`` of each (`TileImage`), the first of which its picture is on the grid of.
    images
        The catalogue, with these images, in the city's CRS.
    settings
        The section ``tiles`` of the city's file.

    Returns
    -------
    A matrix ``(2, 2)`` a tile, array ``(n, 2, 2)``: the step to the right and downwards, in shares of the picture's
    width and height, of one metre to the east (first column) and to the north of the city's grid. The tile's centre is
    the picture's, to half a pixel.
    """
    rasters = images.set_index("image_id")[["crs", "transform"]]
    first = tiles["image_id"].str.split(";").str[0].to_numpy()
    turned = np.radians(tiles["bearing"].to_numpy() if settings.align == "road" else np.zeros(len(tiles)))
    found = _turned_lie(turned, settings.tile_m)
    for name in np.unique(first):
        a, b, _, d, e, _ = rasters.loc[name, "transform"][:6]
        if settings.align == "road" or not (b == 0 == d and a > 0 > e):
            continue
        mine = np.flatnonzero(first == name)
        centre = tiles[["x", "y"]].to_numpy()[mine]
        _, per_metre = _project(centre, images.crs, rasters.loc[name, "crs"], settings.tile_m / 2)
        steps = np.linalg.inv(np.array([[a, b], [d, e]])) @ per_metre
        ground = np.linalg.norm(np.linalg.inv(steps), axis=1)
        found[mine] = steps * ground[:, :, np.newaxis] / settings.tile_m
    return found


def _turned_lie(heading: Floats, side_m: float) -> Floats:
    """Give the steps on pictures whose upper side looks towards a heading (radians clockwise from grid north)."""
    cos, sin = np.cos(heading), np.sin(heading)
    return np.stack([np.stack([cos, -sin], -1), np.stack([-sin, -cos], -1)], -2) / side_m


def reach(tiles: Tiles) -> float:
    """Tell how far from its centre a tile may need pixels, along each axis (metres)."""
    return tiles.tile_m / 2 * (math.sqrt(2) if tiles.align == "road" else 1)


def _project(centre: Floats, city: pyproj.CRS, wkt: str, step_m: float) -> tuple[Floats, Floats]:
    """Bring points into another CRS, with the steps there per metre of the city's CRS.

    Returns
    -------
    Points ``(n, 2)`` and matrices ``(n, 2, 2)`` whose columns are the steps of one metre to the east and to the north.
    """
    target = pyproj.CRS.from_wkt(wkt)
    if target.equals(city, ignore_axis_order=True):
        return centre, np.broadcast_to(np.eye(2), (len(centre), 2, 2))
    change = pyproj.Transformer.from_crs(city, target, always_xy=True)
    start, east, north = (
        np.column_stack(change.transform(*(centre + shift).T)) for shift in ((0, 0), (step_m, 0), (0, step_m))
    )
    return start, np.stack([east - start, north - start], axis=-1) / step_m


@lru_cache(maxsize=256)
def _scale(linear: Linear, per_metre: Linear) -> tuple[Floats, tuple[float, float]]:
    """Find the steps in pixels per metre to the east and north (2 x 2), and the ground of a column and of a row."""
    steps = np.linalg.solve(np.reshape(linear, (2, 2)), np.reshape(per_metre, (2, 2)))
    column, row = np.hypot(*np.linalg.inv(steps)).tolist()
    return steps, (column, row)


def _square(
    centre: tuple[float, float], steps: NDArray[np.floating], heading: float, side_m: float
) -> Square:
    """Lay a tile on a pixel grid, its upper side towards a heading (radians clockwise from the city's grid north)."""
    up = steps @ np.array([np.sin(heading), np.cos(heading)]) * side_m / 2
    right = steps @ np.array([np.cos(heading), -np.sin(heading)]) * side_m / 2
    return Square(np.array(centre), right, up)
