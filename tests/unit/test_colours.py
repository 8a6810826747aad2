"""Red, green and blue as each file says where they are, and what the picture of all imagery makes of it."""

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasters import NORTH, WEST, catalogue, noise, read_elsewhere, read_tile, write_raster

from geo.config import Imagery, Tiles
from geo.errors import LayerError
from geo.imagery.mosaic import plan_mosaics, write_mosaic

R, G, B, A, N = ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha, ColorInterp.undefined
MIDDLE = WEST + 20, NORTH - 20
WHOLE = Tiles(tile_m=40)
SCENE = noise(40, 40)


def stored(path, kinds, **options):
    """Write the one scene with its colours in the bands that are called so; other bands are opaque, or noise."""
    other = {A: np.full((40, 40), 255, "uint8"), N: noise(40, 40, bands=1, seed=9)[0]}
    planes = [SCENE[(R, G, B).index(kind)] if kind in (R, G, B) else other[kind] for kind in kinds]
    write_raster(path, np.stack(planes), photometric="minisblack", **options)
    with rasterio.open(path, "r+") as raster:
        raster.colorinterp = kinds
    return str(path)


def told(*sources, **settings):
    return [entry.reason for entry in catalogue(*sources, **settings).entries]


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        ([R, G, B], ""),
        ([R, G, B, A], ""),
        ([B, G, R], "red, green and blue are bands 3, 2, 1, as the file says"),
        ([A, R, G, B], "red, green and blue are bands 2, 3, 4, as the file says"),
        ([N, R, G, B], "red, green and blue are bands 2, 3, 4, as the file says"),
        ([N, B, G, R, A], "red, green and blue are bands 4, 3, 2, as the file says"),
    ],
)
def test_colours_are_read_where_the_file_says_that_they_are(tmp_path, kinds, reason):
    path = stored(tmp_path / "a.tif", kinds)
    assert np.array_equal(read_tile(MIDDLE, path, tiles=WHOLE).pixels, SCENE)
    assert told(path) == [reason]


def test_bands_that_are_named_are_taken_as_named(tmp_path):
    path = stored(tmp_path / "a.tif", [B, G, R])
    assert np.array_equal(read_tile(MIDDLE, path, tiles=WHOLE, bands=[1, 2, 3]).pixels, SCENE[::-1])
    alpha = stored(tmp_path / "b.tif", [A, R, G, B])
    assert told(path, bands=[1, 2, 3]) == [
        "bands 1, 2, 3 are called blue, green, red, and read as imagery.bands says"
    ]
    assert told(alpha, bands=[1, 2, 3]) == ["band 1 is called transparency, and read as imagery.bands says"]


def test_bands_of_which_nothing_is_said_are_read_in_their_order(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(40, 40, bands=5), photometric="minisblack")
    with rasterio.open(path) as raster:
        assert R not in raster.colorinterp
    assert np.array_equal(read_tile(MIDDLE, path, tiles=WHOLE).pixels, noise(40, 40, bands=5)[:3])


def test_transparency_before_the_colours_says_where_there_is_data(tmp_path):
    path = stored(tmp_path / "a.tif", [A, R, G, B])
    with rasterio.open(path, "r+") as raster:
        raster.write(np.zeros((40, 10), "uint8"), 1, window=rasterio.windows.Window(0, 0, 10, 40))
    tile = read_tile(MIDDLE, path, tiles=WHOLE)
    assert tile.coverage == 0.75
    assert np.array_equal(tile.pixels[:, :, 10:], SCENE[:, :, 10:])


def palette(path, numbers, table, **options):
    write_raster(path, numbers[None], photometric="palette", **options)
    with rasterio.open(path, "r+") as raster:
        raster.write_colormap(1, table)
    return str(path)


def test_a_palette_is_read_as_its_colours(tmp_path):
    numbers = noise(40, 40, bands=1)[0]
    colours = np.random.default_rng(3).integers(0, 256, (256, 3))
    path = palette(tmp_path / "a.tif", numbers, {i: (*c, 255) for i, c in enumerate(colours.tolist())})
    tile = read_tile(MIDDLE, path, tiles=WHOLE)
    assert np.array_equal(tile.pixels, np.moveaxis(colours[numbers], -1, 0))
    assert tile.coverage == 1
    assert told(path) == ["a palette, read as its colours"]


def test_a_colour_of_a_palette_that_the_file_calls_nodata_is_none(tmp_path):
    numbers = np.full((40, 40), 7, "uint8")
    numbers[:, :10] = 3
    path = palette(tmp_path / "a.tif", numbers, {i: (i, 2 * i, 0, 255) for i in range(128)}, nodata=3)
    tile = read_tile(MIDDLE, path, tiles=WHOLE)
    assert tile.coverage == 0.75
    assert tile.pixels[:, 0, 30].tolist() == [7, 14, 0]


@pytest.mark.parametrize("bands", [1, 2])
def test_one_band_is_read_in_grey_with_its_transparency(tmp_path, bands):
    pixels = noise(40, 40, bands=bands)
    if bands == 2:
        pixels[1] = 255
        pixels[1, :, :10] = 0
    path = write_raster(tmp_path / "a.tif", pixels, alpha="yes" if bands == 2 else "no")
    tile = read_tile(MIDDLE, path, tiles=WHOLE)
    assert np.array_equal(tile.pixels[:, :, 10:], np.stack([pixels[0, :, 10:]] * 3))
    assert tile.coverage == (0.75 if bands == 2 else 1)
    assert told(path) == ["grey (band 1), read as red, green and blue"]
    assert np.array_equal(read_tile(MIDDLE, path, tiles=WHOLE, bands=[1, 1, 1]).pixels, tile.pixels)


def test_masks_beside_rasters_in_colour_are_left_out(tmp_path):
    scene = stored(tmp_path / "scene.tif", [R, G, B])
    mask = write_raster(tmp_path / "a_mask.tif", noise(40, 40, bands=1))
    found = catalogue(tmp_path)
    assert found.images["path"].tolist() == [scene]
    assert [e.reason.split(",")[0] for e in found.entries if e.status == "rejected"] == [
        "a_mask.tif: it has one band beside rasters in colour"
    ]
    assert catalogue(mask).images["path"].tolist() == [mask]


def test_inks_are_refused(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(40, 40, bands=4), photometric="cmyk")
    with pytest.raises(LayerError, match=r"a\.tif: its bands are CMYK: bring them to red, green and blue"):
        catalogue(path)
    assert len(catalogue(path, bands=[1, 2, 3]).images) == 1


def test_jpeg_within_a_tiff_is_read_in_red_green_and_blue(tmp_path):
    smooth = np.broadcast_to(np.array([200, 120, 40], "uint8")[:, None, None], (3, 64, 64))
    path = write_raster(tmp_path / "a.tif", smooth, compress="jpeg", photometric="ycbcr")
    tile = read_tile((WEST + 32, NORTH - 32), path, tiles=WHOLE)
    assert np.abs(tile.pixels.astype(int) - smooth[:, :40, :40]).max() <= 2
    assert told(path) == [""]


def test_the_picture_of_all_imagery_shows_the_colours_that_are_read(tmp_path):
    alpha = stored(tmp_path / "a.tif", [A, R, G, B])
    swapped = stored(tmp_path / "b.tif", [B, G, R], west=WEST + 40)
    images = catalogue(alpha, swapped).images
    imagery = Imagery(sources=[alpha, swapped])
    (plan,) = plan_mosaics(images)
    write_mosaic(tmp_path, plan, imagery, seen_from=tmp_path)
    picture = read_elsewhere(tmp_path / plan.file)
    assert np.array_equal(picture[:3], np.concatenate([SCENE, SCENE], axis=2))
    assert (picture[3] == 255).all()


def test_the_picture_of_all_imagery_shows_the_colours_of_palettes(tmp_path):
    numbers = noise(40, 40, bands=1)[0]
    path = palette(tmp_path / "a.tif", numbers, {i: (i, 255 - i, 9, 255) for i in range(256)})
    images = catalogue(path).images
    (plan,) = plan_mosaics(images)
    write_mosaic(tmp_path, plan, Imagery(sources=[path]), seen_from=tmp_path)
    with rasterio.open(tmp_path / plan.file) as picture:
        red, green, blue = picture.read([1, 2, 3])
    assert np.array_equal(red, numbers)
    assert np.array_equal(green, 255 - numbers)
    assert (blue == 9).all()
