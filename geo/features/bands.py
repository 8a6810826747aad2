"""Band statistics: the plain baseline that every run reports beside its encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geo.features.encoder import Embeddings, EncoderCard, Pixels, Valid

PERCENTILES = (5, 25, 50, 75, 95)
PER_BAND = 2 + len(PERCENTILES)


class BandStatistics:
    """Mean, deviation and percentiles of each band over the pixels that have data.

    Values are scaled from 0-255 to 0-1. A tile without any data gives zeros.
    """

    runtime = "numpy"
    side = None
    card = EncoderCard(
        name="bands",
        dimension=3 * PER_BAND,
        input_px=None,
        pixel_m=None,
        bands=("red", "green", "blue"),
        value_range=(0.0, 1.0),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        licence="none needed",
        source="computed from the pixels: mean, deviation, percentiles " + ", ".join(map(str, PERCENTILES)),
    )

    def encode(self, pixels: Sequence[Pixels], valid: Sequence[Valid]) -> Embeddings:
        """Compute the statistics of each tile; see `geo.features.encoder.Encoder.encode`."""
        rows = [_statistics(_counts(tile, mask)) for tile, mask in zip(pixels, valid, strict=True)]
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), self.card.dimension)


def _counts(tile: Pixels, mask: Valid) -> NDArray[np.int64]:
    """Count how often each band has each of the 256 values where there is data: ``(bands, 256)``."""
    shown = None if mask.all() else Image.fromarray(mask)
    return np.array([Image.fromarray(band).histogram(shown) for band in tile])


def _statistics(counts: NDArray[np.int64]) -> Embeddings:
    """Statistics from the counts of values, band after band."""
    n = int(counts[0].sum())
    if n == 0:
        return np.zeros(len(counts) * PER_BAND, dtype=np.float32)
    levels = np.arange(256)
    mean = counts @ levels / n
    deviation = np.sqrt((counts * np.square(levels - mean[:, None])).sum(axis=1) / n)
    # the percentile between two neighbours in order, weighted by how far it lies from each
    place = np.array(PERCENTILES) / 100 * (n - 1)
    places = np.concatenate([np.floor(place), np.ceil(place)])
    found = np.array([np.searchsorted(band.cumsum(), places, side="right") for band in counts])
    below, above = np.split(found, 2, axis=1)
    percentiles = below + (above - below) * (place % 1)
    row: Embeddings = np.column_stack([mean, deviation, percentiles]).ravel().astype(np.float32)
    return row / np.float32(255)
