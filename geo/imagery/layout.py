"""Tiles along the roads of a city with the imagery under each, in shards."""

from __future__ import annotations

import geopandas as gpd
from scipy.spatial import KDTree

from geo.config import LARGEST_TILE_PX, Tiles
from geo.errors import ConfigurationError, LayerError
from geo.imagery.cover import cover_tiles
from geo.ledger import Entry
from geo.tiles.along import place_tiles
from geo.tiles.at_junctions import place_junction_tiles
from geo.tiles.shards import assign_shards

TILES_PER_SHARD = {"tile": 400, "dense": 4000}
"""Ground on the border of two shards is encoded for each of them in the dense mode, so its shards are larger."""


def lay_out_tiles(
    segments: gpd.GeoDataFrame, images: gpd.GeoDataFrame, settings: Tiles
) -> tuple[gpd.GeoDataFrame, list[Entry]]:
    """Place tiles and find the imagery of each.

    Parameters
    ----------
    segments
        See docs/stages.md; LineStrings in metres.
    images
        The catalogue, see docs/stages.md: footprints in the CRS of the segments, ``pixel_m``.
    settings
        The section ``tiles``.

    Returns
    -------
    Tiles (see docs/stages.md), and how many lie on imagery and how many do not.

    Raises
    ------
    LayerError
        When no tile lies on imagery.
    ConfigurationError
        When a tile would have more than `LARGEST_TILE_PX` pixels a side.
    """
    _check_size(images, settings)
    tiles = place_tiles(segments, settings)
    tiles = tiles.join(cover_tiles(tiles, images))
    tiles["shard"] = assign_shards(tiles, tiles_per_shard=TILES_PER_SHARD[settings.mode])
    covered = int((tiles["coverage"] > 0).sum())
    if covered == 0:
        raise LayerError(
            f"no road lies on the imagery: roads within {_box(segments)}, imagery within {_box(images)} "
            f"(west, south, east, north in degrees)",
            where="imagery.sources and roads.source",
            todo="Check that both are of the same place, and the CRS that each file states.",
        )
    return tiles, [
        Entry("tiles", "done", "", covered),
        Entry("tiles", "skipped", "no imagery there", len(tiles) - covered),
    ]


def lay_out_junction_tiles(
    junctions: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
    tiles: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    settings: Tiles,
) -> tuple[gpd.GeoDataFrame, list[Entry]]:
    """Place a tile at each junction and find its imagery.

    Parameters
    ----------
    junctions, segments
        See docs/stages.md; Points and LineStrings in metres.
    tiles
        The tiles of roads (`lay_out_tiles`): a junction is of the shard of the nearest one, and read with it.
    images
        The catalogue, see docs/stages.md.
    settings
        The section ``tiles``.

    Returns
    -------
    Tiles of junctions (see docs/stages.md), and how many lie on imagery and how many do not.
    """
    found = place_junction_tiles(junctions, segments, settings)
    if found.empty:
        return found.assign(coverage=0.0, image_ids=None, shard=None), []
    found = found.join(cover_tiles(found, images))
    _, nearest = KDTree(tiles[["x", "y"]].to_numpy()).query(found[["x", "y"]].to_numpy())
    found["shard"] = tiles["shard"].to_numpy()[nearest]
    covered = int((found["coverage"] > 0).sum())
    return found, [
        Entry("junction tiles", "done", "", covered),
        Entry("junction tiles", "skipped", "no imagery there", len(found) - covered),
    ]


def _check_size(images: gpd.GeoDataFrame, settings: Tiles) -> None:
    """Refuse tiles of more pixels than an encoder can see at once."""
    finest = settings.pixel_m or float(images["pixel_m"].min())
    if settings.tile_m / finest > LARGEST_TILE_PX:
        raise ConfigurationError(
            f"a tile of {settings.tile_m:g} m has {settings.tile_m / finest:,.0f} pixels of {finest:.3g} m a "
            f"side; up to {LARGEST_TILE_PX} are possible",
            where="tiles.tile_m",
            todo="Make tiles smaller, or give a coarser tiles.pixel_m.",
        )


def _box(frame: gpd.GeoDataFrame) -> str:
    """Extent in degrees, for a message."""
    return "[" + ", ".join(f"{v:.4f}" for v in frame.to_crs(4326).total_bounds) + "]"
