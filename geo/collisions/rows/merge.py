"""Rows of one collision brought together to one."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geo.collisions.cells.severities import BLANK, KNOWN, NOT_KNOWN, UNHURT, UNMAPPED
from geo.config.sections.records import ROAD_USERS, SEVERITIES

_STATES = (UNMAPPED, NOT_KNOWN, BLANK, UNHURT)
"""Why a collision's severity is not known, the first that holds for one of its rows."""
CONSTANT = 0.99
"""What is equal within more collisions than this is the collision's, not the row's."""


def merge_rows(table: pd.DataFrame, collision: pd.Series, *, units: bool, persons: bool) -> pd.DataFrame:
    """Bring rows of one collision together: the worst severity, every road user that a row knows of.

    The number of casualties is what the rows say of the collision where all its rows say the same, their sum where
    rows of persons or vehicles differ, and where the table has no such column, the number of rows of persons with a
    severity, if each has its own.

    Parameters
    ----------
    table
        The canonical table.
    collision
        Number of the collision that each row is of.
    units
        Whether the table is one of persons or vehicles; else rows of one collision are versions of it.
    persons
        Whether it may be one of persons, so that those with a severity can be counted.

    Returns
    -------
    One row a collision, at the place of its first row and with its index. A road user is null only where no row says
    yes and some row does not know, a severity where a row has one that no mapping knows, unless another is fatal; of
    everything else the first value that is there is taken.
    """
    groups = collision
    first = ~groups.duplicated()
    several = groups.duplicated(keep=False)
    if not several.any():
        return table
    casualties = _casualties(table, groups, several, units=units, persons=persons)
    rows, of = table[several], groups[several]
    merged = rows.groupby(of, sort=False).first()
    told: dict[str, Any] = dict(zip(("severity", "severity_state"), _worst(rows, of), strict=True))
    told |= {user: _any(rows[user], of) for user in ROAD_USERS}
    numbers = [str(name) for name in table if str(name).startswith("n_") and name != "n_casualties"]
    told |= {name: rows[name].groupby(of, sort=False).max() for name in (*numbers, "ksi_adjusted")}
    for name, values in told.items():
        merged[name] = values
    merged.index = of.index[~of.duplicated()]
    found = table[first].copy()
    for name in table.columns:
        values = merged[name].astype(table[name].dtype)
        if table[name].dtype == object:
            values = values.where(values.notna(), None)
        found.loc[merged.index, name] = values
    found["n_casualties"] = casualties.reindex(groups[first]).to_numpy()
    return found.astype({"n_casualties": "Int64"})


def _worst(rows: pd.DataFrame, of: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Give the worst severity, and its state; one that no mapping knows could be worse than all but a fatal one."""
    rank = rows["severity"].map({name: rank for rank, name in enumerate(SEVERITIES)}).astype(float)
    worst = rank.groupby(of, sort=False).min()
    open_ = (rows["severity_state"] == UNMAPPED).groupby(of, sort=False).any() & (worst != 0)
    severity = worst.mask(open_).map(dict(enumerate(SEVERITIES))).astype(object)
    states = [*_STATES, KNOWN]
    least = rows["severity_state"].map({state: rank for rank, state in enumerate(states)}).astype(float)
    state = least.groupby(of, sort=False).min().map(dict(enumerate(states))).astype(object)
    return severity, state.mask(severity.notna() & state.notna(), KNOWN)


def _any(told: pd.Series, of: pd.Series) -> pd.Series:
    yes = told.fillna(value=False).astype(bool).groupby(of, sort=False).any()
    known = told.notna().groupby(of, sort=False).all()
    return yes.astype("boolean").where(yes | known)


def _casualties(
    table: pd.DataFrame, groups: pd.Series, several: pd.Series, *, units: bool, persons: bool
) -> pd.Series:
    """Count the casualties of each collision; null where rows do not tell."""
    given = table["n_casualties"]
    if given.notna().any():
        each = given.groupby(groups)
        # a 1 in every row is a row's: some collision of hundreds has two casualties
        of_rows = not _constant(given, groups, several) or bool(given.dropna().isin([0, 1]).all())
        return (each.sum(min_count=1) if of_rows and units else each.max()).astype("Int64")
    hurt = table["severity"].notna()
    if units and persons and hurt.any() and not _constant(table["severity"].fillna("none"), groups, several):
        open_ = (table["severity_state"] == UNMAPPED).groupby(groups).any()
        return hurt.groupby(groups).sum().astype("Int64").mask(open_)
    return given.groupby(groups).max()


def _constant(values: pd.Series, groups: pd.Series, several: pd.Series) -> bool:
    """Tell whether nearly all collisions of several rows have one value in all of them."""
    kinds = values[several].groupby(groups[several]).nunique()
    return float((kinds <= 1).mean()) >= CONSTANT
