"""Columns of records that are carried into the layer of collisions, for whoever filters by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from geo.collisions.cells.samples import counted
from geo.collisions.tables.table import BROKEN
from geo.errors import LayerError, meant
from geo.ledger import Entry
from geo.sources.columns import PREFIX, carried_name

CELLS = "carried cells"
"""Item of the ledger."""
_WHOLE = r"-?(?:0|[1-9]\d*)(?:\.0+)?"
_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?"
"""Numbers as they are written where nothing is lost by reading them: 0123, 1e5 and 3,5 are text."""
_DIGITS, _EXACT = 18, 15
"""So many digits a whole number has at most, and so many beside fractions."""
_MOSTLY = 0.5
"""Where more cells than this share are numbers, it is told that others are not."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """What is to be told of carried columns.

    Attributes
    ----------
    entries
        For the ledger.
    warnings
        For ``check`` and the end of a run, in words.
    """

    entries: list[Entry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Codes:
    """What the cells of a column stand for, in any case.

    Attributes
    ----------
    labels
        Meaning by code; none: cells are what they say. A code that is not among them stays as it stands.
    blanks
        Codes and words for what is not known: null.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    blanks: tuple[str, ...] = ()


Find = Callable[[pd.DataFrame, str], pd.Series | None]


def as_named(frame: pd.DataFrame, name: str) -> pd.Series | None:
    """Find the column of a name, else the only one that differs from it in case alone; stripped, empty cells null."""
    there = [str(column) for column in frame.columns if column != BROKEN]
    plain = [column for column in there if column.casefold() == name.casefold()]
    found = name if name in there else plain[0] if len(plain) == 1 else None
    if found is None:
        return None
    return stripped(frame[found])


def stripped(cells: pd.Series) -> pd.Series:
    """Strip cells as they stand; an empty one is null."""
    bare: pd.Series = cells.astype("string").str.strip()
    return bare.mask(bare == "")


class Carrying:
    """Takes the columns of ``collisions.carry`` out of one file after another.

    Parameters
    ----------
    names
        As the city's file names them.
    find
        Gives a column of a file by its name as text, null where a cell is empty; None where the file has none.
    codes
        What the cells of a column stand for, by its name.
    """

    def __init__(
        self,
        names: Sequence[str],
        find: Find = as_named,
        codes: Callable[[str], Codes] = lambda _: Codes(),
    ) -> None:
        self._names = tuple(dict.fromkeys(names))
        self._find = find
        self._codes = codes
        self._lacking: dict[str, list[tuple[str, int]]] = {name: [] for name in self._names}
        self._there: dict[str, None] = {}
        self._files: list[str] = []
        self._told: list[Entry] = []

    def take(self, frame: pd.DataFrame, source: str) -> dict[str, pd.Series]:
        """Take the columns out of one file.

        Parameters
        ----------
        frame
            Cells of the file, as text, with `geo.collisions.tables.table.BROKEN`; those of broken rows are null.
        source
            Its path.

        Returns
        -------
        Text on the index of the frame, by ``src_<name>``; null throughout where the file has no such column.

        Raises
        ------
        LayerError
            When it has more than one column of that name.
        """
        columns = [str(column) for column in frame.columns if column != BROKEN]
        twice = [name for name in self._names if columns.count(name) > 1]
        if twice:
            raise LayerError(
                f"it has more than one column for collisions.carry: {twice[0]!r}",
                where=source,
                todo="Rename one of them in the file.",
            )
        self._files.append(source)
        self._there |= dict.fromkeys(columns)
        trusted = ~frame[BROKEN].astype(bool)
        return {carried_name(name): self._one(frame, name, source).where(trusted) for name in self._names}

    def _one(self, frame: pd.DataFrame, name: str, source: str) -> pd.Series:
        cells = self._find(frame, name)
        if cells is None:
            self._lacking[name].append((source, len(frame)))
            return pd.Series(pd.NA, index=frame.index, dtype="string")
        codes = self._codes(name)
        plain = cells.str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True).str.casefold()
        blank = plain.isin(codes.blanks)
        self._account(f"{name} is not known", cells[blank])
        cells = cells.mask(blank)
        if not codes.labels:
            return cells
        said = plain.map(dict(codes.labels) | {label.casefold(): label for label in codes.labels.values()})
        said = said.astype("string").mask(blank)
        strange = cells[said.isna()].dropna()
        self._account(f"{name} has codes that are not listed, and stay as they stand", strange)
        return said.fillna(cells)

    def _account(self, reason: str, cells: pd.Series) -> None:
        """Note how many cells met one fate."""
        if len(cells):
            self._told.append(Entry(CELLS, "skipped", f"{reason}: {counted(cells)}", len(cells)))

    def doubts(self) -> Doubts:
        """Say what is to be told once all files are read.

        Raises
        ------
        LayerError
            When a column is in none of them, with those that there are.
        """
        missing = [name for name, without in self._lacking.items() if len(without) == len(self._files)]
        if missing:
            there = [*self._there]
            raise LayerError(
                f"collisions.carry names {', '.join(map(repr, missing))}, which no file has; there are "
                f"{', '.join(there)}{''.join(_like(name, there) for name in missing)}",
                where=", ".join(self._files),
                todo="Mend collisions.carry, or leave it out.",
            )
        told = Doubts([*self._told])
        for name, without in self._lacking.items():
            for file, rows in without:
                reason = f"{Path(file).name} has no column {name!r}: not known there"
                told.entries.append(Entry(CELLS, "skipped", reason, rows))
                told.warnings.append(f"collisions.carry: {reason} ({rows:,} rows)")
        return told


def _like(name: str, there: Sequence[str]) -> str:
    """Say which columns may be meant: those that hold the word, else the one that is spelled most like it."""
    holding = [column for column in there if name.casefold() in column.casefold()]
    return f"; did you mean {' or '.join(holding)}?" if holding else meant(name, there)


def carried_columns(table: pd.DataFrame) -> list[str]:
    """Name the columns of a table that are carried."""
    return [str(name) for name in table.columns if str(name).startswith(PREFIX)]


def typed(cells: pd.Series) -> tuple[pd.Series, str]:
    """Bring cells to whole numbers or numbers where all of them are, and nothing is lost by it.

    Parameters
    ----------
    cells
        Text; null: empty.

    Returns
    -------
    Int64, float64 or text, and what is to be told of a column that is mostly numbers.

    Examples
    --------
    >>> typed(pd.Series(["30", "40.0", None], dtype="string"))[0].tolist()
    [30, 40, <NA>]
    >>> typed(pd.Series(["01", "02"], dtype="string"))[0].tolist()
    ['01', '02']
    """
    known = cells.dropna()
    whole = known.str.fullmatch(_WHOLE)
    number = known.str.fullmatch(_NUMBER)
    digits = known.str.replace(r"\.0+$|-", "", regex=True).str.len()
    if len(known) and whole.all() and (digits <= _DIGITS).all():
        return pd.to_numeric(cells.str.replace(r"\.0+$", "", regex=True)).astype("Int64"), ""
    if len(known) and number.all() and not (whole & (digits > _EXACT)).any():
        return pd.to_numeric(cells).astype("float64"), ""
    share = float(number.mean()) if len(known) else 0.0
    if _MOSTLY < share < 1:
        others = f"{int((~number).sum()):,} of {len(known):,} cells are not ({counted(known[~number])})"
        return cells, f"its cells are numbers, but {others}: it stays text, and > and < compare letters"
    return cells, ""
