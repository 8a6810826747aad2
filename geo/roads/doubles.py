"""Roads that were drawn twice, a little apart, as when two sources were put together."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

APART_M = 1.5
"""Two lines that run along each other within this (metres) are one road: carriageways are farther apart."""
SHORTEST_M = 20.0
"""Shorter segments are not looked at (metres): near their ends other roads are near."""
SHARE = 0.01
"""Share of the network's length from which on it is told."""
_AT = (0.25, 0.5, 0.75)


def tell_doubles(segments: gpd.GeoDataFrame) -> list[str]:
    """Tell how much of a network runs along another of its roads.

    Parameters
    ----------
    segments
        LineStrings in metres; what lies on each other exactly is one segment already.

    Returns
    -------
    Nothing, or one sentence.
    """
    lines = segments.geometry.to_numpy()
    length = shapely.length(lines)
    long = np.flatnonzero(length >= SHORTEST_M)
    tree = shapely.STRtree(lines)
    doubled = np.ones(len(long), dtype=bool)
    for share in _AT:
        spots = np.asarray(shapely.line_interpolate_point(lines[long], share, normalized=True))
        spot, near = tree.query(spots, predicate="dwithin", distance=APART_M)
        beside = np.zeros(len(long), dtype=bool)
        beside[spot[near != long[spot]]] = True
        doubled &= beside
    metres = float(length[long[doubled]].sum())
    if metres < SHARE * float(length.sum()):
        return []
    lengths = f"{metres / 1000:,.1f} km of {length.sum() / 1000:,.1f} km"
    told = f"{lengths} of roads run along another one within {APART_M:g} m"
    return [
        f"{told}: where roads of two sources were put together, leave one of them out, or lengths count twice"
    ]
