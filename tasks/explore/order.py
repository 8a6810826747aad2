"""In which order the tiles of a run are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.space import Points
from geo.features.lengths import of_length_1

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Sort = Literal["margin", "likeness", "street"]
NO_TYPE = 0
"""Asks for tiles of roads that have no type."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Tiles in an order.

    Attributes
    ----------
    tiles, segments
        Rows of the tiles, and of the segments that they lie on.
    by
        What they are ordered by, null where it is not known: the margin of the segment's type over the next one, or a
        cosine; None where they are in the order of streets.
    unseen
        How many tiles of those asked for show nothing, for no imagery was read: they are left out.
    """

    tiles: Rows
    segments: Rows
    by: Floats | None
    unseen: int


def order_tiles(
    tiles: pd.DataFrame,
    segments: pd.DataFrame,
    *,
    sort: Sort,
    kind: int | None = None,
    only: int | None = None,
    likeness: Floats | None = None,
    last_first: bool = False,
) -> Ordered:
    """Order the tiles of a type, of a segment, or all.

    Parameters
    ----------
    tiles
        ``segment_id``, ``position_m`` and ``encoded`` of the tiles, in the order of their rows.
    segments
        ``segment_id``, ``name``, ``cluster`` and ``cluster_margin`` of the segments, likewise; what is not there is
        not known.
    sort
        margin: those of roads that lie nearest to another type first, the most doubtful; likeness: the most alike
        first; street: by the name of the street, along each road.
    kind
        Number of a type, or `NO_TYPE`; None: of all.
    only
        Row of a segment: its own tiles alone, whether they show anything or not; None: of all.
    likeness
        Cosine of each tile with what it is compared with, null where it is not known; where tiles are sorted by it.
    last_first
        Whether the order is turned round; what is not known stays at the end.
    """
    of = pd.Index(segments["segment_id"]).get_indexer(pd.Index(tiles["segment_id"]))
    wanted = of >= 0
    if kind is not None:
        types = _numbers(segments, "cluster")[of]
        wanted &= np.isnan(types) if kind == NO_TYPE else types == kind
    there = wanted & shown(tiles)
    unseen = int(np.count_nonzero(wanted & ~there))
    if only is not None:
        there, unseen = wanted & (of == only), 0
    rows = np.flatnonzero(there)
    streets = _streets(tiles, segments, of, rows)
    values = None
    if sort != "street":
        values = _numbers(segments, "cluster_margin")[of] if sort == "margin" else likeness
        values = np.full(len(tiles), np.nan) if values is None else values
        turn = (sort == "likeness") != last_first
        rank = np.where(np.isnan(values[rows]), np.inf, -values[rows] if turn else values[rows])
        order = np.lexsort((streets, rank))
    else:
        order = np.argsort(-streets if last_first else streets, kind="stable")
    rows = rows[order]
    return Ordered(rows, of[rows], None if values is None else values[rows], unseen)


def likeness_of_tiles(points: Points, of: Rows, like: Rows) -> Floats:
    """Give the cosine of each tile's point with the middle of those of some.

    Parameters
    ----------
    points
        Points ``(m, components)``.
    of
        Row of `points` of each tile, -1 where it has none, ``(tiles,)``.
    like
        Rows of the tiles that are compared with, those without a point aside.

    Returns
    -------
    ``(tiles,)``, null where a tile has no point; all null where none of those compared with has one.
    """
    known, meant = of >= 0, of[like]
    found = np.full(len(of), np.nan)
    meant = meant[meant >= 0]
    if not len(meant):
        return found
    unit = of_length_1(points.astype(np.float64))
    middle = of_length_1(unit[meant].mean(axis=0))
    found[known] = (unit @ middle)[of[known]]
    return found


def _streets(tiles: pd.DataFrame, segments: pd.DataFrame, of: Rows, rows: Rows) -> Rows:
    """Give the place of each tile in the order of streets: by name, those without one last, along each road."""
    names = segments["name"].astype("string") if "name" in segments else pd.Series(pd.NA, segments.index)
    frame = pd.DataFrame(
        {
            "name": names.str.casefold().to_numpy()[of[rows]],
            "segment": of[rows],
            "at": tiles["position_m"].to_numpy(dtype=float)[rows],
        }
    )
    ordered = frame.sort_values(["name", "segment", "at"], na_position="last", kind="stable").index
    places = np.empty(len(rows), dtype=np.int64)
    places[ordered] = np.arange(len(rows))
    return places


def shown(tiles: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which tiles show something, by ``encoded`` of the layer, ``(tiles,)``."""
    if "encoded" in tiles:
        encoded: NDArray[np.bool_] = tiles["encoded"].fillna(value=False).to_numpy(dtype=bool)
        return encoded
    images: NDArray[np.bool_] = tiles["image_id"].notna().to_numpy(dtype=bool)
    return images


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Give a column as numbers, all null where it is not there."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
