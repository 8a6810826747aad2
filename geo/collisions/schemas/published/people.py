"""Who was hurt, from a table of persons beside that of the collisions."""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.severities import BLANK, KNOWN
from geo.collisions.cells.severities import UNHURT as NO_INJURY
from geo.config.sections.records import ROAD_USERS
from geo.ledger import Entry

OTHER = "other"
"""A road user that is none of `ROAD_USERS`."""
UNHURT = "none"
"""Severity of a person who was not hurt."""
_RANK = {UNHURT: 0, "slight": 1, "serious": 2, "fatal": 3}


def gather(table: pd.DataFrame, people: pd.DataFrame, item: str) -> tuple[pd.DataFrame, list[Entry]]:
    """Bring persons to their collisions: the worst harm, how many were hurt, and which road users.

    Parameters
    ----------
    table
        The collisions, one row each, with ``collision_id``.
    people
        A row a person: ``collision_id``; ``user``, one of `ROAD_USERS` or `OTHER`, null where not known; ``harm``,
        ``fatal``, ``serious``, ``slight`` or `UNHURT`, null where not known, and ``hurt`` where how badly is not.
    item
        What the ledger calls the rows of persons.

    Returns
    -------
    The table with ``worst`` (null: no person is linked, or of none it is known), ``n_casualties``, and for each road
    user whether one was hurt, and how many (``n_<user>``): null where no person is linked, or where one of an unknown
    kind or harm leaves it open. Persons of collisions that are not in the table are accounted for.
    """
    linked = people["collision_id"].isin(table["collision_id"])
    mine = people[linked]
    key = mine["collision_id"]
    hurt = mine["harm"].isin(["fatal", "serious", "slight", "hurt"])
    open_harm = mine["harm"].isna()
    worst = mine["harm"].map(_RANK).groupby(key).max()
    worst = worst.mask((worst == 0) & open_harm.groupby(key).any())
    table["worst"] = table["collision_id"].map(worst.map({rank: harm for harm, rank in _RANK.items()}))
    table["n_casualties"] = _on(table, hurt.groupby(key).sum(), open_harm.groupby(key).any())
    for user in ROAD_USERS:
        sure = hurt & (mine["user"] == user).fillna(value=False).astype(bool)
        maybe = (hurt | open_harm) & (mine["user"].isna() | (mine["user"] == user)).astype(bool) & ~sure
        count, left_open = sure.groupby(key).sum(), maybe.groupby(key).any()
        table[f"n_{user}"] = _on(table, count, left_open)
        table[user] = _on(table, count > 0, left_open & (count == 0)).astype("boolean")
    entries = [
        Entry(item, "skipped", "their collision is not among the records", int((~linked).sum())),
        _open("what a person was is not recorded", (mine["user"].isna() & (hurt | open_harm)).sum()),
        _open("whether a person was hurt is not recorded", open_harm.sum()),
    ]
    return table, [entry for entry in entries if entry.count]


def _on(table: pd.DataFrame, values: pd.Series, left_open: pd.Series) -> pd.Series:
    """Bring values by collision to the rows of the collisions: null where they are open, or nothing is linked."""
    return table["collision_id"].map(values.astype("Int64").mask(left_open)).astype("Int64")


def _open(what: str, count: int) -> Entry:
    reason = f"{what}; where that decides, road users and casualties of its collision stay open"
    return Entry("road users", "skipped", reason, int(count))


def states(harm: pd.Series) -> pd.Series:
    """Tell what is known of severity by ``worst`` of `gather`, as `geo.collisions.cells.severities` does."""
    known = {"fatal": KNOWN, "serious": KNOWN, "slight": KNOWN, UNHURT: NO_INJURY}
    return harm.map(known).fillna(BLANK).astype(object)


def without_severity(harm: pd.Series) -> list[Entry]:
    """Account for collisions without a severity: nobody was hurt, or it is not known (``worst`` of `gather`)."""
    hurt = harm.isin(["fatal", "serious", "slight"])
    return [
        Entry(
            "severities",
            "skipped",
            "no injury by its code; counted without severity",
            int((harm == UNHURT).sum()),
        ),
        Entry(
            "severities",
            "skipped",
            "none recorded; counted without severity",
            int((~hurt & (harm != UNHURT)).sum()),
        ),
    ]
