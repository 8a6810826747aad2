"""Fingerprints: one vector a segment, pooled from the embeddings of its tiles, as a table of their own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geo.errors import LayerError
from geo.features.encoder import Embeddings
from geo.features.pooling import pool_segments
from geo.features.store import vectors


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What the segments of a city look like.

    Attributes
    ----------
    segment_ids
        ``segment_id`` of the segments with imagery, sorted.
    vectors
        Array ``(segments, dimension)`` of float32: the mean of the tiles' embeddings, each brought to length 1 first.
    bands
        Array ``(segments, dimension)`` of float32: the same of the band statistics, the plain baseline.
    n_tiles
        How many tiles each fingerprint is pooled from, ``(segments,)``.
    coverage
        Mean share of these tiles that imagery shows, from above 0 to 1.
    """

    segment_ids: pd.Index
    vectors: Embeddings
    bands: Embeddings
    n_tiles: NDArray[np.int64]
    coverage: NDArray[np.float64]

    def __len__(self) -> int:
        """How many segments have one."""
        return len(self.segment_ids)

    def vectors_of(self, segment_ids: pd.Index) -> NDArray[np.float64]:
        """Give the vectors of segments, array ``(segments, dimension)``; null where one has no fingerprint."""
        return _onto(self.segment_ids, self.vectors, segment_ids)

    def bands_of(self, segment_ids: pd.Index) -> NDArray[np.float64]:
        """Give the band statistics of segments, array ``(segments, dimension)``; null where one has none."""
        return _onto(self.segment_ids, self.bands, segment_ids)


def _onto(ids: pd.Index, values: Embeddings, wanted: pd.Index) -> NDArray[np.float64]:
    return pd.DataFrame(values, index=ids, dtype="float64").reindex(wanted).to_numpy(dtype=np.float64)


def fingerprint(tiles: pd.DataFrame) -> Fingerprints:
    """Pool the embeddings of tiles to segments; each tile counts by its coverage, see `pool_segments`.

    Parameters
    ----------
    tiles
        One row an encoded tile: ``segment_id``, ``coverage`` (above 0 to 1), ``embedding`` and ``bands`` (vectors, as
        long in every row).

    Raises
    ------
    LayerError
        When there is no tile.

    Examples
    --------
    >>> tiles = pd.DataFrame({"segment_id": ["a", "a", "b"], "coverage": [1.0, 0.5, 1.0]})
    >>> tiles["embedding"] = [[0.0, 3.0], [3.0, 0.0], [1.0, 0.0]]
    >>> tiles["bands"] = [[1.0], [1.0], [1.0]]
    >>> found = fingerprint(tiles)
    >>> found.vectors.astype(float).round(2).tolist(), found.n_tiles.tolist()
    ([[0.33, 0.67], [1.0, 0.0]], [2, 1])
    """
    if tiles.empty:
        raise LayerError(
            "not one tile has an embedding", where="tiles", todo="Look at the imagery under the roads."
        )
    coverage = tiles["coverage"].to_numpy(dtype=np.float64)
    pooled = {}
    for column in ("embedding", "bands"):
        stacked = np.stack(tiles[column].tolist()).astype(np.float32)
        ids, pooled[column] = pool_segments(tiles["segment_id"], stacked, coverage)
    by_segment = tiles.groupby("segment_id")["coverage"]
    return Fingerprints(
        ids,
        pooled["embedding"],
        pooled["bands"],
        np.asarray(by_segment.size().loc[ids], dtype=np.int64),
        by_segment.mean().loc[ids].to_numpy(dtype=np.float64),
    )


def write_fingerprints(
    path: Path,
    found: Fingerprints,
    segments: gpd.GeoDataFrame,
    about: Mapping[bytes, bytes],
    *,
    key: str = "segment_id",
) -> None:
    """Write fingerprints as GeoParquet 1.1: the segments' lines, vectors as fixed-size lists of float32.

    Parameters
    ----------
    path
        Path of the file to write.
    found
        The fingerprints of the city's segments (`fingerprint`).
    segments
        ``segment_id`` and the line of each, in the city's CRS.
    about
        Metadata of the tiles' embeddings (see `geo.features.store`), which holds for what is pooled from them.
    key
        Column of `segments` with the ids, where they are not of segments: then it may have other places than lines.
    """
    lines = segments.set_index(key).geometry.loc[found.segment_ids]
    frame = gpd.GeoDataFrame(
        {key: found.segment_ids.to_numpy(), "n_tiles": found.n_tiles, "coverage": found.coverage},
        geometry=lines.to_numpy(),
        crs=segments.crs,
    )
    plain = io.BytesIO()
    frame.to_parquet(plain, index=False, write_covering_bbox=True, schema_version="1.1.0")
    table = pq.read_table(plain)
    for place, (name, values) in enumerate((("vector", found.vectors), ("bands", found.bands)), start=1):
        table = table.add_column(place, name, vectors(values, *values.shape))
    geo = {b"geo": table.schema.metadata[b"geo"]}
    pooled = {
        b"emb:pooling": f"mean over the tiles of a {key.removesuffix('_id')}, each of length 1, by coverage".encode()
    }
    pq.write_table(table.replace_schema_metadata({**about, **pooled, **geo}), path, compression="zstd")


def read_fingerprints(path: Path, *, key: str = "segment_id") -> Fingerprints:
    """Read what `write_fingerprints` wrote."""
    table = pq.read_table(path, columns=[key, "vector", "bands", "n_tiles", "coverage"])
    return Fingerprints(
        pd.Index(table[key].to_pylist(), name=key),
        _array(table["vector"]),
        _array(table["bands"]),
        np.asarray(table["n_tiles"], dtype=np.int64),
        np.asarray(table["coverage"], dtype=np.float64),
    )


def _array(column: pa.ChunkedArray) -> Embeddings:
    """Give a column of fixed-size lists as an array, a row a list."""
    values: Embeddings = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), -1)
