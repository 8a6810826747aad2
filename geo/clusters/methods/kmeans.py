"""K-means (Lloyd 1982), from starts that lie apart (Arthur and Vassilvitskii 2007); the best of several is taken."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.methods.kind import ClusteringKind, Fit

STARTS, FEWER_STARTS = 10, 3
"""How often it starts anew, for a result and for one of many resamples."""


class KMeans(ClusteringKind):
    """K-means, the best of ten starts; for any number of segments."""

    tag: ClassVar[str] = "kmeans"
    form: ClassVar[str] = "kmeans"
    words: ClassVar[str] = "k-means"

    method: Literal["kmeans"] = Field(default="kmeans", description="kmeans.")
    neighbours: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0, description="As of all methods; k-means takes segments as they are unless told otherwise."
    )

    def _fit(self, points: NDArray[np.float64], k: int, *, thorough: bool) -> Fit:
        from sklearn import cluster
        from threadpoolctl import threadpool_limits

        # sums over several threads come in any order, and the last bit of a centroid with them
        with threadpool_limits(limits=1):
            model = cluster.KMeans(
                n_clusters=k, n_init=STARTS if thorough else FEWER_STARTS, random_state=self.seed
            ).fit(points)
        return Fit(model.labels_.astype(np.int64), model.cluster_centers_)
