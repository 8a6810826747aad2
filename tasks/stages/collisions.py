"""Each collision is read once and placed on one segment or junction, or left with its reason."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geo.collisions.tables.places import expand_tables, files_of
from geo.config import ROAD_USERS, CityConfig
from geo.errors import LayerError
from geo.ledger import Entry
from tasks.documents import NOTHING_RECORDED, Recorded
from tasks.plan import Plan
from tasks.stages.roads import load_place
from tasks.store.stage import Stage
from tasks.tables import COLLISIONS

RECORDED = "source.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``collisions`` (see docs/stages.md) and what the source can tell apart."""
    import pyproj
    import shapely

    from geo.collisions.assign import place_collisions
    from geo.collisions.period import period_covered
    from geo.collisions.read import read_collisions
    from geo.collisions.registry import schema_of

    config = plan.config
    if not config.collisions.sources:
        return []
    roads = plan.stage_folder("roads")
    place = load_place(plan)
    source = read_collisions(config.collisions)
    time = period_covered(source.table[source.table["kept"]], config.collisions.period)
    whole = None if time.first is None or time.last is None else (time.first, time.last)
    # dates that stray far from all others are out of the records' own period
    asked = config.collisions.period or (whole if time.warnings else None)
    placed = place_collisions(
        source,
        gpd.read_parquet(roads / "segments.parquet"),
        gpd.read_parquet(roads / "junctions.parquet"),
        gpd.read_parquet(roads / "other_roads.parquet"),
        crs=pyproj.CRS.from_wkt(place.crs),
        area=None if place.area is None else shapely.from_wkt(place.area),
        settings=config.collisions.model_copy(update={"period": asked}),
    )
    fates = placed.collisions["snap_status"].value_counts()
    if "matched" not in fates:
        found = "; ".join(f"{count:,} {status}" for status, count in fates.items())
        raise LayerError(
            f"not one of its {len(placed.collisions):,} rows could be placed on the roads ({found})",
            where=", ".join(config.collisions.sources),
            todo="Check which columns hold the coordinates and in which CRS, and collisions.period and keep; "
            "without records of this place, leave collisions.sources empty.",
        )
    COLLISIONS.write(placed.collisions, folder)
    matched = placed.collisions[placed.collisions["snap_status"] == "matched"]
    warnings = [*source.warnings, *time.warnings, *schema_of(config.collisions).breaks(matched)]
    told = Recorded(
        severities=sorted(source.severities),
        users=[user for user in ROAD_USERS if source.table[user].notna().any()],
        adjusted=bool(source.table["ksi_adjusted"].notna().any()),
        years=time.years,
        period=whole,
        warnings=warnings,
    )
    told.write(folder / RECORDED)
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


def _sources(config: CityConfig) -> list[str]:
    return files_of(expand_tables(config.collisions))


STAGE = Stage(
    "collisions",
    build,
    counts=("collisions", "casualties", "vehicles"),
    after=("roads",),
    settings=("collisions",),
    inputs=_sources,
    tables=(COLLISIONS,),
    documents=(Recorded,),
)
