"""Where tiles lie along the segments, and which rasters cover them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geo.config import CityConfig
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.documents import Shown
from tasks.plan import Plan
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.stage import Stage
from tasks.tables import IMAGES, JUNCTION_TILES, TILES

SHOWN = "imagery.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``tiles``, ``junction_tiles``, ``images`` and ``imagery.json`` (see docs/stages.md)."""
    from geo.imagery.catalogue import open_catalogue
    from geo.imagery.layout import lay_out_junction_tiles, lay_out_tiles
    from geo.imagery.outlook.told import tell_imagery

    roads = plan.stage_folder("roads")
    segments, junctions = (gpd.read_parquet(roads / f"{name}.parquet") for name in ("segments", "junctions"))
    if not plan.config.clusters.junctions.types:
        junctions = junctions.iloc[:0]
    digests = FileDigests(plan.stages / DIGESTS)
    catalogue = open_catalogue(plan.config.imagery, segments.crs, digest=digests.of)
    tiles, entries = lay_out_tiles(segments, catalogue.images, plan.config.tiles)
    at_junctions, of_junctions = lay_out_junction_tiles(
        junctions, segments, tiles, catalogue.images, plan.config.tiles
    )
    told, warnings = tell_imagery(tiles, catalogue.images, plan.config.imagery, plan.config.tiles)
    TILES.write(tiles, folder)
    JUNCTION_TILES.write(at_junctions, folder)
    IMAGES.write(catalogue.images, folder)
    Shown(warnings=warnings).write(folder / SHOWN)
    return [*catalogue.entries, *entries, *of_junctions, *told]


def load_shown(plan: Plan) -> Shown:
    """Read what is to be known of the imagery of a run."""
    return Shown.read(plan.stage_folder("tiles") / SHOWN)


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
        "imagery.prefer",
        "imagery.bands",
        "imagery.scale",
        "imagery.nodata",
        "imagery.collars",
        "tiles.tile_m",
        "tiles.spacing_m",
        "tiles.pixel_m",
        "tiles.align",
        "tiles.mode",
        "clusters.junctions.types",
    ),
    inputs=_sources,
    tables=(TILES, JUNCTION_TILES, IMAGES),
    documents=(Shown,),
)
