"""Band statistics: the plain baseline that every run reports beside its encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.features.encoder import Embeddings, EncoderCard, Pixels, Valid

PERCENTILES = (5, 25, 50, 75, 95)
PER_BAND = 2 + len(PERCENTILES)


class BandStatistics:
    """Mean, deviation and percentiles of each band over the pixels that have data.

    Values are scaled from 0-255 to 0-1. A tile without any data gives zeros.
    """

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
        rows = [_statistics(tile[:, mask]) for tile, mask in zip(pixels, valid, strict=True)]
        return np.asarray(rows, dtype=np.float32).reshape(len(rows), self.card.dimension)


def _statistics(values: Pixels) -> Embeddings:
    """Statistics of a ``(bands, pixels)`` array, band after band, from the counts of its 256 values."""
    n = values.shape[1]
    if n == 0:
        return np.zeros(len(values) * PER_BAND, dtype=np.float32)
    levels = np.arange(256)
    rows = []
    for band in values:
        counts = np.bincount(band, minlength=256)
        mean = counts @ levels / n
        deviation = np.sqrt(counts @ np.square(levels - mean) / n)
        # the percentile between two neighbours in order, weighted by how far it lies from each
        place = np.array(PERCENTILES) / 100 * (n - 1)
        below, above = (np.searchsorted(counts.cumsum(), f(place), side="right") for f in (np.floor, np.ceil))
        rows.append([mean, deviation, *(below + (above - below) * (place % 1))])
    return np.divide(rows, 255, dtype=np.float32).ravel()
