"""A change in one place is worked out again in that place alone."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from quick import CLOSE, run_stages

from geo.demo.collisions import ORIGIN


@pytest.fixture(scope="module")
def again(shared, town):
    """A copy of the town that may be changed, whose tiles were encoded once."""
    city, out = shared.copy(town.folder) / "city.yaml", shared.new("again")
    encode(city, out)
    return city, out


def encode(city, out):
    """Encode the tiles, and read them."""
    plan = run_stages(city, CLOSE, out, last="features")
    return gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")


def shards(out):
    return {path.name for path in (out / "demo-town" / "stages" / "shards").glob("*.parquet")}


def touched(tiles, which):
    return tiles.loc[which & (tiles["coverage"] > 0), "shard"].nunique()


def test_a_raster_that_changed_re_encodes_the_shards_on_it_alone(again):
    city, out = again
    before = shards(out)
    assert len(before) >= 6
    path = min((city.parent / "imagery").glob("*.tif"))
    with rasterio.open(path, "r+") as raster:
        pixels = raster.read()
        pixels[:, 100:200, 100:200] = 90
        raster.write(pixels)
    tiles = encode(city, out)
    on_it = tiles["image_ids"].map(lambda names: path.stem in set(names))
    new = shards(out) - before
    assert 0 < len(new) == touched(tiles, on_it) < len(before)


def test_roads_that_changed_re_encode_the_shards_on_them_alone(again):
    city, out = again
    before, tiles_before = shards(out), set(encode(city, out)["tile_id"])
    source = city.parent / "roads.gpkg"
    roads = gpd.read_file(source)
    corner = shapely.box(*(ORIGIN + np.array([0, 600])), *(ORIGIN + np.array([340, 1010])))
    closes = roads.index[roads.within(corner)][:10]
    assert len(closes) >= 5
    moved = roads.geometry.copy()
    moved[closes] = moved[closes].translate(0.4, 0.3)
    roads.set_geometry(moved).to_file(source)
    tiles = encode(city, out)
    new = shards(out) - before
    assert 0 < len(new) == touched(tiles, ~tiles["tile_id"].isin(tiles_before)) < len(before)
