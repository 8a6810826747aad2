"""A linear scorer of cells that is learned from tags of whole tiles: a tile is scored by its highest cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from geo.ground.contract import Features

SHARE = 0.2
"""A tile's score is the mean of this share of its cells, the highest: of the mean of all, the score of a small thing is
lost among what lies about it; of the highest one alone, chance decides."""
ROUNDS = 15
STRENGTH = 3.0
"""How little the weights are held down (``C`` of scikit-learn's LogisticRegression)."""
STEP = 0.5
"""Of the way to the weights that fit the highest cells; all of it would go to and fro between two choices of cells."""
Tags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scorer:
    """A linear scorer of one tag: `weights` ``(components,)`` and `bias`."""

    weights: NDArray[np.float32]
    bias: float

    def __call__(self, cells: Features) -> NDArray[np.float32]:
        """Give the log odds of cells ``(..., components)``."""
        found: NDArray[np.float32] = cells @ self.weights + np.float32(self.bias)
        return found


def as_bags(cells: Features, starts: NDArray[np.int64]) -> Features:
    """Lay the cells of each zone out side by side, those of smaller zones again and again: ``(zones, most, d)``.

    Parameters
    ----------
    cells
        Zone after zone, ``(cells, d)``.
    starts
        Where each zone begins, and how many there are, ``(zones + 1,)``; no zone is empty.
    """
    sizes = np.diff(starts)
    found: Features = cells[starts[:-1, None] + np.arange(sizes.max(initial=0)) % sizes[:, None]]
    return found


def pooled(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Score tiles by their cells ``(tiles, cells)``: the mean of the highest fifth.

    Examples
    --------
    >>> pooled(np.array([[5, 1, 1, 1, 1, 1, 1, 1, 1, 3]], dtype=np.float32)).tolist()
    [4.0]
    """
    found: NDArray[np.float32] = np.take_along_axis(scores, _highest(scores), axis=1).mean(axis=1)
    return found


def _highest(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find the highest fifth of the cells of each tile."""
    count = max(1, round(SHARE * scores.shape[1]))
    found: NDArray[np.int64] = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    return found


def fit_scorer(bags: Features, tags: Tags) -> Scorer:
    """Learn a scorer of cells from tags of tiles.

    Top-instance pooling (Li and Vasconcelos 2015, CVPR, 4277-4285) by alternation, as MI-SVM does it (Andrews,
    Tsochantaridis and Hofmann 2002, NIPS 15): logistic regression of the means of each tile's highest cells, yes and no
    weighing alike, then the highest cells by what was learned, from the means of whole tiles on.

    Parameters
    ----------
    bags
        Cells of each tile, ``(tiles, cells, components)``, of a mean square of about 1.
    tags
        Whether each tile carries the tag, ``(tiles,)``; some do and some do not.
    """
    means = bags.mean(axis=1)
    weights = np.zeros(bags.shape[2], dtype=np.float32)
    bias, step = 0.0, 1.0
    with threadpool_limits(limits=1):
        for _ in range(ROUNDS):
            model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500).fit(means, tags)
            weights = (weights + step * (model.coef_[0] - weights)).astype(np.float32)
            bias, step = float(model.intercept_[0]), STEP
            highest = _highest(bags @ weights)
            means = np.take_along_axis(bags, highest[:, :, None], axis=1).mean(axis=1)
    return Scorer(weights, bias)
