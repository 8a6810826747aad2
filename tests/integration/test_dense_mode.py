"""The dense mode end to end: the same tiles, the same coverage, embeddings that agree with single tiles'."""

import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from tasks.planning import make_plan
from tasks.stages.fingerprints import load_tiles

DENSE = {"tiles.mode": "dense", "tiles.pool": "corridor", "tiles.corridor_m": "40"}


def chosen(settings):
    return [text for key, value in settings.items() for text in ("--set", f"{key}={value}")]


def layers(summary, name):
    return gpd.read_file(summary["geopackage"], layer=name)


@pytest.fixture(scope="module")
def dense(town, tmp_path_factory):
    """The town, run in the dense mode."""
    from flows.city import city_flow

    out = tmp_path_factory.mktemp("dense")
    return out, city_flow(str(town.city), DENSE, str(out))


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
    settings = {"tiles.mode": "dense"}
    from flows.city import city_flow

    city_flow(str(town.city), settings, str(tmp_path))
    frames = [
        encoded(make_plan(town.city, chosen_, out)).set_index("tile_id")["bands"]
        for chosen_, out in (({}, finished[0]), (settings, tmp_path))
    ]
    both = pd.concat(frames, axis=1, join="inner", keys=["alone", "dense"])
    difference = np.abs(np.stack(both["alone"]) - np.stack(both["dense"]))
    # chips are a little coarser than the imagery, which takes noise away
    assert difference.mean() < 0.02


def test_a_damaged_image_costs_its_own_tiles_and_is_told(town, tmp_path, call):
    shutil.copytree(town.folder, tmp_path / "town")
    victim = min((tmp_path / "town" / "imagery").glob("*.tif"))
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
    outcome = call(
        "run", tmp_path / "town" / "city.yaml", "--out", tmp_path / "runs", "--json", *chosen(DENSE)
    )
    assert outcome.code == 0, outcome.err
    ledger = pd.DataFrame(layers(outcome.summary, "ledger"))
    told = ledger[ledger["reason"].str.contains(victim.stem)]
    assert not told.empty
