"""From tiles to segments, and whether the embeddings still tell segments apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from geo.features.encoder import Embeddings
from geo.features.lengths import of_length_1

COLLAPSED_RANK = 3.0
COLLAPSED_SPREAD = 0.005


def pool_segments(
    segment_ids: pd.Series, embeddings: Embeddings, weights: NDArray[np.float64] | None = None
) -> tuple[pd.Index, Embeddings]:
    """Average the embeddings of each segment's tiles.

    Each tile's embedding is brought to length 1 first, so that contrast does not weigh; tiles count by
    `weights` (their coverage). The mean forgets order and direction: a segment read backwards is the same.

    Parameters
    ----------
    segment_ids
        ``segment_id`` of each tile.
    embeddings
        Embedding of each tile, ``(tiles, dimension)``.
    weights
        What each tile counts for, above 0; None: all count alike.

    Returns
    -------
    The segment ids, sorted, and an array ``(segments, dimension)``.

    Examples
    --------
    The tiles of segment ``a`` look in two directions, however bright each of them is:

    >>> ids, pooled = pool_segments(pd.Series(["b", "a", "a"]), np.array([[0, 2], [1, 0], [0, 9]]))
    >>> ids.tolist(), pooled.tolist()
    (['a', 'b'], [[0.5, 0.5], [0.0, 1.0]])
    """
    codes, index = pd.factorize(segment_ids, sort=True)
    share = np.ones(len(codes)) if weights is None else np.asarray(weights, dtype=np.float64)
    unit = of_length_1(embeddings)
    sums = np.zeros((len(index), embeddings.shape[1]))
    np.add.at(sums, codes, unit * share[:, None])
    totals = np.bincount(codes, weights=share, minlength=len(index))
    return pd.Index(index, name="segment_id"), (sums / totals[:, None]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Quality:
    """Whether embeddings tell their items apart.

    Attributes
    ----------
    effective_rank
        Exponential of the entropy of the normalised singular values of the centred embeddings (Roy and Vetterli
        2007): how many directions are really used.
    spread
        Mean cosine distance between two embeddings drawn at random (0: all alike).
    n, dimension
        How many embeddings were judged, and how many numbers each has.
    warnings
        What is wrong with the embeddings, in words; empty when all is well.
    """

    effective_rank: float
    spread: float
    n: int
    dimension: int
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the run's record."""
        return asdict(self)


def judge(embeddings: Embeddings) -> Quality:
    """Measure effective rank and spread, and warn when the embeddings have collapsed.

    A rank below `COLLAPSED_RANK` or a spread below `COLLAPSED_SPREAD` means that the encoder sees nearly the
    same thing everywhere: wrong normalisation, blank imagery, or an encoder unfit for it.
    """
    n, dimension = embeddings.shape
    if n < 2:
        return Quality(
            float("nan"), float("nan"), n, dimension, ("fewer than two segments have an embedding",)
        )
    # sums over several threads come in any order
    with threadpool_limits(limits=1):
        values = np.linalg.svd(embeddings - embeddings.mean(axis=0), compute_uv=False)
    total = values.sum()
    shares = values / total if total > 0 else np.ones(1)
    shares = shares[shares > 0]
    rank = float(np.exp(-(shares * np.log(shares)).sum()))
    unit = of_length_1(embeddings)
    alike = (np.square(unit.sum(axis=0, dtype=np.float64)).sum() - n) / (n * (n - 1))
    spread = float(max(0.0, 1 - alike))
    warnings = []
    if rank < min(COLLAPSED_RANK, n - 1):
        warnings.append(f"embeddings use only {rank:.1f} directions: they have collapsed")
    if spread < COLLAPSED_SPREAD:
        warnings.append(f"embeddings differ by only {spread:.4f} (cosine): they have collapsed")
    return Quality(rank, spread, n, dimension, tuple(warnings))
