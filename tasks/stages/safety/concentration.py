"""Where collisions gather on the network, and which roads look like the worst."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from tasks.documents import Bandwidth, Gathered
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_looks
from tasks.stages.records.collisions import load_placed
from tasks.stages.safety.inference import FINDINGS
from tasks.store.stage import Stage
from tasks.tables import BANDWIDTHS, HIGH_INJURY, HOT_SPOTS, LIXELS, LOOK_ALIKES, WINDOWS

if TYPE_CHECKING:
    from geo.safety.along.recorded import RecordedRoads


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``windows``, ``high_injury``, ``segments`` (Gi*), ``lixels`` and ``look_alikes`` (see docs/stages.md)."""
    from geo.safety.along.high_injury import headline_sentences
    from geo.safety.along.recorded import find_spots, smooth, sweep_windows
    from geo.safety.picture.lookalikes import alike_to_worst, count_look_alikes, plain_pairs

    config = plan.config
    settings, seed = config.safety.concentration, config.safety.seed
    roads = load_roads(plan)
    windows, headline = sweep_windows(roads, settings, seed)
    WINDOWS.write(windows, folder)
    HIGH_INJURY.write(headline, folder)
    HOT_SPOTS.write(find_spots(roads, settings, seed), folder)
    lixels, chosen = smooth(roads, settings)
    LIXELS.write(lixels, folder)
    BANDWIDTHS.write(chosen.scores, folder)
    looks = load_looks(plan, pd.Index(roads.segments["segment_id"]))
    alike = alike_to_worst(
        roads.segments, looks, roads.outcome, settings, config.clusters, tile_m=config.tiles.tile_m
    )
    LOOK_ALIKES.write(plain_pairs(alike, roads.outcome), folder)
    notes = [] if roads.severities is None else headline_sentences(headline, roads.outcome)
    density = Bandwidth(bandwidth_m=chosen.bandwidth_m, how=chosen.how)
    Gathered(notes=notes, density=density).write(folder / FINDINGS)
    counted = count_look_alikes(alike, roads.segments, looks, roads.outcome, settings)
    return [Entry("windows", "done", "", len(windows)), *counted]


def load_roads(plan: Plan) -> RecordedRoads:
    """Read the network, what is known of its segments, and the collisions that were placed on it."""
    from geo.safety.along.recorded import recorded_roads

    folder = plan.stage_folder("roads")
    known = pd.read_parquet(plan.stage_folder("safety") / "segments.parquet").set_index("segment_id")
    records, told = load_placed(plan)
    return recorded_roads(
        gpd.read_parquet(folder / "segments.parquet"),
        gpd.read_parquet(folder / "junctions.parquet"),
        known,
        records,
        told.severities,
        told.years,
    )


STAGE = Stage(
    "concentration",
    build,
    counts=("windows",),
    after=("roads", "fingerprints", "collisions", "safety"),
    settings=(
        "safety.concentration",
        "safety.seed",
        "clusters.components",
        "clusters.whitening",
        "clusters.turn_whitening",
        "tiles.tile_m",
    ),
    tables=(WINDOWS, HIGH_INJURY, HOT_SPOTS, LIXELS, BANDWIDTHS, LOOK_ALIKES),
    documents=(Gathered,),
)
