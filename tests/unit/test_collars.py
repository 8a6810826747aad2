"""Borders without data that a raster does not call so: found, told from what is dark or bright, and read past."""

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.enums import ColorInterp, Resampling
from rasterio.warp import reproject
from rasters import CITY, NORTH, WEST, read_elsewhere, read_tile, tiles_at, write_raster
from scipy import ndimage

from geo.config import Imagery, Tiles
from geo.errors import LayerError
from geo.imagery.catalogue import open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.mosaic import plan_mosaics, write_mosaic
from geo.imagery.outlook.told import tell_imagery
from geo.imagery.traits.collars import from_text

SIDE = 400
WHOLE = Tiles(tile_m=SIDE)
MIDDLE = WEST + SIDE / 2, NORTH - SIDE / 2
LAND = ndimage.gaussian_filter(np.random.default_rng(0).uniform(0, 255, (3, SIDE, SIDE)), (0, 2, 2))
LAND = np.clip((LAND - 127) * 6 + 120, 12, 240).astype("uint8")


def turned(degrees, colour=0, land=LAND):
    """Turn the scene about its middle, as bringing it to another grid does; what it does not reach gets a colour."""
    there = rasterio.Affine.translation(WEST, NORTH) @ rasterio.Affine.scale(1, -1)
    from_middle = rasterio.Affine.translation(SIDE / 2, SIDE / 2)
    grown = from_middle @ rasterio.Affine.rotation(degrees) @ ~from_middle
    out = np.full_like(land, colour)
    reached = np.zeros((SIDE, SIDE), "uint8")
    options = {"src_crs": CITY, "dst_crs": CITY, "dst_transform": there, "resampling": Resampling.nearest}
    for band in range(3):
        reproject(land[band], out[band], src_transform=there @ grown, init_dest_nodata=False, **options)
    reproject(np.ones((SIDE, SIDE), "uint8"), reached, src_transform=there @ grown, **options)
    return out, reached == 1


def images_of(*paths, **settings):
    return open_catalogue(Imagery(sources=[str(path) for path in paths], **settings), pyproj.CRS(CITY)).images


def valid(path, **settings):
    images = images_of(path, **settings)
    return read_tile(MIDDLE, images=images, tiles=WHOLE, **settings).valid


@pytest.mark.parametrize("colour", [0, 255])
@pytest.mark.parametrize("degrees", [2, 10, 30])
def test_the_corners_of_a_turned_picture_are_without_data(tmp_path, degrees, colour):
    pixels, reached = turned(degrees, colour)
    found = valid(write_raster(tmp_path / "a.tif", pixels))
    assert np.array_equal(found, reached)


@pytest.mark.parametrize("colour", [0, 255])
def test_corners_that_were_compressed_with_loss_are_without_data_too(tmp_path, colour):
    pixels, reached = turned(10, colour)
    options = {"compress": "jpeg", "photometric": "ycbcr", "jpeg_quality": 75, "tiled": True}
    path = write_raster(tmp_path / "a.tif", pixels, **options)
    with rasterio.open(path) as raster:
        noisy = (raster.read() != colour).any(axis=0) & ~reached
    assert noisy.sum() > 100
    found = valid(path)
    deep = ndimage.binary_erosion(~reached, np.ones((3, 3)), iterations=16, border_value=1)
    assert not found[deep].any()
    assert found[ndimage.binary_erosion(reached, iterations=12)].all()
    # what compression smeared over the edge may stay
    assert (found & ~reached).sum() < 0.25 * (~reached).sum()


def test_good_imagery_under_a_border_is_seen(tmp_path):
    pixels, reached = turned(10)
    one = write_raster(tmp_path / "a.tif", pixels)
    other = write_raster(tmp_path / "b.tif", LAND)
    images = images_of(one, other)
    tile = read_tile(MIDDLE, images=images, tiles=WHOLE)
    assert tile.coverage == 1
    assert np.array_equal(tile.pixels, np.where(reached, pixels, LAND))
    kept = images_of(one, other, collars="keep")
    assert np.array_equal(read_tile(MIDDLE, images=kept, tiles=WHOLE).pixels, pixels)


def test_black_water_and_shadow_within_the_picture_are_seen(tmp_path):
    row, col = np.indices((SIDE, SIDE))
    lake = (row - 200) ** 2 + (col - 200) ** 2 < 60**2
    pixels, reached = turned(10, land=np.where(lake, 0, LAND).astype("uint8"))
    assert np.array_equal(valid(write_raster(tmp_path / "a.tif", pixels)), reached)


def bay(row, col):
    """Water that leaves the picture at the middle of a side."""
    return (row - SIDE) ** 2 + (col - 200) ** 2 < 90**2


def cape(row, col):
    """Water in a corner, behind a shore that bends."""
    return np.hypot(row, col) < 80 + 25 * np.sin(6 * np.arctan2(row, col))


def roof(row, col):
    """A roof, or its shadow, of 60 by 80 pixels in a corner."""
    return (row < 60) & (col < 80)


def pond(row, col):
    """A round pond cut by a corner."""
    return np.hypot(row, col) < 100


@pytest.mark.parametrize("where", [bay, cape, roof, pond])
@pytest.mark.parametrize("colour", [0, 255])
def test_black_water_shadow_and_white_roofs_at_the_rim_are_seen(tmp_path, where, colour):
    pixels = np.where(where(*np.indices((SIDE, SIDE))), colour, LAND).astype("uint8")
    assert valid(write_raster(tmp_path / "a.tif", pixels)).all()


def test_dark_water_in_a_corner_is_no_border(tmp_path):
    rng = np.random.default_rng(1)
    pixels = LAND.copy()
    pixels[:, :250] = rng.integers(0, 9, (3, 250, SIDE))
    assert valid(write_raster(tmp_path / "a.tif", pixels)).all()


def test_a_border_that_a_boundary_cut_out_is_found(tmp_path):
    row, col = np.indices((SIDE, SIDE))
    town = np.hypot(row - 200, col - 200) < 150 + 30 * np.sin(7 * np.arctan2(row - 200, col - 200))
    assert np.array_equal(
        valid(write_raster(tmp_path / "a.tif", np.where(town, LAND, 0).astype("uint8"))), town
    )


@pytest.mark.parametrize(
    ("dtype", "mark"), [("uint16", 0), ("uint16", 65_535), ("int16", -9999), ("float32", -9999)]
)
def test_deeper_rasters_have_borders_of_marks(tmp_path, dtype, mark):
    pixels = (LAND.astype(dtype) + 100) * (1 if dtype == "float32" else 7)
    pixels[:, :60] = mark
    found = valid(write_raster(tmp_path / "a.tif", pixels), scale=(0, 3000))
    assert not found[:60].any()
    assert found[60:].all()


def test_a_raster_that_says_where_it_has_data_is_believed(tmp_path):
    pixels, reached = turned(10)
    inside = np.full((SIDE, SIDE), 255, "uint8")
    assert valid(write_raster(tmp_path / "masked.tif", pixels, mask=inside)).sum() == reached.sum()
    path = write_raster(tmp_path / "marked.tif", np.where(reached, np.maximum(pixels, 1), 0), nodata=0)
    assert images_of(path)["collar"].item() == ""
    assert np.array_equal(valid(path), reached)


def test_a_raster_that_is_all_black_is_refused(tmp_path):
    black = write_raster(tmp_path / "a.tif", np.zeros((3, 50, 50), "uint8"))
    with pytest.raises(LayerError, match="nothing is to be seen of it: all of it is 0"):
        images_of(black)


def test_what_overviews_show_of_a_border_is_without_data(tmp_path):
    pixels, reached = turned(30)
    path = write_raster(
        tmp_path / "a.tif", pixels, overviews=[2, 4], tiled=True, blockxsize=128, blockysize=128
    )
    images = images_of(path)
    tile = read_tile(MIDDLE, images=images, tiles=Tiles(tile_m=SIDE, pixel_m=4))
    within = ndimage.binary_erosion(reached, iterations=6)[2::4, 2::4]
    beyond = ndimage.binary_erosion(~reached, iterations=6, border_value=1)[2::4, 2::4]
    assert tile.valid[within].all()
    assert not tile.valid[beyond].any()


def test_a_border_is_found_the_same_in_a_large_raster(tmp_path):
    big = np.repeat(np.repeat(LAND, 6, axis=1), 6, axis=2)
    row, col = np.indices(big.shape[1:])
    border = row + col < 700
    path = write_raster(tmp_path / "a.tif", np.where(border, 0, big).astype("uint8"))
    images = images_of(path)
    tile = read_tile((WEST + 300, NORTH - 300), images=images, tiles=Tiles(tile_m=600))
    assert np.array_equal(tile.valid, ~border[:600, :600])
    (collar,) = from_text(images["collar"].item())
    assert collar.share == pytest.approx(border.mean(), rel=0.02)


def shown_in_a_gis(folder, *paths):
    imagery = Imagery(sources=[str(path) for path in paths])
    (plan,) = plan_mosaics(images_of(*paths))
    write_mosaic(folder, plan, imagery, seen_from=folder)
    return read_elsewhere(folder / plan.file)


def test_the_picture_of_all_imagery_shows_what_lies_under_a_border(tmp_path):
    pixels, reached = turned(10)
    one = write_raster(tmp_path / "a.tif", pixels)
    (tmp_path / "run").mkdir()
    alone = shown_in_a_gis(tmp_path / "run", one)
    assert np.array_equal(alone[3] == 255, reached)
    assert np.array_equal(alone[:3], np.where(reached, pixels, 0))
    other = write_raster(tmp_path / "b.tif", LAND)
    both = shown_in_a_gis(tmp_path / "run", one, other)
    assert (both[3] == 255).all()
    assert np.array_equal(both[:3], np.where(reached, pixels, LAND))


def test_the_picture_of_all_imagery_is_transparent_where_the_first_band_says_so(tmp_path):
    pixels = np.concatenate([np.full((1, SIDE, SIDE), 255, "uint8"), LAND])
    pixels[0, :, :100] = 0
    path = write_raster(tmp_path / "a.tif", pixels, photometric="minisblack")
    with rasterio.open(path, "r+") as raster:
        raster.colorinterp = [ColorInterp.alpha, ColorInterp.red, ColorInterp.green, ColorInterp.blue]
    found = shown_in_a_gis(tmp_path, path)
    assert np.array_equal(found[3] == 0, np.indices((SIDE, SIDE))[1] < 100)
    assert np.array_equal(found[:3, :, 100:], LAND[:, :, 100:])


def test_a_border_of_noise_near_black_is_found(tmp_path):
    pixels = LAND.copy()
    pixels[:, :, 300:] = np.random.default_rng(0).integers(0, 4, (3, SIDE, 100))
    found = valid(write_raster(tmp_path / "a.tif", pixels))
    assert not found[:, 300:].any()
    assert found[:, :300].all()


def test_a_border_of_another_colour_is_told_and_read_as_without_data_when_asked(tmp_path):
    pixels, reached = turned(10)
    pixels[:, ~reached] = np.array([255, 0, 255], "uint8")[:, None]
    path = write_raster(tmp_path / "a.tif", pixels)
    assert valid(path).all()
    assert np.array_equal(valid(path, collars="any"), reached)
    found = open_catalogue(Imagery(sources=[path]), pyproj.CRS(CITY))
    assert [entry.reason for entry in found.entries] == ["its border of (255, 0, 255) is read as ground"]
    # pictures of fewer bands of it know the border all the same
    images = images_of(path, collars="any")
    assert read_tile(MIDDLE, images=images, tiles=WHOLE, collars="any", bands=[2]).coverage < 1


def test_a_raster_too_large_to_be_looked_through_says_so(tmp_path, monkeypatch):
    pixels, _ = turned(10)
    path = write_raster(tmp_path / "a.tif", pixels)
    monkeypatch.setattr("geo.imagery.traits.collars.MOST_PX", 1000)
    (entry,) = open_catalogue(Imagery(sources=[path]), pyproj.CRS(CITY)).entries
    assert entry.reason.startswith("a corner of it is of one colour, as borders without data are")


def test_borders_are_told(tmp_path):
    pixels, reached = turned(10)
    path = write_raster(tmp_path / "a.tif", pixels)
    imagery = Imagery(sources=[path])
    found = open_catalogue(imagery, pyproj.CRS(CITY))
    assert [entry.reason for entry in found.entries] == ["its border of 0 is read as without data"]
    tiles = tiles_at([MIDDLE], Tiles(tile_m=100))
    tiles = tiles.join(cover_tiles(tiles, found.images))
    _, warnings = tell_imagery(tiles, found.images, imagery, Tiles(tile_m=100))
    (told,) = warnings
    assert told.startswith(f"1 of 1 rasters have a border of 0, up to {np.mean(~reached):.0%} of a raster")
    assert "imagery.collars: keep" in told
