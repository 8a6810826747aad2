"""Flexible average linkage of smoothed points, mended by one run of k-means. Nothing in it is drawn at random.

Average linkage (Sokal and Michener 1958, University of Kansas Science Bulletin 38:1409-1438) keeps groups of unequal
size apart, which k-means and Ward's linkage even out; made a little flexible (Belbin, Faith and Milligan 1992) it does
nearly as well as these where groups are of like size. It never takes a merger back; k-means from its centroids
(Milligan 1980) brings each segment to the nearest one, so that segments of a city and those of a bootstrap sample are
grouped by one rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.methods.kind import ClusteringKind, Fit
from geo.clusters.methods.linkage import average_linkage
from geo.clusters.methods.mending import mended, middles, pieces


class Average(ClusteringKind):
    """Flexible average linkage, then k-means from its centroids; for any number of segments. Nothing is drawn."""

    tag: ClassVar[str] = "average"
    form: ClassVar[str] = "average"
    words: ClassVar[str] = "flexible average linkage, mended by k-means,"

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
            piece = pieces(mine, self.seed)
            tree = average_linkage(middles(mine, piece), np.bincount(piece).astype(np.float64))
            found = [mended(mine, tree.cut(k)[piece], self.seed) for k in ks]
        back = np.argsort(order, kind="stable")
        return [Fit(fit.labels[back], fit.centroids) for fit in found]
