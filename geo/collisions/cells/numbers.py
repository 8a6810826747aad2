"""Cells as numbers and counts."""

from __future__ import annotations

import pandas as pd

from geo.config.records import DECIMAL_MARK


def numbers(values: pd.Series, decimal: str = DECIMAL_MARK) -> pd.Series:
    """Read numbers; NaN where a cell holds none."""
    cells = values.astype("string").str.strip()
    if decimal != ".":
        cells = cells.str.replace(".", "", regex=False).str.replace(decimal, ".", regex=False)
    return pd.to_numeric(cells, errors="coerce").astype("float64")


def whole(values: pd.Series) -> pd.Series:
    """Read counts; null where a cell holds none, or a negative one."""
    found = numbers(values)
    return found.where((found >= 0) & (found % 1 == 0)).astype("Int64")
