"""Tiles read, sorted out and embedded, part by part, so that memory does not grow with the number of tiles."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj

from geo.config import CityConfig, Tiles
from geo.features.bands import BandStatistics
from geo.features.dense import Mapper, Pool, corridors
from geo.features.encoder import Embeddings, Encoder, EncoderCard
from geo.features.store import rows
from geo.imagery.ahead import ahead
from geo.imagery.band_set import BandSet, to_8_bit
from geo.imagery.blocks import BlockStore
from geo.imagery.cover import cover_tiles
from geo.imagery.reader import TileFailure, TileImage, TileReader, reach
from geo.ledger import Entry
from geo.tiles.along import squares

BATCHES_AHEAD = 2
"""So many batches of tiles wait in memory while one is encoded."""
CHIPS_AHEAD = 4

Part = tuple[pa.Table, list[Entry]]
"""Rows (see `geo.features.store.rows`), and what became of the tiles and readings behind them."""


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


def embed_tiles(
    tiles: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    encoder: Encoder,
    config: CityConfig,
    store: BlockStore | None = None,
) -> Generator[Part, None, None]:
    """Embed tiles one by one.

    A tile whose imagery covers less than ``tiles.min_coverage`` has no embedding, one whose imagery cannot be read no
    row; the entries say so. The next tiles are read while the last ones are encoded: close the iterator when it is not
    used up.

    Parameters
    ----------
    tiles
        ``tile_id, x, y, bearing, image_ids`` and footprints (Polygon, metres), see docs/stages.md; all on imagery.
    images
        The catalogue of the city's rasters (``images`` in docs/stages.md), one row a raster.
    encoder
        What turns tiles into embeddings (`geo.features.registry.load_encoder`).
    config
        Its sections ``imagery``, ``tiles`` and ``encoder`` (of which the size of a batch).
    store
        Decoded blocks that are shared with others; None: of this call alone.

    Yields
    ------
    A part for each batch.

    Raises
    ------
    SourceError
        When a raster cannot be reached.
    """
    with ahead(_read_batches(tiles, images, encoder.card, config, store), BATCHES_AHEAD) as batches:
        for batch in batches:
            pixels, valid = [tile.pixels for tile in batch.whole], [tile.valid for tile in batch.whole]
            embeddings = encoder.encode(pixels, valid)
            full = rows(batch.whole, encoder, embeddings, batch.bands)
            yield pa.concat_tables([full, rows(batch.thin, encoder)]), batch.entries


def _read_batches(
    tiles: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    card: EncoderCard,
    config: CityConfig,
    store: BlockStore | None,
) -> Iterator[_Batch]:
    """Read tiles, and sort out those with imagery enough."""
    least = max(config.tiles.min_coverage, float(np.nextafter(0, 1)))
    seen = BandSet.seen(config.imagery, own_values=card.own_values)
    statistics = BandStatistics.of(config.imagery.bands)
    scale = config.imagery.scale if card.own_values else None
    with TileReader(images, config.imagery, config.tiles, store=store, band_set=seen) as reader:
        for batch in _batches(reader.read(tiles), config.encoder.batch_size):
            read = [tile for tile in batch if isinstance(tile, TileImage)]
            whole = [tile for tile in read if tile.coverage >= least]
            thin = [tile for tile in read if tile.coverage < least]
            entries = [Entry("tiles", "failed", t.reason, 1) for t in batch if isinstance(t, TileFailure)]
            entries += [Entry("reads", "failed", fault, 1) for tile in read for fault in tile.faults]
            entries.append(Entry("tiles", "done", "", len(whole)))
            entries.append(Entry("tiles", "skipped", _thin(config.tiles.min_coverage), len(thin)))
            shown = [to_8_bit(tile.pixels, scale) for tile in whole]
            bands = statistics.encode(shown, [tile.valid for tile in whole])
            yield _Batch(whole, bands, thin, entries)


def _batches(tiles: Iterator[TileImage | TileFailure], size: int) -> Iterator[list[TileImage | TileFailure]]:
    """Group a stream into lists of `size`."""
    while batch := list(islice(tiles, size)):
        yield batch


def _thin(min_coverage: float) -> str:
    return f"imagery covers less than {min_coverage:.0%} of it"


def embed_ground(
    tiles: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    mapper: Mapper,
    config: CityConfig,
    store: BlockStore | None = None,
    *,
    lines: gpd.GeoSeries | None = None,
) -> Generator[Part, None, None]:
    """Map the ground under tiles once, chip by chip, and pool each tile's embedding from the maps.

    Parameters
    ----------
    tiles
        Tiles as for `embed_tiles`, with ``segment_id`` where ``tiles.pool`` is ``corridor``.
    images
        The catalogue of the city's rasters (``images`` in docs/stages.md), one row a raster.
    store
        Decoded blocks that are shared with others; None: of this call alone.
    mapper
        What turns chips of ground into maps of embeddings (`geo.features.registry.load_mapper`).
    config
        Its sections ``imagery`` and ``tiles``.
    lines
        Line of each segment, by ``segment_id`` (LineString, metres), where ``tiles.pool`` is ``corridor``.

    Yields
    ------
    A part for each chip, without rows, and one with the rows of all tiles.

    Raises
    ------
    SourceError
        When a raster cannot be reached.
    """
    footprints = tiles.geometry.to_numpy()
    shapes = footprints
    if lines is not None:
        shapes = corridors(footprints, lines.loc[tiles["segment_id"]].to_numpy(), config.tiles.corridor_m)
    pool = Pool(shapes, footprints, mapper, config.imagery.scale)
    nothing = rows([], mapper)
    chips = _place_chips(pool.chips, images, tiles.crs, mapper)
    with ahead(_read_chips(chips, images, mapper, config, store), CHIPS_AHEAD) as read:
        for chip in read:
            if isinstance(chip, TileFailure):
                pool.miss(chip.tile_id, chip.reason)
                yield nothing, [Entry("reads", "failed", chip.reason, 1)]
                continue
            pool.add(chip, mapper.map(chip.pixels[None])[0])
            yield nothing, [Entry("reads", "failed", fault, 1) for fault in chip.faults]
    yield _pooled(pool, tiles, mapper, config.tiles.min_coverage)


def chip_shape(images: gpd.GeoDataFrame, crs: pyproj.CRS, mapper: Mapper, tiles: Tiles) -> Tiles:
    """Describe chips as tiles: with their rims, upright on the city's grid.

    Parameters
    ----------
    images
        ``crs`` (WKT) of each raster.
    crs
        The city's projected CRS, in metres.
    mapper
        Gives the side of a chip.
    tiles
        The section ``tiles`` of the city's file, which gives the resolution.
    """
    # in the city's own CRS north is up already, in others a chip must be turned by a few degrees
    same = all(pyproj.CRS.from_wkt(wkt).equals(crs, ignore_axis_order=True) for wkt in images["crs"].unique())
    return Tiles(tile_m=mapper.lattice.shown_m, pixel_m=tiles.pixel_m, align="north" if same else "road")


def chip_reach(images: gpd.GeoDataFrame, crs: pyproj.CRS, mapper: Mapper, tiles: Tiles) -> float:
    """Say how far from a tile's centre its chips are read (metres, along each axis); parameters as of `chip_shape`."""
    return reach(tiles) + 2 * reach(chip_shape(images, crs, mapper, tiles))


def _place_chips(
    chips: pd.DataFrame, images: gpd.GeoDataFrame, crs: pyproj.CRS, mapper: Mapper
) -> gpd.GeoDataFrame:
    """Lay out the chips that lie on imagery, with their rims, as tiles are."""
    boxes = squares(chips[["x", "y"]].to_numpy(), np.zeros(len(chips)), mapper.lattice.shown_m)
    frame = gpd.GeoDataFrame(chips.assign(bearing=0.0), geometry=boxes, crs=crs)
    frame = frame.join(cover_tiles(frame, images))
    return frame[frame["coverage"] > 0]


def _read_chips(
    chips: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    mapper: Mapper,
    config: CityConfig,
    store: BlockStore | None,
) -> Iterator[TileImage | TileFailure]:
    """Read the images of chips."""
    shape = chip_shape(images, chips.crs, mapper, config.tiles)
    seen = BandSet.seen(config.imagery, own_values=mapper.card.own_values)
    with TileReader(images, config.imagery, shape, store=store, band_set=seen) as reader:
        for chip in reader.read(chips):
            yield mapper.fit(chip) if isinstance(chip, TileImage) else chip


def _pooled(pool: Pool, tiles: gpd.GeoDataFrame, mapper: Mapper, min_coverage: float) -> Part:
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
