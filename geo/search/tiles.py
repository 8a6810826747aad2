"""Single tiles, laid out to be asked where in a street it looks so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    def example(self, tile_id: str) -> tuple[str, NDArray[np.float32]] | None:
        """Give the segment of a tile, and its fingerprint; None: there is no such tile with a fingerprint."""

    def everyone(self) -> TilePoints:
        """Give all of them, in the space of types."""

    def of_segments(self, segments: Rows) -> tuple[pd.DataFrame, Embeddings]:
        """Give ``tile_id, segment_id`` of those of some segments, by their rows, and their fingerprints."""

    def scored(self, score: Callable[[Embeddings], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Give what a function of fingerprints says of each, in the order of `everyone`."""


def same_place_of_tiles(
    found: TilePoints,
    segments: gpd.GeoDataFrame,
    footprints: gpd.GeoDataFrame,
    examples: Sequence[Example],
) -> NDArray[np.bool_]:
    """Tell which tiles show the place of an example: those of its road near it, and those that overlap it.

    Parameters
    ----------
    found
        The tiles.
    segments
        ``segment_id, name, ref`` and lines of segments with a fingerprint, in the order that `found` counts them by.
    footprints
        ``tile_id, segment_id`` and footprints of all tiles of the city.
    examples
        Tiles, and segments with all their tiles; others have no place.

    Returns
    -------
    Array ``(tiles,)``: True for tiles of the same road (the segment itself, or one of its name or number) whose centre
    is less than `geo.clusters.likeness.alike.SAME_ROAD_M` from the tile's centre or from the segment's line.
    """
    tiles = [one.tile_id for one in examples if one.tile_id is not None]
    whole = [one.segment_id for one in examples if one.tile_id is None and one.segment_id is not None]
    single = footprints["tile_id"].isin(tiles).to_numpy(dtype=bool)
    lines = np.flatnonzero(segments["segment_id"].isin(whole).to_numpy(dtype=bool))
    squares = footprints.geometry.to_numpy()
    owners = pd.Index(segments["segment_id"]).get_indexer(pd.Index(footprints["segment_id"][single]))
    road = np.concatenate([owners, lines])
    place = np.concatenate([shapely.centroid(squares[single]), segments.geometry.to_numpy()[lines]])
    same = np.zeros(len(found.tiles), dtype=bool)
    mine, near = found.tiles.sindex.query(place, predicate="dwithin", distance=SAME_ROAD_M)
    named = _same_road(segments, road[mine], found.segment[near])
    mine, near = mine[named], near[named]
    same[near[shapely.distance(shapely.points(found.centres[near]), place[mine]) < SAME_ROAD_M]] = True
    here = squares[single | footprints["segment_id"].isin(whole).to_numpy(dtype=bool)]
    mine, over = found.tiles.sindex.query(here, predicate="intersects")
    # footprints that share an edge show no common ground
    same[over[~shapely.touches(here[mine], found.tiles.geometry.to_numpy()[over])]] = True
    return same


def _same_road(segments: gpd.GeoDataFrame, one: Rows, other: Rows) -> NDArray[np.bool_]:
    """Tell which pairs of segments are the same, or of one name or number."""
    same: NDArray[np.bool_] = one == other
    for column in ("name", "ref"):
        codes = pd.factorize(segments[column].iloc[np.concatenate([one, other])])[0]
        mine, theirs = np.split(codes, 2)
        same = same | ((mine == theirs) & (mine >= 0))
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
