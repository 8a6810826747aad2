"""Method sam from the city's file to its columns, by a small network of that architecture with random weights."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import torch
from quick import OVERRIDES, run_stages
from transformers import SamConfig, SamModel

from flows.cli import main
from geo.outputs.layers.ground import CARRIAGEWAYS

SQUARE_M = (412_900, 273_900, 413_200, 274_200)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder as transformers saves a network, for pictures of 256 pixels."""
    folder = tmp_path_factory.mktemp("weights") / "net"
    torch.manual_seed(5)
    decoder = {"hidden_size": 32, "mlp_dim": 64, "iou_head_hidden_dim": 32}
    vision = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "global_attn_indexes": [1]}
    vision |= {"image_size": 256, "output_channels": 32, "num_pos_feats": 16, "window_size": 7}
    prompts = {"hidden_size": 32, "image_size": 256}
    config = SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    SamModel(config).save_pretrained(folder)
    return folder


def settings(weights):
    """A square of the town, looked at by those weights."""
    corners = pyproj.Transformer.from_crs(27700, 4326, always_xy=True)
    west, south = corners.transform(*SQUARE_M[:2])
    east, north = corners.transform(*SQUARE_M[2:])
    return OVERRIDES | {"area": f"[{west}, {south}, {east}, {north}]", "ground.sam": str(weights)}


@pytest.fixture(scope="module")
def looked(town, weights, tmp_path_factory):
    return run_stages(town.city, settings(weights), tmp_path_factory.mktemp("sam"), last="package")


def test_every_segment_with_imagery_is_told_and_every_window_accounted_for(looked):
    ground = looked.stage_folder("ground")
    told = pd.read_parquet(ground / "ground_carriageways.parquet")
    segments = gpd.read_parquet(looked.stage_folder("roads") / "segments.parquet")
    assert set(told["segment_id"]) <= set(segments["segment_id"])
    assert len(told) > 5
    assert told["carriageway_hidden_share"].between(0, 1).all()
    assert (told["carriageway_width_m"].dropna() > 0).all()
    # what is found nowhere has no width, and is hidden all along
    none = told["carriageway_iou"].isna()
    assert (told.loc[none, "carriageway_hidden_share"] == 1).all()
    assert told.loc[none, "carriageway_width_m"].isna().all()
    chips = pd.read_parquet(looked.stage_folder("ground_classes") / "chips.parquet")
    with rasterio.open(ground / "ground.tif") as found:
        assert set(np.unique(found.read(1))) <= {0, 1}
        assert found.res == (1.0, 1.0), "a place for two pixels of half a metre"
    assert len(chips) > 0


def test_columns_stand_in_the_layer_of_segments_and_shares_add_up(looked):
    package = next(Path(looked.stage_folder("package")).rglob("*.gpkg"))
    segments = gpd.read_file(package, layer="segments")
    assert set(CARRIAGEWAYS) <= set(segments.columns)
    shares = segments[["ground_carriageway_0_6m", "ground_unknown_0_6m"]].dropna()
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-6)
    assert len(shares) > 0


def test_the_same_weights_give_the_same_bytes_and_others_do_it_again(town, weights, looked, tmp_path):
    again = run_stages(town.city, settings(weights), tmp_path, last="ground")
    for name in ("ground_carriageways.parquet", "ground.tif"):
        one, other = (plan.stage_folder("ground") / name for plan in (looked, again))
        assert one.read_bytes() == other.read_bytes()
    assert again.keys["ground"] == looked.keys["ground"]


def test_a_run_without_weights_ends_before_anything_is_encoded_with_one_message(town, tmp_path, capsys):
    args = ["run", str(town.city), "--out", str(tmp_path), "--set", f"ground.sam={tmp_path / 'none.pt'}"]
    assert main(args) != 0
    told = capsys.readouterr()
    words = told.out + told.err
    assert "no such file or folder is there" in words
    assert "Traceback" not in words
    assert not list(tmp_path.rglob("shard-*.parquet"))
