"""What the pixels of a tile are."""

import errno
import os
from contextlib import ExitStack, suppress
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rasterio.enums import ColorInterp
from rasterio.env import get_gdal_config
from rasterio.errors import RasterioError
from rasterio.windows import Window
from rasters import (
    CITY,
    NORTH,
    WEST,
    catalogue,
    cut_short,
    noise,
    read_tile,
    read_tiles,
    tiles_at,
    write_raster,
)
from real_data import DATA, needs_real_data

from geo.config import Imagery, Tiles
from geo.errors import SourceError
from geo.imagery.band_set import BandSet
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.blocks import BlockStore, reading_shape
from geo.imagery.reading.canvas import Canvas, Shelf
from geo.imagery.reading.reader import GDAL_CACHE_MB, TileFailure, TileImage, TileReader
from geo.imagery.reading.resample import resize
from geo.imagery.traits.lost import lost_windows
from geo.tiles.grid import PixelWindow

MIDDLE = (WEST + 50, NORTH - 50)
SMALL = Tiles(tile_m=20)

STORAGE = {
    "deflate tiles": {"compress": "deflate", "tiled": True, "blockxsize": 32, "blockysize": 32},
    "jpeg tiles": {
        "compress": "jpeg",
        "photometric": "ycbcr",
        "tiled": True,
        "blockxsize": 64,
        "blockysize": 64,
    },
    "strips": {"compress": "lzw", "blockysize": 3},
    "bands apart": {"interleave": "band", "compress": "deflate", "predictor": 2},
}


def own_read(path, col, row, count, bands):
    """Read a square by rasterio alone, with nothing beyond the raster's edge, and where the raster is."""
    with rasterio.open(path) as raster:
        whole = np.pad(raster.read(list(bands)), ((0, 0), (200, 200), (200, 200)))
        inside = np.pad(np.ones(raster.shape, dtype=bool), 200)
    place = slice(200 + row, 200 + row + count), slice(200 + col, 200 + col + count)
    return whole[:, *place], inside[place]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    paths = {
        name: write_raster(folder / f"{i}.tif", noise(150, 170), pixel=0.3, **options)
        for i, (name, options) in enumerate(STORAGE.items())
    }
    return {name: (path, catalogue(path).images) for name, path in paths.items()}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.sampled_from(list(STORAGE)),
    st.floats(-3, 54),
    st.floats(-3, 48),
    st.floats(0.4, 30),
    st.sampled_from([(1, 2, 3), (3, 1, 1)]),
)
def test_pixels_are_those_of_the_raster_itself(stored, kind, east, south, side, bands):
    path, images = stored[kind]
    count = max(1, round(side / 0.3))
    corner = [v / 0.3 - count / 2 for v in (east, south)]
    assume(all(abs(v % 1 - 0.5) > 1e-6 for v in (*corner, side / 0.3)))
    tile = read_tile(
        (WEST + east, NORTH - south), path, images=images, tiles=Tiles(tile_m=side), bands=list(bands)
    )
    if isinstance(tile, TileFailure):
        assert tile.reason == "no raster covers it"
        assert east < side or south < side or east > 51 - side or south > 45 - side
        return
    assert tile.pixels.shape == (3, count, count)
    # the corner that leaves the middle nearest to the tile's centre
    pixels, inside = own_read(path, *(round(v) for v in corner), count, bands)
    np.testing.assert_array_equal(tile.pixels, pixels)
    np.testing.assert_array_equal(tile.valid, inside)
    assert tile.coverage == inside.mean()


def test_a_tile_beyond_the_edge_is_empty_there(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(100, 100))
    tile = read_tile((WEST + 5, NORTH - 50), path, tiles=SMALL)
    assert tile.coverage == 0.75
    assert not tile.valid[:, :5].any()
    assert not tile.pixels[:, :, :5].any()
    assert tile.valid[:, 5:].all()


def test_a_tile_that_no_raster_covers_fails_with_that_reason(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(20, 20))
    assert read_tile((WEST - 900, NORTH), path, tiles=SMALL) == TileFailure("t0000", "no raster covers it")


# ---- no data


def test_an_internal_mask_says_where_there_is_no_data(tmp_path):
    mask = np.full((100, 100), 255, dtype="uint8")
    mask[:, :50] = 0
    for internal in (True, False):
        path = write_raster(tmp_path / f"{internal}.tif", noise(100, 100), mask=mask, internal_mask=internal)
        tile = read_tile(MIDDLE, path, tiles=SMALL)
        assert not tile.valid[:, :10].any()
        assert tile.valid[:, 10:].all()
        assert not tile.pixels[:, ~tile.valid].any()


def test_an_alpha_band_says_where_there_is_no_data(tmp_path):
    pixels = noise(100, 100, bands=4)
    pixels[3] = 255
    pixels[3, :50] = 0
    path = write_raster(tmp_path / "a.tif", pixels)
    with rasterio.open(path, "r+") as raster:
        raster.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    tile = read_tile(MIDDLE, path, tiles=SMALL)
    assert tile.coverage == 0.5
    np.testing.assert_array_equal(tile.pixels[:, 10:], pixels[:3, 50:60, 40:60])


def test_a_nodata_value_counts_where_all_bands_have_it(tmp_path):
    pixels = noise(100, 100)
    pixels[:, :50] = 0
    pixels[1:, 50:] = 0
    path = write_raster(tmp_path / "a.tif", pixels, nodata=0)
    tile = read_tile(MIDDLE, path, tiles=SMALL)
    assert not tile.valid[:10].any()
    # pure red is a colour, although two of its bands are 0
    assert tile.valid[10:].all()


def test_a_collar_that_the_raster_does_not_declare_can_be_named(tmp_path):
    pixels = noise(100, 100)
    pixels[:, :50] = 255
    path = write_raster(tmp_path / "a.tif", pixels)
    assert read_tile(MIDDLE, path, tiles=SMALL, collars="keep").coverage == 1
    tile = read_tile(MIDDLE, path, tiles=SMALL, nodata=255)
    assert tile.coverage == 0.5
    assert not tile.valid[:10].any()


def test_not_a_number_is_no_data(tmp_path):
    pixels = noise(100, 100).astype("float32")
    pixels[0, 45, 45] = np.nan
    pixels[2, 46, 46] = np.inf
    path = write_raster(tmp_path / "a.tif", pixels)
    tile = read_tile(MIDDLE, path, tiles=SMALL, scale=[0, 255])
    assert np.argwhere(~tile.valid).tolist() == [[5, 5], [6, 6]]
    np.testing.assert_array_equal(tile.pixels[:, 10:], pixels[:, 50:60, 40:60].astype("uint8"))


def test_deeper_rasters_are_stretched_linearly_clipped_and_rounded(tmp_path):
    pixels = np.zeros((3, 100, 100), dtype="uint16")
    pixels[:, 40, 40:48] = [0, 1000, 1005, 1006, 2275, 3549, 3550, 65535]
    path = write_raster(tmp_path / "a.tif", pixels)
    tile = read_tile(MIDDLE, path, tiles=SMALL, scale=[1000, 3550], collars="keep")
    assert tile.pixels[0, 0, :8].tolist() == [0, 0, 0, 1, 128, 255, 255, 255]


def test_a_tile_without_any_data_says_so(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(100, 100) * 0, nodata=0)
    tile = read_tile(MIDDLE, path, tiles=SMALL)
    assert isinstance(tile, TileImage)
    assert (tile.coverage, tile.image_id) == (0, "")


# ---- several rasters


def test_a_tile_across_a_seam_is_read_from_both_sides(tmp_path):
    whole = noise(100, 100)
    left = write_raster(tmp_path / "left.tif", whole[:, :, :47])
    right = write_raster(tmp_path / "right.tif", whole[:, :, 47:], west=WEST + 47)
    tile = read_tile(MIDDLE, left, right, tiles=SMALL)
    np.testing.assert_array_equal(tile.pixels, whole[:, 40:60, 40:60])
    assert tile.image_id == "right;left"
    assert tile.coverage == 1


def test_four_rasters_meet_under_a_tile_that_is_resampled_or_turned(tmp_path):
    whole = np.full((3, 100, 100), 90, dtype="uint8")
    quarters = {"nw": (0, 0), "ne": (0, 52), "sw": (48, 0), "se": (48, 52)}
    for name, (row, col) in quarters.items():
        part = whole[:, row : (100 if row else 48), col : (100 if col else 52)]
        write_raster(tmp_path / f"{name}.tif", part, west=WEST + col, north=NORTH - row)
    for tiles in (SMALL, Tiles(tile_m=20, pixel_m=2.5), Tiles(tile_m=20, align="road")):
        tile = read_tile(MIDDLE, tmp_path, tiles=tiles, bearing=30)
        assert tile.coverage == 1
        assert (tile.pixels == 90).all()
        assert tile.image_id == "sw;nw;se;ne"


def test_a_neighbour_whose_grid_is_offset_is_laid_to_the_nearest_pixel(tmp_path):
    left = write_raster(tmp_path / "left.tif", noise(100, 50))
    other = noise(100, 50, seed=1)
    right = write_raster(tmp_path / "right.tif", other, west=WEST + 50.3, north=NORTH + 0.2)
    tile = read_tile((WEST + 49, NORTH - 50), left, right, tiles=SMALL)
    assert tile.coverage == 1
    np.testing.assert_array_equal(tile.pixels[:, :, 11:], other[:, 40:60, :9])


def test_the_finest_raster_is_read_and_named(tmp_path):
    coarse = write_raster(tmp_path / "coarse.tif", noise(100, 100))
    fine = write_raster(tmp_path / "fine.tif", noise(120, 120), pixel=0.5)
    inside, beyond = read_tiles([(WEST + 30, NORTH - 30), (WEST + 55, NORTH - 30)], coarse, fine, tiles=SMALL)
    assert (inside.image_id, inside.pixels.shape) == ("fine", (3, 40, 40))
    assert (beyond.image_id, beyond.pixels.shape) == ("coarse", (3, 20, 20))


def test_a_coarser_raster_is_read_where_the_finest_has_no_data(tmp_path):
    coarse = write_raster(tmp_path / "coarse.tif", noise(100, 100))
    pixels = noise(200, 200)
    pixels[:, :, :100] = 0
    fine = write_raster(tmp_path / "fine.tif", pixels, pixel=0.5, nodata=0)
    tile = read_tile((WEST + 55, NORTH - 50), coarse, fine, tiles=SMALL)
    assert (tile.image_id, tile.coverage) == ("coarse", 1)


def test_the_raster_with_most_data_is_read_where_all_have_gaps(tmp_path):
    for name, pixel, gap in (("fine", 0.5, 90), ("middle", 1.0, 42), ("coarse", 2.0, 24)):
        pixels = noise(int(100 / pixel), int(100 / pixel))
        pixels[:, :, :gap] = 0
        write_raster(tmp_path / f"{name}.tif", pixels, pixel=pixel, nodata=0)
    tile = read_tile(MIDDLE, tmp_path, tiles=SMALL)
    # empty up to 45, 42 and 48 m; the tile begins at 40 m
    assert (tile.image_id, tile.coverage) == ("middle", 0.9)


def test_rasters_of_two_crs_serve_one_city(tmp_path):
    here = write_raster(tmp_path / "here.tif", noise(60, 60))
    x, y = pyproj.Transformer.from_crs(CITY, 26919, always_xy=True).transform(WEST + 500, NORTH)
    other = noise(200, 200)
    there = write_raster(tmp_path / "there.tif", other, west=x - 100, north=y + 100, crs="EPSG:26919")
    one, two = read_tiles([(WEST + 30, NORTH - 30), (WEST + 500, NORTH)], here, there, tiles=SMALL)
    assert one.image_id == "here"
    assert two.image_id == "there"
    # the raster keeps its own grid: the road comes to it
    np.testing.assert_array_equal(two.pixels, other[:, 90:110, 90:110])


def test_a_raster_in_degrees_shows_a_square_of_ground(tmp_path):
    step, lon, lat = 1e-5, -71.06, 42.36
    pixels = noise(400, 400)
    path = write_raster(
        tmp_path / "a.tif", pixels, west=lon - 200 * step, north=lat + 200 * step, pixel=step, crs="EPSG:4326"
    )
    centre = pyproj.Transformer.from_crs(4326, CITY, always_xy=True).transform(lon, lat)
    tile = read_tile(centre, path, tiles=Tiles(tile_m=100))
    geod = pyproj.Geod(ellps="GRS80")
    width = round(100 / geod.inv(lon, lat, lon + step, lat)[2])
    height = round(100 / geod.inv(lon, lat, lon, lat + step)[2])
    assert (height, width) == (90, 121)
    assert tile.pixels.shape == (3, height, width)
    top, left = 200 - height // 2, 200 - width // 2
    np.testing.assert_array_equal(
        tile.pixels[:, :, :-1], pixels[:, top : top + height, left : left + width - 1]
    )
    square = read_tile(centre, path, tiles=Tiles(tile_m=100, pixel_m=1))
    assert square.pixels.shape == (3, 100, 100)


def test_a_vrt_gives_the_pixels_of_its_files(tmp_path):
    whole = noise(100, 100)
    write_raster(tmp_path / "a.tif", whole)
    text = f"""<VRTDataset rasterXSize="100" rasterYSize="100"><SRS>{CITY}</SRS>
    <GeoTransform>{WEST}, 1, 0, {NORTH}, 0, -1</GeoTransform>"""
    for band in (1, 2, 3):
        text += f"""<VRTRasterBand dataType="Byte" band="{band}"><SimpleSource>
        <SourceFilename relativeToVRT="1">a.tif</SourceFilename><SourceBand>{band}</SourceBand>
        </SimpleSource></VRTRasterBand>"""
    (tmp_path / "all.vrt").write_text(text + "</VRTDataset>")
    tile = read_tile(MIDDLE, tmp_path / "all.vrt", tiles=SMALL)
    np.testing.assert_array_equal(tile.pixels, whole[:, 40:60, 40:60])


# ---- resolution


def test_a_tile_that_shrinks_is_the_mean_of_the_pixels_under_it(tmp_path):
    pixels = noise(100, 100)
    path = write_raster(tmp_path / "a.tif", pixels)
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=20, pixel_m=4))
    means = pixels[:, 40:60, 40:60].reshape(3, 5, 4, 5, 4).mean(axis=(2, 4))
    assert tile.pixels.shape == (3, 5, 5)
    assert np.abs(tile.pixels - means).max() <= 0.5 + 1e-9


def test_a_turned_tile_that_shrinks_is_a_mean_too(tmp_path):
    checks = np.where((np.indices((100, 100)).sum(axis=0) // 2) % 2, 200, 100).astype("uint8")
    path = write_raster(tmp_path / "a.tif", np.stack([checks] * 3))
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=40, pixel_m=8, align="road"), bearing=30)
    assert np.abs(tile.pixels.astype(float) - 150).max() < 15


def test_a_resampled_tile_lies_where_it_should_to_a_part_of_a_pixel(tmp_path):
    ramp = np.broadcast_to(np.arange(200, dtype="uint8"), (3, 200, 200))
    path = write_raster(tmp_path / "a.tif", ramp)
    for shift in (0.0, 0.25, 0.5, 0.8):
        tile = read_tile((WEST + 100 + shift, NORTH - 100), path, tiles=Tiles(tile_m=45, pixel_m=4.5))
        # a pixel's value is its column, so its middle lies at column + 0.5
        expected = 100 + shift - 22.5 + 4.5 * (np.arange(10) + 0.5) - 0.5
        assert np.abs(tile.pixels[0, 0] - expected).max() <= 0.51


def test_a_tile_that_grows_keeps_to_the_values_between_its_neighbours(tmp_path):
    ramp = np.broadcast_to(np.arange(0, 200, 2, dtype="uint8"), (3, 100, 100))
    path = write_raster(tmp_path / "a.tif", ramp)
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=20, pixel_m=0.5))
    expected = 2 * (40 + (np.arange(40) + 0.5) / 2 - 0.5)
    assert tile.pixels.shape == (3, 40, 40)
    assert np.abs(tile.pixels[0] - expected).max() <= 0.51


def test_pixels_without_data_take_no_part_in_a_mean(tmp_path):
    pixels = np.full((3, 100, 100), 200, dtype="uint8")
    pixels[:, :, :41] = 0
    path = write_raster(tmp_path / "a.tif", pixels, nodata=0)
    for tiles in (Tiles(tile_m=20, pixel_m=4), Tiles(tile_m=20, pixel_m=0.8), Tiles(tile_m=20, align="road")):
        tile = read_tile(MIDDLE, path, tiles=tiles, bearing=17)
        assert tile.coverage > 0.5
        np.testing.assert_allclose(tile.pixels[:, tile.valid], 200, atol=1)
        assert not tile.pixels[:, ~tile.valid].any()


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60))
def test_resampling_one_colour_gives_that_colour(height, width, side):
    valid = np.ones((height, width), dtype=bool)
    canvas = Canvas(
        np.full((3, height, width), 77, dtype=np.uint8), valid, np.zeros((height, width), dtype=np.int16)
    )
    result = resize(canvas, (0, 0, width, height), side)
    assert (result.pixels == 77).all()
    assert result.valid.all()


def test_a_pixel_at_the_rim_of_the_data_is_put_down_to_its_raster():
    valid = np.array([[True, False]] * 2)
    canvas = Canvas(np.full((3, 2, 2), 9, dtype=np.uint8), valid, np.where(valid, 0, -1).astype(np.int16))
    result = resize(canvas, (0, 0, 2, 2), 1)
    assert result.valid.all()
    assert result.contributors() == [0]


def test_the_rasters_own_resolution_asked_for_is_not_resampled(tmp_path):
    pixels = noise(200, 200)
    path = write_raster(tmp_path / "a.tif", pixels, pixel=0.5)
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=20, pixel_m=0.5))
    np.testing.assert_array_equal(tile.pixels, pixels[:, 80:120, 80:120])


def stale_overviews(path, base, value, **options):
    """Write a raster whose overviews show one value and whose own pixels show another."""
    write_raster(path, np.full((3, *base.shape[1:]), value, dtype="uint8"), overviews=(2, 4, 8), **options)
    with rasterio.open(path, "r+") as raster:
        raster.write(base)
    return path


@pytest.mark.parametrize("align", ["north", "road"])
def test_overviews_are_read_where_they_are_fine_enough(tmp_path, align):
    path = stale_overviews(tmp_path / "a.tif", np.full((3, 100, 100), 50, dtype="uint8"), 180)
    found = {
        pixel_m: np.unique(
            read_tile(MIDDLE, path, tiles=Tiles(tile_m=20, pixel_m=pixel_m, align=align)).pixels
        )
        for pixel_m in (None, 1, 1.9, 2, 3, 5)
    }
    assert {pixel_m: values.tolist() for pixel_m, values in found.items()} == {
        None: [50],
        1: [50],
        1.9: [50],
        2: [180],
        3: [180],
        5: [180],
    }


def test_an_overview_shows_the_same_ground(tmp_path):
    y, x = np.mgrid[0:203, 0:203]
    smooth = (100 + 60 * np.sin(x / 15) * np.cos(y / 18)).astype("uint8")[np.newaxis].repeat(3, axis=0)
    plain = write_raster(tmp_path / "plain.tif", smooth)
    layered = write_raster(tmp_path / "layered.tif", smooth, overviews=(2, 4))
    for align in ("north", "road"):
        tiles = Tiles(tile_m=80, pixel_m=5, align=align)
        one = read_tile((WEST + 101, NORTH - 97), plain, tiles=tiles, bearing=40)
        two = read_tile((WEST + 101, NORTH - 97), layered, tiles=tiles, bearing=40)
        assert np.abs(one.pixels.astype(int) - two.pixels).max() <= 5


@pytest.mark.parametrize("internal", [True, False])
def test_an_overview_keeps_the_mask(tmp_path, internal):
    mask = np.full((100, 100), 255, dtype="uint8")
    mask[:, :50] = 0
    path = write_raster(
        tmp_path / "a.tif", noise(100, 100), mask=mask, internal_mask=internal, overviews=(2, 4)
    )
    tile = read_tile((WEST + 48, NORTH - 52), path, tiles=Tiles(tile_m=24, pixel_m=4))
    assert not tile.valid[:, :3].any()
    assert tile.valid[:, 3:].all()


# ---- turned tiles


def painted(tmp_path, colour_of, *, crs=CITY, size=240, pixel=0.5, name="a.tif"):
    """Paint the ground about MIDDLE: ``colour_of(east, north)`` of metres in the city's grid."""
    change = pyproj.Transformer.from_crs(CITY, crs, always_xy=True)
    x, y = change.transform(*MIDDLE)
    west, north = x - size / 2 * pixel, y + size / 2 * pixel
    row, col = np.mgrid[0:size, 0:size]
    ground = change.transform(west + (col + 0.5) * pixel, north - (row + 0.5) * pixel, direction="INVERSE")
    colours = colour_of(ground[0] - MIDDLE[0], ground[1] - MIDDLE[1])
    return write_raster(
        tmp_path / name, np.array(colours, dtype="uint8"), west=west, north=north, pixel=pixel, crs=crs
    )


@pytest.mark.parametrize("bearing", [0, 37, 90, 135, 200.5, 271, 359])
@pytest.mark.parametrize("pixel_m", [None, 2])
@pytest.mark.parametrize("crs", [CITY, "EPSG:26918"])
def test_a_turned_tile_has_the_road_ahead_at_its_top(tmp_path, bearing, pixel_m, crs):
    turn = np.radians(bearing)

    def arrow(east, north):
        ahead = east * np.sin(turn) + north * np.cos(turn)
        right = east * np.cos(turn) - north * np.sin(turn)
        return (
            np.where(ahead > 0, 200, 20),
            np.where(right > 0, 200, 20),
            np.clip(255 - 40 * abs(right), 0, 255),
        )

    # the second raster's grid is turned by 2 degrees against the city's
    path = painted(tmp_path, arrow, crs=crs)
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=40, align="road", pixel_m=pixel_m), bearing=bearing)
    side = 40 / (pixel_m or 0.5)
    assert tile.pixels.shape == (3, side, side)
    assert tile.coverage == 1
    red, green, blue = tile.pixels.astype(float)
    half, rim = int(side / 2), int(2 / (pixel_m or 0.5))
    assert (red[: half - rim] > 190).all()
    assert (red[half + rim :] < 30).all()
    assert (green[:, half + rim :] > 190).all()
    assert (green[:, : half - rim] < 30).all()
    centre = (blue * (np.arange(side) + 0.5)).sum(axis=1) / blue.sum(axis=1)
    # the stripe is the road: upright, and in the middle to a quarter of a pixel
    np.testing.assert_allclose(centre, side / 2, atol=0.25)


def test_a_quarter_turn_moves_pixels_and_changes_none(tmp_path):
    pixels = noise(100, 100)
    path = write_raster(tmp_path / "a.tif", pixels)
    north, east, south = (
        read_tile(MIDDLE, path, tiles=Tiles(tile_m=20, align="road"), bearing=b) for b in (0, 90, 180)
    )
    np.testing.assert_array_equal(north.pixels, pixels[:, 40:60, 40:60])
    np.testing.assert_array_equal(east.pixels, np.rot90(north.pixels, 1, axes=(1, 2)))
    np.testing.assert_array_equal(south.pixels, np.rot90(north.pixels, 2, axes=(1, 2)))


def test_a_turned_tile_at_the_edge_is_empty_beyond_it(tmp_path):
    path = write_raster(tmp_path / "a.tif", np.full((3, 100, 100), 90, dtype="uint8"))
    tile = read_tile((WEST, NORTH - 50), path, tiles=Tiles(tile_m=40, align="road"), bearing=90)
    # the road leads into the raster: its upper half has data
    assert tile.valid[:20].all()
    assert not tile.valid[20:].any()
    assert (tile.pixels[:, tile.valid] == 90).all()


def test_a_raster_that_lies_at_an_angle_is_set_upright(tmp_path):
    row, col = np.mgrid[0:200, 0:200]
    turned = (
        rasterio.Affine.translation(*MIDDLE) @ rasterio.Affine.rotation(30) @ rasterio.Affine.scale(0.5, -0.5)
    )
    turned = turned @ rasterio.Affine.translation(-100, -100)
    east = turned.a * (col + 0.5) + turned.b * (row + 0.5) + turned.c - MIDDLE[0]
    north = turned.d * (col + 0.5) + turned.e * (row + 0.5) + turned.f - MIDDLE[1]
    pixels = np.array([np.where(east > 0, 200, 20), np.where(north > 0, 200, 20), 0 * row], dtype="uint8")
    path = write_raster(tmp_path / "a.tif", pixels)
    with rasterio.open(path, "r+") as raster:
        raster.transform = turned
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=40))
    red, green, _ = tile.pixels
    assert tile.coverage == 1
    assert (red[:, :38] < 30).all()
    assert (red[:, 42:] > 190).all()
    assert (green[:38] > 190).all()
    assert (green[42:] < 30).all()


# ---- what goes wrong


def damaged(path):
    """Write a raster whose lower half, but for its last block, cannot be decoded; gives its catalogue."""
    compressed(path)
    content = bytearray(path.read_bytes())
    half, end = len(content) // 2, len(content) * 15 // 16
    content[half:end] = bytes(end - half)
    path.write_bytes(content)
    return catalogue(path).images


def compressed(path):
    write_raster(path, noise(256, 256), tiled=True, blockxsize=64, blockysize=64, compress="deflate")


def test_a_damaged_raster_costs_only_the_tiles_on_its_damaged_part(tmp_path):
    images = damaged(tmp_path / "a.tif")
    points = [(WEST + 40, NORTH - 40), (WEST + 128, NORTH - 240)]
    whole, broken = read_tiles(points, images=images, tiles=SMALL)
    assert whole.coverage == 1
    assert broken == TileFailure("t0001", "a is damaged, cut short or out of reach")


def test_a_broken_raster_is_made_up_for_by_the_next_one_and_named(tmp_path):
    fine = damaged(tmp_path / "fine.tif")
    coarse = catalogue(write_raster(tmp_path / "coarse.tif", noise(130, 130), pixel=2)).images
    images = pd.concat([coarse, fine], ignore_index=True)
    tile = read_tile((WEST + 128, NORTH - 240), images=images, tiles=SMALL)
    assert (tile.image_id, tile.coverage) == ("coarse", 1)
    assert tile.faults == ("fine is damaged, cut short or out of reach",)


@pytest.mark.parametrize("change", [Path.unlink, cut_short], ids=["removed", "cut short"])
def test_a_raster_that_is_lost_under_way_ends_the_reading(tmp_path, change):
    """Its tiles would be missing from results that say they were made from it."""
    compressed(tmp_path / "a.tif")
    images = catalogue(tmp_path / "a.tif").images
    change(tmp_path / "a.tif")
    with pytest.raises(SourceError, match="changed or removed while the run was going on"):
        read_tile((WEST + 128, NORTH - 240), images=images, tiles=SMALL)


def test_a_disk_that_fails_is_not_taken_for_a_damaged_raster(tmp_path, monkeypatch):
    images = damaged(tmp_path / "a.tif")

    def fail(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("geo.sources.digest.digest_content", fail)
    with pytest.raises(SourceError, match=os.strerror(errno.EIO)):
        read_tile((WEST + 128, NORTH - 240), images=images, tiles=SMALL)


def write_vrt(path, *names):
    """Write three bands of 300 x 100 pixels, of 100 x 100 files at its left and right."""
    text = f"""<VRTDataset rasterXSize="300" rasterYSize="100"><SRS>{CITY}</SRS>
    <GeoTransform>{WEST}, 1, 0, {NORTH}, 0, -1</GeoTransform>"""
    for band in (1, 2, 3):
        text += f'<VRTRasterBand dataType="Byte" band="{band}">'
        for name, place in zip(names, (0, 200), strict=True):
            text += f"""<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename>
            <SourceBand>{band}</SourceBand><SourceProperties RasterXSize="100" RasterYSize="100" DataType="Byte"/>
            <SrcRect xOff="0" yOff="0" xSize="100" ySize="100"/>
            <DstRect xOff="{place}" yOff="0" xSize="100" ySize="100"/></SimpleSource>"""
        text += "</VRTRasterBand>"
    path.write_text(text + "</VRTDataset>")


@pytest.mark.parametrize("others", [0, 250])
@pytest.mark.parametrize("there", [None, b"", b"II*\0 and no more"])
def test_a_vrt_with_a_lost_file_gives_what_is_left(tmp_path, there, others):
    """Files that VRTs keep open make GDAL forget to report one that it cannot open."""
    write_raster(tmp_path / "a.tif", noise(100, 100))
    if there is not None:
        (tmp_path / "lost.tif").write_bytes(there)
    write_vrt(tmp_path / "all.vrt", "a.tif", "lost.tif")
    points = [MIDDLE, *((WEST + 250, NORTH - y) for y in (50, 45, 55))]
    with ExitStack() as kept:
        for number in range(others):
            write_vrt(tmp_path / f"{number}.vrt", "a.tif", f"lost{number}.tif")
            other = kept.enter_context(rasterio.open(tmp_path / f"{number}.vrt"))
            with suppress(RasterioError):
                other.read()
        whole, *lost = read_tiles(points, tmp_path / "all.vrt", tiles=SMALL)
    assert whole.coverage == 1
    reason = "all is damaged, cut short or out of reach"
    assert lost == [TileFailure(f"t000{i}", reason) for i in (1, 2, 3)]


def test_where_a_lost_file_would_lie_is_known(tmp_path):
    write_raster(tmp_path / "a.tif", noise(100, 100))
    write_vrt(tmp_path / "part.vrt", "a.tif", "lost.tif")
    write_vrt(tmp_path / "whole.vrt", "a.tif", "a.tif")
    with rasterio.open(tmp_path / "part.vrt") as part, rasterio.open(tmp_path / "whole.vrt") as whole:
        assert lost_windows(part) == (PixelWindow(0, 200, 100, 100),)
        assert lost_windows(whole) == ()
    with rasterio.open(tmp_path / "a.tif") as plain:
        assert lost_windows(plain) == ()


# ---- the run


def test_tiles_do_not_depend_on_their_order(tmp_path):
    write_raster(tmp_path / "a.tif", noise(200, 100))
    write_raster(tmp_path / "b.tif", noise(200, 100, seed=1), west=WEST + 100)
    points = np.random.default_rng(0).uniform((WEST, NORTH - 200), (WEST + 200, NORTH), (30, 2))
    images = catalogue(tmp_path).images
    frame = tiles_at(points, SMALL)
    frame = frame.join(cover_tiles(frame, images))
    with TileReader(images, Imagery(sources=["none"]), SMALL) as reader:
        one = list(reader.read(frame))
        two = list(reader.read(frame.sample(frac=1, random_state=1)))
    assert [tile.tile_id for tile in one] == [tile.tile_id for tile in two]
    for before, after in zip(one, two, strict=True):
        np.testing.assert_array_equal(before.pixels, after.pixels)


def test_tables_that_went_through_parquet_read_the_same(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(100, 100))).images
    frame = tiles_at([MIDDLE], SMALL)
    frame = frame.join(cover_tiles(frame, images))
    images.to_parquet(tmp_path / "images.parquet")
    frame.to_parquet(tmp_path / "tiles.parquet")
    stored = gpd.read_parquet(tmp_path / "images.parquet"), gpd.read_parquet(tmp_path / "tiles.parquet")
    found = []
    for rasters, tiles in ((images, frame), stored):
        with TileReader(rasters, Imagery(sources=["none"]), SMALL) as reader:
            found += list(reader.read(tiles))
    np.testing.assert_array_equal(found[0].pixels, found[1].pixels)
    assert found[0].image_id == found[1].image_id == "a"


def test_gdals_own_cache_is_bounded_and_large_enough_to_be_one(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(8, 8))).images
    with TileReader(images, Imagery(sources=["none"]), SMALL):
        # GDAL counts bytes
        assert get_gdal_config("GDAL_CACHEMAX") == GDAL_CACHE_MB * 2**20


def test_rasters_used_longest_ago_are_closed(tmp_path):
    names = "abc"
    files = {name: (str(write_raster(tmp_path / f"{name}.tif", noise(8, 8))), "") for name in names}
    shelf = Shelf(files, BlockStore(1), BandSet((1, 2, 3), None, None, frozenset()), places=2)
    before = [shelf.take(name) for name in names]
    shelf.tidy()
    after = [shelf.take(name) for name in names]
    assert [one is two for one, two in zip(before, after, strict=True)] == [False, True, True]
    shelf.close()


def test_more_rasters_than_are_held_open_are_all_read(tmp_path):
    for i in range(80):
        write_raster(tmp_path / f"{i:02d}.tif", np.full((3, 4, 4), i + 1, dtype="uint8"), west=WEST + 4 * i)
    tile = read_tile((WEST + 160, NORTH - 2), tmp_path, tiles=Tiles(tile_m=320))
    assert tile.image_id.count(";") == 79
    assert np.unique(tile.pixels[0, 158:162]).tolist() == list(range(1, 81))


@needs_real_data
def test_real_imagery_gives_its_own_pixels_and_its_own_gaps():
    path = DATA / "boston" / "imagery" / "23279035.tif"
    points = np.random.default_rng(0).uniform((232100, 902900), (233400, 904200), (40, 2))
    found = read_tiles(points, path, tiles=Tiles(tile_m=100))
    with rasterio.open(path) as raster:
        for (x, y), tile in zip(points, found, strict=True):
            window = Window(round(x - 231986 - 50), round(904272 - y - 50), 100, 100)
            valid = raster.dataset_mask(window=window) > 0
            np.testing.assert_array_equal(tile.valid, valid)
            np.testing.assert_array_equal(tile.pixels, np.where(valid, raster.read(window=window), 0))
    assert {0.0, 1.0} < {tile.coverage for tile in found}


# ---- blocks


def crossing(side=1024):
    """Points whose tiles of 200 m overlap, on a raster of ``side`` metres."""
    x, y = np.meshgrid(np.arange(150, side - 100, 100), np.arange(150, side - 100, 100))
    return np.column_stack([WEST + x.ravel(), NORTH - y.ravel()])


@pytest.mark.parametrize(
    "layout",
    [
        {"tiled": True, "blockxsize": 256, "blockysize": 256},
        {"tiled": True, "blockxsize": 128, "blockysize": 64, "compress": "deflate"},
        {"tiled": False, "blockysize": 16, "compress": "lzw"},
        {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "webp", "WEBP_LOSSLESS": True},
    ],
    ids=["blocks", "small blocks", "strips", "webp"],
)
def test_each_block_is_decoded_once_and_only_where_it_is_needed(tmp_path, layout):
    path = write_raster(tmp_path / "a.tif", noise(1024, 1024), **layout)
    points = crossing()[:20]
    frame = tiles_at(points, Tiles(tile_m=200))
    images = catalogue(path).images
    frame = frame.join(cover_tiles(frame, images))
    with rasterio.open(path) as raster:
        height, width = reading_shape(raster.block_shapes[0], raster.shape, virtual=False)
        whole = raster.read()
    store = BlockStore(64)
    with TileReader(images, Imagery(sources=["none"]), Tiles(tile_m=200), store=store) as reader:
        found = {tile.tile_id: tile for tile in reader.read(frame)}
    needed = set()
    for (x, y), tile_id in zip(points, frame["tile_id"], strict=True):
        row, col = round(NORTH - y - 100), round(x - WEST - 100)
        np.testing.assert_array_equal(found[tile_id].pixels, whole[:, row : row + 200, col : col + 200])
        rows, columns = (
            range(row // height, (row + 199) // height + 1),
            range(col // width, (col + 199) // width + 1),
        )
        needed |= {(r, c) for r in rows for c in columns}
    assert store.decoded == len(needed)


def test_readers_that_share_a_store_decode_a_block_once_between_them(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(512, 512), tiled=True, blockxsize=256, blockysize=256)
    images = catalogue(path).images
    store = BlockStore(64)
    for point in ((WEST + 250, NORTH - 250), (WEST + 260, NORTH - 260)):
        frame = tiles_at([point], Tiles(tile_m=100))
        frame = frame.join(cover_tiles(frame, images))
        with TileReader(images, Imagery(sources=["none"]), Tiles(tile_m=100), store=store) as reader:
            assert [tile.coverage for tile in reader.read(frame)] == [1.0]
    assert store.decoded == 4


def test_blocks_stay_within_their_memory_and_tiles_are_right_all_the_same(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(1024, 1024), tiled=True, blockxsize=256, blockysize=256)
    block_mb = 3 * 256 * 256 / 2**20
    images = catalogue(path).images
    frame = tiles_at(crossing(), Tiles(tile_m=200))
    frame = frame.join(cover_tiles(frame, images))
    pixels = []
    for limit in (2.5 * block_mb, 64):
        store = BlockStore(limit)
        with TileReader(images, Imagery(sources=["none"]), Tiles(tile_m=200), store=store) as reader:
            tiles = []
            for tile in reader.read(frame):
                tiles.append(tile.pixels)
                assert store.held_bytes <= limit * 2**20
        pixels.append(np.stack(tiles))
    np.testing.assert_array_equal(*pixels)


@pytest.mark.parametrize(
    ("block", "raster", "virtual", "shape"),
    [
        ((512, 512), (9000, 9000), False, (512, 512)),
        ((128, 128), (9000, 9000), False, (256, 256)),
        ((1, 9000), (9000, 9000), False, (256, 9000)),
        ((16, 9000), (100, 9000), False, (100, 9000)),
        ((1, 50_000), (50_000, 50_000), False, (111, 50_000)),
        ((50_000, 50_000), (50_000, 50_000), False, (512, 512)),
        ((128, 128), (9000, 9000), True, (512, 512)),
    ],
)
def test_rasters_are_read_in_whole_blocks_of_a_sensible_size(block, raster, virtual, shape):
    assert reading_shape(block, raster, virtual=virtual) == shape
