"""Spatial shards: the pieces of work that tiles are read and encoded in."""

from __future__ import annotations

import numpy as np
import pandas as pd

CELL_SIDES_M = (4000, 2000, 1000, 500, 250, 125)
"""Sides of the cells that shards are made of (metres), each a quarter of the one before by area."""


def assign_shards(tiles: pd.DataFrame, *, tiles_per_shard: int) -> pd.Series[str]:
    """Group tiles into compact shards that stay what they are when tiles are added elsewhere.

    The plane is cut into square cells of 4 km counted from the CRS's origin. A cell with more tiles than
    `tiles_per_shard` is cut into quarters, and so on down to 125 m, below which a shard may be larger than asked. A
    tile's shard so depends on the tiles of its own cells alone, and on no order of rows.

    Parameters
    ----------
    tiles
        ``x`` and ``y`` of each tile's centre (metres, in the city's CRS).
    tiles_per_shard
        How many tiles the largest shard is to hold, at least 1.

    Returns
    -------
    Name of each tile's shard, on the tiles' index: side of its cell (metres), column and row counted from the CRS's
    origin, as in ``1000_412_273``.
    """
    if tiles_per_shard < 1:
        raise ValueError(f"a shard holds at least one tile, found tiles_per_shard={tiles_per_shard}")
    names = pd.Series(pd.NA, index=tiles.index, dtype="str", name="shard")
    open_ = np.ones(len(tiles), dtype=bool)
    for side in CELL_SIDES_M:
        column = np.floor(tiles["x"].to_numpy()[open_] / side).astype(np.int64)
        row = np.floor(tiles["y"].to_numpy()[open_] / side).astype(np.int64)
        cells, cell, counts = np.unique(
            np.column_stack([column, row]), axis=0, return_inverse=True, return_counts=True
        )
        fits = (counts <= tiles_per_shard) | (side == CELL_SIDES_M[-1])
        labels = np.array([f"{side}_{x}_{y}" for x, y in cells], dtype=object)
        closed = fits[cell.ravel()]
        places = np.flatnonzero(open_)[closed]
        names.iloc[places] = labels[cell.ravel()[closed]]
        open_[places] = False
    return names


def spatial_order(shard: str) -> tuple[int, str]:
    """Key to sort shards so that neighbours mostly follow each other (Morton 1966, Z-order).

    Parameters
    ----------
    shard
        Name of a shard, as `assign_shards` gives them.
    """
    side, column, row = (int(part) for part in shard.split("_"))
    # the corner in the smallest cells, away from negative numbers
    x, y = (place * side // CELL_SIDES_M[-1] + 2**30 for place in (column, row))
    code = sum((x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1 for bit in range(32))
    return code, shard
