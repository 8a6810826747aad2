"""What every way of clustering is: a section of a city's file that knows how to group points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from geo.config.sections.clusters import Clusters
from geo.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Fit:
    """Points in groups, and what tells the group of points that were not there.

    Attributes
    ----------
    labels
        Group of each point, counted from 0, ``(segments,)``.
    centroids
        Middle of each group, ``(groups, components)``. A new point belongs to the nearest one.
    notes
        What whoever reads the result must know of how it was come by, in words.
    """

    labels: NDArray[np.int64]
    centroids: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def distances(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Measure how far points ``(n, components)`` are from each centroid, ``(n, groups)``."""
        from sklearn.metrics.pairwise import euclidean_distances
        from threadpoolctl import threadpool_limits

        # sums over several threads, or along another order in memory, differ in the last bit of a distance
        with threadpool_limits(limits=1):
            found: NDArray[np.float64] = euclidean_distances(np.ascontiguousarray(points), self.centroids)
        return found

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Tell which centroid is nearest to each of points ``(n, components)``; of two as near the first."""
        found: NDArray[np.int64] = self.distances(points).argmin(axis=1)
        return found

    def without_empty(self) -> Fit:
        """Leave out groups that no point is of."""
        there, labels = np.unique(self.labels, return_inverse=True)
        if len(there) == len(self.centroids):
            return self
        return Fit(labels.ravel().astype(np.int64), self.centroids[there], self.notes)


@dataclass(frozen=True, slots=True)
class Views:
    """Other looks of points: tiles of a segment, and turns of a tile.

    Attributes
    ----------
    points
        Their places, in the space of the points, those of one point one after the other, ``(views, components)``.
    starts
        Where those of each point begin, and at the end how many there are, ``(n + 1,)``.
    """

    points: NDArray[np.float32]
    starts: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> Views:
        """Give the views of some of the points, ``(m,)``; one may be there several times."""
        counts = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(counts)])
        places = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], counts)
        return Views(self.points[places], starts)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of points beside their places, for those ways of clustering that make use of it.

    Attributes
    ----------
    left_out
        ``(n, n)``: pairs of points that do not count as neighbours, whatever they look like
        (`geo.clusters.graph.ground.same_ground`); None: all count.
    views
        Other looks of each point; None: there are none.
    """

    left_out: sp.csr_array | None = None
    views: Views | None = None

    def of(self, rows: NDArray[np.int64]) -> Beside:
        """Give what is known of some of the points, ``(m,)``; one may be there several times."""
        return Beside(
            None if self.left_out is None else self.left_out[rows][:, rows].tocsr(),
            None if self.views is None else self.views.of(rows),
        )


NOTHING = Beside()
"""Points are known by their places alone."""


class ClusteringKind(Clusters, ABC):
    """A way of clustering; a subclass a module, listed in `geo.clusters.registry`.

    Attributes
    ----------
    tag, form
        How ``clusters.method`` is told to mean it (`geo.config.kinds.Kind`).
    words
        What a reader of the report calls it.
    most_segments
        More segments than this are refused; None: any number is taken.
    uses_views
        Whether it makes use of other looks of segments (`Views`), which are read for it alone.
    """

    tag: ClassVar[str]
    form: ClassVar[str]
    words: ClassVar[str]
    most_segments: ClassVar[int | None] = None
    uses_views: ClassVar[bool] = False

    def chooser(self) -> ClusteringKind:
        """Give the way of clustering by which the number of groups is chosen: this one, unless it takes too long."""
        return self

    def fit(
        self, points: NDArray[np.float64], k: int, *, thorough: bool = True, beside: Beside = NOTHING
    ) -> Fit:
        """Group points. The same points, `k` and ``clusters.seed`` give the same bytes.

        Parameters
        ----------
        points
            Array ``(segments, components)``, see `geo.clusters.space.to_space`.
        k
            Number of groups, no more than there are distinct points.
        thorough
            Whether the result is to be shown; else it is one of many that are held against it.
        beside
            What else is known of these points; most ways of clustering ask for nothing of it.

        Raises
        ------
        ConfigurationError
            When there are more segments than this way of clustering takes.
        """
        return self.fits(points, [k], thorough=thorough, beside=beside)[0]

    def fits(
        self,
        points: NDArray[np.float64],
        ks: Sequence[int],
        *,
        thorough: bool = True,
        beside: Beside = NOTHING,
    ) -> list[Fit]:
        """Group points into each of several numbers of groups, as `fit` does; work that these share is done once.

        Of points that look too much the same to be told apart into so many groups there are fewer.
        """
        self.check_size(len(points))
        return [fit.without_empty() for fit in self._fits_beside(points, ks, beside, thorough=thorough)]

    def check_size(self, segments: int) -> None:
        """Refuse more segments than can be grouped in this way.

        Raises
        ------
        ConfigurationError
            Naming the method, how many it takes, and how many there are.
        """
        if self.most_segments is not None and segments > self.most_segments:
            raise ConfigurationError(
                f"{self.method} takes at most {self.most_segments:,} segments, and {segments:,} have imagery",
                where="clusters.method",
                todo="Take kmeans, which takes any number, or a smaller area.",
            )

    def _fits_beside(
        self,
        points: NDArray[np.float64],
        ks: Sequence[int],
        beside: Beside,  # noqa: ARG002 - who asks for it overrides this
        *,
        thorough: bool,
    ) -> list[Fit]:
        """Group points of which more is known than their places; see `fits`."""
        return self._fits(points, ks, thorough=thorough)

    def _fits(self, points: NDArray[np.float64], ks: Sequence[int], *, thorough: bool) -> list[Fit]:
        """Group points into each of several numbers of groups, see `fits`; one after the other, unless told better."""
        return [self._fit(points, k, thorough=thorough) for k in ks]

    @abstractmethod
    def _fit(self, points: NDArray[np.float64], k: int, *, thorough: bool) -> Fit:
        """Group points, of which there are not too many; see `fit`."""
