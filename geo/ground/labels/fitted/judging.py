"""How well classes are told apart at places that were not learned from, and what is added to their scores for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.ground.labels.fitted.scorers import Rows

Floats = NDArray[np.float64]
STEPS = (2.0, 1.0, 0.5, 0.25)
"""By how much the score of a class is raised or lowered to see whether that is better (logarithm of odds)."""
AHEAD = 4
"""So many steps of each size are looked at to both sides."""
MOST = 20_000
"""What is added to scores is settled on so many places of the map at most."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Scores at places that were not learned from.

    Attributes
    ----------
    scores
        ``(n, classes)``, the rest first where there is one.
    truth
        Class of each, an index of the columns of `scores`.
    place
        Number of the place of each.
    """

    scores: Rows
    truth: NDArray[np.int64]
    place: NDArray[np.int64]

    def some(self, seed: int) -> LeftOut:
        """Draw at most `MOST` of them."""
        drawn = np.sort(np.random.default_rng(seed).permutation(len(self.truth))[:MOST])
        return LeftOut(self.scores[drawn], self.truth[drawn], self.place[drawn])

    def only(self, which: NDArray[np.bool_]) -> LeftOut:
        """Take some of them."""
        return LeftOut(self.scores[which], self.truth[which], self.place[which])


def overlaps(told: NDArray[np.int64], truth: NDArray[np.int64], classes: int) -> Floats:
    """Measure the intersection over union of each class; NaN where it neither is nor is told.

    Parameters
    ----------
    told, truth
        Classes from 0.
    classes
        How many there are.
    """
    pairs = np.bincount(truth * classes + told, minlength=classes**2).reshape(classes, classes)
    both = np.diag(pairs).astype(np.float64)
    either = pairs.sum(axis=0) + pairs.sum(axis=1) - both
    found: Floats = np.divide(both, either, out=np.full(classes, np.nan), where=either > 0)
    return found


def settle(left_out: LeftOut, first: int) -> Rows:
    """Find what to add to the scores of classes so that the mean of their overlaps is largest.

    It is the threshold of each class, where there are several: one class after the other is raised and lowered, in
    steps that become smaller, until no step betters anything.

    Parameters
    ----------
    left_out
        Scores at places that were not learned from.
    first
        The first class that counts: 1 where what is none of the classes stands before them.

    Returns
    -------
    ``(classes,)``; 0 for the first of all, since only differences count.
    """
    scores, truth = left_out.scores.astype(np.float64), left_out.truth
    classes = scores.shape[1]

    def mean(added: Floats) -> float:
        found = overlaps((scores + added).argmax(axis=1), truth, classes)[first:]
        return float(np.nanmean(found)) if np.isfinite(found).any() else 0.0

    added = np.zeros(classes)
    best = mean(added)
    for step in STEPS:
        for one in range(1, classes):
            tried = [added + step * by * (np.arange(classes) == one) for by in range(-AHEAD, AHEAD + 1) if by]
            means = [mean(each) for each in tried]
            if max(means) > best:
                best, added = max(means), tried[int(np.argmax(means))]
    return added.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a class is told at places that were not learned from.

    Attributes
    ----------
    overlap
        Intersection over union, all places together.
    spread
        Its standard deviation over places; NaN of fewer than two that show the class.
    baseline
        What 'all of it is this class' would get: its share of what was labelled.
    """

    overlap: float
    spread: float
    baseline: float

    @property
    def better(self) -> bool:
        """Whether it is worth more than to call all of it this class."""
        return self.overlap > self.baseline


def judge(left_out: LeftOut, first: int, seed: int) -> list[Verdict]:
    """Judge classes; what is added to the scores at a place is settled on the other places.

    Parameters
    ----------
    left_out, first
        As for `settle`.
    seed
        Of the draw that is settled on.
    """
    classes = left_out.scores.shape[1]
    told = np.zeros(len(left_out.truth), dtype=np.int64)
    some = left_out.some(seed)
    for one in np.unique(left_out.place):
        mine = left_out.place == one
        added = settle(some.only(some.place != one), first)
        told[mine] = (left_out.scores[mine] + added).argmax(axis=1)
    pooled = overlaps(told, left_out.truth, classes)
    each = np.stack(
        [
            overlaps(told[mine], left_out.truth[mine], classes)
            for mine in (left_out.place == one for one in np.unique(left_out.place))
        ]
    )
    share = np.bincount(left_out.truth, minlength=classes) / len(left_out.truth)
    spread = [
        float(np.nanstd(column, ddof=1)) if np.isfinite(column).sum() > 1 else float("nan")
        for column in each.T
    ]
    return [
        Verdict(float(np.nan_to_num(pooled[one])), spread[one], float(share[one])) for one in range(classes)
    ]
