"""Where tiles lie along the segments, and which rasters cover them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geo.config import CityConfig
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.plan import Plan
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.stage import Stage
from tasks.tables import IMAGES, TILES


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``tiles`` and ``images`` (see docs/stages.md)."""
    from geo.imagery.catalogue import open_catalogue
    from geo.imagery.layout import lay_out_tiles

    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    digests = FileDigests(plan.stages / DIGESTS)
    catalogue = open_catalogue(plan.config.imagery, segments.crs, digest=digests.of)
    tiles, entries = lay_out_tiles(segments, catalogue.images, plan.config.tiles)
    TILES.write(tiles, folder)
    IMAGES.write(catalogue.images, folder)
    return [*catalogue.entries, *entries]


def _sources(config: CityConfig) -> list[str]:
    return expand_sources(config.imagery.sources)


STAGE = Stage(
    "tiles",
    build,
    counts=("tiles", "rasters"),
    after=("roads",),
    settings=(
        "imagery.sources",
        "imagery.crs",
        "imagery.bands",
        "imagery.scale",
        "imagery.nodata",
        "tiles.tile_m",
        "tiles.spacing_m",
        "tiles.pixel_m",
        "tiles.align",
        "tiles.mode",
    ),
    inputs=_sources,
    tables=(TILES, IMAGES),
)
