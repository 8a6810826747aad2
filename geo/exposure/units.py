"""Whether figures of traffic are vehicles a day, or written in another way than they are read."""

from __future__ import annotations

import pandas as pd

from geo.errors import LayerError
from geo.ledger import Entry

_THOUSANDS = r"\d{1,3}(?:\.\d{3})+"
_FEW = 50
"""Half of the roads that are counted have more vehicles a day than this."""


def check_thousands(cells: pd.Series, *, where: str, todo: str) -> None:
    """Refuse figures whose points part thousands: read as decimal points, they would be a thousandth.

    Parameters
    ----------
    cells
        Figures as text.
    where, todo
        For the message.

    Raises
    ------
    LayerError
        When all figures with a point have three digits after it, and three at most before it.
    """
    pointed = cells[cells.str.contains(".", regex=False).fillna(value=False)].str.strip()
    if len(pointed) and pointed.str.fullmatch(_THOUSANDS).all():
        raise LayerError(
            f"figures such as {pointed.iloc[0]!r} may be thousands, their point no decimal mark",
            where=where,
            todo=todo,
        )


def doubt(figures: pd.Series) -> list[Entry]:
    """Tell of figures that are too small for vehicles a day, such as those in thousands.

    Parameters
    ----------
    figures
        That are used, or null.
    """
    used = figures.dropna()
    if used.empty or used.median() >= _FEW:
        return []
    reason = (
        f"half of the figures are below {_FEW} vehicles a day ({used.median():.3g}): are they in thousands?"
    )
    return [Entry("traffic", "rejected", reason, len(used))]
