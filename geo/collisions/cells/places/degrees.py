"""Cells as degrees: decimal ones, with minutes and seconds, with a letter for the hemisphere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.collisions.cells.numbers import numbers

_DEGREE, _MINUTE, _SECOND = (
    "\N{DEGREE SIGN}\N{MASCULINE ORDINAL INDICATOR}\N{RING ABOVE}",
    "'\N{PRIME}\N{RIGHT SINGLE QUOTATION MARK}\N{ACUTE ACCENT}",
    '"\N{DOUBLE PRIME}\N{RIGHT DOUBLE QUOTATION MARK}',
)
_PART = r"\d+(?:[.,]\d+)?"
_SEXAGESIMAL = (
    rf"(?i)^(?P<before>[nsew])?\s*(?P<sign>[+-])?\s*(?P<degrees>{_PART})\s*(?:[{_DEGREE}:d\s-]|deg)?\s*"
    rf"(?:(?P<minutes>{_PART})\s*(?:[{_MINUTE}:m\s-]|min)?\s*"
    rf"(?:(?P<seconds>{_PART})\s*(?:[{_SECOND}s]|sec|[{_MINUTE}]{{2}})?)?)?\s*(?P<after>[nsew])?$"
)
_PARTED = rf"(?i)[nsew{_DEGREE}:]|\d[\s-]\s*\d"
"""Only cells with one of these are read so: nothing else is degrees and no number."""


def degrees(values: pd.Series, decimal: str) -> tuple[pd.Series, pd.Series]:
    """Read degrees, also those with minutes and seconds.

    Parameters
    ----------
    values
        Cells, as text: ``42.36``, ``42° 21' 30.5" N``, ``W 71:03:29``.
    decimal
        Decimal mark of plain numbers; beside minutes a comma is one, too.

    Returns
    -------
    Degrees, NaN where a cell holds none, negative in the south and west; and the axis that a letter names, ``x`` or
    ``y``, null without one.
    """
    found = numbers(values, decimal)
    cells = values.astype("string").str.strip().str.replace("\N{MINUS SIGN}", "-", regex=False)
    other = found.isna() & cells.str.contains(_PARTED, regex=True).fillna(value=False).astype(bool)
    axis = pd.Series(pd.NA, index=values.index, dtype="string")
    if not other.any():
        return found, axis
    parts = cells[other].str.extract(_SEXAGESIMAL).astype(object)
    size = {name: _float(parts[name]) for name in ("degrees", "minutes", "seconds")}
    minutes, seconds = size["minutes"].fillna(0), size["seconds"].fillna(0)
    letter = parts["before"].where(parts["before"].notna(), parts["after"]).str.casefold()
    one = parts["before"].isna() | parts["after"].isna()
    value = size["degrees"] + minutes / 60 + seconds / 3600
    value = value.where((minutes < 60) & (seconds < 60) & one)
    minus = letter.isin(["s", "w"]) | (letter.isna() & (parts["sign"] == "-"))
    found = found.mask(other, (value * np.where(minus, -1.0, 1.0)).reindex(found.index))
    names = letter.map({"n": "y", "s": "y", "e": "x", "w": "x"}).astype("string")
    return found, axis.mask(other, names.reindex(axis.index))


def _float(cells: pd.Series) -> pd.Series:
    return pd.to_numeric(cells.str.replace(",", ".", regex=False), errors="coerce").astype("float64")
