"""The picture of the imagery that lies beneath the report's map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from geo.outputs.layers.declare import Column
from tasks.plan import Plan
from tasks.store.stage import Stage
from tasks.store.table import Table

if TYPE_CHECKING:
    from geo.outputs.backdrop import Backdrop

ITEM, PARTS = "pictures beneath the map", "squares of the picture beneath the map"
EDGES = ("west", "south", "east", "north")
BACKDROP = Table(
    "backdrop",
    "Coarse pictures of the imagery, to lie beneath the report's map.",
    (
        *(Column(edge, "real", f"{edge.capitalize()}ern edge, in the city's CRS (m)") for edge in EDGES),
        Column("webp", "blob", "Picture (WebP), transparent where no raster shows anything"),
    ),
    key=EDGES,
)
IN_PAGE = 3 / 4
"""Bytes of a picture by those that it takes in a page, where it is written in base 64."""


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``backdrop`` (see docs/stages.md): none where there is no imagery, or none is wanted."""
    from geo.outputs.backdrop import TOO_LARGE, draw_backdrop, too_large

    config = plan.config
    most = int(config.report.imagery_mb * 1e6 * IN_PAGE)
    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    entries: list[Entry] = []
    pictures: list[Backdrop] = []
    if config.imagery.sources and most and len(segments):
        images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
        if too_large(images):
            entries.append(Entry(ITEM, "skipped", TOO_LARGE, 1))
        else:
            west, south, east, north = map(float, segments.total_bounds)
            drawn = draw_backdrop(images, (west, south, east, north), config.imagery, most)
            pictures = drawn.pictures
            if drawn.unread:
                entries.append(Entry(PARTS, "failed", "the imagery cannot be read any more", drawn.unread))
    BACKDROP.write(_rows(pictures), folder)
    return [Entry(ITEM, "done", "", len(pictures)), *entries]


def _rows(pictures: list[Backdrop]) -> pd.DataFrame:
    if not pictures:
        return BACKDROP.empty()
    edges = pd.DataFrame([one.bounds for one in pictures], columns=list(EDGES))
    return edges.assign(webp=[one.webp for one in pictures])


def load_backdrop(plan: Plan) -> pd.DataFrame:
    """Read the pictures of the ground of a run: ``west, south, east, north`` in the city's CRS (metres), ``webp``."""
    return BACKDROP.read(plan.stage_folder("backdrop"))


def _sources(config: CityConfig) -> list[str]:
    return expand_sources(config.imagery.sources)


STAGE = Stage(
    "backdrop",
    build,
    counts=(ITEM,),
    after=("roads", "tiles"),
    settings=("imagery.sources", "imagery.picture_bands", "report.imagery_mb"),
    inputs=_sources,
    tables=(BACKDROP,),
)
