"""What is told of cells that could not be read."""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.text import text
from geo.ledger import Entry


def unread(cells: pd.Series, found: pd.Series, item: str) -> list[Entry]:
    """Account for cells that hold something, of which nothing could be read; their rows are kept."""
    lost = int((text(cells).notna() & found.isna()).sum())
    return (
        [Entry(item, "rejected", "cannot be read; their collisions are kept without", lost)] if lost else []
    )
