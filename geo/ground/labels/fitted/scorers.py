"""What tells classes of ground apart: a small network, a regression, or densities in the space of features."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from geo.features.lengths import of_length_1

Rows = NDArray[np.float32]
Classes = NDArray[np.int64]
HIDDEN, DECAY, ROUNDS, STEP, BATCH = 64, 1e-2, 15, 2e-3, 512
NETWORKS = 3
INVERSE_PENALTY, STRONG, MOST_STEPS = 0.1, 0.003, 300
"""Of a regression, and of one that is held back where few places are labelled (scikit-learn's ``C``)."""
MISSING = -30.0
"""Score of a class that there was no example of."""
_LAYERS = ("into", "at", "out", "last", "straight")
POINTS, CONCENTRATION = 600, 15.0


class Scorer(Protocol):
    """What gives each class a score."""

    def scores(self, rows: Rows) -> Rows:
        """Score rows ``(n, measures)``: the logarithm of each class's probability, ``(n, classes)``."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what it is made of, by name."""


@dataclass(frozen=True, slots=True)
class Network:
    """Networks of one layer of hidden units, and a regression beside them, whose scores are averaged.

    Attributes
    ----------
    into, at
        Weights of the hidden units, ``(measures, units)``, and their offsets; of no units where it is a regression.
    out, last
        Weights from these to the classes, ``(units, classes)``, and the classes' offsets.
    straight
        Weights of the regression, ``(measures, classes)``.
    """

    into: Rows
    at: Rows
    out: Rows
    last: Rows
    straight: Rows

    def scores(self, rows: Rows) -> Rows:
        """See `Scorer.scores`."""
        hidden = np.maximum(rows @ self.into + self.at, 0)
        return np.asarray(
            log_softmax(hidden @ self.out + rows @ self.straight + self.last, axis=1), dtype=np.float32
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Scorer.arrays`."""
        return {name: getattr(self, name) for name in _LAYERS}


@dataclass(frozen=True, slots=True)
class Densities:
    """Densities of classes on the sphere: each place is as likely of a class as its examples are near to it.

    Attributes
    ----------
    points
        Examples of length 1, ``(examples, measures)``.
    of_class
        The class of each, from 0.
    count
        How many classes are scored, ``(1,)``.
    """

    points: Rows
    of_class: Classes
    count: NDArray[Any]

    def scores(self, rows: Rows) -> Rows:
        """See `Scorer.scores`; the kernel is von Mises and Fisher's, as in FROST (arXiv 2606.31136)."""
        near = CONCENTRATION * (of_length_1(rows) @ self.points.T - 1)
        each = [
            logsumexp(near[:, mine], axis=1) - np.log(mine.sum())
            if mine.any()
            else np.full(len(rows), MISSING)
            for mine in (self.of_class == one for one in range(int(self.count[0])))
        ]
        return np.asarray(log_softmax(np.stack(each, axis=1), axis=1), dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Scorer.arrays`."""
        return {"points": self.points, "of_class": self.of_class, "count": self.count}


def fit_scorer(
    kind: str,
    rows: Rows,
    classes: Classes,
    seed: int,
    count: int,
    *,
    inverse_penalty: float = INVERSE_PENALTY,
) -> Scorer:
    """Fit a scorer.

    Parameters
    ----------
    kind
        ``network``, ``logistic`` or ``density``.
    rows
        Examples, ``(n, measures)``, measures of about one spread.
    classes
        Class of each, from 0.
    seed
        Of its random choices.
    count
        How many classes are scored; those without any example get `MISSING`.
    inverse_penalty
        Of the regression.
    """
    had = np.unique(classes)
    if kind == "density":
        rng = np.random.default_rng(seed)
        drawn = [rng.permutation(np.flatnonzero(classes == one))[:POINTS] for one in had]
        chosen = np.concatenate(drawn)
        return Densities(np.asarray(of_length_1(rows[chosen])), classes[chosen], np.array([count]))
    with threadpool_limits(limits=1):
        fitted = LogisticRegression(C=inverse_penalty, max_iter=MOST_STEPS).fit(rows, classes)
        straight, last = _of_all_classes(fitted.coef_.T, fitted.intercept_, had, count)
        if kind == "logistic":
            units = np.zeros(0)
            return _network(np.zeros((rows.shape[1], 0)), units, np.zeros((0, len(last))), last, straight)
        parts = [_fit_network(rows, classes, seed + number) for number in range(NETWORKS)]
    # the regression holds where ground is of another kind than what was labelled, and counts as much as the networks;
    # what a softmax takes from each part is the same for all classes, so that scores before it are averaged
    outs = [_of_all_classes(part.coefs_[1], part.intercepts_[1], had, count) for part in parts]
    return _network(
        np.hstack([part.coefs_[0] for part in parts]),
        np.concatenate([part.intercepts_[0] for part in parts]),
        np.vstack([weights for weights, _ in outs]) / (2 * NETWORKS),
        np.mean([offsets for _, offsets in outs], axis=0) / 2 + last / 2,
        straight / 2,
    )


def _fit_network(rows: Rows, classes: Classes, seed: int) -> MLPClassifier:
    """Fit a network for as many rounds as it has, which is where it is to stop."""
    network = MLPClassifier(
        (HIDDEN,),
        alpha=DECAY,
        batch_size=min(BATCH, len(rows)),
        learning_rate_init=STEP,
        max_iter=ROUNDS,
        n_iter_no_change=ROUNDS,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(rows, classes)


def _of_all_classes(
    weights: NDArray[Any], offsets: NDArray[Any], had: Classes, count: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give weights to all classes: of two, scikit-learn keeps the odds of the second alone; of others, nothing."""
    if len(offsets) < len(had):
        weights = np.hstack([np.zeros_like(weights), weights])
        offsets = np.concatenate([np.zeros_like(offsets), offsets])
    wide, last = np.zeros((len(weights), count)), np.full(count, MISSING)
    wide[:, had], last[had] = weights, offsets
    return wide, last


def _network(*parts: NDArray[Any]) -> Network:
    """Make a network of arrays as they are kept."""
    return Network(*(np.ascontiguousarray(part, dtype=np.float32) for part in parts))


def scorer_of(arrays: Mapping[str, NDArray[Any]]) -> Scorer:
    """Make a scorer again of what `Scorer.arrays` gave."""
    if "points" in arrays:
        return Densities(arrays["points"], arrays["of_class"], arrays["count"])
    return Network(**{name: arrays[name] for name in _LAYERS})
