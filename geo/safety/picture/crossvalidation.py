"""Predicting the counts of one part of a city from the others, by penalised Poisson regression."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import xlogy
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor

FOLDS = 5
DIMENSIONS = 32
"""Principal components that enter, at most."""
CLASS_PENALTY = 0.25
"""Of road class indicators: a normal prior of deviation 2 on log rate ratios, only there to keep them finite."""
PENALTIES = (1.0, 10.0, 100.0, 1000.0, 1e5)
"""Tried for what is added to road class; the last leaves nothing of it."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Predictors:
    """What a model knows of each segment.

    Attributes
    ----------
    base
        Indicators of its class; None: nothing, and the prediction is the rate of all times exposure.
    added
        What the picture adds, if anything: indicators, or `components`.
    """

    base: Floats | None = None
    added: Floats | None = None


def predict_folds(y: Floats, length: Floats, model: Predictors, folds: Ints) -> tuple[Floats, float]:
    """Predict each fold from the others; tell the predictions and the median of the penalties chosen.

    The penalty of a fold is the one that predicts each other fold best from those that remain (nested: the fold itself
    has no say). A fit without two folds serves both.

    Parameters
    ----------
    y, length
        Events of each segment, and what its rate is divided by.
    model
        What the model knows of each segment.
    folds
        Number of the fold of each segment, from 0 to `FOLDS` less 1.
    """
    chosen = np.full(FOLDS, PENALTIES[-1])
    if model.added is not None:
        inner = np.zeros((FOLDS, len(PENALTIES)))
        for one, other in combinations(range(FOLDS), 2):
            left = (folds == one) | (folds == other)
            deviance = poisson_deviance(y[left], _fit(y, length, model, ~left, PENALTIES))
            inner[one] += deviance[:, folds[left] == other].sum(axis=1)
            inner[other] += deviance[:, folds[left] == one].sum(axis=1)
        chosen = np.array(PENALTIES)[inner.argmin(axis=1)]
    predicted = np.empty_like(y)
    for fold in range(FOLDS):
        there = folds == fold
        predicted[there] = _fit(y, length, model, ~there, (float(chosen[fold]),))[0]
    return predicted, np.nan if model.added is None else float(np.median(chosen))


def _fit(
    y: Floats, length: Floats, model: Predictors, train: NDArray[np.bool_], penalties: Sequence[float]
) -> Floats:
    """Fit to the rows of `train` with each penalty, and predict the others: ``(penalties, others)``.

    scikit-learn minimises half the mean deviance plus ``alpha / 2`` times the squared coefficients; with the expected
    counts as weights and ``alpha = penalty / events``, the penalty is the precision of a normal prior. What is added is
    scaled so that one alpha serves it and the class.
    """
    expected: Floats = length * (y[train].sum() / length[train].sum())
    alone = np.tile(expected[~train], (len(penalties), 1))
    if model.base is None:
        return alone
    x = model.base if model.added is None else np.column_stack([model.base, model.added])
    added = np.arange(x.shape[1]) >= model.base.shape[1]
    varied = np.ptp(x[train], axis=0) > 0
    if not varied.any():
        return alone
    inside, outside, added = x[train][:, varied], x[~train][:, varied], added[varied]
    target, weight = y[train] / expected[train], expected[train]
    alpha = CLASS_PENALTY / y[train].sum()
    fit = PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-6, max_iter=200, warm_start=True)
    scale = np.ones(len(added))
    with warnings.catch_warnings():
        # at the maximum the line search finds nothing better, and warns; a fit that stopped short of it would predict
        # worse, and be scored for it
        warnings.simplefilter("ignore", ConvergenceWarning)
        # from the strongest penalty on, each fit begins where the one before ended
        for number in np.argsort(penalties)[::-1]:
            before, scale = scale, np.where(added, np.sqrt(CLASS_PENALTY / penalties[number]), 1.0)
            if hasattr(fit, "coef_"):
                fit.coef_ = fit.coef_ * before / scale
            fit.fit(inside * scale, target, sample_weight=weight)
            alone[number] *= fit.predict(outside * scale)
    return alone


def components(values: Floats) -> Floats:
    """Give the principal components of what a picture says, the first with a deviation of 1.

    They are of all rows, those that are predicted among them, as the types are: neither has seen a collision. What
    preparation without the outcome does to cross-validation vanishes as rows grow many (Moscovich and Rosset 2022, J.
    R. Statist. Soc. B 84:1474-1502).

    Parameters
    ----------
    values
        ``(segments, dimension)``; columns that do not vary are left out.
    """
    deviation = values.std(axis=0)
    varied = values[:, deviation > 0]
    if not varied.shape[1]:
        return varied
    scaled = (varied - varied.mean(axis=0)) / deviation[deviation > 0]
    pca = PCA(min(DIMENSIONS, *scaled.shape), svd_solver="covariance_eigh").fit(scaled)
    return np.asarray(pca.transform(scaled) / np.sqrt(pca.explained_variance_[0]), dtype=np.float64)


def poisson_deviance(counts: Floats, predicted: Floats) -> Floats:
    """Tell the Poisson deviance of each count (McCullagh and Nelder 1989, Generalized Linear Models, section 2.3)."""
    return 2 * (xlogy(counts, counts / predicted) - counts + predicted)


def blocks_of(frame: pd.DataFrame, block_m: float, shift: tuple[float, float] = (0.0, 0.0)) -> Ints:
    """Find the block of each segment: its number, from 0, among those of a grid that hold any.

    Parameters
    ----------
    frame
        ``x, y`` of each segment (metres).
    block_m
        Side of a block (metres).
    shift
        Where the grid begins, east and north of the origin (shares of a side).
    """
    cell = np.floor(frame[["x", "y"]].to_numpy(dtype=np.float64) / block_m - np.asarray(shift))
    _, number = np.unique(cell, axis=0, return_inverse=True)
    return np.asarray(number, dtype=np.int64).ravel()


def folds_of(blocks: Ints, y: Floats, seed: int | Sequence[int]) -> Ints:
    """Deal blocks to folds: in a random order, those with most events first, there and back."""
    events = np.bincount(blocks, weights=y)
    shuffled = np.random.default_rng(seed).permutation(len(events))
    order = shuffled[np.argsort(-events[shuffled], kind="stable")]
    place = np.arange(len(events)) % (2 * FOLDS)
    fold = np.empty(len(events), dtype=np.int64)
    fold[order] = np.where(place < FOLDS, place, 2 * FOLDS - 1 - place)
    return fold[blocks]
