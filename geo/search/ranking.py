"""Ranking by likeness: what looks like the examples that are meant, and not like those that are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from geo.clusters.graph.smoothing import drawn_together
from geo.features.lengths import of_length_1

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Same = Callable[[Rows], sp.csr_array]
"""Tells which pairs of some rows show the same ground, see `geo.clusters.graph.ground.same_ground`."""
BLOCK = 65_536
"""So many vectors are held against a question at once."""
SHORTLIST = 2_000
"""So many that come nearest are looked at more closely, and three times as many as are asked for at least."""
NEIGHBOURS, STEPS = 24, 8
"""On the graph of likeness each is drawn towards those of so many neighbours that name it as theirs, so many times."""
MANY = 960
"""There are so many at least then (`bench/search.py`)."""
OF_FEW, EACH_OF = 8, 50
"""Of fewer each is drawn towards so many neighbours, whether they name it or not, one for so many that there are: what
is far off would be drawn together as well."""
LEARNT_FROM = 3
"""From so many examples of each kind what is meant is learnt, rather than taken from their means."""
WEAK, WEAK_WEIGHT = 200, 0.1
"""So many others are taken for examples of what is not meant, and what one of them counts for beside a real one."""
BOTH = 0.5**0.5
"""What is learnt from is a point's own place beside that to which it was drawn, together of length 1."""
SEED = 0
"""The same others are drawn in every run."""
BALANCE = 0.8
"""What likeness counts for in choosing answers; the rest is for what no answer looks like yet."""
POOL = 3
"""Answers are chosen from so many times as many as are asked for."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows by how much they are like what was asked for.

    Attributes
    ----------
    rows
        The most alike first.
    likeness
        Of each: a cosine (-1 to 1), or where it was learnt from examples a probability (0 to 1).
    cosine
        Of each with what examples mean (`direction`), before any drawing: it hangs on no other point (-1 to 1).
    nearest
        Of each the example that it looks most like, by its place among those that are meant.
    among
        How many were held against the examples.
    learnt
        Whether likeness was learnt from examples.
    """

    rows: Rows
    likeness: NDArray[np.float64]
    cosine: NDArray[np.float64]
    nearest: Rows
    among: int
    learnt: bool

    def at(self, places: Rows) -> Ranked:
        """Keep those at some places of the order."""
        return replace(
            self,
            rows=self.rows[places],
            likeness=self.likeness[places],
            cosine=self.cosine[places],
            nearest=self.nearest[places],
        )


def cosines(points: Vectors, wanted: Vectors) -> NDArray[np.float32]:
    """Give the cosine of each point with each vector that is wanted, exactly, and the same in every run.

    Parameters
    ----------
    points
        Rows of length 1, ``(n, components)``.
    wanted
        Rows of length 1, ``(m, components)``.

    Returns
    -------
    Array ``(n, m)``, from -1 to 1.
    """
    found = np.empty((len(points), len(wanted)), dtype=np.float32)
    # sums over several threads come in any order, and the last bit of a cosine with them
    with threadpool_limits(limits=1):
        for start in range(0, len(points), BLOCK):
            found[start : start + BLOCK] = points[start : start + BLOCK] @ wanted.T
    return found


def direction(yes: Vectors, no: Vectors) -> Vectors:
    """Say in one vector what examples mean: twice the mean of those meant, less that of those not meant; length 1.

    Rocchio's relevance feedback (Salton 1971, The SMART Retrieval System, ch. 14).

    Parameters
    ----------
    yes, no
        Examples of what is meant, one at least, and of what is not, ``(examples, components)``.

    Examples
    --------
    >>> direction(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).round(2).tolist()
    [0.89, -0.45]
    """
    meant = yes.mean(axis=0)
    found: Vectors = of_length_1(2 * meant - no.mean(axis=0) if len(no) else meant)
    return found


def rank(
    points: Vectors,
    yes: Vectors,
    no: Vectors,
    *,
    left_out: NDArray[np.bool_],
    same: Same | None = None,
    shown: int = 0,
    seed: int = SEED,
) -> Ranked:
    """Rank points by how much they look like examples.

    Those that come nearest by the exact cosine are a shortlist. They and the examples are drawn together along their
    graph of likeness (`geo.clusters.graph.smoothing.drawn_together`), and ranked by the cosine there: what one example
    has of its own fades, what it shares with those that look like it stays. Of fewer than `EACH_OF` the cosine itself
    tells. With `LEARNT_FROM` examples of each kind a logistic regression on both places of each, its own and that to
    which it was drawn, takes the place of the cosine; others, drawn at random, stand in it as weak examples of what is
    not meant.

    Parameters
    ----------
    points
        Rows of length 1, ``(n, components)``.
    yes, no
        Examples in the same space, also of length 1; one at least of what is meant.
    left_out
        One a point: True where it is no answer.
    same
        Which of the points show the same ground: such are no neighbours. None: none do.
    shown
        How many answers are wanted (number).
    seed
        Of what is drawn at random.

    Examples
    --------
    >>> points = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)
    >>> found = rank(points, points[:1], points[:0], left_out=np.array([True, False, False]))
    >>> found.rows.tolist(), found.nearest.tolist(), found.among
    ([1, 2], [0, 0], 2)
    """
    candidates = np.flatnonzero(~left_out)
    plain = cosines(points, direction(yes, no)[None])[candidates, 0]
    first = _highest(plain, max(SHORTLIST, POOL * shown))
    listed = candidates[first]
    learnt = min(len(yes), len(no)) >= LEARNT_FROM
    others = _others(candidates, seed) if learnt else np.empty(0, dtype=np.int64)
    rows, place = np.unique(np.concatenate([listed, others]), return_inverse=True)
    pairs = None if same is None else _beside(same(rows), len(yes) + len(no))
    together = np.concatenate([yes, no, points[rows]])
    drawn = _drawn(together, len(rows), pairs)
    yes_drawn, no_drawn, all_drawn = np.split(drawn, [len(yes), len(yes) + len(no)])
    near = all_drawn[place[: len(listed)]]
    if learnt:
        likeness = _learnt(
            np.concatenate([yes, yes_drawn], axis=1),
            np.concatenate([no, no_drawn], axis=1),
            np.concatenate([points[others], all_drawn[place[len(listed) :]]], axis=1),
            np.concatenate([points[listed], near], axis=1),
        )
    else:
        likeness = cosines(near, direction(yes_drawn, no_drawn)[None])[:, 0].astype(np.float64)
    order = np.argsort(-likeness, kind="stable")
    nearest = cosines(points[listed[order]], yes).argmax(axis=1)
    exact = plain[first[order]].astype(np.float64)
    return Ranked(listed[order], likeness[order], exact, nearest, len(candidates), learnt)


def spread(points: Vectors, ranked: Ranked, shown: int, *, balance: float = BALANCE, skip: int = 0) -> Rows:
    """Choose answers that are not all the same: by maximal marginal relevance.

    Carbonell and Goldstein 1998, SIGIR, 335-336: each answer has the highest sum of its likeness, `balance` times, and
    of how little it looks like the answers before it.

    Parameters
    ----------
    points
        Rows of length 1, ``(n, components)``, as they were ranked.
    ranked
        Points in their order.
    shown
        How many are chosen (number).
    balance
        What likeness counts for; 1: nothing is spread (0 to 1).
    skip
        How many have been shown before, by pages of as many as are shown: those after them are chosen (number).

    Returns
    -------
    Places in the order of `ranked`, rising.

    Examples
    --------
    Of two that are the same, the second gives way to one that is a little less alike:

    >>> points = np.array([[0.9, 0.436, 0.0], [0.9, 0.436, 0.0], [0.85, 0.0, 0.527]], dtype=np.float32)
    >>> likeness = np.array([0.9, 0.9, 0.85])
    >>> ranked = Ranked(np.arange(3), likeness, likeness, np.zeros(3, dtype=np.int64), 3, False)
    >>> spread(points, ranked, 2).tolist(), spread(points, ranked, 2, balance=1.0).tolist()
    ([0, 2], [0, 1])
    >>> spread(points, ranked, 2, skip=2).tolist()
    [1]
    """
    free = np.ones(len(ranked.rows), dtype=bool)
    chosen = np.empty(0, dtype=np.int64)
    if skip >= len(free):
        return chosen
    page = chosen
    for size in [*([shown] * (skip // shown)), *([skip % shown] if skip % shown else []), shown]:
        pool = np.flatnonzero(free)[: POOL * size]
        if not len(pool):
            return pool
        page = pool[_chosen(points, ranked, pool, chosen, size, balance)]
        free[page] = False
        chosen = np.concatenate([chosen, page])
    return np.sort(page)


def _chosen(
    points: Vectors, ranked: Ranked, pool: Rows, before: Rows, shown: int, balance: float
) -> list[int]:
    """Choose among a pool of places, beside those chosen before; gives places in the pool."""
    looks = points[ranked.rows[pool]]
    relevance = ranked.likeness[pool]
    like_chosen = np.full(len(pool), -np.inf)
    if len(before) and len(pool):
        like_chosen = cosines(looks, points[ranked.rows[before]]).max(axis=1).astype(np.float64)
    free = np.ones(len(pool), dtype=bool)
    chosen: list[int] = []
    # said once: to find out which libraries keep threads takes longer than a choice
    with threadpool_limits(limits=1):
        for _ in range(min(shown, len(pool))):
            told = np.where(np.isfinite(like_chosen), like_chosen, 0.0)
            value = balance * relevance - (1 - balance) * told
            best = int(np.where(free, value, -np.inf).argmax())
            chosen.append(best)
            free[best] = False
            like_chosen = np.maximum(like_chosen, (looks @ looks[best : best + 1].T)[:, 0])
    return chosen


def one_of_each(same: sp.csr_array, most: int) -> Rows:
    """Choose the first of what shows the same: each that shows the same as one before it is left out.

    Parameters
    ----------
    same
        Which of the places, in their order, show the same: symmetric ``(n, n)``.
    most
        So many are enough (number).

    Returns
    -------
    Places, rising.

    Examples
    --------
    >>> pairs = sp.csr_array(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    >>> one_of_each(pairs, 9).tolist()
    [0, 2]
    """
    free = np.ones(same.shape[0], dtype=bool)
    chosen: list[int] = []
    for place in range(len(free)):
        if len(chosen) == most:
            break
        if free[place]:
            chosen.append(place)
            free[same.indices[same.indptr[place] : same.indptr[place + 1]]] = False
    return np.array(chosen, dtype=np.int64)


def _highest(values: NDArray[np.float32], many: int) -> Rows:
    """Give the places of the highest values, the highest first and of equal ones the first."""
    if many >= len(values):
        return np.argsort(-values, kind="stable")
    # to sort all of a million would take longer than to hold them against the question
    least = np.partition(values, len(values) - many)[len(values) - many]
    there = np.flatnonzero(values >= least)
    return there[np.argsort(-values[there], kind="stable")][:many]


def _drawn(points: Vectors, many: int, pairs: sp.csr_array | None) -> Vectors:
    """Draw points together along their graph of likeness; `many` are no examples."""
    mutual = many >= MANY
    neighbours = NEIGHBOURS if mutual else min(OF_FEW, many // EACH_OF)
    if not neighbours:
        return points
    drawn = drawn_together(points.astype(np.float64), neighbours, STEPS, pairs, mutual=mutual)
    return drawn.astype(np.float32)


def _others(candidates: Rows, seed: int) -> Rows:
    """Draw others, which are most likely nothing of what is meant."""
    return np.random.default_rng(seed).permutation(candidates)[:WEAK]


def _beside(pairs: sp.csr_array, examples: int) -> sp.csr_array:
    """Put examples before rows of which it is known which show the same ground; of examples that is not known."""
    return sp.csr_array(sp.block_diag([sp.csr_array((examples, examples)), pairs], format="csr"))


def _learnt(yes: Vectors, no: Vectors, others: Vectors, asked: Vectors) -> NDArray[np.float64]:
    """Learn from examples which of those asked about are meant, and how likely; rows have both places of each."""
    known = np.concatenate([yes, no, others]).astype(np.float64) * BOTH
    meant = np.arange(len(known)) < len(yes)
    weights = np.ones(len(known))
    weights[len(yes) + len(no) :] = WEAK_WEIGHT
    with threadpool_limits(limits=1):
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
        model.fit(known, meant, sample_weight=weights)
        found: NDArray[np.float64] = model.predict_proba(asked.astype(np.float64) * BOTH)[:, 1]
    return found


def fitting(
    points: Vectors,
    fits: NDArray[np.float64],
    yes: Vectors,
    *,
    least: float,
    left_out: NDArray[np.bool_],
) -> Ranked:
    """Rank points by how well a word fits them; what it fits no better than `least` is left out.

    Parameters
    ----------
    points
        Rows of length 1, ``(n, components)``.
    fits
        How well it fits each, ``(n,)``.
    yes
        Examples of it in the same space, one at least: `Ranked.cosine` is with what they mean.
    least
        What no answer is below or at.
    left_out
        One a point: True where it is no answer.

    Examples
    --------
    >>> points = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)
    >>> fits = np.array([0.2, 0.9, 0.5])
    >>> fitting(points, fits, points[1:2], least=0.2, left_out=np.zeros(3, dtype=bool)).rows.tolist()
    [1, 2]
    """
    candidates = np.flatnonzero(~left_out)
    order = candidates[np.argsort(-fits[candidates], kind="stable")]
    order = order[fits[order] > least]
    exact = cosines(points[order], direction(yes, yes[:0])[None])[:, 0].astype(np.float64)
    nearest = cosines(points[order], yes).argmax(axis=1) if len(order) else np.empty(0, dtype=np.int64)
    return Ranked(order, fits[order], exact, nearest, len(candidates), learnt=True)
