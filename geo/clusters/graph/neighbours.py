"""The graph of likeness: for each segment those that look most like it, elsewhere in the city."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from geo.clusters.space import Points

AT_ONCE = 512
"""Rows of the matrix of likeness that are in memory together."""
EXACT = 50_000
"""Up to so many segments each is held against all others."""
CELLS_SEEN = 24
"""Above that, against those in so many of the cells nearest to it; there are as many cells as the root of segments."""
NOBODY = -1
Rows = NDArray[np.int64]


def nearest(
    points: Points, count: int, *, left_out: sp.csr_array | None = None, exact: int = EXACT
) -> tuple[Rows, NDArray[np.float32]]:
    """Find the points that are most like each point, by the cosine.

    Up to `exact` points every pair is looked at. Above, points are sorted into cells about points drawn from them, and
    each is held against those in the cells nearest to it (an inverted file: Jegou, Douze and Schmid 2011, IEEE TPAMI
    33:117-128).

    Parameters
    ----------
    points
        Array ``(n, components)`` of rows of length 1 (`geo.clusters.space.to_space`).
    count
        How many each point gets.
    left_out
        ``(n, n)``: pairs that are no neighbours, whatever they look like, as of
        `geo.clusters.graph.ground.same_ground`.
    exact
        Up to so many points every pair is looked at (number).

    Returns
    -------
    Row numbers ``(n, count)``, the most alike first and of equal ones the first, `NOBODY` where there are fewer; and
    the cosine of each, ``-inf`` there.

    Examples
    --------
    >>> points = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.8, 0.6]])
    >>> rows, cosines = nearest(points, 1)
    >>> rows.ravel().tolist(), cosines.ravel().round(2).tolist()
    ([3, 2, 3, 2], [0.8, 0.8, 0.96, 0.96])
    """
    wanted = points.astype(np.float32)
    rows = np.full((len(points), count), NOBODY, dtype=np.int64)
    cosines = np.full((len(points), count), -np.inf, dtype=np.float32)
    # sums over several threads come in any order, and the last bit of a cosine with them
    with threadpool_limits(limits=1):
        for some, others in _parts(wanted, exact):
            rows[some], cosines[some] = _best(wanted, some, others, count, left_out)
    return rows, cosines


def graph_of(rows: Rows, *, mutual: bool = False) -> sp.csr_array:
    """Join each point to its neighbours and those to it: a symmetric matrix ``(n, n)`` of 0 and 1.

    Parameters
    ----------
    rows
        Row numbers of each point's neighbours, ``(n, count)``, or `NOBODY` (`nearest`).
    mutual
        Whether two points are joined only where each is a neighbour of the other.

    Examples
    --------
    >>> rows = np.array([[1], [2], [1]])
    >>> graph_of(rows).toarray().astype(int).tolist(), graph_of(rows, mutual=True).toarray().astype(int).tolist()
    ([[0, 1, 0], [1, 0, 1], [0, 1, 0]], [[0, 0, 0], [0, 0, 1], [0, 1, 0]])
    """
    n, count = rows.shape
    there = rows.ravel() != NOBODY
    ends = np.repeat(np.arange(n), count)[there], rows.ravel()[there]
    one_way = sp.csr_array((np.ones(there.sum()), ends), shape=(n, n))
    found: sp.csr_array = one_way.minimum(one_way.T).tocsr() if mutual else one_way.maximum(one_way.T).tocsr()
    found.sort_indices()
    return found


def _parts(points: NDArray[np.float32], exact: int) -> list[tuple[Rows, Rows]]:
    """Give blocks of rows, each with the rows that they are held against."""
    everyone = np.arange(len(points))
    if len(points) <= exact:
        return [(everyone[start : start + AT_ONCE], everyone) for start in range(0, len(points), AT_ONCE)]
    # cells about points that lie evenly in the order of rows: nothing is drawn
    cells = int(np.sqrt(len(points)))
    middles = points[np.linspace(0, len(points) - 1, cells).astype(np.int64)]
    mine = np.concatenate(
        [
            (points[start : start + AT_ONCE] @ middles.T).argmax(axis=1)
            for start in range(0, len(points), AT_ONCE)
        ]
    )
    order = np.argsort(mine, kind="stable")
    members = np.split(order, np.searchsorted(mine[order], np.arange(1, cells)))
    seen = np.argsort(-(middles @ middles.T), axis=1, kind="stable")[:, :CELLS_SEEN]
    return [
        (inside[start : start + AT_ONCE], np.sort(np.concatenate([members[cell] for cell in seen[number]])))
        for number, inside in enumerate(members)
        for start in range(0, len(inside), AT_ONCE)
    ]


def _best(
    points: NDArray[np.float32], some: Rows, others: Rows, count: int, left_out: sp.csr_array | None
) -> tuple[Rows, NDArray[np.float32]]:
    """Take the highest cosines of some rows among others; of equal ones the first."""
    cosines = points[some] @ points[others].T
    at = np.searchsorted(others, some)
    cosines[np.arange(len(some)), at] = -np.inf
    if left_out is not None:
        pairs = left_out[some].tocoo()
        place = np.minimum(np.searchsorted(others, pairs.col), len(others) - 1)
        here = others[place] == pairs.col
        cosines[pairs.row[here], place[here]] = -np.inf
    kept = min(count, len(others))
    top = _highest(cosines, kept)
    best = np.take_along_axis(cosines, top, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    best, top = np.take_along_axis(best, order, axis=1), np.take_along_axis(top, order, axis=1)
    rows = np.where(best > -np.inf, others[top], NOBODY)
    missing = ((0, 0), (0, count - kept))
    return np.pad(rows, missing, constant_values=NOBODY), np.pad(best, missing, constant_values=-np.inf)


def _highest(values: NDArray[np.float32], kept: int) -> Rows:
    """Give the columns of the highest values of each row, of equal ones the first, in their order; ``(rows, kept)``."""
    # a partition first, since to sort all of them would take ten times as long
    last = values.shape[1] - kept
    least = np.partition(values, last, axis=1)[:, last, None]
    taken = values >= least
    if np.count_nonzero(taken) > len(values) * kept:
        tied = np.flatnonzero(taken.sum(axis=1) > kept)
        some, low = values[tied], least[tied]
        above, equal = some > low, some == low
        missing = kept - above.sum(axis=1, keepdims=True)
        taken[tied] = above | (equal & (equal.cumsum(axis=1) <= missing))
    found: Rows = (np.flatnonzero(taken) % values.shape[1]).reshape(-1, kept)
    return found
