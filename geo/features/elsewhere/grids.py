"""Rasters with a vector a pixel: GeoTIFF and what else GDAL reads, and TESSERA's arrays of codes and scales."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from geo.errors import LayerError, SourceError
from geo.features.elsewhere.inputs import parts_of
from geo.features.elsewhere.products import Product, decode
from geo.features.encoder import Embeddings
from geo.imagery.catalogue import open_raster
from geo.secrets import redact

Read = Callable[[int, int, int, int], Embeddings]
"""Reads rows and columns ``(row, row_end, col, col_end)`` as ``(rows, columns, dimension)``, decoded."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A raster of vectors that is open.

    Attributes
    ----------
    crs
        Its own.
    transform
        Six numbers: pixels to its CRS. South may be up.
    width, height, dimension
        Number of columns, rows, and numbers a vector.
    dtype
        Of its values, as they are stored.
    tags
        What it says of itself.
    read
        Gives decoded vectors; NaN where there is no data.
    """

    crs: pyproj.CRS
    transform: tuple[float, ...]
    width: int
    height: int
    dimension: int
    dtype: str
    tags: dict[str, str]
    read: Read


@contextmanager
def open_grid(path: str, product: Product) -> Iterator[Grid]:
    """Open a raster of vectors.

    Raises
    ------
    SourceError
        When it cannot be read.
    LayerError
        When it does not say where it lies, or its parts do not fit each other.
    """
    try:
        if path.endswith(".npy"):
            yield _array(path, product)
            return
        with open_raster(path) as raster:
            yield _raster(raster, path, product)
    except (RasterioError, OSError, ValueError) as error:
        raise SourceError(
            f"it cannot be read ({redact(' '.join(str(error).split()))[:200]})",
            where=redact(path),
            todo="Is it whole? Fetch it again, or leave it out of the sources of the embeddings.",
        ) from error


def _raster(raster: rasterio.DatasetReader, path: str, product: Product) -> Grid:
    """Read a raster of GDAL's; scale and offset that it states are applied."""
    crs, transform = _place(raster, path)
    plain = all(one == 1 for one in raster.scales) and not any(raster.offsets)
    scale = np.array(raster.scales, dtype=np.float32), np.array(raster.offsets, dtype=np.float32)
    nodata = raster.nodata

    def read(row: int, row_end: int, col: int, col_end: int) -> Embeddings:
        window = Window.from_slices((row, row_end), (col, col_end))
        values = np.moveaxis(raster.read(window=window), 0, -1)
        lost = np.zeros(values.shape[:-1], dtype=np.bool_)
        if nodata is not None and np.isfinite(nodata):
            lost = (values == nodata).all(axis=-1)
        found = decode(values if plain else values * scale[0] + scale[1], product)
        found[lost] = np.nan
        return found

    tags = {key.upper(): str(value) for key, value in raster.tags().items()}
    return Grid(crs, transform, raster.width, raster.height, raster.count, raster.dtypes[0], tags, read)


def _array(path: str, product: Product) -> Grid:
    """Read TESSERA's codes (int8), each vector times its scale (float32), placed by the landmask beside them."""
    _, scales_at, mask_at = parts_of(path)
    for part, what in ((scales_at, "scales"), (mask_at, "landmask, which says where it lies")):
        if not Path(part).exists():
            raise LayerError(
                f"its {what} ({Path(part).name}) is not beside it",
                where=path,
                todo="Fetch the three files of each tile: .npy, _scales.npy and the landmask .tiff.",
            )
    codes, scales = (np.load(part, mmap_mode="r", allow_pickle=False) for part in (path, scales_at))
    with open_raster(mask_at) as mask:
        crs, transform = _place(mask, mask_at)
        shape = mask.height, mask.width
    if codes.ndim != 3 or codes.shape[:2] != shape or scales.shape[:2] != shape or scales.ndim not in {2, 3}:
        raise LayerError(
            f"codes are {codes.shape}, scales {scales.shape} and the landmask {shape}: rows and columns differ",
            where=path,
            todo="Fetch the three files of the tile again; they are of one version.",
        )

    def read(row: int, row_end: int, col: int, col_end: int) -> Embeddings:
        here = np.s_[row:row_end, col:col_end]
        times = np.asarray(scales[here], dtype=np.float32)
        values = np.asarray(codes[here], dtype=np.float32) * (times[..., None] if times.ndim == 2 else times)
        return decode(values, product)

    size = codes.shape[1], codes.shape[0], codes.shape[2]
    return Grid(crs, transform, *size, codes.dtype.name, {}, read)


def _place(raster: rasterio.DatasetReader, path: str) -> tuple[pyproj.CRS, tuple[float, ...]]:
    """Give where a raster lies."""
    if raster.crs is None or raster.transform.is_identity or raster.transform.is_degenerate:
        raise LayerError(
            "it does not say where it lies (CRS and geotransform)",
            where=redact(path),
            todo="Give the file as it was published, or write CRS and place into it with gdal_edit.",
        )
    return pyproj.CRS.from_wkt(raster.crs.to_wkt()), tuple(float(number) for number in raster.transform[:6])


def pixel_at(
    transform: Sequence[float], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bring places in a raster's CRS to its columns and rows: array ``(n, 2)``, whichever way is up."""
    a, b, c, d, e, f = transform[:6]
    size = a * e - b * d
    return np.column_stack([(e * (x - c) - b * (y - f)) / size, (a * (y - f) - d * (x - c)) / size])
