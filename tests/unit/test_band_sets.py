"""Imagery of any number of bands and any dtype, as encoders see it and as pictures show it."""

import numpy as np
import pandas as pd
import pytest
import rasterio
from pydantic import ValidationError
from rasterio.enums import ColorInterp, Resampling
from rasters import CITY, NORTH, WEST, catalogue, noise, read_tile, read_tiles, tiles_at, write_raster

from geo.config import Imagery, Tiles
from geo.errors import LayerError
from geo.imagery.band_set import BandSet
from geo.imagery.catalogue import check_pictured
from geo.imagery.cover import cover_tiles
from geo.imagery.mosaic import plan_mosaics, write_mosaic
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import TileReader

MIDDLE = (WEST + 50, NORTH - 50)
FOUR = {"bands": [1, 2, 3, 4]}
LIGHT = {"photometric": "MINISBLACK"}
"""Of a GeoTIFF none of whose bands is transparency."""


def values(dtype, bands=4, side=100, seed=0):
    """Draw values over much of the range of a dtype; those of float32 are reflectance."""
    low, high = {"uint8": (0, 256), "uint16": (0, 65_536), "int16": (-3000, 12_000)}.get(dtype, (0, 10_000))
    drawn = np.random.default_rng(seed).integers(low, high, (bands, side, side))
    return (drawn / 10_000 if dtype == "float32" else drawn).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_an_encoder_of_own_values_gets_the_rasters_values_in_its_dtype(tmp_path, dtype):
    pixels = values(dtype)
    path = write_raster(tmp_path / "a.tif", pixels, **LIGHT)
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=40), own_values=True, scale=(0, 4000), **FOUR)
    assert tile.pixels.dtype == dtype
    np.testing.assert_array_equal(tile.pixels, pixels[:, 30:70, 30:70])
    assert tile.coverage == 1


def test_bands_come_in_the_order_in_which_they_are_asked_for(tmp_path):
    pixels = values("uint16", bands=6)
    path = write_raster(tmp_path / "a.tif", pixels)
    tile = read_tile(
        MIDDLE, path, tiles=Tiles(tile_m=10), own_values=True, scale=(0, 9), bands=[6, 2, 4, 1, 1]
    )
    np.testing.assert_array_equal(tile.pixels, pixels[[5, 1, 3, 0, 0], 45:55, 45:55])


def test_other_encoders_get_the_same_values_mapped_to_8_bit(tmp_path):
    path = write_raster(tmp_path / "a.tif", values("uint16"), **LIGHT)
    own, mapped = (
        read_tile(MIDDLE, path, tiles=Tiles(tile_m=40), own_values=own, scale=(5000, 50_000), **FOUR)
        for own in (True, False)
    )
    assert mapped.pixels.dtype == np.uint8
    expected = np.clip((own.pixels.astype(float) - 5000) / 45_000 * 255, 0, 255)
    assert np.abs(mapped.pixels - expected).max() <= 0.5


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32"])
def test_coarser_own_values_are_means_in_the_same_dtype(tmp_path, dtype):
    pixels = values(dtype)
    path = write_raster(tmp_path / "a.tif", pixels)
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=40, pixel_m=4), own_values=True, scale=(0, 9), **FOUR)
    assert tile.pixels.dtype == dtype
    means = pixels[:, 30:70, 30:70].astype(float).reshape(4, 10, 4, 10, 4).mean(axis=(2, 4))
    np.testing.assert_allclose(tile.pixels, means, rtol=1e-6, atol=1e-6 if dtype == "float32" else 0.5)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_coarser_own_values_are_taken_from_overviews(tmp_path, dtype):
    path = write_raster(tmp_path / "a.tif", values(dtype, side=128), tiled=True, blockxsize=16, blockysize=16)
    with rasterio.open(path, "r+") as raster:
        raster.build_overviews([4], Resampling.nearest)
    with rasterio.open(path, overview_level=0) as raster:
        small = raster.read()
    tile = read_tile(
        (WEST + 64, NORTH - 64),
        path,
        tiles=Tiles(tile_m=64, pixel_m=4),
        own_values=True,
        scale=(0, 9),
        **FOUR,
    )
    np.testing.assert_array_equal(tile.pixels, small[:, 8:24, 8:24])


@pytest.mark.parametrize("turned", [False, True])
def test_what_is_no_number_is_no_data_and_does_not_spread(tmp_path, turned):
    pixels = values("float32") + np.float32(0.1)
    pixels[2, 40:50, 40:50] = np.nan
    pixels[0, 60, 60] = np.inf
    path = write_raster(tmp_path / "a.tif", pixels)
    tiles = Tiles(tile_m=40, pixel_m=2, align="road" if turned else "north")
    tile = read_tile(MIDDLE, path, tiles=tiles, bearing=30.0, own_values=True, scale=(0, 1), **FOUR)
    assert np.isfinite(tile.pixels).all()
    assert 0 < (~tile.valid).sum() < 60
    assert (tile.pixels[:, ~tile.valid] == 0).all()
    assert tile.pixels[:, tile.valid].min() >= 0.09


def test_the_mark_of_no_data_in_one_band_is_no_light(tmp_path):
    pixels = values("int16") | 1
    pixels[3, 40:50, 40:50] = -9998
    for name, options, settings in (("file", {"nodata": -9998}, {}), ("key", {}, {"nodata": -9998})):
        path = write_raster(tmp_path / f"{name}.tif", pixels, **options)
        tile = read_tile(
            MIDDLE, path, tiles=Tiles(tile_m=40), own_values=True, scale=(0, 9), **FOUR, **settings
        )
        assert (~tile.valid).sum() == 100
        assert not tile.valid[10:20, 10:20].any()


@pytest.mark.parametrize("where", ["file", "key"])
def test_a_band_that_is_black_beside_others_that_are_not_has_data(tmp_path, where):
    pixels = values("uint16") | 1
    pixels[3, 40:50, 40:50] = 0
    pixels[:, 60:62, 60:62] = 0
    path = write_raster(tmp_path / "a.tif", pixels, **({"nodata": 0} if where == "file" else {}))
    settings = {"nodata": 0} if where == "key" else {}
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=40), own_values=True, scale=(0, 9), **FOUR, **settings)
    assert (~tile.valid).sum() == 4
    assert (tile.pixels[3, 10:20, 10:20] == 0).all()


def test_near_infrared_that_a_file_calls_transparency_is_light_where_it_is_asked_for(tmp_path):
    pixels = values("uint8")
    pixels[3, 40:60] = 0
    path = write_raster(tmp_path / "a.tif", pixels)
    with rasterio.open(path) as raster:
        assert raster.colorinterp[3] == ColorInterp.alpha
    plain, told = (catalogue(path, **settings).entries for settings in ({}, FOUR))
    assert [(e.status, e.reason, e.count) for e in plain] == [("done", "", 1)]
    assert [(e.status, e.count) for e in told] == [("done", 1)]
    assert "band 4 is called transparency" in told[0].reason
    four = read_tile(MIDDLE, path, tiles=Tiles(tile_m=40), **FOUR)
    assert four.coverage == 1
    np.testing.assert_array_equal(four.pixels, pixels[:, 30:70, 30:70])
    # plain pictures take the file at its word
    assert read_tile(MIDDLE, path, tiles=Tiles(tile_m=40)).coverage < 0.6


def test_a_mask_holds_for_all_bands(tmp_path):
    mask = np.full((100, 100), 255, dtype="uint8")
    mask[40:50, 40:50] = 0
    path = write_raster(tmp_path / "a.tif", values("uint16"), mask=mask, **LIGHT)
    tile = read_tile(MIDDLE, path, tiles=Tiles(tile_m=40), own_values=True, scale=(0, 9), **FOUR)
    assert (~tile.valid).sum() == 100


def test_rasters_of_two_dtypes_show_one_tile_with_the_values_of_both(tmp_path):
    west, east = values("uint16", seed=1), values("float32", seed=2)
    write_raster(tmp_path / "a.tif", west)
    write_raster(tmp_path / "b.tif", east, west=WEST + 100)
    tile = read_tile(
        (WEST + 100, NORTH - 50), tmp_path, tiles=Tiles(tile_m=40), own_values=True, scale=(0, 9), **FOUR
    )
    assert tile.image_id in {"a;b", "b;a"}
    both = np.concatenate([west[:, 30:70, 80:], east[:, 30:70, :20]], axis=2)
    np.testing.assert_array_equal(tile.pixels, both)


def test_a_raster_whose_bands_are_of_two_dtypes_is_refused_by_name(tmp_path):
    write_raster(tmp_path / "light.tif", values("uint16", bands=3))
    write_raster(tmp_path / "nir.tif", values("float32", bands=1))
    file = "<SourceFilename relativeToVRT='1'>{}</SourceFilename>"
    source = f"<SimpleSource>{file}<SourceBand>{{}}</SourceBand></SimpleSource>"
    bands = [("UInt16", "light.tif", 1), ("UInt16", "light.tif", 2), ("UInt16", "light.tif", 3)]
    text = "".join(
        f"<VRTRasterBand dataType='{kind}' band='{i}'>{source.format(name, number)}</VRTRasterBand>"
        for i, (kind, name, number) in enumerate([*bands, ("Float32", "nir.tif", 1)], start=1)
    )
    place = f"<SRS>{CITY}</SRS><GeoTransform>{WEST}, 1, 0, {NORTH}, 0, -1</GeoTransform>"
    path = tmp_path / "all.vrt"
    path.write_text(f"<VRTDataset rasterXSize='100' rasterYSize='100'>{place}{text}</VRTDataset>")
    with pytest.raises(LayerError, match=r"several kinds \(float32, uint16\)"):
        catalogue(path, scale=(0, 9), **FOUR)
    assert len(catalogue(path, scale=(0, 9)).images) == 1


def test_a_band_that_is_not_there_is_named_with_the_key_that_asks_for_it(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(8, 8))
    with pytest.raises(LayerError, match=r"3 bands, imagery\.bands asks for band 4"):
        catalogue(path, **FOUR)
    images = catalogue(path).images
    check_pictured(images, Imagery(sources=["none"], picture_bands=[3, 2, 1]))
    with pytest.raises(LayerError, match=r"imagery\.picture_bands asks for band 7"):
        check_pictured(images, Imagery(sources=["none"], picture_bands=[1, 2, 7]))


def test_readers_of_different_bands_may_share_decoded_blocks(tmp_path):
    pixels = values("uint16")
    path = write_raster(tmp_path / "a.tif", pixels)
    store = BlockStore(64)
    shown = {}
    for own, bands in ((True, [1, 2, 3, 4]), (False, [1, 2, 3, 4]), (True, [4, 1, 2])):
        tile = read_tile(
            MIDDLE, path, tiles=Tiles(tile_m=10), own_values=own, scale=(0, 65_535), bands=bands, store=store
        )
        shown[own, len(bands)] = tile.pixels
    np.testing.assert_array_equal(shown[True, 4], pixels[:, 45:55, 45:55])
    np.testing.assert_array_equal(shown[True, 3], pixels[[3, 0, 1], 45:55, 45:55])
    np.testing.assert_array_equal(shown[False, 4], np.rint(pixels[:, 45:55, 45:55] / 257))


def test_pictures_show_the_first_three_bands_unless_others_are_named():
    def pictured(**settings):
        return BandSet.pictured(Imagery(sources=["a"], **settings)).bands

    assert pictured() is None
    assert pictured(bands=[1, 2, 3]) == (1, 2, 3)
    assert pictured(bands=[4, 1, 2, 3]) == (4, 1, 2)
    assert pictured(bands=[4, 1, 2, 3], picture_bands=[1, 2, 3]) == (1, 2, 3)
    assert pictured(bands=[5]) == pictured(bands=[5, 6]) == (5, 5, 5)
    with pytest.raises(ValidationError, match="picture_bands"):
        Imagery(sources=["a"], picture_bands=[1, 2])


def test_a_picture_is_8_bit_of_its_bands_whatever_the_encoder_sees(tmp_path):
    pixels = values("uint16")
    images = catalogue(write_raster(tmp_path / "a.tif", pixels), scale=(0, 65_535), **FOUR).images
    imagery = Imagery(sources=["none"], bands=[4, 3, 2, 1], picture_bands=[1, 2, 3], scale=(0, 65_535))
    frame = tiles_at([MIDDLE], Tiles(tile_m=40))
    frame = pd.DataFrame(frame.join(cover_tiles(frame, images)).drop(columns="geometry"))
    with TileReader(images, imagery, Tiles(tile_m=40), band_set=BandSet.pictured(imagery)) as reader:
        (tile,) = reader.read(frame)
    assert tile.pixels.dtype == np.uint8
    np.testing.assert_array_equal(tile.pixels, np.rint(pixels[:3, 30:70, 30:70] / 257))


def test_a_mosaic_shows_the_bands_of_pictures_and_takes_no_light_for_transparency(tmp_path):
    pixels = values("uint8")
    pixels[3, 40:60] = 0
    path = write_raster(tmp_path / "a.tif", pixels)
    imagery = Imagery(sources=[path], bands=[1, 2, 3, 4], picture_bands=[4, 1, 2])
    (plan,) = plan_mosaics(catalogue(path, **FOUR).images)
    write_mosaic(tmp_path, plan, imagery, seen_from=tmp_path)
    with rasterio.open(tmp_path / plan.file) as mosaic:
        shown = mosaic.read()
    np.testing.assert_array_equal(shown[:3], pixels[[3, 0, 1]])
    assert (shown[3] == 255).all()


def test_many_bands_of_many_bytes_are_read_in_smaller_parts(tmp_path):
    pixels = values("float32", bands=40, side=600)
    path = write_raster(tmp_path / "a.tif", pixels, blockysize=600)
    tiles = read_tiles(
        [(WEST + 100, NORTH - 100), (WEST + 500, NORTH - 500)],
        path,
        tiles=Tiles(tile_m=100),
        own_values=True,
        scale=(0, 1),
        bands=list(range(1, 41)),
    )
    np.testing.assert_array_equal(tiles[1].pixels, pixels[:, 450:550, 450:550])
