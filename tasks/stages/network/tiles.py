"""Where tiles lie along the segments, and which rasters cover them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geo.config import CityConfig
from geo.config.sections.elsewhere import DECIDING, Elsewhere
from geo.features.elsewhere.inputs import inputs_of
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.documents import Shown
from tasks.plan import Plan
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.stage import Stage
from tasks.tables import EMBEDDINGS, IMAGES, JUNCTION_TILES, TILES

SHOWN = "imagery.json"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``tiles``, ``junction_tiles``, ``images`` and ``imagery.json`` (see docs/stages.md)."""
    from geo.imagery.layout import lay_out_junction_tiles
    from tasks.stages.network.laid import lay_tiles

    roads = plan.stage_folder("roads")
    segments, junctions = (gpd.read_parquet(roads / f"{name}.parquet") for name in ("segments", "junctions"))
    if not plan.config.clusters.junctions.types:
        junctions = junctions.iloc[:0]
    digests = FileDigests(plan.stages / DIGESTS)
    laid = lay_tiles(plan.config, segments, digests.of)
    at_junctions, of_junctions = lay_out_junction_tiles(
        junctions, segments, laid.tiles, laid.images, plan.config.tiles
    )
    TILES.write(laid.tiles, folder)
    JUNCTION_TILES.write(at_junctions, folder)
    IMAGES.write(laid.images, folder)
    if laid.others is not None:
        EMBEDDINGS.write(laid.others, folder)
    Shown(warnings=laid.warnings).write(folder / SHOWN)
    return [*laid.entries, *of_junctions]


def load_shown(plan: Plan) -> Shown:
    """Read what is to be known of the imagery of a run."""
    return Shown.read(plan.stage_folder("tiles") / SHOWN)


def _sources(config: CityConfig) -> list[str]:
    beside = [] if config.encoder.beside is None else inputs_of(config.encoder.beside.sources)
    others = config.encoder.files() if isinstance(config.encoder, Elsewhere) else beside
    return [*expand_sources(config.imagery.sources), *others]


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
        *(f"{section}.{key}" for section in ("encoder", "encoder.beside") for key in DECIDING),
    ),
    inputs=_sources,
    tables=(TILES, JUNCTION_TILES, IMAGES, EMBEDDINGS),
    documents=(Shown,),
)
