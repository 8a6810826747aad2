"""How well types are found: labelled scenes, the true forms of made towns, and how long many segments take.

    ROADPRINT_DATA=... .venv/bin/python bench/road_types.py [--draws 8] [--seeds 5] [--only scenes towns seconds]
        [--segments 25000 500000]

Scenes: half of UC Merced (bench/scenes.py), in draws of 90 %, with classes of equal size and with sizes that fall to a
tenth in an order that is drawn; each way of clustering is given the number of classes, or finds it. 'Of what is there'
is the agreement at the number found over the highest at any number from 2 to 40. Neighbours: the share of scenes whose
class is that of most of their 5 nearest, over folds of neighbouring scenes, which overlap.
Towns: the four road plans of the demo town, each drawn by several seeds; true forms against types, the number of forms
given and found. Seconds: the whole of `find_types` on segments made by a seed, with 64 looks of unequal numbers.
Agreement is the adjusted Rand index. Tables are printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from results import save, table
from scenes import PIXEL_M, SCENE_PX, folder_of_scenes, folds_of, lay_out_scenes, run_to_fingerprints
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.neighbors import KNeighborsClassifier

from geo.clusters.found.road_types import RoadTypes, find_types
from geo.clusters.graph.ground import same_ground
from geo.clusters.graph.smoothing import smooth
from geo.clusters.registry import KINDS, method_of
from geo.clusters.space import Points, to_space
from geo.config import Clusters
from geo.demo.plans import NAMES
from geo.demo.write import DemoTown
from geo.features.fingerprints import Fingerprints
from tasks.demo import draw_demo
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_encoded, load_fingerprints

Labels = NDArray[np.str_]
CLASSES, NEIGHBOURS, KEPT, MANY = 21, 5, 0.9, 40
"""Classes of scene, neighbours that vote, share of the scenes in a draw, most types that are tried."""
METHODS = [kind.tag for kind in KINDS]
LOOKS = 64


def part_of(found: Fingerprints, rows: NDArray[np.int64]) -> Fingerprints:
    """Take the fingerprints of some segments."""
    return Fingerprints(
        found.segment_ids[rows],
        found.vectors[rows],
        found.bands[rows],
        found.n_tiles[rows],
        found.coverage[rows],
    )


def drawn(labels: Labels, seed: int, *, tail: bool) -> NDArray[np.int64]:
    """Draw scenes: nine in ten of each class, or fewer and fewer of them by class, down to a tenth."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(np.unique(labels))
    shares = KEPT * (10.0 ** (-np.arange(len(order)) / (len(order) - 1)) if tail else np.ones(len(order)))
    rows = [
        rng.choice(np.flatnonzero(labels == name), round(share * np.sum(labels == name)), replace=False)
        for name, share in zip(order, shares, strict=True)
    ]
    return np.sort(np.concatenate(rows))


def typed(plan: Plan, found: Fingerprints, settings: Clusters) -> RoadTypes:
    """Find types among some of the segments of a city."""
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    tiles = load_encoded(plan)
    mine = tiles[tiles["segment_id"].isin(found.segment_ids)]
    return find_types(found, mine, roads, settings, tile_m=plan.config.tiles.tile_m)


def best_of_any(plan: Plan, found: Fingerprints, labels: Labels, settings: Clusters) -> float:
    """Give the highest agreement that a way of clustering reaches at any number of types."""
    settings = method_of(settings)
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
    same = same_ground(roads.loc[found.segment_ids], tile_m=plan.config.tiles.tile_m)
    points = to_space(found.vectors, settings)
    smoothed = smooth(points, settings, same)
    fits = settings.fits(smoothed, range(2, MANY + 1))
    return max(adjusted_rand_score(labels, fit.labels) for fit in fits)


def by_scenes(plan: Plan, labels: Labels, draws: int) -> Iterator[dict[str, Any]]:
    """Hold types of scenes against their classes."""
    found = load_fingerprints(plan)
    ways = {name: Clusters(method=name) for name in METHODS} | {
        "kmeans, smoothed": Clusters(method="kmeans", neighbours=5)
    }
    for sizes in ("equal", "tail"):
        rows = [drawn(labels, seed, tail=sizes == "tail") for seed in range(draws)]
        for name, settings in ways.items():
            given = settings.model_copy(update={"k": CLASSES})
            types = [typed(plan, part_of(found, some), given).segments["cluster"] for some in rows]
            scores = [
                (normalized_mutual_info_score(labels[some], one), adjusted_rand_score(labels[some], one))
                for some, one in zip(rows, types, strict=True)
            ]
            nmi, ari = np.mean(scores, axis=0)
            yield {
                "sizes": sizes,
                "method": name,
                "k is": "given",
                "k": CLASSES,
                "NMI": nmi,
                "agreement": ari,
                "spread over draws": float(np.std([one for _, one in scores], ddof=1)),
                "of what is there": None,
            }
        yield found_numbers(plan, found, labels, rows, sizes)


def found_numbers(
    plan: Plan, found: Fingerprints, labels: Labels, rows: list[NDArray[np.int64]], sizes: str
) -> dict[str, Any]:
    """Let the default find the number of classes."""
    settings = Clusters()
    scores = []
    for some in rows:
        part = part_of(found, some)
        types = typed(plan, part, settings)
        one, best = types.segments["cluster"], best_of_any(plan, part, labels[some], settings)
        ari = adjusted_rand_score(labels[some], one)
        scores.append((types.quality["k"], normalized_mutual_info_score(labels[some], one), ari, ari / best))
    k, nmi, ari, share = np.transpose(scores)
    ks = f"{np.median(k):g} ({k.min():g}-{k.max():g})"
    return {
        "sizes": sizes,
        "method": settings.method,
        "k is": "found",
        "k": ks,
        "NMI": nmi.mean(),
        "agreement": ari.mean(),
        "spread over draws": float(np.std(ari, ddof=1)),
        "of what is there": share.mean(),
    }


def nearest(points: Points, labels: Labels, fold: NDArray[np.int64]) -> float:
    """Tell the class of scenes by their nearest ones in other folds; gives the share that is right."""
    right = [
        KNeighborsClassifier(NEIGHBOURS)
        .fit(points[fold != f], labels[fold != f])
        .score(points[fold == f], labels[fold == f])
        for f in np.unique(fold)
    ]
    return float(np.mean(right))


def by_towns(out: Path, seeds: int) -> Iterator[dict[str, Any]]:
    """Hold types of made towns against the forms that they were drawn with."""
    for name in NAMES:
        scores = []
        for seed in range(1, seeds + 1):
            city = draw_demo(out, seed=seed, plan=name)
            plan = run_to_fingerprints(city, out, {})
            found = load_fingerprints(plan)
            true = DemoTown(city.parent).truth().segments.set_index("segment_id")["form"][found.segment_ids]
            row = []
            for settings in (
                Clusters(k=true.nunique()),
                Clusters(),
                Clusters(method="kmeans", k=true.nunique()),
            ):
                types = typed(plan, found, settings)
                row += [types.quality["k"], adjusted_rand_score(true, types.segments["cluster"])]
            scores.append((true.nunique(), *row[1:]))
        forms, given, k, auto, _, kmeans = np.transpose(scores)
        yield {
            "plan": name,
            "towns": seeds,
            "forms": f"{forms.min():g}-{forms.max():g}",
            "k given": _spread(given),
            "k found": ", ".join(f"{one:g}" for one in k),
            "at k found": _spread(auto),
            "kmeans, k given": _spread(kmeans),
        }


def _spread(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.2f} ({values.min():.2f}-{values.max():.2f})"


def seconds(n: int) -> dict[str, Any]:
    """Time the whole of finding types among so many segments."""
    rng = np.random.default_rng(0)
    shares = 10.0 ** -(np.arange(LOOKS) / LOOKS)
    look = rng.choice(LOOKS, n, p=shares / shares.sum())
    vectors = (rng.normal(size=(LOOKS, 320))[look] + rng.normal(size=(n, 320))).astype(np.float32)
    side = int(np.ceil(np.sqrt(n)))
    x, y = np.divmod(np.arange(n), side)
    lines = shapely.linestrings(
        np.stack([np.column_stack([x, y]), np.column_stack([x + 0.9, y])], axis=1) * 100.0
    )
    ids = pd.Index([f"s{i:07d}" for i in range(n)])
    roads = gpd.GeoDataFrame({"segment_id": ids}, geometry=lines, crs="EPSG:27700")
    tiles = pd.DataFrame({"tile_id": ids, "segment_id": ids, "position_m": 45.0})
    found = Fingerprints(ids, vectors, vectors[:, :18], np.ones(n, dtype=np.int64), np.ones(n))
    start = time.perf_counter()
    types = find_types(found, tiles, roads)
    took = time.perf_counter() - start
    return {
        "segments": n,
        "seconds": took,
        "k": types.quality["k"],
        "agreement": float(adjusted_rand_score(look, types.segments["cluster"])),
    }


def main() -> None:
    """Measure what is asked for; print and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument(
        "--only", nargs="+", choices=("scenes", "towns", "seconds"), default=["scenes", "towns", "seconds"]
    )
    parser.add_argument("--segments", type=int, nargs="+", default=[25_000])
    asked = parser.parse_args()
    record: dict[str, Any] = {}
    if "scenes" in asked.only:
        folder = asked.out / "scenes"
        folder.mkdir(parents=True, exist_ok=True)
        city, labels = lay_out_scenes(folder_of_scenes(parser), folder)
        side = f"{SCENE_PX * PIXEL_M:g}"
        plan = run_to_fingerprints(
            city, asked.out, {"tiles.tile_m": side, "clusters.junctions.types": "false"}
        )
        place = places_of(plan)
        # neighbouring scenes stand side by side before they are in the order of fingerprints, which is any
        fold, labels = folds_of(labels)[place], labels[place]
        points = to_space(load_fingerprints(plan).vectors, Clusters())
        record["neighbours"] = nearest(points, labels, fold)
        print(f"5 nearest in folds: {record['neighbours']:.3f}\n")
        record["scenes"] = list(by_scenes(plan, labels, asked.draws))
        print(table(record["scenes"]), "\n", flush=True)
    if "towns" in asked.only:
        record["towns"] = list(by_towns(asked.out, asked.seeds))
        print(table(record["towns"]), "\n", flush=True)
    if "seconds" in asked.only:
        record["seconds"] = [seconds(n) for n in asked.segments]
        print(table(record["seconds"]))
    save("road_types", record)


def places_of(plan: Plan) -> NDArray[np.int64]:
    """Tell which scene each fingerprint is of."""
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
    found: NDArray[np.int64] = (
        roads.loc[load_fingerprints(plan).segment_ids, "source_ids"].astype(int).to_numpy()
    )
    return found


if __name__ == "__main__":
    main()
