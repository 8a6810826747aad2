"""A fingerprint is one vector a segment, pooled from its tiles, in a table that others can read."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import shapely

from geo.errors import LayerError
from geo.features.fingerprints import fingerprint, read_fingerprints, write_fingerprints

ABOUT = {b"emb:type": b"chip", b"emb:dimensions": b"4", b"emb:model": b"{}"}


@pytest.fixture
def tiles():
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "tile_id": ["b-0", "a-0", "a-1"],
            "segment_id": ["b", "a", "a"],
            "coverage": [0.5, 1.0, 0.6],
            "embedding": list(rng.normal(size=(3, 4)).astype(np.float32)),
            "bands": list(rng.random((3, 2)).astype(np.float32)),
        }
    )


@pytest.fixture
def segments():
    lines = shapely.linestrings([[(0, 0), (0, 9)], [(0, 0), (9, 0)], [(9, 9), (0, 9)]])
    return gpd.GeoDataFrame({"segment_id": ["c", "a", "b"]}, geometry=lines, crs=27700)


def test_a_fingerprint_is_the_mean_of_tiles_of_length_one_by_coverage(tiles):
    found = fingerprint(tiles)
    assert found.segment_ids.tolist() == ["a", "b"]
    one, two = (v / np.linalg.norm(v) for v in tiles["embedding"].iloc[1:].to_numpy())
    np.testing.assert_allclose(found.vectors[0], (one + 0.6 * two) / 1.6, rtol=1e-6)
    assert found.n_tiles.tolist() == [2, 1]
    assert found.coverage.tolist() == [0.8, 0.5]


def test_what_is_written_is_read_again_to_the_bit(tiles, segments, tmp_path):
    found = fingerprint(tiles)
    write_fingerprints(tmp_path / "f.parquet", found, segments, ABOUT)
    again = read_fingerprints(tmp_path / "f.parquet")
    assert again.segment_ids.equals(found.segment_ids)
    for name in ("vectors", "bands", "n_tiles", "coverage"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))


def test_others_read_it_as_geoparquet_and_as_lists_of_one_length(tiles, segments, tmp_path):
    path = tmp_path / "f.parquet"
    write_fingerprints(path, fingerprint(tiles), segments, ABOUT)
    frame = gpd.read_parquet(path)
    assert frame.crs.to_epsg() == 27700
    assert frame.geometry.iloc[0].equals(segments.geometry.iloc[1])
    assert pl.read_parquet(path).schema["vector"] == pl.Array(pl.Float32, 4)
    told = pq.read_schema(path).metadata
    assert told[b"emb:dimensions"] == b"4"
    assert json.loads(told[b"geo"])["version"] == "1.1.0"


def test_segments_of_which_nothing_was_seen_are_null(tiles):
    found = fingerprint(tiles)
    onto = found.bands_of(pd.Index(["c", "b"]))
    assert np.isnan(onto[0]).all()
    np.testing.assert_array_equal(onto[1], found.bands[1].astype(float))


def test_without_a_tile_there_is_none_and_it_says_so(tiles):
    with pytest.raises(LayerError, match="not one tile"):
        fingerprint(tiles.iloc[:0])
