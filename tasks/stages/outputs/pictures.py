"""Small pictures of tiles, for the GeoPackage and the report."""

from __future__ import annotations

from itertools import chain, islice
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.plan import Plan
from tasks.stages.imagery.fingerprints import load_encoded, load_junction_tiles
from tasks.store.stage import Stage
from tasks.tables import THUMBNAILS

FILE = "thumbnails.parquet"
AT_ONCE = 1000
"""Pictures that are held in memory before they are written."""


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``thumbnails`` (see docs/stages.md); a tile whose imagery fails now has no picture."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from geo.outputs.pictures import draw_pictures

    schema = pa.schema([("tile_id", pa.string()), ("jpeg", pa.binary())])
    if not plan.config.imagery.sources:
        pq.write_table(schema.empty_table(), folder / FILE, compression="none")
        return [
            Entry("thumbnails", "skipped", "there is no imagery: embeddings of others are no pictures", 1)
        ]
    stage = plan.stage_folder("tiles")
    names = ("tiles", "junction_tiles", "images")
    *tiles, images = (gpd.read_parquet(stage / f"{name}.parquet") for name in names)
    chosen = _wanted(plan)
    wanted = [some[some["tile_id"].isin(chosen)] for some in tiles]
    made = 0
    with pq.ParquetWriter(folder / FILE, schema, compression="none") as file:
        settings = plan.config.imagery, plan.config.tiles
        pictures = chain.from_iterable(draw_pictures(some, images, *settings) for some in wanted if len(some))
        while some := list(islice(pictures, AT_ONCE)):
            names, jpegs = zip(*some, strict=True)
            file.write_table(pa.table({"tile_id": names, "jpeg": jpegs}, schema=schema))
            made += len(some)
    entries = [Entry("thumbnails", "done", "", made)]
    asked = sum(map(len, wanted))
    if made < asked:
        entries.append(Entry("thumbnails", "failed", "the imagery cannot be read any more", asked - made))
    return entries


def _wanted(plan: Plan) -> set[str]:
    """Choose the tiles: those picked, those that the report shows, or all."""
    if plan.config.output.thumbnails == "all":
        return {*load_encoded(plan)["tile_id"], *load_junction_tiles(plan)["tile_id"]}
    return report_tiles(plan) | set(sheet_tiles(plan)["tile_id"].dropna())


def sheet_tiles(plan: Plan) -> pd.DataFrame:
    """Choose the tile of each segment that the contact sheets of types show: ``segment_id, tile_id``."""
    from geo.outputs.pictures import tiles_of_sheets

    types = pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet")
    return tiles_of_sheets(load_encoded(plan), types)


def report_tiles(plan: Plan) -> set[str]:
    """Choose the tiles that the report shows."""
    from geo.outputs.pictures import tiles_of_report

    picks = pd.read_parquet(plan.stage_folder("junction_clusters") / "prototypes.parquet")
    return set(picks["tile_id"].dropna()) | tiles_of_report(
        load_encoded(plan),
        pd.read_parquet(plan.stage_folder("concentration") / "look_alikes.parquet"),
        pd.read_parquet(plan.stage_folder("clusters") / "prototypes.parquet"),
    )


def load_pictures(plan: Plan) -> dict[str, bytes]:
    """Read the pictures of a run: JPEG by ``tile_id``."""
    table = pd.read_parquet(plan.stage_folder("pictures") / FILE)
    return dict(zip(table["tile_id"], table["jpeg"], strict=True))


def _sources(config: CityConfig) -> list[str]:
    return expand_sources(config.imagery.sources)


def _all(config: CityConfig) -> bool:
    return config.output.thumbnails == "all"


STAGE = Stage(
    "pictures",
    build,
    counts=("thumbnails",),
    after=("tiles", "fingerprints", "clusters", "junction_clusters", "concentration"),
    settings=("imagery.sources", "imagery.picture_bands"),
    inputs=_sources,
    also=_all,
    tables=(THUMBNAILS,),
)
