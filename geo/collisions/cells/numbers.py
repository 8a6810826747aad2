"""Cells as numbers and counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd

from geo.collisions.cells.samples import shown
from geo.config.sections.records import DECIMAL_MARK
from geo.errors import LayerError

Mark = Literal[".", ","]
_OTHER: dict[str, Mark] = {".": ",", ",": "."}
_GAP = (
    r"(?<=\d)[\s'\N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}](?=\d{3}(?:\D|$))"
)
"""What parts thousands and is never a decimal mark."""
_NUMBER = r"[+-]?[\d.,]+"
_STRAY = 0.05
"""Fewer cells than this share with the other decimal mark are mistyped."""
MOST = 2.0**53
"""Counts beyond this are none: not every whole number is told from the next one."""


def numbers(values: pd.Series, decimal: str = DECIMAL_MARK) -> pd.Series:
    """Read numbers; NaN where a cell holds none.

    Parameters
    ----------
    values
        Cells, as text.
    decimal
        Decimal mark; the other one of dot and comma parts thousands, three digits at a time, or the cell is no number.
    """
    cells = _plain(values)
    other = _OTHER.get(decimal, ",")
    parted = cells.str.contains(other, regex=False).fillna(value=False).astype(bool)
    if parted.any():
        whole = rf"[+-]?\d{{1,3}}(?:\{other}\d{{3}})+(?:\{decimal}\d*)?"
        grouped = cells[parted].where(cells[parted].str.fullmatch(whole).astype(bool))
        cells = cells.mask(parted, grouped.str.replace(other, "", regex=False).reindex(cells.index))
    if decimal != ".":
        cells = cells.str.replace(decimal, ".", regex=False)
    return pd.to_numeric(cells, errors="coerce").astype("float64")


def whole(values: pd.Series) -> pd.Series:
    """Read counts; null where a cell holds none, or a negative one."""
    found = numbers(values)
    return found.where((found >= 0) & (found < MOST) & (found % 1 == 0)).astype("Int64")


def decimal_mark(columns: Sequence[pd.Series], *, degrees: bool, where: str) -> Mark:
    """Find out the decimal mark of coordinates from the cells of both columns.

    A cell tells it by any mark that does not stand before exactly three digits, by two marks that differ, or by one
    that stands twice. Where none does, ``530,123`` can be half a kilometre or half a thousand of them; in degrees it
    can be only one.

    Parameters
    ----------
    columns
        Cells of the columns, as text.
    degrees
        Whether they hold degrees.
    where
        The file, for the message.

    Raises
    ------
    LayerError
        Where the cells leave it open, naming the key.
    """
    cells = pd.concat([_plain(column).drop_duplicates() for column in columns], ignore_index=True).dropna()
    cells = cells[cells.str.fullmatch(_NUMBER).astype(bool)].str.lstrip("+-")
    told = {mark: cells[_tells(cells, mark)] for mark in _OTHER}
    if len(told[","]) and len(told["."]):
        fewer, more = sorted(_OTHER, key=lambda mark: len(told[mark]))
        if len(told[fewer]) > _STRAY * len(told[more]):
            raise LayerError(
                f"some coordinates have a decimal comma and others a dot, such as {told[','].iloc[0]!r} and "
                f"{told['.'].iloc[0]!r}",
                where=where,
                todo="Bring them to one form, or say which in collisions.columns.decimal: the others have no place.",
            )
        return "," if more == "," else "."
    if len(told[","]):
        return ","
    open_ = cells[cells.str.fullmatch(r"\d{1,3}[.,]\d{3}").astype(bool)]
    if len(told["."]) or open_.empty:
        return "."
    commas = open_.str.contains(",", regex=False).astype(bool)
    if degrees and (commas.all() or not commas.any()):
        return "," if commas.all() else "."
    if commas.any() or len(open_) == len(cells):
        raise LayerError(
            f"coordinates such as {shown(open_)} can be whole numbers with their thousands parted, or have decimals",
            where=where,
            todo="Give the decimal mark in collisions.columns.decimal: '.' or ','.",
        )
    return "."


def _tells(cells: pd.Series, mark: str) -> pd.Series:
    """Tell which cells show that a mark is the decimal one."""
    other = _OTHER[mark]
    last = rf"\d*\{mark}\d*"
    plain = cells.str.fullmatch(last) & ~cells.str.fullmatch(rf"\d{{1,3}}\{mark}\d{{3}}")
    after = cells.str.fullmatch(rf"\d{{1,3}}(?:\{other}\d{{3}})+\{mark}\d*")
    twice = cells.str.fullmatch(rf"\d{{1,3}}(?:\{other}\d{{3}}){{2,}}")
    return (plain | after | twice).astype(bool)


def _plain(values: pd.Series) -> pd.Series:
    """Strip cells, and leave out what parts thousands and nothing else."""
    cells = values.astype("string").str.strip().str.replace("\N{MINUS SIGN}", "-", regex=False)
    return cells.str.replace(_GAP, "", regex=True)
