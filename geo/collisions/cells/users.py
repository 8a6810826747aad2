"""Cells that say whether a road user was involved."""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.numbers import numbers
from geo.collisions.cells.text import comparable

_YES, _NO = ("y", "yes", "true", "t", "j", "ja"), ("n", "no", "false", "f", "nein")


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
        no |= cells.isin(("", "null", "nan", "<na>"))
    return yes.astype("boolean").where(yes | no)
