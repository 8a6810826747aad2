"""Systemic analysis: which collisions to look at, what roads that have them share, and where else that is found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from tasks.documents import Findings
from tasks.plan import Plan
from tasks.stages.records.collisions import load_placed
from tasks.stages.safety.inference import FINDINGS
from tasks.store.stage import Stage
from tasks.tables import CARRIERS, SYSTEMIC_FACTORS, SYSTEMIC_FOCUS, SYSTEMIC_HELD_OUT

if TYPE_CHECKING:
    from geo.safety.comparison.heldout import Periods
    from geo.safety.systemic.analysis import Sites


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``systemic_focus``, ``systemic_factors``, ``systemic_held_out`` and ``segments`` (see docs/stages.md)."""
    from geo.safety.systemic.analysis import analyse
    from geo.safety.systemic.focus import focus_types
    from geo.safety.systemic.words import findings

    roads = plan.stage_folder("roads")
    segments = gpd.read_parquet(roads / "segments.parquet").set_index("segment_id")
    junctions = gpd.read_parquet(roads / "junctions.parquet").set_index("junction_id")
    records, told = load_placed(plan)
    focus = focus_types(records, segments, junctions, told.severities, told.users)
    found = [analyse(sites, focus) for sites in load_sites(plan, segments, junctions)]
    SYSTEMIC_FOCUS.write(focus, folder)
    SYSTEMIC_FACTORS.write(pd.concat([one.factors for one in found], ignore_index=True), folder)
    SYSTEMIC_HELD_OUT.write(pd.concat([one.later for one in found], ignore_index=True), folder)
    carriers = found[0].sites
    CARRIERS.write(carriers.reset_index(), folder)
    Findings(notes=[] if records is None else findings(focus, found[0])).write(folder / FINDINGS)
    screened = int(carriers["n_risk_factors"].notna().sum())
    why = "no factor stands, or there is no length that collisions could be counted on"
    return [
        Entry("segments", "done", "", screened),
        Entry("segments", "skipped", why, len(carriers) - screened),
    ]


def load_sites(plan: Plan, segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame) -> list[Sites]:
    """Read what is known of segments and of junctions."""
    from geo.safety.comparison.heldout import halves
    from geo.safety.systemic.analysis import junction_sites, segment_sites
    from geo.safety.systemic.factors import junction_factors, segment_factors

    safety = plan.stage_folder("safety")
    rated = pd.read_parquet(safety / "segments.parquet").set_index("segment_id").loc[segments.index]
    counted = pd.read_parquet(safety / "junctions.parquet").set_index("junction_id").loc[junctions.index]
    types = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet").set_index("segment_id")
    tests = pd.read_parquet(plan.stage_folder("inference") / "tests.parquet")
    records, told = load_placed(plan)
    periods: list[Periods | None] = [None, None]
    if records is not None:
        placed = pd.DataFrame(records.drop(columns="geometry"))
        at = placed.assign(segment_id=placed["junction_id"])
        periods = [
            halves(
                part,
                index,
                period=told.period,
                years=told.years,
                severities=told.severities,
                users=told.users,
            )
            for part, index in ((placed, segments.index), (at, junctions.index))
        ]
    factors = segment_factors(segments, junctions, rated)
    return [
        segment_sites(segments, rated, factors, types["cluster"], tests, periods[0]),
        junction_sites(junctions, counted, told.years, junction_factors(junctions), periods[1]),
    ]


STAGE = Stage(
    "systemic",
    build,
    counts=("segments",),
    after=("roads", "clusters", "collisions", "safety", "inference"),
    tables=(SYSTEMIC_FOCUS, SYSTEMIC_FACTORS, SYSTEMIC_HELD_OUT, CARRIERS),
    documents=(Findings,),
)
