"""Segments are grouped by what they look like. No collision is read here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.clusters.hands.corrections import FILE as HANDS
from geo.ledger import Entry, merge
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import MERGES
from tasks.documents import Quality
from tasks.earlier import found_column
from tasks.plan import CORRECTED, Plan
from tasks.stages.imagery.fingerprints import (
    FILE,
    load_encoded,
    load_fingerprints,
    load_looks_of_tiles,
    load_scatter,
)
from tasks.store.stage import Stage
from tasks.tables import BY_HAND, CHOICE, CORRECTIONS, GROUPINGS, MERGING, PROTOTYPES, TYPES

if TYPE_CHECKING:
    from geo.clusters.found.road_types import RoadTypes
    from geo.clusters.hands.taking_up import TakenUp
    from geo.config import CityConfig

QUALITY = "quality.json"
BY_SIZE = (
    f"{NAMES} or {HANDS} tells of types by their numbers, and no earlier run says which had which (there is none, or "
    "clusters.keep_numbers is off): numbers are by size, and what was said may be of other types"
)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write the types with what shows and judges them, and ``quality`` (see docs/stages.md)."""
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    found = _found(plan, roads) if plan.config.clusters.typology is None else _assigned(plan, roads)
    if not plan.config.imagery.sources:
        found = found.without_baseline()
    TYPES.write(found.segments, folder)
    PROTOTYPES.write(found.picks, folder)
    CHOICE.write(found.choice, folder)
    told = [] if found.taken is None else _told(plan, found.taken, roads, folder)
    MERGING.write(found.merging, folder)
    GROUPINGS.write(found.groupings, folder)
    Quality.model_validate(found.quality).write(folder / QUALITY)
    typed = int(found.segments["cluster"].notna().sum())
    return [
        Entry("segments", "done", "", typed),
        Entry("segments", "skipped", "it is like none of the typology's types", len(found.segments) - typed),
        *told,
    ]


def _found(plan: Plan, roads: gpd.GeoDataFrame) -> RoadTypes:
    """Find types in the city, in the numbers of an earlier run where there is one."""
    from geo.clusters.found.numbers import keep_numbers
    from geo.clusters.found.road_types import find_types
    from geo.clusters.hands.placing import placed
    from geo.clusters.hands.taking_up import Hands
    from geo.clusters.registry import method_of

    def numbered(types: pd.DataFrame) -> dict[int, int]:
        mine = roads.merge(types, on="segment_id")
        earlier, *older = (_typed(file) for file in (plan.numbers.shown, *plan.numbers.older) if file)
        return keep_numbers(mine, earlier, plan.numbers.reserved, older)

    found = find_types(
        load_fingerprints(plan),
        load_encoded(plan),
        roads,
        plan.config.clusters,
        tile_m=plan.config.tiles.tile_m,
        scatter=load_scatter(plan),
        looks=load_looks_of_tiles(plan) if method_of(plan.config.clusters).uses_views else (),
        hands=Hands(
            plan.corrections,
            placed(plan.corrections, roads),
            plan.merges,
            None if plan.numbers.shown is None else numbered,
        ),
    )
    if plan.numbers.shown is None and (plan.corrections or plan.merges):
        found.quality["encoder"]["warnings"].append(BY_SIZE)
    return found


def _told(plan: Plan, taken: TakenUp, roads: gpd.GeoDataFrame, folder: Path) -> list[Entry]:
    """Write what became of an analyst's words, where there are any, and count it."""
    from geo.clusters.hands.placing import as_table, placed

    numbers = sorted({*taken.made, *taken.merged})
    if numbers:
        of = [";".join(map(str, taken.merged[one])) if one in taken.merged else None for one in numbers]
        made = pd.array([taken.made.get(one) for one in numbers], dtype="Int64")
        BY_HAND.write(pd.DataFrame({"cluster": numbers, "merged_of": of, "made_from": made}), folder)
    if plan.corrections:
        found = placed(plan.corrections, roads)["segment"]
        outcome = [why or "taken up" for why in taken.why]
        CORRECTIONS.write(as_table(plan.corrections).assign(found=found, outcome=outcome), folder)
    rows = [Entry(CORRECTED, "skipped" if why else "done", why, 1) for why in taken.why]
    return merge([*rows, *_merged(plan, {one for parts in taken.merged.values() for one in parts})])


def _merged(plan: Plan, here: set[int]) -> list[Entry]:
    """Say which of the types that the analyst makes one with others are in this run."""
    lost = sorted(set(plan.merges) - here)
    which = (
        f"{NAMES} merges {', '.join(map(str, lost))}, which this run does not have; kept there for later runs"
    )
    rows = Entry(MERGES, "done", "", len(plan.merges) - len(lost)), Entry(MERGES, "skipped", which, len(lost))
    return [row for row in rows if row.count]


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
    column = found_column(file)
    if file.suffix == ".gpkg":
        found = gpd.read_file(file, layer="segments", columns=[column])
    else:
        found = gpd.read_parquet(file, columns=[column, "geom"])
    return found.rename(columns={column: "cluster"})


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
    tables=(TYPES, BY_HAND, CORRECTIONS, PROTOTYPES, CHOICE, MERGING, GROUPINGS),
    documents=(Quality,),
)
