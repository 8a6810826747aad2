"""The index of effectiveness: collisions counted after a treatment over those expected without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f as ratio_of_gammas

from geo.safety.rates import LEVEL

Floats = NDArray[np.float64]
_HALF = 0.5
"""What is added to a count for the posterior of its mean (Jeffreys' prior of a Poisson mean)."""


def index_of_effectiveness(after: ArrayLike, expected: ArrayLike, variance: ArrayLike) -> pd.DataFrame:
    """Divide what was counted after a treatment by what would have been expected without it.

    With L counted after it, P expected without it and ``c = Var P / P^2``, the index is ``(L / P) / (1 + c)`` with
    variance ``index^2 (1 / L + c) / (1 + c)^2`` (Hauer 1997, Observational Before-After Studies in Road Safety, eq. 6.4
    and 6.5; Highway Safety Manual 2010, section 9.4.1, steps 12 to 14).

    That variance takes the index as normal, which it is not where counts are small. Its interval is that of a ratio of
    two gamma distributions: of the mean of L, of shape ``L + 1/2`` (Jeffreys' prior; Brown, Cai and DasGupta 2003,
    Statistica Sinica 13:19-49, on its coverage), and of what was to be expected, gamma with mean P and variance Var P
    as an empirical Bayes estimate is. Such a ratio has an F distribution (Johnson, Kotz and Balakrishnan 1995,
    Continuous Univariate Distributions 2, 2nd edition, section 27.2).

    Parameters
    ----------
    after
        Collisions counted after the treatment, L.
    expected, variance
        Collisions expected in that time had nothing been done, P (above 0), and the variance of that.

    Returns
    -------
    ``index``, ``index_se``, ``index_low``, ``index_high`` and ``p_value`` (two-sided, of an index of 1); null where
    nothing was expected. The lower limit is 0 where nothing was counted.

    Examples
    --------
    30 collisions where 40 were expected, give or take 4:

    >>> index_of_effectiveness([30], [40.0], [16.0]).round(3).values.tolist()
    [[0.743, 0.153, 0.502, 1.086, 0.126]]
    """
    count, mean, spread = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (after, expected, variance))
    )
    usable = np.isfinite(count) & (mean > 0) & np.isfinite(spread) & (spread > 0)
    count, mean, spread = (np.where(usable, value, 1.0) for value in (count, mean, spread))
    c = spread / mean**2
    index = count / mean / (1 + c)
    error = index * np.sqrt(1 / np.where(count > 0, count, np.nan) + c) / (1 + c)
    degrees = 2 * (count + _HALF), 2 / c
    scale = (count + _HALF) / mean
    tail = (1 - LEVEL) / 2
    low, high = (scale * ratio_of_gammas.ppf(at, *degrees) for at in (tail, 1 - tail))
    below = ratio_of_gammas.cdf(1 / scale, *degrees)
    p = 2 * np.minimum(below, ratio_of_gammas.sf(1 / scale, *degrees))
    columns = {
        "index": index,
        "index_se": error,
        "index_low": np.where(count > 0, low, 0.0),
        "index_high": high,
        "p_value": np.minimum(p, 1.0),
    }
    return pd.DataFrame({name: np.where(usable, value, np.nan) for name, value in columns.items()})


def ratio_of_rates(after: ArrayLike, before: ArrayLike, times: ArrayLike) -> pd.DataFrame:
    """Compare the rate after with the rate before, and with nothing else: the naive estimate.

    The naive before-after study (Hauer 1997, chapter 7), whose fault is that sites chosen for their many collisions
    have fewer later, treated or not. Both counts are Poisson; the interval is that of the ratio of two gamma
    distributions as in `index_of_effectiveness`.

    Parameters
    ----------
    after, before
        Collisions counted after and before.
    times
        Length of the time after over that of the time before.

    Returns
    -------
    ``naive``, null where nothing was counted before, ``naive_low`` and ``naive_high``.
    """
    a, b, ratio = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (after, before, times))
    )
    degrees = 2 * (a + _HALF), 2 * (b + _HALF)
    scale = (a + _HALF) / (b + _HALF) / ratio
    tail = (1 - LEVEL) / 2
    low, high = (scale * ratio_of_gammas.ppf(at, *degrees) for at in (tail, 1 - tail))
    return pd.DataFrame(
        {
            "naive": np.divide(a, b * ratio, out=np.full(a.shape, np.nan), where=b > 0),
            "naive_low": np.where(a > 0, low, 0.0),
            "naive_high": np.where(b > 0, high, np.inf),
        }
    )
