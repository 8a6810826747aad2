"""Ward's linkage (1963, Journal of the American Statistical Association 58:236-244), mended by one run of k-means.

Linkage never takes a merger back; k-means from its centroids (Milligan 1980) brings each segment to the nearest one, so
that segments of a city and those of a bootstrap sample are grouped by one rule. Nothing in it is drawn at random.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.methods.kind import ClusteringKind, Fit

MOST_SEGMENTS = 20_000
"""The distances of all pairs of so many are 1.6 GB, and are made anew for each k and each resample."""


class Ward(ClusteringKind):
    """Ward's linkage, then k-means from its centroids; for at most 20,000 segments. Nothing is drawn at random."""

    tag: ClassVar[str] = "ward"
    form: ClassVar[str] = "ward"
    words: ClassVar[str] = "Ward's linkage, mended by k-means,"
    most_segments: ClassVar[int | None] = MOST_SEGMENTS

    method: Literal["ward"] = Field(default="ward", description="ward.")

    def _fit(self, points: NDArray[np.float64], k: int, *, thorough: bool) -> Fit:  # noqa: ARG002 - always is
        from sklearn.cluster import AgglomerativeClustering, KMeans
        from threadpoolctl import threadpool_limits

        # in an order of their own: which of two equal mergers comes first must not depend on that of the segments
        order = np.lexsort(points.T[::-1])
        mine = np.ascontiguousarray(points[order])
        # sums over several threads come in any order, and the last bit of a centroid with them
        with threadpool_limits(limits=1):
            joined = AgglomerativeClustering(k, linkage="ward").fit_predict(mine) if len(mine) > 1 else [0]
            starts = np.stack([mine[np.equal(joined, label)].mean(axis=0) for label in range(k)])
            model = KMeans(n_clusters=k, init=starts, n_init=1, random_state=self.seed).fit(mine)
        labels = np.empty(len(points), dtype=np.int64)
        labels[order] = model.labels_
        return Fit(labels, model.cluster_centers_)
