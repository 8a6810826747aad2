"""How rows became collisions, in the ledger's words and at the end of a run."""

from __future__ import annotations

import pandas as pd

from geo.collisions.rows.ids import Told
from geo.config.sections.records import Collisions
from geo.ledger import Entry

TOLD = 0.01
"""More rows than this share that repeat, are brought together or have no id are told at the end of a run."""


def account_of_rows(
    told: Told, repeats: pd.Series, number: pd.Series, collisions: Collisions, *, has_ids: bool, alike: int
) -> tuple[list[Entry], list[str]]:
    """Say how rows became collisions.

    Parameters
    ----------
    told
        What the ids of the rows tell.
    repeats
        Whether a row is left out for another one.
    number
        Number of the collision of each row that is not; null: it is one by itself.
    collisions
        The section ``collisions``.
    has_ids
        Whether a column with ids is named.
    alike
        How many rows without an id that count are the same as another one in all their cells.

    Returns
    -------
    Entries of item ``rows``, and sentences that are told at the end of a run.
    """
    n, again = len(repeats), int(repeats.sum())
    entries, warnings = _together(number, collisions)
    if told.by:
        ids = int((told.collision >= 0).sum())
        text = f"have ids that come back with other dates or places, and are told apart by {told.by}"
        shown = next(iter(told.ids[told.collision >= 0]), "")
        entries.append(Entry("rows", "done", text, ids))
        warnings.append(f"{ids:,} rows {text}: they are written as {shown!r}")
    without = int(number.isna().sum()) if has_ids and collisions.rows != "collisions" else 0
    if without:
        text = "without an id that can be used: each counts as a collision of its own"
        entries.append(Entry("rows", "done", text, without))
        if without > TOLD * n:
            warnings.append(f"{without:,} of {n:,} rows are {text}")
    if alike > TOLD * n and collisions.rows != "collisions":
        warnings.append(
            f"{alike:,} of {n:,} rows are the same as another one in all their cells, and count each, for no id tells "
            "them apart: look whether the table stands twice in its file"
        )
    if again > TOLD * n:
        warnings.append(
            f"{again:,} of {n:,} rows ({again / n:.1%}) repeat a row or an id that stands before, and are left out as "
            "duplicates: look at collisions.columns.id, and at files that overlap"
        )
    return entries, warnings


def _together(number: pd.Series, collisions: Collisions) -> tuple[list[Entry], list[str]]:
    """Say how many rows were brought together to how many collisions."""
    known = number.dropna()
    rows, found = int(known.duplicated(keep=False).sum()), int(known[known.duplicated(keep=False)].nunique())
    if not rows:
        return [], []
    if collisions.rows is None and rows - found <= TOLD * len(number):
        return [
            Entry("rows", "done", f"of one id, place and time: {rows:,} are {found:,} collisions", rows)
        ], []
    every = int(number.isna().sum() + known.nunique())
    what = collisions.rows or "persons or vehicles"
    text = f"of {what}: {len(number):,} are {every:,} collisions"
    entries = [Entry("rows", "done", text, len(number))]
    if collisions.rows is not None:
        return entries, []
    told = (
        f"{len(number):,} rows are {every:,} collisions: rows of one id, place and time are taken for persons (or "
        "vehicles); say which in collisions.rows, or collisions there if only the first of them counts"
    )
    return entries, [told]
