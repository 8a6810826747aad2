"""Turns kept through a run: what is read of them, and that what was declared of them is what is written."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from quick import FEW

from geo.clusters.whitening.scatter import Scatter
from geo.clusters.whitening.whiten import Whitening
from geo.errors import SourceError
from tasks.earlier import TABLES
from tasks.planning import make_plan
from tasks.results.opening import open_run
from tasks.stages.imagery.features import load_encoded_as
from tasks.stages.imagery.fingerprints import load_fingerprints, load_looks, load_scatter
from tasks.tables import SHARD, TURN_SCATTER

KEPT = {
    "encoder.input_px": "64",
    "encoder.keep_turns": "true",
    "clusters.turn_whitening": "true",
    "clusters.k": "4",
    "clusters.junctions.k": "3",
} | FEW


@pytest.fixture(scope="module")
def plan(town, tmp_path_factory):
    from flows.city import city_flow

    out = tmp_path_factory.mktemp("turns")
    city_flow(str(town.city), KEPT, str(out))
    return make_plan(town.city, KEPT, out)


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


def test_a_run_that_is_opened_finds_what_is_alike_where_types_were_found(plan):
    run = open_run(plan.run_folder)
    told = run.segments.dropna(subset=["looks_like"])
    assert len(told) > 100
    apart = 2 * plan.config.tiles.tile_m
    for segment_id, looks_like in told[["segment_id", "looks_like"]].iloc[::10].itertuples(index=False):
        found = run.alike(segment_id, 3, same_type=True, apart_m=apart)
        assert ";".join(found["segment_id"]) == looks_like
    (run.folder / TABLES / "turn_scatter.parquet").unlink()
    with pytest.raises(SourceError, match=r"is not there"):
        open_run(plan.run_folder).alike(told["segment_id"].iloc[0])
