"""One door to every way of clustering: the kinds that there are, and the one that a city's configuration names."""

from __future__ import annotations

from geo.clusters.methods.average import Average
from geo.clusters.methods.kind import ClusteringKind
from geo.clusters.methods.kmeans import KMeans
from geo.clusters.methods.leiden import Leiden
from geo.clusters.methods.scan import Scan
from geo.clusters.methods.temi import Temi
from geo.clusters.methods.ward import Ward
from geo.config.kinds import as_kind
from geo.config.sections.clusters import Clusters

KINDS: tuple[type[ClusteringKind], ...] = (Average, KMeans, Ward, Leiden, Scan, Temi)
"""A new one is a module in `geo.clusters.methods` and a place here."""


def method_of(settings: Clusters) -> ClusteringKind:
    """Find the way of clustering that a section names.

    Parameters
    ----------
    settings
        The section ``clusters`` of the city's file; one that was made without a file is of the kind that its
        ``method`` names.

    Raises
    ------
    ConfigurationError
        When there is no such method, naming those that there are.

    Examples
    --------
    >>> import numpy as np
    >>> from geo.config import Clusters
    >>> points = np.array([[0.0, 1.0], [0.1, 1.0], [1.0, 0.0], [1.0, 0.1]])
    >>> found = method_of(Clusters(method="ward")).fit(points, 2)
    >>> bool(found.labels[0] == found.labels[1] != found.labels[2] == found.labels[3])
    True
    """
    if isinstance(settings, ClusteringKind):
        return settings
    return as_kind(settings, KINDS, where="clusters.method", tag=settings.method)
