"""The work of one shard: its tiles are embedded and written as one Parquet file, with an account of them."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import ClassVar, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geo.addresses import is_url
from geo.config import CityConfig, EncoderSettings, Tiles
from geo.config.sections.elsewhere import Elsewhere
from geo.errors import ConfigurationError, RoadprintError, SourceError
from geo.features.dense import Mapper
from geo.features.elsewhere.tiles import pool_tiles
from geo.features.embed import Part, chip_reach, embed_ground, embed_parts
from geo.features.encoder import Encoder, limiting_pixel
from geo.features.registry import load_encoder, load_mapper
from geo.features.store import finish, rows
from geo.imagery.catalogue import check_unchanged
from geo.imagery.flights.tables import LookUp
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import TABLE, reach
from geo.imagery.reading.schedule import ReadingOrder
from geo.ledger import Entry, merge
from tasks.store.code import libraries
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.job import Job
from tasks.store.stage import check_code, read_account, write_account

EMBEDDINGS = "embeddings.parquet"
"""The files of embeddings that others have computed, in the folder of the stage ``tiles``."""
_loading = Lock()
_asked = SimpleNamespace(to_stop=False)
_states: dict[str, tuple[str, int, int, int]] = {}
"""Digest as catalogued, size, time of change and number of the rasters that this process has read."""


@dataclass(frozen=True, kw_only=True)
class ShardJob(Job):
    """The work of one shard of tiles.

    Attributes
    ----------
    tiles, images, segments
        Paths of the tables of the stages before; those of tiles are of roads or of junctions.
    look_ups
        Path of the table of what values become before they are encoded (`LOOK_UPS`); None: they stay.
    """

    READS: ClassVar[tuple[str, ...]] = ("tiles", "images", "segments", "look_ups")

    tiles: Path
    images: Path
    segments: Path
    look_ups: Path | None = None

    @property
    def order(self) -> Path:
        """Path of the tiles of roads, whose shards tell in which order ground is read; junctions are read with them."""
        return self.tiles.with_name("tiles.parquet")

    @property
    def reads(self) -> list[Path]:
        """See `Job.reads`."""
        return [*super().reads, self.order]

    @property
    def pooled(self) -> bool:
        """Whether its embeddings are others' work, pooled along roads."""
        return self.images.name == EMBEDDINGS

    def work(self) -> tuple[Entry, ...]:
        """See `encode_shard`."""
        return encode_shard(self)


def encode_shard(job: ShardJob) -> tuple[Entry, ...]:
    """Encode the tiles of one shard into ``job.out``, unless it is there.

    A tile whose imagery covers less than ``tiles.min_coverage`` has no embedding, one whose imagery cannot be read no
    row; the account beside the file says so.

    Returns
    -------
    What became of the tiles.
    """
    kept = read_account(job.account)
    if kept is not None:
        return kept
    tiles = gpd.read_parquet(job.tiles, filters=[("shard", "==", job.shard)])
    tiles = tiles[tiles["coverage"] > 0].reset_index(drop=True)
    images = gpd.read_parquet(job.images)
    if job.pooled:
        table, entries = _pool(job, tiles, images)
        # the stage looks at all its inputs again before it keeps what was made of them
        return write_shard(job, table, entries, images.iloc[:0], __name__)
    mine = images[images["image_id"].isin({name for names in tiles["image_ids"] for name in names})]
    forget_changed(mine[["path", "digest"]].itertuples(index=False))
    encoder = load_once(job.config, limit_of(images, job.config))
    encoder.card.check_imagery(job.config.imagery.seen, mine["dtype"])
    if job.look_ups is not None:
        images = images.assign(**{TABLE: read_look_ups(job.look_ups, images["image_id"])})
    tables, entries = _embed(job, tiles, images, encoder)
    seen_by = job.config if job.look_ups is not None else _unmatched(job.config)
    table = finish(pa.concat_tables([rows([], encoder), *tables]), tiles, encoder, seen_by)
    return write_shard(job, table, entries, mine, __name__)


def write_shard(
    job: Job, table: pa.Table, entries: list[Entry], mine: gpd.GeoDataFrame, module: str
) -> tuple[Entry, ...]:
    """Write a shard with its account, unless what it was made from is not the same any more.

    Parameters
    ----------
    job
        The shard.
    table, entries
        Its rows, and what became of its items.
    mine
        The rasters that it was read from: ``path`` and ``digest``.
    module
        That did the work.

    Raises
    ------
    SourceError
        When a raster or the code was changed meanwhile.
    """
    _check_unchanged(job, mine)
    check_code(module, job.code)
    job.out.parent.mkdir(parents=True, exist_ok=True)
    part = job.out.with_name(f".{job.out.name}.{os.getpid()}")
    pq.write_table(table, part, compression="zstd")
    part.replace(job.out)
    found = tuple(entry for entry in merge(entries) if entry.count)
    write_account(job.account, found, [job.out], libraries(module))
    return found


def _unmatched(config: CityConfig) -> CityConfig:
    """Take back that flights are to be matched."""
    return config.model_copy(update={"imagery": config.imagery.model_copy(update={"match": None})})


def _pool(job: ShardJob, tiles: gpd.GeoDataFrame, files: gpd.GeoDataFrame) -> tuple[pa.Table, list[Entry]]:
    """Pool others' embeddings for the tiles of one shard, each along the whole of its road."""
    lines = None
    if "segment_id" in tiles:
        frame = gpd.read_parquet(
            job.segments,
            columns=["segment_id", "geometry"],
            filters=[("segment_id", "in", sorted(set(tiles["segment_id"])))],
        )
        lines = frame.set_index("segment_id").geometry
    end_when_stopped()
    settings = others_of(job.config)
    return pool_tiles(tiles, lines, files, settings, job.config)


def others_of(config: CityConfig) -> Elsewhere:
    """Give what a city's file says of embeddings that others have computed.

    Raises
    ------
    ConfigurationError
        When it names none.
    """
    found = config.encoder if isinstance(config.encoder, Elsewhere) else config.encoder.beside
    if found is None:
        raise ConfigurationError(
            "no embeddings of others are named", where="encoder", todo="Set encoder.beside."
        )
    return found


def forget_changed(images: Iterable[tuple[str, str]]) -> None:
    """Let go of all blocks that this process has kept when a raster is not any more what they were read from.

    Parameters
    ----------
    images
        Path and digest of each, as catalogued; the digest tells of changes to the files that a VRT refers to.
    """
    for path, digest in images:
        if is_url(path):
            continue
        with suppress(OSError):
            stat = Path(path).stat()
            state = digest, stat.st_size, stat.st_mtime_ns, stat.st_ino
            if _states.setdefault(path, state) != state:
                _states[path] = state
                block_store.cache_clear()


def _check_unchanged(job: Job, images: gpd.GeoDataFrame) -> None:
    """Refuse a shard whose rasters are not those that its digest names.

    On the machine that runs the city, where their digests are known, this costs a look at each; a worker elsewhere
    leaves it to that machine.

    Raises
    ------
    SourceError
        When one was changed or removed since it was catalogued.
    """
    memory = job.out.parent.parent / DIGESTS
    if not memory.exists():
        return
    digests = FileDigests(memory)
    try:
        for path, expected in images[["path", "digest"]].itertuples(index=False):
            check_unchanged(path, expected, digests.of)
    except SourceError:
        # blocks of it may be kept
        block_store.cache_clear()
        raise


def stop() -> None:
    """Let the shards that this process encodes end before their next batch; none of them is written.

    A handler of signals calls it, at any moment of any thread's: there is no lock in it.
    """
    _asked.to_stop = True


def go_on() -> None:
    """Take `stop` back."""
    _asked.to_stop = False


def end_when_stopped() -> None:
    """End the work of a shard where `stop` was asked for."""
    if _asked.to_stop:
        raise RoadprintError(
            "the run was ended", where="features", todo="The same command goes on from there."
        )


def limit_of(images: gpd.GeoDataFrame, config: CityConfig) -> float | None:
    """Tell the resolution of a city's rasters where it limits what an encoder sees (metres); None: it does not."""
    return limiting_pixel(float(images["pixel_m"].min()), config.tiles.pixel_m)


def load_once(config: CityConfig, pixel_m: float | None = None) -> Encoder | Mapper:
    """Load what encodes, once a process: single tiles, or ground where ``tiles.mode`` is ``dense``.

    Parameters
    ----------
    config
        The city's configuration.
    pixel_m
        Of coarse imagery, see `limit_of`.
    """
    with _loading:
        return _load(
            config.encoder.model_copy(update={"beside": None}),
            config.tiles,
            tuple(config.imagery.seen),
            pixel_m,
        )


@lru_cache(maxsize=1)
def _load(
    settings: EncoderSettings, tiles: Tiles, bands: tuple[int, ...], pixel_m: float | None
) -> Encoder | Mapper:
    if tiles.mode == "dense":
        return load_mapper(settings, tiles, bands=bands, pixel_m=pixel_m)
    return load_encoder(settings, tile_m=tiles.tile_m, bands=bands, pixel_m=pixel_m)


@lru_cache(maxsize=1)
def block_store(tiles: Path, reach_m: float, limit_mb: int) -> BlockStore:
    """Keep the decoded blocks of a city for all its shards, whose order tells which are needed again.

    Parameters
    ----------
    tiles
        Path of the table of tiles, or of chips of ground, with their shards.
    reach_m
        How far from the middle of one it is read (metres, along each axis).
    limit_mb
        How much is kept (megabytes).
    """
    frame = gpd.read_parquet(tiles, columns=["x", "y", "shard", "geometry"], filters=[("coverage", ">", 0)])
    return BlockStore(limit_mb, ReadingOrder(frame, reach_m=reach_m, crs=frame.crs))


def _embed(
    job: ShardJob, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, encoder: Encoder | Mapper
) -> tuple[list[pa.Table], list[Entry]]:
    """Embed tiles with the blocks that this process keeps; gives the rows, and what became of each tile."""
    tables: list[pa.Table] = []
    entries: list[Entry] = []
    config = job.config
    far = reach(config.tiles)
    if config.tiles.mode == "dense":
        far = chip_reach(images, tiles.crs, cast("Mapper", encoder), config.tiles)
    store = block_store(job.order, far, config.imagery.cache_mb)
    lines = _lines(config, job.segments, tiles)
    with store.during(job.shard), closing(_parts(config, tiles, images, encoder, store, lines)) as parts:
        for table, fate in parts:
            tables.append(table)
            entries += fate
            end_when_stopped()
    return tables, entries


def _parts(
    config: CityConfig,
    tiles: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    encoder: Encoder | Mapper,
    store: BlockStore | None,
    lines: gpd.GeoSeries | None,
) -> Generator[Part, None, None]:
    """Embed tiles one by one, or the ground under them."""
    if config.tiles.mode == "dense":
        return embed_ground(tiles, images, cast("Mapper", encoder), config, store, lines=lines)
    return embed_parts(
        tiles,
        images,
        cast("Encoder", encoder),
        config.imagery,
        config.tiles,
        batch_size=config.encoder.batch_size,
        store=store,
    )


def embed_some(
    config: CityConfig, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, segments: Path
) -> pd.DataFrame:
    """Embed tiles as shards do, for a trial: they are kept nowhere.

    Parameters
    ----------
    config
        The city's configuration, paths absolute.
    tiles, images
        Some tiles of roads, and the catalogue, with a column `TABLE` where values are to be looked up.
    segments
        Path of the table of segments.

    Returns
    -------
    One row a tile that was read, see `geo.features.store.rows`.
    """
    encoder = load_once(config, limit_of(images, config))
    encoder.card.check_imagery(config.imagery.seen, images["dtype"])
    found = [rows([], encoder)]
    lines = _lines(config, segments, tiles)
    with closing(_parts(config, tiles, images, encoder, None, lines)) as parts:
        for table, _ in parts:
            found.append(table)
            end_when_stopped()
    embedded: pd.DataFrame = pa.concat_tables(found).to_pandas()
    return embedded


def read_look_ups(path: Path, image_ids: Iterable[str]) -> list[LookUp | None]:
    """Read what the values of each image become (`LOOK_UPS` of the stage ``matching``); None: they stay."""
    table = pd.read_parquet(path).sort_values(["flight", "band"])
    found: dict[str, LookUp] = {}
    for _, bands in table.groupby("flight"):
        values = np.stack(bands["values"].tolist()).astype(bands["dtype"].iloc[0])
        found |= dict.fromkeys(bands["image_ids"].iloc[0].tolist(), LookUp(values))
    return [found.get(name) for name in image_ids]


def _lines(config: CityConfig, segments: Path, tiles: gpd.GeoDataFrame) -> gpd.GeoSeries | None:
    """Read the lines of segments where tiles are pooled along them; a junction's tile is pooled as a whole."""
    if config.tiles.pool != "corridor" or "segment_id" not in tiles:
        return None
    return gpd.read_parquet(segments, columns=["segment_id", "geometry"]).set_index("segment_id").geometry
