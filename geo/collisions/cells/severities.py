"""Cells as severities: by the values that a mapping or a scheme lists, or by the numbers of people hurt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from geo.collisions.cells.samples import counted
from geo.collisions.cells.text import comparable, text
from geo.config.sections.records import SEVERITIES, Severity
from geo.errors import ConfigurationError
from geo.ledger import Entry

KNOWN, UNHURT, NOT_KNOWN, BLANK, UNMAPPED = "known", "no injury", "not known", "blank", "not mapped"
"""What a cell tells of severity: one of three; that nobody was hurt; that it is not known, by a code of its own;
nothing; or a value that no mapping lists."""
_LISTED = 20
"""Values that are accounted for one by one."""
PLAUSIBLE, ENOUGH = 0.2, 30
"""Of at least so many collisions with injury, no published records hold a larger share of fatal ones: it is 1 to 3 % in
national records (DfT, table RAS0101; Destatis, Fachserie 8, Reihe 7; NHTSA, Traffic Safety Facts), and some 15 % where
slight injuries are left out."""


@dataclass(frozen=True, slots=True)
class Severities:
    """What cells tell of severity, on their index.

    Attributes
    ----------
    severity
        Fatal, serious or slight; None where it is not known or nobody was hurt.
    state
        `KNOWN`, `UNHURT`, `NOT_KNOWN`, `BLANK` or `UNMAPPED`.
    """

    severity: pd.Series
    state: pd.Series


def severities(
    values: pd.Series,
    mapping: Mapping[Severity, Sequence[str]],
    no_injury: Sequence[str] = (),
    not_known: Sequence[str] = (),
) -> Severities:
    """Map the values of a severity column.

    Parameters
    ----------
    values
        Cells, as text.
    mapping
        Values of each severity.
    no_injury, not_known
        Values that say that nobody was hurt, and that severity is not known; an empty text stands for an empty cell.

    Raises
    ------
    ConfigurationError
        When one value stands for two of these.
    """
    given: list[tuple[str, str]] = [
        (severity, str(value)) for severity, listed in mapping.items() for value in listed
    ]
    given += [(UNHURT, str(value)) for value in no_injury] + [(NOT_KNOWN, str(value)) for value in not_known]
    spelled = comparable(pd.Series([value for _, value in given], dtype="string"))
    if spelled.duplicated().any():
        twice = given[int(spelled.duplicated().to_numpy().argmax())][1]
        raise ConfigurationError(
            f"the value {twice!r} is listed twice",
            where="collisions.severity_values",
            todo="List each value under one severity.",
        )
    meaning = dict(zip(spelled, (name for name, _ in given), strict=True))
    found = comparable(values).map(meaning).astype(object)
    severity = found.where(found.isin(SEVERITIES), None)
    state = found.mask(found.isin(SEVERITIES), KNOWN)
    return Severities(
        severity, state.fillna(text(values).isna().map({True: BLANK, False: UNMAPPED})).astype(object)
    )


def of_counts(some: Mapping[Severity, pd.Series]) -> Severities:
    """Tell severity from whether people were killed, seriously and slightly hurt: the worst that is true.

    Parameters
    ----------
    some
        Of each severity that is counted whether anybody was hurt so; null where it is not known, and a severity is
        known only where every worse one is known not to be.
    """
    index = next(iter(some.values())).index
    severity = pd.Series(None, index=index, dtype=object)
    state = pd.Series(UNHURT, index=index, dtype=object)
    for name in (name for name in SEVERITIES if name in some):
        open_ = (state == UNHURT).to_numpy()
        yes = some[name].fillna(value=False).to_numpy(dtype=bool)
        severity = severity.mask(open_ & yes, name)
        state = state.mask(open_ & yes, KNOWN).mask(open_ & some[name].isna().to_numpy(), BLANK)
    return Severities(severity, state)


def unknown_severities(values: pd.Series, state: pd.Series) -> list[Entry]:
    """Account for rows without a known severity, by why: values that are not mapped one by one.

    Parameters
    ----------
    values
        Cells of the severity column, of the rows that are kept.
    state
        Of `Severities`, on the same index.
    """
    counts = text(values)[state == UNMAPPED].value_counts()
    most = counts.sort_index().sort_values(ascending=False, kind="stable")
    entries = [
        Entry("severities", "skipped", reason, int((state == which).sum()))
        for which, reason in (
            (UNHURT, "no injury by its code; counted without severity"),
            (NOT_KNOWN, "not known by its code; counted without severity"),
        )
    ]
    entries += [
        Entry(
            "severities",
            "rejected",
            f"the value {str(value)[:40]!r} is not mapped; counted without severity",
            int(n),
        )
        for value, n in most.iloc[:_LISTED].sort_index().items()
    ]
    entries += [
        Entry(
            "severities",
            "rejected",
            f"{len(most) - _LISTED:,} other values are not mapped; counted without severity",
            int(most.iloc[_LISTED:].sum()),
        )
    ]
    blank = int((state == BLANK).sum())
    return [*entries, Entry("severities", "skipped", "none recorded; counted without severity", blank)]


def told_apart(table: pd.DataFrame, mapped: Iterable[Severity]) -> frozenset[Severity]:
    """Give the severities that records tell apart: those that are mapped, but none where no row has a known one."""
    return frozenset(mapped) if table["severity"].notna().any() else frozenset()


def questioned(severity: pd.Series, named: str) -> list[str]:
    """Question codes of severity by which an absurd share of collisions is fatal.

    Parameters
    ----------
    severity
        Of the rows that are kept; null where it is not known.
    named
        What gives the codes their meaning, for the sentence.
    """
    counts = severity.value_counts()
    total, fatal = int(counts.sum()), int(counts.get("fatal", 0))
    if total < ENOUGH or fatal <= PLAUSIBLE * total:
        return []
    told = ", ".join(f"{counts.get(name, 0):,} {name}" for name in SEVERITIES)
    share = f"{fatal / total:.0%} of the collisions with injury are fatal by {named} ({told})"
    return [
        f"{share}, and in published records it is 1 to 3 %: check its codes, unless the records are of deaths alone"
    ]


def unmapped_values(values: pd.Series, state: pd.Series) -> str:
    """Name the values that no mapping lists, with their counts; empty where there are none."""
    return counted(text(values)[state == UNMAPPED], most=5)
