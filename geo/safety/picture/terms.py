"""Shares of ground as what a model of counts may know of each segment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.ground.there.columns import ground_of

Floats = NDArray[np.float64]


def ground_terms(segments: pd.DataFrame) -> Floats | None:
    """Give the shares of each class in each band as they are, about their means; the widest with a deviation of 1.

    Shares enter plainly and not as logarithms of their ratios (Aitchison 1986): those are not defined where a class is
    absent, which most are from most roads, and what is put in place of 0 then decides. In made towns where the rate
    follows a share, plain shares predict best; where it follows a logarithm, about as well as logarithms do. One scale
    serves all, so that the penalty draws rare classes in as it should: what is rare tells little.

    Parameters
    ----------
    segments
        Shares of ground (`geo.ground.there.columns`).

    Returns
    -------
    ``(segments, terms)``. Where too little of a band is known, its terms are their means: nothing is said of it, and
    the segment still takes part, so that other models are fitted to the same segments as without ground. None where
    there are no shares.
    """
    ground = ground_of(segments)
    if ground is None:
        return None
    shares = ground.of_known.reshape(len(segments), -1)
    known = np.isfinite(shares)
    means = np.where(known, shares, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, shares - means, 0.0)
    widest = centred.std(axis=0).max(initial=0.0)
    return centred if widest == 0 else centred / widest
