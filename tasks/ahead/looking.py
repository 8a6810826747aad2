"""Looking at the imagery of some roads: where it has no data, which outlines do not tell, and how long it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from geo.config import CityConfig
from geo.counting import counted
from geo.imagery.reading.reader import TileImage, TileReader

LOOKED_AT = 100
"""Roads that are looked at: a share of them is known to five percentage points (one standard error)."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of some roads that lie under the imagery's outlines.

    Attributes
    ----------
    roads, shown
        Segments that were looked at, and those of them with a tile of which imagery shows enough.
    tiles, shown_tiles
        Their tiles, and those of which imagery shows enough.
    of
        Segments under the outlines, of which these were drawn.
    seconds_a_tile
        How long reading took (seconds).
    """

    roads: int
    shown: int
    tiles: int
    shown_tiles: int
    of: int
    seconds_a_tile: float

    def share(self) -> float:
        """Give the share of roads that is shown (0 to 1)."""
        return self.shown / self.roads if self.roads else 0.0

    def share_of_tiles(self) -> float:
        """Give the share of tiles that is shown (0 to 1)."""
        return self.shown_tiles / self.tiles if self.tiles else 0.0


def look_at(config: CityConfig, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame) -> Looked:
    """Read the tiles of some roads, drawn evenly from all that lie under the imagery's outlines.

    Parameters
    ----------
    config
        The city's configuration, which has imagery.
    tiles, images
        Tables of the stage ``tiles``, see docs/stages.md; of tiles those of which outlines cover enough.

    Raises
    ------
    SourceError
        When a raster cannot be reached.
    """
    ids = np.unique(tiles["segment_id"].to_numpy(dtype=str))
    # ids are digests of the roads' lines: their order has nothing to do with where these lie
    some = (
        ids[np.unique(np.linspace(0, len(ids) - 1, LOOKED_AT).round().astype(np.int64))] if len(ids) else ids
    )
    mine = tiles[tiles["segment_id"].isin(some)]
    start = time.perf_counter()
    shown: set[str] = set()
    with TileReader(images, config.imagery, config.tiles) as reader:
        for tile in counted(reader.read(mine), "tiles of imagery", len(mine)):
            if isinstance(tile, TileImage) and tile.coverage >= max(config.tiles.min_coverage, 1e-9):
                shown.add(tile.tile_id)
    seconds = time.perf_counter() - start
    roads = mine.loc[mine["tile_id"].isin(shown), "segment_id"].nunique()
    return Looked(len(some), roads, len(mine), len(shown), len(ids), seconds / max(len(mine), 1))
