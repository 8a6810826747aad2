"""Small files of embeddings as others publish them, made by code."""

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import shapely

CRS = pyproj.CRS.from_epsg(32631)
X, Y = 500_000.0, 5_700_000.0


def codes(size=40, seed=0):
    """Unit vectors as AlphaEarth codes them: the west looks one way, the east another."""
    rng = np.random.default_rng(seed)
    looks = rng.normal(size=(2, 64))
    column = np.arange(size)[None, :, None] >= size // 2
    vectors = np.where(column, looks[1], looks[0]) + rng.normal(size=(size, size, 64)) * 0.1
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.moveaxis(np.round(np.sqrt(np.abs(vectors)) * np.sign(vectors) * 127.5).astype(np.int8), -1, 0)


def write(path, values, *, south_up=False, crs=CRS, transform=None, nodata=None, **tags):
    place = transform or (
        rasterio.Affine(10, 0, X, 0, 10, Y) if south_up else rasterio.Affine(10, 0, X, 0, -10, Y + 400)
    )
    profile = {"driver": "GTiff", "width": values.shape[2], "height": values.shape[1], "count": len(values)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", dtype=values.dtype, crs=crs, transform=place, nodata=nodata, **profile
    ) as raster:
        raster.write(values[:, ::-1] if south_up else values)
        raster.update_tags(**tags)
    return path


def chips(side=100, **columns):
    """Sixteen chips with vectors of three numbers: the column of the chip, its row, and 1."""
    where = [(i, j) for i in range(4) for j in range(4)]
    boxes = [
        shapely.box(X + side * i, Y + side * j, X + side * (i + 1), Y + side * (j + 1)) for i, j in where
    ]
    vectors = [[float(i) - 0.5, float(j) + 0.25, 1.0] for i, j in where]
    frame = gpd.GeoDataFrame({"id": range(16), "embeddings": vectors}, geometry=boxes, crs=CRS)
    return frame.assign(**columns)
