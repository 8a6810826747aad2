"""Average linkage of smoothed points, mended by one run of k-means. Nothing in it is drawn at random.

Average linkage (Sokal and Michener 1958, University of Kansas Science Bulletin 38:1409-1438) keeps groups of unequal
size apart, which k-means and Ward's linkage even out. It never takes a merger back; k-means from its centroids
(Milligan 1980) brings each segment to the nearest one, so that segments of a city and those of a bootstrap sample are
grouped by one rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.linkage import average_linkage
from geo.clusters.methods.kind import ClusteringKind, Fit

MOST_LINKED = 4000
"""Up to so many points are linked one by one; more are brought together into `PIECES` first."""
PIECES = 2000


class Average(ClusteringKind):
    """Average linkage, then k-means from its centroids; for any number of segments. Nothing is drawn at random."""

    tag: ClassVar[str] = "average"
    form: ClassVar[str] = "average"
    words: ClassVar[str] = "average linkage, mended by k-means,"

    method: Literal["average"] = Field(default="average", description="average.")

    def _fit(self, points: NDArray[np.float64], k: int, *, thorough: bool) -> Fit:
        return self._fits(points, [k], thorough=thorough)[0]

    def _fits(self, points: NDArray[np.float64], ks: Sequence[int], *, thorough: bool) -> list[Fit]:  # noqa: ARG002
        from threadpoolctl import threadpool_limits

        # in an order of their own: which of two equal mergers comes first must not depend on that of the segments
        order = np.lexsort(points.T[::-1])
        mine = np.ascontiguousarray(points[order])
        # sums over several threads come in any order, and the last bit of a centroid with them
        with threadpool_limits(limits=1):
            piece = _pieces(mine, self.seed)
            sizes = np.bincount(piece)
            middles = np.stack([np.bincount(piece, column) for column in mine.T], axis=1) / sizes[:, None]
            tree = average_linkage(middles, sizes.astype(np.float64))
            found = [_mended(mine, tree.cut(k)[piece], k, self.seed) for k in ks]
        back = np.argsort(order, kind="stable")
        return [Fit(fit.labels[back], fit.centroids) for fit in found]


def _pieces(points: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Bring many points together into `PIECES`; a few are one each, and equal ones one together."""
    from sklearn.cluster import KMeans

    distinct, piece = np.unique(points, axis=0, return_inverse=True)
    if len(distinct) <= MOST_LINKED:
        return piece.ravel().astype(np.int64)
    # starts that lie evenly in the order of the points
    starts = distinct[np.linspace(0, len(distinct) - 1, PIECES).astype(np.int64)]
    labels = KMeans(PIECES, init=starts, n_init=1, max_iter=5, random_state=seed).fit_predict(points)
    return np.unique(labels, return_inverse=True)[1].ravel().astype(np.int64)


def _mended(points: NDArray[np.float64], joined: NDArray[np.int64], k: int, seed: int) -> Fit:
    from sklearn.cluster import KMeans

    starts = np.stack([points[joined == label].mean(axis=0) for label in range(k)])
    model = KMeans(n_clusters=k, init=starts, n_init=1, random_state=seed).fit(points)
    return Fit(model.labels_.astype(np.int64), model.cluster_centers_)
