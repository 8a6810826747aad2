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
    """Statistics of a ``(bands, pixels)`` array, band after band."""
    if values.shape[1] == 0:
        return np.zeros(len(values) * PER_BAND, dtype=np.float32)
    scaled = values.astype(np.float32) / 255
    rows = np.vstack([scaled.mean(axis=1), scaled.std(axis=1), np.percentile(scaled, PERCENTILES, axis=1)])
    return rows.T.ravel().astype(np.float32)
