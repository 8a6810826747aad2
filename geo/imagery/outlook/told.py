"""What is told of the imagery before anything is encoded, the same by ``check`` as by ``run``."""

from __future__ import annotations

import geopandas as gpd

from geo.config import Imagery, Tiles
from geo.imagery.outlook.under_roads import look_under_roads
from geo.imagery.preference import tell_overlaps
from geo.imagery.traits.collars import dropped, from_text
from geo.ledger import Entry

MOST_COLOURS = 4


def _borders(images: gpd.GeoDataFrame, imagery: Imagery) -> list[str]:
    """Say how many rasters have a border that is read as without data, or as ground though it may be none."""
    if imagery.collars == "keep":
        return []
    found = [(one, i) for i, text in enumerate(images["collar"]) for one in from_text(text)]
    read = {one for one, _ in found if dropped([one], imagery.collars)}
    told = []
    for some, what in (
        (
            [(one, i) for one, i in found if one in read],
            "it is read so (imagery.collars: keep reads it as ground)",
        ),
        (
            [(one, i) for one, i in found if one not in read],
            "it is read as ground (imagery.collars: any reads it so)",
        ),
    ):
        if some:
            count = len({i for _, i in some})
            colours = sorted({one.words() for one, _ in some})[:MOST_COLOURS]
            begun = f"{count:,} of {len(images):,} rasters have a border of {' or '.join(colours)}"
            most = max(one.share for one, _ in some)
            told.append(f"{begun}, up to {most:.0%} of a raster, that they do not call no data: {what}")
    return told


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
    told += _borders(images, imagery)
    return entries, [*told, *look_under_roads(tiles, images, imagery, shape)]
