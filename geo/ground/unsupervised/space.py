"""The space in which ground is grouped: features evened out, or by what a trained head sees in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from geo.ground.contract import Features, Piece

COMPONENTS, WHITENING = 64, 0.5
WEIGHTS = {4: 0.5, 8: 0.5, 16: 1.0, 32: 0.5}
"""How much the map of each stride counts: what stride 16 sees tells ground apart best, see docs/ground.md."""
Axes = tuple[NDArray[np.float32], NDArray[np.float32]]


def weights_of(piece: Piece, strides: Sequence[int]) -> NDArray[np.float32]:
    """Say how much each feature counts, ``(dimension,)``, by the stride of its map."""
    each = [WEIGHTS[stride] for stride in strides]
    if len(piece.widths) != len(each):
        return np.ones(piece.features.shape[-1], dtype=np.float32)
    return np.repeat(np.array(each, dtype=np.float32), piece.widths)


def fit_space(cells: Features, weights: NDArray[np.float32]) -> Axes:
    """Fit principal components, each divided by the root of its deviation: halfway to what whitening does.

    Parameters
    ----------
    cells
        Smoothed features ``(cells, dimension)``.
    weights
        How much each of them counts, ``(dimension,)``.

    Returns
    -------
    The features' mean, and what features less their mean are multiplied by, ``(dimension, components)``.
    """
    with threadpool_limits(limits=1):
        heavy = cells * weights
        pca = PCA(n_components=min(COMPONENTS, *cells.shape), svd_solver="covariance_eigh").fit(heavy)
        deviation = np.sqrt(np.maximum(pca.explained_variance_, np.finfo(np.float32).tiny))
        axes = weights[:, None] * (pca.components_ / deviation[:, None] ** WHITENING).T
    return cells.mean(axis=0), axes.astype(np.float32)
