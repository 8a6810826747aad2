"""When each piece of ground is read: what decides which decoded blocks are worth their memory.

Shards are read one after the other. A block that no later shard needs can go at once, and of the others the one that
is needed last (Belady 1966, IBM Systems Journal 5:78-101): with the order known beforehand, no other rule decodes less.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geo.tiles.shards import spatial_order

Bounds = tuple[float, float, float, float]
Integers = NDArray[np.int64]

NEVER = 2**31
"""Later than any shard."""
CELLS_PER_TILE = 2
"""Ground is told apart in squares of a tile's side divided by this: finer takes memory and hardly saves a block."""


class ReadingOrder:
    """Which shards need which ground, and in which order they are read.

    Parameters
    ----------
    tiles
        ``x`` and ``y`` of each centre (metres, city's CRS) and ``shard``.
    reach_m
        How far a tile's pixels lie from its centre along each axis (metres): half its side, or half its diagonal when
        tiles are turned.
    crs
        The city's projected CRS, in metres.
    """

    def __init__(self, tiles: pd.DataFrame, *, reach_m: float, crs: pyproj.CRS) -> None:
        self.order: dict[str, int] = {
            shard: place for place, shard in enumerate(sorted(tiles["shard"].unique(), key=spatial_order))
        }
        self._crs = crs
        self._cell = 2 * reach_m / CELLS_PER_TILE
        centre = tiles[["x", "y"]].to_numpy()
        low = np.floor((centre - reach_m) / self._cell).astype(np.int64)
        self._origin = low.min(axis=0)
        self._columns = int(np.ptp(low[:, 0])) + CELLS_PER_TILE + 1
        place = tiles["shard"].map(self.order).to_numpy(dtype=np.int64)
        steps = np.arange(CELLS_PER_TILE + 1)
        cells = np.concatenate([self._number(low + np.array([i, j])) for i in steps for j in steps])
        pairs = np.unique(np.column_stack([cells, np.tile(place, len(steps) ** 2)]), axis=0)
        self._cells, self._places = pairs[:, 0], pairs[:, 1]

    def _number(self, cell: Integers) -> Integers:
        """Give cells numbers, row by row."""
        column, row = (cell - self._origin).T
        number: Integers = row * self._columns + column
        return number

    def needed_by(self, bounds: Bounds, wkt: str) -> list[int]:
        """Find the shards that need some ground, by their place in the order.

        Parameters
        ----------
        bounds
            Left, lower, right and upper edge of the ground.
        wkt
            CRS of `bounds`, as WKT.
        """
        change = _to_city(wkt, self._crs)
        box = np.reshape(bounds if change is None else change.transform_bounds(*bounds), (2, 2))
        first, last = (np.floor(box / self._cell).astype(np.int64) - self._origin).tolist()
        left, right = max(first[0], 0), min(last[0], self._columns - 1)
        if left > right:
            return []
        rows = np.arange(first[1], last[1] + 1) * self._columns
        starts = np.searchsorted(self._cells, rows + left, side="left")
        ends = np.searchsorted(self._cells, rows + right, side="right")
        found = [self._places[a:b] for a, b in zip(starts, ends, strict=True)]
        return list(np.unique(np.concatenate(found)).tolist())


def next_need(places: Sequence[int], now: int) -> int:
    """Find the first place from `now` on, `NEVER` where there is none."""
    at = bisect_left(places, now)
    return places[at] if at < len(places) else NEVER


@lru_cache(maxsize=64)
def _to_city(wkt: str, city: pyproj.CRS) -> pyproj.Transformer | None:
    """Find the way from one CRS to the city's; None: they are the same."""
    own = pyproj.CRS.from_wkt(wkt)
    same = own.equals(city, ignore_axis_order=True)
    return None if same else pyproj.Transformer.from_crs(own, city, always_xy=True)
