"""One door to collision records of every schema."""

from __future__ import annotations

from geo.collisions.registry import schema_of
from geo.collisions.rows.settle import settle_rows
from geo.collisions.schema import CollisionSource
from geo.config import Collisions


def read_collisions(collisions: Collisions) -> CollisionSource:
    """Read all collision records of a city, one row a collision.

    Parameters
    ----------
    collisions
        The ``collisions`` section, with at least one source.

    Raises
    ------
    SourceError, LayerError, ConfigurationError
        Naming the file, the key or column, what was found, and what to do.

    Examples
    --------
    >>> import pandas as pd
    >>> from geo.config import collision_settings
    >>> rows = {"id": ["k1", "k2"], "lng": [-1.5, -1.4], "lat": [52.4, 52.5], "harm": ["death", "minor"]}
    >>> pd.DataFrame(rows).to_csv("collisions.csv", index=False)
    >>> asked = collision_settings(
    ...     sources=["collisions.csv"],
    ...     schema="columns",
    ...     columns={"id": "id", "x": "lng", "y": "lat", "severity": "harm"},
    ...     severity_values={"fatal": ["death"], "slight": ["minor"]},
    ... )
    >>> source = read_collisions(asked)
    >>> source.table[["collision_id", "severity", "x", "y"]].values.tolist()
    [['k1', 'fatal', -1.5, 52.4], ['k2', 'slight', -1.4, 52.5]]
    """
    schema = schema_of(collisions)
    return settle_rows(schema.read(), schema.model_copy(update={"rows": schema.row()}))
