"""Which rows the configured filter keeps, by the values of their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from geo.collisions.cells.text import comparable


def kept_rows(frame: pd.DataFrame, keep: Mapping[str, Sequence[str]]) -> pd.Series:
    """Tell which rows have one of the wanted values in every named column."""
    kept = pd.Series(data=True, index=frame.index)
    for column, values in keep.items():
        kept &= comparable(frame[column]).isin(comparable(pd.Series(list(values), dtype="string")))
    return kept.astype(bool)
