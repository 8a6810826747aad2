"""Stage 2: where tiles lie along the segments, and which rasters cover them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd

from geo.config import LARGEST_TILE_PX, CityConfig
from geo.errors import ConfigurationError, LayerError
from geo.imagery.sources import expand_sources
from geo.ledger import Entry
from tasks.plan import Plan
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.stage import Stage

TILES_PER_SHARD = {"tile": 400, "dense": 4000}
"""Ground on the border of two shards is encoded for each of them in the dense mode, so its shards are larger."""


def lay_out(
    config: CityConfig, segments: gpd.GeoDataFrame, *, digest: Callable[[str], str]
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, list[Entry]]:
    """Place tiles and find the imagery of each.

    Parameters
    ----------
    config
        The city's configuration, paths absolute.
    segments
        The segments as the stage ``roads`` writes them (docs/stages.md), LineStrings in metres.
    digest
        Gives the digest of a raster with all that belongs to it, by its path.

    Returns
    -------
    Tiles and images (see docs/stages.md), and what became of the tiles and the rasters.

    Raises
    ------
    LayerError
        When no tile lies on imagery.
    ConfigurationError
        When a tile would have more than `LARGEST_TILE_PX` pixels a side.
    """
    from geo.imagery.catalogue import open_catalogue
    from geo.imagery.cover import cover_tiles
    from geo.tiles.along import place_tiles
    from geo.tiles.shards import assign_shards

    catalogue = open_catalogue(config.imagery, segments.crs, digest=digest)
    finest = config.tiles.pixel_m or float(catalogue.images["pixel_m"].min())
    if config.tiles.tile_m / finest > LARGEST_TILE_PX:
        raise ConfigurationError(
            f"a tile of {config.tiles.tile_m:g} m has {config.tiles.tile_m / finest:,.0f} pixels of {finest:.3g} m a "
            f"side; up to {LARGEST_TILE_PX} are possible",
            where="tiles.tile_m",
            todo="Make tiles smaller, or give a coarser tiles.pixel_m.",
        )
    tiles = place_tiles(segments, config.tiles)
    tiles = tiles.join(cover_tiles(tiles, catalogue.images))
    largest = TILES_PER_SHARD[config.tiles.mode]
    tiles["shard"] = assign_shards(tiles, tiles_per_shard=largest)
    covered = int((tiles["coverage"] > 0).sum())
    if covered == 0:
        raise LayerError(
            f"no road lies on the imagery: roads within {_box(segments)}, imagery within {_box(catalogue.images)} "
            f"(west, south, east, north in degrees)",
            where="imagery.sources and roads.source",
            todo="Check that both are of the same place, and the CRS that each file states.",
        )
    entries = [
        *catalogue.entries,
        Entry("tiles", "done", "", covered),
        Entry("tiles", "skipped", "no imagery there", len(tiles) - covered),
    ]
    return tiles, catalogue.images, entries


def _box(frame: gpd.GeoDataFrame) -> str:
    """Extent in degrees, for a message."""
    return "[" + ", ".join(f"{v:.4f}" for v in frame.to_crs(4326).total_bounds) + "]"


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write ``tiles`` and ``images`` (see docs/stages.md)."""
    segments = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet")
    digests = FileDigests(plan.stages / DIGESTS)
    tiles, images, entries = lay_out(plan.config, segments, digest=digests.of)
    tiles.to_parquet(folder / "tiles.parquet")
    images.to_parquet(folder / "images.parquet")
    return entries


def _sources(config: CityConfig) -> list[str]:
    return expand_sources(config.imagery.sources)


STAGE = Stage(
    "tiles",
    build,
    counts=("tiles", "rasters"),
    after=("roads",),
    settings=(
        "imagery.sources",
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
)
