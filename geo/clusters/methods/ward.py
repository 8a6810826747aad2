"""Ward's linkage (1963, Journal of the American Statistical Association 58:236-244), mended by one run of k-means.

Linkage never takes a merger back; k-means from its centroids (Milligan 1980) brings each segment to the nearest one, so
that segments of a city and those of a bootstrap sample are grouped by one rule. Nothing in it is drawn at random. The
distances of all pairs of many segments do not fit the memory: they are first brought together into small pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.methods.kind import ClusteringKind, Fit
from geo.clusters.methods.linkage import ward_linkage
from geo.clusters.methods.mending import mended, middles, pieces

MOST_LINKED = 20_000
"""The distances of all pairs of so many are 1.6 GB, and are made anew for each resample. More segments are linked by
pieces (`geo.clusters.methods.mending.pieces`)."""


class Ward(ClusteringKind):
    """Ward's linkage, then k-means from its centroids; for any number of segments. Nothing is drawn at random."""

    tag: ClassVar[str] = "ward"
    form: ClassVar[str] = "ward"
    words: ClassVar[str] = "Ward's linkage, mended by k-means,"

    method: Literal["ward"] = Field(default="ward", description="ward.")

    def _fit(self, points: NDArray[np.float64], k: int, *, thorough: bool) -> Fit:
        return self._fits(points, [k], thorough=thorough)[0]

    def _fits(self, points: NDArray[np.float64], ks: Sequence[int], *, thorough: bool) -> list[Fit]:  # noqa: ARG002
        from threadpoolctl import threadpool_limits

        # in an order of their own: which of two equal mergers comes first must not depend on that of the segments
        order = np.lexsort(points.T[::-1])
        mine = np.ascontiguousarray(points[order])
        # sums over several threads come in any order, and the last bit of a centroid with them
        with threadpool_limits(limits=1):
            joined = self._by_pieces(mine, ks) if len(mine) > MOST_LINKED else _one_by_one(mine, ks)
            found = [mended(mine, labels, self.seed) for labels in joined]
        back = np.argsort(order, kind="stable")
        return [Fit(fit.labels[back], fit.centroids) for fit in found]

    def _by_pieces(self, points: NDArray[np.float64], ks: Sequence[int]) -> list[NDArray[np.int64]]:
        piece = pieces(points, self.seed)
        tree = ward_linkage(middles(points, piece), np.bincount(piece).astype(np.float64))
        return [tree.cut(k)[piece] for k in ks]


def _one_by_one(points: NDArray[np.float64], ks: Sequence[int]) -> list[NDArray[np.int64]]:
    from scipy.cluster.hierarchy import cut_tree, linkage

    if len(points) == 1:
        return [np.zeros(1, dtype=np.int64) for _ in ks]
    tree = linkage(points, "ward")
    return [cut_tree(tree, [k]).ravel().astype(np.int64) for k in ks]
