"""Where tiles lie, and what shows them: imagery, or the embeddings of others where no imagery is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd

from geo.config import CityConfig
from geo.features.elsewhere.catalogue import Described, around, check_reach, describe
from geo.imagery.catalogue import COLUMNS, open_catalogue
from geo.imagery.layout import lay_out_tiles
from geo.imagery.outlook.told import tell_imagery
from geo.ledger import Entry
from tasks.shards.encode import others_of

NO_PICTURES = (
    "no imagery is read: types are of what the embeddings of others tell of each road's neighbourhood, there are no "
    "pictures, and no plain baseline to hold them against"
)


@dataclass(frozen=True, slots=True)
class Laid:
    """Tiles with what shows them.

    Attributes
    ----------
    tiles, images
        Tables of the stage ``tiles``, see docs/stages.md; `images` of files of embeddings where no imagery is read.
    others
        The table ``embeddings``; None: the configuration names none.
    entries, warnings
        What became of rasters, files and tiles; and what is told at the end of a run.
    """

    tiles: gpd.GeoDataFrame
    images: gpd.GeoDataFrame
    others: gpd.GeoDataFrame | None
    entries: list[Entry]
    warnings: list[str]


def lay_tiles(config: CityConfig, segments: gpd.GeoDataFrame, digest: Callable[[str], str]) -> Laid:
    """Place tiles along roads, and find what shows them.

    Parameters
    ----------
    config
        The city's configuration, paths absolute.
    segments
        LineStrings in the city's CRS.
    digest
        Gives the digest of a file.

    Raises
    ------
    RoadprintError
        Where there is nothing that can be used, or none of it shows a road.
    """
    others = None
    if not config.imagery.sources or config.encoder.beside is not None:
        others = _describe(config, segments, digest)
    if not config.imagery.sources and others is not None:
        images = others.files[[*COLUMNS, "geometry"]]
        tiles, laid = lay_out_tiles(segments, images, config.tiles)
        told = [*others.entries, *laid]
        return Laid(tiles, images, others.files, told, [NO_PICTURES, *others.warnings])
    catalogue = open_catalogue(config.imagery, segments.crs, digest=digest)
    tiles, laid = lay_out_tiles(segments, catalogue.images, config.tiles)
    entries, warnings = tell_imagery(tiles, catalogue.images, config.imagery, config.tiles)
    entries = [*catalogue.entries, *laid, *entries]
    if others is None:
        return Laid(tiles, catalogue.images, None, entries, warnings)
    return Laid(
        tiles, catalogue.images, others.files, [*entries, *others.entries], [*warnings, *others.warnings]
    )


def _describe(config: CityConfig, segments: gpd.GeoDataFrame, digest: Callable[[str], str]) -> Described:
    """Open the embeddings of others."""
    settings = others_of(config)
    found = describe(settings, segments.crs, around(segments, settings), digest=digest)
    check_reach(segments, found.files)
    return found
