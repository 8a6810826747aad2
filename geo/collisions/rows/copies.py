"""Rows that stand twice: exports that overlap, files that were put together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PARTLY = 0.5
"""Where more collisions than this repeat some of their rows and not all, equal rows are persons who are alike."""


def copies(
    table: pd.DataFrame, whole: NDArray[np.uint64], file: NDArray[np.int64], collision: pd.Series | None
) -> pd.Series:
    """Tell which rows repeat another one wholly.

    A row that stands in several files is one row: as many of it count as the file holds that holds most of it. Within
    one file equal rows are copies where they are rows of a collision whose every row comes back; where collisions
    repeat some of their rows and not others, these are persons who are alike. Without ids, equal rows of one file are
    never taken for copies.

    Parameters
    ----------
    table
        ``x`` and ``y`` of the rows.
    whole, file
        Digest of the cells of each row, and the file it stands in (`geo.collisions.rows.origin.Origin`).
    collision
        Number of the collision that each row is of, -1 where its id is not known; None: the source has no ids.

    Returns
    -------
    True for every row but the first of those that are one.
    """
    rows = table[["x", "y"]].assign(whole=whole, file=file)
    rows["row"] = rows.groupby(["whole", "x", "y"], dropna=False, sort=False).ngroup()
    rows["nth"] = rows.groupby(["row", "file"]).cumcount()
    across = rows.duplicated(["row", "nth"])
    if collision is None:
        return across
    rows["collision"] = collision
    within = (rows["nth"] > 0) & (collision >= 0)
    if not within.any() or _alike(rows[(collision >= 0) & ~across]):
        return across
    return across | within


def _alike(rows: pd.DataFrame) -> bool:
    """Tell whether equal rows within a file are rather persons who are alike than rows that stand twice."""
    times = rows.groupby(["collision", "file", "row"], as_index=False).size()
    each = times.groupby(["collision", "file"])["size"].agg(["min", "max", "size"])
    repeating = each[(each["max"] > 1) & (each["size"] > 1)]
    return bool(len(repeating)) and float((repeating["min"] < 2).mean()) > PARTLY
