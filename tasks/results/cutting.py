"""Tiles of a run that ended, cut from the imagery that the run was made from."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from PIL import Image
from pydantic import ValidationError

from geo.config import CityConfig, load
from geo.errors import ConfigurationError, LayerError, SourceError
from geo.imagery.band_set import BandSet
from geo.imagery.catalogue import check_pictured, open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import TileFailure, TileImage, TileReader
from geo.imagery.sources import expand_sources, why_missing
from geo.secrets import redact
from geo.sources.digest import MISSING
from tasks.recall import recall
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.summary import SUMMARY, RunSummary
from tasks.tables import IMAGES

LOOK_AGAIN_S = 2.0
"""So long a raster counts as it was found, before it is looked at again (seconds)."""
GONE = (
    "Put the imagery back where it was, or name the folder that its paths start at: "
    "roadprint.open(PATH, base=FOLDER)."
)


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
        imagery = open_imagery(geopackage, tile.crs, base, showing=images)
        (read,) = imagery.cut(tile)
    except (ConfigurationError, LayerError) as error:
        raise _gone(tile_id, error.what) from error
    if isinstance(read, TileFailure):
        raise _gone(tile_id, read.reason)
    return Image.fromarray(np.ascontiguousarray(np.moveaxis(read.pixels, 0, -1)))


class RunImagery:
    """The rasters that a run was made from, as far as they are there and are what they were; for use by any thread.

    Parameters
    ----------
    config
        The run's configuration, with absolute paths.
    images
        The catalogue of its rasters (``images`` in docs/stages.md), in the city's CRS.
    inputs
        Digests of what the run was made from, by name.
    digests
        Gives the digest of a raster as it is now.
    cache_mb
        Memory for decoded blocks (megabytes).
    """

    def __init__(
        self,
        config: CityConfig,
        images: gpd.GeoDataFrame,
        inputs: Mapping[str, str],
        digests: FileDigests,
        cache_mb: float,
    ) -> None:
        self.config = config
        self.images = images.set_index("image_id", drop=False).rename_axis(None)
        self.store = BlockStore(cache_mb)
        self._paths: dict[str, str] = self.images["path"].to_dict()
        self._inputs = frozenset(inputs.values())
        self._digests = digests
        self._found: dict[str, tuple[float, str | None, str]] = {}
        self._lock = threading.Lock()
        stems = self.images["path"].map(_stem)
        self._by_stem = {stem: list(names) for stem, names in stems.groupby(stems).groups.items()}

    def why_gone(self, image_id: str) -> str | None:
        """Say why a raster cannot be shown as what the run saw; None: it can.

        Parameters
        ----------
        image_id
            Id of one of `images`.
        """
        path = self._paths[image_id]
        now = time.monotonic()
        with self._lock:
            seen = self._found.get(path)
            if seen is None or now - seen[0] > LOOK_AGAIN_S:
                digest = self._digests.of(path)
                seen = now, self._why(path, digest), digest
                self._found[path] = seen
        return seen[1]

    def _why(self, path: str, digest: str) -> str | None:
        if digest in self._inputs:
            return None
        if digest == MISSING:
            return _not_there(path)
        return f"{redact(path)} is not the file that the run was made from"

    def of(self, image_ids: Collection[str]) -> gpd.GeoDataFrame:
        """Give the catalogue of some rasters, each found to be what it was a moment ago.

        Parameters
        ----------
        image_ids
            Ids of which `why_gone` said None.
        """
        mine = self.images.loc[sorted(image_ids)].reset_index(drop=True)
        with self._lock:
            return mine.assign(digest=[self._found[path][2] for path in mine["path"]])

    def cut(self, tiles: gpd.GeoDataFrame) -> Iterator[TileImage | TileFailure]:
        """Cut tiles as the run read them, in the order that suits the rasters.

        Parameters
        ----------
        tiles
            Rows of the layer ``tiles``: ``tile_id, bearing, image_id`` and their footprints.

        Yields
        ------
        A picture in red, green and blue of 8 bits a tile, or why there is none.

        Raises
        ------
        LayerError
            When a raster lacks the bands of pictures.
        SourceError
            When a raster cannot be reached, or is changed at this very moment.
        """
        named = {
            str(tile_id): self.named(text)
            for tile_id, text in zip(tiles["tile_id"], tiles["image_id"], strict=True)
        }
        failed = {tile_id: why for tile_id, (_, why) in named.items() if why is not None}
        yield from (TileFailure(tile_id, why) for tile_id, why in failed.items())
        wanted = tiles[~tiles["tile_id"].isin(failed)]
        if wanted.empty:
            return
        images = self.of({name for tile_id in wanted["tile_id"] for name in named[tile_id][0]})
        imagery = self.config.imagery
        check_pictured(images, imagery)
        centre = wanted.geometry.centroid
        placed = wanted[["tile_id", "bearing", "geometry"]].assign(x=centre.x, y=centre.y)
        candidates = {tile_id: named[tile_id][0] for tile_id in placed["tile_id"]}
        several = placed[[len(candidates[tile_id]) > 1 for tile_id in placed["tile_id"]]]
        if len(several):
            # which of them is seen first, where they overlap
            ordered = cover_tiles(several, images)["image_ids"]
            for tile_id, names in zip(several["tile_id"], ordered, strict=True):
                candidates[tile_id] = [name for name in names if name in candidates[tile_id]]
        frame = pd.DataFrame(placed.drop(columns="geometry"))
        frame["image_ids"] = frame["tile_id"].map(candidates)
        pictured = BandSet.pictured(imagery)
        with TileReader(images, imagery, self.config.tiles, store=self.store, band_set=pictured) as reader:
            yield from reader.read(frame)

    def why_seen_gone(self, image_id: str) -> str | None:
        """Say as `why_gone` does what is known without reading a raster: what was found last, or that it is not there.

        Parameters
        ----------
        image_id
            Id of one of `images`.
        """
        path = self._paths[image_id]
        if why_missing(path) is not None:
            return _not_there(path)
        with self._lock:
            seen = self._found.get(path)
        return None if seen is None else seen[1]

    def rasters_of(self, text: str) -> list[str] | None:
        """Find the rasters that a tile was read from; None: one of them is not in the catalogue.

        Parameters
        ----------
        text
            ``image_id`` of the tile.
        """
        found: list[str] = []
        for name in text.split(";"):
            mine = [name] if name in self._paths else self._by_stem.get(PurePosixPath(name).stem, [])
            if not mine:
                return None
            found += mine
        return found

    def named(self, text: object) -> tuple[list[str], str | None]:
        """Find the rasters that a tile was read from, and say why they cannot be shown.

        Parameters
        ----------
        text
            ``image_id`` of the tile, which may be null.

        Returns
        -------
        Ids of `images`, and the reason; None: they can be shown.
        """
        if not isinstance(text, str) or not text:
            return [], "no imagery was read for it"
        found = self.rasters_of(text)
        if found is None:
            return [], f"not all of {redact(text)} is there any more"
        return found, next((why for one in found if (why := self.why_gone(one)) is not None), None)


def _not_there(path: str) -> str:
    return f"{redact(path)} is not there any more"


def open_imagery(
    geopackage: Path,
    crs: pyproj.CRS,
    base: Path | None,
    *,
    showing: str | None = None,
    cache_mb: float | None = None,
) -> RunImagery:
    """Find the imagery that a run was made from.

    Parameters
    ----------
    geopackage, base
        As of `cut_tile`.
    crs
        The city's CRS.
    showing
        ``image_id`` of a tile: only what it was read from is looked for; None: all rasters.
    cache_mb
        Memory for decoded blocks (megabytes); None: as the configuration says.

    Raises
    ------
    SourceError
        When the run read none, or nothing of it is there.
    ConfigurationError
        When the folder that its paths start at is not found.
    LayerError
        When nothing of what is there can be read as imagery.
    """
    recalled = recall(geopackage, base=base)
    config = load(geopackage, base=recalled.base)
    imagery = config.imagery
    if not imagery.sources:
        raise SourceError(
            "the run read no imagery, and embeddings of others are no picture",
            where=str(geopackage),
            todo="Look at it in QGIS, over imagery of your own.",
        )
    digests = FileDigests(geopackage.parent.parent / "stages" / DIGESTS)
    paths = expand_sources(imagery.sources)
    if showing is not None:
        stems = {PurePosixPath(name).stem for name in showing.split(";")}
        paths = [path for path in paths if _stem(path) in stems]
        if not paths:
            raise SourceError(
                f"it cannot be cut from the imagery: of {', '.join(imagery.sources)} nothing is called {showing}",
                where=str(geopackage),
                todo=GONE,
            )
    images = _catalogued(geopackage, paths) if showing is None else None
    if images is None:
        # each is digested when it is needed: it may be much to read
        images = open_catalogue(imagery, crs, digest=lambda _: "", only=paths).images
    return RunImagery(config, images, recalled.inputs, digests, cache_mb or imagery.cache_mb)


def _catalogued(geopackage: Path, paths: list[str]) -> gpd.GeoDataFrame | None:
    """Read the catalogue that the run made, if it is still kept and of the imagery as it lies now."""
    folder = geopackage.parent
    try:
        made_of = RunSummary.read(folder / SUMMARY).made_of
    except (OSError, ValidationError):
        return None
    stage = next((name for name in made_of if name.startswith("tiles-")), None)
    file = None if stage is None else folder.parent / "stages" / stage / f"{IMAGES.name}.parquet"
    if file is None or not file.is_file():
        return None
    images = gpd.GeoDataFrame(IMAGES.read(file.parent))
    return images if images["path"].isin(paths).any() else None


def _stem(path: str) -> str:
    return PurePosixPath(path.replace(";", "_")).stem


def _gone(tile_id: str, why: str) -> SourceError:
    return SourceError(f"it cannot be cut from the imagery: {why}", where=f"tile {tile_id}", todo=GONE)
