"""Decoded blocks of rasters, kept in memory so that each is decoded once.

A raster file is made of compressed blocks, and the tiles along a road need the same ones again and again. Tiles are
cut from decoded blocks; GDAL is asked for whole blocks only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from geo.tiles.grid import PixelWindow

Pixels = NDArray[np.uint8]
Valid = NDArray[np.bool_]

LEAST_SIDE_PX = 256
"""Smaller blocks are read several at once up to this side (pixels): each call of GDAL has its price."""
LARGEST_BYTES = 16 * 2**20
"""Larger blocks (strips of wide rasters, images in one piece) are read in parts; GDAL decodes them as it must."""
PART_SIDE_PX = 512


@dataclass(frozen=True, slots=True)
class Block:
    """A decoded block.

    Attributes
    ----------
    pixels
        Array ``(3, height, width)`` of 0 to 255.
    valid
        Array ``(height, width)``: where there is data; None: everywhere.
    """

    pixels: Pixels
    valid: Valid | None

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return int(self.pixels.nbytes) + (0 if self.valid is None else int(self.valid.nbytes))


class BlockStore:
    """Decoded blocks within a fixed memory; those used longest ago make room. Readers of several threads share one.

    Parameters
    ----------
    limit_mb
        Bound of the blocks' memory (megabytes); one block is kept whatever its size.

    Attributes
    ----------
    decoded, decoded_bytes
        How many blocks were decoded so far, and how large they were when decoded.
    """

    def __init__(self, limit_mb: float) -> None:
        self._limit = int(limit_mb * 2**20)
        self._blocks: OrderedDict[Hashable, Block] = OrderedDict()
        self._held = 0
        self._lock = Lock()
        self.decoded = 0
        self.decoded_bytes = 0

    @property
    def held_bytes(self) -> int:
        """Memory that the blocks take now."""
        return self._held

    def get(self, key: Hashable, decode: Callable[[], Block]) -> Block:
        """Give a block, decoded unless it is here.

        Threads that miss the same block at the same moment both decode it: waiting would cost more.
        """
        with self._lock:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
                return block
        block = decode()
        with self._lock:
            self.decoded += 1
            self.decoded_bytes += block.nbytes
            if key not in self._blocks:
                self._blocks[key] = block
                self._held += block.nbytes
            while self._held > self._limit and len(self._blocks) > 1:
                self._held -= self._blocks.popitem(last=False)[1].nbytes
        return block


def reading_shape(block: tuple[int, int], raster: tuple[int, int], *, virtual: bool) -> tuple[int, int]:
    """Choose the height and width that a raster is read in: its blocks, or several, or parts of one.

    Parameters
    ----------
    block, raster
        Height and width of a block and of the raster (pixels).
    virtual
        Whether the raster is a VRT, whose blocks are not those of its files.
    """
    least = PART_SIDE_PX if virtual else LEAST_SIDE_PX
    height, width = (side * max(1, -(-least // side)) for side in block)
    height, width = min(height, raster[0]), min(width, raster[1])
    if 3 * height * width <= LARGEST_BYTES:
        return height, width
    rows = LARGEST_BYTES // (3 * width) // block[0] * block[0]
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
        On the raster.
    shape, raster
        Height and width that it is read in, and of the raster (pixels).
    block_at
        Gives the block of a window that lies on the blocks' grid.

    Returns
    -------
    Pixels ``(3, height, width)``, an array of their own, and where there is data ``(height, width)``; None: everywhere.
    """
    pixels = np.empty((3, *window.shape), dtype=np.uint8)
    valid: Valid | None = None
    rows, columns = window.blocks(height=shape[0], width=shape[1])
    for row in rows:
        for column in columns:
            whole = PixelWindow(row * shape[0], column * shape[1], *shape).clip(
                height=raster[0], width=raster[1]
            )
            part = None if whole is None else whole.intersection(window)
            if whole is None or part is None:
                continue
            block = block_at(whole)
            there, here = part.slices_in(whole), part.slices_in(window)
            pixels[:, *here] = block.pixels[:, *there]
            if block.valid is not None:
                valid = np.ones(window.shape, dtype=bool) if valid is None else valid
                valid[here] = block.valid[there]
    return pixels, valid
