"""Which of many comparisons are found: one gate a cluster, and what is said of it within."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

RATE = 0.05
"""The share of false discoveries that is held to."""
GATE = "n_collisions"
"""The outcome that decides whether anything is said of a cluster: all its collisions."""
Floats = NDArray[np.float64]


def gated(tests: pd.DataFrame) -> Floats:
    """Correct the p-values of a table of tests for how many there are.

    A cluster is found or not by all its collisions: its comparisons together give one p-value (Simes 1986, Biometrika
    73:751-754), and over clusters these are corrected for false discoveries (Benjamini and Hochberg 1995, J. R.
    Statist. Soc. B 57:289-300). Within the clusters that are found, the comparisons of all collisions, and those of
    severities and road users, are each corrected for how many they are and for having been selected (Benjamini and
    Bogomolov 2014, J. R. Statist. Soc. B 76:297-318): in the mean over the clusters found, the share of false
    discoveries is held. Nothing is found within a cluster that is not.

    Parameters
    ----------
    tests
        ``cluster, outcome, p_value_adjusted`` (null: not tested).

    Returns
    -------
    The q-value of each row; null where it was not tested, or the cluster's collisions as a whole were not.

    Examples
    --------
    Three clusters, of which the first differs:

    >>> p = {"n_collisions": [0.001, 0.4, 0.7], "n_ksi": [0.03, 0.02, 0.9]}
    >>> rows = [(k + 1, outcome, value[k]) for outcome, value in p.items() for k in range(3)]
    >>> gated(pd.DataFrame(rows, columns=["cluster", "outcome", "p_value_adjusted"])).round(3).tolist()
    [0.003, 0.6, 0.7, 0.09, 0.6, 0.9]
    """
    p = tests["p_value_adjusted"].to_numpy(dtype=np.float64)
    cluster = tests["cluster"].to_numpy()
    decides = (tests["outcome"] == GATE).to_numpy() & np.isfinite(p)
    found = np.full(len(tests), np.nan)
    names = np.unique(cluster[decides])
    if not len(names):
        return found
    gates = false_discovery_control(np.array([_simes(p[decides & (cluster == name)]) for name in names]))
    # selecting R of m families costs a factor of m / R within each
    price = len(names) / max(int((gates <= RATE).sum()), 1)
    for name, gate in zip(names, gates, strict=True):
        for part in (decides, np.isfinite(p) & ~decides):
            rows = part & (cluster == name)
            if rows.any():
                within = false_discovery_control(p[rows]) * (price if gate <= RATE else 1.0)
                found[rows] = np.maximum(np.minimum(within, 1.0), gate)
    return found


def _simes(p: Floats) -> float:
    """Give the p-value of a family of p-values."""
    ranked = np.sort(p)
    return float(np.min(ranked * len(ranked) / np.arange(1, len(ranked) + 1)))
