"""The dense mode end to end: the same tiles, the same coverage, embeddings that agree with single tiles'."""

import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from quick import FEW, run_stages

from tasks.planning import make_plan
from tasks.stages.imagery.fingerprints import load_tiles
from tasks.store.stage import account_of

DENSE = {"tiles.mode": "dense", "tiles.pool": "corridor", "tiles.corridor_m": "40"}
PLAIN = {"tiles.mode": "dense"}


def layers(summary, name):
    return gpd.read_file(summary["geopackage"], layer=name)


@pytest.fixture(scope="module")
def dense(town, tmp_path_factory):
    """The town, run in the dense mode."""
    from flows.city import city_flow

    out = tmp_path_factory.mktemp("dense")
    return out, city_flow(str(town.city), DENSE | FEW, str(out))


def test_every_tile_is_accounted_for_as_it_is_alone(dense, finished):
    alone, pooled = (layers(summary, "tiles").set_index("tile_id") for summary in (finished[1], dense[1]))
    assert set(alone.index) == set(pooled.index)
    both = alone[["coverage", "encoded", "image_id"]].join(
        pooled[["coverage", "encoded", "image_id"]], suffixes=("", "_dense")
    )
    # a cell of the map has so much data as it has, wherever in it; tiles beside gaps differ by that
    assert (both["coverage"] - both["coverage_dense"]).abs().max() < 0.05
    certain = (both["coverage"] - 0.5).abs() > 0.05
    assert (both["encoded"] == both["encoded_dense"])[certain].all()
    seen = both[both["image_id"].notna()]
    assert (
        seen["image_id"].str.split(";").map(set) <= seen["image_id_dense"].str.split(";").map(set)
    ).mean() > 0.95


def encoded(plan):
    tiles = load_tiles(plan)
    return tiles[tiles["embedding"].notna()]


def test_tiles_near_each_other_alone_are_near_each_other_in_the_dense_mode(dense, finished, town):
    frames = [
        encoded(make_plan(town.city, settings, out)).set_index("tile_id")
        for settings, out in (({}, finished[0]), (DENSE, dense[0]))
    ]
    both = frames[0].index.intersection(frames[1].index)
    values = [np.stack(frame.loc[both, "embedding"].to_numpy()) for frame in frames]
    alike = []
    for value in values:
        unit = value / np.linalg.norm(value, axis=1, keepdims=True)
        alike.append((unit @ unit.T)[np.triu_indices(len(both), 1)])
    assert np.corrcoef(alike)[0, 1] > 0.6


def test_the_baseline_is_nearly_that_of_single_tiles(finished, town, tmp_path):
    plans = make_plan(town.city, {}, finished[0]), run_stages(town.city, PLAIN, tmp_path, last="fingerprints")
    frames = [encoded(plan).set_index("tile_id")["bands"] for plan in plans]
    both = pd.concat(frames, axis=1, join="inner", keys=["alone", "dense"])
    difference = np.abs(np.stack(both["alone"]) - np.stack(both["dense"]))
    # chips are a little coarser than the imagery, which takes noise away
    assert difference.mean() < 0.02


def test_a_damaged_image_costs_its_own_tiles_and_is_told(town, tmp_path):
    folder = tmp_path / "town"
    shutil.copytree(town.folder, folder)
    victim, _, _, *others = sorted((folder / "imagery").glob("*.tif"))
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
    for image in others:
        image.unlink()
    plan = run_stages(folder / "city.yaml", DENSE, tmp_path / "runs", last="features")
    placed, encoded = (account_of(plan.stage_folder(stage)).entries for stage in ("tiles", "features"))
    assert any(victim.stem in entry.reason for entry in [*placed, *encoded])
    assert sum(entry.count for entry in encoded if entry.item == "tiles" and entry.status == "done") > 0
