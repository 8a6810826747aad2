"""The picture's own colours and textures at each place, which tell what is smaller than a cell of the encoder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from geo.ground.contract import Features, Piece

WINDOWS_M = (0.75, 1.75, 3.75, 7.75)
"""Sides of the squares that colours are averaged over (metres)."""
FLOOR = 0.05
"""Added to a sum of bands that something is divided by, so that what is black has a colour too."""


def colours(piece: Piece, finer: int) -> Features:
    """Describe the picture at each place of a piece.

    Of each place its bands (0 to 1), the excess of the second over the others and of the first over the last, by their
    sum (for red, green and blue the 'excess green' of Woebbecke et al. 1995), and how far apart the bands are; then
    of each of `WINDOWS_M` around it the mean of each band, the deviation of their mean, and how much brighter the
    place is.

    Parameters
    ----------
    piece
        The ground.
    finer
        Places a cell along each side; a divisor of `Piece.per_cell`.

    Returns
    -------
    ``(rows * finer, columns * finer, measures)``; pixels without data count as the mean of the others.
    """
    bands = _filled(piece)
    first, last = bands[0], bands[-1]
    middle = bands[min(1, len(bands) - 1)]
    total = bands.sum(axis=0) + FLOOR
    grey = bands.mean(axis=0)
    found = [
        *bands,
        (2 * middle - first - last) / total,
        (first - last) / total,
        bands.max(axis=0) - bands.min(axis=0),
    ]
    for side in WINDOWS_M:
        size = max(1, round(side / piece.pixel_m)) | 1
        means = [uniform_filter(band, size, mode="nearest") for band in bands]
        mean = np.mean(means, axis=0)
        spread = np.sqrt(np.maximum(uniform_filter(grey**2, size, mode="nearest") - mean**2, 0))
        found += [*means, spread, grey - mean]
    block = piece.per_cell // finer
    rows, columns = (side // block for side in grey.shape)
    stacked = np.stack(found).reshape(len(found), rows, block, columns, block).mean(axis=(2, 4))
    return np.ascontiguousarray(np.moveaxis(stacked, 0, -1), dtype=np.float32)


def _filled(piece: Piece) -> NDArray[np.float32]:
    """Give the bands as numbers from 0 to 1, gaps filled with the mean of what has data."""
    bands: NDArray[np.float32] = (piece.picture / 255).astype(np.float32)
    if piece.valid.all() or not piece.valid.any():
        return bands
    mean = bands[:, piece.valid].mean(axis=1)
    filled: NDArray[np.float32] = np.where(piece.valid, bands, mean[:, None, None])
    return filled
