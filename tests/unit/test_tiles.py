"""Where tiles lie, which shard they belong to, and the algebra of their windows."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio.transform
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import Tiles
from geo.errors import LayerError
from geo.tiles.along import place_tiles
from geo.tiles.grid import PixelWindow, map_pixels, pixel_count
from geo.tiles.shards import assign_shards

CITY = "EPSG:26986"


def segments(*lines):
    ids = [f"{i:016x}" for i in range(len(lines))]
    return gpd.GeoDataFrame({"segment_id": ids}, geometry=[shapely.LineString(c) for c in lines], crs=CITY)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def points(rng, count, low, high):
    return pd.DataFrame(rng.uniform(low, high, (count, 2)), columns=["x", "y"])


walks = st.lists(
    st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=2, max_size=6, unique=True
).filter(lambda c: shapely.LineString(c).length > 1)


@pytest.mark.parametrize(
    ("length", "count"), [(0.5, 1), (20, 1), (74, 1), (76, 2), (100, 2), (126, 3), (200, 4)]
)
def test_a_segment_has_a_tile_for_each_spacing_and_never_none(length, count):
    placed = place_tiles(segments([(0, 0), (length, 0)]), Tiles(spacing_m=50))
    assert len(placed) == count
    np.testing.assert_allclose(placed["position_m"], (np.arange(count) + 0.5) * length / count)


def test_the_one_tile_of_a_short_segment_lies_at_its_middle():
    placed = place_tiles(segments([(0, 0), (6, 0), (6, 6)]), Tiles())
    assert placed[["x", "y"]].to_numpy().tolist() == [[6, 0]]


@settings(deadline=None)
@given(walks, st.floats(5, 120))
def test_tiles_lie_on_their_segment_evenly(walk, spacing):
    line = shapely.LineString(walk)
    placed = place_tiles(segments(walk), Tiles(spacing_m=spacing))
    centres = shapely.points(placed["x"], placed["y"])
    assert shapely.distance(centres, line).max() < 1e-6
    gaps = np.diff([0.0, *placed["position_m"], line.length])
    np.testing.assert_allclose(gaps[[0, -1]], gaps[1:-1].mean() / 2 if len(gaps) > 2 else line.length / 2)
    if len(placed) > 1:
        assert ((gaps[1:-1] >= spacing * 2 / 3 - 1e-9) & (gaps[1:-1] <= spacing * 3 / 2 + 1e-9)).all()


@pytest.mark.parametrize(
    ("end", "bearing"),
    [((0, 9), 0), ((9, 9), 45), ((9, 0), 90), ((0, -9), 180), ((-9, 0), 270), ((-9, 9), 315)],
)
def test_a_bearing_is_clockwise_from_north(end, bearing):
    assert place_tiles(segments([(0, 0), end]), Tiles())["bearing"].item() == pytest.approx(bearing)


def test_a_bearing_at_a_right_angle_is_the_mean_of_both_arms():
    assert place_tiles(segments([(0, 0), (0, 10), (10, 10)]), Tiles())["bearing"].item() == pytest.approx(45)


def test_a_bearing_just_west_of_north_stays_below_360():
    bearing = place_tiles(segments([(0, 0), (-1e-15, 9)]), Tiles())["bearing"].item()
    assert 0 <= bearing < 360


def test_a_hairpin_has_the_bearing_of_its_way_on():
    placed = place_tiles(segments([(0, 0), (0, 10), (0, 0)]), Tiles())
    assert placed["bearing"].item() == pytest.approx(180)


@settings(deadline=None)
@given(walks)
def test_every_bearing_is_a_bearing(walk):
    bearing = place_tiles(segments(walk, [*walk, walk[0]]), Tiles(spacing_m=7))["bearing"]
    assert ((bearing >= 0) & (bearing < 360)).all()


@settings(deadline=None)
@given(walks, st.floats(10, 200))
def test_footprints_are_squares_about_their_centres(walk, side):
    for align in ("north", "road"):
        placed = place_tiles(segments(walk), Tiles(tile_m=side, align=align))
        np.testing.assert_allclose(placed.geometry.area, side**2)
        np.testing.assert_allclose(placed.geometry.centroid.get_coordinates(), placed[["x", "y"]], atol=1e-6)


def test_north_footprints_lie_along_the_grid_and_road_footprints_along_the_road():
    road = segments([(0, 0), (30, 40)])
    north = place_tiles(road, Tiles(tile_m=100)).geometry.item()
    assert north.equals(shapely.box(15 - 50, 20 - 50, 15 + 50, 20 + 50))
    turned = place_tiles(road, Tiles(tile_m=100, align="road")).geometry.item()
    ahead = shapely.Point(15 + 0.6 * 50, 20 + 0.8 * 50)
    assert turned.exterior.distance(ahead) < 1e-9
    assert turned.contains(shapely.Point(15 + 0.6 * 49, 20 + 0.8 * 49))
    assert not turned.contains(shapely.Point(15, 20 + 65))
    # a diagonal of the square points to neither side of the road
    assert turned.exterior.distance(shapely.Point(15 + 0.8 * 50, 20 - 0.6 * 50)) < 1e-9


def test_tiles_do_not_depend_on_the_order_of_segments():
    frame = segments([(0, 0), (130, 0)], [(0, 9), (0, 300)], [(5, 5), (9, 9)])
    placed = place_tiles(frame, Tiles())
    pd.testing.assert_frame_equal(placed, place_tiles(frame.iloc[[2, 0, 1]], Tiles()))
    assert placed["tile_id"].is_unique
    assert placed["tile_id"].iloc[0] == "0000000000000000-00"


def test_tiles_are_not_measured_in_degrees():
    with pytest.raises(LayerError, match="WGS 84"):
        place_tiles(segments([(0, 0), (1, 1)]).to_crs(4326), Tiles())


def test_no_segments_make_no_tiles():
    placed = place_tiles(segments([(0, 0), (1, 1)]).iloc[:0], Tiles())
    assert len(placed) == 0
    assert len(assign_shards(placed, tiles_per_shard=400)) == 0


def test_a_shard_holds_no_more_tiles_than_asked_and_keeps_to_its_cell(rng):
    tiles = pd.concat([points(rng, 3000, -2000, 9000), points(rng, 2000, 0, 1500)], ignore_index=True)
    shard = assign_shards(tiles, tiles_per_shard=100)
    assert shard.notna().all()
    assert shard.value_counts().max() <= 100
    side, column, row = (shard.str.split("_").str[i].astype(int) for i in range(3))
    assert ((tiles["x"] >= side * column) & (tiles["x"] < side * (column + 1))).all()
    assert ((tiles["y"] >= side * row) & (tiles["y"] < side * (row + 1))).all()


def test_shards_are_cut_no_further_than_needed():
    tiles = pd.DataFrame({"x": [10.0, 3990.0], "y": [10.0, 3990.0]})
    assert assign_shards(tiles, tiles_per_shard=2).tolist() == ["4000_0_0", "4000_0_0"]
    assert assign_shards(tiles, tiles_per_shard=1).tolist() == ["2000_0_0", "2000_1_1"]


def test_tiles_added_elsewhere_leave_a_shard_as_it_was(rng):
    before = points(rng, 2000, 0, 8000)
    more = pd.concat([points(rng, 5000, 12000, 20000), before], ignore_index=True)
    after = assign_shards(more, tiles_per_shard=400).iloc[5000:]
    assert after.tolist() == assign_shards(before, tiles_per_shard=400).tolist()


def test_a_shard_does_not_depend_on_the_order_of_tiles(rng):
    tiles = points(rng, 2000, 0, 3000)
    shuffled = tiles.sample(frac=1, random_state=1)
    again = assign_shards(shuffled, tiles_per_shard=400).sort_index()
    pd.testing.assert_series_equal(again, assign_shards(tiles, tiles_per_shard=400))


def test_more_tiles_at_one_spot_than_a_shard_should_hold_stay_together():
    tiles = pd.DataFrame({"x": np.full(500, 7.0), "y": np.full(500, -7.0)})
    assert assign_shards(tiles, tiles_per_shard=10).tolist() == ["125_0_-1"] * 500


windows = st.builds(
    PixelWindow, st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 60), st.integers(1, 60)
)


@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(1, 40), st.integers(1, 40))
def test_a_window_is_centred_within_half_a_pixel(col, row, height, width):
    window = PixelWindow.about(col, row, height=height, width=width)
    assert window.shape == (height, width)
    assert abs(window.row + height / 2 - row) <= 0.5 + 1e-12
    assert abs(window.col + width / 2 - col) <= 0.5 + 1e-12


@given(windows, st.integers(-9, 9), st.integers(-9, 9))
def test_a_shift_and_its_reverse_are_nothing(window, rows, cols):
    assert window.shifted(rows=rows, cols=cols).shifted(rows=-rows, cols=-cols) == window


@given(windows, windows)
def test_two_windows_share_the_pixels_that_lie_in_both(one, other):
    def pixels(window):
        return {(r, c) for r in range(*window.ranges[0]) for c in range(*window.ranges[1])}

    shared = one.intersection(other)
    assert (set() if shared is None else pixels(shared)) == pixels(one) & pixels(other)
    assert shared == other.intersection(one)


@given(windows, st.integers(1, 40), st.integers(1, 40))
def test_a_clipped_read_laid_into_its_window_equals_a_padded_raster(window, height, width):
    raster = np.arange(1, height * width + 1).reshape(height, width)
    laid = np.zeros(window.shape, dtype=int)
    part = window.clip(height=height, width=width)
    if part is not None:
        whole = PixelWindow(0, 0, height, width)
        laid[part.slices_in(window)] = raster[part.slices_in(whole)]
    padded = np.pad(raster, 120)
    (top, bottom), (left, right) = window.ranges
    np.testing.assert_array_equal(laid, padded[120 + top : 120 + bottom, 120 + left : 120 + right])


def test_a_window_does_not_stand_in_one_that_does_not_enclose_it():
    with pytest.raises(ValueError, match="does not lie within"):
        PixelWindow(0, 0, 5, 5).slices_in(PixelWindow(1, 0, 5, 5))


small = st.builds(PixelWindow, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9), st.integers(1, 9))


@settings(deadline=None)
@given(small, st.integers(1, 7), st.integers(1, 7))
def test_the_blocks_of_a_window_are_those_that_share_pixels_with_it(window, height, width):
    rows, cols = window.blocks(height=height, width=width)
    touched = {
        (r, c)
        for r in range(-10, 20)
        for c in range(-10, 20)
        if window.intersection(PixelWindow(r * height, c * width, height, width)) is not None
    }
    assert {(r, c) for r in rows for c in cols} == touched


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 50), st.floats(0, 50), st.integers(0, 3))
def test_an_enclosing_window_leaves_the_margin_on_each_side(left, top, width, height, margin):
    window = PixelWindow.enclosing(left, top, left + width, top + height, margin=margin)
    assert window.col <= left - margin
    assert window.row <= top - margin
    assert window.col + window.width >= left + width + margin
    assert window.row + window.height >= top + height + margin


def test_a_window_has_pixels():
    with pytest.raises(ValueError, match="at least one pixel"):
        PixelWindow(0, 0, 0, 4)


def test_pixel_coordinates_are_those_of_rasterio():
    transform = rasterio.transform.from_origin(230486, 893772, 0.3, 0.3)
    assert map_pixels(transform, 10.0, 4.0) == rasterio.transform.xy(transform, 4, 10, offset="ul")


def test_noise_of_a_change_of_crs_does_not_cost_a_tile_its_last_pixel():
    assert pixel_count(100.5, 1.0) == pixel_count(100.5, 1 + 1e-12) == pixel_count(100.5, 1 - 1e-12) == 101
    assert pixel_count(0.1, 30) == 1
