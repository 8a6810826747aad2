"""How many things there are along each segment and about each junction."""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.ground.shares import Places

Grids = Iterable[tuple[Places, NDArray[np.bool_]]]
"""Pieces of ground, and where each has data, ``(rows, columns)``."""
STEP_M = 1.0
"""How much of a segment is seen is looked up every so many metres."""
AT_JUNCTION_M = 20.0
"""A thing is at a junction within this of its middle, or of its ring (metres), as a collision is in STATS19."""


def place_things(things: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, *, reach_m: float) -> pd.Series:
    """Give each thing to one segment: the nearest by its line, of equally near ones the first.

    Parameters
    ----------
    things
        Points (metres).
    segments
        ``segment_id`` and lines, in the same CRS.
    reach_m
        A thing that is farther from all of them belongs to none (metres).

    Returns
    -------
    ``segment_id`` on the index of `things`, null where none is near.
    """
    return _nearest(things, segments.geometry.to_numpy(), segments["segment_id"].to_numpy(), reach_m)


def _nearest(
    things: gpd.GeoDataFrame, shapes: NDArray[np.object_], names: NDArray[np.object_], reach_m: float
) -> pd.Series:
    owner = pd.Series(None, index=things.index, dtype=object)
    if not len(shapes) or not len(things):
        return owner
    thing, shape = shapely.STRtree(shapes).query_nearest(things.geometry.to_numpy(), max_distance=reach_m)
    order = np.lexsort((shape, thing))
    which, first = np.unique(thing[order], return_index=True)
    owner.iloc[which] = names[shape[order][first]]
    return owner


def seen_of(
    segments: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, grids: Grids
) -> tuple[pd.Series, pd.Series]:
    """Tell how much of each segment was seen, and which junctions were.

    Parameters
    ----------
    segments, junctions
        ``segment_id`` and lines, ``junction_id`` and Points, in metres.
    grids
        What was seen, in the same CRS.

    Returns
    -------
    Metres by ``segment_id``; by ``junction_id`` whether there is imagery of its middle.
    """
    lines = segments.geometry.to_numpy()
    length = shapely.length(lines)
    steps = np.maximum(np.ceil(length / STEP_M), 1).astype(np.int64)
    row = np.repeat(np.arange(len(lines)), steps)
    share = (np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps) + 0.5) / steps[row]
    along = shapely.line_interpolate_point(lines[row], share, normalized=True)
    shown = _shown(np.concatenate([along, junctions.geometry.to_numpy()]), grids)
    metres = np.bincount(row, weights=shown[: len(row)], minlength=len(lines)) * length / steps
    return (
        pd.Series(metres, index=segments["segment_id"].to_numpy()),
        pd.Series(shown[len(row) :], index=junctions["junction_id"].to_numpy()),
    )


def _shown(points: NDArray[np.object_], grids: Grids) -> NDArray[np.bool_]:
    """Tell which points lie where a piece of ground has data."""
    shown = np.zeros(len(points), dtype=np.bool_)
    tree = shapely.STRtree(points)
    x, y = shapely.get_x(points), shapely.get_y(points)
    for grid, known in grids:
        here = tree.query(grid.box)
        column = np.floor((x[here] - grid.x) / grid.side_m).astype(np.int64)
        down = np.floor((grid.y - y[here]) / grid.side_m).astype(np.int64)
        inside = (column >= 0) & (column < grid.columns) & (down >= 0) & (down < grid.rows)
        shown[here[inside]] |= known[down[inside], column[inside]]
    return shown


def count_along(
    things: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, keys: list[str], known_m: pd.Series
) -> pd.DataFrame:
    """Count things per 100 m of segment.

    Parameters
    ----------
    things
        ``thing`` and ``segment_id``, see `place_things`.
    segments
        ``segment_id``.
    keys
        Of the classes that are counted.
    known_m
        How much of the length of each segment is seen (metres), by ``segment_id``.

    Returns
    -------
    ``segment_id`` and, of each class, ``things_<key>_per_100m``; null where nothing of a segment is seen.
    """
    counted = pd.crosstab(things["segment_id"], things["thing"])
    named = segments["segment_id"]
    seen = known_m.reindex(named).to_numpy(dtype=np.float64)
    seen = np.where(seen > 0, seen, np.nan)
    columns = {
        f"things_{key}_per_100m": _of(counted, key).reindex(named, fill_value=0).to_numpy() / seen * 100
        for key in keys
    }
    return pd.DataFrame({"segment_id": named.to_numpy(), **columns})


def count_at(
    things: gpd.GeoDataFrame, junctions: gpd.GeoDataFrame, keys: list[str], known: pd.Series
) -> pd.DataFrame:
    """Count things at junctions, each at the nearest one alone.

    Parameters
    ----------
    things
        ``thing`` and Points (metres).
    junctions
        ``junction_id, radius_m`` and Points, in the same CRS.
    keys
        Of the classes that are counted.
    known
        Whether the ground of each junction is seen, by ``junction_id``.

    Returns
    -------
    ``junction_id`` and, of each class, ``n_<key>``; null where its ground is not seen.
    """
    nodes, radius = junctions.geometry.to_numpy(), junctions["radius_m"].to_numpy()
    discs = np.where(radius > 0, shapely.buffer(nodes, radius), nodes)
    names = junctions["junction_id"]
    owner = _nearest(things, discs, names.to_numpy(), AT_JUNCTION_M)
    counted = pd.crosstab(owner, things["thing"])
    seen = known.reindex(names).fillna(value=False).to_numpy(dtype=bool)
    columns = {
        f"n_{key}": pd.array(
            np.where(seen, _of(counted, key).reindex(names, fill_value=0), np.nan), dtype="Int64"
        )
        for key in keys
    }
    return pd.DataFrame({"junction_id": names.to_numpy(), **columns})


def _of(counted: pd.DataFrame, key: str) -> pd.Series:
    return counted[key] if key in counted else pd.Series(0, index=counted.index)
