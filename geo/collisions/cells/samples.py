"""What is told of cells: some as they stand in the file, and how many could not be read."""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.text import text
from geo.ledger import Entry

SHOWN = 3
"""Cells or values that a message shows."""
_LONGEST = 40


def shown(cells: pd.Series, made: pd.Series | None = None, *, most: int = SHOWN) -> str:
    """Show the first different cells as they stand in the file, and what was made of them.

    Parameters
    ----------
    cells
        Text, as it was read.
    made
        What was made of each, on the same index; None: nothing is said of it.
    most
        How many at most.
    """
    some = cells.dropna().drop_duplicates().iloc[:most]
    quoted = [repr(str(cell)[:_LONGEST]) for cell in some]
    if made is None:
        return ", ".join(quoted)
    values = ["nothing" if pd.isna(value) else str(value) for value in made[some.index]]
    return ", ".join(f"{cell} is {value}" for cell, value in zip(quoted, values, strict=True))


def counted(cells: pd.Series, *, most: int = SHOWN) -> str:
    """Name the most frequent values with their counts: ``'a' 12, 'b' 3 and 4 more``."""
    return tallied(cells.astype("string").value_counts(), most=most)


def tallied(counts: pd.Series, *, most: int = SHOWN) -> str:
    """Name the most frequent values, as `counted` does, from counts by value."""
    counts = counts.sort_index().sort_values(ascending=False, kind="stable")
    named = ", ".join(f"{str(value)[:_LONGEST]!r} {n:,}" for value, n in counts.iloc[:most].items())
    return named + (f" and {len(counts) - most:,} more" if len(counts) > most else "")


def unread(cells: pd.Series, found: pd.Series, item: str) -> list[Entry]:
    """Account for cells that hold something, of which nothing could be read; their rows are kept."""
    return lost(text(cells)[found.isna()].dropna(), item)


def lost(cells: pd.Series, item: str) -> list[Entry]:
    """Account for cells of which nothing could be read."""
    if cells.empty:
        return []
    reason = f"cannot be read ({counted(cells)}); their collisions are kept without"
    return [Entry(item, "rejected", reason, len(cells))]
