"""How the same roads would be grouped from other samples of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.clusters.graph.smoothing import smooth
from geo.clusters.methods.kind import NOTHING, Beside, Fit
from geo.clusters.methods.mending import distinct, middles
from geo.counting import counted

if TYPE_CHECKING:
    from geo.clusters.methods.kind import ClusteringKind
    from geo.clusters.space import Points

Labels = NDArray[np.int64]
SAMPLED = 4000
"""A sample of so many tells how sure a grouping is; one of a larger city would take long, and say much the same."""


def regroup(
    points: Points,
    ks: Sequence[int],
    method: ClusteringKind,
    count: int,
    beside: Beside = NOTHING,
    *,
    smoothed: Points | None = None,
) -> Iterator[list[Labels]]:
    """Group bootstrap samples of segments, and extend each grouping to all segments by the nearest centroid.

    What differs between them is how sure a grouping of so many segments is (Hennig 2007, Computational Statistics and
    Data Analysis 52:258-271). Where points are smoothed, each sample is smoothed anew: smoothed with all others, its
    points would know where these lie, and every grouping look surer than it is.

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
    smoothed
        Where the points are drawn before they are grouped (`geo.clusters.graph.smoothing.smooth`); None: they are
        not. A segment counts once in a sample then, or those drawn twice would be their own neighbours.

    Yields
    ------
    For each of `ks` the group of each segment, counted from 0, ``(segments,)``; groups of two groupings have nothing to
    do with each other.
    """
    rng = np.random.default_rng(method.seed)
    everywhere = points if smoothed is None else smoothed
    for _ in counted(range(count), "samples of segments"):
        rows = rng.integers(0, len(points), min(len(points), SAMPLED))
        if smoothed is not None:
            rows = np.unique(rows)
        mine = beside.of(rows)
        sample = points[rows] if smoothed is None else smooth(points[rows], method, mine.left_out)
        looks = len(distinct(sample)[0])
        fits = method.fits(sample, [min(k, looks) for k in ks], thorough=False, beside=mine)
        if smoothed is not None:
            fits = [Fit(fit.labels, middles(smoothed[rows], fit.labels)) for fit in fits]
        yield [fit.nearest(everywhere) for fit in fits]
