"""How many collisions are to be expected on each segment, given its own record and what roads like it have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, gammaincc, gammaln, xlogy
from scipy.stats import norm

from geo.counting import doing
from geo.safety.expected.performance import Performance
from geo.safety.expected.recipe import as_floats, with_length
from geo.safety.expected.shrinkage import shrink
from geo.safety.rates import LEVEL

Method = Literal["negative binomial", "poisson", "shrinkage within road class"]
SHRINKAGE: Method = "shrinkage within road class"
Floats = NDArray[np.float64]
_MOST_STEPS, _NEWTON_STEPS = 100, 25
"""At most so many steps; after so many by Newton's method, the bracket is halved."""
_LONGEST, _CLOSE = 50.0, 1e-9
"""No step is longer; when none is longer than the last, the quantiles are found (logarithms)."""
N_SLICES = 11
"""Into so many slices the distribution of a prediction is cut."""
_OUTERMOST = 2.5
"""Where the outermost slices begin (standard deviations)."""
_LITTLE, _NARROW = 0.3, 0.5
"""What a prediction's doubt adds (standard deviations of the posterior), and itself (logarithm): up to these, three
points stand for it, and limits are right to 0.2 %, where slices are to 2 % (shapes of 0.02 to 500)."""
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Prior:
    """What is expected of each segment before its own record is looked at.

    Attributes
    ----------
    method
        ``negative binomial`` or ``poisson``: a safety performance function; else `SHRINKAGE`, the fallback.
    reason
        Why it is the fallback, in words; None otherwise.
    predicted
        Events predicted of each segment in the time of the records, sorted by segment; null where nothing is known.
    overdispersion
        Overdispersion k of each segment (variance ``m + k m^2``).
    matrix, covariance
        Terms of each segment and covariance of their coefficients; without columns where these are taken as known.
    nodes, weights
        Values of k that the counts leave possible, and how much so; empty where k is taken as known.
    relative
        What these are multiplied by for each unit, on the index of `predicted`; None: they are the same for all.
    """

    method: Method
    reason: str | None
    predicted: pd.Series
    overdispersion: pd.Series
    matrix: pd.DataFrame
    covariance: Floats
    nodes: Floats
    weights: Floats
    relative: pd.Series | None = None

    def nodes_of(self) -> Floats:
        """Give the values of k of each unit, ``(nodes, units)``."""
        each = (
            np.ones(len(self.predicted))
            if self.relative is None
            else self.relative.to_numpy(dtype=np.float64)
        )
        return np.outer(self.nodes, each)


def empirical_bayes(
    observed: ArrayLike, predicted: ArrayLike, overdispersion: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Weigh what was observed against what was predicted.

    ``w = 1 / (1 + k predicted)``, ``EB = w predicted + (1 - w) observed``, variance ``(1 - w) EB`` (Hauer et al. 2002,
    Transportation Research Record 1784:126-131; Highway Safety Manual 2010, part C, appendix A.2.4, eq. A-4 and A-5).
    The expected count of a segment is gamma about its prediction, with variance ``k predicted^2``; its posterior is
    gamma too, of shape ``observed + 1/k``, with this mean and variance.

    Parameters
    ----------
    observed, predicted
        Events observed and events predicted in the same period, of equal shape.
    overdispersion
        Overdispersion k, one for all or one for each; where k is per length, the caller divides it by the length first.

    Returns
    -------
    Weight, EB count and its variance.
    """
    y, m, k = (np.asarray(value, dtype=np.float64) for value in (observed, predicted, overdispersion))
    weight = 1 / (1 + k * m)
    count = weight * m + (1 - weight) * y
    return weight, count, (1 - weight) * count


def standardised_excess(observed: pd.Series, predicted: pd.Series, weight: pd.Series) -> pd.Series:
    """Tell by how many standard deviations counts exceed what is predicted of them.

    The variance of a count about its prediction m is ``m + k m^2``, which is ``m`` over the weight of the prediction in
    the empirical Bayes estimate (`empirical_bayes`): Pearson's residual of a negative binomial regression.

    Parameters
    ----------
    observed
        Events of each segment; null gives null.
    predicted, weight
        What is predicted of it in the same time, and the weight of that (0 to 1).

    Examples
    --------
    >>> standardised_excess(pd.Series([6, 0]), pd.Series([2.0, 2.0]), pd.Series([0.5, 0.5])).tolist()
    [2.0, -1.0]
    """
    deviation = (predicted / weight) ** 0.5
    found: pd.Series = (observed.astype("Float64").astype("float64") - predicted) / deviation.where(
        deviation > 0
    )
    return found


def prior(performance: Performance, counts: pd.Series, exposure: pd.Series, road_class: pd.Series) -> Prior:
    """Take the safety performance function, or, where there is none, the shrinkage within road classes.

    The fallback (`shrink`) is of the same form: mean and shape of a class's rates are a prediction
    proportional to exposure, and ``k = 1 / shape``. Both are taken as known then.

    Parameters
    ----------
    performance
        The safety performance function (`geo.safety.expected.performance.fit_performance`), fitted to the same counts
        and exposure.
    counts, exposure
        Events, and kilometres times years, of each segment.
    road_class
        Road class of each segment, within which the fallback shrinks.
    """
    index = counts.sort_index().index
    if performance.model is not None:
        predicted = performance.predicted.reindex(index)
        return Prior(
            performance.model,
            None,
            predicted,
            performance.overdispersion * performance.relative.reindex(index),
            performance.matrix.reindex(index),
            performance.covariance,
            performance.overdispersion_nodes,
            performance.overdispersion_weights,
            performance.relative.reindex(index),
        )
    length = exposure.astype("float64").reindex(index)
    shrunk = shrink(counts.reindex(index), length, road_class.reindex(index))
    # without any event the class's rate is 0 with no shape, and nothing is known of how segments differ
    known = shrunk["prior_mean"].gt(0)
    nothing = np.empty(0)
    return Prior(
        SHRINKAGE,
        performance.reason,
        (shrunk["prior_mean"] * length).where(known),
        (1 / shrunk["prior_shape"]).where(known),
        pd.DataFrame(index=index),
        np.empty((0, 0)),
        nothing,
        nothing,
    )


def predict(
    performance: Performance,
    exposure: pd.Series,
    groups: pd.Series,
    numeric: pd.DataFrame | None = None,
    logs: pd.Series | pd.DataFrame | None = None,
    *,
    length: pd.Series | None = None,
) -> Prior:
    """Say what a function expects of other units, or of the same ones in another time.

    Parameters
    ----------
    performance
        The function (`geo.safety.expected.performance.fit_performance`).
    exposure, groups, numeric, logs, length
        Of the units to predict, as for the fit. A unit without exposure, or of a group that the function has not seen,
        gets null.

    Returns
    -------
    Predictions with the covariance of the coefficients and the values of k that the fitted counts leave possible, as
    `expected_counts`, `log_variance` and `geo.safety.expected.draws.draw_expected` take them; all null where there is
    no function.
    """
    ordered = exposure.sort_index()
    index = ordered.index
    if performance.model is None or performance.recipe is None:
        nothing = pd.Series(np.nan, index=index)
        empty = np.empty(0)
        return Prior(
            SHRINKAGE,
            performance.reason,
            nothing,
            nothing,
            pd.DataFrame(index=index),
            np.empty((0, 0)),
            empty,
            empty,
        )
    matrix = performance.recipe.lay(
        groups.reindex(index),
        None if numeric is None else numeric.reindex(index),
        with_length(
            None if logs is None else logs.reindex(index), None if length is None else length.reindex(index)
        ),
    )
    offered = pd.Series(as_floats(ordered), index=index)
    slopes = performance.coefficients["estimate"].to_numpy(dtype=np.float64)
    predicted = (np.exp(matrix.to_numpy() @ slopes) * offered).where(offered > 0)
    relative = predicted.notna().astype("float64")
    if performance.per_length is not None and length is not None:
        km = as_floats(length.reindex(index))
        relative = pd.Series(performance.per_length.relative(km), index=index)
    return Prior(
        performance.model,
        None,
        predicted,
        performance.overdispersion * relative.where(predicted.notna()),
        matrix,
        performance.covariance,
        performance.overdispersion_nodes,
        performance.overdispersion_weights,
        relative,
    )


def expected_counts(before: Prior, counts: pd.Series, exposure: pd.Series) -> pd.DataFrame:
    """Estimate by empirical Bayes what is to be expected of each segment in the long run.

    The interval is that of the gamma posterior (`empirical_bayes`), mixed over the values of k and of the coefficients
    that the counts leave possible, as the ranks are (Kass and Steffey 1989, JASA 84:717-726: an interval that takes
    the prior as known is too narrow). So it has a width even where k is estimated at 0, and all estimates are their
    predictions.

    Parameters
    ----------
    before
        What is expected of each segment before its own record is looked at (`prior`).
    counts
        Events of each segment; null is not known, and gives null.
    exposure
        Kilometres times years of each segment, on the index of `counts`.

    Returns
    -------
    On the index of `counts`: ``predicted`` (events in the period), ``weight`` (of the prediction), ``eb_count``,
    ``eb_variance`` (the Highway Safety Manual's, prior taken as known), ``predicted_per_km_year``, ``eb_per_km_year``
    with ``_low`` and ``_high``, ``potential_per_km_year`` (the potential for safety improvement: EB less predicted,
    negative where a segment does better than its like; Highway Safety Manual 2010, section 4.4.2.14, excess expected
    frequency) and ``method``. Where there are no events at all, everything but the method is null.
    """
    index = before.predicted.index
    y = as_floats(counts.reindex(index))
    length = as_floats(exposure.reindex(index))
    m = before.predicted.to_numpy(dtype=np.float64)
    weight, count, variance = empirical_bayes(y, m, before.overdispersion.to_numpy(dtype=np.float64))
    low, high = (limit / length for limit in _limits(before, y, m))
    table = pd.DataFrame(
        {
            "predicted": m,
            "weight": weight,
            "eb_count": count,
            "eb_variance": variance,
            "predicted_per_km_year": m / length,
            "eb_per_km_year": count / length,
            "eb_per_km_year_low": low,
            "eb_per_km_year_high": high,
            "potential_per_km_year": (count - m) / length,
            "method": before.method,
        },
        index=index,
    )
    return table.reindex(counts.index)


def _limits(before: Prior, y: Floats, m: Floats) -> tuple[Floats, Floats]:
    """Limits of each segment's expected count, with what is not known of the prior.

    The logarithm of the prediction is normal. Where that adds little to the width of the posterior, which is most
    segments of a city, three points of Gauss and Hermite's rule stand for it; elsewhere its distribution is cut into
    slices, each with its mean, and what varies within a slice, of which little is left, is added to first order.
    """
    uncertain = len(before.nodes) > 0
    k = before.nodes_of() if uncertain else before.overdispersion.to_numpy(dtype=np.float64)[None, :]
    weights = before.weights if uncertain else np.ones(1)
    spread = np.sqrt(log_variance(before))
    # in standard deviations of the posterior that takes the prediction as known
    added = spread * (np.sqrt(y + 1 / np.where(k > 0, k, np.nan)) / (1 + k * m)).max(axis=0)
    little = (spread == 0) | ((added <= _LITTLE) & (spread <= _NARROW))
    low, high = np.full((2, len(y)), np.nan)
    doing("limits of rates")
    for these, (middle, within, share) in (
        (little, _points(3 if spread.any() else 1)),
        (~little, normal_slices(N_SLICES)),
    ):
        if not these.any():
            continue
        deviation = spread[these]
        weight, mean, variance = empirical_bayes(
            y[these], m[these] * np.exp(deviation * middle[:, None]), k[:, None, these]
        )
        # the derivative of the EB count by the logarithm of the prediction is weight times count
        variance = variance + (weight * mean * deviation) ** 2 * within[:, None]
        parts = np.outer(weights, share).ravel()
        mean, variance = (np.reshape(each, (len(parts), int(these.sum()))) for each in (mean, variance))
        low[these] = mixture_quantile(mean, variance, parts, (1 - LEVEL) / 2)
        high[these] = mixture_quantile(mean, variance, parts, (1 + LEVEL) / 2)
    return low, high


def _points(n: int) -> tuple[Floats, Floats, Floats]:
    """Give points of Gauss and Hermite's rule for the standard normal distribution, as `normal_slices` gives slices.

    Abramowitz and Stegun 1964, Handbook of Mathematical Functions, section 25.4.46.
    """
    point, weight = hermegauss(n)
    return point, np.zeros(n), weight / weight.sum()


def normal_slices(n: int) -> tuple[Floats, Floats, Floats]:
    """Cut the standard normal distribution into slices of equal width but for its tails: mean, variance and share.

    The moments of a slice are those of the truncated normal distribution (Johnson, Kotz and Balakrishnan 1994,
    Continuous Univariate Distributions 1, 2nd edition, section 13.10.1).
    """
    inner = np.linspace(-_OUTERMOST, _OUTERMOST, n - 1)
    edges = np.concatenate([[-np.inf], inner, [np.inf]])
    share = np.diff(norm.cdf(edges))
    density = norm.pdf(edges)
    middle = -np.diff(density) / share
    moment = -np.diff(np.where(np.isfinite(edges), edges, 0.0) * density) / share
    return middle, 1 + moment - middle**2, share


def log_variance(before: Prior) -> Floats:
    """Tell the variance of the logarithm of each prediction that the coefficients' covariance makes."""
    terms = before.matrix.to_numpy(dtype=np.float64)
    found: Floats = ((terms @ before.covariance) * terms).sum(axis=1)
    return found


def mixture_quantile(mean: Floats, variance: Floats, weights: Floats, probability: float) -> Floats:
    """Find a quantile of mixtures of gamma distributions.

    By Newton's method on the logarithms of the quantile and of the smaller tail's probability, which are nearly
    straight against each other, from the mean; by halving the bracket where that leaves it (Press et al. 2007,
    Numerical Recipes, 3rd edition, section 9.4).

    Parameters
    ----------
    mean, variance
        Mean and variance of each gamma distribution, ``(parts, mixtures)``, above 0; null gives null.
    weights
        Share of each part in its mixture; the shares of a mixture add up to 1.
    probability
        Probability that lies below the quantile (between 0 and 1).
    """
    found = np.full(mean.shape[1], np.nan)
    usable = (np.isfinite(mean) & np.isfinite(variance) & (variance > 0)).all(axis=0)
    if not usable.any():
        return found
    place = np.flatnonzero(usable)
    mean, variance = mean[:, usable], variance[:, usable]
    shape, rate = mean**2 / variance, mean / variance
    scale = xlogy(shape, rate) - gammaln(shape)
    at = np.log(weights @ mean)
    least, most = np.full_like(at, -np.inf), np.full_like(at, np.inf)
    for number in range(_MOST_STEPS):
        excess, slope = _tail(at, shape, rate, scale, weights, probability)
        least, most = np.where(excess < 0, at, least), np.where(excess > 0, at, most)
        aim = at - excess / np.maximum(slope, np.abs(excess) / _LONGEST + _TINY)
        halve = (aim < least) | (aim > most)
        if number > _NEWTON_STEPS:
            halve |= np.isfinite(most - least)
        aim[halve] = (least[halve] + most[halve]) / 2
        found[place] = np.exp(aim)
        left = np.abs(aim - at) > _CLOSE
        if not left.any():
            break
        place, at, least, most = place[left], aim[left], least[left], most[left]
        shape, rate, scale = shape[:, left], rate[:, left], scale[:, left]
    return found


def _tail(
    at: Floats, shape: Floats, rate: Floats, scale: Floats, weights: Floats, probability: float
) -> tuple[Floats, Floats]:
    """By how much the logarithm of the quantile is too great, in that of the smaller tail, and the slope of that."""
    x = rate * np.exp(at)
    upper = probability > 0.5
    beyond = np.maximum(weights @ (gammaincc if upper else gammainc)(shape, x), _TINY)
    slope = weights @ np.exp(scale + shape * at - x) / beyond
    if upper:
        return np.log1p(-probability) - np.log(beyond), slope
    return np.log(beyond) - np.log(probability), slope
