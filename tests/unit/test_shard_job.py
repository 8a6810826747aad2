"""A shard's work: its file, its account, and an end in the middle that leaves neither."""

from dataclasses import replace

import geopandas as gpd
import pyarrow.parquet as pq
import pytest
import shapely
from rasters import CITY, NORTH, WEST, catalogue, noise, tiles_at, write_raster

from geo.config import CityConfig
from geo.errors import RoadprintError, SourceError
from geo.imagery.cover import cover_tiles
from tasks.shards import encode
from tasks.shards.encode import ShardJob, encode_shard
from tasks.store.code import code_digest

ENCODER = {"tile": "bands", "dense": "bundled"}
POOL = {"tile": "square", "dense": "corridor"}


def make_job(tmp_path, mode):
    """Three tiles on a raster, on whose edge the last one lies, and one beside it that is of another shard."""
    config = CityConfig.model_validate(
        {
            "city": "x",
            "imagery": {"sources": ["a.tif"]},
            "roads": {"source": "r.gpkg"},
            "tiles": {"tile_m": 32, "min_coverage": 0.9, "mode": mode, "pool": POOL[mode]},
            "encoder": {"name": ENCODER[mode], "rotations": 1},
        }
    )
    images = catalogue(write_raster(tmp_path / "a.tif", noise(200, 200))).images
    places = [(WEST + x, NORTH - y) for x, y in ((40, 60), (120, 60), (196, 60), (60, 150))]
    tiles = tiles_at(places, config.tiles).assign(
        shard=["200_1_1", "200_1_1", "200_1_1", "200_1_2"], segment_id="road"
    )
    tiles = tiles.join(cover_tiles(tiles, images))
    line = shapely.LineString([(WEST, NORTH - 60), (WEST + 200, NORTH - 60)])
    segments = gpd.GeoDataFrame({"segment_id": ["road"]}, geometry=[line], crs=CITY)
    for name, table in (("tiles", tiles), ("images", images), ("segments", segments)):
        table.to_parquet(tmp_path / f"{name}.parquet")
    return ShardJob(
        shard="200_1_1",
        **{name: tmp_path / f"{name}.parquet" for name in ("tiles", "images", "segments")},
        out=tmp_path / "results" / "shards" / "shard-1.parquet",
        n_tiles=3,
        config=config,
        code=code_digest("tasks.shards.encode"),
    )


@pytest.mark.parametrize("mode", ["tile", "dense"])
def test_a_shard_is_written_whole_once_with_an_account_of_its_tiles(tmp_path, mode):
    job = make_job(tmp_path, mode)
    assert not job.is_done()
    account = encode_shard(job)
    assert {(e.item, e.status): e.count for e in account} == {("tiles", "done"): 2, ("tiles", "skipped"): 1}
    found = pq.read_table(job.out)
    assert found["tile_id"].to_pylist() == ["t0000", "t0001", "t0002"]
    assert [vector is not None for vector in found["embedding"].to_pylist()] == [True, True, False]
    assert job.is_done()
    written = job.out.stat().st_mtime_ns
    assert encode_shard(job) == account
    assert job.out.stat().st_mtime_ns == written


def test_a_shard_that_is_ended_leaves_nothing_and_can_be_done_after(tmp_path):
    job = make_job(tmp_path, "tile")
    encode.stop()
    try:
        with pytest.raises(RoadprintError, match="ended"):
            encode_shard(job)
    finally:
        encode.go_on()
    assert not job.out.exists()
    assert not job.is_done()
    encode_shard(job)
    assert job.is_done()


def test_a_worker_with_other_code_or_libraries_leaves_no_shard(tmp_path):
    job = replace(make_job(tmp_path, "tile"), code="that of the machine that runs the city")
    with pytest.raises(SourceError, match="not the one that the run was planned with"):
        encode_shard(job)
    assert not job.out.exists()
    assert not job.account.exists()


@pytest.mark.parametrize("mode", ["tile", "dense"])
def test_tiles_of_junctions_are_encoded_as_those_of_roads_are(tmp_path, mode):
    """Into a file of their own; in the dense mode their whole square is pooled, whatever corridors roads have."""
    job = make_job(tmp_path, mode)
    tiles = gpd.read_parquet(job.tiles)
    at = tiles[tiles["tile_id"] == "t0000"].drop(columns="segment_id").assign(tile_id="j-00", junction_id="j")
    at.to_parquet(tmp_path / "junction_tiles.parquet")
    beside = replace(
        job, tiles=tmp_path / "junction_tiles.parquet", out=job.out.with_name("shard-2.parquet"), n_tiles=1
    )
    encode_shard(job)
    account = encode_shard(beside)
    assert {(e.item, e.status): e.count for e in account} == {("tiles", "done"): 1}
    found, roads = (pq.read_table(one.out).to_pylist() for one in (beside, job))
    assert found[0]["tile_id"] == "j-00"
    assert (found[0]["embedding"] == roads[0]["embedding"]) == (mode == "tile")
