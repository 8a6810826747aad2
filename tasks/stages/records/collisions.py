"""Each collision is read once and placed on one segment or junction, or left with its reason."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geo.collisions.tables.places import expand_tables, files_of
from geo.config import CityConfig
from geo.ledger import Entry
from tasks.documents import NOTHING_RECORDED, Recorded
from tasks.plan import Plan
from tasks.stages.network.roads import load_place
from tasks.store.stage import Stage
from tasks.tables import COLLISIONS

RECORDED = "source.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``collisions`` (see docs/stages.md) and what the source can tell apart."""
    import pyproj
    import shapely

    from geo.collisions.read import read_collisions
    from geo.collisions.told import place_records, untold_sentences

    config = plan.config
    if not config.collisions.sources:
        return []
    roads = plan.stage_folder("roads")
    place = load_place(plan)
    # what is carried is a matter of the stage after it
    source = read_collisions(config.collisions.model_copy(update={"carry": []}))
    told = place_records(
        source,
        gpd.read_parquet(roads / "segments.parquet"),
        gpd.read_parquet(roads / "junctions.parquet"),
        gpd.read_parquet(roads / "other_roads.parquet"),
        crs=pyproj.CRS.from_wkt(place.crs),
        area=None if place.area is None else shapely.from_wkt(place.area),
        settings=config.collisions,
    )
    placed, time = told.assigned, told.time
    COLLISIONS.write(placed.collisions, folder)
    recorded = Recorded(
        severities=sorted(told.severities),
        users=list(told.users),
        unknown=dict(told.unknown),
        adjusted=bool(source.table["ksi_adjusted"].notna().any()),
        years=time.years,
        period=None if time.first is None or time.last is None else (time.first, time.last),
        notes=untold_sentences(told.unknown, told.severities, told.users),
        warnings=list(told.warnings),
    )
    recorded.write(folder / RECORDED)
    return [*source.entries, *placed.entries]


def load_placed(plan: Plan) -> tuple[gpd.GeoDataFrame | None, Recorded]:
    """Read the collisions that were placed, and what their source tells; None and nothing where none are configured."""
    told = load_recorded(plan)
    if told is NOTHING_RECORDED:
        return None, told
    records = gpd.read_parquet(plan.stage_folder("collisions") / "collisions.parquet")
    return records[records["snap_status"] == "matched"], told


def load_recorded(plan: Plan) -> Recorded:
    """Read what the source of collisions tells; `NOTHING_RECORDED` where none is configured."""
    file = plan.stage_folder("collisions") / RECORDED
    return Recorded.read(file) if file.exists() else NOTHING_RECORDED


def sources_of(config: CityConfig) -> list[str]:
    """List the files of the records, and the tables beside them."""
    return files_of(expand_tables(config.collisions))


STAGE = Stage(
    "collisions",
    build,
    counts=("collisions", "casualties", "vehicles"),
    after=("roads",),
    settings=("collisions", "-collisions.carry"),
    inputs=sources_of,
    tables=(COLLISIONS,),
    documents=(Recorded,),
)
