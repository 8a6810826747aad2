"""Communities of the graph of likeness (Leiden: Traag, Waltman and van Eck 2019, Scientific Reports 9:5233).

Segments are joined to those that look most like them, and grouped so that more of these ties lie inside groups than
their numbers of ties would bring about (modularity with a resolution: Reichardt and Bornholdt 2006, Physical Review E
74:016110). The resolution is sought that gives as many groups as are wanted; where none does, because two of them take
the number in one step or the graph lies in more parts than that, groups of the next larger number are brought together
by average linkage. One run of k-means from their middles then brings each segment to the nearest one, so that segments
of a city and those of a bootstrap sample are grouped by one rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.methods.kind import NOTHING, Beside, ClusteringKind, Fit
from geo.clusters.methods.linkage import average_linkage
from geo.clusters.methods.mending import distinct, mended, middles, pieces
from geo.features.lengths import of_length_1

Labels = NDArray[np.int64]
STEP = 2**0.5
"""From one resolution to the next, up or down from 1, until there are enough groups, or too few."""
HALVINGS = 3
"""How often the space between two of them is then halved."""
LEAST_STEPS, MOST_STEPS = -16, 60
"""At the first of these resolutions ties alone count, and groups are the parts of the graph; at the last each point is
one."""
ITERATIONS, FEWER_ITERATIONS = 3, 1
"""How often the groups of one resolution are mended, for a result and for one of many resamples."""
LEAST_TIE = 1e-6
"""What a tie to a neighbour counts that looks like the opposite: nearest ones may, of a few points."""
EDGES_AT_ONCE = 1_000_000


class Leiden(ClusteringKind):
    """Communities of the graph of likeness, then k-means from their middles; for any number of segments."""

    tag: ClassVar[str] = "leiden"
    form: ClassVar[str] = "leiden"
    words: ClassVar[str] = "communities of the graph of likeness (Leiden), mended by k-means,"

    method: Literal["leiden"] = Field(default="leiden", description="leiden.")
    neighbours: Annotated[int, Field(ge=1, le=100)] = Field(
        default=15,
        description="How many of the segments that look most like it each one is joined to (number); those that show "
        "the same ground do not count.",
    )
    smoothing: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0, description="As of all methods; Leiden takes segments as they are unless told otherwise."
    )

    def _fit(self, points: NDArray[np.float64], k: int, *, thorough: bool) -> Fit:
        return self._fits_beside(points, [k], NOTHING, thorough=thorough)[0]

    def _fits_beside(
        self, points: NDArray[np.float64], ks: Sequence[int], beside: Beside, *, thorough: bool
    ) -> list[Fit]:
        from threadpoolctl import threadpool_limits

        # equal points would be each other's only neighbours; and their order must not depend on that of the segments
        first, place = distinct(points)
        looks = points[first]
        order = np.argsort(place, kind="stable")
        back = np.argsort(order, kind="stable")
        with threadpool_limits(limits=1):
            ties = _ties(looks, self.neighbours, beside.of(first).left_out)
            communities = _Communities(ties, self.seed, ITERATIONS if thorough else FEWER_ITERATIONS)
            found = [self._grouped(points[order], place[order], looks, communities, k) for k in ks]
        return [Fit(fit.labels[back], fit.centroids) for fit in found]

    def _grouped(
        self,
        points: NDArray[np.float64],
        place: Labels,
        looks: NDArray[np.float64],
        communities: _Communities,
        k: int,
    ) -> Fit:
        labels = communities.at_least(k)
        if labels.max() + 1 > k:
            labels = _brought_together(looks, labels, k, self.seed)
        return mended(points, labels[place], self.seed)


@dataclass(frozen=True, slots=True)
class _Communities:
    """Groups of the points of a graph at any resolution; what was found is kept."""

    ties: sp.csr_array
    seed: int
    iterations: int
    found: dict[float, Labels] = field(default_factory=dict)

    def at_least(self, k: int) -> Labels:
        """Give the fewest groups that are found and are `k` or more: the same whatever was asked before."""
        steps, tried = 0, [self._at(1.0)]
        while (tried[-1].max() + 1 < k) == (tried[0].max() + 1 < k) and LEAST_STEPS < steps < MOST_STEPS:
            steps += 1 if tried[0].max() + 1 < k else -1
            tried.append(self._at(STEP**steps))
        low, high = sorted((STEP**steps, STEP ** (steps + (1 if steps <= 0 else -1))))
        for _ in range(HALVINGS):
            if any(labels.max() + 1 == k for labels in tried):
                break
            between = (low * high) ** 0.5
            tried.append(self._at(between))
            low, high = (between, high) if tried[-1].max() + 1 < k else (low, between)
        alone = np.arange(self.ties.shape[0])
        return min((labels for labels in tried if labels.max() + 1 >= k), key=np.max, default=alone)

    def _at(self, resolution: float) -> Labels:
        if resolution not in self.found:
            self.found[resolution] = _communities(self.ties, resolution, self.seed, self.iterations)
        return self.found[resolution]


def _communities(ties: sp.csr_array, resolution: float, seed: int, iterations: int) -> Labels:
    """Group the points of a graph at a resolution, ``(n,)``, counted from 0; who has no tie is a group of its own."""
    from graspologic_native import leiden_csr

    n = ties.shape[0]
    labels = np.arange(n) + n
    if ties.nnz:
        _, found = leiden_csr(
            ties.indptr.astype(np.int64),
            ties.indices.astype(np.int32),
            ties.data,
            n,
            resolution=resolution,
            iterations=iterations,
            use_modularity=True,
            seed=seed,
        )
        rows = np.fromiter(found.keys(), dtype=np.int64, count=len(found))
        groups = np.fromiter(found.values(), dtype=np.int64, count=len(found))
        tied = np.diff(ties.indptr)[rows] > 0
        labels[rows[tied]] = groups[tied]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _ties(points: NDArray[np.float64], neighbours: int, left_out: sp.csr_array | None) -> sp.csr_array:
    """Join each point to those that look most like it; a tie counts its cosine."""
    from geo.clusters.graph.neighbours import graph_of, nearest

    unit = of_length_1(points)
    graph = graph_of(nearest(unit, neighbours, left_out=left_out)[0])
    ends = graph.tocoo()
    for start in range(0, graph.nnz, EDGES_AT_ONCE):
        some = slice(start, start + EDGES_AT_ONCE)
        cosines = np.einsum("ij,ij->i", unit[ends.row[some]], unit[ends.col[some]])
        graph.data[some] = np.maximum(cosines, LEAST_TIE)
    return graph


def _brought_together(points: NDArray[np.float64], labels: Labels, k: int, seed: int) -> Labels:
    """Join groups that are too many by average linkage, each counting for its points."""
    piece = pieces(middles(points, labels), seed)[labels]
    tree = average_linkage(middles(points, piece), np.bincount(piece).astype(np.float64))
    return tree.cut(k)[piece]
