"""Decoded blocks of rasters, kept in memory so that each is decoded once.

A raster file is made of compressed blocks, and the tiles along a road need the same ones again and again. Tiles are
cut from decoded blocks; GDAL is asked for whole blocks only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from geo.imagery.band_set import Pixels
from geo.imagery.reading.schedule import Bounds, ReadingOrder, next_need
from geo.tiles.grid import PixelWindow

Valid = NDArray[np.bool_]

LEAST_SIDE_PX = 256
"""Smaller blocks are read several at once up to this side (pixels): each call of GDAL has its price."""
LARGEST_BYTES = 16 * 2**20
"""Larger blocks (strips of wide rasters, images in one piece) are read in parts; GDAL decodes them as it must."""
PART_SIDE_PX = 512
SPARE = 1 / 64
"""Share of the memory that is made free at once."""


@dataclass(frozen=True, slots=True)
class Block:
    """A decoded block.

    Attributes
    ----------
    pixels
        Values of the block, ``(bands, height, width)``.
    valid
        Where there is data, ``(height, width)``; None: everywhere.
    """

    pixels: Pixels
    valid: Valid | None

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return int(self.pixels.nbytes) + (0 if self.valid is None else int(self.valid.nbytes))


class BlockStore:
    """Decoded blocks within a fixed memory. Readers of several threads share one.

    Of the blocks here, those make room that are needed again last, or longest ago where nothing is known of that.

    Parameters
    ----------
    limit_mb
        Bound of the blocks' memory (megabytes); one block is kept whatever its size.
    schedule
        Tells when ground is needed again; None: it is not known.

    Attributes
    ----------
    decoded, decoded_bytes
        How many blocks were decoded so far, and how large they were when decoded.
    """

    def __init__(self, limit_mb: float, schedule: ReadingOrder | None = None) -> None:
        self._limit = int(limit_mb * 2**20)
        self._schedule = schedule
        self._blocks: OrderedDict[Hashable, Block] = OrderedDict()
        self._needs: dict[Hashable, Sequence[int]] = {}
        self._reading: list[int] = []
        self._held = 0
        self._lock = Lock()
        self.decoded = 0
        self.decoded_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Memory that the blocks take now."""
        return self._held

    @contextmanager
    def during(self, shard: str) -> Iterator[None]:
        """Let a shard be read: what only earlier ones needed makes room first."""
        place = self._schedule.order.get(shard, 0) if self._schedule else 0
        with self._lock:
            self._reading.append(place)
        try:
            yield
        finally:
            with self._lock:
                self._reading.remove(place)

    def get(
        self, key: Hashable, decode: Callable[[], Block], ground: Callable[[], tuple[Bounds, str]]
    ) -> Block:
        """Give a block, decoded unless it is here.

        Threads that miss the same block at the same moment both decode it: waiting would cost more.

        Parameters
        ----------
        key
            Name of the block: the same for whoever asks for it.
        decode
            Reads and decodes the block.
        ground
            Tells the block's bounds and their CRS.
        """
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
                return block
        block = decode()
        needs = self._schedule.needed_by(*ground()) if self._schedule else ()
        with self._lock:
            self.decoded += 1
            self.decoded_bytes += block.nbytes
            if key not in self._blocks:
                self._blocks[key], self._needs[key] = block, needs
                self._held += block.nbytes
            if self._held > self._limit:
                self._make_room(key)
        return block

    def _make_room(self, newest: Hashable) -> None:
        """Drop blocks until the rest fits, with a little to spare so that this is not done for every block."""
        now = min(self._reading, default=0)
        # the sort is stable: of equals the one used longest ago goes first
        for key in sorted(self._blocks, key=lambda key: -next_need(self._needs[key], now)):
            if self._held <= self._limit * (1 - SPARE):
                break
            if key != newest:
                self._held -= self._blocks.pop(key).nbytes
                del self._needs[key]


def reading_shape(
    block: tuple[int, int], raster: tuple[int, int], *, virtual: bool, pixel_bytes: int = 3
) -> tuple[int, int]:
    """Choose the height and width that a raster is read in: its blocks, or several, or parts of one.

    Parameters
    ----------
    block, raster
        Height and width of a block and of the raster (pixels).
    virtual
        Whether the raster is a VRT, whose blocks are not those of its files.
    pixel_bytes
        Memory of a pixel with all of its bands.
    """
    least = PART_SIDE_PX if virtual else LEAST_SIDE_PX
    height, width = (side * max(1, -(-least // side)) for side in block)
    height, width = min(height, raster[0]), min(width, raster[1])
    if pixel_bytes * height * width <= LARGEST_BYTES:
        return height, width
    rows = LARGEST_BYTES // (pixel_bytes * width) // block[0] * block[0]
    return (rows, width) if rows else (PART_SIDE_PX, PART_SIDE_PX)


def cut(
    window: PixelWindow,
    shape: tuple[int, int],
    raster: tuple[int, int],
    block_at: Callable[[PixelWindow], Block],
) -> tuple[Pixels, Valid | None]:
    """Cut a window out of blocks.

    Parameters
    ----------
    window
        Window to cut out, on the raster, which it does not leave.
    shape, raster
        Height and width of the blocks that the raster is read in, and of the raster (pixels).
    block_at
        Gives the block of a window that lies on the blocks' grid.

    Returns
    -------
    Pixels ``(bands, height, width)``, an array of their own, and where there is data ``(height, width)``; None:
    everywhere.
    """
    pixels: Pixels | None = None
    valid: Valid | None = None
    rows, columns = window.blocks(height=shape[0], width=shape[1])
    for row in rows:
        top, bottom = row * shape[0], min((row + 1) * shape[0], raster[0])
        first, last = max(top, window.row), min(bottom, window.row + window.height)
        here_rows, there_rows = slice(first - window.row, last - window.row), slice(first - top, last - top)
        for column in columns:
            left, right = column * shape[1], min((column + 1) * shape[1], raster[1])
            first, last = max(left, window.col), min(right, window.col + window.width)
            here, there = slice(first - window.col, last - window.col), slice(first - left, last - left)
            block = block_at(PixelWindow(top, left, bottom - top, right - left))
            if pixels is None:
                pixels = np.empty((len(block.pixels), *window.shape), dtype=block.pixels.dtype)
            pixels[:, here_rows, here] = block.pixels[:, there_rows, there]
            if block.valid is not None:
                valid = np.ones(window.shape, dtype=bool) if valid is None else valid
                valid[here_rows, here] = block.valid[there_rows, there]
    if pixels is None:
        raise ValueError(f"the window is empty: {window}")
    return pixels, valid
