"""The tiles of a run that have a fingerprint of their own, read when they are asked for, and kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.space import Points
from geo.errors import LayerError
from geo.features.encoder import Embeddings
from geo.features.tile_fingerprints import read_ids, read_some, read_vectors
from geo.search.tiles import TilePoints


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

    def segment_of(self, tile_id: str) -> str | None:
        """Tell the segment of a tile; None: there is no such tile with a fingerprint."""
        mine = self._ids.loc[self._ids["tile_id"] == tile_id, "segment_id"]
        return None if mine.empty else str(mine.iloc[0])

    def of_segments(self, segment_ids: Collection[str]) -> tuple[pd.DataFrame, Embeddings]:
        """Give ``tile_id, segment_id`` of those of some segments, and their fingerprints ``(tiles, dimension)``."""
        return read_some(self._file, segment_ids)

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
        rows = pd.Index(self._tiles["tile_id"]).get_indexer(pd.Index(self._ids["tile_id"]))
        segment = self._segment_ids.get_indexer(pd.Index(self._ids["segment_id"]))
        if (rows < 0).any() or (segment < 0).any():
            raise LayerError(
                "fingerprints of tiles, tiles and segments are not of one run",
                where=str(self._file),
                todo="Copy the run's folder again, whole.",
            )
        tiles = self._tiles.iloc[rows].reset_index(drop=True)
        points = [self._into(some).astype(np.float32) for some in read_vectors(self._file)]
        centres = tiles.geometry.centroid.get_coordinates().to_numpy()
        return TilePoints(tiles, segment, centres, np.concatenate(points))
