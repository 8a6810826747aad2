"""The tiles of a run that have a fingerprint of their own, read when they are asked for, and kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from geo.clusters.space import Points
from geo.errors import LayerError
from geo.features.encoder import Embeddings
from geo.features.tile_fingerprints import read_ids, read_rows, read_vectors
from geo.search.tiles import TilePoints

Vector = NDArray[np.float32]


class SeenTiles:
    """Tiles with a fingerprint (`geo.search.tiles.Tiles`).

    Parameters
    ----------
    file
        ``tile_fingerprints`` of the run.
    tiles
        ``tile_id, segment_id, position_m`` and footprints of all tiles.
    segment_ids
        Of the segments with a fingerprint, in their order.
    into
        Brings fingerprints into the space of types.
    """

    def __init__(
        self,
        file: Path,
        tiles: gpd.GeoDataFrame,
        segment_ids: pd.Index,
        into: Callable[[Embeddings], Points],
    ) -> None:
        self._file, self._tiles, self._segment_ids, self._into = file, tiles, segment_ids, into

    @cached_property
    def _ids(self) -> pd.DataFrame:
        return read_ids(self._file)

    @cached_property
    def _about(self) -> pq.FileMetaData:
        return pq.read_metadata(self._file)

    @cached_property
    def _by_id(self) -> pd.Index:
        ids: pd.Index = pd.Index(self._ids["tile_id"])
        return ids

    @cached_property
    def _segment(self) -> NDArray[np.int64]:
        """Row of the segment of each."""
        segment = self._segment_ids.get_indexer(pd.Index(self._ids["segment_id"]))
        if (segment < 0).any():
            raise self._mixed()
        return segment

    def example(self, tile_id: str) -> tuple[str, Vector] | None:
        """Give the segment of a tile, and its fingerprint; None: there is no such tile with a fingerprint."""
        (row,) = self._by_id.get_indexer(pd.Index([tile_id]))
        if row < 0:
            return None
        return str(self._ids["segment_id"].iloc[row]), read_rows(self._file, np.array([row]), self._about)[0]

    def of_segments(self, segments: NDArray[np.int64]) -> tuple[pd.DataFrame, Embeddings]:
        """Give ``tile_id, segment_id`` of those of some segments, by their rows, and their fingerprints."""
        rows = np.flatnonzero(np.isin(self._segment, segments))
        return self._ids.iloc[rows].reset_index(drop=True), read_rows(self._file, rows, self._about)

    def scored(self, score: Callable[[Embeddings], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Give what a function of fingerprints says of each, in the order of `everyone`."""
        return np.concatenate([score(some) for some in read_vectors(self._file)])

    def everyone(self) -> TilePoints:
        """Give all of them, in the space of types.

        Raises
        ------
        LayerError
            When the file is of other segments or tiles than the run's.
        """
        return self._everyone

    @cached_property
    def _everyone(self) -> TilePoints:
        rows = pd.Index(self._tiles["tile_id"]).get_indexer(self._by_id)
        if (rows < 0).any():
            raise self._mixed()
        tiles = self._tiles.iloc[rows].reset_index(drop=True)
        points = [self._into(some).astype(np.float32) for some in read_vectors(self._file)]
        centres = shapely.get_coordinates(shapely.centroid(tiles.geometry.to_numpy()))
        return TilePoints(tiles, self._segment, centres, np.concatenate(points))

    def _mixed(self) -> LayerError:
        return LayerError(
            "fingerprints of tiles, tiles and segments are not of one run",
            where=str(self._file),
            todo="Copy the run's folder again, whole.",
        )
