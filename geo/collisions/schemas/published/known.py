"""Which published table a header is of, so that messages can name the schema that reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from geo.collisions.schemas.published.europe import GENEVA, HELSINKI, UNFALLATLAS
from geo.collisions.schemas.published.north_america import CHICAGO, NEW_YORK, TORONTO_KSI
from geo.collisions.schemas.published.pacific import NEW_ZEALAND_CAS, QUEENSLAND
from geo.collisions.schemas.published.preset import Header, Names, Preset

PRESETS: Mapping[str, Preset] = {
    "toronto_ksi": TORONTO_KSI,
    "new_york": NEW_YORK,
    "chicago": CHICAGO,
    "unfallatlas": UNFALLATLAS,
    "queensland": QUEENSLAND,
    "new_zealand_cas": NEW_ZEALAND_CAS,
    "helsinki": HELSINKI,
    "geneva": GENEVA,
}
"""Published tables by the name of their schema (``collisions.schema``)."""
LINKED: Mapping[str, tuple[Names, ...]] = {
    "stats19": (
        ("collision_index", "accident_index", "collision_ref_no", "accident_reference"),
        ("collision_severity", "accident_severity"),
    ),
    "baac": (("Num_Acc", "Accident_Id"), ("an",), ("lat",), ("long",)),
    "fars": (("ST_CASE",), ("LONGITUD", "LONGITUDE"), ("FATALS",)),
}
"""Columns that tables of the schemas with linked ones have: one of each."""


def recognise(names: Iterable[str]) -> str | None:
    """Name the schema that a header is of; None: of none that is known.

    Parameters
    ----------
    names
        Columns of a table.
    """
    header = Header(names)
    linked = (schema for schema, wanted in LINKED.items() if all(header.find(one) for one in wanted))
    ready = (schema for schema, preset in PRESETS.items() if preset.is_of(header))
    return next(linked, None) or next(ready, None)


def hint(names: Iterable[str], schema: str) -> str:
    """Say which schema reads a table, for a message of another one; empty: none that is known, or this one."""
    found = recognise(names)
    if found is None or found == schema:
        return ""
    return f"Its columns are those of collisions.schema: {found}, which reads it. "
