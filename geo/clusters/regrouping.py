"""How the same roads would be grouped from other samples of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.clusters.methods.kind import NOTHING, Beside

if TYPE_CHECKING:
    from geo.clusters.methods.kind import ClusteringKind
    from geo.clusters.space import Points

Labels = NDArray[np.int64]
SAMPLED = 4000
"""A sample of so many tells how sure a grouping is; one of a larger city would take long, and say much the same."""


def regroup(
    points: Points, ks: Sequence[int], method: ClusteringKind, count: int, beside: Beside = NOTHING
) -> Iterator[list[Labels]]:
    """Group bootstrap samples of segments, and extend each grouping to all segments by the nearest centroid.

    What differs between them is how sure a grouping of so many segments is (Hennig 2007, Computational Statistics and
    Data Analysis 52:258-271).

    Parameters
    ----------
    points
        Places of the segments in the space of their looks, ``(segments, components)``.
    ks
        Numbers of groups; a sample with fewer distinct points has fewer.
    method
        How samples are grouped; its ``seed`` decides which are drawn. They are as large as the city, up to `SAMPLED`.
    count
        Number of groupings; the first ones are the same whatever it is.
    beside
        What else is known of the segments.

    Yields
    ------
    For each of `ks` the group of each segment, counted from 0, ``(segments,)``; groups of two groupings have nothing to
    do with each other.
    """
    rng = np.random.default_rng(method.seed)
    for _ in range(count):
        rows = rng.integers(0, len(points), min(len(points), SAMPLED))
        sample = points[rows]
        distinct = len(np.unique(sample, axis=0))
        fits = method.fits(sample, [min(k, distinct) for k in ks], thorough=False, beside=beside.of(rows))
        yield [fit.nearest(points) for fit in fits]
