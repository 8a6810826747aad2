"""Ward's linkage (1963, Journal of the American Statistical Association 58:236-244), mended as every linkage is.

See `geo.clusters.methods.linked`. The distances of all pairs of many segments do not fit the memory: they are first
brought together into small pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geo.clusters.methods.linkage import ward_linkage
from geo.clusters.methods.linked import LinkedKind
from geo.clusters.methods.mending import middles, pieces

MOST_LINKED = 20_000
"""The distances of all pairs of so many are 1.6 GB, and are made anew for each resample. More segments are linked by
pieces (`geo.clusters.methods.mending.pieces`)."""


class Ward(LinkedKind):
    """Ward's linkage, then k-means from its centroids; for any number of segments. Nothing is drawn at random."""

    tag: ClassVar[str] = "ward"
    form: ClassVar[str] = "ward"
    words: ClassVar[str] = "Ward's linkage, mended by k-means,"

    method: Literal["ward"] = Field(default="ward", description="ward.")

    def _linked(self, points: NDArray[np.float64], ks: Sequence[int]) -> list[NDArray[np.int64]]:
        if len(points) <= MOST_LINKED:
            return _one_by_one(points, ks)
        piece = pieces(points, self.seed)
        tree = ward_linkage(middles(points, piece), np.bincount(piece).astype(np.float64))
        return [tree.cut(k)[piece] for k in ks]


def _one_by_one(points: NDArray[np.float64], ks: Sequence[int]) -> list[NDArray[np.int64]]:
    from scipy.cluster.hierarchy import cut_tree, linkage

    if len(points) == 1:
        return [np.zeros(1, dtype=np.int64) for _ in ks]
    tree = linkage(points, "ward")
    return [cut_tree(tree, [k]).ravel().astype(np.int64) for k in ks]
