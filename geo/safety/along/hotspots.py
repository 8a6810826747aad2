"""Hot and cold spots on the network: segments whose neighbours along the roads have more, or less, than by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from esda.getisord import G_Local
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from geo.counting import counted
from geo.roads.graph import RoadGraph, distances_between
from geo.roads.lines import Floats, Integers

FALSE_DISCOVERY = 0.05
_CELLS = 4_000_000
"""Values drawn at once, to bound memory."""


def hot_spots(
    graph: RoadGraph,
    values: pd.Series,
    distance_m: float,
    *,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Find hot and cold spots with Gi* (Getis and Ord 1992, Geographical Analysis 24:189-206).

    The statistic is `esda.getisord.G_Local` (standardised as in Ord and Getis 1995, Geographical Analysis 27:286-306)
    with binary weights and the segment itself among its neighbours, which are the segments whose middles are no farther
    than `distance_m` along the network. Its p-value is that of a conditional permutation (Anselin 1995, Geographical
    Analysis 27:93-115), two-sided: the segment keeps its value, its neighbours get values drawn without replacement
    from all others. So it asks whether the neighbours have many or few together, and a segment alone is no spot. It is
    computed here, in the way of esda, for far more permutations: the normal approximation finds too many spots among
    values as skewed as collisions, and a thousand permutations are too coarse for thousands of tests. q is that of
    Benjamini and Hochberg 1995 (Journal of the Royal Statistical Society B 57:289-300).

    Segments are exchangeable under this null. Raw rates are not: those of short segments vary more; and shrunk rates
    lie together where the model's terms do. Give the standardised excess over what is predicted
    (`geo.safety.expected.empirical_bayes.standardised_excess`).

    Parameters
    ----------
    graph
        The road network, with its segments as edges.
    values
        The value of each segment, by ``segment_id``; null where not known: such a segment is nobody's neighbour.
    distance_m
        How far along the network a segment's neighbours reach (metres).
    permutations
        Draws of neighbours behind each p-value (number). The least p-value is 2 in as many and one: with 999, as is
        usual, fewer than a thousand spots among 25,000 segments could not pass the correction for as many tests.
    seed
        Seed of the draws: the same one gives the same p-values.

    Returns
    -------
    By ``segment_id``, in the order of `values`: ``n_neighbours`` (without itself), ``gi_star_z`` (standard deviations
    from what is expected), ``p_value``, ``q_value``, ``spot`` (``hot``, ``cold``, or ``none``: at a false discovery
    rate of `FALSE_DISCOVERY`), ``reason`` (why the rest is null, else null).
    """
    y_all = values.astype("float64").reindex(graph.segment_id).to_numpy(dtype=np.float64)
    known = np.isfinite(y_all)
    y: Floats = y_all[known].astype(np.float64)
    number = np.cumsum(known) - 1
    one, other, _ = distances_between(graph, distance_m)
    both = known[one] & known[other]
    one, other = number[one[both]], number[other[both]]
    count = np.bincount(one, minlength=len(y)).astype(np.int64)
    reason = _why_not(y, count, distance_m)
    tested = np.array([each is None for each in reason], dtype=bool)
    z, p, q = (np.full(len(y), np.nan) for _ in range(3))
    spot = np.full(len(y), None, dtype=object)
    if tested.any():
        z[tested] = _statistic(y, one, other, count)[tested]
        p[tested] = permuted(y, one, other, permutations, seed)[tested]
        q[tested] = false_discovery_control(p[tested], method="bh")
        sure = q <= FALSE_DISCOVERY
        spot[tested], spot[sure & (z > 0)], spot[sure & (z < 0)] = "none", "hot", "cold"
    found = pd.DataFrame({"n_neighbours": count, "gi_star_z": z, "p_value": p, "q_value": q}, dtype="float64")
    found = found.assign(spot=spot, reason=reason).set_index(pd.Index(graph.segment_id[known], dtype=object))
    found = found.reindex(pd.Index(values.index, dtype=object)).set_axis(values.index)
    unknown = values.isna()
    found["reason"] = found["reason"].astype(object).mask(unknown, "its value is not known")
    return found.astype({"n_neighbours": "Int64", "spot": object})


def _why_not(y: Floats, count: Integers, distance_m: float) -> NDArray[np.object_]:
    """Say of each segment why it cannot be tested; None where it can."""
    reason = np.full(len(y), None, dtype=object)
    reason[count == 0] = f"no other segment within {distance_m:g} m along the network"
    reason[(count > 0) & (count == len(y) - 1)] = "every other segment is its neighbour"
    if len(y) and np.ptp(y) <= 1e-12 * np.abs(y).max():
        reason[:] = "all values are the same"
    return reason


def _statistic(y: Floats, one: Integers, other: Integers, count: Integers) -> Floats:
    """Standardise Gi* of each segment with esda.

    The standardised statistic is the same when a constant is added to all values; they are moved above 0, where the
    sum that esda divides by cannot be nothing. Where every segment is a neighbour there is no variance.
    """
    alone = np.flatnonzero(count == 0)
    focal, neighbour = np.concatenate([one, alone]), np.concatenate([other, alone])
    weight = np.concatenate([np.ones(len(one)), np.zeros(len(alone))])
    order = np.lexsort((neighbour, focal))
    weights = Graph.from_arrays(focal[order], neighbour[order], weight[order])
    with np.errstate(divide="ignore", invalid="ignore"):
        result = G_Local(y - y.min() + np.ptp(y), weights, transform="B", star=True, permutations=0)
    return np.asarray(result.Zs, dtype=np.float64)


def permuted(y: Floats, one: Integers, other: Integers, permutations: int, seed: int) -> Floats:
    """Find two-sided p-values of neighbours' sums by conditional permutation.

    A draw of many values without replacement is, cut short, one of few: one set of draws does for all numbers of
    neighbours. For each segment the draws that hold its own value are left out.

    Parameters
    ----------
    y
        Value of each segment, ``(segments,)``.
    one, other
        Rows of the two segments of each pair of neighbours; every pair is there from both sides.
    permutations
        How many times the neighbours of all segments are drawn (number).
    seed
        Seed of the draws: the same one gives the same p-values.

    Returns
    -------
    One for each segment; 1 where it has no neighbours.
    """
    n = len(y)
    count = np.bincount(one, minlength=n)
    most = int(count.max(initial=0))
    observed = np.bincount(one, weights=y[other], minlength=n)
    # sums of the same values in another order are the same sum
    hair = 1e-9 * max(np.abs(y).max(initial=0) * max(most, 1), 1e-300)
    above, below, used = (np.zeros(n, dtype=np.int64) for _ in range(3))
    rng = np.random.default_rng(seed)
    rows = max(_CELLS // max(most, 1), 1)
    sizes = np.unique(count[count > 0])
    for begin in counted(range(0, permutations, rows), "turns of draws"):
        drawn = _draw(n, min(rows, permutations - begin), most, rng)
        sums: Floats = np.cumsum(y[drawn], axis=1, dtype=np.float64)
        for k in sizes:
            members = np.flatnonzero(count == k)
            ordered = np.sort(sums[:, k - 1])
            at = observed[members]
            above[members] += len(ordered) - np.searchsorted(ordered, at - hair, side="left")
            below[members] += np.searchsorted(ordered, at + hair, side="right")
            used[members] += len(ordered)
        draw, position = np.nonzero(np.arange(most) < count[drawn])
        own = drawn[draw, position]
        total = sums[draw, count[own] - 1]
        above -= np.bincount(own[total >= observed[own] - hair], minlength=n)
        below -= np.bincount(own[total <= observed[own] + hair], minlength=n)
        used -= np.bincount(own, minlength=n)
    least = (1 + np.minimum(above, below)) / (1 + used)
    return np.where(count > 0, np.minimum(2 * least, 1.0), 1.0)


def _draw(n: int, rows: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows of distinct numbers below `n`.

    What repeats in a row is drawn again until nothing does: no number is treated unlike another, so all rows of
    distinct numbers are as likely.
    """
    if most * 4 > n:
        return rng.permuted(np.broadcast_to(np.arange(n), (rows, n)), axis=1)[:, :most]
    drawn = rng.integers(0, n, (rows, most))
    left = np.arange(rows)
    while len(left):
        part = drawn[left]
        order = np.argsort(part, axis=1, kind="stable")
        ordered = np.take_along_axis(part, order, axis=1)
        again = np.zeros(part.shape, dtype=bool)
        np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
        part[again] = rng.integers(0, n, int(again.sum()))
        drawn[left] = part
        left = left[again.any(axis=1)]
    return drawn
