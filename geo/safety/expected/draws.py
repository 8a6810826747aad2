"""Draws of what is to be expected of units, from what their counts leave possible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.safety.expected.empirical_bayes import Prior
from geo.safety.expected.recipe import Floats


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
