"""Small pictures of tiles, for the GeoPackage and the report."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.plan import Plan
from tasks.stages.fingerprints import load_encoded
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

    stage = plan.stage_folder("tiles")
    tiles, images = (gpd.read_parquet(stage / f"{name}.parquet") for name in ("tiles", "images"))
    wanted = tiles[tiles["tile_id"].isin(_wanted(plan))]
    schema = pa.schema([("tile_id", pa.string()), ("jpeg", pa.binary())])
    made = 0
    with pq.ParquetWriter(folder / FILE, schema, compression="none") as file:
        pictures = draw_pictures(wanted, images, plan.config.imagery, plan.config.tiles)
        while some := list(islice(pictures, AT_ONCE)):
            names, jpegs = zip(*some, strict=True)
            file.write_table(pa.table({"tile_id": names, "jpeg": jpegs}, schema=schema))
            made += len(some)
    entries = [Entry("thumbnails", "done", "", made)]
    if made < len(wanted):
        entries.append(
            Entry("thumbnails", "failed", "the imagery cannot be read any more", len(wanted) - made)
        )
    return entries


def _wanted(plan: Plan) -> set[str]:
    """Choose the tiles: those picked, those that the report shows, or all."""
    if plan.config.output.thumbnails == "all":
        return set(load_encoded(plan)["tile_id"])
    return report_tiles(plan)


def report_tiles(plan: Plan) -> set[str]:
    """Choose the tiles that the report shows."""
    from geo.outputs.pictures import tiles_of_report

    return tiles_of_report(
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
    after=("tiles", "fingerprints", "clusters", "concentration"),
    settings=("imagery.picture_bands",),
    inputs=_sources,
    also=_all,
    tables=(THUMBNAILS,),
)
