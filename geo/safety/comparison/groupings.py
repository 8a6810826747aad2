"""Ratios of types that allow for how unsure the grouping itself is, over many groupings, by Rubin's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from geo.safety.comparison.adjusted import (
    NORMAL,
    Adjusted,
    Floats,
    Integers,
    fit_poisson,
    independent,
    with_events,
)
from geo.safety.comparison.contrast import Contrast
from geo.safety.comparison.covariance import RiskCovariance
from geo.safety.comparison.field import Field, efficient_score
from geo.safety.rates import LEVEL

POOLED = ("n_collisions", "n_ksi")
"""Outcomes whose ratios are brought together."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """What is known over all groupings, ``(k, m)``: NaN where nothing is, and then `reason` says why.

    Attributes
    ----------
    ratio
        Mean over the other groupings, of logarithms.
    low, high
        Limits of the ratio of the grouping that was found.
    share
        Share of the variance of a ratio's logarithm that comes from the grouping (0 to 1).
    """

    ratio: Floats
    low: Floats
    high: Floats
    share: Floats
    reason: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class _Scores:
    """What one step of scoring from the mean without clusters needs, ``(groupings, k)``.

    Attributes
    ----------
    step
        Score over information.
    information
        Of each cluster's coefficient, with all others taken out.
    part
        Share of all collisions that is expected on it.
    """

    step: Floats
    information: Floats
    part: Floats

    @property
    def logarithms(self) -> Floats:
        """Logarithm of the ratio that each step leads to; NaN where it leads beyond all ratios."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log1p(self.step * (1 - self.part)) - np.log1p(-self.step * self.part)


def rubin(
    estimates: Floats, within: Floats, complete: float, level: float = LEVEL
) -> tuple[float, float, float, float]:
    """Bring estimates of one quantity from several completed tables together.

    By Rubin (1987, Multiple Imputation for Nonresponse in Surveys, section 3.1): their mean, and the mean of their
    variances with ``1 + 1 / m`` times the variance between them added; degrees of freedom by Barnard and Rubin (1999,
    Biometrika 86:948-955).

    Parameters
    ----------
    estimates, within
        Estimates and their variances, ``(m,)``, of at least two tables.
    complete
        Degrees of freedom of the estimate if nothing were unsure of the table.
    level
        Of the interval.

    Returns
    -------
    The estimate, its variance, the share of it that is between, and the quantile of Student's distribution that a
    standard error is multiplied by.

    Examples
    --------
    >>> mean, variance, share, reach = rubin(np.array([1.0, 1.2, 1.4]), np.full(3, 0.1), 50)
    >>> round(mean, 3), round(variance, 4), round(share, 3), round(reach, 3)
    (1.2, 0.1533, 0.348, 2.205)
    """
    m = len(estimates)
    between = (1 + 1 / m) * float(estimates.var(ddof=1))
    variance = float(within.mean()) + between
    share = between / variance
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    among = (m - 1) / share**2 if share > 0 else np.inf
    freedom = 1 / (1 / among + 1 / observed)
    return float(estimates.mean()), variance, share, float(student.ppf((1 + level) / 2, freedom))


def pool_groupings(
    contrast: Contrast,
    found: Adjusted,
    groupings: Integers,
    design: Floats,
    places: Floats,
    covariance: RiskCovariance,
    outcomes: Sequence[int],
) -> Pooled:
    """Let the grouping's own uncertainty into adjusted ratios.

    The grouping that was found is one of those that other samples of the same roads would have given. Each of them is a
    completed table in the sense of Rubin: the ratio in each, and the variance of each, are brought together (`rubin`).
    Only the middle of the limits is not the mean over them: they scatter around the grouping that was found as this one
    does around that of all roads of its kind, and what is mixed up brings each ratio nearer to 1, so that their mean is
    taken there twice. Limits around the ratio that was found hold the true one more often (``bench/groupings.py``).

    A ratio in another grouping is that of the one found, moved by as much as one step of scoring from the mean without
    clusters moves: with means in proportion to exposure and independent counts this is the ratio itself, and else it is
    the same to second order, at a hundredth of the cost. Where all groupings are the one found, ratio and limits are
    those found, but for Student's distribution in place of the normal one.

    Parameters
    ----------
    contrast
        What the comparison stands on, of ``n`` segments, ``k`` clusters and ``m`` outcomes.
    found
        Its adjusted ratios (`geo.safety.comparison.adjusted.adjusted_ratios`).
    groupings
        Cluster of each segment in other groupings, by the numbers of `contrast`; others: of none of them,
        ``(n, groupings)``.
    design, places, covariance
        As of `found`.
    outcomes
        Numbers of the outcomes; of others nothing is known.
    """
    shape = found.ratio.shape
    ratio, low, high, share = (np.full(shape, np.nan) for _ in range(4))
    pooled = Pooled(ratio, low, high, share, np.full(shape, "only for all collisions and KSI", dtype=object))
    field = None if covariance.reason else Field.of_places(covariance, places)
    for outcome in outcomes:
        pooled.reason[:, outcome] = found.reason[:, outcome]
        if field is not None and (found.reason[:, outcome] == "").any():
            _pool(pooled, contrast, found, groupings, design, field, outcome)
    return pooled


def _pool(
    pooled: Pooled,
    contrast: Contrast,
    found: Adjusted,
    groupings: Integers,
    design: Floats,
    field: Field,
    outcome: int,
) -> None:
    """Fill in one outcome."""
    labels = np.column_stack([contrast.labels, groupings])
    scores, freedom = _scores(contrast, outcome, labels, design, field)
    logarithms = scores.logarithms
    centre, low, high = (
        np.log(np.where(limit[:, outcome] > 0, limit[:, outcome], np.nan))
        for limit in (found.ratio, found.low, found.high)
    )
    for label in np.flatnonzero(found.reason[:, outcome] == ""):
        at = label, outcome
        estimates = centre[label] + logarithms[1:, label] - logarithms[0, label]
        pooled.reason[at] = _why_not(estimates, scores.part[1:, label], low[label], high[label])
        if pooled.reason[at]:
            continue
        known = scores.information[0, label] / scores.information[1:, label]
        sides = np.array([centre[label] - low[label], high[label] - centre[label]]) / NORMAL
        _, _, pooled.share[at], _ = rubin(estimates, known * sides.mean() ** 2, freedom)
        ends = [rubin(estimates, known * side**2, freedom) for side in sides]
        reach = [quantile * float(np.sqrt(variance)) for _, variance, _, quantile in ends]
        pooled.ratio[at] = np.exp(ends[0][0])
        pooled.low[at], pooled.high[at] = np.exp([centre[label] - reach[0], centre[label] + reach[1]])


def _why_not(estimates: Floats, parts: Floats, low: float, high: float) -> str:
    """Say why nothing can be brought together; empty where it can."""
    if not np.isfinite([low, high]).all():
        return "no collisions on one side"
    lost = parts <= 0
    if lost.any():
        return f"the cluster has no counterpart in {lost.sum()} of {len(parts)} groupings"
    unknown = ~np.isfinite(estimates)
    if unknown.any():
        return f"no ratio can be told in {unknown.sum()} of {len(parts)} groupings"
    return ""


def _scores(
    contrast: Contrast, outcome: int, labels: Integers, design: Floats, field: Field
) -> tuple[_Scores, float]:
    """Score every cluster of every grouping at the mean that knows of none; with the degrees of freedom."""
    y = contrast.counts[:, outcome]
    rows = with_events(y, design)
    y, columns, exposure, mine = y[rows], independent(design[rows]), contrast.exposure[rows], labels[rows]
    null = fit_poisson(y, columns, exposure)
    shape = (labels.shape[1], contrast.k)
    step, information, part = (np.full(shape, np.nan) for _ in range(3))
    if null is None:
        return _Scores(step, information, np.zeros(shape)), 1.0
    mu = null[0]
    weights = field.at(rows).weights(mu)
    for number in range(labels.shape[1]):
        inside = (mine[:, number][:, None] == np.arange(contrast.k)).astype(np.float64)
        value, known, whole = efficient_score(mu, inside, columns, y, weights)
        part[number] = inside.T @ mu / mu.sum()
        usable = known > 1e-9 * np.maximum(whole, 1e-300)
        step[number] = np.where(usable, value / np.where(usable, known, 1.0), np.nan)
        information[number] = np.where(usable, known, np.nan)
    return _Scores(step, information, part), float(max(len(y) - columns.shape[1] - 1, 1))
