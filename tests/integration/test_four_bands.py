"""A city of four bands of 16 bits, with a model of red, green, blue and near-infrared: from file to GeoPackage."""

import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import timm
import torch
import yaml
from rasterio.enums import ColorInterp
from safetensors.torch import save_file

from tasks.planning import make_plan
from tasks.stages.imagery.fingerprints import load_tiles

FACTOR = 40
"""Digital numbers of the rasters for each of the town's 256 levels."""


@pytest.fixture(scope="module")
def city(town, tmp_path_factory):
    """The town with near-infrared (what green has more than red) as a fourth band, and random weights of a model."""
    folder = tmp_path_factory.mktemp("four")
    (folder / "imagery").mkdir()
    for path in sorted((town.folder / "imagery").glob("*.tif")):
        with rasterio.open(path) as raster:
            light, profile = raster.read().astype(np.int32), raster.profile
        nir = np.clip(128 + 2 * (light[1] - light[0]), 1, 255)
        nir[(light == 0).all(axis=0)] = 0
        profile = {
            **profile,
            "count": 4,
            "dtype": "uint16",
            "photometric": "MINISBLACK",
            "compress": "deflate",
        }
        with rasterio.open(folder / "imagery" / path.name, "w", **profile) as raster:
            raster.write((FACTOR * np.concatenate([light[:3], nir[None]])).astype(np.uint16))
            raster.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined]
    torch.manual_seed(1)
    model = timm.create_model("test_resnet", num_classes=0, in_chans=4)
    save_file(model.state_dict(), folder / "rgbn.safetensors")
    settings = yaml.safe_load(town.city.read_text(encoding="utf-8"))
    settings |= {
        "imagery": {"sources": ["imagery/*.tif"], "bands": [1, 2, 3, 4], "scale": [0, 255 * FACTOR]},
        "roads": settings["roads"] | {"source": str(town.folder / settings["roads"]["source"])},
        "tiles": {"spacing_m": 100},
        "encoder": {
            "name": "file:rgbn.safetensors",
            "architecture": "test_resnet",
            "values": "raster",
            "mean": [FACTOR * 110.0] * 4,
            "std": [FACTOR * 50.0] * 4,
        },
        "collisions": {"sources": []},
    }
    settings.pop("exposure", None)
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def test_four_bands_of_16_bits_go_from_the_file_to_the_geopackage(city, tmp_path, call):
    outcome = call("run", city, "--out", tmp_path, "--json")
    assert outcome.code == 0, outcome.err
    tiles = load_tiles(make_plan(city, out=tmp_path))
    encoded = tiles[tiles["embedding"].notna()]
    vectors, bands = (np.stack(encoded[column].tolist()) for column in ("embedding", "bands"))
    assert vectors.std(axis=0).max() > 0.01
    assert bands.shape[1] == 4 * 7
    # near-infrared is bright where green exceeds red: the statistics of all bands are on one scale of 0 to 1
    assert 0.3 < bands[:, 3 * 7].mean() < 0.7
    segments = gpd.read_file(outcome.summary["geopackage"], layer="segments")
    assert segments["cluster"].nunique() > 1
    # pictures and the mosaic show red, green and blue of the town as they were before they were 16 bits
    run = Path(outcome.summary["geopackage"]).parent
    with rasterio.open(run / "imagery.vrt") as mosaic, rasterio.open(mosaic.files[1]) as first:
        shown = mosaic.read(window=mosaic.window(*first.bounds))
        np.testing.assert_array_equal(shown[:3], first.read([1, 2, 3]) // FACTOR)
    with sqlite3.connect(outcome.summary["geopackage"]) as connection:
        pictures = connection.execute("SELECT count(thumbnail) FROM tiles").fetchone()[0]
    assert pictures > 0


def test_a_check_knows_what_the_model_needs(city, call):
    outcome = call("check", city, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.summary["forecast"]["seconds_per_tile"] > 0


@pytest.mark.parametrize("command", ["run", "check"])
def test_three_bands_are_refused_with_what_is_needed(city, tmp_path, call, command):
    extra = ["--out", tmp_path] if command == "run" else []
    outcome = call(command, city, *extra, "--set", "imagery.bands=[1, 2, 3]")
    assert outcome.code == 2
    assert "needs 4 bands (red, green, blue, nir), and imagery.bands gives 3 bands (1, 2, 3)" in outcome.err
    assert "Traceback" not in outcome.err
