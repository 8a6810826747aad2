"""Fingerprints evened out by what a turn of the image changes, which is not what a road is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from geo.clusters.whitening.scatter import Scatter
from geo.config import Clusters
from geo.errors import LayerError
from geo.features.encoder import Embeddings

COMPONENTS = 128
"""Principal components of the fingerprints that are evened out; the rest is left out."""
SHRINK = 0.3
"""What is added to each direction's share of the scatter, of which the mean is 1: none is blown up without bound."""
LEAST_VARIANCE = 1e-12
"""A component of less than so much of the strongest one's variance is rounding noise."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """A linear map that shrinks the directions in which one place scatters.

    Attributes
    ----------
    middle
        Mean of the fingerprints that it was fitted on, ``(dimension,)``.
    directions
        ``(dimension, components)``.
    """

    middle: NDArray[np.float64]
    directions: NDArray[np.float64]

    @classmethod
    def fit(cls, vectors: NDArray[np.floating], scatter: Scatter) -> Self:
        """Fit the map: within-class covariance normalisation, each place a class of its own.

        The fingerprints' principal components (`COMPONENTS`); in them the eigenvectors of the scatter, each divided by
        the root of its eigenvalue, as a share of their mean, plus `SHRINK` (Hatch, Kajarekar and Stolcke 2006,
        Interspeech, within-class covariance normalisation, with the identity mixed in). Without any scatter it is the
        components alone.

        Parameters
        ----------
        vectors
            Fingerprints ``(segments, dimension)``, finite.
        scatter
            How looks at one place scatter, of embeddings of the same encoder.

        Raises
        ------
        LayerError
            When the two are of embeddings of other lengths.
        """
        exact = np.asarray(vectors, dtype=np.float64)
        if exact.shape[1] != len(scatter.matrix):
            raise LayerError(
                f"fingerprints have {exact.shape[1]} numbers, and what turns change is known of {len(scatter.matrix)}",
                where="clusters.turn_whitening",
                todo="Make the run anew: the two are of different encoders.",
            )
        middle = exact.mean(axis=0)
        with threadpool_limits(limits=1):
            apart = exact - middle
            variance, axes = np.linalg.eigh(apart.T @ apart / len(exact))
            strongest = variance > max(variance.max(), 0.0) * LEAST_VARIANCE
            axes = axes[:, strongest][:, ::-1][:, :COMPONENTS]
            within, turned = np.linalg.eigh(axes.T @ scatter.mean @ axes)
            level = within.mean() if within.size else 0.0
            shares = np.maximum(within, 0.0) / level if level > 0 else np.ones_like(within)
            directions = (axes @ turned) * (shares + SHRINK) ** -0.5
        return cls(middle, directions)

    def transform(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map fingerprints ``(n, dimension)`` to ``(n, components)``; rows that are not finite stay so."""
        with threadpool_limits(limits=1):
            found: NDArray[np.float64] = (
                np.asarray(vectors, dtype=np.float64) - self.middle
            ) @ self.directions
        return found


def even_out(vectors: NDArray[np.floating], settings: Clusters, scatter: Scatter | None) -> Embeddings:
    """Even fingerprints out by what changes them and is not the road, before they are brought into the types' space.

    Parameters
    ----------
    vectors
        Fingerprints ``(segments, dimension)``; a row that is not finite has none, and stays so.
    settings
        The section ``clusters``: ``turn_whitening``.
    scatter
        How looks at one place scatter; None: fingerprints are left as they are.

    Raises
    ------
    LayerError
        When ``turn_whitening`` is on and there is no scatter.
    """
    if scatter is None:
        if settings.turn_whitening:
            raise LayerError(
                "the embedding of each quarter turn was not kept",
                where="clusters.turn_whitening",
                todo="Set encoder.keep_turns: true, which encodes the imagery anew, or leave turn_whitening out.",
            )
        return vectors.astype(np.float32, copy=False)
    seen = np.isfinite(vectors).all(axis=1)
    if not seen.any():
        return vectors.astype(np.float32, copy=False)
    return Whitening.fit(vectors[seen], scatter).transform(vectors).astype(np.float32)
