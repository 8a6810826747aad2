"""Stage 4: segments are grouped by what they look like. No collision is read here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score, silhouette_score

from geo.clusters.alike import most_alike
from geo.clusters.choose import choose_k
from geo.clusters.fit import Clustering, cluster
from geo.clusters.numbers import keep_numbers
from geo.clusters.prototypes import central_tiles, pick
from geo.clusters.space import Points, to_space
from geo.features.encoder import Embeddings
from geo.features.pooling import judge, pool_segments
from geo.ledger import Entry
from tasks.plan import Plan
from tasks.stages.features import load_embeddings
from tasks.store.stage import write_json


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments``, ``prototypes``, ``choice`` and ``quality`` (see docs/stages.md)."""
    settings = plan.config.clusters
    tiles = load_embeddings(plan)
    ids, embeddings = _pool(tiles, "embedding")
    _, bands = _pool(tiles, "bands")
    points, baseline_points = to_space(embeddings, settings), to_space(bands, settings)

    choice = choose_k(points, settings)
    k = int(choice.loc[choice["chosen"], "k"].iloc[0])
    found = cluster(points, k, seed=settings.seed)
    baseline = cluster(baseline_points, k, seed=settings.seed)
    segments = pd.DataFrame(
        {
            "segment_id": ids,
            "cluster": pd.array(found.labels, dtype="Int64"),
            "cluster_margin": found.margin,
            "cluster_baseline": pd.array(baseline.labels, dtype="Int64"),
        }
    )
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    roads = roads.set_index("segment_id").loc[ids].reset_index()
    segments["looks_like"] = _looks_like(ids, points, found, roads, 2 * plan.config.tiles.tile_m)
    picks = pick(ids, found, seed=settings.seed)
    picks["tile_id"] = central_tiles(picks, tiles)
    if plan.numbers.segments is not None:
        earlier, *older = (_typed(file) for file in (plan.numbers.segments, *plan.numbers.older))
        numbers = keep_numbers(roads.assign(cluster=found.labels), earlier, plan.numbers.reserved, older)
        segments["cluster"] = segments["cluster"].map(numbers).astype("Int64")
        picks["cluster"] = picks["cluster"].map(numbers)
    picks = picks.sort_values("cluster", kind="stable", ignore_index=True)
    segments.to_parquet(folder / "segments.parquet")
    picks.to_parquet(folder / "prototypes.parquet")
    choice.to_parquet(folder / "choice.parquet")
    quality = _quality(embeddings, bands, points, baseline_points, found, baseline)
    if settings.k != "auto" and 2 * settings.k > len(ids):
        few = f"clusters.k is {settings.k}, and only {len(ids)} segments have imagery: a type of one road is no type"
        quality["encoder"]["warnings"] = [*quality["encoder"]["warnings"], few]
    write_json(folder / "quality.json", quality)
    return [Entry("segments", "done", "", len(segments))]


def _typed(file: Path) -> gpd.GeoDataFrame:
    """Read the segments of an earlier run with their types, from its layer or its GeoPackage."""
    if file.suffix == ".gpkg":
        return gpd.read_file(file, layer="segments", columns=["cluster"])
    return gpd.read_parquet(file, columns=["cluster", "geom"])


def _looks_like(
    ids: pd.Index, points: Points, found: Clustering, roads: gpd.GeoDataFrame, apart_m: float
) -> list[str | None]:
    """Name the segments that look most like each, joined by ``;``."""
    middles = roads.geometry.interpolate(0.5, normalized=True)
    best = most_alike(points, found.labels, middles.get_coordinates().to_numpy(), apart_m=apart_m)
    return [";".join(ids[row[row >= 0]]) or None for row in best]


def _pool(tiles: pd.DataFrame, column: str) -> tuple[pd.Index, Embeddings]:
    """Pool one kind of embedding over the tiles of each segment."""
    stacked = np.stack(tiles[column].tolist()).astype(np.float32)
    return pool_segments(tiles["segment_id"], stacked, tiles["coverage"].to_numpy(dtype=np.float64))


def _quality(
    embeddings: Embeddings,
    bands: Embeddings,
    points: Points,
    baseline_points: Points,
    found: Clustering,
    baseline: Clustering,
) -> dict[str, Any]:
    """Say how well the encoder, and the baseline beside it, tell segments apart."""
    return {
        "encoder": judge(embeddings).as_dict() | {"silhouette": _silhouette(points, found)},
        "baseline": judge(bands).as_dict() | {"silhouette": _silhouette(baseline_points, baseline)},
        "agreement_with_baseline": float(adjusted_rand_score(found.labels, baseline.labels)),
        "k": found.k,
    }


def _silhouette(points: Points, found: Clustering) -> float | None:
    """Mean silhouette of a partition; None where it is not defined."""
    if not 1 < found.k < len(points):
        return None
    return float(silhouette_score(points, found.labels, sample_size=min(5000, len(points)), random_state=0))
