"""Which segments show the same ground, so that they look alike whatever their type is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely

SAME_ROAD_TILES = 2.0
"""Segments of one road look alike within so many tiles' sides of each other."""


def same_ground(segments: gpd.GeoDataFrame, *, tile_m: float) -> sp.csr_array:
    """Tell which pairs of segments are near enough to show the same ground, or lie on the same road close by.

    Parameters
    ----------
    segments
        LineStrings in metres, with ``name`` and ``ref`` where known (null: none); a road is the same by either.
    tile_m
        Side of a tile (metres). Tiles of lines that are less apart may overlap; along one road it is `SAME_ROAD_TILES`
        of them.

    Returns
    -------
    Symmetric matrix ``(n, n)`` of booleans, without the diagonal.

    Examples
    --------
    >>> from shapely import LineString
    >>> lines = [LineString([(x, 0), (x + 50, 0)]) for x in (0, 120, 280)]
    >>> roads = gpd.GeoDataFrame({"name": ["High Street", "High Street", None]}, geometry=lines, crs=27700)
    >>> same_ground(roads, tile_m=50).toarray().tolist()
    [[False, True, False], [True, False, False], [False, False, False]]
    """
    lines = segments.geometry.to_numpy()
    tree = shapely.STRtree(lines)
    one, other = tree.query(lines, predicate="dwithin", distance=SAME_ROAD_TILES * tile_m)
    ahead = one < other
    one, other = one[ahead], other[ahead]
    named = np.zeros(len(one), dtype=bool)
    for column in ("name", "ref"):
        if column in segments.columns:
            codes = pd.factorize(segments[column])[0]
            named |= (codes[one] == codes[other]) & (codes[one] >= 0)
    near = named.copy()
    near[~named] = shapely.dwithin(lines[one[~named]], lines[other[~named]], tile_m)
    one, other = one[near], other[near]
    both = np.concatenate([one, other]), np.concatenate([other, one])
    return sp.csr_array((np.ones(len(both[0]), dtype=bool), both), shape=(len(lines), len(lines)))
