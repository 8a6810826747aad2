"""Where rows stood in their sources, and what tells whole rows apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.collisions.tables.table import BROKEN

SAMPLE = 20_000
"""Rows at the head of each file whose cells are kept: rows of one collision stand together, or not far apart."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where each row of a table of records stood, in the order of that table.

    Attributes
    ----------
    files
        Paths of the sources.
    file
        Which of `files` each row is of, ``(rows,)``.
    whole
        A digest of all cells of each row, ``(rows,)``: equal for rows that are equal wholly.
    broken
        Whether a row has another number of fields than its header, so that its cells cannot be trusted, ``(rows,)``.
    cells
        The first rows of each file as they stand in it, on the positions of the table, without columns of a
        name that stands before.
    named
        Columns of the source that something is read from, by what it is; those of the ``id`` are named in messages.
    """

    files: tuple[str, ...]
    file: NDArray[np.int64]
    whole: NDArray[np.uint64]
    broken: NDArray[np.bool_]
    cells: pd.DataFrame
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Name each file as shortly as tells all apart: its stem, behind as many folders as that takes."""
        parts = [Path(file).with_suffix("").parts for file in self.files]
        depth = 1
        while len({part[-depth:] for part in parts}) < len(parts) and depth < max(map(len, parts)):
            depth += 1
        return ["/".join(part[-depth:]) for part in parts]

    def where(self, row: int) -> str:
        """Say where a row stands: its number among the rows of its file, from 1, and the file's name."""
        file = self.file[row]
        number = row - int(np.argmax(self.file == file)) + 1
        return f"row {number:,} of {Path(self.files[file]).name}"


def origin_of(frame: pd.DataFrame, source: str, named: Mapping[str, str | list[str] | None]) -> Origin:
    """Note where the rows of one file stand, and what they are as a whole.

    Parameters
    ----------
    frame
        The file as it was read, all cells as text, with `geo.collisions.sources.BROKEN`.
    source
        Its path.
    named
        As `Origin.named`.
    """
    cells = frame.drop(columns=BROKEN).astype("string")
    ordered = cells.iloc[:, np.argsort(cells.columns.astype(str), kind="stable")]
    whole = np.asarray(pd.util.hash_pandas_object(ordered, index=False), dtype=np.uint64)
    return Origin(
        (source,),
        np.zeros(len(frame), dtype=np.int64),
        whole,
        frame[BROKEN].to_numpy(dtype=bool),
        cells.loc[:, ~cells.columns.duplicated()].head(SAMPLE).reset_index(drop=True),
        {
            what: (names,) if isinstance(names, str) else tuple(names)
            for what, names in named.items()
            if names
        },
    )


def together(origins: Sequence[Origin]) -> Origin:
    """Put the origins of several files together, in the order in which their rows follow each other."""
    sizes = np.array([len(one.file) for one in origins])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return Origin(
        tuple(one.files[0] for one in origins),
        np.repeat(np.arange(len(origins)), sizes),
        np.concatenate([one.whole for one in origins]),
        np.concatenate([one.broken for one in origins]),
        pd.concat(
            [one.cells.set_index(one.cells.index + start) for one, start in zip(origins, starts, strict=True)]
        ),
        {what: names for one in reversed(origins) for what, names in one.named.items()},
    )


def unknown_origin(table: pd.DataFrame) -> Origin:
    """Make do for a schema that does not say where its rows stood: one file, in which no two rows are one."""
    n = len(table)
    return Origin(
        ("the records",),
        np.zeros(n, dtype=np.int64),
        np.arange(n, dtype=np.uint64),
        np.zeros(n, dtype=bool),
        pd.DataFrame(index=table.index[:0]),
    )
