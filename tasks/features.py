"""Stage 3: tiles become embeddings, a shard at a time.

Shards are kept by a digest of their own (their tiles, the bytes of the rasters under them, the encoder), beside
the stages, so a change in one place re-encodes that place alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Lock

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geo.config import CityConfig
from geo.config import Encoder as EncoderSettings
from geo.errors import LayerError
from geo.features.bands import BandStatistics
from geo.features.encoder import Encoder
from geo.features.registry import load_encoder
from geo.imagery.reader import TileFailure, TileImage, TileReader
from geo.ledger import Entry, merge
from tasks.plan import Plan
from tasks.stage import code_digest, digest, read_json, write_json

_encoding = Lock()


@dataclass(frozen=True, slots=True)
class ShardJob:
    """The work of one shard: paths and settings, no frames.

    Attributes
    ----------
    shard
        Its name.
    tiles, images
        Tables of the tiles stage.
    out
        The Parquet file to write.
    n_tiles
        How many tiles it holds.
    config
        The city's configuration.
    """

    shard: str
    tiles: Path
    images: Path
    out: Path
    n_tiles: int
    config: CityConfig


def plan_shards(plan: Plan) -> list[ShardJob]:
    """List the shards that hold tiles with imagery, each with the file that its digest names."""
    stage = plan.stage_folder("tiles")
    tiles = gpd.read_parquet(stage / "tiles.parquet")
    images = gpd.read_parquet(stage / "images.parquet", columns=["image_id", "digest", "geometry"])
    pixels = images.set_index("image_id")["digest"]
    made_by = digest(encoder_key(plan), plan.config.tiles.model_dump(), plan.config.imagery.model_dump())
    jobs = []
    for shard, mine in tiles[tiles["coverage"] > 0].groupby("shard"):
        rows = mine[["tile_id", "x", "y", "bearing"]].to_csv(index=False)
        rasters = sorted({name for names in mine["image_ids"] for name in names})
        key = digest(made_by, rows, [(name, pixels[name]) for name in rasters])
        out = plan.stages / "shards" / f"shard-{key}.parquet"
        job = ShardJob(
            str(shard), stage / "tiles.parquet", stage / "images.parquet", out, len(mine), plan.config
        )
        jobs.append(job)
    return jobs


def encoder_key(plan: Plan) -> str:
    """Digest what decides an embedding besides the pixels: the encoder's settings and the code that runs it."""
    settings = plan.config.encoder.model_dump(exclude={"device", "batch_size"})
    return digest(settings, plan.weights, code_digest("geo/features", "geo/imagery", "geo/tiles"))


def encode_shard(job: ShardJob) -> None:
    """Encode the tiles of one shard into ``job.out``, unless it is there.

    A tile is left out of the file when its imagery cannot be read or covers less than ``tiles.min_coverage``;
    the account beside the file says so.
    """
    account = job.out.with_suffix(".json")
    if job.out.is_file() and account.is_file():
        return
    tiles = gpd.read_parquet(job.tiles, filters=[("shard", "==", job.shard)])
    tiles = tiles[tiles["coverage"] > 0]
    images = gpd.read_parquet(job.images)
    encoder = _encoder(job.config.encoder, job.config.tiles.tile_m)
    bands = BandStatistics()
    rows: list[pd.DataFrame] = []
    failures: list[Entry] = []
    thin = 0
    with TileReader(images, job.config.imagery, job.config.tiles) as reader:
        for batch in _batches(reader.read(tiles), job.config.encoder.batch_size):
            failures += [
                Entry("tiles", "failed", tile.reason, 1) for tile in batch if isinstance(tile, TileFailure)
            ]
            read = [tile for tile in batch if isinstance(tile, TileImage)]
            failures += [Entry("reads", "failed", fault, 1) for tile in read for fault in tile.faults]
            whole = [tile for tile in read if tile.coverage >= max(job.config.tiles.min_coverage, 1e-9)]
            thin += len(read) - len(whole)
            if whole:
                rows.append(_encode(whole, encoder, bands))
    found = pd.concat(rows, ignore_index=True) if rows else _no_rows()
    share = f"imagery covers less than {job.config.tiles.min_coverage:.0%} of it"
    entries = [Entry("tiles", "done", "", len(found)), Entry("tiles", "skipped", share, thin), *failures]
    job.out.parent.mkdir(parents=True, exist_ok=True)
    _write(found.sort_values("tile_id"), encoder, job.out)
    write_json(account, [asdict(entry) for entry in merge(entries) if entry.count])


@lru_cache(maxsize=1)
def _encoder(settings: EncoderSettings, tile_m: float) -> Encoder:
    """Load the encoder once a process."""
    return load_encoder(settings, tile_m=tile_m)


def _batches(tiles: Iterator[TileImage | TileFailure], size: int) -> Iterator[list[TileImage | TileFailure]]:
    """Group a stream into lists of `size`."""
    while batch := list(islice(tiles, size)):
        yield batch


def _encode(tiles: list[TileImage], encoder: Encoder, bands: BandStatistics) -> pd.DataFrame:
    """Embed tiles, with the baseline beside the encoder."""
    pixels, valid = [tile.pixels for tile in tiles], [tile.valid for tile in tiles]
    # one shard encodes at a time, on all cores; the others read meanwhile
    with _encoding:
        embeddings = encoder.encode(pixels, valid)
    return pd.DataFrame(
        {
            "tile_id": [tile.tile_id for tile in tiles],
            "image_id": [tile.image_id for tile in tiles],
            "coverage": [tile.coverage for tile in tiles],
            "embedding": list(embeddings),
            "bands": list(bands.encode(pixels, valid)),
        }
    )


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in ("tile_id", "image_id", "coverage", "embedding", "bands")})


def _write(rows: pd.DataFrame, encoder: Encoder, out: Path) -> None:
    """Write a shard's Parquet file, whole or not at all."""
    table = pa.table(
        {
            "tile_id": pa.array(rows["tile_id"], pa.string()),
            "image_id": pa.array(rows["image_id"], pa.string()),
            "coverage": pa.array(rows["coverage"], pa.float64()),
            "embedding": _vectors(rows["embedding"], encoder.card.dimension),
            "bands": _vectors(rows["bands"], BandStatistics.card.dimension),
        }
    )
    part = out.with_name(f".{out.name}.{os.getpid()}")
    pq.write_table(table, part, compression="zstd")
    part.replace(out)


def _vectors(column: pd.Series, dimension: int) -> pa.Array:
    """Make a column of fixed-size lists of float32."""
    flat = np.concatenate([np.zeros(0, dtype=np.float32), *column])
    return pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float32()), dimension)


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Encode what is not encoded yet, and write ``features.json``: the shards and what is known of the encoder."""
    jobs = plan_shards(plan)
    for job in jobs:
        encode_shard(job)
    entries = [Entry(**row) for job in jobs for row in read_json(job.out.with_suffix(".json"))]
    if not sum(entry.count for entry in entries if entry.status == "done"):
        reasons = "; ".join(f"{entry.count} tiles {entry.status}: {entry.reason}" for entry in merge(entries))
        raise LayerError(
            f"not one tile could be encoded ({reasons})",
            where="imagery.sources",
            todo="Look at the imagery: is it blank where the roads are? Or lower tiles.min_coverage.",
        )
    card = _encoder(plan.config.encoder, plan.config.tiles.tile_m).card
    shards = [str(job.out.relative_to(plan.stages)) for job in jobs]
    write_json(folder / "features.json", {"encoder": card.as_dict(), "shards": shards})
    return entries


def load_embeddings(plan: Plan) -> pd.DataFrame:
    """Read the encoded tiles of a run, with the segment and position of each, sorted by ``tile_id``."""
    shards = read_json(plan.stage_folder("features") / "features.json")["shards"]
    encoded = pd.concat([pd.read_parquet(plan.stages / shard) for shard in shards], ignore_index=True)
    tiles = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    place = tiles[["tile_id", "segment_id", "position_m"]]
    return encoded.merge(place, on="tile_id", validate="one_to_one").sort_values("tile_id", ignore_index=True)
