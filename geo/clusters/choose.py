"""How many clusters: the evidence, and the rule that reads it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from geo.clusters.fit import Labels
from geo.clusters.methods.kind import ClusteringKind
from geo.clusters.registry import method_of
from geo.clusters.regrouping import regroup
from geo.clusters.space import Points
from geo.config import Clusters

SILHOUETTE_SAMPLE = 5000
STABLE_WITHIN = 0.10
"""A k counts as stable when its stability is within this of the best one."""


def choose_k(points: Points, settings: Clusters) -> pd.DataFrame:
    """Weigh every k of the range and choose one.

    For each k: the mean silhouette (Rousseeuw 1987) of the fit, and its stability, the mean adjusted Rand index
    (Hubert and Arabie 1985) between that fit and fits on bootstrap samples, each extended to all segments by the
    nearest centroid (after Hennig 2007). Among the ks whose stability is within `STABLE_WITHIN` of the best, the
    one with the highest silhouette is chosen; of equals, the smallest.

    Parameters
    ----------
    points
        Places of the segments in the space of their looks, ``(segments, components)`` (`geo.clusters.space.to_space`).
    settings
        ``method``, ``k`` (a number is taken as given, with its evidence), ``k_range``, ``resamples`` and ``seed``.

    Returns
    -------
    One row a k: ``k``, ``silhouette``, ``stability``, ``chosen``. With too few segments for any k of the range the
    one row is k = 1, with no evidence.

    Raises
    ------
    ConfigurationError
        When there are more segments than the method takes.
    """
    method = method_of(settings)
    distinct = len(np.unique(points, axis=0))
    wanted = range(settings.k_range[0], settings.k_range[1] + 1) if settings.k == "auto" else [settings.k]
    # a silhouette needs at least one cluster of two, so fewer clusters than segments
    rows = [(k, *_evidence(points, k, method)) for k in wanted if 1 < k < min(distinct, len(points))]
    table = pd.DataFrame(rows, columns=["k", "silhouette", "stability"])
    if table.empty:
        k = 1 if settings.k == "auto" else min(settings.k, distinct)
        return pd.DataFrame({"k": [k], "silhouette": [np.nan], "stability": [np.nan], "chosen": [True]})
    stable = table["stability"] >= table["stability"].max() - STABLE_WITHIN
    table["chosen"] = table.index == table["silhouette"].where(stable).idxmax()
    return table


def _evidence(points: Points, k: int, method: ClusteringKind) -> tuple[float, float]:
    """Silhouette and stability of one k."""
    labels = method.fit(points, k).labels
    with threadpool_limits(limits=1):
        silhouette = silhouette_score(
            points, labels, sample_size=min(SILHOUETTE_SAMPLE, len(points)), random_state=method.seed
        )
    return float(silhouette), stability(points, labels, k, method, resamples=method.resamples)


def stability(points: Points, labels: Labels, k: int, settings: Clusters, *, resamples: int) -> float:
    """Mean adjusted Rand index between a partition and those of bootstrap samples, over all points."""
    groupings = regroup(points, k, method_of(settings), resamples)
    return float(np.mean([adjusted_rand_score(labels, groups) for groups in groupings]))
