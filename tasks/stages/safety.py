"""Stage 7: counts, rates, and what is to be expected of each segment."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import Severity
from geo.ledger import Entry
from geo.roads.graph import build_graph
from geo.safety.expected.estimates import estimate
from geo.safety.places import junction_types, places
from geo.safety.rates import (
    ROAD_USERS,
    count_adjusted,
    count_severities,
    count_users,
    junction_rates,
    segment_rates,
    traffic_rates,
)
from tasks.plan import Plan
from tasks.store.stage import read_json

RANKS = {"mean_rank": "expected_rank", "p_worst": "p_worst_5_percent"}
NO_RECORDS = pd.DataFrame(
    {"segment_id": [], "junction_id": [], "severity": [], "date": [], "source_year": [], "ksi_adjusted": []}
    | {user: [] for user in ROAD_USERS}
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments``, ``junctions`` and ``models`` (see docs/stages.md)."""
    roads = plan.stage_folder("roads")
    segments = gpd.read_parquet(roads / "segments.parquet").set_index("segment_id")
    junctions = gpd.read_parquet(roads / "junctions.parquet").set_index("junction_id")
    traffic = pd.read_parquet(plan.stage_folder("exposure") / "segments.parquet").set_index("segment_id")
    counted, at_junctions, years = measure(plan, segments, junctions, traffic)
    found, models = expect(plan, segments, junctions, counted)
    found.reset_index().to_parquet(folder / "segments.parquet")
    models.to_parquet(folder / "models.parquet")
    at_junctions.reset_index().to_parquet(folder / "junctions.parquet")
    formed = at_junctions.join(junctions[["arms", "form"]])
    junction_types(formed, years).to_parquet(folder / "junction_types.parquet")
    places(segments[["length_m"]].join(counted), at_junctions, years).to_parquet(folder / "places.parquet")
    return [Entry("segments", "done", "", len(found)), Entry("junctions", "done", "", len(at_junctions))]


def expect(
    plan: Plan, segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, counted: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add to the counts what is to be expected of each segment, and how it ranks; and lay out the models behind it.

    Ranks are by KSI where it is known of all, else by all collisions.
    """
    settings = plan.config.safety
    graph = build_graph(segments.reset_index(), junctions.reset_index())
    at_junction = pd.notna(graph.junction_id[graph.node]).sum(axis=1)
    ends = pd.Series(at_junction, index=graph.segment_id).reindex(segments.index)
    known = segments[["road_class"]].assign(
        junction_ends_per_km=ends / (segments["length_m"] / 1000), aadt=counted["aadt"].astype("float64")
    )
    exposure = segments["length_m"] / 1000 * counted["years"]
    estimates = {
        what: estimate(
            what, counted[f"n_{what}"], exposure, known, seed=settings.seed, draws=settings.rank_draws
        )
        for what in ("ksi", "collisions")
    }
    ranked = "ksi" if estimates["ksi"].ranks["rank"].notna().any() else "collisions"
    ranks = estimates[ranked].ranks.rename(columns=RANKS)
    ranks["rank_of"] = pd.Series(ranked, index=ranks.index, dtype=object).where(ranks["rank"].notna(), None)
    found = counted.join([part.segments for part in estimates.values()]).join(ranks)
    found["junction_ends_per_km"] = known["junction_ends_per_km"]
    return found, pd.concat([part.models for part in estimates.values()], ignore_index=True)


def measure(
    plan: Plan, segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, traffic: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, float | None]:
    """Count and rate the collisions of segments and junctions, and tell the years; without records all is null."""
    stage = plan.stage_folder("collisions")
    told: frozenset[Severity] = frozenset()
    years = None
    records = NO_RECORDS
    users: list[str] = []
    if (stage / "collisions.parquet").exists():
        everything = gpd.read_parquet(stage / "collisions.parquet")
        records = everything[everything["snap_status"] == "matched"]
        source = read_json(stage / "source.json")
        told, years, users = frozenset(source["severities"]), source["years"], source["users"]
    counts, at_junctions = (
        count_severities(records, by, index, told)
        .join(count_users(records, by, index, users))
        .join(count_adjusted(records, by, index))
        for by, index in (("segment_id", segments.index), ("junction_id", junctions.index))
    )
    if records is NO_RECORDS:
        counts, at_junctions = (
            table.mask(np.ones(table.shape, dtype=bool)) for table in (counts, at_junctions)
        )
    rates = segment_rates(counts, segments["length_m"], years)
    traffic = traffic.reindex(segments.index)
    per_vehicle = traffic_rates(counts, segments["length_m"], traffic["aadt"], years)
    joined = counts.join(rates).join(traffic).join(per_vehicle)
    return joined, at_junctions.join(junction_rates(at_junctions, years)), years
