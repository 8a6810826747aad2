"""What is told of the imagery before anything is encoded, the same by ``check`` as by ``run``."""

from __future__ import annotations

import geopandas as gpd

from geo.config import Imagery, Tiles
from geo.imagery.outlook.under_roads import look_under_roads
from geo.imagery.preference import tell_overlaps
from geo.imagery.traits.collars import from_text
from geo.ledger import Entry


def _borders(images: gpd.GeoDataFrame) -> list[str]:
    """Say how many rasters have a border that is read as without data."""
    found = [from_text(text) for text in images["collar"] if text]
    if not found:
        return []
    values = sorted({one.value for collars in found for one in collars})
    shares = [sum(one.share for one in collars) for collars in found]
    border = " or ".join(f"{value:g}" for value in values)
    told = f"{len(found):,} of {len(images):,} rasters have a border of {border}, up to {max(shares):.0%} of a raster"
    return [
        f"{told}, that they do not call no data: it is read so (imagery.collars: keep reads it as ground)"
    ]


def tell_imagery(
    tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, imagery: Imagery, shape: Tiles
) -> tuple[list[Entry], list[str]]:
    """Look at the imagery under the roads, and say which rasters are seen before which others.

    Parameters
    ----------
    tiles, images
        Tables of the stage ``tiles``, see docs/stages.md.
    imagery, shape
        The sections ``imagery`` and ``tiles`` of the city's file.

    Returns
    -------
    Entries of the item ``overlaps``, which count tiles; and warnings in words.

    Raises
    ------
    LayerError, SourceError
        See `geo.imagery.outlook.under_roads.look_under_roads`.
    """
    entries, told = tell_overlaps(tiles, images, imagery)
    told += _borders(images)
    return entries, [*told, *look_under_roads(tiles, images, imagery, shape)]
