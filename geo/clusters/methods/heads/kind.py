"""What SCAN and TEMI share: neighbours mined among looks, heads started from k-means, and one grouping from them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.methods.kind import NOTHING, Beside, ClusteringKind, Fit, Views
from geo.clusters.methods.mending import distinct, mended
from geo.features.lengths import of_length_1

if TYPE_CHECKING:
    from geo.clusters.methods.average import Average
    from geo.clusters.methods.heads.training import Heads, Objective, Pairs

MOST_STARTING = 20_000
"""K-means, which heads start from, is run on so many segments at most, which lie evenly in an order of their own."""
STARTS = 3


class TrainedHeads(ClusteringKind):
    """Linear heads on frozen embeddings, and what they agree on.

    To train for each number of groups and each bootstrap sample of it would take hundreds of trainings. So the number
    is chosen by the default way of clustering, with its evidence, and heads are trained for that number alone: once
    for the city, and once for each of ``clusters.groupings`` samples of at most
    `geo.clusters.evidence.regrouping.SAMPLED` segments, which say how sure types are.
    """

    uses_views: ClassVar[bool] = True

    neighbours: Annotated[int, Field(ge=1, le=100)] = Field(
        default=10,
        description="How many of the segments that look most like it count as being of its type in training (number); "
        "those that show the same ground do not.",
    )
    smoothing: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="As of all methods; heads see segments as they are unless told otherwise."
    )
    heads: Annotated[int, Field(ge=1, le=50)] = Field(
        default=5,
        description="Heads that are trained, each from another start; types are what they agree on (number).",
    )

    def chooser(self) -> Average:
        """Give the default way of clustering, with the keys that all have."""
        from geo.clusters.methods.average import Average

        own = {"method", "neighbours", "smoothing"}
        shared = self.model_dump(include=set(Average.model_fields) - own)
        return Average.model_validate(shared)

    @abstractmethod
    def _objective(self, heads: Heads) -> Objective:
        """Say what heads are trained to."""

    def _finished(self, heads: Heads, pairs: Pairs) -> tuple[Heads, tuple[str, ...]]:  # noqa: ARG002 - not all do
        """Do what follows the training, and say what must be known of it."""
        return heads, ()

    def _fit(self, points: NDArray[np.float64], k: int, *, thorough: bool) -> Fit:
        return self._fits_beside(points, [k], NOTHING, thorough=thorough)[0]

    def _fits_beside(
        self, points: NDArray[np.float64], ks: Sequence[int], beside: Beside, *, thorough: bool
    ) -> list[Fit]:
        from threadpoolctl import threadpool_limits

        from geo.clusters.methods.heads.training import one_thread

        # in an order of their own, which is not that of the segments
        first, place = distinct(points)
        looks = points[first]
        order = np.argsort(place, kind="stable")
        anchors = place[order]
        back = np.argsort(order, kind="stable")
        with threadpool_limits(limits=1), one_thread():
            pairs = _pairs(looks, anchors, self.neighbours, beside.of(first))
            found = []
            for k in ks:
                labels: NDArray[np.int64] = np.arange(len(looks)) % k
                notes: tuple[str, ...] = ()
                if 1 < k < len(looks):
                    labels, notes = self._trained(pairs, k)
                fit = mended(points[order], labels[anchors], self.seed)
                found.append(Fit(fit.labels[back], fit.centroids, notes if thorough else ()))
        return found

    def _trained(self, pairs: Pairs, k: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Group the distinct points by what heads agree on."""
        from geo.clusters.methods.heads.consensus import agreed, grouped
        from geo.clusters.methods.heads.training import Heads, memberships, train

        heads = Heads.about(_starts(pairs, k, self.heads, self.seed))
        heads, losses = train(heads, self._objective(heads), pairs, seed=self.seed)
        heads, notes = self._finished(heads, pairs)
        return grouped(agreed(memberships(heads, pairs.points), losses)), notes


def _pairs(looks: NDArray[np.float64], anchors: NDArray[np.int64], count: int, beside: Beside) -> Pairs:
    """Mine neighbours among looks, and bring all to one scale."""
    from geo.clusters.graph.neighbours import NOBODY, nearest
    from geo.clusters.methods.heads.training import Pairs

    rows, _ = nearest(of_length_1(looks), count, left_out=beside.left_out)
    rows = np.where(rows == NOBODY, np.arange(len(looks))[:, None], rows)
    middle = looks.mean(axis=0)
    apart = np.sqrt(((looks - middle) ** 2).sum(axis=1).mean())
    apart = apart if apart > 0 else 1.0

    def scaled(places: NDArray[Any]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = ((places - middle) / apart).astype(np.float32)
        return found

    views = None if beside.views is None else Views(scaled(beside.views.points), beside.views.starts)
    return Pairs(scaled(looks), anchors, rows, views)


def _starts(pairs: Pairs, k: int, heads: int, seed: int) -> NDArray[np.float64]:
    """Give centres of k-means, each time from other starts, ``(heads, k, components)``."""
    from sklearn.cluster import KMeans

    every = -(-len(pairs.points) // MOST_STARTING)
    points = pairs.points[::every].astype(np.float64)
    weights = np.bincount(pairs.anchors, minlength=len(pairs.points))[::every]
    found = [
        KMeans(k, n_init=STARTS, random_state=(seed + 1_000_003 * head) % 2**32).fit(
            points, sample_weight=weights
        )
        for head in range(heads)
    ]
    return np.stack([model.cluster_centers_ for model in found])
