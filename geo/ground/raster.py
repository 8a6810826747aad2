"""The map of classes of ground as one file: a Cloud Optimised GeoTIFF with a palette and overviews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from geo.ground.contract import UNKNOWN, Classes, GroundClass
from geo.ground.shares import Places

BLOCK_PX = 512
CACHE_MB = 64
"""What GDAL holds of the map at once (megabytes), however large it is."""
_OPAQUE, _CLEAR = 255, 0


@dataclass(frozen=True, slots=True)
class MapGrid(Places):
    """The places of a map that takes in all its parts."""

    @classmethod
    def about(cls, parts: Iterable[Places]) -> MapGrid:
        """Take in parts of one grid, at least one."""
        corners = np.array(
            [(p.x, p.y - p.rows * p.side_m, p.x + p.columns * p.side_m, p.y, p.side_m) for p in parts]
        )
        west, south = corners[:, :2].min(axis=0)
        east, north = corners[:, 2:4].max(axis=0)
        side = float(corners[0, 4])
        return cls(
            float(west), float(north), round((north - south) / side), round((east - west) / side), side
        )

    def window(self, part: Places) -> Window:
        """Tell where a part lies."""
        column, row = round((part.x - self.x) / self.side_m), round((self.y - part.y) / self.side_m)
        return Window(column, row, part.columns, part.rows)


def write_map(
    path: Path,
    grid: MapGrid,
    parts: Iterable[tuple[Places, Classes]],
    classes: Iterable[GroundClass],
    crs: pyproj.CRS,
) -> None:
    """Write a map, the same bytes for the same one; of its parts one at a time is held.

    Parameters
    ----------
    path
        Of the GeoTIFF; beside it a file without a name is written and removed.
    grid
        The grid of the map.
    parts
        Where each lies, and the number of each place's class, ``(rows, columns)``; `UNKNOWN` where it is not known.
    classes
        Their names and colours: a palette, and ``class_<number>`` among the band's tags.
    crs
        Of the grid.
    """
    plain = path.with_name(f".{path.name}.plain.tif")
    told = sorted(classes, key=lambda one: one.number)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": grid.columns,
        "height": grid.rows,
        "count": 1,
        "dtype": "uint8",
        "nodata": UNKNOWN,
        "crs": rasterio.crs.CRS.from_wkt(crs.to_wkt()),
        "transform": Affine(grid.side_m, 0, grid.x, 0, -grid.side_m, grid.y),
        "tiled": True,
        "blockxsize": BLOCK_PX,
        "blockysize": BLOCK_PX,
        "sparse_ok": True,
        "bigtiff": "IF_SAFER",
        "compress": "DEFLATE",
    }
    try:
        with rasterio.Env(GDAL_CACHEMAX=CACHE_MB * 2**20, GDAL_NUM_THREADS=1):
            with rasterio.open(plain, "w", **profile) as raster:
                for part, numbers in parts:
                    raster.write(numbers, 1, window=grid.window(part))
                raster.write_colormap(1, _palette(told))
                raster.update_tags(1, **{f"class_{one.number}": one.name or one.key for one in told})
                raster.set_band_description(1, "class of ground")
            rasterio.shutil.copy(
                plain,
                path,
                driver="COG",
                compress="DEFLATE",
                blocksize=BLOCK_PX,
                overview_resampling="MODE",
                sparse_ok=True,
                bigtiff="IF_SAFER",
            )
    finally:
        plain.unlink(missing_ok=True)


def read_on(
    path: Path, grid: MapGrid, parts: Iterable[Places], crs: pyproj.CRS
) -> Iterator[NDArray[np.uint8]]:
    """Read a map as it lies on another one's grid, a part at a time, by the nearest place.

    Parameters
    ----------
    path
        Of the map.
    grid, crs
        The other grid.
    parts
        Of that grid.

    Yields
    ------
    Numbers of classes of each part, ``(rows, columns)``; `UNKNOWN` where the map does not reach.
    """
    onto = {
        "crs": rasterio.crs.CRS.from_wkt(crs.to_wkt()),
        "transform": Affine(grid.side_m, 0, grid.x, 0, -grid.side_m, grid.y),
        "width": grid.columns,
        "height": grid.rows,
    }
    with (
        rasterio.Env(GDAL_CACHEMAX=CACHE_MB * 2**20, GDAL_NUM_THREADS=1),
        rasterio.open(path) as raster,
        WarpedVRT(raster, resampling=Resampling.nearest, nodata=UNKNOWN, **onto) as same,
    ):
        for part in parts:
            yield same.read(1, window=grid.window(part))


def _palette(classes: Iterable[GroundClass]) -> dict[int, tuple[int, int, int, int]]:
    """Give the colour of each number; what is not known is clear."""
    colours = {
        one.number: (*(int(one.colour[at : at + 2], 16) for at in (1, 3, 5)), _OPAQUE) for one in classes
    }
    return {UNKNOWN: (0, 0, 0, _CLEAR), **colours}  # type: ignore[dict-item]
