"""What rows of one collision say in columns that are carried, and of which type these are."""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.carried import CELLS, Doubts, carried_columns, typed
from geo.ledger import Entry

BETWEEN = ";"
"""What stands between the values of rows that are one collision, as between those of roads that were joined."""


def settle_carried(
    table: pd.DataFrame, collision: pd.Series, merged: pd.DataFrame
) -> tuple[pd.DataFrame, Doubts]:
    """Give each collision all that its rows say in carried columns, and each of these its type.

    Parameters
    ----------
    table
        The canonical table, a row a row of the source; carried columns as text.
    collision
        Number of the collision that each row is of.
    merged
        One row a collision, with the index of its first row (`geo.collisions.rows.merge.merge_rows`).

    Returns
    -------
    The collisions, several values of one by `BETWEEN` in the order of its rows; and what is to be told of it.
    """
    names = carried_columns(merged)
    doubts = Doubts()
    settled = merged.copy()
    of = collision.loc[merged.index]
    for name in names:
        pairs = pd.DataFrame({"collision": collision, "value": table[name]}).dropna().drop_duplicates()
        pairs = pairs[pairs["collision"].duplicated(keep=False)]
        if len(pairs):
            joined = pairs.groupby("collision", sort=False)["value"].agg(BETWEEN.join)
            told = f"{name} differs between rows of one collision: all values stand there, by {BETWEEN}"
            doubts.entries.append(Entry(CELLS, "done", told, len(joined)))
            doubts.warnings.append(f"{told} ({len(joined):,} collisions)")
            settled[name] = of.map(joined).astype("string").fillna(merged[name].astype("string"))
        settled[name], doubt = typed(settled[name].astype("string"))
        if doubt:
            doubts.warnings.append(f"{name}: {doubt}")
    return settled, doubts
