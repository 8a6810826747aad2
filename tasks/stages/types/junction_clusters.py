"""Junctions are grouped by what they look like, apart from roads. No collision is read here."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from tasks.documents import Quality
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_junction_fingerprints, load_junction_tiles, load_scatter
from tasks.store.stage import Stage
from tasks.tables import CHOICE, JUNCTION_GROUPINGS, JUNCTION_PROTOTYPES, JUNCTION_TYPED, MERGING

QUALITY = "quality.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write the types with what shows and judges them, and ``quality`` (see docs/stages.md)."""
    from geo.clusters.found.junction_types import find_junction_types

    junctions = gpd.read_parquet(plan.stage_folder("roads") / "junctions.parquet")
    fingerprints = load_junction_fingerprints(plan)
    if fingerprints is None:
        for table in (JUNCTION_TYPED, JUNCTION_PROTOTYPES, CHOICE, MERGING, JUNCTION_GROUPINGS):
            table.write(table.empty(), folder)
        return [Entry("junctions", "skipped", "it has no fingerprint", len(junctions))]
    found = find_junction_types(
        fingerprints,
        load_junction_tiles(plan),
        junctions,
        plan.config.clusters,
        tile_m=plan.config.tiles.tile_m,
        scatter=load_scatter(plan),
    )
    JUNCTION_TYPED.write(found.segments, folder)
    JUNCTION_PROTOTYPES.write(found.picks, folder)
    CHOICE.write(found.choice, folder)
    MERGING.write(found.merging, folder)
    JUNCTION_GROUPINGS.write(found.groupings, folder)
    Quality.model_validate(found.quality).write(folder / QUALITY)
    return [
        Entry("junctions", "done", "", len(found.segments)),
        Entry("junctions", "skipped", "it has no fingerprint", len(junctions) - len(found.segments)),
    ]


def load_groupings(plan: Plan) -> pd.DataFrame | None:
    """Read the type of each junction in bootstrap groupings, a column each, by ``junction_id``; None without types."""
    from geo.clusters.evidence.groupings import stacked

    table = JUNCTION_GROUPINGS.read(plan.stage_folder("junction_clusters"))
    return None if table.empty else pd.DataFrame(stacked(table), index=pd.Index(table["junction_id"]))


STAGE = Stage(
    "junction_clusters",
    build,
    counts=("junctions",),
    after=("roads", "fingerprints"),
    settings=(
        "clusters",
        "-clusters.k",
        "-clusters.k_range",
        "-clusters.keep_numbers",
        "-clusters.typology",
        "-clusters.junctions.types",
        "tiles.tile_m",
    ),
    tables=(JUNCTION_TYPED, JUNCTION_PROTOTYPES, CHOICE, MERGING, JUNCTION_GROUPINGS),
    documents=(Quality,),
)
