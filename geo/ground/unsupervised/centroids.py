"""A place belongs to the class whose middle its features are nearest to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from geo.features.lengths import of_length_1
from geo.ground.contract import Classifier, Features, GroundClass, Scores

if TYPE_CHECKING:
    from geo.ground.contract import Piece

SMOOTHED = 3
"""Features are averaged over so many cells along each side."""


def smoothed(features: Features) -> Features:
    """Average features ``(rows, columns, dimension)`` over the cells around each."""
    from scipy.ndimage import uniform_filter

    found: Features = uniform_filter(features, size=(SMOOTHED, SMOOTHED, 1), mode="nearest")
    return found


@dataclass(frozen=True)
class Centroids(Classifier):
    """Groups in a reduced space, several a class.

    Attributes
    ----------
    told
        The classes.
    mean
        Of the features, ``(dimension,)``.
    axes
        What features less their mean are multiplied by, evened out: ``(dimension, components)``.
    middles
        Of length 1, ``(groups, components)``.
    of_class
        Number of each group's class, ``(groups,)``.
    """

    told: tuple[GroundClass, ...]
    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    middles: NDArray[np.float32]
    of_class: NDArray[np.uint8]

    @property
    def classes(self) -> tuple[GroundClass, ...]:
        """See `Classifier.classes`."""
        return self.told

    def place(self, features: Features) -> Features:
        """Bring features ``(rows, columns, dimension)`` into the space, each of length 1."""
        return np.asarray(of_length_1((smoothed(features) - self.mean) @ self.axes))

    def scores(self, piece: Piece) -> Scores:
        """Give the cosine to the nearest middle of each class; see `Classifier.scores`."""
        cosines = self.place(piece.features) @ self.middles.T
        best = [cosines[..., self.of_class == one.number].max(axis=-1) for one in self.told]
        return np.asarray(np.stack(best), dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Classifier.arrays`."""
        return {"mean": self.mean, "axes": self.axes, "middles": self.middles, "of_class": self.of_class}

    @classmethod
    def from_arrays(
        cls,
        classes: tuple[GroundClass, ...],
        arrays: Mapping[str, NDArray[Any]],
        words: Mapping[str, str],  # noqa: ARG003 - there are none
    ) -> Self:
        """See `Classifier.from_arrays`."""
        return cls(classes, **{name: arrays[name] for name in ("mean", "axes", "middles", "of_class")})
