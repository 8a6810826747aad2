"""The method that roadprint starts from beside roadprint's own, on the demo town and on the real case.

    .venv/bin/python bench/paper.py [--draws 200] [--permutations 999] [--out runs] [--only demo-town]

- recovery: adjusted Rand index against the demo town's true road forms. The paper's method groups hazardous points
  alone, so it is held against the forms of those; ours also on their segments alone.
- stability: mean adjusted Rand index between the grouping and those of 20 bootstrap samples, each extended to all
  by the nearest centroid; and between groupings whose collisions are drawn again (what both have in common): ours
  never sees them.
- false calls: collisions are drawn again on the same roads, with risk that neighbours share (log-Gaussian field,
  variance 0.3, correlation exp(-distance / 100 m)) and a chance of each segment's own, that nothing in the imagery
  has to do with. Share of draws in which a method calls a difference between its groups: the paper's, which tests
  nothing, by what a reader may do (Kruskal-Wallis over points, p < 0.05); ours by any q < 0.05 among all clusters
  and comparisons.

The real case needs ROADPRINT_DATA. Tables are printed, and JSON is written under bench/results/.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import francis
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from results import save, table
from scipy.spatial.distance import cdist
from scipy.stats import binomtest
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestCentroid

from flows.city import city_flow
from flows.server import own_server
from geo.clusters.evidence.choose import stabilities
from geo.clusters.methods.kmeans import KMeans
from geo.clusters.space import to_space
from geo.demo.collisions import FRAILTY_SHAPE
from geo.demo.write import DemoTown
from geo.imagery.reading.reader import TileImage, TileReader
from geo.safety.comparison.inference import cluster_tests
from tasks.demo import draw_demo
from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.stages.imagery.fingerprints import load_encoded, load_fingerprints
from tasks.stages.safety.inference import load_frame

CITY = Path(__file__).parent.parent / "data" / "cities" / "cambridge-ma.yaml"
VARIANCE, RANGE_M = 0.3, 100.0
RESAMPLES = 20
AUTOENCODER_SEEDS = (0, 1)
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Scene:
    """A finished run, as both methods see it.

    Attributes
    ----------
    segments
        Those with a cluster, by ``segment_id``: line, class, length, years, counts, cluster, middle.
    embeddings
        Of these segments, in the space that clusters are found in.
    points
        Middles of their tiles.
    segment_of
        Row of the segment of each point.
    spaces
        Principal components of the bottleneck at each point, by seed of the autoencoder.
    error
        Mean squared error of the first autoencoder's drawings (of values from 0 to 1).
    collisions
        Places of the collisions that were placed.
    """

    segments: gpd.GeoDataFrame
    embeddings: Floats
    points: NDArray[np.object_]
    segment_of: Ints
    spaces: list[Floats]
    error: float
    collisions: NDArray[np.object_]


def load_scene(plan: Plan) -> Scene:
    """Read a finished run, and train the autoencoders on its tiles."""
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
    frame = load_frame(plan)
    segments = gpd.GeoDataFrame(frame.assign(geometry=roads.geometry), crs=roads.crs)
    segments = segments[segments["cluster"].notna()].sort_index()
    encoded = load_encoded(plan)
    embeddings = to_space(
        load_fingerprints(plan).vectors_of(segments.index).astype(np.float32), plan.config.clusters
    )
    outlines = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    wanted = outlines[outlines["tile_id"].isin(encoded["tile_id"])].reset_index(drop=True)
    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    with TileReader(images, plan.config.imagery, plan.config.tiles) as reader:
        small = {
            one.tile_id: francis.shrink(one.pixels)
            for one in reader.read(wanted)
            if isinstance(one, TileImage)
        }
    pixels = np.stack([small[tile] for tile in wanted["tile_id"]])
    trained = [francis.train(pixels, seed=seed) for seed in AUTOENCODER_SEEDS]
    placed = gpd.read_parquet(plan.stage_folder("collisions") / "collisions.parquet")
    return Scene(
        segments,
        embeddings,
        shapely.centroid(wanted.geometry.to_numpy()),
        segments.index.get_indexer(wanted["segment_id"]).astype(np.int64),
        [francis.components(features) for features, _ in trained],
        trained[0][1],
        placed.geometry[placed["snap_status"] == "matched"].to_numpy(),
    )


def redraw(scene: Scene, root: Floats, seed: int) -> tuple[Ints, NDArray[np.object_]]:
    """Draw collisions of segments anew, under risk that has nothing to do with imagery: counts, and their places."""
    rng = np.random.default_rng([seed, 10922])
    length = scene.segments["length_m"].to_numpy(dtype=np.float64)
    shared = np.exp(np.sqrt(VARIANCE) * (root @ rng.standard_normal(len(root))) - VARIANCE / 2)
    own = rng.gamma(FRAILTY_SHAPE, 1 / FRAILTY_SHAPE, len(length))
    total = float(scene.segments["n_collisions"].sum())
    counts = rng.poisson(total * length / length.sum() * shared * own).astype(np.int64)
    lines = scene.segments.geometry.to_numpy().repeat(counts)
    return counts, shapely.line_interpolate_point(lines, rng.random(len(lines)), normalized=True)


def false_calls(scene: Scene, draws: int, permutations: int) -> dict[str, object]:
    """Draw towns where nothing differs, and tell how often each method says that something does."""
    middle = scene.segments[["x", "y"]].to_numpy(dtype=np.float64)
    root = np.linalg.cholesky(np.exp(-cdist(middle, middle) / RANGE_M) + 1e-8 * np.eye(len(middle)))
    k = int(scene.segments["cluster"].nunique())
    theirs, ours, tested, groupings = 0, 0, 0, []
    # counts are drawn on the segments themselves: nothing is lost to junctions here
    table = pd.DataFrame(scene.segments.drop(columns="geometry")).assign(counted_m=scene.segments["length_m"])
    for seed in range(draws):
        counts, places = redraw(scene, root, seed)
        found = francis.find(scene.spaces[0], francis.count_near(scene.points, places), k)
        theirs += found.p_value < francis.LEVEL
        groupings.append(found)
        tests = cluster_tests(
            table.assign(n_collisions=counts), ("n_collisions",), permutations=permutations, seed=seed
        )
        tested += bool(tests["p_value"].notna().any())
        ours += bool((tests["q_value"] < francis.LEVEL).any())
    again = [common_ari(a, b) for a, b in pairwise(groupings)]
    return {
        "paper: calls": _share(theirs, draws),
        "ours: calls": _share(ours, draws),
        "ours: draws that could be tested": tested / draws,
        "paper: stability, collisions drawn again": float(np.nanmean(again)) if again else None,
        "ours: stability, collisions drawn again": 1.0,
    }


def common_ari(one: francis.Finding, other: francis.Finding) -> float:
    """Hold two groupings against each other on the points that both have."""
    both, at, there = np.intersect1d(one.hazardous, other.hazardous, return_indices=True)
    if len(both) < 2:
        return float("nan")
    return float(adjusted_rand_score(one.labels[at], other.labels[there]))


def ward_stability(points: Floats, labels: Ints, k: int) -> float:
    """Mean adjusted Rand index between a grouping and those of bootstrap samples, extended by the nearest centroid."""
    rng = np.random.default_rng([0, k])
    scores = []
    for _ in range(RESAMPLES):
        sample = points[rng.integers(0, len(points), len(points))]
        extended = NearestCentroid().fit(sample, francis.ward(sample, k)).predict(points)
        scores.append(adjusted_rand_score(labels, extended))
    return float(np.mean(scores))


def compare(scene: Scene, forms: pd.Series | None) -> dict[str, object]:
    """Tell the stability of both methods on the records as they are, and their recovery of true forms."""
    k = int(scene.segments["cluster"].nunique())
    cluster = scene.segments["cluster"].to_numpy(dtype=np.int64)
    counts = francis.count_near(scene.points, scene.collisions)
    found, other = (francis.find(space, counts, k) for space in scene.spaces)
    mine = scene.spaces[0][found.hazardous][:, found.kept]
    near = scene.segment_of[found.hazardous]
    told: dict[str, object] = {
        "groups": k,
        "points": len(scene.points),
        "hazardous points": len(found.hazardous),
        "collisions": len(scene.collisions),
        "collisions as counted by the paper": int(counts.sum()),
        "components": scene.spaces[0].shape[1],
        "components that correlate": len(found.kept),
        "autoencoder's error": scene.error,
        "paper: p of its groups": found.p_value,
        "paper: stability, bootstrap": ward_stability(mine, found.labels, k),
        "ours: stability, bootstrap": stabilities(
            scene.embeddings, [cluster], [k], KMeans(resamples=RESAMPLES)
        )[0],
        "paper: stability, another seed": common_ari(found, other),
    }
    if forms is not None:
        true = forms.reindex(scene.segments.index).to_numpy()
        told |= {
            "paper: recovery of forms, hazardous points": float(
                adjusted_rand_score(true[near], found.labels)
            ),
            "ours: recovery of forms, the same segments": float(
                adjusted_rand_score(true[near], cluster[near])
            ),
            "ours: recovery of forms, all segments": float(adjusted_rand_score(true, cluster)),
        }
    return told


def _share(hits: int, draws: int) -> str:
    low, high = binomtest(hits, draws).proportion_ci()
    return f"{hits / draws:.1%} ({low:.1%} to {high:.1%})"


def main() -> None:
    """Run both cities, and set the methods beside each other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--permutations", type=int, default=999)
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--only", choices=("demo-town", "cambridge-ma"))
    asked = parser.parse_args()
    record = {}
    for name in ("demo-town", "cambridge-ma"):
        if asked.only not in (None, name):
            continue
        if name != "demo-town" and "ROADPRINT_DATA" not in os.environ:
            print("The real case is left out: ROADPRINT_DATA is not set.")
            continue
        start = time.perf_counter()
        city = draw_demo(asked.out) if name == "demo-town" else CITY
        with own_server() as wait:
            wait()
            city_flow(str(city), None, str(asked.out))
        plan = make_plan(city, None, asked.out)
        forms = (
            DemoTown(city.parent).truth().segments.set_index("segment_id")["form"]
            if name == "demo-town"
            else None
        )
        scene = load_scene(plan)
        told = compare(scene, forms) | false_calls(scene, asked.draws, asked.permutations)
        told |= {"draws": asked.draws, "seconds": round(time.perf_counter() - start, 1)}
        print(
            f"\n{name}\n\n{table([{'what': what, 'value': value} for what, value in told.items()])}",
            flush=True,
        )
        record[name] = told
    save("paper", record)


if __name__ == "__main__":
    main()
