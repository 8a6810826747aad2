"""The imagery under the map of a page is what the run saw: the same place, colours and gaps, or words."""

import io

import numpy as np
import pytest
from PIL import Image
from pyproj import Transformer
from rasters import CITY, NORTH, WEST, catalogue, noise, write_raster
from rio_tiler.constants import WEB_MERCATOR_TMS
from rio_tiler.io import Reader

from geo.config import Imagery
from geo.explore.imagery import LEAST_ZOOM, draw_tile, on_map, smaller_copies, touching, zooms
from geo.imagery.reading.blocks import BlockStore
from geo.sources.digest import digest_source


def at(lon, lat, zoom):
    tile = WEB_MERCATOR_TMS.tile(lon, lat, zoom)
    return zoom, tile.x, tile.y


def degrees(x, y, crs=CITY):
    return Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)


def draw(images, place, **settings):
    imagery = Imagery(sources=["none"], **settings)
    flat = on_map(images)
    return draw_tile(touching(flat, *place), place, imagery, BlockStore(64), smaller_copies)


def pixels(drawn):
    return np.moveaxis(np.asarray(Image.open(io.BytesIO(drawn.picture))), -1, 0)


def on_tile(x, y, place, crs=CITY):
    """Where a point lies on a tile of the map (pixels)."""
    zoom, column, row = place
    bounds = WEB_MERCATOR_TMS.xy_bounds(column, row, zoom)
    east, north = Transformer.from_crs(crs, 3857, always_xy=True).transform(x, y)
    side = bounds.right - bounds.left
    return (east - bounds.left) / side * 256, (bounds.top - north) / side * 256


def smooth(height, width, seed=0):
    """Ground whose light changes from place to place, slowly enough to survive another grid."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 226, (3, height // 50 + 1, width // 50 + 1)).astype(float)
    return np.kron(small, np.ones((50, 50)))[:, :height, :width].astype(np.uint8)


def test_a_mark_on_the_ground_is_where_the_map_has_it(tmp_path):
    ground = np.full((3, 800, 800), 200, dtype=np.uint8)
    ground[:, 240:260, 500:520] = 10
    images = catalogue(write_raster(tmp_path / "a.tif", ground, pixel=0.5)).images
    middle = WEST + 510 * 0.5, NORTH - 250 * 0.5
    place = at(*degrees(*middle), 18)
    seen = pixels(draw(images, place))[0].astype(int)
    rows, columns = np.nonzero(seen < 100)
    x, y = on_tile(*middle, place)
    assert abs(columns.mean() + 0.5 - x) < 0.5
    assert abs(rows.mean() + 0.5 - y) < 0.5


@pytest.mark.parametrize("zoom", [15, 17, 18])
@pytest.mark.parametrize("crs", [26986, 27700, 4326])
def test_a_plain_raster_is_drawn_as_rio_tiler_draws_it(tmp_path, zoom, crs):
    place = {
        26986: {"west": WEST, "north": NORTH, "pixel": 0.5},
        27700: {"west": 413_000.0, "north": 275_000.0, "pixel": 0.5},
        4326: {"west": -1.8, "north": 52.36, "pixel": 1e-5},
    }[crs]
    city = CITY if crs == 26986 else "EPSG:27700"
    path = write_raster(tmp_path / "a.tif", smooth(1200, 1200), crs=crs, **place)
    images = catalogue(path, crs=city).images
    middle = images.to_crs(4326).geometry.iloc[0].centroid
    there = at(middle.x, middle.y, zoom)
    ours = pixels(draw(images, there))
    with Reader(path) as reader:
        theirs = reader.tile(
            there[1], there[2], there[0], resampling_method="bilinear", reproject_method="bilinear"
        )
    both = (theirs.mask == 255) & (ours[3] == 255 if len(ours) == 4 else True)
    assert both.mean() > 0.2
    apart = np.abs(ours[:3].astype(int) - theirs.data.astype(int))[:, both]
    assert np.median(apart) <= 3
    # away from the edges of fields, of which a pixel may lie on either side
    assert (apart.max(axis=0) < 40).mean() > 0.95


def test_values_are_scaled_and_gaps_left_open_as_a_run_does(tmp_path):
    deep = smooth(400, 400).astype(np.uint16) * 100
    deep[:, :200] = 0
    path = write_raster(tmp_path / "a.tif", deep, pixel=1.0, nodata=0)
    images = catalogue(path, scale=(0, 25_500)).images
    for x, y, there in ((WEST + 225, NORTH - 175, False), (WEST + 225, NORTH - 225, True)):
        place = at(*degrees(x, y), 17)
        drawn = pixels(draw(images, place, scale=(0, 25_500)))
        column, row = (int(value) for value in on_tile(x, y, place))
        assert len(drawn) == 3 or (drawn[3, row, column] > 0) == there
    assert np.abs(drawn[:3, row, column].astype(int) - deep[:, 225, 225] // 100).max() <= 3


def test_a_black_collar_hides_nothing_of_what_lies_under_it(tmp_path):
    turned = smooth(400, 400, seed=1)
    turned[:, np.add.outer(np.arange(400), np.arange(400)) < 300] = 0
    write_raster(tmp_path / "a.tif", turned, pixel=1.0)
    write_raster(tmp_path / "b.tif", np.full((3, 400, 400), 120, dtype=np.uint8), pixel=1.0)
    images = catalogue(tmp_path / "a.tif", tmp_path / "b.tif", prefer="order").images
    assert images.set_index("image_id").loc["a", "collar"]
    place = at(*degrees(WEST + 100, NORTH - 100), 17)
    drawn = pixels(draw(images, place))
    column, row = (int(value) for value in on_tile(WEST + 100, NORTH - 100, place))
    assert np.abs(drawn[:3, row, column].astype(int) - 120).max() <= 3


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_the_raster_that_the_run_prefers_lies_on_top(tmp_path, order):
    for name, value in (("old", 60), ("new", 180)):
        write_raster(
            tmp_path / f"{name}.tif", np.full((3, 300, 300), value, dtype=np.uint8) + noise(300, 300) // 64
        )
    images = catalogue(*(tmp_path / f"{name}.tif" for name in order), prefer="order").images
    drawn = pixels(draw(images, at(*degrees(WEST + 150, NORTH - 150), 18)))
    assert abs(float(np.median(drawn[:3])) - {"old": 60, "new": 180}[order[0]]) < 8


def test_rasters_of_two_grids_make_one_picture(tmp_path):
    write_raster(tmp_path / "west.tif", smooth(400, 200), pixel=1.0)
    to = Transformer.from_crs(CITY, 32619, always_xy=True)
    x, y = to.transform(WEST + 180, NORTH + 5)
    write_raster(tmp_path / "east.tif", smooth(450, 250), west=x, north=y, pixel=1.0, crs=32619)
    images = catalogue(tmp_path / "west.tif", tmp_path / "east.tif").images
    place = at(*degrees(WEST + 200, NORTH - 200), 19)
    drawn = draw(images, place)
    assert drawn.picture.startswith(b"\xff\xd8")
    assert pixels(drawn).shape == (3, 256, 256)


def test_zoomed_far_out_nothing_is_read_unless_smaller_copies_are_there(tmp_path):
    plain = write_raster(tmp_path / "plain.tif", smooth(600, 600), pixel=0.05)
    copies = write_raster(
        tmp_path / "copies.tif", smooth(600, 600), pixel=0.05, overviews=(2, 4, 8, 16, 32, 64)
    )
    place = at(*degrees(WEST + 15, NORTH - 15), 14)
    assert draw(catalogue(plain).images, place).picture is None
    assert draw(catalogue(copies).images, place).picture is not None
    (least, most), (least_of_copies, _) = (
        zooms(on_map(catalogue(one).images), smaller_copies) for one in (plain, copies)
    )
    assert least_of_copies < least < most
    lon, lat = degrees(WEST + 15, NORTH - 15)
    assert draw(catalogue(plain).images, at(lon, lat, least)).picture is not None
    assert draw(catalogue(plain).images, at(lon, lat, least - 1)).picture is None
    assert least_of_copies >= LEAST_ZOOM


def test_where_no_raster_lies_there_is_no_picture(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", smooth(300, 300))).images
    assert touching(on_map(images), 18, 0, 0).empty
    assert draw(images, at(0.0, 0.0, 16)) == draw(images, (16, 0, 0))
    assert draw(images, at(0.0, 0.0, 16)).picture is None


def test_a_raster_that_cannot_be_decoded_is_told(tmp_path):
    path = write_raster(tmp_path / "a.tif", noise(300, 300), compress="deflate")
    images = catalogue(path).images
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[len(data) // 4 : len(data) * 3 // 4] = bytes(len(data) // 2)
    (tmp_path / "a.tif").write_bytes(data)
    drawn = draw(images.assign(digest=digest_source(path)), at(*degrees(WEST + 150, NORTH - 150), 18))
    assert drawn.picture is None
    assert "a is damaged" in drawn.why
