"""The work of one shard: its tiles are read and encoded, and written as one Parquet file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj

from geo.addresses import is_url
from geo.config import CityConfig, Tiles
from geo.config import Encoder as EncoderSettings
from geo.errors import RoadprintError, SourceError
from geo.features.bands import BandStatistics
from geo.features.dense import Mapper, Pool, corridors
from geo.features.encoder import Embeddings, Encoder
from geo.features.registry import load_encoder, load_mapper
from geo.features.store import finish, rows
from geo.imagery.ahead import ahead
from geo.imagery.blocks import BlockStore
from geo.imagery.catalogue import check_unchanged
from geo.imagery.cover import cover_tiles
from geo.imagery.reader import TileFailure, TileImage, TileReader, reach
from geo.imagery.schedule import Schedule
from geo.ledger import Entry, merge
from geo.tiles.along import squares
from tasks.store.code import libraries
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.stage import read_account, write_account

BATCHES_AHEAD = 2
"""So many batches of tiles wait in memory while one is encoded."""
CHIPS_AHEAD = 4

_loading = Lock()
_stopped = Event()
_states: dict[str, tuple[str, int, int, int]] = {}
"""Digest as catalogued, size, time of change and number of the rasters that this process has read."""


@dataclass(frozen=True, slots=True)
class ShardJob:
    """The work of one shard: paths and settings, no frames.

    Attributes
    ----------
    shard
        Its name.
    tiles, images, segments
        Tables of the stages before.
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
    segments: Path
    out: Path
    n_tiles: int
    config: CityConfig

    @property
    def account(self) -> Path:
        """What became of its tiles; it is there when the shard is whole."""
        return self.out.with_suffix(".json")

    def is_done(self) -> bool:
        """Tell whether the shard is there as it was left; one that is damaged is told, and is not there any more."""
        return read_account(self.account) is not None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Tiles that were read, and the band statistics of those with imagery enough."""

    whole: list[TileImage]
    bands: Embeddings
    thin: list[TileImage]
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a tile, see `geo.features.store.Seen`."""

    tile_id: str
    image_id: str
    coverage: float


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
    mine = images[images["image_id"].isin({name for names in tiles["image_ids"] for name in names})]
    _forget_changed(mine[["path", "digest"]].itertuples(index=False))
    encoder = load_once(job.config)
    if job.config.tiles.mode == "dense":
        tables, entries = _encode_ground(job, tiles, images, cast("Mapper", encoder))
    else:
        tables, entries = _encode_tiles(job, tiles, images, cast("Encoder", encoder))
    _check_unchanged(job, mine)
    job.out.parent.mkdir(parents=True, exist_ok=True)
    part = job.out.with_name(f".{job.out.name}.{os.getpid()}")
    table = finish(pa.concat_tables([rows([], encoder), *tables]), tiles, encoder, job.config)
    pq.write_table(table, part, compression="zstd")
    part.replace(job.out)
    entries.append(Entry("tiles", "done", "", 0))
    found = tuple(entry for entry in merge(entries) if entry.count)
    write_account(job.account, found, [job.out], libraries(__name__))
    return found


def _forget_changed(images: Iterable[tuple[str, str]]) -> None:
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
                _store.cache_clear()


def _check_unchanged(job: ShardJob, images: gpd.GeoDataFrame) -> None:
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
        _store.cache_clear()
        raise


def stop() -> None:
    """Let the shards that this process encodes end before their next batch; none of them is written."""
    _stopped.set()


def go_on() -> None:
    """Take `stop` back."""
    _stopped.clear()


def _end_when_stopped() -> None:
    if _stopped.is_set():
        raise RoadprintError(
            "the run was ended", where="features", todo="The same command goes on from there."
        )


def load_once(config: CityConfig) -> Encoder | Mapper:
    """Load what encodes, once a process: single tiles, or ground where ``tiles.mode`` is ``dense``."""
    with _loading:
        return _load(config.encoder.model_dump_json(), config.tiles.model_dump_json())


@lru_cache(maxsize=1)
def _load(encoder: str, tiles: str) -> Encoder | Mapper:
    settings, shape = EncoderSettings.model_validate_json(encoder), Tiles.model_validate_json(tiles)
    if shape.mode == "dense":
        return load_mapper(settings, shape)
    return load_encoder(settings, tile_m=shape.tile_m)


@lru_cache(maxsize=1)
def _store(tiles: Path, reach_m: float, limit_mb: int) -> BlockStore:
    """Keep the decoded blocks of a city for all its shards, whose order tells which are needed again."""
    frame = gpd.read_parquet(tiles, columns=["x", "y", "shard", "geometry"], filters=[("coverage", ">", 0)])
    return BlockStore(limit_mb, Schedule(frame, reach_m=reach_m, crs=frame.crs))


def _thin(min_coverage: float) -> str:
    return f"imagery covers less than {min_coverage:.0%} of it"


def _encode_tiles(
    job: ShardJob, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, encoder: Encoder
) -> tuple[list[pa.Table], list[Entry]]:
    """Embed tiles one by one; gives the rows, and what became of each tile."""
    tables: list[pa.Table] = []
    entries: list[Entry] = []
    with ahead(_read_batches(job, tiles, images), BATCHES_AHEAD) as batches:
        for batch in batches:
            _end_when_stopped()
            pixels, valid = [tile.pixels for tile in batch.whole], [tile.valid for tile in batch.whole]
            embeddings = encoder.encode(pixels, valid)
            tables += [rows(batch.whole, encoder, embeddings, batch.bands), rows(batch.thin, encoder)]
            entries += batch.entries
    return tables, entries


def _read_batches(job: ShardJob, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame) -> Iterator[_Batch]:
    """Read tiles, and sort out those with imagery enough."""
    config = job.config
    least = max(config.tiles.min_coverage, float(np.nextafter(0, 1)))
    store = _store(job.tiles, reach(config.tiles), config.imagery.cache_mb)
    reader = TileReader(images, config.imagery, config.tiles, store=store)
    with store.during(job.shard), reader:
        for batch in _batches(reader.read(tiles), config.encoder.batch_size):
            read = [tile for tile in batch if isinstance(tile, TileImage)]
            whole = [tile for tile in read if tile.coverage >= least]
            thin = [tile for tile in read if tile.coverage < least]
            entries = [Entry("tiles", "failed", t.reason, 1) for t in batch if isinstance(t, TileFailure)]
            entries += [Entry("reads", "failed", fault, 1) for tile in read for fault in tile.faults]
            entries.append(Entry("tiles", "done", "", len(whole)))
            entries.append(Entry("tiles", "skipped", _thin(config.tiles.min_coverage), len(thin)))
            bands = BandStatistics().encode([tile.pixels for tile in whole], [tile.valid for tile in whole])
            yield _Batch(whole, bands, thin, entries)


def _batches(tiles: Iterator[TileImage | TileFailure], size: int) -> Iterator[list[TileImage | TileFailure]]:
    """Group a stream into lists of `size`."""
    while batch := list(islice(tiles, size)):
        yield batch


def _encode_ground(
    job: ShardJob, tiles: gpd.GeoDataFrame, images: gpd.GeoDataFrame, mapper: Mapper
) -> tuple[list[pa.Table], list[Entry]]:
    """Map the ground under tiles and pool their embeddings; gives the rows, and what became of each tile."""
    footprints = tiles.geometry.to_numpy()
    shapes = footprints
    if job.config.tiles.pool == "corridor":
        segments = gpd.read_parquet(job.segments, columns=["segment_id", "geometry"]).set_index("segment_id")
        lines = segments.geometry.loc[tiles["segment_id"]].to_numpy()
        shapes = corridors(footprints, lines, job.config.tiles.corridor_m)
    pool = Pool(shapes, footprints, mapper)
    entries: list[Entry] = []
    with ahead(_read_chips(job, pool.chips, images, tiles.crs, mapper), CHIPS_AHEAD) as chips:
        for chip in chips:
            _end_when_stopped()
            if isinstance(chip, TileFailure):
                pool.miss(chip.tile_id, chip.reason)
                entries.append(Entry("reads", "failed", chip.reason, 1))
                continue
            entries += [Entry("reads", "failed", fault, 1) for fault in chip.faults]
            pool.add(chip, mapper.map(chip.pixels[None])[0])
    table, fate = _pooled(pool, tiles, mapper, job.config.tiles.min_coverage)
    return [table], entries + fate


def _read_chips(
    job: ShardJob, chips: pd.DataFrame, images: gpd.GeoDataFrame, crs: pyproj.CRS, mapper: Mapper
) -> Iterator[TileImage | TileFailure]:
    """Read the images of chips that lie on imagery, with their rims, on the city's own grid."""
    side_m = mapper.lattice.shown_m
    # in the city's own CRS north is up already, in others a chip must be turned by a few degrees
    same = all(pyproj.CRS.from_wkt(wkt).equals(crs, ignore_axis_order=True) for wkt in images["crs"].unique())
    shape = Tiles(tile_m=side_m, pixel_m=job.config.tiles.pixel_m, align="north" if same else "road")
    boxes = squares(chips[["x", "y"]].to_numpy(), np.zeros(len(chips)), side_m)
    frame = gpd.GeoDataFrame(chips.assign(bearing=0.0), geometry=boxes, crs=crs)
    frame = frame.join(cover_tiles(frame, images))
    config = job.config
    store = _store(job.tiles, reach(config.tiles) + 2 * reach(shape), config.imagery.cache_mb)
    with store.during(job.shard), TileReader(images, config.imagery, shape, store=store) as reader:
        for chip in reader.read(frame[frame["coverage"] > 0]):
            yield mapper.fit(chip) if isinstance(chip, TileImage) else chip


def _pooled(
    pool: Pool, tiles: gpd.GeoDataFrame, mapper: Mapper, min_coverage: float
) -> tuple[pa.Table, list[Entry]]:
    """Lay out the tiles of a pool as rows; gives them, and what became of each tile."""
    embeddings, bands, coverage = pool.embeddings(), pool.bands(), pool.coverage()
    faults = pool.faults()
    sources = pool.sources(tiles["image_ids"])
    seen = [_Seen(*one) for one in zip(tiles["tile_id"], sources, coverage.tolist(), strict=True)]
    lost = (coverage == 0) & (faults != "")
    whole = np.flatnonzero((coverage >= min_coverage) & np.isfinite(embeddings).all(axis=1))
    thin = np.setdiff1d(np.flatnonzero(~lost), whole)
    entries = [Entry("tiles", "failed", str(reason), 1) for reason in faults[lost]]
    entries.append(Entry("tiles", "done", "", len(whole)))
    entries.append(Entry("tiles", "skipped", _thin(min_coverage), len(thin)))
    full = rows([seen[i] for i in whole], mapper, embeddings[whole], bands[whole])
    return pa.concat_tables([full, rows([seen[i] for i in thin], mapper)]), entries
