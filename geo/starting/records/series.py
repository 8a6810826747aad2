"""Tables whose columns differ, read together: by the columns that all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from geo.collisions.tables.table import BROKEN
from geo.errors import ConfigurationError
from geo.starting.guess import counted, listed
from geo.starting.records.mapping import Mapping, Surroundings, guess_mapping
from geo.starting.records.sets import COLUMNS, Records, stem_of, together
from geo.starting.tables import Table

_BESIDE = (
    "n_casualties",
    "road_name",
    "empty_is_none",
    "pedestrian",
    "cyclist",
    "motorcyclist",
    "car_occupant",
)
"""What records do without where not all tables tell it; id, time, place and severity they do not."""


def in_series(found: Sequence[Records], around: Surroundings) -> list[Records]:
    """Put sets of one series together: files of one folder, of other times, whose names differ in numbers alone.

    Parameters
    ----------
    found
        Sets of tables, each of the same columns.
    around
        What tables are held against.

    Returns
    -------
    Those that can be read together so; none where columns are called otherwise from year to year.
    """
    alike: dict[tuple[str, ...], list[Records]] = {}
    for one in found:
        path = Path(one.tables[0].source)
        if one.schema == COLUMNS and one.tables[0].part is None:
            alike.setdefault((str(path.parent), stem_of(path), path.suffix), []).append(one)
    joined = []
    for sets in alike.values():
        if len(sets) > 1 and _of_other_times(sets):
            try:
                joined.append(joined_sets(sets, around))
            except ConfigurationError:
                continue
    return joined


def _of_other_times(sets: Sequence[Records]) -> bool:
    """Tell whether no two sets are of the same time: those that are may hold the same records."""
    times = [one.mapping.time for one in sets if one.mapping is not None]
    spans = sorted((one.first, one.last) for one in times if one.first is not None and one.last is not None)
    return len(spans) == len(sets) and all(before[1] < after[0] for before, after in pairwise(spans))


def joined_sets(sets: Sequence[Records], around: Surroundings) -> Records:
    """Put sets together: of one published schema as they are, else by the columns that all have.

    Raises
    ------
    ConfigurationError
        When these do not tell id, time, place and severity as those of each set do.
    """
    tables = [table for one in sets for table in one.tables]
    (schema, *others) = {one.schema for one in sets}
    if schema != COLUMNS and not others:
        beside: dict[str, list[Table]] = {}
        for key, linked in (pair for one in sets for pair in one.linked.items()):
            beside.setdefault(key, []).extend(linked)
        return Records(schema, tables, beside, points=np.concatenate([one.points for one in sets]))
    names = {Path(table.source).name for table in tables}
    common = [column for column in tables[0].columns if all(column in table.columns for table in tables)]
    mapped = [one.mapping for one in sets if one.mapping is not None]
    if len(mapped) == len(sets):
        shared = [_only(table, common) for table in tables]
        rows = together(shared)
        mapping = guess_mapping(rows, common, around, whole=all(table.whole for table in tables))
        told = _main_keys(mapping)
        if all(_main_keys(one) == told for one in mapped):
            return Records(COLUMNS, shared, mapping=mapping, points=mapping.where.points)
    first, second = next(
        (tables[0], table) for table in tables[1:] if [*map(str, table.columns)] != tables[0].columns
    )
    raise ConfigurationError(
        f"the tables {listed(sorted(names))} cannot be read together, for their columns differ: "
        f"{_apart(first, second)}; {_apart(second, first)}",
        where="collisions.sources",
        todo="Name one of them, or tables with the same columns.",
    )


def _only(table: Table, columns: Sequence[str]) -> Table:
    """Keep some columns of a table."""
    frame = table.rows.frame
    kept = [name for name in frame if name == BROKEN or name in columns]
    return replace(table, rows=replace(table.rows, frame=frame[kept]))


def _main_keys(mapping: Mapping) -> dict[str, object]:
    """Give the keys that say which columns tell id, time, place and severity."""
    keys = {guess.key.rpartition(".")[2]: guess for guess in mapping.guesses if ".columns." in guess.key}
    return {key: guess.value for key, guess in keys.items() if key not in _BESIDE and not guess.left_out}


def _apart(one: Table, other: Table) -> str:
    """Say which columns a table has that another has not."""
    own = [column for column in one.columns if column not in other.columns]
    name = Path(one.source).name
    return f"{name} alone has {listed(own)}" if own else f"{name} has {counted(len(one.columns), 'column')}"
