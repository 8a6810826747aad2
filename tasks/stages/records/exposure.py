"""Traffic, and people on foot and on bicycles, where somebody has counted them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geo.collisions.tables.places import files_of
from geo.config import CityConfig
from geo.exposure.counts import expand_counts
from geo.ledger import Entry
from tasks.documents import Covered
from tasks.plan import Plan
from tasks.stages.network.roads import load_place
from tasks.stages.records.collisions import load_recorded
from tasks.store.stage import Stage
from tasks.tables import TRAFFIC

COVERED = "coverage.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments`` (see docs/stages.md) and what is covered."""
    import pyproj

    from geo.exposure.counts import read_points
    from geo.exposure.people import measure_people, people_doubts, people_sentences
    from geo.exposure.segments import coverage
    from geo.exposure.traffic import coverage_sentences, measure_traffic, traffic_doubts

    settings = plan.config.exposure
    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    crs = pyproj.CRS.from_wkt(load_place(plan).crs)
    covered = load_recorded(plan).period or plan.config.collisions.period
    table, entries = measure_traffic(segments, settings, read_points(settings, crs), covered)
    people, of_people = measure_people(segments, settings, crs, covered)
    TRAFFIC.write(table.join(people).reset_index(), folder)
    length_m = segments.set_index("segment_id")["length_m"]
    shares = coverage(table, length_m)
    Covered(
        shares=shares,
        notes=[*coverage_sentences(settings, shares), *people_sentences(settings, people, length_m)],
        warnings=[*traffic_doubts(settings, shares, entries), *people_doubts(settings, people, of_people)],
    ).write(folder / COVERED)
    return [*entries, *of_people]


def load_covered(plan: Plan) -> Covered:
    """Read on how much of the network traffic is known."""
    return Covered.read(plan.stage_folder("exposure") / COVERED)


def _sources(config: CityConfig) -> list[str]:
    counts = [config.exposure, *(part.as_traffic() for part in config.exposure.people().values())]
    return files_of([name for one in counts for name in expand_counts(one)])


STAGE = Stage(
    "exposure",
    build,
    counts=("traffic figures",),
    after=("roads", "collisions"),
    settings=("exposure", "collisions.period"),
    inputs=_sources,
    tables=(TRAFFIC,),
    documents=(Covered,),
)
