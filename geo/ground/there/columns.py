"""The columns that hold shares of ground: which class and band of distance each is of, and all of them as an array.

A share is of all ground of a band on both sides of a road's centreline, known or not. What is said of roads is said
of the ground that is known: shares of a class over what all classes have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PREFIX = "ground_"
NO_CLASS = ("known", "unknown")
"""Keys that say how much is known, and are no class."""
LEAST_KNOWN = 0.5
"""Of a band of which less is known, shares of what is known are taken for not known."""
_NAME = re.compile(r"ground_(?P<key>.+)_(?P<near>\d+)_(?P<far>\d+)m")


@dataclass(frozen=True, slots=True, order=True)
class Band:
    """Ground between two distances from the centreline (metres), on both sides."""

    near_m: int
    far_m: int

    @property
    def words(self) -> str:
        """How it is called: ``6 to 15 m``."""
        return f"{self.near_m} to {self.far_m} m"

    @property
    def column(self) -> str:
        """How names of columns end: ``6_15m``."""
        return f"{self.near_m}_{self.far_m}m"


def told_by(column: str) -> tuple[str, Band] | None:
    """Tell the key and the band that a column is of; None: it holds no share of ground.

    Examples
    --------
    >>> told_by("ground_car_park_6_15m")
    ('car_park', Band(near_m=6, far_m=15))
    >>> told_by("ground_3"), told_by("length_m")
    (None, None)
    """
    found = _NAME.fullmatch(column)
    if found is None:
        return None
    return found["key"], Band(int(found["near"]), int(found["far"]))


@dataclass(frozen=True)
class Ground:
    """Shares of ground beside segments.

    Attributes
    ----------
    keys
        Of the classes, numbers by their size and then names in order.
    bands
        The nearest first.
    shares
        Of all ground of a band, ``(segments, bands, classes)``; NaN where nothing of it was covered.
    """

    keys: tuple[str, ...]
    bands: tuple[Band, ...]
    shares: Floats

    @property
    def known(self) -> Floats:
        """Share of each band of which the class is known, ``(segments, bands)``; 0 where nothing was covered."""
        known: Floats = np.nansum(self.shares, axis=2)
        return known

    @property
    def of_known(self) -> Floats:
        """Shares of the ground that is known; NaN where less than `LEAST_KNOWN` of the band is."""
        known = self.known[:, :, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(known >= LEAST_KNOWN, self.shares / known, np.nan)

    @property
    def areas(self) -> Floats:
        """Shares times the width of their band (metres, both sides): ground a metre of road; 0 where none is known."""
        widths = np.array([2.0 * (band.far_m - band.near_m) for band in self.bands])
        areas: Floats = np.nan_to_num(self.shares) * widths[None, :, None]
        return areas


def ground_of(segments: pd.DataFrame) -> Ground | None:
    """Lay out the shares of ground of segments, in their order.

    Parameters
    ----------
    segments
        Any frame, with columns ``ground_<key>_<near>_<far>m``; null: nothing of the band is covered.

    Returns
    -------
    None where there are no such columns of any class.
    """
    columns = {told: name for name in segments.columns if (told := told_by(str(name))) is not None}
    keys = sort_keys({key for key, _ in columns} - set(NO_CLASS))
    if not keys:
        return None
    bands = tuple(sorted({band for _, band in columns}))
    shares = np.full((len(segments), len(bands), len(keys)), np.nan)
    for place, band in enumerate(bands):
        for number, key in enumerate(keys):
            if (key, band) in columns:
                values = segments[columns[key, band]].astype("Float64")
                shares[:, place, number] = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return Ground(keys, bands, shares)


def sort_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """Put keys of classes in order: numbers by their size, then names."""
    return tuple(sorted(keys, key=lambda key: (not key.isdecimal(), int(key) if key.isdecimal() else 0, key)))
