"""One door to every way to tell classes of ground: the kinds that there are, and the one that a city's file names."""

from __future__ import annotations

from geo.config.kinds import as_kind
from geo.config.sections.ground import Ground
from geo.ground.kind import GroundKind
from geo.ground.labels.settings import Labels
from geo.ground.off import Off
from geo.ground.prompted.settings import Sam
from geo.ground.tags.settings import Tags
from geo.ground.unsupervised.settings import Unsupervised

KINDS: tuple[type[GroundKind], ...] = (Off, Unsupervised, Labels, Tags, Sam)
"""A new one is a folder in `geo.ground` and a place here."""


def way_of(settings: Ground) -> GroundKind:
    """Find the way that a section names.

    Parameters
    ----------
    settings
        The section ``ground`` of the city's file; one that was made without a file is of the kind that its ``method``
        names.

    Raises
    ------
    ConfigurationError
        When there is no such way, naming those that there are.

    Examples
    --------
    >>> way_of(Ground()).maps, way_of(Ground(method="unsupervised")).tag
    (False, 'unsupervised')
    """
    if isinstance(settings, GroundKind):
        return settings
    return as_kind(settings, KINDS, where="ground.method", tag=settings.method)
