"""Stage 3: tiles become embeddings, a shard at a time.

Shards are kept by a digest of their own (their tiles, the bytes of the rasters under them, the encoder), beside
the stages, so a change in one place re-encodes that place alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
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
from geo.features.store import finish, rows
from geo.imagery.blocks import BlockStore
from geo.imagery.reader import TileFailure, TileImage, TileReader
from geo.ledger import Entry, merge
from geo.tiles.shards import spatial_order
from tasks.plan import Plan
from tasks.stage import code_digest, digest, read_account, read_json, read_summary, write_account, write_json

_loading = Lock()


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
    pixels_by = plan.config.imagery.model_dump(include={"bands", "scale", "nodata"})
    made_by = digest(encoder_key(plan), plan.config.tiles.model_dump(), pixels_by)
    jobs = []
    shards = dict(list(tiles[tiles["coverage"] > 0].groupby("shard")))
    for shard in sorted(shards, key=spatial_order):
        mine = shards[shard]
        places = mine[["tile_id", "x", "y", "bearing"]].to_csv(index=False)
        rasters = sorted({name for names in mine["image_ids"] for name in names})
        key = digest(made_by, places, [(name, pixels[name]) for name in rasters])
        out = plan.stages / "shards" / f"shard-{key}.parquet"
        job = ShardJob(shard, stage / "tiles.parquet", stage / "images.parquet", out, len(mine), plan.config)
        jobs.append(job)
    return jobs


def encoder_key(plan: Plan) -> str:
    """Digest what decides an embedding besides the pixels: the encoder's settings and the code that runs it."""
    settings = plan.config.encoder.model_dump(exclude={"device", "batch_size"})
    return digest(settings, plan.weights, code_digest("geo/features", "geo/imagery", "geo/tiles"))


def encode_shard(job: ShardJob) -> None:
    """Encode the tiles of one shard into ``job.out``, unless it is there.

    A tile whose imagery covers less than ``tiles.min_coverage`` has no embedding, one whose imagery cannot be read no
    row; the account beside the file says so.
    """
    account = job.out.with_suffix(".json")
    if read_account(account) is not None:
        return
    tiles = gpd.read_parquet(job.tiles, filters=[("shard", "==", job.shard)])
    images = gpd.read_parquet(job.images)
    encoder = load_once(job.config.encoder, job.config.tiles.tile_m)
    tables, entries = [rows([], encoder)], [Entry("tiles", "done", "", 0)]
    store = _store(job.images, job.config.imagery.cache_mb)
    with TileReader(images, job.config.imagery, job.config.tiles, store=store) as reader:
        for batch in _batches(reader.read(tiles[tiles["coverage"] > 0]), job.config.encoder.batch_size):
            encoded, fate = _encode(batch, encoder, job.config.tiles.min_coverage)
            tables.append(encoded)
            entries += fate
    job.out.parent.mkdir(parents=True, exist_ok=True)
    part = job.out.with_name(f".{job.out.name}.{os.getpid()}")
    table = finish(pa.concat_tables(tables), tiles, encoder, job.config)
    pq.write_table(table, part, compression="zstd")
    part.replace(job.out)
    write_account(account, [entry for entry in merge(entries) if entry.count], [job.out])


@lru_cache(maxsize=1)
def _store(images: Path, limit_mb: int) -> BlockStore:  # noqa: ARG001 - blocks of other images are dropped
    """Keep the decoded blocks of a catalogue for all its shards: neighbours share blocks."""
    return BlockStore(limit_mb)


def load_once(settings: EncoderSettings, tile_m: float) -> Encoder:
    """Load the encoder, once a process."""
    with _loading:
        return _load(settings, tile_m)


@lru_cache(maxsize=1)
def _load(settings: EncoderSettings, tile_m: float) -> Encoder:
    return load_encoder(settings, tile_m=tile_m)


def _batches(tiles: Iterator[TileImage | TileFailure], size: int) -> Iterator[list[TileImage | TileFailure]]:
    """Group a stream into lists of `size`."""
    while batch := list(islice(tiles, size)):
        yield batch


def _encode(
    batch: list[TileImage | TileFailure], encoder: Encoder, min_coverage: float
) -> tuple[pa.Table, list[Entry]]:
    """Embed the tiles of a batch that have enough imagery; gives the rows, and what became of each tile."""
    read = [tile for tile in batch if isinstance(tile, TileImage)]
    least = max(min_coverage, np.nextafter(0, 1))
    whole = [tile for tile in read if tile.coverage >= least]
    left_out = [tile for tile in read if tile.coverage < least]
    thin = f"imagery covers less than {min_coverage:.0%} of it"
    entries = [Entry("tiles", "failed", tile.reason, 1) for tile in batch if isinstance(tile, TileFailure)]
    entries += [Entry("reads", "failed", fault, 1) for tile in read for fault in tile.faults]
    entries.append(Entry("tiles", "done", "", len(whole)))
    entries.append(Entry("tiles", "skipped", thin, len(left_out)))
    pixels, valid = [tile.pixels for tile in whole], [tile.valid for tile in whole]
    bands = BandStatistics().encode(pixels, valid)
    embeddings = encoder.encode(pixels, valid)
    return pa.concat_tables([rows(whole, encoder, embeddings, bands), rows(left_out, encoder)]), entries


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Encode what is not encoded yet, and write ``features.json``: the shards and what is known of the encoder."""
    jobs = plan_shards(plan)
    for job in jobs:
        encode_shard(job)
    entries = [entry for job in jobs for entry in read_account(job.out.with_suffix(".json")) or ()]
    if not sum(entry.count for entry in entries if entry.status == "done"):
        reasons = "; ".join(f"{entry.count} tiles {entry.status}: {entry.reason}" for entry in merge(entries))
        raise LayerError(
            f"not one tile could be encoded ({reasons})",
            where="imagery.sources",
            todo="Look at the imagery: is it blank where the roads are? Or lower tiles.min_coverage.",
        )
    card = load_once(plan.config.encoder, plan.config.tiles.tile_m).card
    made_by = {pq.read_schema(job.out).metadata[b"emb:runtime"].decode() for job in jobs}
    record = {
        "encoder": card.as_dict() | {"runtime": "; ".join(sorted(made_by))},
        "shards": [str(job.out.relative_to(plan.stages)) for job in jobs],
    }
    write_json(folder / "features.json", record)
    return entries


def is_finished(plan: Plan) -> bool:
    """Tell whether the stage is there with all its shards as they were left; remains of one that is not are removed."""
    folder = plan.stage_folder("features")
    if read_summary(folder) is not None:
        shards = [plan.stages / shard for shard in read_json(folder / "features.json")["shards"]]
        if all(read_account(shard.with_suffix(".json")) is not None for shard in shards):
            return True
        shutil.rmtree(folder)
    return False


def load_tiles(plan: Plan) -> pd.DataFrame:
    """Read the tiles of a run whose imagery was read, with the segment and position of each, sorted by ``tile_id``."""
    shards = read_json(plan.stage_folder("features") / "features.json")["shards"]
    encoded = pd.concat([pd.read_parquet(plan.stages / shard) for shard in shards], ignore_index=True)
    tiles = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    place = tiles[["tile_id", "segment_id", "position_m"]]
    return encoded.merge(place, on="tile_id", validate="one_to_one").sort_values("tile_id", ignore_index=True)


def load_embeddings(plan: Plan) -> pd.DataFrame:
    """Read the tiles that have an embedding, see `load_tiles`."""
    tiles = load_tiles(plan)
    return tiles[tiles["embedding"].notna()].reset_index(drop=True)
