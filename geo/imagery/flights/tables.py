"""Look-up tables that bring the values of one flight to the distribution of another, or of all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.errors import LayerError

DTYPES = ("uint8", "uint16", "int16")
"""Types of values that tables are made of: of so few values that each has a place."""
Counts = NDArray[np.int64]
"""How many pixels of each band have each value of a dtype, ``(bands, values)``, from its lowest."""


@dataclass(frozen=True, eq=False, slots=True)
class LookUp:
    """What each value of each band becomes.

    Attributes
    ----------
    becomes
        Array ``(bands, values)`` of the dtype of the rasters, from its lowest value.
    """

    becomes: NDArray[Any]

    @property
    def key(self) -> str:
        """Digest of the table, which tells pixels that it was applied to from others."""
        text = f"{self.becomes.dtype.str} {self.becomes.shape}".encode()
        return hashlib.blake2b(text + self.becomes.tobytes(), digest_size=8).hexdigest()

    def apply(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Look the values of pixels up, ``(bands, height, width)``.

        Raises
        ------
        LayerError
            When they are of another dtype, or of other bands.
        """
        if pixels.dtype != self.becomes.dtype or len(pixels) != len(self.becomes):
            raise LayerError(
                f"the table is of {len(self.becomes)} bands of {self.becomes.dtype}, "
                f"and the pixels of {len(pixels)} of {pixels.dtype}",
                where="imagery.match",
                todo="Leave imagery.match out.",
            )
        at = pixels.astype(np.int64) - np.iinfo(pixels.dtype).min
        found: NDArray[Any] = np.take_along_axis(self.becomes[:, None, :], at.reshape(len(at), 1, -1), axis=2)
        return found.reshape(pixels.shape)

    def told(self) -> list[list[int]]:
        """Give the table as plain numbers, of each band 256: of deeper values every 256th."""
        step = max(1, self.becomes.shape[1] // 256)
        return [[int(value) for value in band[::step]] for band in self.becomes]


def count_values(pixels: NDArray[Any], valid: NDArray[np.bool_]) -> Counts:
    """Count the values of the pixels with data, band by band.

    Parameters
    ----------
    pixels
        Array ``(bands, height, width)`` of one of `DTYPES`.
    valid
        Where there is data, ``(height, width)``.
    """
    limits = np.iinfo(pixels.dtype)
    size = limits.max - limits.min + 1
    seen = pixels[:, valid].astype(np.int64) - limits.min
    return np.stack([np.bincount(band, minlength=size) for band in seen])


def look_up(own: NDArray[np.floating] | Counts, wanted: NDArray[np.floating] | Counts, dtype: str) -> LookUp:
    """Make the table that brings one distribution of values to another (histogram specification).

    Each value goes to that of the same rank, by the middle of its step in the cumulative distribution; between values
    that are there it is interpolated (Gonzalez and Woods 2018, Digital Image Processing, 4th edition, section 3.3).

    Parameters
    ----------
    own, wanted
        Numbers, or shares, of the pixels of each value, ``(bands, values)``; some in each band.
    dtype
        Dtype of the values, one of `DTYPES`.

    Examples
    --------
    >>> own, wanted = np.zeros((1, 256)), np.zeros((1, 256))
    >>> own[0, [10, 20]], wanted[0, [100, 200]] = [1, 1], [5, 5]
    >>> look_up(own, wanted, "uint8").becomes[0, [10, 15, 20]].tolist()
    [100, 150, 200]
    """
    limits = np.iinfo(dtype)
    rows = []
    for mine, theirs in zip(own, wanted, strict=True):
        there = np.flatnonzero(theirs)
        rank = np.interp(_ranks(mine), _ranks(theirs)[there], there.astype(np.float64))
        rows.append(np.rint(np.clip(rank + limits.min, limits.min, limits.max)))
    return LookUp(np.stack(rows).astype(dtype))


def _ranks(counts: NDArray[np.floating] | Counts) -> NDArray[np.float64]:
    """Give the middle of the step of each value in the cumulative distribution, 0 to 1."""
    shares = counts / counts.sum()
    found: NDArray[np.float64] = np.cumsum(shares) - shares / 2
    return found
