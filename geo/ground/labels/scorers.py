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
INVERSE_PENALTY, MOST_STEPS = 0.1, 300
POINTS, CONCENTRATION = 600, 15.0


class Scorer(Protocol):
    """What gives each class a score."""

    def scores(self, rows: Rows) -> Rows:
        """Score rows ``(n, measures)``: the logarithm of each class's probability, ``(n, classes)``."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what it is made of, by name."""


@dataclass(frozen=True, slots=True)
class Layers:
    """A network of layers, or a regression where there is one.

    Attributes
    ----------
    weights, offsets
        Of each layer, ``(inputs, outputs)`` and ``(outputs,)``; between two of them negative numbers become 0.
    """

    weights: tuple[Rows, ...]
    offsets: tuple[Rows, ...]

    def scores(self, rows: Rows) -> Rows:
        """See `Scorer.scores`."""
        passed = rows
        for number, (weight, offset) in enumerate(zip(self.weights, self.offsets, strict=True)):
            passed = (np.maximum(passed, 0) if number else passed) @ weight + offset
        return np.asarray(log_softmax(passed, axis=1), dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Scorer.arrays`."""
        return {f"weights_{n}": w for n, w in enumerate(self.weights)} | {
            f"offsets_{n}": o for n, o in enumerate(self.offsets)
        }


@dataclass(frozen=True, slots=True)
class Densities:
    """Densities of classes on the sphere: each place is as likely of a class as its examples are near to it.

    Attributes
    ----------
    points
        Examples of length 1, ``(examples, measures)``.
    of_class
        The class of each, from 0.
    """

    points: Rows
    of_class: Classes

    def scores(self, rows: Rows) -> Rows:
        """See `Scorer.scores`; the kernel is von Mises and Fisher's, as in FROST (arXiv 2606.31136)."""
        near = CONCENTRATION * (of_length_1(rows) @ self.points.T - 1)
        each = [
            logsumexp(near[:, mine], axis=1) - np.log(mine.sum())
            for mine in (self.of_class == one for one in range(int(self.of_class.max()) + 1))
        ]
        return np.asarray(log_softmax(np.stack(each, axis=1), axis=1), dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Scorer.arrays`."""
        return {"points": self.points, "of_class": self.of_class}


def fit_scorer(kind: str, rows: Rows, classes: Classes, seed: int) -> Scorer:
    """Fit a scorer.

    Parameters
    ----------
    kind
        ``network``, ``logistic`` or ``density``.
    rows
        Examples, ``(n, measures)``, measures of about one spread.
    classes
        Class of each, from 0; each has some.
    seed
        Of its random choices.
    """
    if kind == "density":
        rng = np.random.default_rng(seed)
        drawn = [
            rng.permutation(np.flatnonzero(classes == one))[:POINTS] for one in range(int(classes.max()) + 1)
        ]
        chosen = np.concatenate(drawn)
        return Densities(np.asarray(of_length_1(rows[chosen])), classes[chosen])
    with threadpool_limits(limits=1):
        if kind == "logistic":
            fitted = LogisticRegression(C=INVERSE_PENALTY, max_iter=MOST_STEPS).fit(rows, classes)
            return _layers([fitted.coef_.T], [fitted.intercept_])
        network = MLPClassifier(
            (HIDDEN,),
            alpha=DECAY,
            batch_size=min(BATCH, len(rows)),
            learning_rate_init=STEP,
            max_iter=ROUNDS,
            n_iter_no_change=ROUNDS,
            random_state=seed,
        )
        network = _quietly(network, rows, classes)
    return _layers(network.coefs_, network.intercepts_)


def _quietly(network: MLPClassifier, rows: Rows, classes: Classes) -> MLPClassifier:
    """Fit a network for as many rounds as it has, which is where it is to stop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return network.fit(rows, classes)


def _layers(weights: list[NDArray[Any]], offsets: list[NDArray[Any]]) -> Layers:
    """Take layers as scikit-learn fits them; of two classes it keeps the odds of the second alone."""
    weights, offsets = [*weights], [*offsets]
    if weights[-1].shape[1] == 1:
        weights[-1] = np.hstack([np.zeros_like(weights[-1]), weights[-1]])
        offsets[-1] = np.concatenate([np.zeros_like(offsets[-1]), offsets[-1]])
    return Layers(
        tuple(np.ascontiguousarray(one, dtype=np.float32) for one in weights),
        tuple(np.asarray(one, dtype=np.float32) for one in offsets),
    )


def scorer_of(arrays: Mapping[str, NDArray[Any]]) -> Scorer:
    """Make a scorer again of what `Scorer.arrays` gave."""
    if "points" in arrays:
        return Densities(arrays["points"], arrays["of_class"])
    count = sum(name.startswith("weights_") for name in arrays)
    return Layers(
        tuple(arrays[f"weights_{n}"] for n in range(count)),
        tuple(arrays[f"offsets_{n}"] for n in range(count)),
    )
