"""Ways of clustering by a linkage, which is mended by k-means from its centroids. Nothing in them is drawn at random.

Linkage never takes a merger back; k-means from its centroids (Milligan 1980) brings each segment to the nearest one, so
that segments of a city and those of a bootstrap sample are grouped by one rule.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.clusters.methods.kind import ClusteringKind, Fit
from geo.clusters.methods.mending import mended


class LinkedKind(ClusteringKind):
    """A linkage, then k-means from its centroids."""

    @abstractmethod
    def _linked(self, points: NDArray[np.float64], ks: Sequence[int]) -> list[NDArray[np.int64]]:
        """Link points, and give the group of each in each of several numbers of groups."""

    def _fit(self, points: NDArray[np.float64], k: int, *, thorough: bool) -> Fit:
        return self._fits(points, [k], thorough=thorough)[0]

    def _fits(self, points: NDArray[np.float64], ks: Sequence[int], *, thorough: bool) -> list[Fit]:  # noqa: ARG002
        from threadpoolctl import threadpool_limits

        # in an order of their own: which of two equal mergers comes first must not depend on that of the segments
        order = np.lexsort(points.T[::-1])
        mine = np.ascontiguousarray(points[order])
        # sums over several threads come in any order, and the last bit of a centroid with them
        with threadpool_limits(limits=1):
            found = [mended(mine, labels, self.seed) for labels in self._linked(mine, ks)]
        back = np.argsort(order, kind="stable")
        return [Fit(fit.labels[back], fit.centroids) for fit in found]
