"""What a second flight does to types, and what its matching takes back: labelled scenes, half of them made hazy.

    ROADPRINT_DATA=... .venv/bin/python bench/flights.py [--mixes unequal equal twice] [--seed 0]

Half of UC Merced (bench/scenes.py) as a city of two flights: some scenes are blurred, hazed and tinted, and lie in a
raster of their own. Mixes are equal (half of each class) or unequal (a fifth of some classes, four fifths of others).
Each city is run to its fingerprints without `imagery.match` and with it, as many types found as there are classes, and
these held against classes (NMI, adjusted Rand index) and flights (NMI), and neighbours against both: how they mix
within a class, and how well those in the other flight tell the class. With `turns`, fingerprints are first evened out
by what quarter turns change, and with the mix `twice`, where both flights show a scene in twenty, by what another
flight changes as well. The same scenes of one flight stand first. Minutes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from rasterio.windows import Window
from results import save, table
from scenes import COLUMNS, PITCH_PX, PIXEL_M, SCENE_PX, folder_of_scenes, lay_out_scenes
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from geo.clusters.flights.evidence import gather_evidence
from geo.clusters.found.road_types import find_types
from geo.clusters.space import to_space
from geo.clusters.whitening.whiten import even_out
from geo.config import cluster_settings
from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.stages.imagery import features, fingerprints, matching
from tasks.stages.imagery.fingerprints import load_encoded, load_fingerprints
from tasks.stages.network import roads, tiles
from tasks.store.stage import run_stage

BLUR_PX, HAZE, VEIL, TINT = 1.2, 0.6, 80.0, (1.08, 1.0, 0.85)
"""The second flight: blurred, its contrast and a veil of light over it, each band by its tint."""
FEW, MANY = 0.2, 0.8
TWICE = 0.05
"""Share of the scenes that both flights show, with the mix `twice`, which is unequal otherwise."""


def second(scene: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Show a scene, ``(3, height, width)``, as the second flight would."""
    soft = Image.fromarray(np.moveaxis(scene, 0, 2)).filter(ImageFilter.GaussianBlur(BLUR_PX))
    light = np.moveaxis(np.asarray(soft, dtype=np.float64), 2, 0) * HAZE + VEIL
    made: NDArray[np.uint8] = np.clip(light * np.array(TINT)[:, None, None], 0, 255).astype(np.uint8)
    return made


def choose(labels: NDArray[np.str_], mix: str, seed: int) -> NDArray[np.bool_]:
    """Choose the scenes that the second flight shows."""
    rng = np.random.default_rng(seed)
    names = rng.permutation(np.unique(labels))
    share = {name: {"equal": 0.5, "none": 0.0}.get(mix, (FEW, MANY)[i % 2]) for i, name in enumerate(names)}
    chosen = np.zeros(len(labels), dtype=bool)
    for name in names:
        rows = np.flatnonzero(labels == name)
        chosen[rng.choice(rows, round(share[name] * len(rows)), replace=False)] = True
    return chosen


def split(
    folder: Path, chosen: NDArray[np.bool_], twice: NDArray[np.bool_], labels: NDArray[np.str_]
) -> Path:
    """Write the chosen scenes, changed, into a raster of their own, some into both; gives the city's file."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(folder / "scenes.tif", "r+") as first:
        profile = {**first.profile, "compress": "deflate"}
        mask = first.dataset_mask()
        other = np.zeros_like(mask)
        with rasterio.open(folder / "second.tif", "w", **profile) as raster:
            for i in np.flatnonzero(chosen).tolist():
                row, col = (place * PITCH_PX for place in divmod(i, COLUMNS))
                window = Window(col, row, SCENE_PX, SCENE_PX)
                raster.write(second(first.read(window=window)), window=window)
                there = slice(row, row + SCENE_PX), slice(col, col + SCENE_PX)
                other[there] = 255
                mask[there] = 255 if twice[i] else 0
            raster.write_mask(other)
        first.write_mask(mask)
    frame = gpd.read_file(folder / "roads.gpkg")
    frame.assign(kind=labels).to_file(folder / "roads.gpkg")
    city = yaml.safe_load((folder / "city.yaml").read_text())
    city["imagery"]["sources"] = ["scenes.tif", "second.tif"] if chosen.any() else ["scenes.tif"]
    city["roads"]["class_field"] = "kind"
    (folder / "city.yaml").write_text(yaml.safe_dump(city))
    return folder / "city.yaml"


def run(city: Path, out: Path, *, match: bool) -> Plan:
    """Run a city to the fingerprints of its segments."""
    settings = {
        "tiles.tile_m": str(SCENE_PX * PIXEL_M),
        "tiles.min_coverage": "0.9",
        "encoder.keep_turns": "true",
        "clusters.turn_whitening": "true",
        "clusters.junctions.types": "false",
    }
    plan = make_plan(city, settings | ({"imagery.match": "histogram"} if match else {}), out)
    for stage in (roads.STAGE, tiles.STAGE, matching.STAGE, features.STAGE, fingerprints.STAGE):
        run_stage(stage, plan)
    return plan


def judge(plan: Plan, labels: NDArray[np.str_], chosen: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Find types in a city that was run, and hold them against classes and flights."""
    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
    found = load_fingerprints(plan)
    mine = segments.loc[found.segment_ids]
    scene = mine["source_ids"].astype(int).to_numpy()
    middle = mine.geometry.interpolate(0.5, normalized=True)
    rows = []
    for turns in (False, True):
        scatter = fingerprints.load_scatter(plan) if turns else None
        settings = cluster_settings(k=len(np.unique(labels)), turn_whitening=turns)
        types = find_types(
            found,
            load_encoded(plan),
            segments.reset_index(),
            settings,
            tile_m=plan.config.tiles.tile_m,
            scatter=scatter,
        )
        groups = types.segments.set_index("segment_id").loc[found.segment_ids, "cluster"].astype(int)
        # neighbouring scenes are of one class and overlap: each stands 600 m from the next here
        roads_ = pd.DataFrame(
            {
                "flight": np.where(chosen[scene], "second", "first"),
                "road_class": labels[scene],
                "length_m": 1.0,
                "x": middle.x.to_numpy() * 600 / (PITCH_PX * PIXEL_M),
                "y": middle.y.to_numpy() * 600 / (PITCH_PX * PIXEL_M),
                "cluster": groups.to_numpy(),
            }
        )
        points = to_space(even_out(found.vectors, settings, scatter), settings)
        said = gather_evidence(roads_, points, seed=0).figures()
        rows.append(
            {
                "turns": turns,
                "nmi": normalized_mutual_info_score(labels[scene], groups),
                "ari": adjusted_rand_score(labels[scene], groups),
                "flight_nmi": said["nmi"],
                "by_chance": said["nmi_by_chance"],
                "mixing": said["mixing"],
                "transfer": said["transfer"],
            }
        )
    return rows


def measure(given: Path, mixes: list[str], seed: int) -> list[dict[str, Any]]:
    """Make each city, run it with and without matching, and judge both."""
    rows: list[dict[str, Any]] = []
    for mix in ["none", *mixes]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _, labels = lay_out_scenes(given, folder)
            chosen = choose(labels, mix, seed)
            twice = chosen & (np.random.default_rng(seed).random(len(chosen)) < 2 * TWICE * (mix == "twice"))
            city = split(folder, chosen, twice, labels)
            # of both, the first is seen
            chosen = chosen & ~twice
            for match in (False, True) if chosen.any() else (False,):
                plan = run(city, folder / "runs", match=match)
                done = matching.load_matching(plan)
                rows += [
                    {
                        "mix": mix,
                        "match": "undone" if match and not done.matched else "yes" if match else "no",
                    }
                    | row
                    for row in judge(plan, labels, chosen)
                ]
                for text in [*done.notes, *done.warnings]:
                    print(f"{mix}: {text}")
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--mixes", nargs="+", choices=["equal", "unequal", "twice"], default=["unequal", "equal", "twice"]
    )
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rows = measure(folder_of_scenes(parser), asked.mixes, asked.seed)
    print(table(rows))
    save("flights", {"rows": rows})


if __name__ == "__main__":
    main()
