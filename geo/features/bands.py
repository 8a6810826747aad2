"""Band statistics: the plain baseline that every run reports beside its encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geo.features.encoder import RGB, Embeddings, EncoderCard, Pixels, Valid

PERCENTILES = (5, 25, 50, 75, 95)
PER_BAND = 2 + len(PERCENTILES)
LEVELS = 256


class BandStatistics:
    """Mean, deviation and percentiles of each band over the pixels that have data.

    Values are scaled from 0-255 to 0-1. A tile without any data gives zeros.

    Parameters
    ----------
    bands
        What the bands are, any number of them.
    """

    runtime = "numpy"
    side = None
    ground_m = None
    kept_turns = 0

    def __init__(self, bands: tuple[str, ...] = RGB) -> None:
        self.card = EncoderCard(
            name="bands",
            dimension=len(bands) * PER_BAND,
            input_px=None,
            pixel_m=None,
            bands=bands,
            value_range=(0.0, 1.0),
            mean=(0.0,) * len(bands),
            std=(1.0,) * len(bands),
            licence="none needed",
            source="computed from the pixels: mean, deviation, percentiles "
            + ", ".join(map(str, PERCENTILES)),
        )

    @classmethod
    def of(cls, bands: Sequence[int]) -> Self:
        """Make the statistics of the bands that imagery gives, see ``imagery.bands``; three are red, green and blue."""
        return cls(RGB if len(bands) == len(RGB) else tuple(f"band {band}" for band in bands))

    def encode(self, pixels: Sequence[Pixels], valid: Sequence[Valid]) -> Embeddings:
        """Compute the statistics of each tile; see `geo.features.encoder.Encoder.encode`."""
        counts = [_counts(tile, mask) for tile, mask in zip(pixels, valid, strict=True)]
        return statistics(
            np.array(counts, dtype=np.float64).reshape(len(counts), len(self.card.bands), LEVELS)
        )


def _counts(tile: Pixels, mask: Valid) -> NDArray[np.int64]:
    """Count how often each band has each of the 256 values where there is data: ``(bands, 256)``."""
    shown = None if mask.all() else Image.fromarray(mask)
    return np.array([Image.fromarray(band).histogram(shown) for band in tile])


def statistics(counts: NDArray[np.float64]) -> Embeddings:
    """Compute the statistics from how often, or with which weight, each value occurs.

    Parameters
    ----------
    counts
        Array ``(n, bands, 256)``, all bands of one of the same sum.

    Returns
    -------
    Array ``(n, bands * 7)``: mean, deviation and percentiles of each band, scaled to 0-1; 0 where all counts are 0.
    """
    levels = np.arange(LEVELS)
    total = counts.sum(axis=2, keepdims=True)
    share = counts / np.where(total > 0, total, 1)
    mean = share @ levels
    deviation = np.sqrt((share * np.square(levels - mean[..., None])).sum(axis=2))
    # the percentile between two neighbours in order, weighted by how far it lies from each
    place = np.array(PERCENTILES) / 100 * np.maximum(total - 1, 0)
    below, above = (_value_at(counts, end(place)) for end in (np.floor, np.ceil))
    percentiles = below + (above - below) * (place % 1)
    rows = np.concatenate([mean[..., None], deviation[..., None], percentiles], axis=2) / (LEVELS - 1)
    found = np.where(total > 0, rows, 0).reshape(len(counts), counts.shape[1] * PER_BAND)
    return found.astype(np.float32)


def _value_at(counts: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find the values at places, counted from 0, of the sorted pixels: ``(n, bands, places)``."""
    ends = counts.cumsum(axis=2)[:, :, None, :]
    found: NDArray[np.int64] = np.minimum((ends <= place[..., None]).sum(axis=3), LEVELS - 1)
    return found
