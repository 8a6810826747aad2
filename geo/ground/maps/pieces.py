"""Pieces of ground, read and seen one after the other: beside roads, of any area, or some of them as a sample."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import overload

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from geo.config import Imagery
from geo.counting import counted
from geo.errors import SourceError
from geo.features.dense import Lattice
from geo.features.embed import lattice_shape, place_chips, read_chips
from geo.ground.contract import Piece
from geo.ground.maps.sight import Sight
from geo.imagery.band_set import to_8_bit
from geo.imagery.reading.ahead import ahead
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import TileFailure, TileImage
from geo.ledger import Entry

AT_ONCE = 4
"""So many chips are seen together, and as many wait."""
SEGMENTS_A_SIDE = 4
"""Roads are widened by polygons of so many sides a quarter circle."""
LEAST_SEEN = 0.2
"""A chip is drawn for a sample where at least this share of it lies near roads and on imagery."""

Shapes = NDArray[np.object_]
Read = tuple[Piece | None, list[Entry], tuple[str, ...]]
"""A piece, None where its chip cannot be read; what became of its readings; and the images it is from."""


@dataclass(frozen=True, slots=True)
class Land:
    """The imagery that pieces are read from, and how.

    Attributes
    ----------
    images
        The catalogue of the city's rasters; its CRS is the city's.
    imagery
        The section ``imagery`` of the city's file.
    sight
        What sees them.
    store
        Decoded blocks that are shared with others; None: of each call alone.
    """

    images: gpd.GeoDataFrame
    imagery: Imagery
    sight: Sight
    store: BlockStore | None = None

    @property
    def crs(self) -> pyproj.CRS:
        """The city's CRS."""
        crs: pyproj.CRS = self.images.crs
        return crs


def beside(lines: Shapes, reach_m: float) -> Shapes:
    """Widen lines (metres) to the ground that lies within reach of them: a Polygon each."""
    found: Shapes = shapely.buffer(lines, reach_m, quad_segs=SEGMENTS_A_SIDE)
    return found


def chips_on(land: Land, shapes: Shapes) -> gpd.GeoDataFrame:
    """Lay out the chips that share ground with shapes and have imagery: ``tile_id, column, row, x, y, image_ids``."""
    lattice = land.sight.lattice
    anywhere = np.array([shapely.box(0, 0, 1, 1)])
    chips = lattice.chips(shapes if len(shapes) else anywhere).iloc[: None if len(shapes) else 0]
    return place_chips(chips, land.images, land.crs, lattice)


def see(chips: gpd.GeoDataFrame, land: Land) -> Generator[Read, None, None]:
    """Read and see chips, each once, in the order that suits the rasters.

    Parameters
    ----------
    chips
        See `chips_on`.
    land
        What they are read from.

    Yields
    ------
    Their pieces. Close the iterator when it is not used up.

    Raises
    ------
    SourceError
        When a raster cannot be reached.
    """
    sight = land.sight
    corners = dict(zip(chips["tile_id"], zip(chips["column"], chips["row"], strict=True), strict=True))
    shape = lattice_shape(land.images, land.crs, sight.lattice, sight.pixel_m)
    read = read_chips(chips, land.images, sight, land.imagery, shape, land.store)
    with ahead(read, AT_ONCE) as chips_read:
        for batch in _batches(chips_read):
            whole = [chip for chip in batch if isinstance(chip, TileImage)]
            features = sight.features(whole)
            for chip in batch:
                if isinstance(chip, TileFailure):
                    yield None, [Entry("reads", "failed", chip.reason, 1)], ()
            for chip, seen in zip(whole, features, strict=True):
                bare = _bare(chip, corners[chip.tile_id], land)
                entries = [Entry("reads", "failed", fault, 1) for fault in chip.faults]
                yield replace(bare, features=seen), entries, tuple(filter(None, chip.image_id.split(";")))


def _batches(read: Iterator[TileImage | TileFailure]) -> Iterator[list[TileImage | TileFailure]]:
    while batch := list(islice(read, AT_ONCE)):
        yield batch


def _bare(chip: TileImage, place: tuple[int, int], land: Land) -> Piece:
    """Make a piece of a chip, without its rim and without features."""
    sight, lattice = land.sight, land.sight.lattice
    rim, size = lattice.rim * sight.per_cell, lattice.cells * sight.per_cell
    inside = slice(rim, rim + size), slice(rim, rim + size)
    scale = land.imagery.scale if sight.card.own_values else None
    picture = to_8_bit(chip.pixels, scale)
    return Piece(
        name=chip.tile_id,
        features=np.zeros((lattice.cells, lattice.cells, 0), dtype=np.float32),
        picture=picture[:, *inside],
        valid=chip.valid[inside],
        x=place[0] * lattice.chip_m,
        y=(place[1] + 1) * lattice.chip_m,
        cell_m=lattice.cell_m,
        pixel_m=sight.pixel_m,
        widths=sight.widths,
        around=(picture, chip.valid),
    )


class Pieces(Sequence[Piece]):
    """Pieces that are read when they are asked for, one at a time; those without data are left out from the start.

    Parameters
    ----------
    chips
        See `chips_on`.
    land
        What they are read from.

    Attributes
    ----------
    entries
        What became of readings so far, once a chip.
    images
        Names of the images that pieces were read from so far.
    """

    def __init__(self, chips: gpd.GeoDataFrame, land: Land) -> None:
        self._chips = chips.sort_values("tile_id", ignore_index=True)
        self._land = land
        self._told: dict[str, list[Entry]] = {}
        self.images: set[str] = set()

    @property
    def entries(self) -> list[Entry]:
        """What became of readings so far, once a chip."""
        return [entry for _, told in sorted(self._told.items()) for entry in told]

    def __len__(self) -> int:
        return len(self._chips)

    def __iter__(self) -> Iterator[Piece]:
        """Read all of them, several at once."""
        seen = see(self._chips, self._land)
        for piece, entries, images in counted(seen, "chips of ground", len(self._chips)):
            if piece is not None:
                self._told[piece.name] = entries
                self.images.update(images)
                yield piece

    @overload
    def __getitem__(self, at: int) -> Piece: ...
    @overload
    def __getitem__(self, at: slice) -> Pieces: ...
    def __getitem__(self, at: int | slice) -> Piece | Pieces:
        """Read one, or give some that will be read."""
        if isinstance(at, slice):
            return Pieces(self._chips.iloc[at], self._land)
        for piece in Pieces(self._chips.iloc[[at]], self._land):
            return piece
        raise SourceError(
            "a chip of ground cannot be read", where="ground", todo="See the ledger for its rasters."
        )


def sample_chips(
    chips: gpd.GeoDataFrame, near: Shapes, lattice: Lattice, most: int, seed: int
) -> gpd.GeoDataFrame:
    """Draw chips to learn from, those of which much is near roads and on imagery likelier than others.

    Parameters
    ----------
    chips
        See `chips_on`.
    near
        Ground near roads (Polygons, metres).
    lattice
        What chips are of.
    most
        How many are drawn at most.
    seed
        Of the draw.
    """
    if len(chips) <= most:
        return chips
    names = pd.util.hash_pandas_object(chips["tile_id"], index=False).to_numpy()
    rng = np.random.default_rng([seed, int(names.sum() % 2**63)])
    half = lattice.chip_m / 2
    x, y = chips["x"].to_numpy(), chips["y"].to_numpy()
    boxes = shapely.box(x - half, y - half, x + half, y + half)
    shape, box = shapely.STRtree(boxes).query(near, predicate="intersects")
    area = shapely.area(shapely.intersection(near[shape], boxes[box]))
    share = np.bincount(box, weights=area, minlength=len(boxes)) / lattice.chip_m**2
    weight = np.clip(share, 0, 1) * chips["coverage"].to_numpy()
    weight = np.where(weight >= LEAST_SEEN, weight, weight / 10)
    if not weight.sum() > 0:
        return chips.iloc[:0]
    drawn = rng.choice(len(chips), min(most, int((weight > 0).sum())), replace=False, p=weight / weight.sum())
    return chips.iloc[np.sort(drawn)]
