"""Draws of what is to be expected of units, from what their counts leave possible."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammainccinv, gammaincinv, gammaln
from scipy.stats import norm

from geo.safety.expected.empirical_bayes import Prior
from geo.safety.expected.recipe import Floats

BLOCK = 64
_ROWS = 1000
_STEP = 1 / 16
_LOGITS = np.arange(-20.0, 20.0 + 2 * _STEP, _STEP)
_LEAST = 2.1e-9
"""Probabilities are drawn in to this, which the logits reach to."""
_TINY = 1e-9


def draw_expected(
    before: Prior, counts: Floats, known: NDArray[np.bool_], draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw what is predicted and what is to be expected of units, together.

    Each draw takes coefficients and k from what the counts that the function was fitted to leave possible, the same
    ones for all units, so that what units share is shared; then the expected count of each unit from its gamma
    posterior (`geo.safety.expected.empirical_bayes.empirical_bayes`).

    Parameters
    ----------
    before
        What is expected of each unit before its own record is looked at.
    counts
        Events of each unit in the period of the prediction, ``(units,)``.
    known
        Of which units it is drawn: those with count and prediction.
    draws
        How many draws (number).
    rng
        Where chance comes from.

    Returns
    -------
    Predicted events and expected events in the period of the prediction, ``(draws, known units)`` each.
    """
    m = np.broadcast_to(before.predicted.to_numpy(dtype=np.float64)[known], (draws, int(known.sum())))
    k = before.overdispersion.to_numpy(dtype=np.float64)[known]
    if len(before.nodes):
        k = before.nodes_of()[rng.choice(len(before.nodes), size=draws, p=before.weights)][:, known]
        centre = np.zeros(len(before.covariance))
        shift = rng.multivariate_normal(centre, before.covariance, size=draws, method="eigh")
        m = m * np.exp(shift @ before.matrix.to_numpy(dtype=np.float64)[known].T)
    count = rng.standard_gamma(counts[known] + 1 / k, size=m.shape) / (1 / m + k) * k
    return m, count


def draw_in_turn(
    before: Prior, counts: Floats, known: NDArray[np.bool_], draws: int, rng: np.random.Generator, cells: int
) -> Iterator[tuple[int, Floats, Floats]]:
    """Draw as `draw_expected`, but so that each unit's chance is spread evenly over few draws.

    In a block of `BLOCK` draws each unit goes once through as many equal shares of its posterior, from a start of its
    own, in an order that all share: any one draw is of independent units, as if drawn at once, while the mean over a
    block hardly depends on the unit's own chance (a lattice with a random shift: Cranley and Patterson 1976, SIAM
    Journal on Numerical Analysis 13:904-914). Coefficients and k are spread over all draws as in a Latin hypercube
    (McKay, Beckman and Conover 1979, Technometrics 21:239-245). Of 23,722 segments, 1,012 such draws tell mean ranks
    and probabilities no worse than 8,430 plain ones.

    Parameters
    ----------
    before, counts, known, draws, rng
        As for `draw_expected`.
    cells
        How many numbers are drawn at once, at most; what is drawn does not hang on it.

    Yields
    ------
    The number of the block, and predicted and expected events, ``(some draws, known units)`` each.
    """
    m = before.predicted.to_numpy(dtype=np.float64)[known]
    n = len(m)
    if len(before.nodes):
        nodes = before.nodes_of()[:, known]
        which = np.searchsorted(np.cumsum(before.weights)[:-1], _spread(draws, 1, rng)[:, 0], side="right")
        terms = before.matrix.to_numpy(dtype=np.float64)[known]
        value, axis = np.linalg.eigh(before.covariance)
        shift = norm.ppf(_spread(draws, len(value), rng)) * np.sqrt(np.clip(value, 0, None)) @ axis.T
    else:
        nodes = before.overdispersion.to_numpy(dtype=np.float64)[known][None, :]
        which, terms, shift = np.zeros(draws, dtype=np.int64), np.empty((n, 0)), np.empty((draws, 0))
    quantiles = GammaQuantiles(counts[known] + 1 / nodes)
    at_once = max(1, cells // n)
    for block, rows in enumerate(np.array_split(np.arange(draws), -(-draws // BLOCK))):
        start = rng.random(n)
        turn = rng.permutation(len(rows)) / len(rows)
        for first in range(0, len(rows), at_once):
            some = slice(first, first + at_once)
            at = which[rows[some]]
            predicted = m * np.exp(shift[rows[some]] @ terms.T)
            drawn = quantiles.at(at, (start + turn[some, None]) % 1)
            yield block, predicted, drawn * nodes[at] * predicted / (1 + nodes[at] * predicted)


def _spread(draws: int, columns: int, rng: np.random.Generator) -> Floats:
    """Draw numbers between 0 and 1 whose every column has one in each of as many equal shares."""
    turns = rng.permuted(np.tile(np.arange(draws)[:, None], columns), axis=0)
    found: Floats = (turns + rng.random((draws, columns))) / draws
    return np.clip(found, _LEAST, 1 - _LEAST)


class GammaQuantiles:
    """Quantiles of many gamma distributions of scale 1, from a table of their logarithms.

    By the logit of the probability, in which the logarithm of a quantile is nearly straight in both tails, and, where
    shapes are more than a table has rows, by the logarithm of the shape: within 2 in 10,000 (tests hold it to scipy's).

    Parameters
    ----------
    shapes
        Shapes in sets that are drawn from together, ``(sets, units)``.
    """

    def __init__(self, shapes: Floats) -> None:
        rows, place = np.unique(shapes, return_inverse=True)
        self._weight: Floats | None = None
        self._row = place.reshape(shapes.shape)
        if len(rows) > _ROWS:
            low, high = np.log(rows[[0, -1]])
            steps = np.linspace(low, high, _ROWS)
            at = np.clip((np.log(shapes) - low) / (steps[1] - steps[0]), 0, _ROWS - 1.000001)
            self._row, rows = at.astype(np.int64), np.exp(steps)
            self._weight = at - self._row
        self._table = _log_quantiles(rows[:, None], _LOGITS)

    def at(self, sets: NDArray[np.int64], probability: Floats) -> Floats:
        """Give quantiles of some sets' units, ``(sets asked for, units)`` as the probabilities are."""
        inside = np.clip(probability, _LEAST, 1 - _LEAST)
        place = (np.log(inside) - np.log1p(-inside) - _LOGITS[0]) / _STEP
        column = place.astype(np.int64)
        beyond = place - column
        flat = self._row[sets] * len(_LOGITS) + column
        found = self._between(flat, beyond)
        if self._weight is not None:
            share = self._weight[sets]
            found = found * (1 - share) + self._between(flat + len(_LOGITS), beyond) * share
        return np.exp(found)

    def _between(self, flat: NDArray[np.int64], beyond: Floats) -> Floats:
        table = self._table.ravel()
        low = table.take(flat)
        return low + (table.take(flat + 1) - low) * beyond


def _log_quantiles(shape: Floats, logit: Floats) -> Floats:
    """Logarithms of quantiles, each tail from its own side; of the lowest ones by the first term of the series."""
    below, above = expit(logit), expit(-logit)
    found = np.where(logit > 0, gammainccinv(shape, above), gammaincinv(shape, below))
    lowest = found < _TINY
    return np.where(
        lowest, (np.log(below) + gammaln(shape + 1)) / shape, np.log(np.where(lowest, 1.0, found))
    )
