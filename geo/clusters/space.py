"""The space in which segments are compared: reduced, evened out, brought to length 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from geo.config import Clusters
from geo.features.encoder import Embeddings

Points = NDArray[np.float64]


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
    points = embeddings.astype(np.float64)
    points -= points.mean(axis=0)
    if not points.any():
        return np.zeros((len(points), 1))
    if settings.components is not None and len(points) > 1:
        pca = PCA(n_components=min(settings.components, *points.shape), svd_solver="full")
        points = pca.fit_transform(points)
    deviation = points.std(axis=0)
    # a direction without variance is rounding noise: blown up it would count as much as the others
    real = deviation > deviation.max(initial=0.0) * 1e-6
    points = points[:, real] / deviation[real] ** settings.whitening
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    scaled: Points = points / np.where(lengths > 0, lengths, 1)
    return scaled
