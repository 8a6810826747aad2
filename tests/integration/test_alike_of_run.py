"""Fingerprints read back, and the roads that look like a road."""

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import LayerError
from tasks.results.opening import open_run


@pytest.fixture(scope="module")
def run(finished):
    out, _ = finished
    return open_run(out / "demo-town")


def test_a_segment_has_a_fingerprint_where_it_has_a_type(run):
    fingerprints, segments = run.fingerprints, run.segments
    assert set(fingerprints["segment_id"]) == set(segments.loc[segments["cluster"].notna(), "segment_id"])
    vectors = np.stack(fingerprints["vector"])
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    # a mean of vectors of length 1
    assert (np.linalg.norm(vectors, axis=1) <= 1 + 1e-6).all()
    encoded = run.tiles.loc[run.tiles["encoded"]].groupby("segment_id").size()
    assert fingerprints.set_index("segment_id")["n_tiles"].to_dict() == encoded.to_dict()


def test_alike_under_the_rules_of_the_map_gives_what_the_map_says(run):
    told = run.segments.dropna(subset=["looks_like"])
    assert len(told) > 200
    tile_m = np.sqrt(run.tiles.geometry.area.iloc[0])
    for segment_id, looks_like in zip(told["segment_id"], told["looks_like"], strict=True):
        found = run.alike(segment_id, 3, same_type=True, apart_m=2 * tile_m)
        assert ";".join(found["segment_id"]) == looks_like
        # more alike than nine in ten pairs of the class, or much alike anyhow
        assert ((found["alike_than_pairs"] >= 0.9 - 1e-9) | (found["likeness"] >= 0.8 - 1e-9)).all()


def test_what_looks_like_no_other_has_no_look_alikes_unless_any_will_do(run):
    untold = run.segments[run.segments["cluster"].notna() & run.segments["looks_like"].isna()]
    tile_m = np.sqrt(run.tiles.geometry.area.iloc[0])
    for segment_id in untold["segment_id"]:
        assert run.alike(segment_id, 3, same_type=True, apart_m=2 * tile_m).empty
    segment_id = run.fingerprints["segment_id"].iloc[0]
    assert len(run.alike(segment_id, 20, more_alike_than=0.0)) == 20
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        run.alike(segment_id, more_alike_than=90)


def test_alike_leaves_out_the_road_itself_and_ground_that_it_shares(run):
    segments, tiles = run.segments.set_index("segment_id"), run.tiles
    for segment_id in segments.index[::40]:
        if pd.isna(segments.loc[segment_id, "cluster"]):
            continue
        found = run.alike(segment_id, 20)
        assert found["likeness"].is_monotonic_decreasing
        assert found["likeness"].between(-1, 1).all()
        assert segment_id not in set(found["segment_id"])
        own = segments.loc[segment_id]
        same = found["name"].eq(own["name"]).fillna(value=False) | found["ref"].eq(own["ref"]).fillna(
            value=False
        )
        apart = found.geometry.distance(own.geometry)
        assert (apart[same] >= 200).all()
        assert found["metres_apart"].to_numpy() == pytest.approx(apart.to_numpy())
        mine = tiles.loc[tiles["segment_id"] == segment_id].geometry.union_all()
        theirs = tiles.loc[tiles["segment_id"].isin(found["segment_id"])].geometry
        assert shapely.area(shapely.intersection(theirs.to_numpy(), mine)).max() == pytest.approx(0)


def test_a_segment_without_a_fingerprint_is_told_apart_from_one_that_is_not_there(run):
    unseen = run.segments.loc[run.segments["cluster"].isna(), "segment_id"].iloc[0]
    with pytest.raises(LayerError, match="no fingerprint: too little imagery"):
        run.alike(unseen)
    with pytest.raises(LayerError, match="no such segment"):
        run.alike("0" * 16)
