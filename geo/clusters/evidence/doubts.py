"""What is to be doubted of types that were found, in words for the end of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.evidence.groupings import found_again

Labels = NDArray[np.int64]
TRUSTED = 0.6
"""A type of which other groupings find less again should not be relied on (overlap; Hennig 2007)."""
FEW = 3
"""So few segments, or fewer, make no type."""
MOST = 0.5
"""It is said where more than this share of the segments, or of the types, is concerned."""


def doubts(labels: Labels, groupings: Labels) -> list[str]:
    """Say so where most types are not found again in other groupings, or are of a few segments.

    Roads that are all of one kind, or shade from one kind into another, are grouped all the same, and the number of
    groups that is chosen then says nothing.

    Parameters
    ----------
    labels
        Type of each segment, ``(n,)``.
    groupings
        Its type in each of other groupings, in the same numbers (`geo.clusters.evidence.groupings.match`),
        ``(n, groupings)``.

    Examples
    --------
    >>> doubts(np.repeat([1, 2], 5), np.repeat([[1], [2]], 5, axis=0))
    []
    >>> doubts(np.repeat([1, 2], 5), np.array([[1], [2]] * 5))[0][:62]
    'types with 100% of the segments are hardly found again in othe'
    """
    types, sizes = np.unique(labels, return_counts=True)
    if len(types) < 2:
        return []
    again = found_again(pd.Series(labels), pd.DataFrame(groupings))
    share = sizes[again[types].to_numpy() < TRUSTED].sum() / len(labels)
    few = int((sizes <= FEW).sum())
    told = []
    if share > MOST:
        told.append(
            f"types with {share:.0%} of the segments are hardly found again in other samples of them (overlap below "
            f"{TRUSTED:g}): they may all be of one kind, or shade from one into another; ask for fewer types "
            "(clusters.k), and rely on none before its pictures were looked at"
        )
    if few > MOST * len(types):
        told.append(
            f"{few} of {len(types)} types are of {FEW} segments or fewer, which make no type: most may be of one kind; "
            "ask for fewer types (clusters.k)"
        )
    return told
