"""Segments are grouped by what they look like. No collision is read here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd

from geo.ledger import Entry
from tasks.documents import Quality
from tasks.plan import Plan
from tasks.stages.fingerprints import (
    FILE,
    load_encoded,
    load_fingerprints,
    load_looks_of_tiles,
    load_scatter,
)
from tasks.store.stage import Stage
from tasks.tables import CHOICE, GROUPINGS, MERGING, PROTOTYPES, TYPES

if TYPE_CHECKING:
    from geo.clusters.road_types import RoadTypes
    from geo.config import CityConfig

QUALITY = "quality.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write the types with what shows and judges them, and ``quality`` (see docs/stages.md)."""
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    found = _found(plan, roads) if plan.config.clusters.typology is None else _assigned(plan, roads)
    if not plan.config.imagery.sources:
        found = found.without_baseline()
    TYPES.write(found.segments, folder)
    PROTOTYPES.write(found.picks, folder)
    CHOICE.write(found.choice, folder)
    MERGING.write(found.merging, folder)
    GROUPINGS.write(found.groupings, folder)
    Quality.model_validate(found.quality).write(folder / QUALITY)
    typed = int(found.segments["cluster"].notna().sum())
    return [
        Entry("segments", "done", "", typed),
        Entry("segments", "skipped", "it is like none of the typology's types", len(found.segments) - typed),
    ]


def _found(plan: Plan, roads: gpd.GeoDataFrame) -> RoadTypes:
    """Find types in the city, in the numbers of an earlier run where there is one."""
    from geo.clusters.numbers import keep_numbers
    from geo.clusters.registry import method_of
    from geo.clusters.road_types import find_types

    tile_m = plan.config.tiles.tile_m
    found = find_types(
        load_fingerprints(plan),
        load_encoded(plan),
        roads,
        plan.config.clusters,
        tile_m=tile_m,
        scatter=load_scatter(plan),
        looks=load_looks_of_tiles(plan) if method_of(plan.config.clusters).uses_views else (),
    )
    if plan.numbers.segments is not None:
        earlier, *older = (_typed(file) for file in (plan.numbers.segments, *plan.numbers.older))
        mine = roads.merge(found.segments[["segment_id", "cluster"]], on="segment_id")
        found = found.renumbered(keep_numbers(mine, earlier, plan.numbers.reserved, older))
    return found


def _assigned(plan: Plan, roads: gpd.GeoDataFrame) -> RoadTypes:
    """Give segments to the types of the typology that the configuration names."""
    import pyarrow.parquet as pq

    from geo.clusters.typology.file import read_typology
    from geo.clusters.typology.made_by import made_by, refuse_other
    from geo.clusters.typology.types import assign_types

    typology = read_typology(Path(str(plan.config.clusters.typology)))
    mine = made_by(pq.read_schema(plan.stage_folder("fingerprints") / FILE).metadata)
    refuse_other(mine, typology.card.made_by, where="clusters.typology", what="the typology")
    return assign_types(
        load_fingerprints(plan),
        load_encoded(plan),
        roads,
        typology,
        plan.config.clusters,
        tile_m=plan.config.tiles.tile_m,
    )


def load_quality(plan: Plan) -> Quality:
    """Read how well segments are told apart."""
    return Quality.read(plan.stage_folder("clusters") / QUALITY)


def _typed(file: Path) -> gpd.GeoDataFrame:
    """Read the segments of an earlier run with their types, from its layer or its GeoPackage."""
    if file.suffix == ".gpkg":
        return gpd.read_file(file, layer="segments", columns=["cluster"])
    return gpd.read_parquet(file, columns=["cluster", "geom"])


def _sources(config: CityConfig) -> Sequence[str]:
    """List the typology, where types are those of one."""
    return [] if config.clusters.typology is None else [config.clusters.typology]


STAGE = Stage(
    "clusters",
    build,
    counts=("segments",),
    after=("roads", "fingerprints"),
    # whose numbers types keep is decided by earlier runs, which name the work as well
    settings=(
        "clusters",
        "-clusters.keep_numbers",
        "-clusters.typology",
        "-clusters.junctions.types",
        "-clusters.junctions.k",
        "-clusters.junctions.k_range",
        "imagery.sources",
        "tiles.tile_m",
    ),
    inputs=_sources,
    tables=(TYPES, PROTOTYPES, CHOICE, MERGING, GROUPINGS),
    documents=(Quality,),
)
