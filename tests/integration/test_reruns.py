"""A change in one place is worked out again in that place alone."""

import shutil

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from geo.demo.collisions import ORIGIN
from tasks.planning import make_plan

DENSE = ("--set", "encoder.name=bands", "--set", "tiles.spacing_m=20")


@pytest.fixture(scope="module")
def again(town, tmp_path_factory):
    """A copy of the town that may be changed, run once."""
    from flows.cli import main

    folder = tmp_path_factory.mktemp("again")
    shutil.copytree(town.folder, folder / "town")
    city, out = folder / "town" / "city.yaml", folder / "runs"
    assert main(["run", str(city), "--out", str(out), *DENSE]) == 0
    return city, out


def shards(out):
    return {path.name for path in (out / "demo-town" / "stages" / "shards").glob("*.parquet")}


def tiles_of(city, out):
    plan = make_plan(city, {"encoder.name": "bands", "tiles.spacing_m": "20"}, out)
    return gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")


def touched(tiles, which):
    return tiles.loc[which & (tiles["coverage"] > 0), "shard"].nunique()


def test_a_raster_that_changed_re_encodes_the_shards_on_it_alone(again, call):
    city, out = again
    before = shards(out)
    assert len(before) >= 6
    path = min((city.parent / "imagery").glob("*.tif"))
    with rasterio.open(path, "r+") as raster:
        pixels = raster.read()
        pixels[:, 100:200, 100:200] = 90
        raster.write(pixels)
    assert call("run", city, "--out", out, *DENSE).code == 0
    tiles = tiles_of(city, out)
    on_it = tiles["image_ids"].map(lambda names: path.stem in set(names))
    new = shards(out) - before
    assert 0 < len(new) == touched(tiles, on_it) < len(before)


def test_roads_that_changed_re_encode_the_shards_on_them_alone(again, call):
    city, out = again
    before, tiles_before = shards(out), set(tiles_of(city, out)["tile_id"])
    source = city.parent / "roads.gpkg"
    roads = gpd.read_file(source)
    corner = shapely.box(*(ORIGIN + np.array([0, 600])), *(ORIGIN + np.array([340, 1010])))
    closes = roads.index[roads.within(corner)][:10]
    assert len(closes) >= 5
    moved = roads.geometry.copy()
    moved[closes] = moved[closes].translate(0.4, 0.3)
    roads.set_geometry(moved).to_file(source)
    assert call("run", city, "--out", out, *DENSE).code == 0
    tiles = tiles_of(city, out)
    new = shards(out) - before
    assert 0 < len(new) == touched(tiles, ~tiles["tile_id"].isin(tiles_before)) < len(before)
