"""Classes of ground by spherical k-means, its groups merged by average linkage.

On aerial imagery, k-means of good features ties with the methods of unsupervised segmentation that were published since
(the comparisons of PriMaPs-EM, Hahn et al. 2024, on Potsdam-3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.errors import LayerError
from geo.features.lengths import of_length_1
from geo.ground.contract import Features, Piece
from geo.ground.kind import Learned
from geo.ground.names import found_class
from geo.ground.smoothing import smoothed
from geo.ground.unsupervised.centroids import SMOOTHED, Centroids
from geo.ground.unsupervised.described import Drawn, describe
from geo.ground.unsupervised.grouping import spherical_k_means
from geo.ground.unsupervised.proposals import proposals_of
from geo.ground.unsupervised.space import fit_space, weights_of
from geo.ground.unsupervised.tree import merged

if TYPE_CHECKING:
    from geo.ground.unsupervised.settings import Unsupervised

MOST_CELLS = 60_000
"""Groups are found among so many cells at most, drawn alike from all pieces."""
Proposals = NDArray[np.int64]


def find_classes(pieces: Sequence[Piece], settings: Unsupervised, drawn: Drawn | None = None) -> Learned:
    """Find classes; see `geo.ground.kind.GroundKind.learn`.

    Parameters
    ----------
    pieces, settings
        See there.
    drawn
        A map that says what classes mostly are; None: nothing is said.

    Raises
    ------
    LayerError
        When there are fewer cells with imagery than groups to be found.
    """
    cells, proposals, weights, seen = _drawn(pieces, settings, drawn)
    if len(cells) <= settings.clusters:
        raise LayerError(
            f"{len(cells)} cells beside roads have imagery, and {settings.clusters} groups are to be found in them",
            where="ground",
            todo="Leave the section ground out, or give imagery of more of the roads.",
        )
    mean, axes = fit_space(cells, weights)
    points = _placed(cells, mean, axes)
    if settings.prior == "contrast":
        from geo.ground.unsupervised.contrast import train_head

        axes = axes @ train_head(points, proposals, settings.seed)
        points = _placed(cells, mean, axes)
    middles, groups = spherical_k_means(points, settings.clusters, settings.seed)
    sizes = np.bincount(groups, minlength=len(middles))
    of_class = _by_size(merged(middles, sizes).cut(min(settings.classes, len(middles))), sizes)
    shares = np.bincount(of_class, weights=sizes)[1:] / sizes.sum()
    words = {} if drawn is None else seen.describe(of_class[groups], drawn, settings.seed)
    told = tuple(
        found_class(number, float(share), words.get(number, ""))
        for number, share in enumerate(shares, start=1)
    )
    side_m = np.array([settings.proposal_m if settings.prior == "superpixels" else 0.0], dtype=np.float32)
    return Learned(Centroids(told, mean, axes, middles, sizes, of_class.astype(np.uint8), side_m))


def _placed(cells: Features, mean: Features, axes: Features) -> Features:
    return np.asarray(of_length_1((cells - mean) @ axes), dtype=np.float32)


def _by_size(labels: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give merged groups numbers from 1, the largest first."""
    order = np.argsort(-np.bincount(labels, weights=sizes), kind="stable")
    return np.argsort(order)[labels] + 1


@dataclass
class _Seen:
    """What a map says of cells, a part a piece: in features of which words they lie, and whether it reaches there."""

    lies: list[NDArray[np.bool_]] = field(default_factory=list)
    reached: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, piece: Piece, rows: NDArray[np.int64], drawn: Drawn) -> None:
        """Look up the cells of a piece."""
        lies, reached = drawn.on(piece)
        self.lies.append(lies[rows])
        self.reached.append(reached[rows])

    def describe(self, classes: NDArray[np.int64], drawn: Drawn, seed: int) -> dict[int, str]:
        """Say what classes mostly are, by the class of each cell; see `geo.ground.unsupervised.described.describe`."""
        chips = np.repeat(np.arange(len(self.lies)), [len(one) for one in self.lies])
        inside = np.concatenate(self.reached)
        lies = np.concatenate(self.lies)[inside]
        return describe(classes[inside], lies, chips[inside], drawn.words, seed)


def _drawn(
    pieces: Sequence[Piece], settings: Unsupervised, drawn: Drawn | None
) -> tuple[Features, Proposals, NDArray[np.float32], _Seen]:
    """Draw cells that have data, about as many from each piece, and say how much each feature counts.

    Returns
    -------
    Smoothed features ``(cells, dimension)``; the superpixel of each cell, of which all are 0 where none are asked for;
    weights ``(dimension,)``; and what a map says of the cells.
    """
    seen = _Seen()
    rng = np.random.default_rng(settings.seed)
    each = max(1, -(-MOST_CELLS // max(1, len(pieces))))
    cells, proposals = [], []
    weights: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
    for number, piece in enumerate(pieces):
        weights = weights_of(piece, settings.strides)
        known = piece.known().ravel()
        table = smoothed(piece.features, SMOOTHED).reshape(len(known), -1)
        if settings.prior == "contrast":
            parts = proposals_of(piece, settings.proposal_m).ravel()
            # whole superpixels, as many as make up the piece's share
            order = np.argsort(rng.permutation(parts.max() + 1)[parts], kind="stable")
            rows = order[known[order]][:each]
            proposals.append(parts[rows] + number * len(known))
        else:
            rows = rng.permutation(np.flatnonzero(known))[:each]
            proposals.append(np.zeros(len(rows), dtype=np.int64))
        cells.append(table[rows])
        if drawn is not None:
            seen.add(piece, rows, drawn)
    if not cells:
        return np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=np.int64), weights, seen
    return np.concatenate(cells), np.concatenate(proposals), weights, seen
