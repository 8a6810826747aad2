"""A linear scorer of each class, and what is none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from geo.ground.contract import Classifier, GroundClass, Scores
from geo.ground.smoothing import smoothed

if TYPE_CHECKING:
    from geo.ground.contract import Piece

SCORES_OVER = 3
"""Scores are averaged over so many cells along each side."""
NAMES = ("mean", "axes", "weights", "bias")


@dataclass(frozen=True)
class TagScorer(Classifier):
    """What tags taught: a place belongs to the class of the highest score above 0, else to the last class, the rest.

    Attributes
    ----------
    told
        The classes, the last one of what carries none of the tags.
    mean
        Of the features, ``(dimension,)``.
    axes
        What features less their mean are multiplied by, ``(dimension, components)``.
    weights, bias
        Of each class but the last, ``(components, classes - 1)`` and ``(classes - 1,)``.
    """

    told: tuple[GroundClass, ...]
    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @property
    def classes(self) -> tuple[GroundClass, ...]:
        """See `Classifier.classes`."""
        return self.told

    def scores(self, piece: Piece) -> Scores:
        """Give the log odds of each class, 0 of the last one; see `Classifier.scores`."""
        through = self.axes @ self.weights
        cells = (smoothed(piece.features) - self.mean) @ through + self.bias
        own = smoothed(cells, SCORES_OVER)
        found = np.zeros((len(self.told), *piece.shape), dtype=np.float32)
        found[:-1] = np.moveaxis(own, -1, 0)
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Classifier.arrays`."""
        return {name: getattr(self, name) for name in NAMES}

    @classmethod
    def from_arrays(
        cls,
        classes: tuple[GroundClass, ...],
        arrays: Mapping[str, NDArray[Any]],
        words: Mapping[str, str],  # noqa: ARG003 - there are none
    ) -> Self:
        """See `Classifier.from_arrays`."""
        return cls(classes, **{name: arrays[name] for name in NAMES})
