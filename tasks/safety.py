"""Stage 7: counts, rates, and what is known of each cluster."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import Severity
from geo.ledger import Entry
from geo.safety.effects import cluster_table
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
from geo.safety.shrinkage import shrink
from tasks.plan import Plan
from tasks.stage import read_json

NO_RECORDS = pd.DataFrame(
    {"segment_id": [], "junction_id": [], "severity": [], "date": [], "source_year": [], "ksi_adjusted": []}
    | {user: [] for user in ROAD_USERS}
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments``, ``junctions`` and ``clusters`` (see docs/stages.md)."""
    roads = plan.stage_folder("roads")
    segments = gpd.read_parquet(roads / "segments.parquet").set_index("segment_id")
    junctions = gpd.read_parquet(roads / "junctions.parquet").set_index("junction_id")
    clusters = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet").set_index("segment_id")
    traffic = pd.read_parquet(plan.stage_folder("exposure") / "segments.parquet").set_index("segment_id")
    found, at_junctions, years = measure(plan, segments, junctions, traffic)
    frame = segments[["road_class", "length_m"]].join(clusters["cluster"]).join(found)
    found.reset_index().to_parquet(folder / "segments.parquet")
    at_junctions.reset_index().to_parquet(folder / "junctions.parquet")
    cluster_table(frame).to_parquet(folder / "clusters.parquet")
    formed = at_junctions.join(junctions[["arms", "form"]])
    junction_types(formed, years).to_parquet(folder / "junction_types.parquet")
    places(frame, at_junctions, years).to_parquet(folder / "places.parquet")
    return [Entry("segments", "done", "", len(found)), Entry("junctions", "done", "", len(at_junctions))]


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
    exposure = segments["length_m"] / 1000 * rates["years"]
    shrunk = shrink(counts["n_ksi"], exposure, segments["road_class"])
    eb = shrunk[["estimate", "low", "high"]].set_axis(
        ["ksi_per_km_year_eb", "ksi_per_km_year_eb_low", "ksi_per_km_year_eb_high"], axis="columns"
    )
    of_all = shrink(counts["n_collisions"], exposure, segments["road_class"])["estimate"]
    traffic = traffic.reindex(segments.index)
    per_vehicle = traffic_rates(counts, segments["length_m"], traffic["aadt"], years)
    joined = counts.join(rates).join(eb).join(of_all.rename("collisions_per_km_year_eb"))
    joined = joined.join(traffic).join(per_vehicle)
    return joined, at_junctions.join(junction_rates(at_junctions, years)), years
