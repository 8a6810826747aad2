"""Single tiles, laid out to be asked where in a street it looks so."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray

from geo.clusters.graph.ground import same_ground
from geo.clusters.likeness.alike import SAME_ROAD_M
from geo.features.encoder import Embeddings
from geo.search.example import Example
from geo.search.ranking import Rows, Vectors


@dataclass(frozen=True)
class TilePoints:
    """Tiles with a fingerprint, in the space of types.

    Attributes
    ----------
    tiles
        ``tile_id, segment_id, position_m`` and footprints (metres), in the order of `points`.
    segment
        Row of the segment of each among segments with a fingerprint, ``(tiles,)``.
    centres
        ``(tiles, 2)`` (metres).
    points
        Rows of length 1, ``(tiles, components)``.
    """

    tiles: gpd.GeoDataFrame
    segment: Rows
    centres: NDArray[np.float64]
    points: Vectors


class Tiles(Protocol):
    """The tiles of a city that have a fingerprint."""

    def segment_of(self, tile_id: str) -> str | None:
        """Tell the segment of a tile; None: there is no such tile with a fingerprint."""

    def everyone(self) -> TilePoints:
        """Give all of them, in the space of types."""

    def of_segments(self, segment_ids: Collection[str]) -> tuple[pd.DataFrame, Embeddings]:
        """Give ``tile_id, segment_id`` of those of some segments, and their fingerprints ``(tiles, dimension)``."""

    def scored(self, score: Callable[[Embeddings], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Give what a function of fingerprints says of each, in the order of `everyone`."""


def same_place_of_tiles(
    found: TilePoints, segments: gpd.GeoDataFrame, footprints: gpd.GeoDataFrame, example: Example
) -> NDArray[np.bool_]:
    """Tell which tiles show an example's own place: those of its road near it, and those that overlap it.

    Parameters
    ----------
    found
        The tiles.
    segments
        ``segment_id, name, ref`` and lines of segments with a fingerprint, in the order that `found` counts them by.
    footprints
        ``tile_id, segment_id`` and footprints of all tiles of the city.
    example
        A tile, or a segment with all its tiles.

    Returns
    -------
    Array ``(tiles,)``: True for tiles of the same road (the segment itself, or one of its name or number) whose centre
    is less than `geo.clusters.likeness.alike.SAME_ROAD_M` from the tile's centre or from the segment's line.
    """
    own = (segments["segment_id"] == example.segment_id).to_numpy(dtype=bool)
    if example.tile_id is None:
        mine = footprints["segment_id"] == example.segment_id
    else:
        mine = footprints["tile_id"] == example.tile_id
    here = shapely.union_all(footprints.geometry.to_numpy()[mine.to_numpy(dtype=bool)])
    place = shapely.centroid(here) if example.tile_id is not None else segments.geometry[own].iloc[0]
    road = own.copy()
    for column in ("name", "ref"):
        road |= (
            (segments[column] == segments.loc[own, column].iloc[0]).fillna(value=False).to_numpy(dtype=bool)
        )
    # what lies outside the box is too far off for either
    west, south, east, north = shapely.total_bounds([here, place])
    x, y = found.centres.T
    near = (
        (x > west - SAME_ROAD_M)
        & (x < east + SAME_ROAD_M)
        & (y > south - SAME_ROAD_M)
        & (y < north + SAME_ROAD_M)
    )
    rows = np.flatnonzero(near)
    squares = found.tiles.geometry.to_numpy()[rows]
    by_road = road[found.segment[rows]] & (
        shapely.distance(shapely.points(found.centres[rows]), place) < SAME_ROAD_M
    )
    # footprints that share an edge show no common ground
    over = shapely.intersects(squares, here) & ~shapely.touches(squares, here)
    same = np.zeros(len(near), dtype=bool)
    same[rows] = by_road | over
    return same


def same_ground_of_tiles(
    found: TilePoints, segments: gpd.GeoDataFrame, rows: Rows, tile_m: float
) -> sp.csr_array:
    """Tell which pairs of tiles may show the same ground, or lie on the same road close by; see `same_ground`.

    Parameters
    ----------
    found, segments
        As of `same_place_of_tiles`.
    rows
        Rows of tiles.
    tile_m
        Side of a tile (metres): two squares whose centres are a diagonal apart do not overlap, however they are turned.
    """
    roads = segments.iloc[found.segment[rows]]
    # tiles of one segment lie on one road, though nobody has named it
    names = roads["name"].where(roads["name"].notna(), roads["segment_id"])
    placed = gpd.GeoDataFrame(
        {"name": names.to_numpy(), "ref": roads["ref"].to_numpy()},
        geometry=shapely.points(found.centres[rows]),
        crs=segments.crs,
    )
    return same_ground(placed, tile_m=tile_m * float(np.sqrt(2)))


def overlapping(squares: NDArray[np.object_]) -> sp.csr_array:
    """Tell which pairs of footprints have ground in common: symmetric ``(n, n)``, without the diagonal."""
    one, other = shapely.STRtree(squares).query(squares, predicate="intersects")
    apart = (one == other) | shapely.touches(squares[one], squares[other])
    one, other = one[~apart], other[~apart]
    return sp.csr_array((np.ones(len(one), dtype=bool), (one, other)), shape=(len(squares), len(squares)))
