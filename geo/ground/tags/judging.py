"""How well a tag is told on ground that was left out, against chance, and what tags have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef
from sklearn.model_selection import StratifiedGroupKFold

FOLDS = 5
BLOCK_M, LEAST_BLOCK_M, LEAST_BLOCKS = 500.0, 60.0, 10
"""Blocks of ground that are left out together are squares of this side (metres), or of halves of it where there are
fewer than ten; below the least, neighbours would be told by neighbours."""
DRAWS = 500
LEVEL = 0.05
MOST_SHARE, MOST_PHI = 0.8, 0.7
"""Above these a warning is due: a tag that is nearly everywhere, and two that nearly always go together."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """How well a tag is told on zones left out.

    Attributes
    ----------
    precision, low, high
        Average precision, and its interval of 95 % over blocks.
    chance
        What a random order would have on average.
    better
        Whether it is better than chance: in 95 of 100 draws of blocks.
    blocks
        How many blocks there are.
    """

    precision: float
    low: float
    high: float
    chance: float
    better: bool
    blocks: int = 0

    @property
    def words(self) -> str:
        """Say it."""
        return (
            f"average precision {self.precision:.2f} ({self.low:.2f} to {self.high:.2f}) on blocks left out, "
            f"{self.chance:.2f} by chance"
        )


def blocks_of(places: Floats) -> NDArray[np.int64] | None:
    """Cut the plane into blocks, as large as ten of them allow.

    Parameters
    ----------
    places
        Middles of zones, ``(n, 2)`` (metres).

    Returns
    -------
    Number of the block of each; None where all lie too close together.
    """
    side = BLOCK_M
    while side >= LEAST_BLOCK_M:
        found, of = np.unique(np.floor(places / side), axis=0, return_inverse=True)
        if len(found) >= LEAST_BLOCKS:
            return of.ravel().astype(np.int64)
        side /= 2
    return None


def folds_of(tags: NDArray[np.bool_], blocks: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Put blocks into folds, each with about the same share of yes: the fold of each zone, ``(n,)``."""
    fold = np.zeros(len(tags), dtype=np.int64)
    least = max(2, min(FOLDS, int(tags.sum()), int((~tags).sum())))
    split = StratifiedGroupKFold(least, shuffle=True, random_state=seed).split(blocks[:, None], tags, blocks)
    for number, (_, left_out) in enumerate(split):
        fold[left_out] = number
    return fold


def chance_precision(yes: int, count: int) -> float:
    """Give the mean average precision of random orders, exactly: Bestgen 2015, Int. J. Comput. Linguist. Appl. 6.

    Examples
    --------
    One yes of two: it comes first or second, 1 or 1/2.

    >>> chance_precision(1, 2)
    0.75
    """
    if count < 2:
        return 1.0
    harmonic = float((1 / np.arange(1, count + 1)).sum())
    return (harmonic + (yes - 1) / (count - 1) * (count - harmonic)) / count


def precisions(tags: NDArray[np.bool_], scores: Floats, weights: Floats) -> Floats:
    """Give the average precision of zones by several weights at once, as scikit-learn has it for one.

    Parameters
    ----------
    tags, scores
        Whether each zone carries the tag, and how it was scored, ``(n,)``.
    weights
        ``(draws, n)``; of each draw some carry it.
    """
    order = np.argsort(-scores, kind="stable")
    falling = -scores[order]
    last_of_equal = np.searchsorted(falling, falling, side="right") - 1
    drawn = weights[:, order]
    hits = drawn * tags[order]
    found, seen = (np.cumsum(counts, axis=1)[:, last_of_equal] for counts in (hits, drawn))
    share: Floats = (hits * found / np.maximum(seen, 1)).sum(axis=1) / hits.sum(axis=1)
    return share


def judge(tags: NDArray[np.bool_], scores: Floats, blocks: NDArray[np.int64], seed: int) -> Judged:
    """Judge scores of zones that were left out, by average precision.

    Whether that is better than chance is told by drawing blocks with replacement: what it is above chance stays above 0
    by as much as it falls from its mean in 95 of 100 draws (the mean itself is too high, for what is drawn twice has
    neighbours in the order that are itself).

    Parameters
    ----------
    tags, scores, blocks
        Whether each zone carries the tag, how it was scored, and its block, ``(n,)``.
    seed
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    count = int(blocks.max()) + 1
    weights = rng.multinomial(count, np.full(count, 1 / count), DRAWS)[:, blocks].astype(np.float64)
    yes, of = weights @ tags, weights.sum(axis=1)
    some = (yes > 0) & (yes < of)
    drawn = precisions(tags, scores, weights[some])
    precision = float(precisions(tags, scores, np.ones((1, len(tags))))[0])
    chance = chance_precision(int(tags.sum()), len(tags))
    gain = drawn - yes[some] / of[some]
    shift = drawn.mean() - precision
    low, high = np.clip(np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2]) - shift, 0, 1)
    falls = float(gain.mean() - np.quantile(gain, LEVEL))
    better = precision - chance > falls
    return Judged(precision, float(low), float(high), chance, better, count)


def together(tags: pd.DataFrame) -> list[tuple[str, str, float]]:
    """List pairs of tags that nearly always go together, or never, with phi, by zones where both are known."""
    found = []
    names = list(tags.columns)
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            both = tags[[one, other]].dropna().astype(bool)
            if len(both) and both.nunique().min() > 1:
                phi = float(matthews_corrcoef(both[one], both[other]))
                if abs(phi) > MOST_PHI:
                    found.append((one, other, phi))
    return found


def overlap(mine: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> float:
    """Give the intersection over union of two sets of cells; NaN where both are empty."""
    union = int((mine | theirs).sum())
    return int((mine & theirs).sum()) / union if union else float("nan")
