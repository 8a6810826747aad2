"""Turns kept through a run: what is read of them, and that what was declared of them is what is written."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from quick import run_stages

from geo.clusters.whitening.scatter import Scatter
from geo.clusters.whitening.whiten import Whitening
from tasks.earlier import TABLES
from tasks.stages.features import load_encoded_as
from tasks.stages.fingerprints import load_fingerprints, load_looks, load_scatter
from tasks.tables import SHARD, TURN_SCATTER

KEPT = {
    "encoder.input_px": "64",
    "encoder.keep_turns": "true",
    "clusters.turn_whitening": "true",
    "clusters.k": "4",
    "clusters.junctions.k": "3",
}


@pytest.fixture(scope="module")
def plan(town, tmp_path_factory):
    return run_stages(town.city, KEPT, tmp_path_factory.mktemp("turns"), last="package")


def test_shards_and_scatter_are_as_they_are_declared(plan):
    shards = [plan.stages / shard for shard in load_encoded_as(plan).shards]
    for shard in shards:
        SHARD.check(pd.read_parquet(shard))
        assert b"4 quarter turns" in pq.read_schema(shard).metadata[b"emb:turns"]
    frame = TURN_SCATTER.check(TURN_SCATTER.read(plan.stage_folder("fingerprints")))
    tiles = pd.read_parquet(plan.stage_folder("fingerprints") / "tiles.parquet")
    assert Scatter.of_frame(frame).n == 4 * int(tiles["encoded"].sum())
    assert pd.read_parquet(plan.stage_folder("package") / TABLES / "turn_scatter.parquet").equals(frame)


def test_types_are_found_where_fingerprints_are_evened_out(plan):
    found = load_fingerprints(plan)
    looks = load_looks(plan, found.segment_ids)
    by_hand = Whitening.fit(found.vectors, load_scatter(plan)).transform(found.vectors)
    np.testing.assert_allclose(looks, by_hand, rtol=1e-5)
    assert looks.shape == (len(found), 128)
    types = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet")
    assert types["cluster"].nunique() == 4
