"""The ratio of a cluster to roads like its own in the same part of town, and whether it differs from 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from geo.safety.comparison.contrast import Contrast
from geo.safety.comparison.covariance import RiskCovariance, fit_covariance
from geo.safety.comparison.field import Field, Score, judged_score
from geo.safety.rates import LEVEL

LEAST_EXPECTED = 5.0
"""A cluster of which fewer collisions are expected is not estimated: nothing could come of it."""
LEAST_LEFT = 0.02
"""Where class, covariates and place leave less than this share of what there is to know of a cluster, it cannot be told
from them."""
NORMAL = float(norm.ppf((1 + LEVEL) / 2))
_FLAT = 9.0
"""A coefficient beyond this is that of a cluster without events, or of separation."""
_SLOPES = (0.5, 2.0)
"""How much less or more steeply than its standard error says a statistic may fall towards the estimate."""
_STEPS, _CLOSE, _FARTHEST, _HALVINGS = 100, 1e-9, 25.0, 30
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Ratios with their limits and p-values, ``(k, m)``: NaN where one is not known, and then `reason` says why."""

    ratio: Floats
    low: Floats
    high: Floats
    p_value: Floats
    reason: NDArray[np.object_]


def trend_of(places: Floats) -> Floats:
    """Lay out a smooth trend of place: all terms of a quadratic in both coordinates, standardised, ``(n, 5)``.

    Parameters
    ----------
    places
        Middles of the segments, ``(n, 2)`` (metres).
    """
    spread = places.std(axis=0)
    x, y = ((places - places.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).T
    return np.column_stack([x, y, x * x, x * y, y * y])


def design_of(strata: Integers, covariates: pd.DataFrame, trend: Floats | None = None) -> Floats:
    """Lay out classes, standardised covariates and a trend as columns; constant ones and repetitions are left out."""
    classes = (strata[:, None] == np.unique(strata)).astype(np.float64)
    numbers = covariates.to_numpy(dtype=np.float64)
    spread = numbers.std(axis=0)
    numbers = (numbers - numbers.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    return independent(np.column_stack([classes, numbers, *([] if trend is None else [trend])]))


def independent(columns: Floats) -> Floats:
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


def adjusted_ratios(
    contrast: Contrast, design: Floats, places: Floats, covariance: RiskCovariance | None = None
) -> Adjusted:
    """Compare each cluster with all other roads, with class, covariates and a trend of place in the mean.

    Counts have the mean ``exposure x exp(design b + cluster a)`` and the covariance of `RiskCovariance`, fitted to the
    outcome with the most collisions with this mean. Under ``a = 0`` the score of ``a`` is taken, weighted by the
    inverse of that covariance and with all other coefficients taken out (the efficient score), over its standard error
    (generalised estimating equations: Liang and Zeger 1986, Biometrika 73:13-22; score and Wald tests of them:
    Rotnitzky and Jewell 1990, Biometrika 77:485-497). Residual risk that neighbours share is so weighed down instead of
    being taken for evidence, and a fall of risk from the centre outwards, which is not that of a cluster, is in the
    trend. The ratio is that of the Poisson regression after one step of scoring with the same weights.

    Where risk varies much, by factors, a score leans to large values, and the logarithm of the ratio over its standard
    error does not, or to small ones: what is held against Student's distribution is the mean of the two, with the
    degrees of freedom of `judged_score`. Limits are those of the ratio's logarithm, and on the side of 1 those of this
    mean, so that they leave out 1 where p is below 0.05. Where one side has no collisions, it is the score alone.

    Parameters
    ----------
    contrast
        What the comparison stands on; its strata are not looked at, but for what `design` holds of them.
    design
        Columns of strata, covariates and trend, ``(n, q)``, without redundant ones (`design_of`).
    places
        Middles of the segments, ``(n, 2)`` (metres).
    covariance
        Covariance of relative risk; None: it is fitted.
    """
    shape = (contrast.k, contrast.counts.shape[1])
    ratio, low, high, p_value = (np.full(shape, np.nan) for _ in range(4))
    found = Adjusted(ratio, low, high, p_value, np.full(shape, "", dtype=object))
    if contrast.k == 1:
        found.reason[:] = "one cluster only: no other roads to compare with"
        return found
    covariance = covariance_of(contrast, design, places) if covariance is None else covariance
    if covariance.reason:
        found.reason[:] = covariance.reason
        return found
    field = Field.of_places(covariance, places)
    for outcome in range(shape[1]):
        _estimate(found, contrast, outcome, design, field)
    return found


def covariance_of(
    contrast: Contrast, design: Floats, places: Floats, near: RiskCovariance | None = None
) -> RiskCovariance:
    """Fit the covariance of risk to the outcome with the most collisions, with the design in its mean.

    The search begins at `near`, where one is given.
    """
    y = contrast.counts[:, int(contrast.counts.sum(axis=0).argmax())]
    rows = with_events(y, design)
    fitted = fit_poisson(y[rows], independent(design[rows]), contrast.exposure[rows])
    if fitted is None:
        return RiskCovariance(0.0, 0.0, np.nan, int(y.sum()), "the regression on place did not converge")
    mu = np.zeros(len(y))
    mu[rows] = fitted[0]
    return fit_covariance(y, mu, design, places, near)


def _estimate(found: Adjusted, contrast: Contrast, outcome: int, design: Floats, field: Field) -> None:
    """Fill in one outcome."""
    y = contrast.counts[:, outcome]
    rows = with_events(y, design)
    y, columns, exposure = y[rows], independent(design[rows]), contrast.exposure[rows]
    inside = (contrast.labels[rows][:, None] == np.arange(contrast.k)).astype(np.float64)
    here = field.at(rows)
    null = fit_poisson(y, columns, exposure) if y.sum() > 0 else None
    if null is None:
        words = "no collisions of this kind" if y.sum() == 0 else "the regression on place did not converge"
        found.reason[:, outcome] = words
        return
    at_null = judged_score(null[0], inside, columns, y, here.weights(null[0]))
    expected = inside.T @ null[0]
    for label in range(contrast.k):
        reason = _why_not(float(y.sum()), expected[label], at_null.information[label], at_null.whole[label])
        if not reason:
            one = _Cluster(inside[:, [label]], columns, y, exposure, here, float(at_null.freedom[label]))
            studentised = float(at_null.studentised[label])
            estimate = one.bounded(studentised) if one.is_bare else one.estimate(studentised)
            if isinstance(estimate, str):
                reason = estimate
            else:
                at = label, outcome
                found.ratio[at], found.low[at], found.high[at] = np.exp(estimate[:3])
                found.p_value[at] = 2 * student.sf(abs(estimate[3]), one.freedom)
        found.reason[label, outcome] = reason


def _why_not(total: float, expected: float, information: float, whole: float) -> str:
    """Say why a cluster cannot be estimated; empty where it can."""
    if min(expected, total - expected) < LEAST_EXPECTED:
        return f"fewer than {LEAST_EXPECTED:.0f} collisions expected"
    if information < LEAST_LEFT * whole:
        return "the cluster cannot be told from class, covariates and place"
    return ""


@dataclass(frozen=True, slots=True)
class _Cluster:
    """One cluster and outcome against all others: which segments are of it, ``(n, 1)``, and the rest of the model."""

    inside: Floats
    columns: Floats
    y: Floats
    exposure: Floats
    field: Field
    freedom: float

    @property
    def is_bare(self) -> bool:
        """Whether one of the two sides has no collisions at all: then no ratio is the most likely one."""
        return float(self.inside[:, 0] @ self.y) in {0.0, float(self.y.sum())}

    @property
    def critical(self) -> float:
        """What the statistic's absolute value stays below in 95 % of cases."""
        return float(student.ppf((1 + LEVEL) / 2, self.freedom))

    def estimate(self, at_null: float) -> tuple[float, float, float, float] | str:
        """Logarithms of ratio and limits with the statistic, or why there are none.

        Parameters
        ----------
        at_null
            The score at a ratio of 1 over its standard error.
        """
        fitted = fit_poisson(self.y, np.column_stack([self.inside, self.columns]), self.exposure)
        if fitted is None or abs(fitted[1][0]) > _FLAT:
            return "the regression with the cluster did not converge"
        score = self._score(fitted[0])
        root = float(score.precision[0])
        if root <= 0:
            return "the cluster cannot be told from class, covariates and place"
        centre = float(fitted[1][0] + score.value[0] / score.information[0])
        statistic = (at_null + centre * root) / 2
        # towards 1 the statistic is known at both ends: at the estimate it is 0, and at 1 it is what is tested
        slope = np.clip(statistic / centre if centre else root, _SLOPES[0] * root, _SLOPES[1] * root)
        side = float(np.sign(centre)) or 1.0
        towards, away = centre - side * self.critical / slope, centre + side * self.critical / root
        return centre, min(towards, away), max(towards, away), statistic

    def bounded(self, at_null: float) -> tuple[float, float, float, float] | str:
        """Give the same where one side has no collisions: a ratio of 0 or infinity, and the score's limit."""
        side = float(np.sign(at_null))
        near, far = 0.0, side * _FLAT
        if abs(at_null) <= self.critical:
            near, far = -side * _FLAT, 0.0
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            offset = self.exposure * np.exp(middle * self.inside[:, 0])
            fitted = fit_poisson(self.y, self.columns, offset)
            if fitted is None:
                return "the regression with the cluster did not converge"
            rejected = side * float(self._score(fitted[0]).studentised[0]) > self.critical
            near, far = (middle, far) if rejected else (near, middle)
        limit, beyond = (near + far) / 2, side * np.inf
        return (beyond, limit, beyond, at_null) if side > 0 else (beyond, beyond, limit, at_null)

    def _score(self, mu: Floats) -> Score:
        return judged_score(mu, self.inside, self.columns, self.y, self.field.weights(mu), freedom=False)


def fit_poisson(y: Floats, columns: Floats, exposure: Floats) -> tuple[Floats, Floats] | None:
    """Fit a Poisson regression by iteratively reweighted least squares (McCullagh and Nelder 1989, section 2.5).

    Parameters
    ----------
    y, exposure
        Counts, at least one above 0, and what they are in proportion to, above 0, ``(n,)``.
    columns
        Terms, ``(n, q)``, without redundant ones.

    Returns
    -------
    Means and coefficients; None where they do not converge, as where a term separates counts of 0 from others.
    """
    if not len(y) or columns.shape[1] >= len(y):
        return None
    level = float(np.log(y.sum() / exposure.sum()))
    mu = exposure * np.exp(level)
    for _ in range(_STEPS):
        root = np.sqrt(mu)
        working = np.log(mu / exposure) + (y - mu) / mu
        coefficients = np.linalg.lstsq(columns * root[:, None], working * root, rcond=None)[0]
        eta = np.clip(columns @ coefficients, level - _FARTHEST, level + _FARTHEST)
        before, mu = mu, exposure * np.exp(eta)
        if np.abs(mu - before).max() <= _CLOSE * mu.max():
            return mu, coefficients
    return None


def with_events(y: Floats, columns: Floats) -> NDArray[np.bool_]:
    """Rows of which no class is without events: such a class tells nothing, and its coefficient is not finite."""
    flags = ((columns == 0) | (columns == 1)).all(axis=0)
    empty = flags & (y @ columns == 0)
    return np.asarray((columns[:, empty] > 0).sum(axis=1) == 0)
