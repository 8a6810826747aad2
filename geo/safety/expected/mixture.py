"""Quantiles of mixtures of gamma distributions, for many segments at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincc, gammaln, xlogy

_STEPS, _PATIENCE = 100, 25
"""At most so many steps; after so many by Newton's method, the bracket is halved."""
_LONGEST, _CLOSE = 50.0, 1e-9
"""No step is longer; when none is longer than the last, the quantiles are found (logarithms)."""
_TINY = float(np.finfo(np.float64).tiny)
Floats = NDArray[np.float64]


def mixture_quantile(mean: Floats, variance: Floats, weights: Floats, probability: float) -> Floats:
    """Find a quantile of mixtures of gamma distributions.

    By Newton's method on the logarithms of the quantile and of the smaller tail's probability, which are nearly
    straight against each other, from the mean; by halving the bracket where that leaves it (Press et al. 2007,
    Numerical Recipes, 3rd edition, section 9.4).

    Parameters
    ----------
    mean, variance
        Of each part (rows) of each mixture (columns), above 0; null gives null.
    weights
        Of the parts, adding up to 1.
    probability
        Below the quantile, between 0 and 1.
    """
    found = np.full(mean.shape[1], np.nan)
    usable = (np.isfinite(mean) & np.isfinite(variance) & (variance > 0)).all(axis=0)
    if not usable.any():
        return found
    place = np.flatnonzero(usable)
    mean, variance = mean[:, usable], variance[:, usable]
    shape, rate = mean**2 / variance, mean / variance
    norm = xlogy(shape, rate) - gammaln(shape)
    at = np.log(weights @ mean)
    least, most = np.full_like(at, -np.inf), np.full_like(at, np.inf)
    for number in range(_STEPS):
        excess, slope = _tail(at, shape, rate, norm, weights, probability)
        least, most = np.where(excess < 0, at, least), np.where(excess > 0, at, most)
        aim = at - excess / np.maximum(slope, np.abs(excess) / _LONGEST + _TINY)
        halve = (aim < least) | (aim > most)
        if number > _PATIENCE:
            halve |= np.isfinite(most - least)
        aim[halve] = (least[halve] + most[halve]) / 2
        found[place] = np.exp(aim)
        left = np.abs(aim - at) > _CLOSE
        if not left.any():
            break
        place, at, least, most = place[left], aim[left], least[left], most[left]
        shape, rate, norm = shape[:, left], rate[:, left], norm[:, left]
    return found


def _tail(
    at: Floats, shape: Floats, rate: Floats, norm: Floats, weights: Floats, probability: float
) -> tuple[Floats, Floats]:
    """By how much the logarithm of the quantile is too great, in that of the smaller tail, and the slope of that."""
    x = rate * np.exp(at)
    upper = probability > 0.5
    beyond = np.maximum(weights @ (gammaincc if upper else gammainc)(shape, x), _TINY)
    slope = weights @ np.exp(norm + shape * at - x) / beyond
    if upper:
        return np.log1p(-probability) - np.log(beyond), slope
    return np.log(beyond) - np.log(probability), slope
