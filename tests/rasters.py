"""Small rasters for tests."""

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import Affine

from geo.config import Imagery, Tiles
from geo.imagery.band_set import BandSet
from geo.imagery.catalogue import open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.reader import TileReader
from geo.tiles.along import squares

CITY = "EPSG:26986"
WEST, NORTH = 230000.0, 900000.0


def noise(height, width, bands=3, seed=0, dtype="uint8"):
    low, high = (1, 255) if dtype == "uint8" else (1, 4000)
    return np.random.default_rng(seed).integers(low, high, (bands, height, width)).astype(dtype)


def write_raster(
    path, pixels, *, west=WEST, north=NORTH, pixel=1.0, crs=CITY, mask=None, overviews=(), **options
):
    """Write an array ``(bands, height, width)`` as GeoTIFF, with a mask and overviews where they are asked for."""
    pixel_x, pixel_y = pixel if isinstance(pixel, tuple) else (pixel, pixel)
    profile = {
        "driver": "GTiff",
        "count": pixels.shape[0],
        "height": pixels.shape[1],
        "width": pixels.shape[2],
        "dtype": pixels.dtype,
        "crs": crs,
        "transform": Affine(pixel_x, 0.0, west, 0.0, -pixel_y, north),
        **options,
    }
    internal = profile.pop("internal_mask", True)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal):
        with rasterio.open(path, "w", **profile) as raster:
            raster.write(pixels)
            if mask is not None and internal:
                raster.write_mask(mask)
        if overviews:
            with rasterio.open(path, "r+") as raster:
                raster.build_overviews(list(overviews), Resampling.average)
        if mask is not None and not internal:
            with rasterio.open(path, "r+") as raster:
                raster.write_mask(mask)
    return str(path)


def catalogue(*sources, crs=CITY, **settings):
    imagery = Imagery(sources=[str(source) for source in sources], **settings)
    return open_catalogue(imagery, crs=gpd.GeoSeries(crs=crs).crs)


def tiles_at(points, settings, *, bearing=0.0, crs=CITY):
    """Tiles centred at points ``(x, y)``, one bearing for all."""
    xy = np.asarray(points, dtype=float).reshape(-1, 2)
    turn = np.full(len(xy), bearing)
    footprints = squares(xy, turn if settings.align == "road" else np.zeros(len(xy)), settings.tile_m)
    return gpd.GeoDataFrame(
        {
            "tile_id": [f"t{i:04d}" for i in range(len(xy))],
            "x": xy[:, 0],
            "y": xy[:, 1],
            "bearing": turn,
        },
        geometry=footprints,
        crs=crs,
    )


def read_tiles(
    points, *sources, crs=CITY, bearing=0.0, images=None, tiles=None, own_values=False, store=None, **settings
):
    """Read tiles at points through catalogue, cover and reader, in the order of the points."""
    tiles = tiles or Tiles()
    imagery = Imagery(sources=[str(source) for source in sources] or ["none"], **settings)
    images = catalogue(*sources, crs=crs, **settings).images if images is None else images
    frame = tiles_at(points, tiles, bearing=bearing, crs=crs)
    frame = frame.join(cover_tiles(frame, images))
    seen = BandSet.seen(imagery, own_values=own_values)
    with TileReader(images, imagery, tiles, band_set=seen, store=store) as reader:
        found = {tile.tile_id: tile for tile in reader.read(pd.DataFrame(frame.drop(columns="geometry")))}
    return [found[tile_id] for tile_id in frame["tile_id"]]


def read_tile(point, *sources, **settings):
    return read_tiles([point], *sources, **settings)[0]


def read_elsewhere(path):
    """Read a raster in another process: after nested VRTs, GDAL gives zeros for lost files of others."""
    code = "import sys, rasterio; sys.stdout.buffer.write(rasterio.open(sys.argv[1]).read().tobytes())"
    told = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True)
    with rasterio.open(path) as raster:
        shape, dtype = (raster.count, *raster.shape), raster.dtypes[0]
    return np.frombuffer(told.stdout, dtype=dtype).reshape(shape)


def cut_short(path, share=0.5):
    """Drop the end of a file."""
    path = Path(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
