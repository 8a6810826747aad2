"""The imagery of a run under the map of its page."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import geopandas as gpd

from geo.errors import LayerError, SourceError
from geo.explore.imagery import MapTile, draw_tile, on_map, smaller_copies, touching, zooms
from tasks.explore.imagery.kept import Kept
from tasks.explore.imagery.seen import BACK, SeenImagery, key_of
from tasks.explore.page import Page
from tasks.results.cutting import RunImagery

AT_ONCE = 3
"""So many tiles are drawn at the same time: each may take a quarter of a gigabyte."""
DEGREES = 4326
SHOWN = 5
"""So many rasters that are not there are named."""
FORM = "map 1"
"""Raised when tiles are drawn in another way: what was kept before is not shown."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the page has to know of the imagery.

    Attributes
    ----------
    imagery
        Whether there is some to show.
    zooms
        The zoom from which on each tile can be drawn, and that above which there is no more to see.
    bounds
        West, south, east, north (degrees).
    gone
        Rasters that cannot be shown, and why.
    note
        One sentence for the reader; empty: all is there.
    licence
        Of the imagery.
    """

    imagery: bool
    zooms: tuple[int, int] | None
    bounds: list[float] | None
    gone: list[str]
    note: str
    licence: str


class MapImagery:
    """Tiles of the map of a page, for any thread.

    Parameters
    ----------
    page
        The page, whose folder keeps them.
    imagery
        The imagery of its run.
    """

    def __init__(self, page: Page, imagery: SeenImagery) -> None:
        self._page, self._imagery = page, imagery
        self._lock = threading.Lock()
        self._drawing = threading.BoundedSemaphore(AT_ONCE)
        self._laid: tuple[RunImagery, gpd.GeoDataFrame, tuple[int, int]] | None = None
        self._kept: Kept | None = None
        self._factors = lru_cache(maxsize=None)(smaller_copies)

    def tile(self, zoom: int, column: int, row: int) -> bytes | None:
        """Draw a tile; None: there is nothing to show.

        Raises
        ------
        SourceError
            When what would be shown here is gone, or cannot be read.
        """
        place = zoom, column, row
        images, _ = self._catalogue()
        here = touching(images, *place)
        seen = self._imagery.get()
        why = {name: seen.why_gone(name) for name in here["image_id"]}
        there = here[[why[name] is None for name in here["image_id"]]]
        gone = [text for text in why.values() if text is not None]
        if there.empty and gone:
            raise _gone(gone)
        if there.empty:
            return None
        number = (zoom << 48) | (column << 24) | row
        kept = None if gone or self._kept is None else self._kept.get(number)
        if kept is not None:
            return kept
        digests = dict(seen.of(there["image_id"])[["image_id", "digest"]].to_numpy())
        there = there.assign(digest=there["image_id"].map(digests))
        with self._drawing:
            drawn = self._draw(there, place)
        if drawn.picture is None and (drawn.why or gone):
            raise _gone([*gone, drawn.why])
        if drawn.picture is not None and not gone and not drawn.why and self._kept is not None:
            self._kept.put({number: drawn.picture})
        return drawn.picture

    def told(self) -> Told:
        """Say what the page has to know of it, with what is known to be gone by now."""
        licence = str(self._page.run.facts.get("licence of imagery", ""))
        try:
            images, zoom = self._catalogue()
        except SourceError as error:
            return Told(imagery=False, zooms=None, bounds=None, gone=[], note=error.what, licence=licence)
        seen = self._imagery.get()
        why = [text for name in images["image_id"] if (text := seen.why_seen_gone(name)) is not None]
        there, lacks = len(images) - len(why), self._imagery.lacks()
        why += [f"{name} is not there any more" for name in lacks]
        note = f"{len(why):,} of {len(images) + len(lacks):,} rasters cannot be shown" if why else ""
        return Told(
            imagery=there > 0,
            zooms=zoom,
            bounds=images.to_crs(DEGREES).total_bounds.tolist(),
            gone=why[:SHOWN],
            note=note,
            licence=licence,
        )

    def _draw(self, images: gpd.GeoDataFrame, place: tuple[int, int, int]) -> MapTile:
        seen = self._imagery.get()
        try:
            return draw_tile(images, place, seen.config.imagery, seen.store, self._factors)
        except LayerError as error:
            raise SourceError(error.what, where=error.where, todo=error.todo) from error

    def _catalogue(self) -> tuple[gpd.GeoDataFrame, tuple[int, int]]:
        """Lay the catalogue out for the map, once."""
        seen = self._imagery.get()
        with self._lock:
            if self._laid is None or self._laid[0] is not seen:
                images = on_map(seen.images)
                self._kept = Kept(self._page.kept, key_of(self._page, FORM, *images["path"]))
                self._laid = seen, images, zooms(images, self._factors)
            return self._laid[1:]


def _gone(why: list[str]) -> SourceError:
    told = "; ".join(dict.fromkeys(text for text in why if text))
    return SourceError(f"the imagery here cannot be shown: {told}", where="imagery", todo=BACK)
