"""Tiles cut from imagery, and the road drawn where it runs."""

import io

import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from pyproj import Transformer
from rasters import CITY, NORTH, WEST, catalogue, read_tiles, tiles_at, write_raster

from geo.config import Tiles
from geo.explore.thumbs import on_picture, with_line
from geo.imagery.reading.reader import lie_on_pictures
from geo.outputs.thumbnails import thumbnail

MIDDLE = WEST + 200.0, NORTH - 200.0


def lie(images, settings, bearing=0.0):
    placed = tiles_at([MIDDLE], settings, bearing=bearing).assign(image_id=images["image_id"].iloc[0])
    return lie_on_pictures(pd.DataFrame(placed.drop(columns="geometry")), images, settings)[0]


def marked(folder, crs, pixel, offset):
    """A raster about the middle, grey but for one mark at an offset (metres) in the city's CRS; and its picture."""
    to = Transformer.from_crs(CITY, crs, always_xy=True)
    x, y = to.transform(*MIDDLE)
    size = 600
    west, north = x - size / 2 * pixel[0], y + size / 2 * pixel[1]
    pixels = np.full((3, size, size), 200, dtype=np.uint8)
    mark_x, mark_y = to.transform(MIDDLE[0] + offset[0], MIDDLE[1] + offset[1])
    column, row = int((mark_x - west) / pixel[0]), int((north - mark_y) / pixel[1])
    pixels[:, row - 2 : row + 3, column - 2 : column + 3] = 10
    return write_raster(folder / "a.tif", pixels, west=west, north=north, pixel=pixel, crs=crs)


@pytest.mark.parametrize(
    ("crs", "pixel"), [(26986, (0.5, 0.5)), (32619, (0.5, 0.5)), (3857, (0.7, 0.7)), (4326, (6e-6, 4.5e-6))]
)
@pytest.mark.parametrize(
    "settings", [{}, {"pixel_m": 0.8}, {"align": "road"}, {"align": "road", "pixel_m": 0.4}]
)
def test_ground_is_where_the_lie_of_a_picture_says(tmp_path, crs, pixel, settings):
    offset, bearing = (23.0, 31.0), 35.0
    path = marked(tmp_path, crs, pixel, offset)
    tiles = Tiles(tile_m=100, **settings)
    images = catalogue(path).images
    (tile,) = read_tiles([MIDDLE], images=images, tiles=tiles, bearing=bearing)
    height, width = tile.valid.shape
    rows, columns = np.nonzero(tile.pixels[0] < 120)
    point = shapely.LineString([np.add(MIDDLE, offset), MIDDLE])
    (line,) = on_picture(point, MIDDLE, lie(images, tiles, bearing), (width, height))
    assert line[1] == pytest.approx((width / 2, height / 2))
    assert np.hypot(columns.mean() + 0.5 - line[0, 0], rows.mean() + 0.5 - line[0, 1]) < 1.5


@pytest.mark.parametrize("ground", [0, 60, 128, 220, 255])
def test_the_road_is_seen_on_any_ground(tmp_path, ground):
    path = write_raster(tmp_path / "a.tif", np.full((3, 400, 400), 100, dtype=np.uint8))
    images, settings = catalogue(path).images, Tiles(tile_m=100)
    jpeg = thumbnail(np.full((3, 100, 100), ground, dtype=np.uint8), 256)
    line = shapely.LineString([(MIDDLE[0] - 80, MIDDLE[1]), (MIDDLE[0] + 80, MIDDLE[1])])
    drawn = np.asarray(
        Image.open(io.BytesIO(with_line(jpeg, line, MIDDLE, lie(images, settings)))).convert("L"), int
    )
    across = drawn[:, 128]
    assert across.max() - across.min() > 100
    assert np.abs(np.flatnonzero(np.abs(across - ground) > 60) - 128).max() <= 4
    assert np.abs(across[:100] - ground).max() < 12


def test_a_line_of_several_parts_and_one_beside_the_tile_are_drawn_as_they_lie(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.full((3, 400, 400), 100, dtype=np.uint8))
    images, settings = catalogue(path).images, Tiles(tile_m=100)
    jpeg = thumbnail(np.full((3, 100, 100), 90, dtype=np.uint8), 256)
    x, y = MIDDLE
    parts = shapely.MultiLineString(
        [[(x - 40, y + 30), (x - 10, y + 30)], [(x + 10, y - 30), (x + 40, y - 30)]]
    )
    drawn = np.asarray(
        Image.open(io.BytesIO(with_line(jpeg, parts, MIDDLE, lie(images, settings)))).convert("L"), int
    )
    lit = np.abs(drawn - 90) > 60
    assert lit[51, 64]
    assert lit[204, 192]
    assert not lit[128].any()
    far = shapely.LineString([(x + 500, y), (x + 600, y)])
    beside = np.asarray(
        Image.open(io.BytesIO(with_line(jpeg, far, MIDDLE, lie(images, settings)))).convert("L"), int
    )
    assert (np.abs(beside - 90) < 12).all()
