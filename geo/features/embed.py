"""Tiles read, sorted out and embedded, part by part, so that memory does not grow with the number of tiles."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj

from geo.config import CityConfig, EncoderSettings, Imagery, Tiles
from geo.counting import step
from geo.features.bands import BandStatistics
from geo.features.dense import Lattice, Mapper, Maps, Pool, TurningMapper, corridors
from geo.features.encoder import Embeddings, Encoder, EncoderCard, TurningEncoder
from geo.features.store import rows
from geo.imagery.band_set import BandSet, to_8_bit
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.ahead import ahead
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import TileFailure, TileImage, TileReader, reach
from geo.ledger import Entry
from geo.tiles.along import squares

BATCHES_AHEAD = 2
"""So many batches of tiles wait in memory while one is encoded."""
CHIPS_AHEAD = 4
_AS_CONFIGURED, _PLAIN = Tiles(), EncoderSettings()

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
    imagery: Imagery,
    shape: Tiles = _AS_CONFIGURED,
) -> pd.DataFrame:
    """Embed tiles one by one, all of them in memory at the end; see `embed_parts` for a city.

    Parameters
    ----------
    tiles
        ``tile_id, segment_id, position_m, x, y, bearing`` and footprints (Polygon, metres) with ``coverage`` and
        ``image_ids``: see `geo.tiles.along.place_tiles` and `geo.imagery.cover.cover_tiles`.
    images
        The catalogue of the rasters (`geo.imagery.catalogue.open_catalogue`), one row a raster.
    encoder
        What turns tiles into embeddings (`geo.features.registry.load_encoder`).
    imagery
        The section ``imagery`` that the catalogue was opened by.
    shape
        The section ``tiles`` that the tiles were placed by.

    Returns
    -------
    By ``tile_id``, one row a tile whose imagery could be read: ``tile_id, segment_id, position_m``, ``image_id`` (what
    its pixels are from), ``coverage`` (share of it with data, 0 to 1), ``embedding`` (float32, ``(dimension,)``) and
    ``bands`` (band statistics, the baseline); both null where the imagery covers less than ``min_coverage``. Pool it to
    segments by `geo.features.fingerprints.fingerprint`.

    Raises
    ------
    SourceError
        When a raster cannot be reached.

    Examples
    --------
    >>> import rasterio
    >>> from geo.config import Imagery, Tiles, encoder_settings
    >>> from geo.features.registry import load_encoder
    >>> from geo.imagery.catalogue import open_catalogue
    >>> from geo.tiles.along import place_tiles
    >>> from shapely import LineString
    >>> profile = {"driver": "GTiff", "width": 300, "height": 100, "count": 3, "dtype": "uint8", "crs": 27700}
    >>> with rasterio.open("photo.tif", "w", transform=rasterio.Affine(1, 0, 0, 0, -1, 100), **profile) as raster:
    ...     raster.write(np.full((3, 100, 300), 90, dtype="uint8"))
    >>> imagery, shape = Imagery(sources=["photo.tif"]), Tiles(tile_m=50)
    >>> road = gpd.GeoDataFrame({"segment_id": ["a"]}, geometry=[LineString([(100, 50), (200, 50)])], crs=27700)
    >>> images = open_catalogue(imagery, road.crs).images
    >>> tiles = place_tiles(road, shape)
    >>> tiles = tiles.join(cover_tiles(tiles, images))
    >>> encoder = load_encoder(encoder_settings(name="bands"), tile_m=50)
    >>> embedded = embed_tiles(tiles, images, encoder, imagery, shape)
    >>> embedded[["tile_id", "segment_id", "coverage"]].values.tolist(), len(embedded["embedding"].iloc[0])
    ([['a-00', 'a', 1.0], ['a-01', 'a', 1.0]], 21)
    """
    shown = tiles[tiles["coverage"] > 0]
    parts = embed_parts(shown, images, encoder, imagery, shape, batch_size=_PLAIN.batch_size)
    table = pa.concat_tables([rows([], encoder), *(part for part, _ in parts)]).to_pandas()
    found: pd.DataFrame = tiles[["tile_id", "segment_id", "position_m"]].merge(table, on="tile_id")
    return found.sort_values("tile_id", ignore_index=True)


def embed_parts(
    tiles: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    encoder: Encoder,
    imagery: Imagery,
    shape: Tiles,
    *,
    batch_size: int,
    store: BlockStore | None = None,
) -> Generator[Part, None, None]:
    """Embed tiles one by one, batch after batch.

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
    imagery, shape
        The sections ``imagery`` and ``tiles`` of the city's file.
    batch_size
        How many tiles are read and encoded together (number).
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
    read = _read_batches(tiles, images, encoder.card, imagery, shape, batch_size, store)
    with ahead(read, BATCHES_AHEAD) as batches:
        for batch in batches:
            pixels, valid = [tile.pixels for tile in batch.whole], [tile.valid for tile in batch.whole]
            if encoder.kept_turns:
                turns = cast("TurningEncoder", encoder).encode_turns(pixels, valid)
                full = rows(batch.whole, encoder, turns.mean(axis=1), batch.bands, turns)
            else:
                full = rows(batch.whole, encoder, encoder.encode(pixels, valid), batch.bands)
            step(len(batch.whole) + len(batch.thin))
            yield pa.concat_tables([full, rows(batch.thin, encoder)]), batch.entries


def _read_batches(
    tiles: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    card: EncoderCard,
    imagery: Imagery,
    shape: Tiles,
    batch_size: int,
    store: BlockStore | None,
) -> Iterator[_Batch]:
    """Read tiles, and sort out those with imagery enough."""
    least = max(shape.min_coverage, float(np.nextafter(0, 1)))
    seen = BandSet.seen(imagery, own_values=card.own_values)
    statistics = BandStatistics.of(imagery.seen)
    scale = imagery.scale if card.own_values else None
    with TileReader(images, imagery, shape, store=store, band_set=seen) as reader:
        for batch in _batches(reader.read(tiles), batch_size):
            read = [tile for tile in batch if isinstance(tile, TileImage)]
            whole = [tile for tile in read if tile.coverage >= least]
            thin = [tile for tile in read if tile.coverage < least]
            entries = [Entry("tiles", "failed", t.reason, 1) for t in batch if isinstance(t, TileFailure)]
            entries += [Entry("reads", "failed", fault, 1) for tile in read for fault in tile.faults]
            entries.append(Entry("tiles", "done", "", len(whole)))
            entries.append(Entry("tiles", "skipped", _thin(shape.min_coverage), len(thin)))
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
    chips = place_chips(pool.chips, images, tiles.crs, mapper.lattice)
    shape = chip_shape(images, tiles.crs, mapper, config.tiles)
    with ahead(read_chips(chips, images, mapper, config.imagery, shape, store), CHIPS_AHEAD) as read:
        for chip in read:
            if isinstance(chip, TileFailure):
                pool.miss(chip.tile_id, chip.reason)
                yield nothing, [Entry("reads", "failed", chip.reason, 1)]
                continue
            pool.add(chip, _mapped(chip, mapper))
            yield nothing, [Entry("reads", "failed", fault, 1) for fault in chip.faults]
    yield _pooled(pool, tiles, mapper, config.tiles.min_coverage)


def _mapped(chip: TileImage, mapper: Mapper) -> Maps:
    """Map a chip as `Pool.add` takes it: the mean, and the turns where they are kept."""
    if not mapper.kept_turns:
        return np.asarray(mapper.map(chip.pixels[None])[0])
    turns = cast("TurningMapper", mapper).map_turns(chip.pixels[None])[:, 0]
    mean = np.mean(turns, axis=0, dtype=np.float32, keepdims=True)
    return np.concatenate([mean, turns]).reshape(-1, *turns.shape[2:])


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
    return lattice_shape(images, crs, mapper.lattice, tiles.pixel_m)


def lattice_shape(
    images: gpd.GeoDataFrame, crs: pyproj.CRS, lattice: Lattice, pixel_m: float | None
) -> Tiles:
    """Describe chips of a lattice as tiles; see `chip_shape`."""
    # in the city's own CRS north is up already, in others a chip must be turned by a few degrees
    same = all(pyproj.CRS.from_wkt(wkt).equals(crs, ignore_axis_order=True) for wkt in images["crs"].unique())
    return Tiles(tile_m=lattice.shown_m, pixel_m=pixel_m, align="north" if same else "road")


def chip_reach(images: gpd.GeoDataFrame, crs: pyproj.CRS, mapper: Mapper, tiles: Tiles) -> float:
    """Say how far from a tile's centre its chips are read (metres, along each axis); parameters as of `chip_shape`."""
    return reach(tiles) + 2 * reach(chip_shape(images, crs, mapper, tiles))


def place_chips(
    chips: pd.DataFrame, images: gpd.GeoDataFrame, crs: pyproj.CRS, lattice: Lattice
) -> gpd.GeoDataFrame:
    """Lay out the chips that lie on imagery, with their rims, as tiles are.

    Parameters
    ----------
    chips
        Some of the lattice (`geo.features.dense.Lattice.chips`).
    images
        The catalogue of the city's rasters.
    crs
        The city's projected CRS, in metres.
    lattice
        What they are of.
    """
    boxes = squares(chips[["x", "y"]].to_numpy(), np.zeros(len(chips)), lattice.shown_m)
    frame = gpd.GeoDataFrame(chips.assign(bearing=0.0), geometry=boxes, crs=crs)
    frame = frame.join(cover_tiles(frame, images))
    return frame[frame["coverage"] > 0]


class Fits(Protocol):
    """What chips are read for."""

    card: EncoderCard

    def fit(self, chip: TileImage) -> TileImage:
        """Bring a chip that was read to the size that it is seen in."""


def read_chips(
    chips: gpd.GeoDataFrame,
    images: gpd.GeoDataFrame,
    mapper: Fits,
    imagery: Imagery,
    shape: Tiles,
    store: BlockStore | None,
) -> Iterator[TileImage | TileFailure]:
    """Read the images of chips.

    Parameters
    ----------
    chips
        See `place_chips`.
    images
        The catalogue of the city's rasters.
    mapper
        Says which values it sees, and brings chips to its size.
    imagery
        The section ``imagery`` of the city's file.
    shape
        Chips as tiles, see `lattice_shape`.
    store
        Decoded blocks that are shared with others; None: of this call alone.

    Raises
    ------
    SourceError
        When a raster cannot be reached.
    """
    seen = BandSet.seen(imagery, own_values=mapper.card.own_values)
    with TileReader(images, imagery, shape, store=store, band_set=seen) as reader:
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
    turns = pool.turns()
    full = rows(
        [seen[i] for i in whole],
        mapper,
        embeddings[whole],
        bands[whole],
        None if turns is None else turns[whole],
    )
    return pa.concat_tables([full, rows([seen[i] for i in thin], mapper)]), entries
