"""Stage 9: where collisions gather on the network, and which roads look like the worst."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.clusters.space import to_space
from geo.features.encoder import Embeddings
from geo.ledger import Entry
from geo.roads.graph import RoadGraph, build_graph
from geo.roads.routes import Routes, chain, locate
from geo.safety.along import high_injury as carried
from geo.safety.along.density import Bandwidth, choose_bandwidth, cut_lixels, density_layer, masses, spread
from geo.safety.along.headlines import headline_sentences, plain_pairs
from geo.safety.along.hotspots import hot_spots
from geo.safety.along.windows import (
    cell_of,
    count_in_cells,
    high_injury,
    kinds_of,
    lay_windows,
    score,
    window_layer,
)
from geo.safety.picture.lookalikes import LookAlikes, Outcome, look_alikes
from tasks.plan import Plan
from tasks.stages.features import load_embeddings
from tasks.stages.inference import pool
from tasks.store.stage import read_json, write_json

APART_TILES = 1.5
"""Segments nearer than so many tiles' sides may show the same pixels: a diagonal is 1.41."""
COUNTS = ("n_collisions", "n_fatal", "n_serious", "n_slight", "n_ksi", "score_per_km")
SPOTS = {
    "n_neighbours": "gi_star_neighbours",
    "p_value": "gi_star_p_value",
    "q_value": "gi_star_q_value",
    "spot": "gi_star_spot",
    "reason": "gi_star_reason",
}


@dataclass(frozen=True, slots=True)
class City:
    """What the parts of this stage look at.

    Attributes
    ----------
    segments
        With what is known of collisions on them, in the order of ``segment_id`` of the stage ``roads``.
    records
        Collisions that were placed.
    source
        What the records tell, or None where there are none.
    graph, routes, located
        See `geo.roads.graph.build_graph`, `geo.roads.routes.chain`, `geo.roads.routes.locate`.
    outcome
        KSI where known, else all collisions.
    """

    segments: gpd.GeoDataFrame
    records: gpd.GeoDataFrame
    source: dict[str, Any] | None
    graph: RoadGraph
    routes: Routes
    located: pd.DataFrame
    outcome: Outcome


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``windows``, ``high_injury``, ``segments`` (Gi*), ``lixels`` and ``look_alikes`` (see docs/stages.md)."""
    settings = plan.config.safety.concentration
    city = load_city(plan)
    windows, headline = sweep(plan, city)
    windows.to_parquet(folder / "windows.parquet")
    headline.to_parquet(folder / "high_injury.parquet")
    spots = hot_spots(
        city.graph,
        city.segments.set_index("segment_id")[f"{city.outcome}_per_km_year_eb"],
        settings.hot_spot_m,
        settings.hot_spot_permutations,
        plan.config.safety.seed,
    )
    spots.rename(columns=SPOTS).reset_index().to_parquet(folder / "segments.parquet")
    lixels, chosen = smooth(plan, city)
    lixels.to_parquet(folder / "lixels.parquet")
    chosen.scores.to_parquet(folder / "bandwidths.parquet")
    alike = compare_looks(plan, city)
    plain_pairs(alike, city.outcome).to_parquet(folder / "look_alikes.parquet")
    notes = [] if city.source is None else headline_sentences(headline, city.outcome)
    write_json(
        folder / "findings.json",
        {"notes": notes, "density": {"bandwidth_m": chosen.bandwidth_m, "how": chosen.how}},
    )
    return [Entry("windows", "done", "", len(windows))]


def load_city(plan: Plan) -> City:
    """Read the network, what is known of its segments, and the collisions that were placed on it."""
    roads, stage = plan.stage_folder("roads"), plan.stage_folder("collisions")
    segments = gpd.read_parquet(roads / "segments.parquet")
    found = pd.read_parquet(plan.stage_folder("safety") / "segments.parquet").set_index("segment_id")
    graph = build_graph(segments, gpd.read_parquet(roads / "junctions.parquet"))
    if (stage / "collisions.parquet").exists():
        records = gpd.read_parquet(stage / "collisions.parquet")
        records = records[records["snap_status"] == "matched"].reset_index(drop=True)
        source = read_json(stage / "source.json")
    else:
        empty = {name: pd.Series([], dtype=object) for name in ("segment_id", "junction_id", "severity")}
        records, source = gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=segments.crs)), None
    routes = chain(graph, segments)
    return City(
        segments.join(found, on="segment_id"),
        records,
        source,
        graph,
        routes,
        locate(routes, records),
        "ksi" if found["n_ksi"].notna().any() else "collisions",
    )


def sweep(plan: Plan, city: City) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Slide windows along the roads, and tell how few of them carry how much; without records all is null."""
    settings = plan.config.safety.concentration
    weights = settings.weights.model_dump()
    windows = lay_windows(city.routes, settings.window_m, settings.step_m, settings.min_window_m)
    kind = kinds_of(city.records["severity"])[city.located["collision"].to_numpy(dtype=np.int64)]
    share = city.located["share"].to_numpy(dtype=np.float64)
    counts = count_in_cells(windows, cell_of(windows, city.located), kind, share)
    held = counts[:, :2].sum(axis=1) if city.outcome == "ksi" else counts.sum(axis=1)
    threshold = high_injury(windows.best(score(windows, counts, weights)), held, settings.share_of_outcome)
    told = city.source["severities"] if city.source is not None else []
    layer = window_layer(windows, counts, weights, told, threshold, city.segments.crs)
    how = carried.Concentration(
        settings.share_of_outcome,
        settings.share_of_length,
        block_m=settings.block_m,
        seed=plan.config.safety.seed,
    )
    headline = carried.concentration(
        windows, city.located, city.records["severity"], weights, city.outcome, how
    )
    if city.source is None:
        layer[list(COUNTS)] = np.nan
        headline = headline.assign(n=pd.array([None] * len(headline), "Int64"), reason="no collision records")
    return layer, headline


def smooth(plan: Plan, city: City) -> tuple[gpd.GeoDataFrame, Bandwidth]:
    """Spread the collisions along the network; without records all is null."""
    settings = plan.config.safety.concentration
    lixels = cut_lixels(city.graph, settings.lixel_m)
    if settings.bandwidth_m is None:
        chosen = choose_bandwidth(lixels, city.located, settings.bandwidths_m)
    else:
        chosen = Bandwidth(
            settings.bandwidth_m, "by setting", pd.DataFrame({"bandwidth_m": [settings.bandwidth_m]})
        )
    density = np.zeros(len(lixels.segment))
    if city.source is None:
        density = np.full(len(lixels.segment), np.nan)
    elif chosen.bandwidth_m is not None:
        density = spread(lixels, masses(lixels, city.located), chosen.bandwidth_m)
    years = None if city.source is None else city.source["years"]
    layer = density_layer(lixels, density, years, city.segments.crs)
    return layer.assign(bandwidth_m=chosen.bandwidth_m), chosen


def compare_looks(plan: Plan, city: City) -> pd.DataFrame:
    """Find the roads that look like the worst, in the space in which types are found."""
    settings = plan.config.safety.concentration
    embeddings: Embeddings = pool(
        load_embeddings(plan), "embedding", pd.Index(city.segments["segment_id"])
    ).astype(np.float32)
    seen = np.isfinite(embeddings).all(axis=1)
    points = to_space(embeddings[seen], plan.config.clusters)
    space = np.full((len(embeddings), points.shape[1]), np.nan)
    space[seen] = points
    return look_alikes(
        city.segments,
        space,
        city.segments[f"{city.outcome}_per_km_year_potential"],
        city.outcome,
        LookAlikes(
            settings.worst_segments, settings.look_alikes, apart_m=APART_TILES * plan.config.tiles.tile_m
        ),
    )
