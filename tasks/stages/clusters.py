"""Segments are grouped by what they look like. No collision is read here."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geo.ledger import Entry
from tasks.documents import Quality
from tasks.plan import Plan
from tasks.stages.fingerprints import load_encoded, load_fingerprints, load_scatter
from tasks.store.stage import Stage
from tasks.tables import CHOICE, GROUPINGS, PROTOTYPES, TYPES

QUALITY = "quality.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments``, ``prototypes``, ``choice``, ``groupings`` and ``quality`` (see docs/stages.md)."""
    from geo.clusters.numbers import keep_numbers
    from geo.clusters.road_types import find_types

    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    tile_m = plan.config.tiles.tile_m
    found = find_types(
        load_fingerprints(plan),
        load_encoded(plan),
        roads,
        plan.config.clusters,
        tile_m=tile_m,
        scatter=load_scatter(plan),
    )
    if plan.numbers.segments is not None:
        earlier, *older = (_typed(file) for file in (plan.numbers.segments, *plan.numbers.older))
        mine = roads.merge(found.segments[["segment_id", "cluster"]], on="segment_id")
        found = found.renumbered(keep_numbers(mine, earlier, plan.numbers.reserved, older))
    TYPES.write(found.segments, folder)
    PROTOTYPES.write(found.picks, folder)
    CHOICE.write(found.choice, folder)
    GROUPINGS.write(found.groupings, folder)
    Quality.model_validate(found.quality).write(folder / QUALITY)
    return [Entry("segments", "done", "", len(found.segments))]


def load_quality(plan: Plan) -> Quality:
    """Read how well segments are told apart."""
    return Quality.read(plan.stage_folder("clusters") / QUALITY)


def _typed(file: Path) -> gpd.GeoDataFrame:
    """Read the segments of an earlier run with their types, from its layer or its GeoPackage."""
    if file.suffix == ".gpkg":
        return gpd.read_file(file, layer="segments", columns=["cluster"])
    return gpd.read_parquet(file, columns=["cluster", "geom"])


STAGE = Stage(
    "clusters",
    build,
    counts=("segments",),
    after=("roads", "fingerprints"),
    # whose numbers types keep is decided by earlier runs, which name the work as well
    settings=(
        "clusters",
        "-clusters.keep_numbers",
        "-clusters.junctions.types",
        "-clusters.junctions.k",
        "-clusters.junctions.k_range",
        "tiles.tile_m",
    ),
    tables=(TYPES, PROTOTYPES, CHOICE, GROUPINGS),
    documents=(Quality,),
)
