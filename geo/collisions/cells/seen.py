"""Values that the cells of several files hold, against those that a mapping lists."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from geo.collisions.cells.samples import tallied
from geo.collisions.cells.text import comparable

SHOWN = 8
"""So many values are named, the most frequent first."""


class Seen:
    """Values by the key that asks for them, with their counts, over all files."""

    def __init__(self) -> None:
        self._counts: dict[str, pd.Series] = {}

    def add(self, key: str, cells: pd.Series) -> None:
        """Count the values of one more file."""
        counts = cells.astype("string").str.strip().fillna("").value_counts()
        before = self._counts.get(key)
        self._counts[key] = counts if before is None else before.add(counts, fill_value=0).astype("int64")

    def absent(self, key: str, wanted: Iterable[str]) -> list[str]:
        """List the wanted values that no row has."""
        wanted = list(wanted)
        there = set(comparable(self._counts[key].index.to_series()))
        spelled = comparable(pd.Series(wanted, dtype="string"))
        return [value for value, plain in zip(wanted, spelled, strict=True) if plain not in there]

    def found(self, key: str, *, shown: int = SHOWN) -> str:
        """Name the values that there are, the most frequent first, with their counts."""
        return tallied(self._counts[key], most=shown)
