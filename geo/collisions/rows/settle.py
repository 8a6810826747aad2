"""Where the reading of every schema ends: rows of a table become collisions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geo.collisions.cells.carried import Doubts
from geo.collisions.rows.account import account_of_rows
from geo.collisions.rows.carried import settle_carried
from geo.collisions.rows.copies import copies
from geo.collisions.rows.ids import Told, fillers, tell_apart
from geo.collisions.rows.merge import merge_rows
from geo.collisions.rows.moments import moments
from geo.collisions.rows.origin import Origin, unknown_origin
from geo.collisions.rows.suspects import refuse_persons, refuse_timeless
from geo.collisions.schema import CollisionSource
from geo.config.sections.records import ROAD_USERS, Collisions
from geo.errors import ConfigurationError

UNITS = 0.01
"""More rows than this share their id, place and time with another one in tables of persons or vehicles."""


def settle_rows(source: CollisionSource, collisions: Collisions) -> CollisionSource:
    """Bring the rows of a source to one a collision.

    Rows of one id at one place and time are one collision. Rows that stand twice are marked as ``repeats``, and stay;
    so do rows that the filter leaves out, as they are.

    Parameters
    ----------
    source
        One row a row of the source, as a schema reads it.
    collisions
        The section ``collisions``, of which ``rows`` and ``repeated_ids`` count.

    Returns
    -------
    The source with one row a collision, beside rows that repeat or are left out. Ids that start anew are written behind
    the year or file that tells them apart. Entries of item ``rows`` say how rows became collisions.

    Raises
    ------
    LayerError
        When ids come back with another date or place for no reason that shows (`tell_apart`), or rows are persons or
        vehicles under ids of their own (`refuse_persons`).
    ConfigurationError
        When rows without a collision's id are said to be persons or vehicles, and no date tells them apart.
    """
    origin = source.origin or unknown_origin(source.table)
    kept = source.table[source.table["kept"].to_numpy(dtype=bool)]
    told = _ids(kept, source, origin, collisions)
    repeats = _repeats(kept, source, origin, told)
    counted = kept[~repeats]
    number = told.collision.loc[counted.index].where(lambda which: which >= 0)
    if collisions.rows == "collisions":
        repeats |= told.collision.duplicated() & (told.collision >= 0)
        number[:] = np.nan
        units = False
    else:
        if collisions.rows is None:
            refuse_timeless(number, counted, origin)
        units = collisions.rows is not None or number.dropna().duplicated().sum() > UNITS * len(counted)
        if units:
            places = moments(counted, source.crs).places()
            number = _by_moment(
                number, places.assign(date=counted["date"]), stated=collisions.rows is not None
            )
    table = source.table.copy()
    table.loc[kept.index, "collision_id"] = told.ids
    table.loc[kept.index, "repeats"] = repeats
    of = _numbers(table, number)
    merged = merge_rows(table, of, units=units, persons=collisions.rows != "vehicles")
    merged, doubts = settle_carried(table, of, merged)
    if collisions.rows != "collisions":
        whole = merged.loc[merged.index.intersection(counted.index)]
        refuse_persons(moments(whole, source.crs), whole, origin)
    alone = counted[number.isna()]
    alike = int(alone[["x", "y"]].assign(whole=origin.whole[alone.index]).duplicated().sum())
    entries, warnings = account_of_rows(
        told, repeats, number, collisions, has_ids=source.has_ids, alike=alike
    )
    return replace(
        source,
        table=merged.reset_index(drop=True),
        entries=[*source.entries, *entries],
        warnings=(*source.warnings, *warnings),
        carried=Doubts(
            [*source.carried.entries, *doubts.entries], [*source.carried.warnings, *doubts.warnings]
        ),
    )


def _ids(kept: pd.DataFrame, source: CollisionSource, origin: Origin, collisions: Collisions) -> Told:
    """Tell which rows are of one collision by their ids; those of broken rows and those that were made tell nothing."""
    made = "row " + kept["source_row"].astype(str)
    own = (kept["collision_id"] != made) & ~origin.broken[kept.index] & source.has_ids
    ids = kept["collision_id"].astype("string")
    none = fillers(ids[own], moments(kept[own], source.crs)).reindex(kept.index, fill_value=False)
    ids, own = ids.mask(none, made), own & ~none
    told = tell_apart(ids[own], moments(kept[own], source.crs), origin, collisions)
    return Told(
        told.collision.reindex(kept.index, fill_value=-1),
        told.ids.reindex(kept.index).fillna(ids).astype(object),
        told.later.reindex(kept.index, fill_value=False),
        told.by,
    )


def _repeats(kept: pd.DataFrame, source: CollisionSource, origin: Origin, told: Told) -> pd.Series:
    """Tell which rows are left out for another one: copies, broken rows of an id that there is, later rows of an id."""
    at, broken = kept.index, origin.broken[kept.index]
    cells = kept[["x", "y"]]
    known = told.collision if source.has_ids else None
    again = copies(cells, origin.whole[at], origin.file[at], known)
    if source.has_ids and len(origin.files) > 1:
        read = kept[["date", "year", "severity", "n_casualties", *ROAD_USERS]].astype("string")
        read = read.assign(collision=told.collision)
        alike = np.asarray(pd.util.hash_pandas_object(read, index=False), dtype=np.uint64)
        again |= copies(cells, alike, origin.file[at], None) & (told.collision >= 0)
    there = kept["collision_id"].isin(kept.loc[(told.collision >= 0).to_numpy(), "collision_id"])
    return (again & ~broken) | told.later | (there & broken & source.has_ids)


def _by_moment(number: pd.Series, at: pd.DataFrame, *, stated: bool) -> pd.Series:
    """Bring rows without an id together that share place and time (columns ``x``, ``y``, ``date``)."""
    alone = at[number.isna()]
    if alone.empty:
        return number
    known = alone.dropna()
    if known.empty and stated and number.isna().all():
        raise ConfigurationError(
            "rows of persons or vehicles without a collision's id are brought together by place and time, and these "
            "have no dates",
            where="collisions.rows",
            todo="Name the collision's id in collisions.columns.id, or the date in collisions.columns.date.",
        )
    next_one = 0 if number.isna().all() else number.max() + 1
    return number.fillna(known.groupby(["x", "y", "date"], sort=False).ngroup() + next_one)


def _numbers(table: pd.DataFrame, number: pd.Series) -> pd.Series:
    """Give each row of the table the number of its collision: that of the first row of it, and its own elsewhere."""
    known = number.dropna()
    found = pd.Series(np.arange(len(table)), index=table.index)
    found[known.index] = known.index.to_series().groupby(known).transform("first")
    return found
