"""What other groupings of the same roads say of the types that were found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Labels = NDArray[np.int64]
SURE = 0.8
"""A segment is surely of its type from this probability on."""
NONE = 0
"""The number of what is the counterpart of no type."""


def match(labels: Labels, groups: Labels) -> Labels:
    """Give the groups of another grouping the numbers of the types that they are the counterparts of.

    Groups and types are paired one to one so that the sum of their overlaps (Jaccard: shared over either) is the
    greatest there is (Kuhn 1955, Naval Research Logistics Quarterly 2:83-97).

    Parameters
    ----------
    labels
        Type of each segment, counted from 1, ``(n,)``.
    groups
        Its group in the other grouping, any numbers, ``(n,)``.

    Returns
    -------
    For each segment the type that its group is the counterpart of, `NONE` where it is that of none.

    Examples
    --------
    >>> match(np.array([1, 1, 1, 2, 2, 3]), np.array([7, 7, 0, 0, 0, 7])).tolist()
    [1, 1, 2, 2, 2, 1]
    """
    overlap = _jaccard(labels, groups)
    rows, columns = linear_sum_assignment(overlap.to_numpy(), maximize=True)
    shared = overlap.to_numpy()[rows, columns] > 0
    number = dict(zip(overlap.columns[columns[shared]], overlap.index[rows[shared]], strict=True))
    return pd.Series(groups).map(number).fillna(NONE).to_numpy(dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Membership:
    """How surely segments belong to their types, by how they are grouped in other groupings.

    Attributes
    ----------
    probability
        Share of the groupings in which a segment is of its own type, ``(n,)``.
    second
        The type that it is of most often besides, of equals the smaller number; `NONE`: it never is, ``(n,)``.
    """

    probability: NDArray[np.float64]
    second: Labels


def membership(labels: Labels, groupings: Labels) -> Membership:
    """Say how surely each segment belongs to its type.

    Parameters
    ----------
    labels
        Type of each segment, counted from 1, ``(n,)``.
    groupings
        Its type in each of other groupings, in the same numbers (`match`), ``(n, groupings)``.

    Examples
    --------
    >>> found = membership(np.array([1, 2, 2]), np.array([[1, 1, 1, 1], [2, 2, 1, 2], [1, 0, 0, 2]]))
    >>> found.probability.tolist(), found.second.tolist()
    ([1.0, 0.75, 0.25], [0, 1, 1])
    """
    types, place = np.unique(labels, return_inverse=True)
    counts = np.stack([(groupings == one).sum(axis=1) for one in types], axis=1)
    row, place = np.arange(len(labels)), place.ravel()
    own = counts[row, place].copy()
    counts[row, place] = 0
    second = np.where(counts.max(axis=1) > 0, types[counts.argmax(axis=1)], NONE)
    return Membership(own / groupings.shape[1], second)


def stacked(groupings: pd.DataFrame) -> Labels:
    """Lay the column ``clusters`` of lists out as an array, ``(segments, groupings)``."""
    found: Labels = np.array(groupings["clusters"].tolist(), dtype=np.int64).reshape(len(groupings), -1)
    return found


def found_again(types: pd.Series, groupings: pd.DataFrame) -> pd.Series:
    """Say how surely each type is found again: its mean overlap (Jaccard) with its counterparts (Hennig 2007).

    From 0.75 a type counts as stable there, and below 0.6 as not to be trusted.

    Parameters
    ----------
    types
        Type of each segment, by ``segment_id``; null: none.
    groupings
        Its type in each of other groupings, in the same numbers (`match`), by ``segment_id``, a column each.

    Returns
    -------
    By type, from 0 to 1.
    """
    mine = types.reindex(groupings.index).fillna(NONE).to_numpy(dtype=np.int64)
    numbers = np.unique(mine[mine != NONE])
    is_mine, is_theirs = mine[:, None] == numbers, groupings.to_numpy()[:, :, None] == numbers
    both = (is_mine[:, None, :] & is_theirs).sum(axis=0)
    either = is_mine.sum(axis=0) + is_theirs.sum(axis=0) - both
    return pd.Series((both / either).mean(axis=0), index=numbers)


def share_sure(types: pd.DataFrame, weight: pd.Series) -> pd.Series:
    """Say how much of each type is surely of it: has a probability of `SURE` or more.

    Parameters
    ----------
    types
        ``cluster`` (null: none) and ``cluster_probability`` of each segment, by its id (null: not known, as where an
        analyst gave the type; such segments do not count).
    weight
        What each counts, as its length, by the same ids.

    Returns
    -------
    By type, from 0 to 1.

    Examples
    --------
    >>> types = pd.DataFrame({"cluster": [1, 1, 2], "cluster_probability": [0.9, 0.4, 1.0]}, index=list("abc"))
    >>> share_sure(types, pd.Series([30.0, 10.0, 5.0], index=list("abc"))).tolist()
    [0.75, 1.0]
    """
    mine = weight.reindex(types.index).where(types["cluster_probability"].notna())
    sure = mine.where(types["cluster_probability"] >= SURE, 0.0).groupby(types["cluster"]).sum()
    return sure / mine.groupby(types["cluster"]).sum(min_count=1)


def _jaccard(labels: Labels, groups: Labels) -> pd.DataFrame:
    """Share in either of types (rows) and groups (columns) that is in both."""
    both = pd.crosstab(labels, groups)
    shared = both.to_numpy(dtype=np.float64)
    either = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    return pd.DataFrame(shared / either, index=both.index, columns=both.columns)
