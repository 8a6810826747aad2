"""Shares of ground about roads, and the map as a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import shapely
from scipy.ndimage import distance_transform_edt

from geo.ground.contract import GroundClass
from geo.ground.raster import MapGrid, write_map
from geo.ground.shares import FARTHEST_M, Places, count_near, count_unseen, find_near, lay_out

EAST = shapely.LineString([(0, 100), (200, 100)])
IDS = np.array(["road"], dtype=object)
KEYS = {1: "1", 2: "trees"}
NAMED = (GroundClass(1, "1", "", "#CC6677", "found"), GroundClass(2, "trees", "Trees", "#117733", "labels"))


def measured(
    classes: np.ndarray, shapes: list[shapely.Geometry], ids: np.ndarray, places: Places
) -> pd.DataFrame:
    shaped = np.array(shapes, dtype=object)
    return count_near(find_near(places, shaped, FARTHEST_M), classes, ids)


def grid(side: float = 1.0) -> Places:
    n = round(200 / side)
    return Places(0.0, 200.0, n, n, side)


def test_a_lane_is_all_of_the_first_band_and_nothing_of_the_others() -> None:
    """Class 1 lies within 6 m of the line, class 2 beyond: bands of 6, 9 and 15 m to each side."""
    places = grid()
    y = 200 - (np.arange(200) + 0.5)
    classes = np.broadcast_to(np.where(np.abs(y - 100) < 6, 1, 2)[:, None], (200, 200)).astype(np.uint8)
    found = lay_out(measured(classes, [EAST], IDS, places), KEYS, "segment_id").iloc[0]
    assert found["ground_1_0_6m"] == found["ground_trees_6_15m"] == found["ground_trees_15_30m"] == 1
    assert found["ground_1_6_15m"] == found["ground_unknown_0_6m"] == 0


@pytest.mark.parametrize("side", [0.5, 2.0])
def test_places_of_a_band_are_as_many_as_its_ground(side: float) -> None:
    slanted = shapely.LineString([(40, 71), (90, 93), (150, 128)])
    counts = measured(np.ones((grid(side).rows,) * 2, np.uint8), [slanted], IDS, grid(side))
    ground = counts.set_index("band")["places"] * side**2
    within = [slanted.buffer(reach, quad_segs=64).area for reach in (0.001, 6, 15, 30)]
    assert ground.tolist() == pytest.approx(np.diff(within), rel=0.03)


def test_distances_are_those_of_a_distance_transform() -> None:
    rng = np.random.default_rng(0)
    line = shapely.LineString(rng.uniform(40, 160, (5, 2)))
    places = grid()
    near = find_near(places, np.array([line]), FARTHEST_M)
    burnt = np.zeros((2000, 2000), dtype=bool)
    along = shapely.line_interpolate_point(line, np.arange(0, line.length, 0.02))
    burnt[((200 - shapely.get_y(along)) * 10).astype(int), (shapely.get_x(along) * 10).astype(int)] = True
    theirs = distance_transform_edt(~burnt)[5::10, 5::10] / 10
    mine = np.full((200, 200), np.inf)
    mine.ravel()[near.place] = near.distance
    clear = np.abs(theirs - FARTHEST_M) > 0.2
    assert ((mine <= FARTHEST_M) == (theirs <= FARTHEST_M))[clear].all()
    inside = np.isfinite(mine)
    assert np.allclose(mine[inside], theirs[inside], atol=0.2)


def test_ground_that_was_not_read_counts_as_unknown() -> None:
    """Imagery ends at the middle of the road: half of each band is known, and all shares add up to 1."""
    west, east = Places(0.0, 200.0, 200, 100, 1.0), Places(100.0, 200.0, 200, 100, 1.0)
    counts = measured(np.ones((200, 100), np.uint8), [EAST], IDS, west)
    unseen = count_unseen(IDS, np.array([EAST]), [east])
    found = lay_out(pd.concat([counts, unseen]), KEYS, "segment_id")
    for band in ("0_6m", "6_15m", "15_30m"):
        assert found[f"ground_1_{band}"].iloc[0] == found[f"ground_known_{band}"].iloc[0] == 0.5
        parts = found[[f"ground_{what}_{band}" for what in ("1", "trees", "unknown")]]
        assert parts.sum(axis=1).iloc[0] == 1


def test_a_band_of_which_nothing_is_known_has_no_shares() -> None:
    places = grid()
    y = 200 - (np.arange(200) + 0.5)
    classes = np.broadcast_to(np.where(np.abs(y - 100) < 6, 1, 0)[:, None], (200, 200)).astype(np.uint8)
    far = shapely.LineString([(0, 190), (200, 190)])
    ids = np.array(["road", "dark"], dtype=object)
    found = lay_out(measured(classes, [EAST, far], ids, places), KEYS, "segment_id")
    assert found["segment_id"].tolist() == ["road"]
    assert found[["ground_1_6_15m", "ground_trees_15_30m"]].isna().all(axis=None)
    assert found[["ground_known_6_15m", "ground_known_15_30m"]].eq(0).all(axis=None)


def test_the_bands_of_a_roundabout_begin_at_its_rim() -> None:
    """A disc of 20 m of class 1: all of it is nearer than 6 m to the roundabout, which it is."""
    places = grid()
    disc = shapely.Point(100, 100).buffer(20)
    x = np.arange(200) + 0.5
    classes = np.where(np.hypot(*np.meshgrid(x - 100, x - 100)) < 20, 1, 2).astype(np.uint8)
    found = lay_out(measured(classes, [disc], IDS, places), KEYS, "junction_id").iloc[0]
    assert found["ground_1_0_6m"] == pytest.approx(20**2 / 26**2, abs=0.01)
    assert found["ground_1_6_15m"] == 0


def test_nothing_read_gives_a_table_of_no_rows() -> None:
    counts = count_unseen(IDS[:0], np.array([], dtype=object), [])
    assert lay_out(counts, KEYS, "segment_id").empty
    assert "ground_trees_0_6m" in lay_out(counts, KEYS, "segment_id")


def drawn(path: Path) -> np.ndarray:
    """Write a map of two parts with a gap between them."""
    rng = np.random.default_rng(0)
    parts = [Places(0.0, 2000.0, 600, 600, 2.0), Places(2400.0, 1000.0, 600, 600, 2.0)]
    numbers = [rng.integers(0, 3, (600, 600), dtype=np.uint8) for _ in parts]
    write_map(path, MapGrid.about(parts), zip(parts, numbers, strict=True), NAMED, pyproj.CRS(27700))
    whole = np.zeros((1100, 1800), dtype=np.uint8)
    whole[:600, :600], whole[500:, 1200:] = numbers
    return whole


def test_a_map_is_read_as_it_was_written_wherever_its_parts_lie(tmp_path: Path) -> None:
    whole = drawn(tmp_path / "ground.tif")
    with rasterio.open(tmp_path / "ground.tif") as raster:
        assert (raster.read(1) == whole).all()
        assert (raster.nodata, raster.crs.to_epsg(), raster.res) == (0, 27700, (2.0, 2.0))
        assert tuple(raster.bounds) == (0, -200, 3600, 2000)
        assert raster.colormap(1)[2] == (0x11, 0x77, 0x33, 255)
        assert raster.colormap(1)[0][3] == 0
        assert raster.tags(1)["class_2"] == "Trees"
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.overviews(1)[0] == 2


def test_an_overview_shows_what_most_of_its_places_are(tmp_path: Path) -> None:
    parts = [Places(0.0, 1024.0, 1024, 1024, 1.0)]
    numbers = np.tile(np.array([[1, 1], [1, 2]], dtype=np.uint8), (512, 512))
    write_map(tmp_path / "m.tif", MapGrid.about(parts), [(parts[0], numbers)], NAMED, pyproj.CRS(27700))
    with rasterio.open(tmp_path / "m.tif", overview_level=0) as half:
        assert set(np.unique(half.read(1))) == {1}


def test_the_same_map_is_the_same_bytes(tmp_path: Path) -> None:
    drawn(tmp_path / "one.tif")
    drawn(tmp_path / "two.tif")
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "two.tif").read_bytes()
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["one.tif", "two.tif"]
