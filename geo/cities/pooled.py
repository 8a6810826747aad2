"""What several cities say together of one effect, where each has one of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

LEVEL = 0.95
LEAST = 2
"""From so many cities on there is anything to be said together."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pooled:
    """A mean effect over cities that differ.

    Attributes
    ----------
    n
        Number of cities.
    mean, low, high
        The mean, and its interval.
    predicted_low, predicted_high
        Within which the effect of a city that was not there lies; NaN with fewer than three.
    tau
        Standard deviation of the effect between cities, beyond chance.
    i2
        Share of what differs that is not chance (0 to 1).
    """

    n: int
    mean: float
    low: float
    high: float
    predicted_low: float
    predicted_high: float
    tau: float
    i2: float


def pooled(effects: Floats, variances: Floats) -> Pooled | None:
    """Pool effects by a random-effects model.

    The variance between cities is that of DerSimonian and Laird (1986, Controlled Clinical Trials 7:177-188), 0 at the
    least; the share of what differs, I2, that of Higgins and Thompson (2002, Statistics in Medicine 21:1539-1558); the
    interval that of Hartung and Knapp (2001, Statistics in Medicine 20:3875-3889), with the t
    distribution of one degree less than there are cities, and never narrower than by the variance without their factor
    (Roever, Knapp and Friede 2015, BMC Medical Research Methodology 15:99). The interval of prediction is that of
    Higgins, Thompson and Spiegelhalter (2009, J. R. Statist. Soc. A 172:137-159).

    Parameters
    ----------
    effects
        One a city, on a scale on which they are about normal (logarithms of rates and ratios), ``(cities,)``.
    variances
        Of each, above 0, ``(cities,)``.

    Returns
    -------
    None for fewer than `LEAST` cities.

    Examples
    --------
    >>> found = pooled(np.log([1.5, 2.0, 1.8]), np.array([0.04, 0.09, 0.05]))
    >>> found.n, round(float(np.exp(found.mean)), 2), found.i2
    (3, 1.69, 0.0)
    """
    n = len(effects)
    if n < LEAST:
        return None
    weights = 1 / variances
    middle = np.sum(weights * effects) / weights.sum()
    # Cochran's Q, which is n - 1 where cities differ by chance alone
    differ = float(np.sum(weights * (effects - middle) ** 2))
    beyond = max(0.0, differ - (n - 1))
    tau2 = beyond / float(weights.sum() - np.sum(weights**2) / weights.sum())
    weights = 1 / (variances + tau2)
    mean = float(np.sum(weights * effects) / weights.sum())
    factor = float(np.sum(weights * (effects - mean) ** 2)) / (n - 1)
    variance = max(1.0, factor) / float(weights.sum())
    half = float(t.ppf((1 + LEVEL) / 2, n - 1)) * np.sqrt(variance)
    ahead = float(t.ppf((1 + LEVEL) / 2, n - 2)) * np.sqrt(tau2 + variance) if n > LEAST else np.nan
    return Pooled(
        n,
        mean,
        mean - half,
        mean + half,
        mean - ahead,
        mean + ahead,
        float(np.sqrt(tau2)),
        beyond / differ if differ > 0 else 0.0,
    )
