"""Things of a whole city, found block by block in what was kept of all its pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.ground.shares import Places
from geo.ground.things.peaks import Evidence, Rule, margin, peaks

BLOCK = 512
"""Places along each side of a block that is looked at in one go."""
Block = tuple[int, int, Evidence]


def kept_evidence(grid: Places, thing: str, evidence: Evidence) -> pd.DataFrame:
    """Keep the evidence of a piece by its places in the city.

    Parameters
    ----------
    grid
        Its places; its corner is a whole number of them from the CRS's origin.
    thing
        Key of the class.
    evidence
        See `geo.ground.things.peaks.evidence_of`, ``(rows, columns)``.

    Returns
    -------
    ``thing, column, row, evidence`` of the places that have some; columns count places eastward from x = 0, rows
    southward from y = 0 (metres, city's CRS).
    """
    rows, columns = np.nonzero(evidence)
    return pd.DataFrame(
        {
            "thing": pd.Series(thing, index=range(len(rows)), dtype=object),
            "column": (columns + round(grid.x / grid.side_m)).astype(np.int32),
            "row": (rows + round(-grid.y / grid.side_m)).astype(np.int32),
            "evidence": evidence[rows, columns],
        }
    )


def find_things(
    evidence: pd.DataFrame, rules: Mapping[str, Rule], place_m: float, *, block: int = BLOCK
) -> pd.DataFrame:
    """Find the things of a city.

    Parameters
    ----------
    evidence
        See `kept_evidence`, of all pieces.
    rules
        What counts as one, by the key of its class.
    place_m
        Side of a place (metres).
    block
        Places along each side that are looked at in one go; the same things are found whatever it is.

    Returns
    -------
    ``thing, x, y, score``: its key, middle (metres, city's CRS) and score (0 to 1), by key, row and column.
    """
    found = [pd.DataFrame({"thing": pd.Series(dtype=object), "x": [], "y": [], "score": []})]
    for thing, rule in sorted(rules.items()):
        mine = evidence[evidence["thing"] == thing]
        rim = margin(rule, place_m)
        parts = []
        for left, top, near in _blocks(mine, block, rim):
            rows, columns, scores = peaks(near, rule, place_m)
            inside = (rows >= rim) & (rows < rim + block) & (columns >= rim) & (columns < rim + block)
            at = {"row": rows[inside] + top, "column": columns[inside] + left, "score": scores[inside]}
            parts.append(pd.DataFrame(at))
        if parts:
            all_of = pd.concat(parts).sort_values(["row", "column"], ignore_index=True)
            place = {
                "x": (all_of["column"] + 0.5) * place_m,
                "y": -(all_of["row"] + 0.5) * place_m,
                "score": all_of["score"],
            }
            found.append(pd.DataFrame({"thing": thing, **place}))
    return pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)


def _blocks(evidence: pd.DataFrame, block: int, rim: int) -> Iterator[Block]:
    """Lay evidence out in blocks with a rim; gives the column and the row of the corner, rim included."""
    column, row = (evidence[name].to_numpy(dtype=np.int64) for name in ("column", "row"))
    value = evidence["evidence"].to_numpy(dtype=np.uint8)
    of, which = _shared(column, row, block, rim)
    order = np.lexsort((which, of[:, 0], of[:, 1]))
    of, which = of[order], which[order]
    if not len(of):
        return
    cuts = np.flatnonzero((np.diff(of, axis=0) != 0).any(axis=1)) + 1
    side = block + 2 * rim
    for mine, (across, down) in zip(
        np.split(which, cuts), of[np.concatenate([[0], cuts])].tolist(), strict=True
    ):
        left, top = across * block - rim, down * block - rim
        near: Evidence = np.zeros((side, side), dtype=np.uint8)
        near[row[mine] - top, column[mine] - left] = value[mine]
        yield left, top, near


def _shared(
    column: NDArray[np.int64], row: NDArray[np.int64], block: int, rim: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tell for each place the blocks that it lies in, with their rims: blocks, and the numbers of the places."""
    of, which = [], []
    reach = -(-rim // block)
    for across in range(-reach, reach + 1):
        for down in range(-reach, reach + 1):
            one = np.column_stack([column // block + across, row // block + down])
            low = one * block - rim
            inside = (column >= low[:, 0]) & (column < low[:, 0] + block + 2 * rim)
            inside &= (row >= low[:, 1]) & (row < low[:, 1] + block + 2 * rim)
            of.append(one[inside])
            which.append(np.flatnonzero(inside))
    return np.concatenate(of), np.concatenate(which)
