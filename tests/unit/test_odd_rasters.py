"""Rasters as people really have them: south up, turned, in degrees, of one bit, with masks and borders together."""

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.shutil import copy as copy_raster
from rasters import CITY, NORTH, WEST, noise, read_tile, write_raster

from geo.config import Imagery, Tiles
from geo.errors import LayerError
from geo.imagery.catalogue import open_catalogue

SIDE = 100
SCENE = np.maximum(noise(SIDE, SIDE), 20)
SMALL = Tiles(tile_m=40)
MIDDLE = WEST + 50, NORTH - 50


def images_of(*paths, **settings):
    return open_catalogue(Imagery(sources=[str(path) for path in paths], **settings), pyproj.CRS(CITY)).images


def written(path, pixels, transform, **options):
    profile = {"driver": "GTiff", "count": len(pixels), "height": pixels.shape[1], "width": pixels.shape[2]}
    profile |= {"dtype": pixels.dtype, "crs": CITY, "transform": transform} | options
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels)
    return str(path)


def test_a_raster_whose_first_row_is_in_the_south_shows_the_north_at_the_top(tmp_path):
    transform = rasterio.Affine(1, 0, WEST, 0, 1, NORTH - SIDE)
    path = written(tmp_path / "a.tif", SCENE[:, ::-1], transform)
    tile = read_tile(MIDDLE, images=images_of(path), tiles=SMALL)
    assert np.array_equal(tile.pixels, SCENE[:, 30:70, 30:70])


def test_a_raster_that_lies_on_its_side_is_set_upright_with_its_border(tmp_path):
    # rows run to the west from the eastern side, columns to the north
    pixels = SCENE[:, ::-1, ::-1].swapaxes(1, 2).copy()
    pixels[:, :35] = 0
    path = written(tmp_path / "a.tif", pixels, rasterio.Affine(0, -1, WEST + SIDE, 1, 0, NORTH - SIDE))
    tile = read_tile(MIDDLE, images=images_of(path), tiles=SMALL)
    assert tile.coverage == 35 / 40
    assert not tile.valid[:, 35:].any()
    assert np.array_equal(tile.pixels[:, :, :35], SCENE[:, 30:70, 30:65])


def test_a_border_of_a_raster_in_degrees_is_without_data(tmp_path):
    lon, lat = pyproj.Transformer.from_crs(CITY, 4326, always_xy=True).transform(*MIDDLE)
    pixels = noise(SIDE, SIDE)
    pixels[:, :, :50] = 255
    step = 1e-5
    transform = rasterio.Affine(step, 0, lon - 50 * step, 0, -step, lat + 50 * step)
    path = written(tmp_path / "a.tif", pixels, transform, crs=4326)
    tile = read_tile(MIDDLE, images=images_of(path), tiles=Tiles(tile_m=20))
    assert tile.coverage == pytest.approx(0.5, abs=0.03)


def test_a_cloud_optimised_raster_with_a_mask_within_is_read_by_it(tmp_path):
    mask = np.full((SIDE, SIDE), 255, "uint8")
    mask[:, :50] = 0
    plain = write_raster(tmp_path / "plain.tif", SCENE, mask=mask)
    path = tmp_path / "a.tif"
    copy_raster(plain, path, driver="COG", compress="deflate")
    tile = read_tile(MIDDLE, images=images_of(path), tiles=SMALL)
    assert tile.coverage == 0.5
    assert np.array_equal(tile.pixels[:, :, 20:], SCENE[:, 30:70, 50:70])


def test_one_bit_is_read_as_its_two_values(tmp_path):
    bits = (noise(SIDE, SIDE, bands=1) > 127).astype("uint8")
    path = write_raster(tmp_path / "a.tif", bits, nbits=1)
    tile = read_tile(MIDDLE, images=images_of(path, collars="keep"), tiles=SMALL, scale=(0, 1))
    assert np.array_equal(tile.pixels[0], bits[0, 30:70, 30:70] * 255)


def test_one_bit_with_a_palette_is_read_as_black_and_white(tmp_path):
    bits = (noise(SIDE, SIDE, bands=1) > 127).astype("uint8")
    path = write_raster(tmp_path / "a.tif", bits, nbits=1, photometric="palette")
    with rasterio.open(path, "r+") as raster:
        raster.write_colormap(1, {0: (10, 10, 10, 255), 1: (250, 240, 230, 255)})
    tile = read_tile(MIDDLE, images=images_of(path), tiles=SMALL)
    assert np.array_equal(tile.pixels[2], np.where(bits[0, 30:70, 30:70], 230, 10))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "float64"])
def test_signed_and_real_numbers_are_brought_to_8_bit_by_the_scale(tmp_path, dtype):
    pixels = np.random.default_rng(0).integers(-100, 100, (3, SIDE, SIDE)).astype(dtype)
    path = write_raster(tmp_path / "a.tif", pixels)
    tile = read_tile(MIDDLE, images=images_of(path, scale=(-100, 155)), tiles=SMALL, scale=(-100, 155))
    assert np.array_equal(tile.pixels, pixels[:, 30:70, 30:70].astype(int) + 100)


def test_a_raster_without_size_or_place_is_refused(tmp_path):
    flat = written(tmp_path / "a.tif", SCENE, rasterio.Affine(1, 0, WEST, 0, 0, NORTH))
    with pytest.raises(LayerError, match=r"its pixels have no size \(a degenerate geotransform\)"):
        images_of(flat)
