"""Whether types follow the flight that the imagery is from."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import CityConfig
from geo.ledger import Entry
from tasks.documents import FlightFigures, Flights, Flown
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_encoded, load_fingerprints, load_looks
from tasks.store.stage import Stage
from tasks.tables import FLOWN, TYPES_FLOWN

DOCUMENT = "flights.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``segments``, ``clusters`` and ``flights.json`` (see docs/stages.md)."""
    from geo.clusters.flights.edges import edge_warnings
    from geo.clusters.flights.evidence import by_segment, gather_evidence
    from geo.clusters.registry import method_of
    from geo.clusters.space import to_space
    from geo.imagery.flights.naming import flight_of

    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    flights = flight_of(images, plan.config.imagery)
    known = load_fingerprints(plan)
    roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
    types = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet").set_index("segment_id")
    mine = roads.loc[known.segment_ids, ["road_class", "length_m", "geometry"]]
    middle = mine.geometry.interpolate(0.5, normalized=True)
    shown = by_segment(load_encoded(plan), dict(zip(images["image_id"], flights, strict=True)))
    table = pd.DataFrame(mine.drop(columns="geometry")).assign(
        x=middle.x,
        y=middle.y,
        flight=shown.reindex(mine.index),
        cluster=types["cluster"].reindex(mine.index),
    )
    settings = method_of(plan.config.clusters)
    looks = load_looks(plan, known.segment_ids).astype(np.float32)
    found = gather_evidence(table, to_space(looks, settings), seed=settings.seed)
    FLOWN.write(table.reset_index()[["segment_id", "flight"]], folder)
    TYPES_FLOWN.write(found.following.types, folder)
    rasters = found.flights["flight"].map(flights.value_counts()).fillna(0).astype("int64")
    Flights(
        flights=[
            Flown.model_validate(row) for row in found.flights.assign(rasters=rasters).to_dict("records")
        ],
        figures=FlightFigures.model_validate(found.figures()),
        of_one_flight=found.following.of_one_flight["cluster"].tolist() if len(found.flights) > 1 else [],
        notes=found.notes(),
        warnings=[
            *_split(plan, images),
            *found.warnings(),
            *edge_warnings(table.assign(coverage=known.coverage)),
        ],
    ).write(folder / DOCUMENT)
    return [Entry("segments", "done", "", len(table))]


def _split(plan: Plan, images: gpd.GeoDataFrame) -> list[str]:
    """Say which rasters show several flights."""
    from geo.imagery.flights.footprints import of_several

    imagery = plan.config.imagery
    if imagery.footprints is None or imagery.flight_field is None:
        return []
    names = of_several(images, imagery.footprints, imagery.flight_field)
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    said = "of several flights by imagery.footprints: it counts as of the one that most of it is of"
    return [f"raster {names[0]!r}{more} is {said}"]


def load_flights(plan: Plan) -> Flights:
    """Read what is known of the flights of a run."""
    return Flights.read(plan.stage_folder("flights") / DOCUMENT)


def footprints(config: CityConfig) -> list[str]:
    """Name the file of outlines of flights, where there is one."""
    return [] if config.imagery.footprints is None else [config.imagery.footprints]


STAGE = Stage(
    "flights",
    build,
    counts=("segments",),
    after=("roads", "tiles", "fingerprints", "clusters"),
    settings=(
        "imagery.flight",
        "imagery.footprints",
        "imagery.flight_field",
        "clusters.method",
        "clusters.turn_whitening",
        "clusters.components",
        "clusters.whitening",
        "clusters.seed",
    ),
    inputs=footprints,
    tables=(FLOWN, TYPES_FLOWN),
    documents=(Flights,),
)
