"""The normalised difference vegetation index, and what it says of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from geo.features.encoder import Valid
from geo.ground.contract import UNKNOWN, Classes

BARE, GREEN = 1, 2
"""Numbers of what is no vegetation and of what is; 0 is not known."""
BINS = 200
"""The index is counted in so many steps from -1 to 1."""
FEW, MOST = 0.01, 0.95
"""Shares of vegetation below and above which bands are doubted."""
MUCH = 0.05
ALIKE = 0.02
"""Where 98 of 100 pixels have an index closer to 0 than this, the two bands hold one and the same thing."""
Floats = NDArray[np.float64]


def ndvi(red: NDArray[Any], nir: NDArray[Any]) -> Floats:
    """Compute (nir - red) / (nir + red): Rouse, Haas, Schell and Deering 1974, NASA SP-351, 309-317.

    Parameters
    ----------
    red, nir
        Values of both bands, of any type, of one shape. Those below 0, noise of what is dark, count as 0.

    Returns
    -------
    From -1 to 1; NaN where both are 0 or one is no number.

    Examples
    --------
    >>> ndvi(np.array([50, 0, 60], np.uint8), np.array([150, 0, 20], np.uint8)).tolist()
    [0.5, nan, -0.5]
    """
    low, high = (np.maximum(band.astype(np.float64), 0) for band in (red, nir))
    total = low + high
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(total > 0, (high - low) / np.where(total > 0, total, 1), np.nan)
    return np.where(np.isfinite(low) & np.isfinite(high), found, np.nan)


def classify(red: NDArray[Any], nir: NDArray[Any], valid: Valid, threshold: float) -> tuple[Classes, Floats]:
    """Tell vegetation from what is none.

    Where a band of whole numbers is at its upper end, the light was that or more: if the index of any such light lies
    on one side of the threshold the pixel is known, else it is not.

    Parameters
    ----------
    red, nir
        Values of both bands as the raster has them, of one shape and type.
    valid
        Where there is data.
    threshold
        From which index on it is vegetation.

    Returns
    -------
    `GREEN`, `BARE` or, where it cannot be told, 0; and the index, NaN there.
    """
    index = ndvi(red, nir)
    green = index >= threshold
    known = valid & np.isfinite(index)
    if red.dtype.kind in "iu":
        most = np.iinfo(red.dtype).max
        # more red than could be recorded lowers the index, more infrared raises it
        known &= ~((red == most) & green) & ~((nir == most) & ~green)
    classes: Classes = np.where(known, np.where(green, GREEN, BARE), UNKNOWN).astype(np.uint8)
    return classes, np.where(known, index, np.nan)


def at_ends(band: NDArray[Any]) -> Valid:
    """Tell the pixels at which a band of whole numbers holds its lowest or its highest value, of light or of none."""
    if band.dtype.kind not in "iu":
        return np.zeros(band.shape, dtype=np.bool_)
    limits = np.iinfo(band.dtype)
    found: Valid = (band == max(limits.min, 0)) | (band == limits.max)
    return found


@dataclass(frozen=True, slots=True)
class Spread:
    """What is to be known of all pixels that were seen.

    Attributes
    ----------
    counts
        How often the index has each value, ``(BINS,)``.
    untold
        Pixels whose index is not known.
    ends
        Pixels at which the red and the near-infrared band are `at_ends`.
    """

    counts: NDArray[np.int64]
    untold: int = 0
    ends: tuple[int, int] = (0, 0)

    @classmethod
    def none(cls) -> Self:
        """Start with nothing."""
        return cls(np.zeros(BINS, dtype=np.int64))

    def add(self, index: Floats, valid: Valid, ends: Sequence[Valid] = ()) -> Spread:
        """Add pixels with data, and where each band is `at_ends`; those without an index are not known."""
        seen = index[valid]
        there = seen[np.isfinite(seen)]
        step = np.clip(((there + 1) / 2 * BINS).astype(np.int64), 0, BINS - 1)
        counts = self.counts + np.bincount(step, minlength=BINS)
        red, nir = (int((end & valid).sum()) for end in ends) if len(ends) else (0, 0)
        return Spread(counts, self.untold + len(seen) - len(there), (self.ends[0] + red, self.ends[1] + nir))

    def share(self, low: float, high: float) -> float:
        """Give the share of what is known whose index lies between (0 where nothing is)."""
        middle = (np.arange(BINS) + 0.5) / BINS * 2 - 1
        total = int(self.counts.sum())
        return float(self.counts[(middle >= low) & (middle <= high)].sum() / total) if total else 0.0


def doubts(seen: Spread, threshold: float, bands: tuple[int, int]) -> list[str]:
    """Say what makes it unlikely that the bands are red and near-infrared in this order.

    What can be known: bands in the wrong order turn the sign of the index, so that plants fall far below 0, where
    otherwise water alone does; a band that is a copy of the other tells nothing, nor does one of two values alone, its
    lowest and its highest: transparency, or a mask. Whether what is high is truly green cannot be known from two bands.

    Parameters
    ----------
    seen
        The index of all ground beside roads.
    threshold
        From which index on it is vegetation.
    bands
        Numbers of the bands, for the words.
    """
    red, nir = bands
    known, total = int(seen.counts.sum()), int(seen.counts.sum()) + seen.untold
    if not total:
        return []
    notes = []
    green, water = seen.share(threshold, 1), seen.share(-1, -threshold)
    stiff = [band for band, count in zip(bands, seen.ends, strict=True) if count > (1 - ALIKE) * total]
    if known and stiff:
        notes.append(
            f"band {stiff[-1]} holds hardly anything but its lowest and its highest value, as transparency and masks "
            "do: it is no light"
        )
    elif known and seen.share(-ALIKE, ALIKE) > 1 - ALIKE:
        notes.append(f"bands {red} and {nir} are nearly alike: one of them is no near-infrared")
    elif water > max(green, MUCH):
        notes.append(
            f"{water:.0%} of the ground is as dark in near-infrared as water, and {green:.0%} is vegetation: if bands "
            f"{red} and {nir} are in the wrong order, write ground.ndvi: [{nir}, {red}]"
        )
    elif known and green < FEW:
        notes.append(f"{green:.1%} of the ground is vegetation: look whether band {nir} is near-infrared")
    elif green > MOST:
        notes.append(
            f"{green:.1%} of the ground beside roads is vegetation: look whether bands {red} and {nir} are red and "
            "near-infrared, and whether ground.ndvi_threshold suits them"
        )
    if seen.untold > MUCH * total:
        notes.append(
            f"of {seen.untold / total:.0%} of the ground the index is not known: black, or as bright as can be "
            "recorded"
        )
    return [f"vegetation: {note}" for note in notes]
