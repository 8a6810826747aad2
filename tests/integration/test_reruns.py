"""A change in one place is worked out again in that place alone."""

import geopandas as gpd
import numpy as np
import pandas as pd
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
    folder = run_stages(city, CLOSE, out, last="features").stage_folder("tiles")
    # the tiles of roads and of junctions are shards of their own
    parts = {name: gpd.read_parquet(folder / f"{name}.parquet") for name in ("tiles", "junction_tiles")}
    return pd.concat([tiles.assign(of=name) for name, tiles in parts.items()], ignore_index=True)


def shards(out):
    return {path.name for path in (out / "demo-town" / "stages" / "shards").glob("*.parquet")}


def as_seen(tiles):
    """Give what a tile is, and how it lies."""
    return pd.Series(list(tiles[["tile_id", "x", "y", "bearing"]].itertuples(index=False, name=None)))


def touched(tiles, which):
    return len(tiles.loc[which & (tiles["coverage"] > 0), ["of", "shard"]].drop_duplicates())


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
    before, tiles_before = shards(out), set(as_seen(encode(city, out)))
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
    assert 0 < len(new) == touched(tiles, ~as_seen(tiles).isin(tiles_before)) < len(before)
