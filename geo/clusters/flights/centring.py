"""Fingerprints moved so that each flight has the mean of all: what a flight adds to all that it shows is taken off."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEAST = 20
"""From so many segments on a flight has a mean of its own; of fewer it is that of their roads."""


def centre(
    vectors: NDArray[np.floating], flights: pd.Series[str]
) -> tuple[NDArray[np.float32], dict[str, str]]:
    """Move the fingerprints of each flight to the mean of all.

    Parameters
    ----------
    vectors
        Fingerprints ``(n, dimension)``.
    flights
        Flight of each, in the same order; null: not known, and the fingerprint stays.

    Returns
    -------
    The fingerprints, and why those of other flights stay as they are, by flight.

    Examples
    --------
    >>> moved, stay = centre(np.array([[1.0, 0.0]] * 20 + [[0.0, 4.0]] * 20), pd.Series(["a"] * 20 + ["b"] * 20))
    >>> moved[0].tolist(), moved[-1].tolist(), stay
    ([0.5, 2.0], [0.5, 2.0], {})
    """
    exact = np.asarray(vectors, dtype=np.float64)
    sizes = flights.value_counts()
    stay = {
        str(flight): f"{size} segments are too few to tell its mean (at least {LEAST})"
        for flight, size in sizes.sort_index().items()
        if size < LEAST
    }
    codes, names = pd.factorize(flights.where(~flights.isin(list(stay))), sort=True)
    some = codes >= 0
    sums = np.zeros((len(names), exact.shape[1]))
    np.add.at(sums, codes[some], exact[some])
    means = sums / np.bincount(codes[some], minlength=len(names))[:, None]
    moved = exact.copy()
    if len(names) > 1:
        moved[some] += exact[some].mean(axis=0) - means[codes[some]]
    return moved.astype(np.float32), stay
