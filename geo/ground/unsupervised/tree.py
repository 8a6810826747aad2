"""How groups of ground were merged, as a table that can be drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.methods.linkage import Tree, average_linkage
from geo.ground.contract import Features


def merged(middles: Features, sizes: NDArray[np.int64]) -> Tree:
    """Merge groups by average linkage: always the two whose cells' mean cosine is highest.

    Parameters
    ----------
    middles
        Of length 1, ``(groups, components)``.
    sizes
        How many cells each has, ``(groups,)``.
    """
    return average_linkage(middles.astype(np.float64), np.maximum(sizes, 1).astype(np.float64), beta=0.0)


def tree_of(middles: Features, sizes: NDArray[np.int64], of_class: NDArray[np.uint8]) -> pd.DataFrame:
    """Lay the merged groups out as nodes of a tree.

    Parameters
    ----------
    middles, sizes
        See `merged`.
    of_class
        Number of each group's class, ``(groups,)``.

    Returns
    -------
    A row a node, the groups first, then mergers by rising height: ``node`` (from 1), ``parent`` (null: it is the root),
    ``height`` (1 less the mean cosine; 0 for a group), ``share`` of the ground that is under it (0 to 1), and ``class``
    (null where groups of several classes are under it).
    """
    linkage = merged(middles, sizes)
    k = len(middles)
    under = np.zeros((2 * k - 1, k), dtype=np.bool_)
    under[np.arange(k), np.arange(k)] = True
    parent = np.zeros(2 * k - 1, dtype=np.int64)
    node = np.arange(k)
    for step, ends in enumerate(linkage.ends, start=k):
        parts = node[ends]
        parent[parts] = step + 1
        under[step] = under[parts].any(axis=0)
        node[under[step]] = step
    lowest = np.where(under, of_class, np.iinfo(np.int64).max).min(axis=1)
    highest = np.where(under, of_class, 0).max(axis=1)
    return pd.DataFrame(
        {
            "node": np.arange(1, 2 * k),
            "parent": pd.array(parent, dtype="Int64"),
            "height": np.concatenate([np.zeros(k), linkage.heights]),
            "share": (under @ sizes) / max(int(sizes.sum()), 1),
            "class": pd.array(highest, dtype="Int64"),
        }
    ).assign(
        parent=lambda frame: frame["parent"].mask(frame["parent"] == 0),
        **{"class": lambda frame: frame["class"].mask(lowest != highest)},
    )
