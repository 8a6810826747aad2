"""What single places have by themselves, by either of two shapes of how places differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp
from scipy.stats import norm

from geo.safety.expected.empirical_bayes import Prior, empirical_bayes
from geo.safety.expected.overdispersion import log_likelihood
from geo.safety.interventions.times import Floats

_POINTS = np.arange(-5.0, 7.01, 0.1)
"""Standardised logarithms of risk over which a lognormal distribution is summed up."""
_CHUNK = 4_000_000
"""Places times points that are held at once."""
_LEAST_K = 1e-6


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is to be expected of places, by what is possible of how they differ.

    Attributes
    ----------
    count, variance
        Expected count of each place and its variance, ``(possibilities, places)``.
    pull
        By how much each expected count rises with the logarithm of its prediction, ``(possibilities, places)``.
    share
        How likely each possibility is; they add up to 1.
    """

    count: Floats
    variance: Floats
    pull: Floats
    share: Floats

    @property
    def mean(self) -> Floats:
        """Expected count of each place."""
        found: Floats = self.share @ self.count
        return found


def expect(before: Prior, counts: Floats) -> Posterior:
    """Estimate each place's expected count over what is possible of how places differ about their prediction.

    A negative binomial regression takes the risk of places as gamma about its prediction. Where it is lognormal, which
    has more places of very high risk, the worst places are expected to have too few, and their treatment looks worse
    than it was. Counts of few places tell the two apart only weakly, so both are taken, each with the values of k that
    the counts leave possible, weighed by the likelihood of all counts (Miranda-Moreno, Fu, Saccomanno and Labbe 2005,
    Transportation Research Record 1908:1-8, on the two; Hoeting, Madigan, Raftery and Volinsky 1999, Statistical
    Science 14:382-401, on averaging). k is the variance of the relative risk in both.

    Parameters
    ----------
    before
        Predictions of all places, and what is known of k.
    counts
        Collisions of each in the time that its prediction is of.

    Returns
    -------
    With one possibility, gamma and k as it is, where nothing is known of how sure k is.
    """
    m = before.predicted.to_numpy(dtype=np.float64)
    if not len(before.nodes):
        k = before.overdispersion.to_numpy(dtype=np.float64)
        _, count, variance = empirical_bayes(counts, m, k)
        return _posterior(count[None], variance[None], np.ones(1))
    nodes = np.maximum(before.nodes, _LEAST_K)
    _, count, variance = empirical_bayes(counts, m, nodes[:, None])
    known = m > 0
    as_gamma = np.array([log_likelihood(counts[known], m[known], float(k)) for k in nodes])
    as_gamma -= gammaln(counts[known] + 1).sum()
    # what the nodes' weights hold beside the likelihood, which does not know the shape
    beside = np.log(np.maximum(before.weights, np.finfo(np.float64).tiny)) - as_gamma
    others = [_lognormal(counts, m, float(k)) for k in nodes]
    as_lognormal = np.array([likelihood for _, _, likelihood in others])
    logs = np.concatenate([as_gamma + beside, as_lognormal + beside])
    return _posterior(
        np.vstack([count, *(one for one, _, _ in others)]),
        np.vstack([variance, *(one for _, one, _ in others)]),
        np.exp(logs - logsumexp(logs)),
    )


def _posterior(count: Floats, variance: Floats, share: Floats) -> Posterior:
    """Add the pull: whatever the shape, it is the expected count less its variance."""
    return Posterior(count, variance, count - variance, share)


def _lognormal(counts: Floats, predicted: Floats, k: float) -> tuple[Floats, Floats, float]:
    """Mean and variance of each place's expected count where risk is lognormal, and the likelihood of all."""
    sigma = np.sqrt(np.log1p(k))
    log_risk = sigma * _POINTS - sigma**2 / 2
    risk = np.exp(log_risk)
    log_share = norm.logpdf(_POINTS)
    log_share -= logsumexp(log_share)
    count, variance = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    known = np.flatnonzero(predicted > 0)
    total = 0.0
    step = max(1, _CHUNK // len(_POINTS))
    for start in range(0, len(known), step):
        mine = known[start : start + step]
        y, m = counts[mine, None], predicted[mine, None]
        logs = y * (np.log(m) + log_risk) - m * risk - gammaln(y + 1) + log_share
        whole = logsumexp(logs, axis=1, keepdims=True)
        weight = np.exp(logs - whole)
        mean = weight @ risk
        count[mine] = m[:, 0] * mean
        variance[mine] = m[:, 0] ** 2 * (weight @ risk**2 - mean**2)
        total += float(whole.sum())
    return count, variance, total
