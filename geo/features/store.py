"""Embeddings as a table that any reader of Parquet understands, with what they are in its metadata.

The metadata's names are those of the embedding extension that is being drafted for STAC (geo-embeddings,
'STAC Embedding Extension', 2026): ``emb:type``, ``emb:dimensions``, ``data_type``, ``gsd``, ``emb:chip_layout``,
``emb:preprocessing``, ``emb:postprocessing``, ``emb:quantization``, ``emb:model``, ``emb:source-data``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geo.config import CityConfig, EncoderSettings, Tiles
from geo.features.bands import PER_BAND
from geo.features.encoder import Embeddings, Made
from geo.features.lengths import of_length_1

Looks = NDArray[np.float16]
TURNS = "turns"
FLOAT = pa.float32()


class Seen(Protocol):
    """What was seen of a tile."""

    @property
    def tile_id(self) -> str:
        """The tile."""

    @property
    def image_id(self) -> str:
        """What its pixels are from; empty without data."""

    @property
    def coverage(self) -> float:
        """Share of it that has data, from 0 to 1."""


def rows(
    tiles: Sequence[Seen],
    encoder: Made,
    embeddings: Embeddings | None = None,
    bands: Embeddings | None = None,
    turns: Embeddings | None = None,
) -> pa.Table:
    """Lay tiles out as rows.

    Parameters
    ----------
    tiles
        Tiles as they were read, one each.
    encoder
        The encoder, which gives the width of the embeddings.
    embeddings, bands
        Arrays ``(tiles, dimension)``, those of the encoder and the statistics of the bands that it sees; None: null in
        every row.
    turns
        Array ``(tiles, turns, dimension)`` where turns are kept; None: null in every row.

    Returns
    -------
    ``tile_id``, ``image_id``, ``coverage``, and ``embedding`` and ``bands`` as fixed-size lists of float32; where turns
    are kept ``turns``, one after the other, each brought to length 1, as a list of float16.
    """
    table = pa.table(
        {
            "tile_id": pa.array([tile.tile_id for tile in tiles], pa.string()),
            "image_id": pa.array([tile.image_id or None for tile in tiles], pa.string()),
            "coverage": pa.array([tile.coverage for tile in tiles], pa.float64()),
            "embedding": vectors(embeddings, len(tiles), encoder.card.dimension),
            "bands": vectors(bands, len(tiles), len(encoder.card.bands) * PER_BAND),
        }
    )
    if not encoder.kept_turns:
        return table
    if turns is not None:
        turns = of_length_1(turns).astype(np.float32)
    width = encoder.kept_turns * encoder.card.dimension
    return table.append_column(TURNS, vectors(turns, len(tiles), width, pa.float16()))


def read_turns(shard: Path, dimension: int) -> Looks | None:
    """Read the turns of the tiles of a shard that have an embedding, ``(tiles, turns, dimension)``, each of length 1.

    Parameters
    ----------
    shard
        A file that `finish` laid out.
    dimension
        Of an embedding.

    Returns
    -------
    By the shard's own order of tiles; None where turns were not kept.
    """
    if TURNS not in pq.read_schema(shard).names:
        return None
    column = pq.read_table(shard, columns=[TURNS])[TURNS].drop_null().combine_chunks()
    flat: Looks = column.flatten().to_numpy(zero_copy_only=False)
    return (
        flat.reshape(len(column), -1, dimension) if len(column) else np.zeros((0, 1, dimension), np.float16)
    )


def vectors(values: Embeddings | None, n: int, dimension: int, kind: pa.DataType = FLOAT) -> pa.Array:
    """Make a column of fixed-size lists of floats.

    Parameters
    ----------
    values
        Array ``(n, dimension)``; None: null in every row.
    n, dimension
        How many lists there are, and how long each is.
    kind
        Of the numbers: float32, or float16.
    """
    if values is None:
        return pa.nulls(n, pa.list_(kind, dimension))
    numbers = values.ravel().astype(kind.to_pandas_dtype(), copy=False)
    return pa.FixedSizeListArray.from_arrays(pa.array(numbers, kind), dimension)


def finish(table: pa.Table, places: gpd.GeoDataFrame, encoder: Made, config: CityConfig) -> pa.Table:
    """Sort a shard's rows, add where each tile lies, and say in the metadata what its embeddings are.

    Parameters
    ----------
    table
        Rows of the shard's tiles (`rows`).
    places
        ``tile_id``, ``x`` and ``y`` (centres, city's CRS) of the tiles in `table` or of more.
    encoder
        The encoder that made the embeddings.
    config
        The city's configuration; without ``imagery.match`` where the values stayed as they are.
    """
    table = table.sort_by("tile_id")
    centre = places.set_index("tile_id").loc[table["tile_id"].to_pylist()]
    for name in ("y", "x"):
        table = table.add_column(1, name, pa.array(centre[name].to_numpy(), pa.float64()))
    names = pc.split_pattern(table["image_id"].drop_null(), ";")
    card, tiles = encoder.card, config.tiles
    matched = [] if config.imagery.match is None else ["match"]
    about = {
        "emb:type": "chip",
        "emb:dimensions": card.dimension,
        "data_type": "float32",
        "gsd": encoder.ground_m or tiles.pixel_m,
        "emb:chip_layout": {
            "layout_type": "variable_grid",
            "chip_size": [encoder.side, encoder.side] if encoder.side else None,
            "chip_size_m": tiles.tile_m,
            "stride_m": tiles.spacing_m,
            "align": tiles.align,
            "mode": tiles.mode,
            **_pooling(tiles),
        },
        "emb:preprocessing": {
            "imagery": config.imagery.model_dump(mode="json", include={"bands", "scale", "nodata", *matched}),
            "bands": card.bands,
            "value_range": card.value_range,
            "mean": card.mean,
            "std": card.std,
            "resampling": "bilinear, antialiased",
        },
        "emb:postprocessing": postprocessing(config.encoder),
        "emb:quantization": {"method": "none", "original_dtype": "float32"},
        "emb:model": {"name": card.name, "source": card.source, "license": card.licence},
        "emb:runtime": encoder.runtime,
        "emb:source-data": sorted(set(pc.list_flatten(names).to_pylist())),
        "proj:wkt2": places.crs.to_wkt(),
    }
    if encoder.kept_turns:
        about["emb:turns"] = (
            f"{encoder.kept_turns} quarter turns one after the other, each of length 1, float16"
        )
    return table.replace_schema_metadata({key: _plain(value) for key, value in about.items()})


def postprocessing(encoder: EncoderSettings) -> str:
    """Say what was made of the embeddings of a tile's turns, and of its middle."""
    centred = getattr(encoder, "centre_crop", False)
    middle = ", with the middle of the tile at half weight" if centred else ""
    return f"mean over {encoder.rotations} quarter turns{middle}"


def _pooling(tiles: Tiles) -> dict[str, object]:
    """Say how embeddings were pooled from feature maps."""
    if tiles.mode == "tile":
        return {}
    width = tiles.corridor_m if tiles.pool == "corridor" else None
    return {"pool": tiles.pool, "corridor_m": width, "context_m": tiles.context_m}


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def about_all(shards: Sequence[Path]) -> dict[bytes, bytes]:
    """Give the metadata of embeddings in several files: that of the first, with the sources of all.

    Parameters
    ----------
    shards
        Parquet files that `finish` laid out, of one run; at least one.
    """
    told: list[dict[bytes, bytes]] = [pq.read_schema(shard).metadata for shard in shards]
    kept = {key: value for key, value in told[0].items() if key != b"pandas"}
    sources = {source for one in told for source in json.loads(one[b"emb:source-data"])}
    runtimes = {one[b"emb:runtime"].decode() for one in told}
    return kept | {
        b"emb:source-data": _plain(sorted(sources)).encode(),
        b"emb:runtime": "; ".join(sorted(runtimes)).encode(),
    }
