"""What lies beside roads of each type, where the ground is mapped."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from geo.outputs.layers.ground import BESIDE_TYPES
from tasks.plan import Plan
from tasks.stages.ground.classes import load_learned
from tasks.stages.ground.mapping import OF_SEGMENTS
from tasks.store.stage import Stage
from tasks.tables import TYPES, as_layer

BESIDE = as_layer(BESIDE_TYPES, key=("cluster", "key", "band"))


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``ground_types`` where the ground is mapped (see docs/stages.md)."""
    from geo.ground.there.compared import compare_ground
    from geo.safety.comparison.compared import known_of_segments

    if not load_learned(plan).mapped:
        return []
    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    types = TYPES.read(plan.stage_folder("clusters")).set_index("segment_id")
    frame = known_of_segments(segments, types, load_shares(plan))
    found = compare_ground(frame, seed=plan.config.safety.seed)
    BESIDE.write(found, folder)
    return [Entry("types of road by their ground", "done", "", int(found["cluster"].nunique()))]


def load_shares(plan: Plan) -> pd.DataFrame:
    """Read the shares of ground of segments, by ``segment_id``; without columns where ground is not mapped."""
    return OF_SEGMENTS.read(plan.stage_folder("ground")).set_index("segment_id")


STAGE = Stage(
    "ground_types",
    build,
    counts=("types of road by their ground",),
    after=("roads", "clusters", "ground_classes", "ground"),
    settings=("safety.seed",),
    tables=(BESIDE,),
)
