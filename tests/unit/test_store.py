"""Shards of embeddings are files that others read without our code."""

import json

import duckdb
import geopandas as gpd
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geo.config import CityConfig
from geo.features.bands import BandStatistics
from geo.features.store import finish, rows
from geo.imagery.reading.reader import TileImage


@pytest.fixture
def shard(tmp_path):
    """Three tiles with vectors and one without, written as a run writes them."""
    rng = np.random.default_rng(0)
    tiles = [
        TileImage(
            f"t{i}", *[rng.integers(0, 255, (3, 8, 8), dtype=np.uint8), np.ones((8, 8), bool)], name, 1.0
        )
        for i, name in ((2, "b"), (0, "a;b"), (1, "a"))
    ]
    bare = [TileImage("t3", np.zeros((3, 8, 8), np.uint8), np.zeros((8, 8), bool), "", 0.0)]
    encoder = BandStatistics()
    vectors = encoder.encode([t.pixels for t in tiles], [t.valid for t in tiles])
    places = gpd.GeoDataFrame(
        {"tile_id": ["t0", "t1", "t2", "t3"], "x": [10.0, 20.0, 30.0, 40.0], "y": 5.0},
        geometry=shapely.points(np.zeros((4, 2))),
        crs="EPSG:27700",
    )
    config = CityConfig.model_validate(
        {"city": "x", "imagery": {"sources": ["a.tif"]}, "roads": {"source": "r.gpkg"}}
    )
    table = pa.concat_tables([rows(tiles, encoder, vectors, vectors), rows(bare, encoder)])
    path = tmp_path / "shard.parquet"
    pq.write_table(finish(table, places, encoder, config), path, compression="zstd")
    return path, dict(zip([t.tile_id for t in tiles], vectors, strict=True))


def test_polars_reads_it(shard):
    path, vectors = shard
    table = pl.read_parquet(path)
    assert table["tile_id"].to_list() == ["t0", "t1", "t2", "t3"]
    assert table["x"].to_list() == [10, 20, 30, 40]
    assert table.schema["embedding"] == pl.Array(pl.Float32, BandStatistics().card.dimension)
    np.testing.assert_array_equal(table["embedding"][2], vectors["t2"])
    assert table["embedding"][3] is None


def test_duckdb_searches_it(shard):
    path, vectors = shard
    found = duckdb.execute(
        "SELECT tile_id, array_distance(embedding::FLOAT[21], ?::FLOAT[21]) AS far FROM read_parquet(?) "
        "WHERE coverage > 0 ORDER BY far",
        [vectors["t1"].tolist(), str(path)],
    ).fetchall()
    assert found[0] == ("t1", 0)
    assert len(found) == 3


def test_the_metadata_says_what_the_embeddings_are(shard):
    about = {k.decode(): v.decode() for k, v in pq.read_schema(shard[0]).metadata.items()}
    assert about["emb:type"] == "chip"
    assert int(about["emb:dimensions"]) == BandStatistics().card.dimension
    assert about["data_type"] == "float32"
    assert json.loads(about["emb:chip_layout"])["chip_size_m"] == 100
    assert json.loads(about["emb:quantization"])["method"] == "none"
    assert json.loads(about["emb:source-data"]) == ["a", "b"]
    assert json.loads(about["emb:preprocessing"])["std"] == [1, 1, 1]
    assert "British National Grid" in about["proj:wkt2"]
