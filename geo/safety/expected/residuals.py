"""Whether a safety performance function fits: checks of its residuals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import kstwobign

from geo.safety.expected.overdispersion import gain_of_k_per_length, log_likelihood, most_likely

Floats = NDArray[np.float64]
NO_CHECKS = pd.DataFrame(
    {
        "check": pd.Series(dtype="object"),
        "of": pd.Series(dtype="object"),
        "value": pd.Series(dtype="float64"),
        "aim_low": pd.Series(dtype="float64"),
        "aim_high": pd.Series(dtype="float64"),
        "passed": pd.Series(dtype="boolean"),
    }
)
PER_LENGTH_AIM = (-np.inf, 2.0)
"""Above, k per length is the better description: 2 of the log-likelihood are 4 of Akaike's criterion."""
WALK_AIM = (0.0, float(kstwobign.ppf(0.95)))
"""A right function keeps below the upper limit, 1.36, with a probability of at least 95 %."""


def checks(
    counts: Floats,
    predicted: Floats,
    k: float,
    n_parameters: int,
    exposure: Floats,
    matrix: pd.DataFrame,
    relative: Floats | None = None,
) -> pd.DataFrame:
    """Check the residuals of a fitted function.

    - ``dispersion``: Pearson's statistic over its degrees of freedom (McCullagh and Nelder 1989, Generalized Linear
      Models, section 4.5), 1 if counts vary as the model says. The aim is what chance leaves, from the fourth moment of
      the negative binomial.
    - ``zeros``: segments without events over those that the model expects, with what chance leaves.
    - ``k per length``: by how much the log-likelihood would rise if k fell with length (or exposure) as ``k / length``,
      instead of being the same for all (Hauer 2001, Accident Analysis and Prevention 33:799-808), the means kept.
      If much, the expected counts of short segments rely too much on the prediction and those of long ones too
      little, and their intervals cover too seldom. Where the function has k per length, ``k the same for all`` tells
      the gain the other way.
    - ``cumulated residuals``: how far residuals cumulated in the order of a variable go from 0, which shows a wrong
      shape of the function in that variable; and ``cure``, the share of segments where they leave their band of two
      standard deviations, for which no aim is set: right functions leave it too. See `cumulated`. Of exposure, of the
      predicted count and of each numeric covariate.

    Parameters
    ----------
    counts, predicted, exposure
        Events, events predicted, and exposure of each segment that the function was fitted to.
    k
        Overdispersion of the fitted function.
    n_parameters
        How many parameters were fitted.
    matrix
        Terms of each segment, one a column (`geo.safety.expected.design.Design`).
    relative
        What k is multiplied by for each segment; None: it is the same for all.

    Returns
    -------
    ``check, of, value, aim_low, aim_high, passed``; null where there is no aim.
    """
    each = np.full_like(predicted, k) if relative is None else k * relative
    variance = predicted * (1 + each * predicted)
    freedom = max(len(counts) - n_parameters, 1)
    by_chance = 1.96 * np.sqrt((2 + 6 * each + 1 / variance).sum()) / freedom
    dispersion = float(((counts - predicted) ** 2 / variance).sum() / freedom)
    none = np.exp(-predicted) if k == 0 else np.exp(-np.log1p(each * predicted) / each)
    zeros_by_chance = 1.96 * np.sqrt((none * (1 - none)).sum()) / none.sum()
    zeros = float((counts == 0).sum() / none.sum())
    other, gain = "k per length", 0.0
    if relative is None:
        gain = gain_of_k_per_length(counts, predicted, exposure, k)
    else:
        other = "k the same for all"
        gain = log_likelihood(counts, predicted, most_likely(counts, predicted))
        gain -= log_likelihood(counts, predicted, k, relative)
    rows: list[tuple[str, str, float, tuple[float, float]]] = [
        ("dispersion", "all", dispersion, (1 - by_chance, 1 + by_chance)),
        ("zeros", "all", zeros, (1 - zeros_by_chance, 1 + zeros_by_chance)),
        (other, "exposure", gain, PER_LENGTH_AIM),
    ]
    numeric = [name for name in matrix.columns if matrix[name].nunique() > 2]
    variables = {"exposure": exposure, "predicted": predicted} | {
        str(name): matrix[name].to_numpy(dtype=np.float64) for name in numeric
    }
    for name, variable in variables.items():
        farthest, outside = cumulated(counts - predicted, variable)
        rows += [("cumulated residuals", name, farthest, WALK_AIM), ("cure", name, outside, (np.nan, np.nan))]
    table = pd.DataFrame(
        [(check, of, value, *aim) for check, of, value, aim in rows],
        columns=["check", "of", "value", "aim_low", "aim_high"],
    )
    inside = (table["value"] >= table["aim_low"]) & (table["value"] <= table["aim_high"])
    told = table["value"].notna() & table["aim_low"].notna()
    return table.assign(passed=inside.astype("boolean").where(told))


def cumulated(residual: Floats, variable: Floats) -> tuple[float, float]:
    """Cumulate residuals in the order of a variable (CURE; Hauer and Bamfo 1997, ICTCT conference, Lund).

    Ties are taken together. Where the model is right, the sum walks from 0 to 0 by chance; its variance at a point is
    ``s (1 - s / S)``, of the cumulated squared residuals ``s`` and their total ``S`` (Hauer 2015, The Art of Regression
    Modeling in Road Safety, chapter 7). Over the root of ``S`` it is then about a Brownian bridge, whose greatest
    distance from 0 has Kolmogorov's distribution; it keeps closer where the variable is one of the terms.

    Parameters
    ----------
    residual
        Events of each segment less those predicted.
    variable
        Value of each segment by which the residuals are ordered.

    Returns
    -------
    The greatest distance from 0 over the root of ``S``, and the share of segments outside two standard deviations.
    """
    curve = cure_curve(residual, variable)
    walk, deviation = curve["walk"].to_numpy(), curve["deviation"].to_numpy()
    total = float((residual**2).sum())
    if total == 0:
        return 0.0, 0.0
    # at the end both are 0 but for the rest that a maximum of the likelihood leaves
    outside = (np.abs(walk) > 2 * deviation)[:-1]
    often = curve["n"].to_numpy()
    return float(np.abs(walk).max() / np.sqrt(total)), float(often[:-1][outside].sum() / often.sum())


def cure_curve(residual: Floats, variable: Floats) -> pd.DataFrame:
    """Cumulate residuals in the order of a variable, to be drawn (see `cumulated`).

    Parameters
    ----------
    residual, variable
        Of each segment, as for `cumulated`; none null.

    Returns
    -------
    ``at`` (values of the variable, rising), ``walk`` (sum of the residuals up to there), ``deviation`` (its standard
    deviation where the model is right) and ``n`` (how many segments have that value).
    """
    at, place, often = np.unique(variable, return_inverse=True, return_counts=True)
    walk = np.cumsum(np.bincount(place, weights=residual))
    squares = np.cumsum(np.bincount(place, weights=residual**2))
    total = squares[-1] if len(squares) else 0.0
    share = squares / total if total > 0 else np.zeros_like(squares)
    deviation = np.sqrt(squares * np.clip(1 - share, 0, None))
    return pd.DataFrame({"at": at, "walk": walk, "deviation": deviation, "n": often})
