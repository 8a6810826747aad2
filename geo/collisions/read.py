"""One door to collision records of every schema."""

from __future__ import annotations

from geo.collisions.schema import CollisionSource
from geo.collisions.schemas.stats19 import read_stats19
from geo.collisions.schemas.tabular import read_tabular
from geo.config import Collisions


def read_collisions(collisions: Collisions) -> CollisionSource:
    """Read all collision records of a city.

    Parameters
    ----------
    collisions
        The ``collisions`` section, with at least one source.

    Raises
    ------
    SourceError, LayerError, ConfigurationError
        Naming the file, the key or column, what was found, and what to do.
    """
    return read_stats19(collisions) if collisions.schema_ == "stats19" else read_tabular(collisions)
