"""The space that labelled ground is told apart in: features of the encoder, fewer and evened out, and colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits
from torch.nn.functional import interpolate

from geo.features.lengths import of_length_1
from geo.ground.contract import Features, Piece
from geo.ground.labels.fitted.colours import colours
from geo.ground.smoothing import smoothed

COMPONENTS, WHITENING = 64, 0.5
SMOOTHED = 3
"""Features are averaged over so many cells along each side."""
LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Space:
    """What places are described by.

    Attributes
    ----------
    mean, axes
        Features less their mean are multiplied by axes, ``(dimension,)`` and ``(dimension, components)``.
    middle, spread
        Of the colours, ``(measures,)``; of none where only features are looked at.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    middle: NDArray[np.float32]
    spread: NDArray[np.float32]

    def deep(self, piece: Piece) -> Features:
        """Describe cells by features: ``(rows, columns, components)``."""
        return np.asarray((smoothed(piece.features, SMOOTHED) - self.mean) @ self.axes, dtype=np.float32)

    def describe(self, piece: Piece, finer: int) -> Features:
        """Describe places by features, drawn out between the middles of cells, and by colours.

        Returns
        -------
        ``(rows * finer, columns * finer, components + measures)``.
        """
        deep = drawn_out(self.deep(piece), finer)
        if not len(self.middle):
            return deep
        own = (colours(piece, finer) - self.middle) / self.spread
        return np.concatenate([deep, own], axis=-1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what it is made of, by name."""
        return {"mean": self.mean, "axes": self.axes, "middle": self.middle, "spread": self.spread}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of what `arrays` gave."""
        return cls(*(arrays[name] for name in ("mean", "axes", "middle", "spread")))


def drawn_out(cells: Features, finer: int) -> Features:
    """Bring cells ``(rows, columns, measures)`` to a finer grid, linear between their middles."""
    if finer == 1:
        return cells
    rows, columns = (side * finer for side in cells.shape[:2])
    tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(cells, -1, 0)))[None]
    found = interpolate(tensor, size=(rows, columns), mode="bilinear", align_corners=False)[0].numpy()
    return np.moveaxis(found, 0, -1)


def fit_space(cells: Features, own: Features | None) -> Space:
    """Fit the space to cells of labelled ground.

    Parameters
    ----------
    cells
        Features of cells, ``(cells, dimension)``.
    own
        Colours of places, ``(places, measures)``; None: they are not looked at.
    """
    with threadpool_limits(limits=1):
        pca = PCA(n_components=min(COMPONENTS, *cells.shape), svd_solver="covariance_eigh").fit(cells)
    deviation = np.sqrt(np.maximum(pca.explained_variance_, np.finfo(np.float32).tiny))
    axes = pca.components_ / deviation[:, None] ** WHITENING
    # one spread on the whole, so that features and colours weigh alike
    overall = np.sqrt(np.mean(((cells - pca.mean_) @ axes.T) ** 2)) + LEAST
    none = np.zeros(0, dtype=np.float32)
    middle = none if own is None else own.mean(axis=0)
    spread = none if own is None else own.std(axis=0) + LEAST
    mean = pca.mean_.astype(np.float32)
    return Space(
        mean, (axes / overall).T.astype(np.float32), middle.astype(np.float32), spread.astype(np.float32)
    )


def unlike(deep: Features, examples: Features) -> NDArray[np.float32]:
    """Tell how near places are to the nearest of some examples: the largest cosine, ``(n,)``."""
    found: NDArray[np.float32] = (of_length_1(deep) @ examples.T).max(axis=-1)
    return found
