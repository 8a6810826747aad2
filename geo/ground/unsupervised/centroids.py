"""A place belongs to the class whose middle its features are nearest to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from geo.features.lengths import of_length_1
from geo.ground.contract import Classes, Classifier, Features, GroundClass, Scores
from geo.ground.smoothing import smoothed

if TYPE_CHECKING:
    import pandas as pd

    from geo.ground.contract import Piece

SMOOTHED = 5
"""Features are averaged over so many cells along each side."""
_ARRAYS = ("mean", "axes", "middles", "sizes", "of_class", "proposal_m")


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
        What features less their mean are multiplied by: ``(dimension, components)``.
    middles
        Of length 1, ``(groups, components)``.
    sizes
        How many cells each group had, of those that it was found in, ``(groups,)``.
    of_class
        Number of each group's class, ``(groups,)``.
    proposal_m
        Side of the superpixels in which scores are averaged (metres), ``(1,)``; 0: places are told one by one.
    """

    told: tuple[GroundClass, ...]
    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    middles: NDArray[np.float32]
    sizes: NDArray[np.int64]
    of_class: NDArray[np.uint8]
    proposal_m: NDArray[np.float32]

    @property
    def classes(self) -> tuple[GroundClass, ...]:
        """See `Classifier.classes`."""
        return self.told

    def place(self, features: Features) -> Features:
        """Bring features ``(rows, columns, dimension)`` into the space, each of length 1."""
        return np.asarray(of_length_1((smoothed(features, SMOOTHED) - self.mean) @ self.axes))

    def scores(self, piece: Piece) -> Scores:
        """Give the cosine to the nearest middle of each class; see `Classifier.scores`."""
        cosines = self.place(piece.features) @ self.middles.T
        side_m = float(self.proposal_m[0])
        if side_m:
            from geo.ground.unsupervised.proposals import mean_in, proposals_of

            cosines = mean_in(proposals_of(piece, side_m), cosines)
        best = [cosines[..., self.of_class == one.number].max(axis=-1) for one in self.told]
        return np.asarray(np.stack(best), dtype=np.float32)

    def tree(self, numbers: Classes | None = None) -> pd.DataFrame:
        """See `Classifier.tree`."""
        from geo.ground.unsupervised.tree import tree_of

        of_class = self.of_class if numbers is None else numbers[self.of_class]
        return tree_of(self.middles, self.sizes, of_class)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Classifier.arrays`."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(
        cls,
        classes: tuple[GroundClass, ...],
        arrays: Mapping[str, NDArray[Any]],
        words: Mapping[str, str],  # noqa: ARG003 - there are none
    ) -> Self:
        """See `Classifier.from_arrays`."""
        return cls(classes, **{name: arrays[name] for name in _ARRAYS})
