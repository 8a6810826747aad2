"""The space in which segments are compared: reduced, evened out, brought to length 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from geo.config import Clusters
from geo.features.encoder import Embeddings
from geo.features.lengths import of_length_1

Points = NDArray[np.float64]
MANY = 50_000
"""Of more segments components are found from their covariance: the same ones, to about seven digits."""
ROUNDING = 1e-6
"""Embeddings that differ by no more than this share of their largest number look the same: float32 holds no more."""


@dataclass(frozen=True, slots=True)
class Space:
    """A space that was made of some embeddings, into which others can be brought.

    Attributes
    ----------
    mean
        Of the embeddings, ``(dimension,)``.
    axes
        Principal components that have variance, ``(components, dimension)``; as they are where there is no reduction.
    deviation
        Standard deviation of the embeddings along each, ``(components,)``.
    whitening
        The power of it that they are divided by (0 to 1).
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    deviation: NDArray[np.float64]
    whitening: float

    def of(self, embeddings: Embeddings) -> Points:
        """Bring embeddings ``(segments, dimension)`` into the space: rows of length 1, ``(segments, components)``."""
        # sums over several threads come in any order, and the last bit of a place with them
        with threadpool_limits(limits=1):
            return _evened((embeddings.astype(np.float64) - self.mean) @ self.axes.T, self)


def fit_space(embeddings: Embeddings, settings: Clusters) -> tuple[Space, Points]:
    """Make the space that clusters are found in; see `to_space`.

    Parameters
    ----------
    embeddings
        Embedding of each segment, ``(segments, dimension)``.
    settings
        The section ``clusters`` of the city's file: ``components`` and ``whitening``.

    Returns
    -------
    The space, and the embeddings in it.

    Examples
    --------
    >>> from geo.config import Clusters
    >>> embeddings = np.random.default_rng(0).normal(size=(50, 320)).astype(np.float32)
    >>> space, points = fit_space(embeddings, Clusters(components=8))
    >>> space.axes.shape, bool(np.allclose(space.of(embeddings), points))
    ((8, 320), True)
    """
    points = embeddings.astype(np.float64)
    mean = points.mean(axis=0)
    largest = np.abs(points).max(initial=0.0)
    points -= mean
    dimension = len(mean)
    if np.abs(points).max(initial=0.0) <= ROUNDING * largest:
        flat = Space(mean, np.zeros((1, dimension)), np.ones(1), settings.whitening)
        return flat, np.zeros((len(points), 1))
    axes = np.eye(dimension)
    if settings.components is not None and len(points) > 1:
        # of many rows the decomposition itself would take several times their memory
        solver = "full" if len(points) <= MANY else "covariance_eigh"
        pca = PCA(n_components=min(settings.components, *points.shape), svd_solver=solver)
        with threadpool_limits(limits=1):
            points = pca.fit_transform(points)
        # what the analysis took off beside our own mean is rounding
        mean, axes = mean + pca.mean_, pca.components_
    deviation = points.std(axis=0)
    # a direction without variance is rounding noise: blown up it would count as much as the others
    real = deviation > deviation.max(initial=0.0) * ROUNDING
    space = Space(mean, axes[real], deviation[real], settings.whitening)
    return space, _evened(points[:, real], space)


def to_space(embeddings: Embeddings, settings: Clusters) -> Points:
    """Bring embeddings into the space that clusters are found in.

    Principal components; each divided by its deviation to the power `whitening` (0.5 halves the lead of the
    strongest components, which k-means would otherwise follow alone; 1 gives noise the same say as signal);
    then each row brought to length 1, so that distances order as cosines do.

    Parameters
    ----------
    embeddings
        Embedding of each segment, ``(segments, dimension)``.
    settings
        The section ``clusters`` of the city's file: ``components`` and ``whitening``.

    Returns
    -------
    Array ``(segments, components)`` of rows of length 1; fewer components where there are fewer segments.

    Examples
    --------
    >>> from geo.config import Clusters
    >>> embeddings = np.random.default_rng(0).normal(size=(50, 320)).astype(np.float32)
    >>> points = to_space(embeddings, Clusters(components=8))
    >>> points.shape, bool(np.allclose(np.linalg.norm(points, axis=1), 1))
    ((50, 8), True)
    """
    return fit_space(embeddings, settings)[1]


def _evened(points: Points, space: Space) -> Points:
    """Divide by deviations as far as the space asks, and bring rows to length 1."""
    return of_length_1(points / space.deviation**space.whitening)
