"""One grouping from several: memberships of heads brought into one numbering and averaged, and no group empty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def agreed(memberships: NDArray[np.floating], losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average the memberships of heads, the groups of each in the numbers of the head of the least loss.

    Groups are paired one to one so that the sum of what both hold is the greatest there is (voting: Dimitriadou,
    Weingessel and Hornik 2002, International Journal of Pattern Recognition and Artificial Intelligence 16:901-912).

    Parameters
    ----------
    memberships
        Probability of each group of each point by each head, ``(heads, n, k)``.
    losses
        How far each head is from what it was trained to, ``(heads,)``.

    Returns
    -------
    ``(n, k)``, rows that add up to 1.

    Examples
    --------
    >>> one = np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> agreed(np.stack([one, one[:, ::-1]]), np.zeros(2)).tolist()
    [[0.9, 0.1], [0.2, 0.8]]
    """
    first = memberships[int(np.argmin(losses))].astype(np.float64)
    total = np.zeros_like(first)
    for one in memberships:
        both = first.T @ one
        total += one[:, linear_sum_assignment(both, maximize=True)[1]]
    found: NDArray[np.float64] = total / len(memberships)
    return found


def grouped(membership: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give each point the likeliest group, and each group at least a point.

    A group that is nowhere the likeliest gets the point that is most of it, of those whose group has others as well.

    Parameters
    ----------
    membership
        ``(n, k)``, with at least as many points as groups.

    Examples
    --------
    >>> grouped(np.array([[0.6, 0.4, 0.0], [0.9, 0.0, 0.1], [0.0, 0.9, 0.1], [0.7, 0.0, 0.3]])).tolist()
    [0, 0, 1, 2]
    """
    labels: NDArray[np.int64] = membership.argmax(axis=1)
    sizes = np.bincount(labels, minlength=membership.shape[1])
    for empty in np.flatnonzero(sizes == 0):
        spare = sizes[labels] > 1
        point = int(np.where(spare, membership[:, empty], -1.0).argmax())
        sizes[labels[point]] -= 1
        labels[point] = empty
        sizes[empty] = 1
    return labels
