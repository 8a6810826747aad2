"""What an encoder looks at, and what types make of it: stages joined, the middle of a tile, whitening by turns.

    ROADPRINT_DATA=... .venv/bin/python bench/looks.py [--draws 8] [--seeds 2] [--only scenes towns]

Scenes: half of UC Merced (bench/scenes.py), its 21 classes given, in draws of 90 % and in draws whose classes fall to a
tenth; neighbours as in bench/road_types.py. Towns: the four road plans of the demo town by so many seeds, the number of
forms given, and found (average linkage). Agreement is the adjusted Rand index, the mean over draws or towns; of draws
with its deviation. Tables are printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from results import save, table
from road_types import drawn, nearest, places_of
from scenes import PIXEL_M, SCENE_PX, folder_of_scenes, folds_of, lay_out_scenes, run_to_fingerprints
from sklearn.metrics import adjusted_rand_score

from geo.clusters.evidence.choose import choose_k
from geo.clusters.graph.ground import same_ground
from geo.clusters.graph.smoothing import smooth
from geo.clusters.registry import method_of
from geo.clusters.space import to_space
from geo.clusters.whitening.scatter import Scatter
from geo.clusters.whitening.whiten import Whitening
from geo.config import Clusters
from geo.demo.plans import NAMES
from geo.demo.write import DemoTown
from geo.features.fingerprints import Fingerprints
from tasks.demo import draw_demo
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_fingerprints
from tasks.tables import TURN_SCATTER

JOINED, MIDDLE = {"encoder.stages": "[6, 7]"}, {"encoder.centre_crop": "true"}
LOOKS = {"last stage": {}, "last two": JOINED, "with the middle": MIDDLE, "both": JOINED | MIDDLE}
KEPT = {"encoder.keep_turns": "true", "clusters.junctions.types": "false"}
METHODS = {name: method_of(Clusters(method=name)) for name in ("average", "ward", "kmeans")}


def looks_of(plan: Plan, found: Fingerprints) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give fingerprints as they are, and whitened by turns."""
    yield "", found.vectors
    scatter = Scatter.of_frame(TURN_SCATTER.read(plan.stage_folder("fingerprints")))
    evened = Whitening.fit(found.vectors, scatter).transform(found.vectors)
    yield ", whitened by turns", evened.astype(np.float32)


def roads_of(plan: Plan, found: Fingerprints) -> gpd.GeoDataFrame:
    """Read the segments that have a fingerprint, in their order."""
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    return roads.set_index("segment_id").loc[found.segment_ids]


def agreement(
    vectors: NDArray[np.float32], roads: gpd.GeoDataFrame, true: pd.Series, tile_m: float
) -> dict[str, float]:
    """Hold the groups of each method against true ones, as many as these are."""
    average = METHODS["average"]
    points = to_space(vectors, average)
    drawn_near = smooth(points, average, same_ground(roads, tile_m=tile_m))
    k = true.nunique()
    return {
        name: adjusted_rand_score(true, settings.fit(points if name == "kmeans" else drawn_near, k).labels)
        for name, settings in METHODS.items()
    }


def by_scenes(out: Path, city: Path, labels: NDArray[np.str_], draws: int) -> Iterator[dict[str, Any]]:
    """Hold what is seen of scenes against their classes."""
    side = {"tiles.tile_m": f"{SCENE_PX * PIXEL_M:g}"}
    for name, keys in LOOKS.items():
        plan = run_to_fingerprints(city, out, KEPT | side | keys)
        found = load_fingerprints(plan)
        roads, place = roads_of(plan, found), places_of(plan)
        fold, mine = folds_of(labels)[place], labels[place]
        for how, vectors in looks_of(plan, found):
            row: dict[str, Any] = {"look": name + how}
            row["neighbours"] = nearest(to_space(vectors, METHODS["average"]), mine, fold)
            for sizes in ("equal", "tail"):
                scores = pd.DataFrame(
                    agreement(vectors[some], roads.iloc[some], pd.Series(mine[some]), SCENE_PX * PIXEL_M)
                    for some in (drawn(mine, seed, tail=sizes == "tail") for seed in range(draws))
                )
                for method, values in scores.items():
                    row[f"{method}, {sizes}"] = f"{values.mean():.3f} ({values.std():.3f})"
            yield row


def by_towns(out: Path, seeds: int) -> Iterator[dict[str, Any]]:
    """Hold types of made towns against the forms that they were drawn with."""
    scores = [
        row
        for seed in range(1, seeds + 1)
        for plan_name in NAMES
        for row in _of_town(draw_demo(out, seed=seed, plan=plan_name), out)
    ]
    for look, rows in pd.DataFrame(scores).groupby("look", sort=False):
        yield {"look": look, "towns": len(rows), **rows.drop(columns="look").mean().round(3).to_dict()}


def _of_town(city: Path, out: Path) -> Iterator[dict[str, Any]]:
    average = METHODS["average"]
    for name, keys in LOOKS.items():
        plan = run_to_fingerprints(city, out, KEPT | keys)
        found = load_fingerprints(plan)
        roads, tile_m = roads_of(plan, found), plan.config.tiles.tile_m
        true = DemoTown(city.parent).truth().segments.set_index("segment_id")["form"][found.segment_ids]
        for how, vectors in looks_of(plan, found):
            points = to_space(vectors, average)
            smoothed = smooth(points, average, same_ground(roads, tile_m=tile_m))
            choice = choose_k(points, average, smoothed=smoothed)
            k = int(choice.loc[choice["chosen"], "k"].iloc[0])
            own = adjusted_rand_score(true, average.fit(smoothed, k).labels)
            yield {"look": name + how, **agreement(vectors, roads, true, tile_m), "average, k found": own}


def main() -> None:
    """Measure what is asked for; print and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--only", nargs="+", choices=("scenes", "towns"), default=["scenes", "towns"])
    asked = parser.parse_args()
    record: dict[str, Any] = {}
    if "scenes" in asked.only:
        folder = asked.out / "scenes"
        folder.mkdir(parents=True, exist_ok=True)
        city, labels = lay_out_scenes(folder_of_scenes(parser), folder)
        record["scenes"] = list(by_scenes(asked.out, city, labels, asked.draws))
        print(table(record["scenes"]), "\n", flush=True)
    if "towns" in asked.only:
        record["towns"] = list(by_towns(asked.out, asked.seeds))
        print(table(record["towns"]), flush=True)
    save("looks", record)


if __name__ == "__main__":
    main()
