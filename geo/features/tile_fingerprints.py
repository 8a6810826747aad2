"""Fingerprints of single tiles, for questions of where in a street."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geo.features.encoder import Embeddings
from geo.features.fingerprints import Fingerprints
from geo.features.lengths import of_length_1
from geo.features.store import vectors

IDS = ("tile_id", "segment_id")
TOGETHER = 512
"""So many tiles lie together in the file: few are read beside those that are asked for."""
AT_ONCE = 4096
"""So many are read at once where all are."""
_KIND = pa.float16()


def fingerprints_of_tiles(tiles: pd.DataFrame, pooled: Fingerprints, moved: Fingerprints) -> Embeddings:
    """Give each tile what it adds to the fingerprint of its segment.

    Its embedding, brought to length 1, and moved as far as the fingerprint of its segment was: the mean over the tiles
    of a segment, by coverage, is the segment's fingerprint.

    Parameters
    ----------
    tiles
        One row an encoded tile: ``segment_id`` and ``embedding`` (vectors, as long in every row).
    pooled, moved
        Fingerprints of the segments as they were pooled (`geo.features.fingerprints.fingerprint`), and after they were
        centred (`geo.clusters.flights.centring.centre`).

    Returns
    -------
    Array ``(tiles, dimension)`` of float32.

    Examples
    --------
    >>> from geo.features.fingerprints import fingerprint
    >>> tiles = pd.DataFrame({"segment_id": ["a", "a"], "coverage": [1.0, 1.0], "bands": [[1.0], [1.0]]})
    >>> tiles["embedding"] = [[0.0, 3.0], [2.0, 0.0]]
    >>> pooled = fingerprint(tiles)
    >>> fingerprints_of_tiles(tiles, pooled, pooled).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    own: Embeddings = of_length_1(np.stack(tiles["embedding"].tolist()).astype(np.float32))
    rows = pooled.segment_ids.get_indexer(pd.Index(tiles["segment_id"]))
    found: Embeddings = own + (moved.vectors - pooled.vectors)[rows]
    return found


def write_tiles(path: Path, tiles: pd.DataFrame, found: Embeddings, about: Mapping[bytes, bytes]) -> None:
    """Write fingerprints of tiles as Parquet: vectors as fixed-size lists of float16.

    Parameters
    ----------
    path
        Path of the file to write.
    tiles
        ``tile_id`` and ``segment_id``, sorted by the first.
    found
        Vectors ``(tiles, dimension)``, in the same order.
    about
        Metadata of the tiles' embeddings (see `geo.features.store`).
    """
    table = pa.table({name: pa.array(tiles[name].astype(str), pa.string()) for name in IDS})
    table = table.append_column("vector", vectors(found, len(found), found.shape[1], _KIND))
    told = {**about, b"data_type": b"float16"}
    pq.write_table(table.replace_schema_metadata(told), path, compression="zstd", row_group_size=TOGETHER)


def read_ids(path: Path) -> pd.DataFrame:
    """Read which tiles have a fingerprint: ``tile_id, segment_id``, in the order of the file."""
    return pd.DataFrame(pq.read_table(path, columns=list(IDS)).to_pandas())


def read_vectors(path: Path) -> Iterator[Embeddings]:
    """Read all fingerprints in the order of the file, some at a time: arrays ``(tiles, dimension)`` of float32."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=AT_ONCE, columns=["vector"]):
            yield _array(batch["vector"], len(batch))


def read_rows(path: Path, rows: NDArray[np.int64], about: pq.FileMetaData | None = None) -> Embeddings:
    """Read the fingerprints in some rows of the file, rising: array ``(rows, dimension)`` of float32.

    Only the parts of the file that they lie in are read, and where these are by `about`, if it is known already.
    """
    with pq.ParquetFile(path, metadata=about) as file:
        # all parts but the last are as long as the first
        together = file.metadata.row_group(0).num_rows
        found = [np.zeros((0, file.schema_arrow.field("vector").type.list_size), np.float32)]
        for part in np.unique(rows // together).tolist():
            column = file.read_row_group(part, columns=["vector"]).column(0).combine_chunks()
            found.append(_array(column, len(column))[rows[rows // together == part] - part * together])
    return np.concatenate(found)


def _array(column: pa.Array, rows: int) -> NDArray[np.float32]:
    """Give a column of fixed-size lists as an array, a row a list."""
    values = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    found: NDArray[np.float32] = values.reshape(rows, -1)
    return found
