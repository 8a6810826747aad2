"""Pixels of a window, brought together from the rasters of one mosaic."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError
from rasterio.windows import Window

from geo.addresses import reveal
from geo.imagery.band_set import BandSet, Pixels, to_8_bit
from geo.imagery.flights.tables import LookUp
from geo.imagery.reading.blocks import Block, BlockStore, Valid, cut, reading_shape
from geo.imagery.reading.schedule import Bounds
from geo.imagery.remote import opening, persistently
from geo.imagery.traits.collars import Collar, from_text
from geo.imagery.traits.colours import Light, alpha_bands, light_of
from geo.imagery.traits.lost import lost_windows, overlap
from geo.imagery.traits.unusable import UnusableError
from geo.tiles.grid import PixelWindow, map_pixels, round_half_up

Numbers = tuple[float, ...]
Linear = tuple[float, float, float, float]

NOBODY = -1
"""Owner of a pixel that no raster gave."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A window of pixels and where they come from.

    Attributes
    ----------
    pixels
        Array ``(bands, height, width)``; 0 where there is no data.
    valid
        Array ``(height, width)``: whether there is data.
    owner
        Array ``(height, width)``: position of the raster that gave the pixel, or `NOBODY`.
    """

    pixels: Pixels
    valid: Valid
    owner: NDArray[np.int16]

    @classmethod
    def blank(cls, shape: tuple[int, int], bands: int, dtype: np.dtype[Any]) -> Self:
        """Make a canvas without data."""
        owner = np.full(shape, NOBODY, dtype=np.int16)
        return cls(np.zeros((bands, *shape), dtype=dtype), np.zeros(shape, dtype=bool), owner)

    def contributors(self) -> list[int]:
        """Positions of the rasters that gave pixels, the one that gave most first."""
        first = int(self.owner[0, 0])
        # one value for all pixels takes no memory, and shows in the strides
        if first != NOBODY and (not any(self.owner.strides) or (self.owner == first).all()):
            return [first]
        owners, counts = np.unique(self.owner[self.valid], return_counts=True)
        return [int(owner) for owner in owners[np.lexsort((owners, -counts))]]


class OpenRaster:
    """A raster held open, at its own resolution or at that of one of its overviews.

    Parameters
    ----------
    image_id, path, crs
        Its name, its file, and its CRS as WKT.
    store
        Memory that its decoded blocks are kept in.
    band_set
        Which bands are read of it, and how.
    factor
        1 for the raster itself, else the factor of an overview that it has.
    borders
        Borders that are read as without data.
    table
        What its values become before they are scaled; None: they stay.

    Attributes
    ----------
    transform, shape
        Of the level that is read: pixel to CRS; height and width.
    linear
        Steps in its CRS of one column and one row: ``a, b, d, e`` of the transform, a 2 x 2 matrix row by row.
    upright
        Whether columns run along the first axis of its CRS and rows against the second: north is up.
    dtype
        Dtype of the pixels that are read.
    """

    def __init__(
        self,
        image_id: str,
        path: str,
        crs: str,
        store: BlockStore,
        band_set: BandSet,
        *,
        factor: int = 1,
        borders: Sequence[Collar] = (),
        table: LookUp | None = None,
    ) -> None:
        self.image_id = image_id
        self._path = path
        self._crs = crs
        self._store = store
        self.band_set = band_set
        self.factor = factor
        self._collars = borders
        self._table = table
        self._look = "" if table is None else table.key
        self._open()
        self.transform: Affine = self._level.transform
        self.shape: tuple[int, int] = self._level.shape
        self._to_points: Numbers = tuple(self.transform)[:6]
        self._to_pixels: Numbers = tuple(~self.transform)[:6]
        a, b, _, d, e, _ = self._to_points
        self.linear: Linear = a, b, d, e
        self.upright: bool = b == 0 == d and a > 0 > e
        virtual = self._whole.driver == "VRT"
        self.dtype = band_set.dtype(self._light.dtype)
        pixel_bytes = band_set.count * self.dtype.itemsize
        self._unit = reading_shape(
            self._level.block_shapes[0], self.shape, virtual=virtual, pixel_bytes=pixel_bytes
        )

    def _open(self) -> None:
        """Open the file, and the overview."""
        with opening(self._path):
            self._whole: rasterio.DatasetReader = rasterio.open(reveal(self._path))
            self._level: rasterio.DatasetReader = self._whole
            self.factors: tuple[int, ...] = (1, *self._whole.overviews(1))
            self._light: Light = self._find_light()
            self._lost = lost_windows(self._whole)
            if self.factor != 1:
                level = self.factors.index(self.factor) - 1
                self._level = rasterio.open(reveal(self._path), overview_level=level)

    def _find_light(self) -> Light:
        """Find the bands to read; they are there, and known, unless the file was changed since it was catalogued."""
        try:
            return light_of(self._whole, self.band_set.bands)
        except UnusableError as error:
            raise RasterioError(str(error)) from error

    def pixel_of(self, x: float, y: float) -> tuple[float, float]:
        """Column and row of a point of its CRS."""
        return map_pixels(self._to_pixels, x, y)

    def point_of(self, col: float, row: float) -> tuple[float, float]:
        """Find the point of its CRS at a column and row."""
        return map_pixels(self._to_points, col, row)

    def read(self, window: PixelWindow) -> tuple[Pixels, Valid | None]:
        """Read a window that lies on the raster, from its decoded blocks.

        Returns
        -------
        Pixels ``(bands, height, width)``, whatever they are where there is no data, and where there is (None:
        everywhere).

        Raises
        ------
        RasterioError
            When the bytes cannot be decoded.
        """

        def block_at(whole: PixelWindow) -> Block:
            key = self._path, self.factor, whole.row, whole.col, self.band_set, self._look
            return self._store.get(key, lambda: self._decode(whole), lambda: self._ground(whole))

        try:
            return cut(window, self._unit, self.shape, block_at)
        except RasterioError:
            # what is broken or lost may lie beside the window
            block = persistently(self._path, lambda: self._read_afresh(window))
            return block.pixels, block.valid

    def _read_afresh(self, window: PixelWindow) -> Block:
        """Open the raster anew, and decode a window past all caches of ours."""
        self.close()
        self._open()
        return self._decode(window)

    def _ground(self, window: PixelWindow) -> tuple[Bounds, str]:
        """Tell the bounds of a window in the raster's CRS, and that."""
        (top, bottom), (left, right) = window.ranges
        x, y = zip(*(self.point_of(col, row) for col in (left, right) for row in (top, bottom)), strict=True)
        return (min(x), min(y), max(x), max(y)), self._crs

    def _decode(self, window: PixelWindow) -> Block:
        """Have GDAL decode a window, with the scale and nodata value of the imagery applied."""
        wanted = self.band_set
        if any(overlap(self._on_raster(window), lost) for lost in self._lost):
            raise RasterioError("a file that the raster refers to is not there")
        raw = self._level.read(list(self._light.bands), window=window.ranges)
        valid = self._data_mask(window)
        if raw.dtype.kind == "f":
            valid &= np.isfinite(raw).all(axis=0)
        if wanted.nodata is not None:
            valid &= ~wanted.without_data(raw == wanted.nodata, wanted.nodata, raw.dtype)
        opaque = self._light.opaque(raw)
        if opaque is not None:
            valid &= opaque
        seen = self._light.expand(raw)
        for collar in self._collars:
            valid &= ~collar.covers(seen, self._light.bands, self._pixels_of(window))
        if self._table is not None:
            seen = self._table.apply(seen)
        pixels = seen if wanted.scale is None else to_8_bit(seen, wanted.scale)
        return Block(pixels, None if valid.all() else valid)

    def _on_raster(self, window: PixelWindow) -> PixelWindow:
        """Find the window of the raster itself that one of the level is of."""
        if self.factor == 1:
            return window
        to_raster = self._pixels_of(window)
        right, bottom = map_pixels(tuple(to_raster)[:6], window.width, window.height)
        return PixelWindow.enclosing(to_raster.c, to_raster.f, right, bottom)

    def _pixels_of(self, window: PixelWindow) -> Affine:
        """Lead from columns and rows of a window of the level to those of the raster itself."""
        down, across = (whole / level for whole, level in zip(self._whole.shape, self.shape, strict=True))
        return Affine.scale(across, down) @ Affine.translation(window.col, window.row)

    def _data_mask(self, window: PixelWindow) -> Valid:
        """Where the raster says that it has data: by a nodata value, an alpha band or a mask."""
        bands = self._light.bands
        flags = self._whole.mask_flag_enums[bands[0] - 1]
        if MaskFlags.all_valid in flags:
            return self._seen_through(window)
        if MaskFlags.nodata in flags:
            marked = self._level.read_masks(list(bands), window=window.ranges) == 0
            mark, dtype = (of[bands[0] - 1] for of in (self._whole.nodatavals, self._whole.dtypes))
            some: Valid = ~self.band_set.without_data(marked, mark, np.dtype(dtype))
            return some
        if MaskFlags.alpha in flags and not self.band_set.light.isdisjoint(alpha_bands(self._whole)):
            return np.ones(window.shape, dtype=bool)
        if self.factor == 1 or MaskFlags.alpha in flags:
            mask: Valid = self._level.read_masks(bands[0], window=window.ranges) > 0
            return mask
        # GDAL loses a mask file that has no overviews of its own when it opens the image's overview
        step_row, step_col = (
            whole / level for whole, level in zip(self._whole.shape, self.shape, strict=True)
        )
        size = window.width * step_col, window.height * step_row
        part = Window(window.col * step_col, window.row * step_row, *size)
        decimated: Valid = self._whole.read_masks(bands[0], window=part, out_shape=window.shape) > 0
        return decimated

    def _seen_through(self, window: PixelWindow) -> Valid:
        """Where a band of transparency shows the others; GDAL heeds one only if it is the last of two or four."""
        alpha = [band for band in alpha_bands(self._whole) if band not in self._light.bands]
        if not alpha or not self.band_set.light.isdisjoint(alpha):
            return np.ones(window.shape, dtype=bool)
        opaque: Valid = self._level.read(alpha[0], window=window.ranges) > 0
        return opaque

    def close(self) -> None:
        """Give the file back."""
        self._level.close()
        self._whole.close()


class Shelf:
    """Rasters held open.

    Parameters
    ----------
    files
        Path and CRS (WKT) of each image id.
    store
        Memory that decoded blocks are kept in.
    band_set
        Which bands are read of them, and how.
    places
        How many stay open when `tidy` is called.
    collars
        Borders without data of each image id that has some, as text (`geo.imagery.traits.collars`).
    tables
        What the values of each image id become that has a table (`geo.imagery.flights.tables`).
    """

    def __init__(
        self,
        files: Mapping[str, tuple[str, str]],
        store: BlockStore,
        band_set: BandSet,
        places: int = 64,
        *,
        collars: Mapping[str, str] = MappingProxyType({}),
        tables: Mapping[str, LookUp] = MappingProxyType({}),
    ) -> None:
        self._files = files
        self._collars = collars
        self._tables = tables
        self._store = store
        self._band_set = band_set
        self._places = places
        self._open: OrderedDict[tuple[str, int], OpenRaster] = OrderedDict()

    def take(self, image_id: str, factor: int = 1) -> OpenRaster:
        """Get a raster, opened unless it is open.

        Raises
        ------
        RasterioError
            When it cannot be opened.
        """
        key = image_id, factor
        if key not in self._open:
            path, crs = self._files[image_id]
            collars = from_text(self._collars.get(image_id, ""))
            make = partial(OpenRaster, image_id, path, crs, self._store, self._band_set)
            table = self._tables.get(image_id)
            self._open[key] = persistently(path, partial(make, factor=factor, borders=collars, table=table))
        self._open.move_to_end(key)
        return self._open[key]

    def tidy(self) -> None:
        """Close those used longest ago, when none of them is in use."""
        while len(self._open) > self._places:
            self._open.popitem(last=False)[1].close()

    def close(self) -> None:
        """Close them all."""
        while self._open:
            self._open.popitem()[1].close()


def fill(rasters: Sequence[OpenRaster], window: PixelWindow) -> tuple[Canvas, list[str]]:
    """Lay the pixels of several rasters of one mosaic into one window.

    Where rasters overlap the earlier one is seen. A raster whose grid is offset by part of a pixel is laid to the
    nearest whole one.

    Parameters
    ----------
    rasters
        Rasters of one mosaic, at least one; the first gives the grid.
    window
        Window to fill, on the grid of the first raster, which it may leave.

    Returns
    -------
    The canvas, and the ids of the rasters that could not be decoded here: they give no pixels.
    """
    canvas: Canvas | None = None
    broken: list[str] = []
    first = rasters[0]
    dtype = np.result_type(*(raster.dtype for raster in rasters))
    blank = partial(Canvas.blank, window.shape, first.band_set.count, dtype)
    for number, raster in enumerate(rasters):
        own = window if raster is first else _on_grid_of(raster, first, window)
        part = own.clip(height=raster.shape[0], width=raster.shape[1])
        if part is None or (canvas is not None and canvas.valid[part.slices_in(own)].all()):
            continue
        try:
            pixels, valid = raster.read(part)
        except RasterioError:
            broken.append(raster.image_id)
            continue
        if valid is None and part == own and canvas is None:
            owner = np.broadcast_to(np.int16(number), window.shape)
            return Canvas(pixels, np.ones(window.shape, dtype=bool), owner), broken
        canvas = canvas or blank()
        place = part.slices_in(own)
        new = ~canvas.valid[place] if valid is None else valid & ~canvas.valid[place]
        np.copyto(canvas.pixels[:, *place], pixels, where=new)
        np.copyto(canvas.owner[place], number, where=new)
        canvas.valid[place] |= new
    return canvas or blank(), broken


def _on_grid_of(raster: OpenRaster, first: OpenRaster, window: PixelWindow) -> PixelWindow:
    """Count the pixels of a window on one raster's grid from the corner of another one, to the nearest whole pixel."""
    col, row = raster.pixel_of(*first.point_of(window.col, window.row))
    return PixelWindow(round_half_up(row), round_half_up(col), window.height, window.width)
