"""What making one of two types would lose."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.clusters.methods.mending import middles

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
COLUMNS = ("cluster", "other", "lost", "mixed")


def what_merging_loses(points: Floats, labels: Labels, groupings: Labels) -> pd.DataFrame:
    """Say of each two types what is lost where they are made one.

    Parameters
    ----------
    points
        Places of the segments in the space of their looks, before they are smoothed, ``(segments, components)``.
    labels
        Type of each segment, ``(segments,)``.
    groupings
        Its type in each of other groupings, in the same numbers (`geo.clusters.evidence.groupings.match`; any other
        number: none of them), ``(segments, groupings)``.

    Returns
    -------
    One row for each two types, the smaller number first: ``cluster``, ``other``; ``lost``, the share of what types tell
    of the looks of segments (the sum of squares between types) that the two tell apart, from 0 to 1, as Ward (1963)
    weighs a merger; and ``mixed``, how often in other groupings a segment of either is of the other one, from 0 to 1.

    Examples
    --------
    Two types that are near each other, and one far away:

    >>> points = np.array([[0.0], [0.2], [1.0], [1.2], [9.0], [9.2]])
    >>> groupings = np.array([[1, 1], [1, 2], [2, 2], [2, 2], [3, 3], [3, 3]])
    >>> what_merging_loses(points, np.array([1, 1, 2, 2, 3, 3]), groupings).round(3).to_numpy().tolist()
    [[1.0, 2.0, 0.01, 0.125], [1.0, 3.0, 0.832, 0.0], [2.0, 3.0, 0.658, 0.0]]
    """
    types, labels = np.unique(labels, return_inverse=True)
    labels, k = labels.ravel(), len(types)
    sizes = np.bincount(labels, minlength=k).astype(np.float64)
    centres = middles(points, labels)
    between = float(sizes @ ((centres - points.mean(axis=0)) ** 2).sum(axis=1))
    one, other = np.triu_indices(k, 1)
    apart = ((centres[one] - centres[other]) ** 2).sum(axis=1) * sizes[one] * sizes[other]
    apart /= sizes[one] + sizes[other]
    swapped = _swapped(labels, np.where(np.isin(groupings, types), np.searchsorted(types, groupings), k), k)
    mixed = (swapped[one, other] + swapped[other, one]) / ((sizes[one] + sizes[other]) * groupings.shape[1])
    lost = np.divide(apart, between, out=np.zeros_like(apart), where=between > 0)
    return pd.DataFrame(dict(zip(COLUMNS, (types[one], types[other], lost, mixed), strict=True)))


def _swapped(labels: Labels, groupings: Labels, k: int) -> Floats:
    """Count, over groupings, segments of each type (rows) by the type that they are of there (columns), from 0."""
    cell = labels[:, None] * (k + 1) + groupings
    counts = np.bincount(cell.ravel(), minlength=k * (k + 1)).reshape(k, k + 1)[:, :k]
    found: Floats = counts.astype(np.float64)
    return found
