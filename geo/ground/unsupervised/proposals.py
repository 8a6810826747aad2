"""Superpixels: pieces of ground of one look, which lie between edges of the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_gradient_magnitude, watershed_ift

from geo.ground.contract import Features, Piece

STEEPEST = 85.0
"""An edge of so many grey levels a cell counts as no steeper."""
Labels = NDArray[np.int64]


def proposals_of(piece: Piece, side_m: float) -> Labels:
    """Cut a piece into superpixels: the number of each cell's, from 0, ``(rows, columns)``.

    Seeds lie on a grid, each where the picture is flattest about it; they grow until they meet, on edges first of all
    last (the image-foresting transform: Falcão, Stolfi and Lotufo 2004, IEEE Transactions on Pattern Analysis and
    Machine Intelligence 26:19-29; seeds on a grid: Neubert and Protzel 2014, ICPR, compact watershed).

    Parameters
    ----------
    piece
        What is seen of the ground.
    side_m
        About how wide a superpixel is (metres).
    """
    rows, columns = piece.shape
    k = piece.per_cell
    bands = piece.picture.reshape(-1, rows, k, columns, k).mean(axis=(2, 4))
    squares = sum(gaussian_gradient_magnitude(band, 1.0) ** 2 for band in bands)
    slope = np.round(np.minimum(np.sqrt(squares), STEEPEST) * (255 / STEEPEST)).astype(np.uint8)
    seeds = _seeds(slope, max(2, round(side_m / piece.cell_m)))
    return watershed_ift(slope, seeds).astype(np.int64) - 1


def _seeds(slope: NDArray[np.uint8], step: int) -> NDArray[np.int32]:
    """Put a seed into each square of a grid, where the slope is least within a cell of its middle; numbered from 1."""
    rows, columns = slope.shape
    down, across = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(step // 2, max(rows, step // 2 + 1), step),
            np.arange(step // 2, max(columns, step // 2 + 1), step),
            indexing="ij",
        )
    )
    offsets = np.array([(r, c) for r in (0, -1, 1) for c in (0, -1, 1)])
    places = np.stack([down, across], axis=1)[:, None] + offsets
    places = np.clip(places, 0, [rows - 1, columns - 1])
    best = slope[places[..., 0], places[..., 1]].argmin(axis=1)
    chosen = np.unique(places[np.arange(len(places)), best], axis=0)
    seeds = np.zeros(slope.shape, dtype=np.int32)
    seeds[chosen[:, 0], chosen[:, 1]] = np.arange(1, len(chosen) + 1)
    return seeds


def mean_in(labels: Labels, values: Features) -> Features:
    """Give each cell the mean of its superpixel: values ``(rows, columns, n)``."""
    flat = labels.ravel()
    counts = np.bincount(flat)[:, None]
    table = values.reshape(len(flat), -1)
    sums = np.stack([np.bincount(flat, weights=column) for column in table.T], axis=1)
    return np.asarray((sums / np.maximum(counts, 1))[flat].reshape(values.shape), dtype=np.float32)
