"""One door to every schema of records: the kinds that there are, and the one that a city's configuration names."""

from __future__ import annotations

from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.published.baac import Baac
from geo.collisions.schemas.published.fars import Fars
from geo.collisions.schemas.published.schema import Published
from geo.collisions.schemas.stats19 import Stats19
from geo.collisions.schemas.tabular import Tabular
from geo.config.kinds import as_kind
from geo.config.sections.records import Collisions

KINDS: tuple[type[SchemaKind], ...] = (Stats19, Baac, Fars, Published, Tabular)
"""A new one is a module in `geo.collisions.schemas` and a place here."""


def schema_of(collisions: Collisions) -> SchemaKind:
    """Find the schema that a section names.

    Parameters
    ----------
    collisions
        The section ``collisions`` of the city's file; one that was made without a file is of the kind that its
        ``schema`` names.

    Raises
    ------
    ConfigurationError
        When there is no such schema, naming those that there are.
    """
    if isinstance(collisions, SchemaKind):
        return collisions
    return as_kind(collisions, KINDS, where="collisions.schema", tag=collisions.schema_)
