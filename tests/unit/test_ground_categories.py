"""What classes of ground are called lies beside their raster, as GDAL reads it."""

import shutil
import subprocess

import numpy as np
import pytest
import rasterio

from geo.ground.categories import read_categories, write_categories

NAMES = {1: "trees", 3: "cars & <lorries>"}


@pytest.fixture
def raster(tmp_path):
    path = tmp_path / "ground.tif"
    profile = {"driver": "GTiff", "width": 4, "height": 4, "count": 1, "dtype": "uint8", "crs": 27700}
    with rasterio.open(path, "w", transform=rasterio.Affine(2, 0, 0, 0, -2, 8), **profile) as file:
        file.write(np.ones((1, 4, 4), dtype=np.uint8))
    return path


def test_names_come_back_as_they_were_written(raster):
    assert read_categories(raster) == {}
    write_categories(raster, NAMES)
    assert read_categories(raster) == NAMES
    write_categories(raster, {})
    assert read_categories(raster) == {}


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="GDAL's programs are not installed")
def test_gdal_shows_them(raster):
    write_categories(raster, NAMES)
    told = subprocess.run(["gdalinfo", raster], check=True, capture_output=True, text=True).stdout
    listed = told.split("Categories:")[1].splitlines()[1:5]
    assert [line.split(":", 1)[1].strip() for line in listed] == ["", "trees", "", "cars & <lorries>"]
