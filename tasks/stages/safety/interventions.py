"""Before and after: what became of the roads that somebody has changed."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.collisions.tables.places import expand_globs, files_of
from geo.config import CityConfig
from geo.ledger import Entry
from tasks.documents import Effects
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_looks
from tasks.stages.network.roads import load_place
from tasks.stages.records.collisions import load_placed
from tasks.store.stage import Stage
from tasks.tables import BY_KIND, TREATED

FINDINGS = "findings.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``interventions`` and ``interventions_by_kind`` (see docs/stages.md), where the city names treatments."""
    import pyproj
    import shapely

    from geo.safety.interventions.reading import read_interventions
    from geo.safety.interventions.treated import Town, study_town

    config = plan.config
    if not config.interventions.sources():
        Effects(notes=[]).write(folder / FINDINGS)
        return []
    roads, safety = plan.stage_folder("roads"), plan.stage_folder("safety")
    place = load_place(plan)
    treatments = read_interventions(config.interventions, pyproj.CRS.from_wkt(place.crs))
    records, recorded = load_placed(plan)
    town = Town(
        gpd.read_parquet(roads / "segments.parquet"),
        gpd.read_parquet(roads / "junctions.parquet"),
        gpd.read_parquet(roads / "other_roads.parquet"),
        None if place.area is None else shapely.from_wkt(place.area),
        pd.read_parquet(safety / "segments.parquet").set_index("segment_id"),
        pd.read_parquet(safety / "junctions.parquet").set_index("junction_id"),
        records,
        recorded.period,
        frozenset(recorded.severities),
        tuple(recorded.users),
    )
    vectors = load_looks(plan, pd.Index(town.segments["segment_id"]))
    found = study_town(town, treatments, vectors, config)
    TREATED.write(found.sites, folder)
    BY_KIND.write(found.by_kind, folder)
    Effects(notes=found.notes).write(folder / FINDINGS)
    return found.entries


def _sources(config: CityConfig) -> list[str]:
    return files_of(expand_globs(config.interventions.sources()))


STAGE = Stage(
    "interventions",
    build,
    counts=("treatments",),
    after=("roads", "collisions", "exposure", "fingerprints", "safety"),
    settings=(
        "interventions",
        "collisions.max_distance_m",
        "collisions.junction_reach_m",
        "collisions.ambiguity_m",
        "clusters.components",
        "clusters.whitening",
        "clusters.turn_whitening",
        "tiles.tile_m",
    ),
    inputs=_sources,
    tables=(TREATED, BY_KIND),
    documents=(Effects,),
)
