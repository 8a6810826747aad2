"""What is found out of the imagery under the roads before anything is encoded: blank, clipped, crowded, coarse."""

import numpy as np
import pyproj
import pytest
from rasters import CITY, NORTH, WEST, noise, tiles_at, write_raster

from geo.config import Imagery, Tiles
from geo.errors import LayerError
from geo.imagery.catalogue import open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.outlook.under_roads import look_under_roads

SHAPE = Tiles(tile_m=20)
PLACES = [(WEST + 10 + 20 * i, NORTH - 20) for i in range(10)]


def looked(pixels, *, points=PLACES, shape=SHAPE, options=None, more=(), tmp_path, **settings):
    paths = [write_raster(tmp_path / "a.tif", pixels, **(options or {})), *more]
    imagery = Imagery(sources=paths, **settings)
    images = open_catalogue(imagery, pyproj.CRS(CITY)).images
    tiles = tiles_at(points, shape)
    tiles = tiles.join(cover_tiles(tiles, images))
    return look_under_roads(tiles, images, imagery, shape)


def deep(low, high, dtype="uint16"):
    return np.random.default_rng(0).integers(low, high, (3, 40, 200)).astype(dtype)


def test_of_plain_imagery_nothing_is_told(tmp_path):
    assert looked(noise(40, 200), tmp_path=tmp_path) == []


def test_imagery_of_one_value_under_all_roads_is_refused(tmp_path):
    pixels = np.full((3, 80, 200), 70, "uint8")
    pixels[:, 60:] = noise(20, 200)
    with pytest.raises(LayerError, match=r"blank under all roads: every pixel there is \(70, 70, 70\)"):
        looked(pixels, tmp_path=tmp_path)


def test_imagery_without_data_under_all_roads_is_refused(tmp_path):
    pixels = noise(80, 200)
    pixels[:, :60] = 0
    with pytest.raises(LayerError, match="no data under any road"):
        looked(pixels, tmp_path=tmp_path, nodata=0)


def test_one_road_with_imagery_among_hundreds_without_is_enough(tmp_path):
    pixels = np.full((3, 40, 4000), 70, "uint8")
    pixels[:, :, 3333:3337] = noise(40, 4)
    points = [(WEST + 10 + 20 * i, NORTH - 20) for i in range(199)]
    (told,) = looked(pixels, points=points, tmp_path=tmp_path)
    assert told.startswith("of 8 places looked at under the roads, 8 are blank, (70, 70, 70) throughout")


def test_roads_most_of_which_have_no_data_are_told(tmp_path):
    pixels = noise(40, 4000)
    pixels[:, :, 500:] = 0
    points = [(WEST + 10 + 20 * i, NORTH - 20) for i in range(199)]
    told = looked(pixels, points=points, tmp_path=tmp_path, nodata=0)
    assert told == ["of 8 places looked at under the roads, 7 have no data"]


def test_a_part_that_is_blank_is_told(tmp_path):
    pixels = noise(40, 200)
    pixels[:, :, 1:101] = 255
    (told,) = looked(pixels, tmp_path=tmp_path)
    assert told.startswith("of 8 places looked at under the roads, 3 are blank, (255, 255, 255) throughout")
    assert "imagery.nodata" in told


def test_a_range_that_leaves_nothing_is_refused_with_one_that_does_not(tmp_path):
    with pytest.raises(LayerError, match="nothing is to be seen when 0 to 65535 become 8 bit") as caught:
        looked(deep(300, 1200), tmp_path=tmp_path, scale=(0, 65_535))
    assert caught.value.todo == "Write imagery.scale: [310, 1190]."


def test_a_range_of_which_a_tenth_is_used_is_told(tmp_path):
    (told,) = looked(deep(300, 1200), tmp_path=tmp_path, scale=(0, 10_000))
    assert "9% of the range from 0 to 10000" in told
    assert "imagery.scale: [310, 1190] shows more" in told


def test_a_range_that_cuts_off_is_told(tmp_path):
    (told,) = looked(deep(300, 1200), tmp_path=tmp_path, scale=(800, 1200))
    assert "makes 56% of the values under the roads black" in told


def test_8_bit_of_which_a_tenth_is_used_is_told_too(tmp_path):
    (told,) = looked(deep(0, 20, "uint8"), tmp_path=tmp_path)
    assert "7% of the range from 0 to 255" in told


def test_a_scale_that_is_missing_is_proposed(tmp_path):
    with pytest.raises(
        LayerError, match=r"uint16, not 8 bit: give imagery\.scale: \[310, 1190\], by its own values"
    ):
        looked(deep(300, 1200), tmp_path=tmp_path)
    share = np.random.default_rng(0).uniform(0.05, 0.4, (3, 40, 200)).astype("float32")
    share[:, :5] = np.nan
    with pytest.raises(LayerError, match=r"float32, not 8 bit: give imagery\.scale: \[0\.05, 0\.4\]"):
        looked(share, tmp_path=tmp_path)


def test_a_mark_that_nothing_calls_no_data_is_told_and_takes_no_part_in_ranges(tmp_path):
    pixels = deep(-300, 1200, "int16")
    pixels[:, :, 1:51] = -9999
    (told,) = looked(pixels, tmp_path=tmp_path, scale=(-300, 1200))
    assert "% of the values under the roads are -9999, which the rasters do not call no data" in told
    assert "imagery.nodata: -9999" in told
    assert looked(pixels, tmp_path=tmp_path, scale=(-300, 1200), nodata=-9999) == []


def test_what_is_no_number_is_no_light(tmp_path):
    pixels = np.random.default_rng(0).uniform(0, 1, (3, 40, 200)).astype("float32")
    pixels[:, :, :50] = np.nan
    pixels[:, :, 50:60] = np.inf
    assert looked(pixels, tmp_path=tmp_path, scale=(0, 1)) == []


@pytest.mark.parametrize(("pixel", "told"), [(2.9, 0), (10.0, 1)])
def test_pixels_wider_than_a_road_are_told(tmp_path, pixel, told):
    points = [(WEST + 300 + 100 * i, NORTH - 50 * pixel) for i in range(3)]
    options = {"pixel": pixel}
    found = looked(
        noise(100, 400), points=points, shape=Tiles(tile_m=100), options=options, tmp_path=tmp_path
    )
    assert len(found) == told
    assert all("3 of 3 tiles are of pixels of 10 m or more, a few to a road" in text for text in found)


def test_a_raster_of_another_range_is_named(tmp_path):
    other = write_raster(tmp_path / "b.tif", deep(3, 20)[:, :, :100], west=WEST + 200)
    points = [*PLACES, *((WEST + 210 + 20 * i, NORTH - 20) for i in range(4))]
    told = looked(deep(300, 1200), points=points, more=[other], tmp_path=tmp_path, scale=(0, 1300))
    assert told == ["nothing is to be seen of b where they were looked at: is their range another?"]


def test_a_band_of_one_value_beside_others_is_told(tmp_path):
    pixels = noise(40, 200)
    pixels[1] = 0
    told = looked(pixels, tmp_path=tmp_path)
    assert told == ["of the bands that are read, number 2 holds one value (0) throughout"]


def test_labels_are_told_by_their_few_colours(tmp_path):
    labels = np.random.default_rng(0).integers(1, 5, (1, 40, 200)).astype("uint8") * 60
    (told,) = looked(labels, shape=Tiles(tile_m=38), tmp_path=tmp_path)
    assert told == "the imagery under the roads has 4 colours only, as labels, masks and maps have"
