"""Road centrelines become segments and junctions."""

from __future__ import annotations

from pathlib import Path

from geo.config import CityConfig
from geo.counting import doing
from geo.ledger import Entry
from geo.roads.reading.paths import expand_roads
from tasks.documents import Place
from tasks.plan import Plan
from tasks.store.stage import Stage
from tasks.tables import JUNCTIONS, OTHER_ROADS, SEGMENTS

PLACE = "place.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments``, ``junctions`` and ``other_roads`` (see docs/stages.md), and the CRS and area used."""
    import shapely

    from geo.roads.read import read_roads
    from geo.roads.segments import build_network

    config = plan.config
    source = read_roads(config.roads, crs=config.crs, area=config.area)
    doing("where roads meet")
    network = build_network(source.kept, config.segments)
    SEGMENTS.write(network.segments, folder)
    JUNCTIONS.write(network.junctions, folder)
    OTHER_ROADS.write(source.others, folder)
    area = None if source.area is None else shapely.to_wkt(source.area)
    told = [*source.warnings, *network.warnings]
    Place(crs=source.crs.to_wkt(), area=area, warnings=told).write(folder / PLACE)
    return [*source.entries, *network.entries]


def load_place(plan: Plan) -> Place:
    """Read where the city is."""
    return Place.read(plan.stage_folder("roads") / PLACE)


def count_segments(plan: Plan) -> int:
    """Count the city's segments."""
    from pyarrow.parquet import read_metadata

    rows: int = read_metadata(plan.stage_folder("roads") / "segments.parquet").num_rows
    return rows


def _sources(config: CityConfig) -> list[str]:
    area = [config.area] if isinstance(config.area, str) else []
    return [*expand_roads(config.roads.sources), *area]


STAGE = Stage(
    "roads",
    build,
    counts=("roads",),
    settings=("roads", "segments", "crs", "area"),
    inputs=_sources,
    tables=(SEGMENTS, JUNCTIONS, OTHER_ROADS),
    documents=(Place,),
)
