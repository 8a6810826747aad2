"""Classes of ground by spherical k-means, its groups merged by average linkage.

On aerial imagery, k-means of good features ties with the methods of unsupervised segmentation that were published since
(the comparisons of PriMaPs-EM, Hahn et al. 2024, on Potsdam-3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from geo.clusters.methods.linkage import average_linkage
from geo.errors import LayerError
from geo.features.lengths import of_length_1
from geo.ground.contract import Features, GroundClass, Piece
from geo.ground.kind import Learned
from geo.ground.names import plain_colour
from geo.ground.unsupervised.centroids import Centroids, smoothed

if TYPE_CHECKING:
    from geo.ground.unsupervised.settings import Unsupervised

COMPONENTS, WHITENING = 64, 0.5
MOST_CELLS = 60_000
"""Groups are found among so many cells at most, drawn alike from all pieces."""
STARTS = 3


def find_classes(pieces: Sequence[Piece], settings: Unsupervised) -> Learned:
    """Find classes; see `geo.ground.kind.GroundKind.learn`.

    Raises
    ------
    LayerError
        When there are fewer cells with imagery than groups to be found.
    """
    cells = sample_cells(pieces, MOST_CELLS, settings.seed)
    if len(cells) <= settings.clusters:
        raise LayerError(
            f"{len(cells)} cells beside roads have imagery, and {settings.clusters} groups are to be found in them",
            where="ground",
            todo="Leave the section ground out, or give imagery of more of the roads.",
        )
    with threadpool_limits(limits=1):
        pca = PCA(n_components=min(COMPONENTS, *cells.shape), svd_solver="covariance_eigh").fit(cells)
        deviation = np.sqrt(np.maximum(pca.explained_variance_, np.finfo(np.float32).tiny))
        axes = (pca.components_ / deviation[:, None] ** WHITENING).T.astype(np.float32)
        points = of_length_1((cells - pca.mean_.astype(np.float32)) @ axes)
        groups = KMeans(settings.clusters, n_init=STARTS, random_state=settings.seed).fit(points)
    middles = of_length_1(groups.cluster_centers_)
    sizes = np.bincount(groups.labels_, minlength=len(middles)).astype(np.float64)
    tree = average_linkage(middles.astype(np.float64), sizes, beta=0.0)
    of_class = _by_size(tree.cut(min(settings.classes, len(middles))), sizes)
    shares = np.bincount(of_class, weights=sizes)[1:] / sizes.sum()
    told = tuple(
        GroundClass(number, str(number), "", plain_colour(number), "found", share=round(float(share), 6))
        for number, share in enumerate(shares, start=1)
    )
    mean = pca.mean_.astype(np.float32)
    return Learned(Centroids(told, mean, axes, middles.astype(np.float32), of_class.astype(np.uint8)))


def _by_size(merged: NDArray[np.int64], sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give merged groups numbers from 1, the largest first."""
    order = np.argsort(-np.bincount(merged, weights=sizes), kind="stable")
    return np.argsort(order)[merged] + 1


def sample_cells(pieces: Sequence[Piece], most: int, seed: int) -> Features:
    """Draw cells that have data, the same number from each piece at most: smoothed features ``(cells, dimension)``."""
    rng = np.random.default_rng(seed)
    each = max(1, -(-most // max(1, len(pieces))))
    drawn = []
    for piece in pieces:
        rows = smoothed(piece.features)[piece.known()]
        drawn.append(rows[rng.permutation(len(rows))[:each]])
    return np.concatenate(drawn) if drawn else np.zeros((0, 0), dtype=np.float32)
