"""Cells as text: how they are compared, and which of them hold no value."""

from __future__ import annotations

import pandas as pd

MISSING = ("", "-1", "null", "none", "nan", "na", "n/a", "<na>")
"""What stands for 'no value' in a text cell, in any case."""


def comparable(values: pd.Series) -> pd.Series:
    """Bring cells to the form in which they are compared: stripped, in lower case, 1.0 as 1; a null is empty.

    What looks alike is alike (Unicode, form NFKC): accents in one piece or two, full-width digits, no-break spaces.
    """
    return _strip(values.astype("string").str.normalize("NFKC")).str.casefold().fillna("")


def text(values: pd.Series) -> pd.Series:
    """Strip cells and make those that stand for 'no value' null; whole numbers lose their '.0'."""
    stripped = _strip(values)
    return stripped.mask(stripped.str.casefold().isin(MISSING).fillna(value=True))


def _strip(values: pd.Series) -> pd.Series:
    return values.astype("string").str.strip().str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
