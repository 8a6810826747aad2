"""How many clusters: the evidence, and the rule that reads it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from geo.clusters.evidence.regrouping import regroup
from geo.clusters.fit import Labels
from geo.clusters.methods.kind import NOTHING, Beside, ClusteringKind
from geo.clusters.methods.mending import distinct
from geo.clusters.registry import method_of
from geo.clusters.space import Points
from geo.config import Clusters

SILHOUETTE_SAMPLE = 5000
HELD_AGAINST = 50_000
"""Groupings of more segments than this are held against each other by so many of them, which lie evenly in their order:
the index moves by less than a thousandth."""
EVIDENCE = ("silhouette", "silhouette_smoothed", "stability")
"""What is told of each number of types."""
AS_STABLE = 0.01
"""Types that are less stable by no more than this are told to be as stable."""


def choose_k(
    points: Points, settings: Clusters, *, smoothed: Points | None = None, beside: Beside = NOTHING
) -> pd.DataFrame:
    """Weigh every k of the range and choose one.

    For each k: the mean silhouette (Rousseeuw 1987) of the fit, and its stability, the mean adjusted Rand index
    (Hubert and Arabie 1985) between that fit and fits on bootstrap samples, each extended to all segments by the
    nearest centroid (after Hennig 2007). The k with the highest product of both is chosen; of equals, the smallest.
    Silhouettes are taken where segments lie before they are smoothed, which draws any number of groups apart.

    Parameters
    ----------
    points
        Places of the segments in the space of their looks, ``(segments, components)`` (`geo.clusters.space.to_space`).
    settings
        ``method``, ``k`` (a number is taken as given, with its evidence), ``k_range``, ``resamples`` and ``seed``. A
        method that takes too long for it leaves the choice to another one (`ClusteringKind.chooser`).
    smoothed
        Where the points are drawn before they are grouped (`geo.clusters.graph.smoothing.smooth`); None: they are not.
    beside
        What else is known of the segments.

    Returns
    -------
    One row a k: ``k``, ``silhouette``, ``silhouette_smoothed`` (the same among smoothed points; null where they are
    not), ``stability``, ``chosen``. Where segments have fewer looks than the range begins with, and several have each,
    the one row is of as many; with too few segments for any k of the range it is k = 1, with no evidence.

    Raises
    ------
    ConfigurationError
        When there are more segments than the method takes.
    """
    method = method_of(settings).chooser()
    grouped = points if smoothed is None else smoothed
    looks = len(distinct(grouped)[0])
    wanted = range(settings.k_range[0], settings.k_range[1] + 1) if settings.k == "auto" else [settings.k]
    # a silhouette needs at least one cluster of two, so fewer clusters than segments
    ks = [k for k in wanted if 1 < k <= looks and k < len(points)]
    if not ks and settings.k == "auto" and 1 < looks < len(points):
        # fewer looks than the range begins with, each of several segments: as many types
        ks = [looks]
    table = pd.DataFrame(_evidence(points, smoothed, ks, method, beside), columns=["k", *EVIDENCE])
    if table.empty:
        k = 1 if settings.k == "auto" else min(settings.k, looks)
        return pd.DataFrame({"k": [k], **dict.fromkeys(EVIDENCE, np.nan), "chosen": [True]})
    both = table["silhouette"] * table["stability"].where(table["silhouette"] > 0, 1.0)
    table["chosen"] = table.index == both.idxmax()
    return table


def less_stable(labels: Labels, groupings: Labels, choice: pd.DataFrame, method: ClusteringKind) -> list[str]:
    """Say so where types change more from sample to sample than those of the way by which their number was chosen.

    Parameters
    ----------
    labels
        Type of each segment, ``(n,)``.
    groupings
        Its type in each of other groupings, ``(n, groupings)``.
    choice
        The evidence for their number (`choose_k`).
    method
        The way by which they were found; one that chooses their number itself is held against nothing.
    """
    chooser = method.chooser()
    usual = float(choice.loc[choice["chosen"], "stability"].iloc[0])
    if chooser is method or np.isnan(usual):
        return []
    every = -(-len(labels) // HELD_AGAINST)
    mine = float(np.mean([adjusted_rand_score(labels[::every], one[::every]) for one in groupings.T]))
    if mine >= usual - AS_STABLE:
        return []
    said = (
        f"types of clusters.method {method.method} change more from sample to sample of the roads than those of "
        f"{chooser.method} would (adjusted Rand index {mine:.2f} against {usual:.2f}): take that one unless there is "
        "a reason not to"
    )
    return [said]


def _evidence(
    points: Points, smoothed: Points | None, ks: Sequence[int], method: ClusteringKind, beside: Beside
) -> list[tuple[int, float, float, float]]:
    """Give the silhouette of each k, before and after smoothing, and its stability."""
    if not ks:
        return []
    grouped = points if smoothed is None else smoothed
    found = [fit.labels for fit in method.fits(grouped, ks, beside=beside)]
    before = _silhouettes(points, found, method.seed)
    after = [float("nan")] * len(ks) if smoothed is None else _silhouettes(smoothed, found, method.seed)
    stable = stabilities(points, found, ks, method, beside, smoothed=smoothed)
    return list(zip(ks, before, after, stable, strict=True))


def _silhouettes(points: Points, found: Sequence[Labels], seed: int) -> list[float]:
    """Mean silhouette of each partition, over some of the points, whose distances are measured once for all.

    Where all of these are of one group, there is nothing to hold it against: 0, as for a group of one.
    """
    some = check_random_state(seed).permutation(len(points))[:SILHOUETTE_SAMPLE]
    with threadpool_limits(limits=1):
        apart = euclidean_distances(np.ascontiguousarray(points[some]))
    np.fill_diagonal(apart, 0)
    return [
        float(silhouette_score(apart, labels[some], metric="precomputed"))
        if 1 < len(np.unique(labels[some])) < len(some)
        else 0.0
        for labels in found
    ]


def stabilities(
    points: Points,
    found: Sequence[Labels],
    ks: Sequence[int],
    method: ClusteringKind,
    beside: Beside = NOTHING,
    *,
    smoothed: Points | None = None,
) -> list[float]:
    """Mean adjusted Rand index between the partition of each k and those of bootstrap samples, over all points."""
    every = -(-len(points) // HELD_AGAINST)
    scores = [
        [
            adjusted_rand_score(labels[::every], groups[::every])
            for labels, groups in zip(found, groupings, strict=True)
        ]
        for groupings in regroup(points, ks, method, method.resamples, beside, smoothed=smoothed)
    ]
    return [float(mean) for mean in np.mean(scores, axis=0)]
