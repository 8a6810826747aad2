"""Shrinking the rates of single segments towards those of roads like them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaln
from scipy.stats import gamma

from geo.safety.rates import LEVEL

MIN_SEGMENTS, MIN_EVENTS = 20, 5
"""A class with fewer is shrunk towards the whole network: too little to estimate a spread from."""
_LOG_SHAPE = (-6.0, 9.0)
"""Bounds of the logarithm of the prior's shape; at the upper one the segments of a class do not differ visibly."""
_LOG_SPAN = 20.0
"""The mean of the prior is looked for down to this below the rate of all together (logarithm)."""
Floats = NDArray[np.float64]


def shrink(counts: pd.Series, exposure: pd.Series, groups: pd.Series) -> pd.DataFrame:
    """Estimate rates by gamma-Poisson empirical Bayes (Clayton and Kaldor 1987, Biometrics 43:671-681).

    A segment's rate is taken as drawn from a gamma distribution of its group, whose mean and shape are fitted by
    maximum marginal likelihood (the counts are then negative binomial); its posterior, given the segment's own count,
    is gamma again, and its mean is the estimate. Where segments differ by no more than chance, all get the mean of
    their group. The limits take the prior as known, and are too narrow where few segments speak for it.

    Parameters
    ----------
    counts
        Events of each segment; null where they are not known.
    exposure
        Exposure of each segment, above 0; for rates per kilometre and year, kilometres times years.
    groups
        Group of each segment, such as its road class; null is a group of its own.

    Returns
    -------
    On the same index: ``estimate``, ``low``, ``high`` (posterior interval), ``prior_mean``, ``prior_shape`` and
    ``prior`` (``group``, or ``network`` where the group has fewer than `MIN_SEGMENTS` segments or `MIN_EVENTS`
    events). Null where counts or exposure are not known. Without any event every estimate is 0, and the limits null.
    """
    k = np.asarray(counts.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    e = np.asarray(exposure, dtype=np.float64)
    known = np.isfinite(k) & (e > 0)
    columns = ["estimate", "low", "high", "prior_mean", "prior_shape"]
    result = pd.DataFrame(np.nan, index=counts.index, columns=columns)
    result["prior"] = None
    if not known.any():
        return result
    network = fit_prior(k[known], e[known])
    code, _ = pd.factorize(groups.astype(object), use_na_sentinel=False)
    for group in np.unique(code[known]):
        mine = known & (code == group)
        enough = mine.sum() >= MIN_SEGMENTS and k[mine].sum() >= MIN_EVENTS
        mean, shape = fit_prior(k[mine], e[mine]) if enough else network
        result.loc[mine, columns] = _posterior(k[mine], e[mine], mean, shape)
        result.loc[mine, "prior"] = "group" if enough else "network"
    return result


def fit_prior(k: Floats, e: Floats) -> tuple[float, float]:
    """Fit mean and shape of the gamma distribution of rates by maximum marginal likelihood.

    The counts are negative binomial, with mean ``m e`` and shape ``s``. For a given shape the score of the mean,
    the sum of ``s (k - m e) / (s + m e)``, falls with ``m`` and has one root; the shape maximises the likelihood along
    these roots. At that root the estimates times exposure add up to the events.

    Parameters
    ----------
    k
        Events of each segment.
    e
        Exposure of each segment, above 0.

    Returns
    -------
    Mean and shape; 0 and NaN without any event.
    """
    if k.sum() == 0:
        return 0.0, np.nan
    least, most = np.log(k.sum() / e.sum()) - _LOG_SPAN, np.log((k / e).max()) + 1e-9

    def expected(shape: float) -> Floats:
        def score(log_mean: float) -> float:
            mu = np.exp(log_mean) * e
            return float((shape * (k - mu) / (shape + mu)).sum())

        mu: Floats = np.exp(brentq(score, least, most, xtol=1e-12)) * e
        return mu

    def loss(log_shape: float) -> float:
        shape = np.exp(log_shape)
        mu = expected(shape)
        terms = gammaln(k + shape) - gammaln(shape) + shape * np.log(shape / (shape + mu))
        return -float((terms + k * np.log(mu / (shape + mu))).sum())

    best = minimize_scalar(loss, bounds=_LOG_SHAPE, method="bounded")
    shape = float(np.exp(best.x))
    return float(expected(shape)[0] / e[0]), shape


def _posterior(k: Floats, e: Floats, mean: float, shape: float) -> Floats:
    """Posterior of each rate: mean, limits, and the prior's mean and shape, side by side."""
    found = np.full((len(k), 5), np.nan)
    found[:, 3], found[:, 4] = mean, shape
    if mean == 0:
        found[:, 0] = 0
        return found
    a, b = k + shape, e + shape / mean
    tail = (1 - LEVEL) / 2
    found[:, 0] = a / b
    found[:, 1], found[:, 2] = gamma.ppf(tail, a, scale=1 / b), gamma.ppf(1 - tail, a, scale=1 / b)
    return found
