"""Tables whose rows are not collisions, found out from rows that share place and time."""

from __future__ import annotations

import pandas as pd

from geo.collisions.rows.hints import (
    CLOCKS,
    DATES,
    LEAST,
    REPEATED,
    are,
    determines,
    id_of_collision,
    times_of,
)
from geo.collisions.rows.moments import Moments
from geo.collisions.rows.origin import Origin
from geo.errors import LayerError

SHARED = 0.05
"""More rows than this share the very place and day of another one in tables of persons or vehicles. Of collisions it is
1.6 % at most (Cambridge, geocoded to crossings), 0.7 % in Massachusetts, none in West Yorkshire; of casualties there
22 %, of vehicles 45 %."""
SHARED_MINUTE = 0.02
"""The same where the time of day is known: of collisions 1 % at most (Cambridge); of pedestrians alone 3 %."""
MOST = 0.5


def refuse_persons(when: Moments, table: pd.DataFrame, origin: Origin) -> None:
    """Make sure that rows that are taken for a collision each are not persons or vehicles.

    Where no date is mapped, columns of the source that tell of time are looked at instead; without any, nothing can be
    told, for many collisions lie at one crossing.

    Parameters
    ----------
    when
        Place and time of the rows, on the positions of the canonical table.
    table
        These rows of that table.
    origin
        Where they stood.

    Raises
    ------
    LayerError
        When many rows share place and time, naming the column that looks like the collision's id.
    """
    rows = when.places().assign(time=table["date"])
    rows = rows[rows["x"].notna()]
    cells = origin.cells.loc[origin.cells.index.isin(rows.index)]
    times = times_of(cells, origin)
    enough = SHARED
    if rows["time"].notna().mean() > MOST:
        clock = next((name for name in cells if are(cells[name], CLOCKS)), None)
        if (rows["time"].dt.normalize() != rows["time"]).mean() > MOST:
            enough = SHARED_MINUTE
        elif clock is not None and len(cells) == len(rows):
            rows, enough = rows.assign(time=rows["time"].astype("string") + cells[clock]), SHARED_MINUTE
    else:
        written = [name for name in times if are(cells[name], DATES)][:1]
        # hours and months tell too little of time to say anything without a column that repeats with them
        enough = SHARED if written else 1.0
        parts = cells[written or times].fillna("")
        if not written and when.month[cells.index].notna().mean() > MOST:
            parts = parts.assign(_month=when.month.astype("string"))
        if parts.shape[1] == 0:
            return
        rows = rows.loc[cells.index].assign(time=parts.iloc[:, 0].str.cat(parts.iloc[:, 1:], sep=" "))
    rows = rows[rows["time"].notna()]
    shared = int(rows.duplicated().sum())
    if shared < LEAST or shared < REPEATED * len(rows):
        return
    column = id_of_collision(rows, cells, times, origin)
    if column is not None or shared >= enough * len(rows):
        raise _refusal(rows, shared, column, origin)


def refuse_timeless(number: pd.Series, table: pd.DataFrame, origin: Origin) -> None:
    """Make sure that rows of one id and place are of one time, where no day is mapped: a place may have an id, too.

    Parameters
    ----------
    number
        Number of the collision of each row by its id; null: it has none.
    table
        These rows of the canonical table.
    origin
        Where they stood.

    Raises
    ------
    LayerError
        When many rows share their id, and no column that tells of time is the same in them.
    """
    several = number[number.duplicated(keep=False) & number.notna()]
    shared = int(several.duplicated().sum())
    known = table.loc[several.index, ["date", "month"]].notna().any(axis=1)
    dated = known.groupby(several).any()
    if shared <= REPEATED * len(number) or dated.mean() > MOST:
        return
    cells = origin.cells.loc[origin.cells.index.isin(several.index)]
    if any(determines(several[cells.index], cells[name]) for name in times_of(cells, origin)):
        return
    raise LayerError(
        f"{shared:,} of {len(number):,} rows have the id and place of another one, and no column says that they "
        "are of one time: the id may be that of a place",
        where=", ".join(origin.files),
        todo="Name the date in collisions.columns.date, or say what a row is: collisions.rows: persons or vehicles, of "
        "which those of one id are one collision; where every row is a collision, leave collisions.columns.id out.",
    )


def _refusal(rows: pd.DataFrame, shared: int, column: str | None, origin: Origin) -> LayerError:
    """Word what was found, and the keys that mend it."""
    same = rows[rows.duplicated(keep=False)]
    first, other = same[(same == same.iloc[0]).all(axis=1)].index[:2]
    found = (
        f"{shared:,} of {len(rows):,} rows share the very place and time of another one, such as {origin.where(first)} "
        f"and {origin.where(other)}: they look like persons or vehicles, not collisions"
    )
    todo = (
        "Name a column with the collision's id in collisions.columns.id; without one, leave that out, and say with "
        "collisions.rows: persons (or vehicles) that rows of one place and time are one collision."
    )
    if column is not None:
        found += f"; the column {column!r} repeats where place and time do"
        todo = f"Name the collision's id in collisions.columns.id: {column}, it seems."
    return LayerError(
        found,
        where=", ".join(origin.files),
        todo=f"{todo} If every row is a collision, say so: collisions.rows: collisions.",
    )
