"""The canonical table of collision records that every reader produces, one row a source row, in the source's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyproj

from geo.collisions.cells.carried import Doubts
from geo.collisions.rows.origin import Origin
from geo.collisions.tables.table import BROKEN
from geo.config.sections.records import ROAD_USERS, Severity
from geo.errors import LayerError, meant
from geo.ledger import Entry

COLUMNS = (
    *(
        "collision_id",
        "date",
        "year",
        "month",
        "severity",
        "severity_state",
        "n_casualties",
        "x",
        "y",
        "road_class",
        "road_ref",
        "road_name",
    ),
    *("at_junction", "kept", "repeats", "source_row"),
    *(*ROAD_USERS, "ksi_adjusted"),
)


@dataclass(frozen=True, slots=True)
class CollisionSource:
    """Collision records as they were read, before any is placed.

    Attributes
    ----------
    table
        `COLUMNS` (and counts of casualties by road user where they are known), one row a source row; the columns of
        `geo.config.ROAD_USERS` and ``ksi_adjusted``, the probability that someone was killed or seriously hurt by the
        DfT's adjustment, are null where the source does not tell. ``x`` and ``y`` are NaN where the record has none;
        ``kept`` says whether the row passes the configured filter; ``at_junction`` is what the record itself says, null
        where it does not; ``repeats``, whether the row is left out for one before it, is found out for all schemas
        alike (`geo.collisions.rows.settle`), where rows of one collision are also brought together: from then on a row
        is a collision, and ``source_row`` the first row of it. ``date`` is on the clock of the place, which
        is written as if it were UTC; of a row without a day ``year`` and ``month`` say as much as is recorded.
        ``severity_state`` says why a severity is not known, see `geo.collisions.cells.severities`.
    crs
        CRS of ``x`` and ``y``.
    severities
        Severities that the source can tell apart.
    has_ids
        Whether ``collision_id`` is the source's own; else it is made from the row, and says nothing of duplicates.
    entries
        Notes on values that could not be read. The rows themselves are accounted for when they are placed.
    origin
        Where the rows stood in their files; None: the schema does not say, and rows that are equal are not seen.
    warnings
        What is told by ``check`` and at the end of a run, in words.
    cells
        Coordinates of some rows as they stand in the file, by ``source_row``; empty for geometries.
    carried
        What is to be told of the columns that ``collisions.carry`` names, which `table` has as ``src_<column>``.
    """

    table: pd.DataFrame
    crs: pyproj.CRS
    severities: frozenset[Severity]
    has_ids: bool
    entries: list[Entry]
    origin: Origin | None = None
    warnings: tuple[str, ...] = ()
    cells: pd.Series = field(default_factory=lambda: pd.Series(dtype="string"))
    carried: Doubts = field(default_factory=Doubts)


def check_names(
    frame: pd.DataFrame,
    wanted: Mapping[str, str | None],
    source: str,
    *,
    todo: str = "Mend the mapping, or the delimiter (collisions.columns.delimiter).",
) -> None:
    """Name every column that is asked for and that a table does not have, or has more than once.

    Parameters
    ----------
    frame
        The table as it was read from the source.
    wanted
        Name of the column by the key that asks for it; None: not asked for.
    source
        Path of the file, for the message.
    todo
        What to do about a column that is not there.

    Raises
    ------
    LayerError
        Naming key, column, and the columns that there are.
    """
    names = [str(name) for name in frame.columns if name != BROKEN]
    twice = [f"{key}: {name!r}" for key, name in wanted.items() if names.count(str(name)) > 1]
    if twice:
        raise LayerError(
            f"it has more than one column for {'; '.join(twice)}",
            where=source,
            todo="Rename one of them in the file.",
        )
    missing = [f"{key}: {name!r}" for key, name in wanted.items() if name is not None and name not in names]
    if missing:
        like = meant(next(name for name in wanted.values() if name is not None and name not in names), names)
        raise LayerError(
            f"it has no column for {'; '.join(missing)}; there are {', '.join(names)}{like}",
            where=source,
            todo=todo,
        )


def canonical_table(table: pd.DataFrame) -> pd.DataFrame:
    """Bring a table to the canonical columns and types; what a source does not have is null, but an id is made."""
    n = len(table)
    empty: dict[str, Any] = {
        "collision_id": None,
        "date": pd.Series(pd.NaT, index=table.index, dtype="datetime64[ns, UTC]"),
        "year": pd.array([pd.NA] * n, dtype="Int64"),
        "month": pd.array([pd.NA] * n, dtype="Int64"),
        "severity": None,
        "severity_state": None,
        "n_casualties": pd.array([pd.NA] * n, dtype="Int64"),
        "x": np.nan,
        "y": np.nan,
        "road_class": None,
        "road_ref": None,
        "road_name": None,
        "at_junction": pd.array([pd.NA] * n, dtype="boolean"),
        "kept": True,
        "repeats": False,
        "ksi_adjusted": np.nan,
    } | {user: pd.array([pd.NA] * n, dtype="boolean") for user in ROAD_USERS}
    table = table.assign(**{name: value for name, value in empty.items() if name not in table})
    table["source_row"] = np.arange(n)
    table["date"] = table["date"].astype("datetime64[ns, UTC]")
    for name in ("collision_id", "road_class", "road_ref", "road_name", "severity", "severity_state"):
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    made = "row " + table["source_row"].astype(str)
    table["collision_id"] = table["collision_id"].where(table["collision_id"].notna(), made)
    extra = sorted(name for name in table.columns if name not in COLUMNS)
    return table[[*COLUMNS, *extra]].reset_index(drop=True)
