"""The picture beneath the report's map shows the ground where it lies, as coarse as its size asks for."""

import io

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image
from rasters import NORTH, WEST, catalogue, noise, write_raster

from geo.config import Imagery
from geo.outputs import backdrop as module
from geo.outputs.backdrop import draw_backdrop, too_large

ANY = Imagery(sources=["none"])
EVERYWHERE = (WEST - 1000, NORTH - 2000, WEST + 2000, NORTH + 1000)


def picture(one):
    return np.asarray(Image.open(io.BytesIO(one.webp)).convert("RGBA")).astype(int)


def test_a_mark_on_the_ground_is_where_the_picture_has_it(tmp_path):
    ground = np.full((3, 600, 800), 200, dtype=np.uint8)
    ground[:, 240:260, 500:520] = 10
    images = catalogue(write_raster(tmp_path / "a.tif", ground, pixel=0.5)).images
    drawn = draw_backdrop(images, EVERYWHERE, ANY, 1_000_000)
    (one,) = drawn.pictures
    assert drawn.unread == 0
    assert one.bounds == pytest.approx((WEST, NORTH - 300, WEST + 400, NORTH))
    seen = picture(one)
    assert seen.shape[:2] == (600, 800)
    rows, columns = np.nonzero(seen[..., 0] < 100)
    assert (rows.mean(), columns.mean()) == (pytest.approx(249.5, abs=1), pytest.approx(509.5, abs=1))


def test_the_picture_takes_no_more_than_it_may_and_is_the_same_again(tmp_path):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(1000, 1000), pixel=0.25)).images
    first, second = (draw_backdrop(images, EVERYWHERE, ANY, 20_000).pictures for _ in range(2))
    assert first == second
    assert 8_000 < sum(len(one.webp) for one in first) <= 20_000
    assert draw_backdrop(images, EVERYWHERE, ANY, 0).pictures == []


def test_what_no_raster_shows_is_transparent_and_what_is_not_shown_is_not_drawn(tmp_path):
    light = np.full((3, 200, 200), 180, dtype=np.uint8)
    near = write_raster(tmp_path / "a.tif", light, pixel=1)
    aside = write_raster(tmp_path / "b.tif", light, pixel=1, west=WEST + 200, north=NORTH - 100)
    far = write_raster(tmp_path / "c.tif", light, pixel=1, west=WEST + 900)
    images = catalogue(near, aside, far).images
    (one,) = draw_backdrop(images, (WEST, NORTH - 300, WEST + 500, NORTH), ANY, 1_000_000).pictures
    assert one.bounds == pytest.approx((WEST, NORTH - 300, WEST + 400, NORTH))
    opaque = picture(one)[..., 3] > 127
    assert opaque[:190, :190].all()
    assert opaque[110:290, 210:].all()
    assert not opaque[:90, 210:].any()
    assert not opaque[210:, :190].any()
    assert len(draw_backdrop(images, EVERYWHERE, ANY, 1_000_000).pictures) == 2
    elsewhere = (WEST + 5000, NORTH, WEST + 6000, NORTH + 1000)
    assert draw_backdrop(images, elsewhere, ANY, 1_000_000).pictures == []


def test_many_scattered_rasters_make_few_pictures_that_do_not_overlap():
    rng = np.random.default_rng(1)
    corners = rng.integers(0, 100, (300, 2)) * 300.0
    ground = shapely.union_all(shapely.box(*corners.T, *(corners + 100).T))
    boxes = module._boxes(ground)
    assert len(boxes) <= module.MOST_PICTURES
    shapes = shapely.box(*np.array(boxes).T)
    assert shapely.union_all(shapes).area == pytest.approx(shapely.area(shapes).sum())
    assert shapely.union_all(shapes).contains(ground)


def test_large_rasters_without_smaller_copies_are_left_out(tmp_path, monkeypatch):
    images = catalogue(write_raster(tmp_path / "a.tif", noise(100, 100), pixel=1)).images
    assert not too_large(images)
    monkeypatch.setattr(module, "MOST_READ_PX", 9_999)
    assert too_large(gpd.GeoDataFrame(images))
