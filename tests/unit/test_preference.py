"""Which raster is seen where several show a place: by pixel, by order, by date; and what is told of it."""

import numpy as np
import pyproj
import pytest
import rasterio
from rasters import CITY, NORTH, WEST, read_tile, tiles_at, write_raster

from geo.config import Imagery, Tiles
from geo.imagery.catalogue import open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.mosaic import plan_mosaics, write_mosaic
from geo.imagery.preference import tell_overlaps
from geo.imagery.traits.dates import date_in_name, date_of

WHOLE = Tiles(tile_m=40)
MIDDLE = WEST + 20, NORTH - 20


def scene(value):
    return np.full((3, 40, 40), value, "uint8")


def made(path, value, *, when=None, **options):
    write_raster(path, scene(value), **options)
    if when is not None:
        with rasterio.open(path, "r+") as raster:
            raster.update_tags(TIFFTAG_DATETIME=when)
    return str(path)


def images_of(sources, **settings):
    return open_catalogue(Imagery(sources=sources, **settings), pyproj.CRS(CITY)).images


def seen(sources, **settings):
    return int(read_tile(MIDDLE, images=images_of(sources, **settings), tiles=WHOLE).pixels[0, 0, 0])


def told(sources, **settings):
    images = images_of(sources, **settings)
    tiles = tiles_at([MIDDLE], WHOLE)
    tiles = tiles.join(cover_tiles(tiles, images))
    return tell_overlaps(tiles, images, Imagery(sources=sources, **settings))


@pytest.fixture
def dated(tmp_path):
    old = made(tmp_path / "a_2015.tif", 15)
    new = made(tmp_path / "b_2021.tif", 21)
    return old, new, str(tmp_path / "*.tif")


def test_of_one_resolution_the_first_in_the_order_of_sources_is_seen(dated):
    old, new, every = dated
    assert seen([old, new]) == 15
    assert seen([new, old]) == 21
    # a glob has no order of its own: then the newest
    assert seen([every]) == 21
    assert seen([old, every]) == 15


def test_the_newest_is_seen_when_it_is_preferred(dated):
    old, new, _ = dated
    assert seen([old, new], prefer="newest") == 21
    assert seen([old, new], prefer="order") == 15


def test_the_finest_is_seen_unless_order_or_date_are_preferred(tmp_path):
    coarse = write_raster(tmp_path / "y2021.tif", np.full((3, 20, 20), 21, "uint8"), pixel=2)
    fine = made(tmp_path / "y2015.tif", 15)
    assert seen([coarse, fine]) == 15
    assert seen([coarse, fine], prefer="finest") == 15
    assert seen([coarse, fine], prefer="order") == 21
    assert seen([fine, coarse], prefer="newest") == 21


def test_without_dates_and_order_the_first_name_is_seen_and_told(tmp_path):
    for name, value in (("b", 2), ("a", 1)):
        made(tmp_path / f"{name}.tif", value)
    entries, warnings = told([str(tmp_path)])
    assert seen([str(tmp_path)]) == 1
    why = "'a' is seen before 'b': its name comes first, for nothing tells which is newer"
    assert [(e.item, e.reason, e.count) for e in entries] == [("overlaps", why, 1)]
    assert warnings == [f"1 tiles are shown by several rasters: {why} (imagery.prefer decides)"]


def test_why_a_raster_was_seen_is_told_and_warned_of_unless_it_was_asked_for(dated):
    old, new, every = dated
    listed = "'a_2015' (2015) is seen before 'b_2021' (2021): it is listed before it in imagery.sources"
    newer = "'b_2021' (2021) is seen before 'a_2015' (2015): it is newer"
    for sources, settings, why, warned in [
        ([old, new], {}, listed, 1),
        ([every], {}, newer, 1),
        ([every], {"prefer": "newest"}, newer, 0),
        ([old, new], {"prefer": "order"}, listed, 0),
    ]:
        entries, warnings = told(sources, **settings)
        assert [(e.status, e.reason, e.count) for e in entries] == [("done", why, 1)]
        assert len(warnings) == warned


def test_the_newest_without_dates_is_warned_of(tmp_path):
    one, two = made(tmp_path / "a.tif", 1), made(tmp_path / "b.tif", 2)
    _, warnings = told([two, one], prefer="newest")
    assert len(warnings) == 1
    assert "'b' is seen before 'a': it is listed before it" in warnings[0]


def test_neighbours_overlap_by_their_rims_alone_and_are_told_nothing_of(tmp_path):
    left = made(tmp_path / "left.tif", 1)
    right = made(tmp_path / "right.tif", 2, west=WEST + 39.7)
    images = images_of([left, right])
    tiles = tiles_at([(WEST + 42, NORTH - 20), (WEST + 38, NORTH - 20)], WHOLE)
    tiles = tiles.join(cover_tiles(tiles, images))
    assert tiles["image_ids"].str[0].tolist() == ["right", "left"]
    assert tell_overlaps(tiles, images, Imagery(sources=["a"])) == ([], [])


def test_on_the_border_of_the_preferred_raster_the_other_fills_what_is_left(tmp_path):
    new = made(tmp_path / "b_2021.tif", 21, west=WEST - 20)
    old = made(tmp_path / "a_2015.tif", 15)
    images = images_of([str(tmp_path)])
    tile = read_tile(MIDDLE, images=images, tiles=WHOLE)
    assert (tile.pixels[:, :, :20] == 21).all()
    assert (tile.pixels[:, :, 20:] == 15).all()
    assert images["path"].tolist() == [old, new]


def test_the_picture_of_all_imagery_shows_what_was_encoded(dated, tmp_path):
    old, new, every = dated
    for sources, value in (([old, new], 15), ([every], 21)):
        out = tmp_path / str(value)
        out.mkdir()
        (plan,) = plan_mosaics(images_of(sources))
        write_mosaic(out, plan, Imagery(sources=sources), seen_from=out)
        with rasterio.open(out / plan.file) as picture:
            assert (picture.read([1, 2, 3]) == value).all()


@pytest.mark.parametrize(
    ("path", "date"),
    [
        ("/data/ortho_2019.tif", "2019"),
        ("/data/20190612_town.tif", "2019-06-12"),
        ("/data/2019-06/town.tif", "2019-06"),
        ("/data/2021/ortho_2019.tif", "2019"),
        ("/data/town.tif", ""),
        ("/data/412027_563020.tif", ""),
        ("/data/2018_to_2021.tif", ""),
        ("/data/e2050_n1910.tif", ""),
        ("https://example.org/2020/a.tif", "2020"),
        ("https://example.org/a/town.tif?token=1986", ""),
    ],
)
def test_dates_in_names(path, date):
    assert date_in_name(path) == date


def test_when_a_picture_was_taken_counts_before_its_name_and_that_before_when_it_was_made(tmp_path):
    path = made(tmp_path / "a.tif", 1, when="2023:05:01 10:00:00")
    named = made(tmp_path / "a_2015.tif", 1, when="2023:05:01 10:00:00")
    with rasterio.open(path) as raster:
        assert date_of(raster, path) == "2023-05-01"
    with rasterio.open(named, "r+") as raster:
        assert date_of(raster, named) == "2015"
        raster.update_tags(EXIF_DateTimeOriginal="2014:07:09 12:00:00")
    with rasterio.open(named) as raster:
        assert date_of(raster, named) == "2014-07-09"
