"""Which decoded blocks are kept: those that are needed again soonest."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasters import NORTH, WEST, catalogue, noise, tiles_at, write_raster

from geo.config import Imagery, Tiles
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.blocks import Block, BlockStore
from geo.imagery.reading.reader import TileReader, reach
from geo.imagery.reading.schedule import CELLS_PER_TILE, NEVER, ReadingOrder, next_need
from geo.tiles.shards import assign_shards

CITY = pyproj.CRS("EPSG:26986")
KB = Block(np.zeros((1, 32, 32), dtype=np.uint8), None)


def schedule_of(centres, shards, reach_m=50.0):
    frame = pd.DataFrame(centres, columns=["x", "y"], dtype=float).assign(shard=shards)
    return ReadingOrder(frame, reach_m=reach_m, crs=CITY)


@given(
    st.lists(st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)), min_size=1, max_size=30),
    st.tuples(st.integers(-2500, 2500), st.integers(-2500, 2500), st.integers(1, 900), st.integers(1, 900)),
    st.integers(5, 300),
)
def test_no_shard_that_needs_the_ground_is_forgotten_and_none_far_from_it_named(centres, box, reach_m):
    xy = np.array(centres, dtype=float)
    shards = assign_shards(pd.DataFrame(xy, columns=["x", "y"]), tiles_per_shard=3)
    schedule = schedule_of(xy, shards, reach_m)
    bounds = box[0], box[1], box[0] + box[2], box[1] + box[3]
    gap = np.maximum(0, np.maximum(xy - bounds[2:], bounds[:2] - xy)).max(axis=1)
    place = shards.map(schedule.order).to_numpy()
    named = set(schedule.needed_by(bounds, CITY.to_wkt()))
    assert set(place[gap < reach_m].tolist()) <= named
    assert named <= set(place[gap <= reach_m + 2 * reach_m / CELLS_PER_TILE].tolist())


def test_ground_is_found_from_another_crs():
    schedule = schedule_of([(230_000.0, 900_000.0)], ["125_1_1"])
    degrees = gpd.GeoSeries.from_xy([230_000.0], [900_000.0], crs=CITY).to_crs(4326).iloc[0]
    bounds = degrees.x - 1e-5, degrees.y - 1e-5, degrees.x + 1e-5, degrees.y + 1e-5
    assert schedule.needed_by(bounds, pyproj.CRS(4326).to_wkt()) == [0]
    assert schedule.needed_by((10.0, 50.0, 10.1, 50.1), pyproj.CRS(4326).to_wkt()) == []


def test_the_next_need_is_the_first_from_now_on():
    assert [next_need([2, 5], now) for now in (0, 2, 3, 6)] == [2, 2, 5, NEVER]
    assert next_need([], 0) == NEVER


def test_what_no_later_shard_needs_makes_room_first_and_then_what_is_needed_last():
    # three shards from west to east; 'a' is of the first alone, 'c' of the third, 'b' of the second
    schedule = schedule_of([(0, 0), (4000, 0), (8000, 0)], ["4000_0_0", "4000_1_0", "4000_2_0"])
    first, second, third = (shard for shard in schedule.order)
    at = {shard: (4000.0 * int(shard.split("_")[1]), 0.0) for shard in schedule.order}
    store = BlockStore(3.5 * KB.nbytes / 2**20, schedule)
    decoded = []

    def get(name, shard):
        x, y = at[shard]

        def decode():
            decoded.append(name)
            return KB

        store.get(name, decode, lambda: ((x - 1, y - 1, x + 1, y + 1), CITY.to_wkt()))

    with store.during(first):
        for name, shard in (("third", third), ("first", first), ("second", second)):
            get(name, shard)
        get("first too", first)
    # one had to go: that of the third shard, though others were used longer ago
    with store.during(second):
        get("second", second)
        get("second too", second)
        get("first again", first)
    assert decoded == ["third", "first", "second", "first too", "second too", "first again"]
    with store.during(third):
        get("third", third)
    assert decoded[-1] == "third"


@pytest.mark.parametrize("scheduled", [True, False])
def test_shards_decode_shared_blocks_once_in_a_third_of_the_memory_if_they_know_the_order(
    tmp_path, scheduled
):
    side = 2048
    path = write_raster(tmp_path / "a.tif", noise(side, side), tiled=True, blockxsize=256, blockysize=256)
    settings = Tiles(tile_m=100)
    points = np.random.default_rng(0).uniform(60, side - 60, (600, 2)) * [1, -1] + [WEST, NORTH]
    frame = tiles_at(points, settings)
    frame["shard"] = assign_shards(frame[["x", "y"]], tiles_per_shard=60)
    images = catalogue(path).images
    frame = frame.join(cover_tiles(frame, images))
    schedule = ReadingOrder(frame, reach_m=reach(settings), crs=frame.crs)
    # 64 blocks make the raster
    store = BlockStore(22 * 3 * 256 * 256 / 2**20, schedule if scheduled else None)
    for shard in schedule.order:
        with (
            store.during(shard),
            TileReader(images, Imagery(sources=["none"]), settings, store=store) as reader,
        ):
            list(reader.read(frame[frame["shard"] == shard]))
    assert len(schedule.order) >= 16
    assert store.decoded == 64 if scheduled else store.decoded > 64
