"""Cells as severities, by the values that a mapping or a scheme lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from geo.collisions.cells.text import comparable, text
from geo.config.records import Severity
from geo.errors import ConfigurationError
from geo.ledger import Entry


def severities(values: pd.Series, mapping: Mapping[Severity, Sequence[str]]) -> tuple[pd.Series, pd.Series]:
    """Map the values of a severity column.

    Returns
    -------
    The severity of each row, null where it is not known; and, for rows with a value that is not mapped, that value.

    Raises
    ------
    ConfigurationError
        When one value stands for two severities.
    """
    given = [(severity, str(value)) for severity, values_of in mapping.items() for value in values_of]
    spelled = comparable(pd.Series([value for _, value in given], dtype="string"))
    if spelled.duplicated().any():
        twice = given[int(spelled.duplicated().to_numpy().argmax())][1]
        raise ConfigurationError(
            f"the value {twice!r} is listed twice",
            where="collisions.severity_values",
            todo="List each value under one severity.",
        )
    meaning = dict(zip(spelled, (severity for severity, _ in given), strict=True))
    cells = text(values)
    found = comparable(values).map(meaning).astype(object)
    unknown = cells[found.isna() & cells.notna()]
    return found.where(found.notna(), None), unknown


def unknown_severities(unknown: pd.Series, without: int) -> list[Entry]:
    """Account for rows whose severity is not known: by value, and those that have none."""
    counts = unknown.value_counts().sort_index()
    entries = [
        Entry(
            "severities",
            "rejected",
            f"the value {str(value)[:40]!r} is not mapped; counted without severity",
            int(n),
        )
        for value, n in counts.items()
    ]
    return [*entries, Entry("severities", "skipped", "none recorded; counted without severity", without)]


def without_injury(
    values: pd.Series, no_injury: Sequence[str], not_known: Sequence[str]
) -> tuple[pd.Series, list[Entry]]:
    """Account for values that a scheme of severities lists, and that are none of the three.

    Parameters
    ----------
    values
        Values of the severity column that `severities` could not map.
    no_injury
        Codes of collisions without injury (`geo.collisions.schemas.schemes.Scheme`).
    not_known
        Codes by which the records say that severity is not known.

    Returns
    -------
    The values that are left, and the entries.
    """
    cells = comparable(values)
    none = cells.isin(comparable(pd.Series(list(no_injury), dtype="string")))
    unknown = cells.isin(comparable(pd.Series(list(not_known), dtype="string")))
    entries = [
        Entry("severities", "skipped", reason, int(which.sum()))
        for which, reason in (
            (none, "no injury by its code; counted without severity"),
            (unknown, "not known by its code; counted without severity"),
        )
    ]
    return values[~none & ~unknown], entries


def told_apart(table: pd.DataFrame, mapped: Iterable[Severity]) -> frozenset[Severity]:
    """Give the severities that records tell apart: those that are mapped, but none where no row has a known one."""
    return frozenset(mapped) if table["severity"].notna().any() else frozenset()
