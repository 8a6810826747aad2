"""A tile of a run that ended, cut from the imagery that the run was made from."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import geopandas as gpd
import numpy as np
from PIL import Image

from geo.config import CityConfig, load
from geo.errors import ConfigurationError, SourceError
from geo.imagery.band_set import BandSet
from geo.imagery.catalogue import check_pictured, open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.reader import TileFailure, TileReader
from geo.imagery.sources import expand_sources
from tasks.recall import recall
from tasks.store.digests import DIGESTS, FileDigests


def cut_tile(tile: gpd.GeoDataFrame, geopackage: Path, base: Path | None) -> Image.Image:
    """Cut a tile from the imagery at the resolution that the run read it at.

    Parameters
    ----------
    tile
        Its row of the layer ``tiles``.
    geopackage
        The run's: its configuration names the imagery.
    base
        Folder that relative paths of the configuration start at; None: it is looked for, see `tasks.recall.recall`.

    Returns
    -------
    An RGB picture; black where there is no data.

    Raises
    ------
    SourceError
        When the imagery is not there, cannot be read, or is not what the run was made from.
    """
    tile_id, images = str(tile["tile_id"].iloc[0]), tile["image_id"].iloc[0]
    if not isinstance(images, str) or not images:
        raise SourceError(
            "no imagery was read for it", where=f"tile {tile_id}", todo="Take a tile with 'encoded'."
        )
    try:
        recalled = recall(geopackage, base=base)
        config = load(geopackage, base=recalled.base)
    except ConfigurationError as error:
        raise _gone(tile_id, error.what) from error
    if not config.imagery.sources:
        raise SourceError(
            "the run read no imagery, and embeddings of others are no picture",
            where=f"tile {tile_id}",
            todo="Look at it in QGIS, over imagery of your own.",
        )
    stems = {PurePosixPath(name).stem for name in images.split(";")}
    paths = [path for path in expand_sources(config.imagery.sources) if _stem(path) in stems]
    if not paths:
        raise _gone(tile_id, f"of {', '.join(config.imagery.sources)} nothing is called {images}")
    digests = FileDigests(geopackage.parent.parent / "stages" / DIGESTS)
    for path in paths:
        if digests.of(path) not in recalled.inputs.values():
            raise _gone(tile_id, f"{path} is not the file that the run was made from")
    return _read(tile, config, paths, digests)


def _read(tile: gpd.GeoDataFrame, config: CityConfig, paths: list[str], digests: FileDigests) -> Image.Image:
    """Read the pixels of one tile."""
    tile_id = str(tile["tile_id"].iloc[0])
    imagery = config.imagery
    catalogue = open_catalogue(imagery, tile.crs, digest=digests.of, only=paths)
    centre = tile.geometry.centroid
    placed = tile.assign(x=centre.x, y=centre.y).drop(columns="coverage")
    placed = placed.join(cover_tiles(placed, catalogue.images))
    check_pictured(catalogue.images, imagery)
    seen = BandSet.pictured(imagery)
    with TileReader(catalogue.images, imagery, config.tiles, band_set=seen) as reader:
        (read,) = reader.read(placed)
    if isinstance(read, TileFailure):
        raise _gone(tile_id, read.reason)
    return Image.fromarray(np.ascontiguousarray(np.moveaxis(read.pixels, 0, -1)))


def _stem(path: str) -> str:
    return PurePosixPath(path.replace(";", "_")).stem


def _gone(tile_id: str, why: str) -> SourceError:
    return SourceError(
        f"it cannot be cut from the imagery: {why}",
        where=f"tile {tile_id}",
        todo="Put the imagery back where it was, or name the folder that its paths start at: "
        "roadprint.open(PATH, base=FOLDER).",
    )
