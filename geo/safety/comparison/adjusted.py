"""The ratio of a cluster after adjusting for what else is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.stats import t as student
from statsmodels.tools.sm_exceptions import PerfectSeparationError

from geo.safety.comparison.blocks import Blocks
from geo.safety.comparison.contrast import Contrast
from geo.safety.rates import LEVEL

_FLAT = 20.0
"""A fitted coefficient or its standard error beyond this is that of a cluster without events, or of separation."""
MIN_BLOCKS = 6
"""With fewer blocks no block-robust variance is computed."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio and its interval; all NaN where it is not known, and then why not."""

    value: float
    low: float
    high: float
    reason: str = ""


def unknown(reason: str) -> Ratio:
    """Give a ratio that is not known."""
    return Ratio(np.nan, np.nan, np.nan, reason)


def design_of(strata: NDArray[np.int64], covariates: pd.DataFrame) -> Floats:
    """Lay out classes and standardised covariates as columns, constant ones and repetitions left out."""
    classes = (strata[:, None] == np.unique(strata)).astype(np.float64)
    numbers = covariates.to_numpy(dtype=np.float64)
    spread = numbers.std(axis=0)
    numbers = (numbers - numbers.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    return np.column_stack([classes, numbers])


def adjusted_ratio(contrast: Contrast, outcome: int, label: int, design: Floats, critical: float) -> Ratio:
    """Fit a Poisson regression on the design and one cluster; give the cluster's ratio.

    The coefficient is consistent whatever the distribution of the counts (Gourieroux, Monfort and Trognon 1984,
    Econometrica 52:701-720). Its variance is the sandwich ``A^-1 w' V w A^-1`` with the counts' covariance ``V`` of
    `RiskCovariance`. The sandwich over spatial blocks (`block_robust`) was measured too, and covers less (see
    bench/calibrate.py): clusters lie in few blocks.

    Parameters
    ----------
    contrast
        What the comparison stands on (`geo.safety.comparison.contrast.Contrast`).
    outcome
        Column of the counts that the ratio is of.
    label
        Cluster whose ratio is sought, from 0.
    design
        Columns of strata and covariates, ``(n, q)`` (`design_of`).
    critical
        How many standard errors the interval reaches to either side of the estimate.
    """
    inside = (contrast.labels == label).astype(np.float64)
    fitted = _fit(contrast.counts[:, outcome], np.column_stack([inside, design]), contrast.exposure)
    if isinstance(fitted, str):
        return unknown(fitted)
    coefficient, mu = fitted
    weight = _partial(inside, design, mu)
    information = float((weight * mu) @ inside)
    if information < 1e-9:
        return unknown("the cluster cannot be told from road class and covariates")
    own, shared = contrast.own, contrast.covariance.shared
    pull = np.bincount(contrast.cells.of, weight * mu, len(contrast.cells.centre))
    variance = float((weight**2) @ (mu + own * mu**2) + shared * (pull @ contrast.correlation @ pull))
    reach = critical * np.sqrt(variance) / information
    return _around(coefficient, reach)


def block_robust(contrast: Contrast, outcome: int, label: int, design: Floats, blocks: Blocks) -> Ratio:
    """Fit the same regression with statsmodels' covariance clustered by blocks.

    With Student's t on one less than the blocks (Cameron and Miller 2015, J. Human Resources 50:317-372).
    """
    if blocks.count < MIN_BLOCKS:
        return unknown(f"fewer than {MIN_BLOCKS} blocks")
    inside = (contrast.labels == label).astype(np.float64)
    columns = _independent(np.column_stack([inside, design]))
    y = contrast.counts[:, outcome]
    fitted = _fit(y, np.column_stack([inside, design]), contrast.exposure)
    if isinstance(fitted, str):
        return unknown(fitted)
    model = sm.GLM(y, columns, family=sm.families.Poisson(), exposure=contrast.exposure)
    result = model.fit(cov_type="cluster", cov_kwds={"groups": blocks.of})
    reach = student.ppf((1 + LEVEL) / 2, blocks.count - 1) * result.bse[0]
    return _around(float(result.params[0]), float(reach))


def _around(coefficient: float, reach: float) -> Ratio:
    return Ratio(*np.exp(coefficient + reach * np.array([0.0, -1.0, 1.0])).tolist())


def _independent(columns: Floats) -> Floats:
    """Keep the first of columns that are linear combinations of those before them."""
    kept: list[int] = []
    basis = np.empty((len(columns), 0))
    for number in range(columns.shape[1]):
        column = columns[:, number]
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size > 1e-7 * max(float(np.linalg.norm(column)), 1e-300):
            kept.append(number)
            basis = np.column_stack([basis, rest / size])
    return columns[:, kept]


def _fit(y: Floats, columns: Floats, exposure: Floats) -> tuple[float, Floats] | str:
    """Coefficient of the first column and fitted counts, or why there are none."""
    inside = columns[:, 0] > 0
    if y[inside].sum() == 0 or y[~inside].sum() == 0:
        return "no collisions on one of the two sides"
    used = _with_events(y, columns)
    if not (inside & used).any() or not (~inside & used).any():
        return "no class with collisions has roads both in the cluster and out of it"
    chosen = _independent(columns[used])
    if chosen.shape[1] >= used.sum():
        return "more terms than segments"
    model = sm.GLM(y[used], chosen, family=sm.families.Poisson(), exposure=exposure[used])
    try:
        result = model.fit(maxiter=100)
    except PerfectSeparationError:
        return "the regression separates perfectly"
    if not result.converged or abs(result.params[0]) > _FLAT or not np.isfinite(result.bse[0]):
        return "the regression did not converge"
    mu = np.zeros(len(y))
    mu[used] = result.mu
    return float(result.params[0]), mu


def _with_events(y: Floats, columns: Floats) -> NDArray[np.bool_]:
    """Rows of which no class is without events: such a class tells nothing, and its coefficient is not finite."""
    flags = ((columns == 0) | (columns == 1)).all(axis=0)
    flags[0] = False
    empty = flags & (y @ columns == 0)
    return np.asarray((columns[:, empty] > 0).sum(axis=1) == 0)


def _partial(inside: Floats, design: Floats, mu: Floats) -> Floats:
    """Take from the cluster's indicator what the design explains, with fitted counts as weights."""
    root = np.sqrt(mu)
    explained: Floats = design @ np.linalg.lstsq(design * root[:, None], inside * root, rcond=None)[0]
    return inside - explained
