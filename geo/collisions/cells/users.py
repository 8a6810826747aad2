"""Cells that say whether a road user was involved."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geo.collisions.cells.numbers import numbers
from geo.collisions.cells.text import MISSING, comparable, text

_YES, _NO = ("y", "yes", "true", "t", "j", "ja"), ("n", "no", "false", "f", "nein")
_EMPTY = ("", "null", "nan", "<na>")
_NOTHING = tuple(word for word in MISSING if word != "-1")


def flags(values: pd.Series, *, empty_is_none: bool) -> pd.Series:
    """Read whether a road user was involved: yes, true or a number above 0; null where a cell does not say.

    Parameters
    ----------
    values
        Cells of a road user's column, as text.
    empty_is_none
        Whether an empty cell says that no such user was involved.
    """
    cells = comparable(values)
    count = numbers(values)
    yes = cells.isin(_YES) | (count > 0)
    no = cells.isin(_NO) | (count == 0)
    if empty_is_none:
        no |= cells.isin(_EMPTY)
    return yes.astype("boolean").where(yes | no)


def silent(values: pd.Series, found: pd.Series) -> pd.Series:
    """Give the cells that hold something and say neither yes nor no; null for all others. -1 is something, too."""
    return values.where(found.isna() & ~comparable(values).isin(_NOTHING))


def of_kind(values: pd.Series, wanted: Sequence[str], *, empty_is_none: bool) -> pd.Series:
    """Tell whether the kind that a cell names is one of those that mean a road user; null where it names none.

    Parameters
    ----------
    values
        Cells, as text.
    wanted
        Values that mean this road user, compared in lower case.
    empty_is_none
        Whether an empty cell says that no such user was involved.
    """
    yes = comparable(values).isin(comparable(pd.Series(list(wanted), dtype="string")))
    told = yes | text(values).notna()
    if empty_is_none:
        told |= comparable(values).isin(_EMPTY)
    return yes.astype("boolean").where(told.astype(bool))


def any_of(told: Sequence[pd.Series]) -> pd.Series:
    """Tell whether any of several columns says yes; null where none does and one does not say."""
    yes = pd.concat([one.fillna(value=False) for one in told], axis=1).any(axis=1)
    known = pd.concat([one.notna() for one in told], axis=1).all(axis=1)
    return yes.astype("boolean").where(yes | known)
