"""Encoding imagery once and pooling each tile's embedding from the feature map.

Tiles along a road overlap, and so do those of its side streets: encoded one by one, the same ground is encoded several
times. Here the ground is cut into chips on a lattice that is fixed in the city's CRS, each chip is encoded once with a
rim of its surroundings, and an embedding is the mean of the cells of the feature map under a tile (or under the road's
corridor in it), each by the area that they share and by how much of the cell has data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geo.errors import EncoderError
from geo.features.bands import LEVELS, statistics
from geo.features.encoder import Embeddings, EncoderCard, Pixels, Valid
from geo.imagery.band_set import Scale, to_8_bit
from geo.imagery.reading.reader import TileImage

Shapes = NDArray[np.object_]
Floats = NDArray[np.float64]
Maps = NDArray[np.float32]
"""Feature maps ``(chips, dimension, rows, columns)``, the first row in the north."""


class Mapper(Protocol):
    """Anything that maps chips of imagery."""

    card: EncoderCard
    lattice: Lattice
    side: int
    stride: int
    ground_m: float
    kept_turns: int

    @property
    def runtime(self) -> str:
        """What executes it, for the run's record."""

    def fit(self, chip: TileImage) -> TileImage:
        """Bring a chip that was read to ``side`` x ``side`` pixels, filled where it has no data."""

    def map(self, images: Pixels) -> Maps:
        """Map chips ``(chips, bands, side, side)``, rim included, as ``(chips, dimension, cells, cells)`` without."""


class TurningMapper(Mapper, Protocol):
    """A mapper that sees each chip turned by quarters, and can tell the turns apart."""

    def map_turns(self, images: Pixels) -> Maps:
        """Map chips by each turn, see `Mapper.map`: ``(turns, chips, dimension, cells, cells)``; their mean is its."""


def no_map(name: str, why: str) -> EncoderError:
    """Say that an encoder cannot be used in the dense mode."""
    return EncoderError(
        f"it has no feature map to pool tiles from: {why}",
        where=f"encoder {name}",
        todo="Set tiles.mode: tile, or use a convolutional model such as encoder.name: bundled.",
    )


@dataclass(frozen=True, slots=True)
class Lattice:
    """Square chips of square cells that fill the plane, counted from the CRS's origin.

    Attributes
    ----------
    cell_m
        Side of a cell (metres).
    cells
        Cells of a chip along each side.
    rim
        Cells beyond each side of a chip that are encoded with it and then left out.
    """

    cell_m: float
    cells: int
    rim: int

    @property
    def chip_m(self) -> float:
        """Side of a chip without its rim (metres)."""
        return self.cell_m * self.cells

    @property
    def shown_m(self) -> float:
        """Side of a chip with its rim (metres)."""
        return self.cell_m * (self.cells + 2 * self.rim)

    def chips(self, shapes: Shapes) -> pd.DataFrame:
        """Lay out the chips that some shapes need, by row and column: ``tile_id, column, row, x, y`` (centre)."""
        low = np.floor(shapely.total_bounds(shapes)[:2] / self.chip_m).astype(np.int64)
        high = np.floor(shapely.total_bounds(shapes)[2:] / self.chip_m).astype(np.int64)
        column, row = (
            axis.ravel()
            for axis in np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
        )
        place = np.column_stack([column, row]) * self.chip_m
        boxes: Shapes = np.asarray(shapely.box(*place.T, *(place + self.chip_m).T))
        # a chip that a shape only touches gives nothing to it
        shape, box = shapely.STRtree(boxes).query(shapes, predicate="intersects")
        shared = shapely.area(shapely.intersection(shapes[shape], boxes[box]))
        needed = np.unique(box[shared > 0])
        centre = place[needed] + self.chip_m / 2
        names = [f"{c}_{r}" for c, r in zip(column[needed], row[needed], strict=True)]
        return pd.DataFrame(
            {
                "tile_id": names,
                "column": column[needed],
                "row": row[needed],
                "x": centre[:, 0],
                "y": centre[:, 1],
            }
        )

    def cell_boxes(self, chips: pd.DataFrame) -> Shapes:
        """Lay out the cells of chips, chip after chip, in each from the north-west row by row."""
        down, across = (axis.ravel() for axis in np.indices((self.cells, self.cells)))
        west = (chips["column"].to_numpy()[:, None] * self.cells + across) * self.cell_m
        north = ((chips["row"].to_numpy()[:, None] + 1) * self.cells - down) * self.cell_m
        boxes: Shapes = shapely.box(west, north - self.cell_m, west + self.cell_m, north).ravel()
        return boxes


def corridors(footprints: Shapes, lines: Shapes, width_m: float) -> Shapes:
    """Cut the corridor of each tile's road out of its footprint.

    Parameters
    ----------
    footprints
        Footprint of each tile (Polygon, metres).
    lines
        Line of the segment of each tile (LineString, metres).
    width_m
        Width of the corridor, half to each side of the line (metres).

    Returns
    -------
    The parts of the footprints that lie in the corridors; a whole footprint where that is nothing.
    """
    corridor = shapely.buffer(lines, width_m / 2, cap_style="flat")
    part = shapely.intersection(corridor, footprints)
    shapes: Shapes = np.where(shapely.area(part) > 0, part, footprints)
    return shapes


class Pool:
    """Sums over tiles, chip by chip.

    Parameters
    ----------
    shapes
        What each tile's embedding is pooled over (Polygon, metres).
    squares
        The tiles' footprints: what their coverage is a share of.
    mapper
        Gives the lattice and the width of embeddings.
    scale
        ``imagery.scale``, by which band statistics see chips of the rasters' own values.

    Attributes
    ----------
    chips
        Chips of ground that the tiles need (`Lattice.chips`).
    """

    def __init__(self, shapes: Shapes, squares: Shapes, mapper: Mapper, scale: Scale | None = None) -> None:
        self._lattice = mapper.lattice
        self._stride = mapper.stride
        self.chips = self._lattice.chips(squares if shapes is squares else np.concatenate([squares, shapes]))
        self._number = {name: i for i, name in enumerate(self.chips["tile_id"])}
        boxes = self._lattice.cell_boxes(self.chips)
        self._shares = _shares(shapes, boxes)
        self._cover = self._shares if shapes is squares else _shares(squares, boxes)
        self._area = shapely.area(squares)
        n = len(shapes)
        self._width = mapper.card.dimension
        self._turns = mapper.kept_turns
        self._sums = np.zeros((n, (1 + self._turns) * self._width))
        self._weight = np.zeros(n)
        self._covered = np.zeros(n)
        self._counts = np.zeros((n, len(mapper.card.bands), LEVELS))
        self._scale = scale if mapper.card.own_values else None
        self._from: list[set[str]] = [set() for _ in range(n)]
        self._faults = np.full(n, "", dtype=object)

    def add(self, chip: TileImage, features: NDArray[np.float32]) -> None:
        """Add a chip: its image with the rim (see `Mapper.fit`), and its feature map ``(dimension, cells, cells)``.

        Where turns are kept (`Mapper.kept_turns`), their maps follow the mean: ``((1 + turns) * dimension, ...)``.
        """
        rim, size = self._lattice.rim * self._stride, self._lattice.cells * self._stride
        inside = slice(rim, rim + size), slice(rim, rim + size)
        valid = chip.valid[inside]
        shown = _per_cell(valid, self._stride).mean(axis=1)
        tiles, shares = self._part(self._shares, chip.tile_id)
        weights = shares.multiply(shown[None, :]).tocsr()
        self._sums[tiles] += weights @ features.reshape(len(features), -1).T.astype(np.float64)
        self._weight[tiles] += weights.sum(axis=1)
        counts = _histograms(to_8_bit(chip.pixels[:, *inside], self._scale), valid, self._stride)
        self._counts[tiles] += (shares @ counts).reshape(len(tiles), *self._counts.shape[1:])
        tiles, shares = self._part(self._cover, chip.tile_id)
        covered = shares @ shown
        self._covered[tiles] += covered
        for tile in tiles[covered > 0]:
            self._from[tile].update(chip.image_id.split(";"))

    def miss(self, name: str, reason: str) -> None:
        """Note why a chip could not be read."""
        tiles, _ = self._part(self._cover, name)
        self._faults[tiles] = reason

    def _part(self, shares: sparse.csc_array, name: str) -> tuple[NDArray[np.int64], sparse.csr_array]:
        """Take the cells of one chip: the tiles that share some, and how much (square metres)."""
        per_chip = self._lattice.cells**2
        first = self._number[name] * per_chip
        mine = shares[:, first : first + per_chip].tocsr()
        tiles = np.flatnonzero(np.diff(mine.indptr))
        return tiles, mine[tiles]

    def embeddings(self) -> Embeddings:
        """Pool what was added; NaN where nothing was."""
        return self._pooled()[:, : self._width]

    def turns(self) -> Embeddings | None:
        """Pool each turn, ``(tiles, turns, dimension)``; None where they are not kept."""
        if not self._turns:
            return None
        return self._pooled()[:, self._width :].reshape(-1, self._turns, self._width)

    def _pooled(self) -> Embeddings:
        with np.errstate(invalid="ignore"):
            found: Embeddings = (self._sums / self._weight[:, None]).astype(np.float32)
        return found

    def bands(self) -> Embeddings:
        """Band statistics (see `geo.features.bands`) over the same ground, at the chips' resolution."""
        per_pixel = (self._lattice.cell_m / self._stride) ** 2
        return statistics(self._counts / per_pixel)

    def coverage(self) -> Floats:
        """Share of each footprint that has data."""
        share: Floats = np.clip(np.round(self._covered / self._area, 6), 0, 1)
        return share

    def faults(self) -> NDArray[np.object_]:
        """Why a chip of each tile could not be read; empty where all could."""
        return self._faults

    def sources(self, candidates: Iterable[Iterable[str]]) -> list[str]:
        """Name the images of each tile that its chips were read from, in the order of its candidates."""
        pairs = zip(candidates, self._from, strict=True)
        return [";".join(name for name in names if name in used) for names, used in pairs]


def _shares(shapes: Shapes, boxes: Shapes) -> sparse.csc_array:
    """Measure the area that shapes share with cells (square metres): ``(shapes, cells)``."""
    shape, box = shapely.STRtree(boxes).query(shapes, predicate="intersects")
    area = shapely.area(shapely.intersection(shapes[shape], boxes[box]))
    some = area > 0
    return sparse.csc_array((area[some], (shape[some], box[some])), shape=(len(shapes), len(boxes)))


def _per_cell(plane: NDArray[np.generic], stride: int) -> NDArray[np.generic]:
    """Bring the pixels of each cell together: ``(cells, pixels of a cell)``."""
    side = plane.shape[0] // stride
    return plane.reshape(side, stride, side, stride).swapaxes(1, 2).reshape(side * side, stride * stride)


def _histograms(pixels: Pixels, valid: Valid, stride: int) -> Floats:
    """Share of each value of each band among the pixels of each cell, of those with data: ``(cells, bands * 256)``."""
    seen = _per_cell(valid, stride)
    cell = np.broadcast_to(np.arange(len(seen))[:, None], seen.shape)[seen]
    per_band = [
        np.bincount(cell * LEVELS + _per_cell(band, stride)[seen], minlength=len(seen) * LEVELS)
        for band in pixels
    ]
    counts = np.stack(per_band).reshape(len(pixels), len(seen), LEVELS)
    shares: Floats = counts.swapaxes(0, 1).reshape(len(seen), -1) / stride**2
    return shares
