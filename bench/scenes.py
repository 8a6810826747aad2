"""Labelled aerial scenes laid out as a city, so that the chain itself encodes them: half of UC Merced.

Yang and Newsam 2010; 1,050 scenes of 21 classes, 0.3 m. They lie side by side with gaps without imagery, each with one
road through its middle: a tile of the scene's own side shows all of it and nothing else.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import yaml
from PIL import Image
from rasterio.windows import Window

from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.stages.imagery import features, fingerprints, matching
from tasks.stages.network import roads, tiles
from tasks.store.stage import run_stage

SCENES = "scenes_ucmerced"
"""Folder of the scenes in the one that ROADPRINT_DATA names: a folder a class, with its scenes as JPEG."""
CRS, WEST, NORTH = "EPSG:26986", 230_000.0, 900_000.0
SCENE_PX, PITCH_PX, PIXEL_M, COLUMNS = 256, 512, 0.3, 33
FOLDS = 5


def folder_of_scenes(parser: argparse.ArgumentParser) -> Path:
    """Find the scenes, or end with what is missing."""
    named = os.environ.get("ROADPRINT_DATA")
    if not named:
        parser.error(f"ROADPRINT_DATA is not set: it names the folder that holds {SCENES}/CLASS/*.jpg")
    folder = Path(named) / SCENES
    if not any(folder.glob("*/*.jpg")):
        parser.error(f"ROADPRINT_DATA: there is no {folder}/CLASS/*.jpg")
    return folder


def lay_out_scenes(given: Path, folder: Path) -> tuple[Path, np.ndarray]:
    """Write the scenes as one raster, and a road through each; gives the city's file and the labels."""
    files = sorted(given.glob("*/*.jpg"))
    rows = -(-len(files) // COLUMNS)
    profile = {
        "driver": "GTiff",
        "count": 3,
        "dtype": "uint8",
        "crs": CRS,
        "compress": "deflate",
        "tiled": True,
    }
    size = {"width": COLUMNS * PITCH_PX, "height": rows * PITCH_PX, "blockxsize": 256, "blockysize": 256}
    transform = rasterio.transform.from_origin(WEST, NORTH, PIXEL_M, PIXEL_M)
    lines = []
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(folder / "scenes.tif", "w", **profile, **size, transform=transform) as raster,
    ):
        raster.write_mask(np.zeros(raster.shape, dtype=np.uint8))
        for i, file in enumerate(files):
            row, col = divmod(i, COLUMNS)
            window = Window(col * PITCH_PX, row * PITCH_PX, SCENE_PX, SCENE_PX)
            scene = Image.open(file).convert("RGB").resize((SCENE_PX, SCENE_PX), Image.Resampling.BILINEAR)
            raster.write(np.moveaxis(np.asarray(scene), 2, 0), window=window)
            raster.write_mask(np.full((SCENE_PX, SCENE_PX), 255, dtype=np.uint8), window=window)
            x, y = transform * (col * PITCH_PX + SCENE_PX / 2, row * PITCH_PX + SCENE_PX / 2)
            lines.append(shapely.linestrings([(x - 10, y), (x + 10, y)]))
    labels = np.array([file.parent.name for file in files])
    frame = gpd.GeoDataFrame({"id": np.arange(len(files)).astype(str)}, geometry=lines, crs=CRS)
    frame.to_file(folder / "roads.gpkg")
    city = {
        "city": "scenes",
        "crs": CRS,
        "imagery": {"sources": ["scenes.tif"]},
        "roads": {"source": "roads.gpkg", "class_field": None, "name_field": None, "id_field": "id"},
    }
    (folder / "city.yaml").write_text(yaml.safe_dump(city))
    return folder / "city.yaml", labels


def embed(city: Path, out: Path, settings: dict[str, str]) -> pd.DataFrame:
    """Run a city up to its embeddings; gives the tiles that have one in every mode, by id."""
    plan = make_plan(city, settings | {"tiles.min_coverage": "0.9"}, out)
    for stage in (roads.STAGE, tiles.STAGE, matching.STAGE, features.STAGE):
        run_stage(stage, plan)
    tiles_seen = fingerprints.load_tiles(plan)
    found = tiles_seen[tiles_seen["embedding"].notna()].set_index("tile_id")
    sources = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")[
        "source_ids"
    ]
    return found.assign(source=found["segment_id"].map(sources))[["embedding", "source"]]


def run_to_fingerprints(city: Path, out: Path, settings: dict[str, str]) -> Plan:
    """Run a city up to the fingerprints of its segments; gives the plan, whose stages hold them."""
    plan = make_plan(city, settings, out)
    for stage in (roads.STAGE, tiles.STAGE, matching.STAGE, features.STAGE, fingerprints.STAGE):
        run_stage(stage, plan)
    return plan


def folds_of(labels: np.ndarray) -> np.ndarray:
    """Give each scene a fold of neighbouring ones, which overlap; as many of each class in every one."""
    by_label = pd.Series(labels).groupby(labels)
    found: np.ndarray = by_label.cumcount().to_numpy() * FOLDS // by_label.transform("size").to_numpy()
    return found
