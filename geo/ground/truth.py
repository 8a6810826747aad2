"""A map of what lies where, which classes of ground are held against. Nothing is learned from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj.exceptions import ProjError
from rasterio.errors import RasterioError
from rasterio.warp import Resampling, reproject, transform_bounds

from geo.errors import LayerError, SourceError, meant, meant_file
from geo.ground.categories import read_categories
from geo.roads.files import UNREADABLE, read_vector_layer

NOT_TOLD = -1
"""Stands where truth says nothing."""
FINER = 4
"""Truth is looked up at so many places a cell along each side, of which the commonest counts."""
MOST_NAMES = 256
"""A raster of more values is a picture, and no map of classes."""
VECTORS = frozenset(
    (".gpkg", ".geojson", ".json", ".shp", ".fgb", ".parquet", ".geoparquet", ".gml", ".kml", ".zip")
)
_OF_CLASS = re.compile(r"class_(\d{1,3})")
Told = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Truth:
    """What lies where.

    Attributes
    ----------
    names
        Of what is told apart.
    crs
        The city's CRS.
    path
        Of the raster; empty: `shapes` say it.
    numbers
        Which of `names` each value of the raster is; values beside these are not told.
    shapes, of
        Polygons in the city's CRS, and which of `names` each is.
    """

    names: tuple[str, ...]
    crs: pyproj.CRS
    path: str = ""
    numbers: Mapping[int, int] = field(default_factory=dict)
    shapes: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, dtype=object))
    of: Told = field(default_factory=lambda: np.empty(0, dtype=np.int16))

    def on(self, x: float, y: float, shape: tuple[int, int], cell_m: float) -> Told:
        """Look up a grid of cells.

        Parameters
        ----------
        x, y
            Its western and its northern edge (metres).
        shape
            How many rows and columns it has, the first in the north.
        cell_m
            Side of a cell (metres).

        Returns
        -------
        Which of `names` lies in most of each cell, `NOT_TOLD` where that is nothing.
        """
        rows, columns = shape[0] * FINER, shape[1] * FINER
        step = cell_m / FINER
        fine = (
            self._raster(x, y, rows, columns, step) if self.path else self._drawn(x, y, rows, columns, step)
        )
        blocks = fine.reshape(shape[0], FINER, shape[1], FINER).swapaxes(1, 2).reshape(*shape, -1)
        counts = np.stack([(blocks == number).sum(axis=-1) for number in range(NOT_TOLD, len(self.names))])
        found: Told = (counts.argmax(axis=0) + NOT_TOLD).astype(np.int16)
        return found

    def _raster(self, x: float, y: float, rows: int, columns: int, step: float) -> Told:
        """Read the raster at the middles of places, by the nearest pixel."""
        found: Told = np.full((rows, columns), NOT_TOLD, dtype=np.int16)
        with rasterio.open(self.path) as raster:
            box = transform_bounds(self.crs, raster.crs, x, y - rows * step, x + columns * step, y)
            around = rasterio.windows.from_bounds(*box, transform=raster.transform)
            first = np.floor([around.row_off - 1, around.col_off - 1]).astype(int)
            last = np.ceil([around.row_off + around.height + 1, around.col_off + around.width + 1]).astype(
                int
            )
            first, last = np.clip(first, 0, None), np.minimum(last, raster.shape)
            if (last <= first).any():
                return found
            window = rasterio.windows.Window.from_slices(
                *(slice(*ends) for ends in zip(first, last, strict=True))
            )
            values = raster.read(1, window=window)
            known = raster.read_masks(1, window=window) > 0
            told = np.full(values.shape, NOT_TOLD, dtype=np.int16)
            for value, number in self.numbers.items():
                told[known & (values == value)] = number
            reproject(
                told,
                found,
                src_transform=raster.window_transform(window),
                src_crs=raster.crs,
                dst_transform=Affine(step, 0, x, 0, -step, y),
                dst_crs=self.crs,
                init_dest_nodata=False,
                resampling=Resampling.nearest,
            )
        return found

    def _drawn(self, x: float, y: float, rows: int, columns: int, step: float) -> Told:
        """Look which polygon the middle of each place lies in; of several that are of one class or none."""
        box = shapely.box(x, y - rows * step, x + columns * step, y)
        near = np.sort(shapely.STRtree(self.shapes).query(box, predicate="intersects"))
        east, north = np.meshgrid(x + (np.arange(columns) + 0.5) * step, y - (np.arange(rows) + 0.5) * step)
        found: Told = np.full((rows, columns), NOT_TOLD, dtype=np.int16)
        twice = np.zeros((rows, columns), dtype=bool)
        for number in near.tolist():
            inside = shapely.contains_xy(self.shapes[number], east, north)
            twice |= inside & (found != NOT_TOLD) & (found != self.of[number])
            found[inside] = self.of[number]
        found[twice] = NOT_TOLD
        return found


def read_truth(
    path: str, crs: pyproj.CRS, *, names: Mapping[int, str] | None = None, column: str = "class"
) -> Truth:
    """Open a map of what lies where.

    Parameters
    ----------
    path
        A raster of one band of whole numbers, with names of its values as its categories or in `names`; or a vector
        file of polygons.
    crs
        The city's CRS.
    names
        ``ground.truth_names``: what values of a raster mean; those that are not there are not told.
    column
        Column of a vector file that names the class.

    Raises
    ------
    SourceError, LayerError
        When it cannot be read, states no CRS, or does not say what is what.
    """
    if not Path(path).is_file():
        raise SourceError(
            f"no such file{meant_file(Path(path))}", where=path, todo="Mend the path in ground.truth."
        )
    if Path(path).suffix.lower() in VECTORS:
        return _of_polygons(path, crs, column)
    try:
        with rasterio.open(path) as raster:
            whole = np.dtype(raster.dtypes[0]).kind in "iu"
            has_crs = raster.crs is not None
            tags = raster.tags(1)
    except RasterioError as error:
        raise SourceError(
            f"it cannot be read as a map of classes ({str(error).splitlines()[0]:.200})",
            where=path,
            todo="Give a GeoTIFF, or a vector file of polygons.",
        ) from error
    if not has_crs or not whole:
        fault = "it states no CRS" if not has_crs else "its values are no whole numbers"
        raise LayerError(fault, where=path, todo="Give a GeoTIFF of classes, whole numbers from 0 on.")
    meant = dict(names or read_categories(Path(path)) or _tagged(tags))
    if not meant or len(meant) > MOST_NAMES:
        raise LayerError(
            "it does not say what its values mean",
            where=path,
            todo="Name them in ground.truth_names: {1: road, 2: building}.",
        )
    told = tuple(dict.fromkeys(meant.values()))
    numbers = {value: told.index(name) for value, name in meant.items()}
    return Truth(told, crs, path, numbers)


def _tagged(tags: Mapping[str, str]) -> dict[int, str]:
    """Read the names that a map of this project gives its values (`geo.ground.raster.write_map`)."""
    named = {_OF_CLASS.fullmatch(key): name for key, name in tags.items()}
    return {int(match[1]): name for match, name in named.items() if match}


def _of_polygons(path: str, crs: pyproj.CRS, column: str) -> Truth:
    """Read polygons with a class."""
    try:
        rows = read_vector_layer(path, None)[0].rows
    except UNREADABLE as error:
        raise SourceError(
            f"it cannot be read as a map of classes ({str(error).strip().splitlines()[0]:.200})",
            where=path,
            todo="Give a GeoTIFF, or a vector file of polygons.",
        ) from error
    if not isinstance(rows, gpd.GeoDataFrame) or rows.crs is None or column not in rows:
        lacks = (
            "geometry" if not isinstance(rows, gpd.GeoDataFrame) else "CRS" if rows.crs is None else column
        )
        raise LayerError(
            f"it has no {lacks}; there are the columns {', '.join(map(str, rows.columns)):.200}"
            f"{meant(lacks, rows.columns) if lacks == column else ''}",
            where=path,
            todo="Give polygons with a CRS and a class, whose column ground.truth_column names.",
        )
    try:
        placed = rows.to_crs(crs)
    except ProjError as error:
        raise LayerError(
            f"its CRS cannot be brought to {crs.name!r}",
            where=path,
            todo="Write the right CRS into the file.",
        ) from error
    named = placed[column].astype("string").str.strip()
    usable = (shapely.get_dimensions(placed.geometry) == 2) & named.fillna("").ne("").to_numpy()
    if not usable.any():
        raise LayerError("it holds no polygon with a class", where=path, todo="Give polygons with a class.")
    names = tuple(sorted(named[usable].unique()))
    of = np.array([names.index(name) for name in named[usable]], dtype=np.int16)
    return Truth(names, crs, shapes=shapely.make_valid(placed.geometry.to_numpy()[usable]), of=of)
