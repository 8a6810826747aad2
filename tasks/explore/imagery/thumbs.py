"""Pictures of the tiles of a run, cut when they are asked for and kept."""

from __future__ import annotations

from functools import cached_property

import pandas as pd
import shapely

from geo.errors import LayerError, SourceError
from geo.explore.thumbs import with_line
from geo.imagery.reading.reader import TileFailure, lie_on_pictures
from geo.outputs.thumbnails import thumbnail
from tasks.explore.imagery.kept import Kept
from tasks.explore.imagery.seen import BACK, SeenImagery, key_of
from tasks.explore.imagery.together import Together
from tasks.explore.page import Page

PX = 256
"""Longer side of a picture that is kept (pixels)."""
AT_ONCE, LEADERS, AHEAD = 24, 2, 96
"""Tiles that are cut in one go, by so many threads at a time, and how far ahead of what is looked at."""
LARGE_PX, MOST_PX = 512, 1024
"""Longer side of a picture that is looked at by itself, at least and at most (pixels)."""
FORM = "tiles 1"
"""Raised when pictures are made in another way: what was kept before is not shown."""


class Thumbs:
    """Pictures of tiles by their rows, for any thread.

    Parameters
    ----------
    page
        The page, whose folder keeps them.
    imagery
        The imagery of its run.
    """

    def __init__(self, page: Page, imagery: SeenImagery) -> None:
        self._page, self._imagery = page, imagery
        self._together: Together[bytes | str] = Together(self._cut, most=AT_ONCE, leaders=LEADERS)
        self._order: list[int] = []
        self._place: dict[int, int] = {}
        self._done_to = 0

    def follow(self, rows: list[int]) -> None:
        """Take note in which order tiles are about to be looked at: what comes next is cut ahead.

        Parameters
        ----------
        rows
            Rows of tiles.
        """
        self._place = {row: place for place, row in enumerate(rows)}
        self._order, self._done_to = rows, 0

    def picture(self, row: int, *, line: bool) -> bytes:
        """Give the picture of a tile, as its encoder saw it in red, green and blue.

        Parameters
        ----------
        row
            Row of the tile.
        line
            Whether the road is drawn on it.

        Returns
        -------
        A JPEG of `PX` pixels; where the imagery is gone, the smaller one that the run left, if it left one.

        Raises
        ------
        LayerError
            When there is no such tile.
        SourceError
            When there is no picture of it, and why.
        """
        tile = self._page.tile(row)
        jpeg = self._plain(row, tile)
        return self._lined(jpeg, tile) if line else jpeg

    def large(self, row: int, *, line: bool) -> bytes:
        """Give the picture of a tile at the resolution that it was read at; it is cut each time.

        Parameters, Returns and Raises as of `picture`; of `LARGE_PX` pixels, or as many as it has.
        """
        tile = self._page.tile(row)
        (read,) = self._imagery.get().cut(self._page.tiles.iloc[[row]])
        if isinstance(read, TileFailure):
            raise _none(row, read.reason)
        px = min(MOST_PX, max(LARGE_PX, *read.valid.shape))
        jpeg = thumbnail(read.pixels, px)
        return self._lined(jpeg, tile) if line else jpeg

    def why_none(self, row: int) -> str | None:
        """Say why a tile has no picture, as far as is known without cutting it; None: it may have one.

        Raises
        ------
        LayerError
            When there is no such tile.
        """
        tile = self._page.tile(row)
        try:
            return self._imagery.get().named(tile["image_id"])[1]
        except SourceError as error:
            return error.what

    def _plain(self, row: int, tile: pd.Series) -> bytes:
        try:
            _, why = self._imagery.get().named(tile["image_id"])
        except SourceError as error:
            return _left(tile, error)
        if why is not None:
            return _left(tile, _none(row, why))
        jpeg = self._kept.get(row)
        if jpeg is None:
            made = self._together.ask(row)
            if isinstance(made, str):
                return _left(tile, _none(row, made))
            jpeg = made
        self._look_ahead(row)
        return jpeg

    def _lined(self, jpeg: bytes, tile: pd.Series) -> bytes:
        """Draw the road on a picture; on one that the run left it is drawn if the catalogue of the imagery is there."""
        try:
            imagery = self._imagery.get()
        except SourceError:
            return jpeg
        names, _ = imagery.named(tile["image_id"])
        line = self._lines.get(tile["segment_id"])
        if not names or line is None:
            return jpeg
        x, y = tile["geometry"].centroid.coords[0]
        placed = pd.DataFrame({"x": [x], "y": [y], "bearing": [tile["bearing"]], "image_id": names[0]})
        (lie,) = lie_on_pictures(placed, imagery.images, imagery.config.tiles)
        return with_line(jpeg, line, (x, y), lie)

    def _cut(self, rows: list[int]) -> dict[int, bytes | str]:
        """Cut tiles and keep them; of those without a picture the reason is given."""
        tiles = self._page.tiles.iloc[rows]
        by_id = dict(zip(tiles["tile_id"], rows, strict=True))
        found: dict[int, bytes | str] = {}
        why = "it was not read"
        try:
            for read in self._imagery.get().cut(tiles):
                row = by_id[read.tile_id]
                found[row] = read.reason if isinstance(read, TileFailure) else thumbnail(read.pixels, PX)
        except (SourceError, LayerError) as error:
            why = error.what
        found |= {row: why for row in rows if row not in found}
        self._kept.put({row: made for row, made in found.items() if isinstance(made, bytes)})
        return found

    def _look_ahead(self, row: int) -> None:
        """Cut what comes after a tile in the order that is looked at, in time."""
        place = self._place.get(row)
        if place is None or place + AHEAD // 2 < self._done_to:
            return
        some = self._order[max(place + 1, self._done_to) : place + 1 + AHEAD]
        self._done_to = place + 1 + AHEAD
        there = self._kept.has(some)
        self._together.go_ahead([one for one in some if one not in there])

    @cached_property
    def _lines(self) -> dict[str, shapely.Geometry]:
        segments = self._page.segments
        return dict(zip(segments["segment_id"], segments.geometry, strict=True))

    @cached_property
    def _kept(self) -> Kept:
        tiles = self._page.tiles
        columns = ("\n".join(tiles[name].fillna("").astype(str)) for name in ("tile_id", "image_id"))
        return Kept(self._page.kept, key_of(self._page, FORM, *columns))


def _left(tile: pd.Series, error: SourceError) -> bytes:
    """Give the small picture of a tile that the run left.

    Raises
    ------
    SourceError
        `error`, when it left none.
    """
    left = tile.get("thumbnail")
    if left is None or pd.isna(left):
        raise error
    return bytes(left)


def _none(row: int, why: str) -> SourceError:
    return SourceError(f"there is no picture of this tile: {why}", where=f"tile {row}", todo=BACK)
