"""Tables whose rows are not collisions, found out from rows that share place and time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.collisions.cells.text import text
from geo.collisions.rows.moments import Moments
from geo.collisions.rows.origin import Origin
from geo.errors import LayerError

SHARED, SHARED_WITH_ID = 0.05, 0.01
"""More rows than this share the very place and time of another one in tables of persons or vehicles; the second where
a column repeats with them. Of collisions on one day it is 1.6 % at most (Cambridge, geocoded to crossings), 0.7 % in
Massachusetts and none in West Yorkshire; of casualties there 22 %, of pedestrians alone 3 %, of vehicles 45 %."""
LEAST = 3
DETERMINES, AGREES = 0.99, 0.8
"""Rows of one value of an id that are at its first row's place and time; rows of one place and time with one value."""
FILLED = 0.95
TRIVIAL = 0.5
"""A column in which two rows at random agree more often than this tells no times apart."""
_DATES = r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?"
_NAMES_OF_TIMES = (
    "(?i)date|datum|fecha|time|zeit|hour|heure|hora|stunde|hrmn|month|monat|mois|mes$|"
    "week|woche|minute|^day$|^an$|^jour$"
)
_NAMES_OF_IDS = "(?i)id$|num|no$|nr|nbr|index|case|ref|key|code|collision|accident|crash|unfall"


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
    rows = pd.DataFrame({"x": when.x, "y": when.y, "time": table["date"]})
    rows = rows[rows["x"].notna()]
    cells = origin.cells.loc[origin.cells.index.isin(rows.index)]
    times = _times(cells, origin)
    dated = bool(rows["time"].notna().mean() > 0.5)
    if not dated:
        if not times:
            return
        written = next((name for name in times if _is_date(cells[name])), None)
        rows = rows.loc[cells.index].assign(time=None if written is None else cells[written])
        dated = written is not None
    rows = rows[rows["time"].notna() | (not dated)]
    shared = int(rows.duplicated().sum())
    if shared < LEAST or shared < SHARED_WITH_ID * len(rows):
        return
    column = _id_of(rows, cells, times, origin)
    if column is not None or (dated and shared >= SHARED * len(rows)):
        raise _refusal(rows, shared, column, origin)


def _refusal(rows: pd.DataFrame, shared: int, column: str | None, origin: Origin) -> LayerError:
    """Word what was found, and the keys that mend it."""
    found = (
        f"{shared:,} of {len(rows):,} rows share the very place and time of another one: they look like persons or "
        f"vehicles, not collisions{_example(rows, origin)}"
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


def _example(rows: pd.DataFrame, origin: Origin) -> str:
    same = rows[rows.duplicated(keep=False)]
    pair = (
        same[(same == same.iloc[0]).all(axis=1)].index[:2] if same.iloc[0].notna().all() else same.index[:0]
    )
    return (
        f", such as {origin.where(int(pair[0]))} and {origin.where(int(pair[1]))}" if len(pair) == 2 else ""
    )


def _is_date(cells: pd.Series) -> bool:
    there = cells.dropna()
    there = there[there.str.strip() != ""]
    return bool(len(there)) and float(there.str.fullmatch(_DATES).mean()) > FILLED


def _times(cells: pd.DataFrame, origin: Origin) -> list[str]:
    """List the columns that tell of time, by what they hold or are called, and that differ between rows."""
    named = {name for what in ("id", "x", "y") for name in origin.named.get(what, ())}
    names = [str(name) for name in cells if str(name) not in named]
    found = [
        name
        for name in names
        if pd.Series([str(name)]).str.contains(_NAMES_OF_TIMES).any() or _is_date(cells[name])
    ]
    return [name for name in found if (cells[name].value_counts(normalize=True) ** 2).sum() < TRIVIAL]


def _id_of(rows: pd.DataFrame, cells: pd.DataFrame, times: list[str], origin: Origin) -> str | None:
    """Find the column that repeats where place and time do."""
    rows = rows.loc[rows.index.intersection(cells.index)]
    cells = cells.loc[rows.index]
    if rows.empty:
        return None
    moment = rows.groupby(list(rows), dropna=False).ngroup()
    place = rows.groupby(["x", "y"]).ngroup()
    again = moment.duplicated(keep=False)
    known = {name for names in origin.named.values() for name in names} | set(times)
    scores: dict[str, float] = {}
    for name in (name for name in cells if name not in known):
        value = text(cells[name])
        there = value.notna()
        repeated = int(value[there].duplicated().sum())
        if there.mean() < FILLED or repeated < max(LEAST, SHARED_WITH_ID * len(rows)) or _is_date(value):
            continue
        if _is_coordinate(value, rows):
            continue
        when = [moment] if rows["time"].notna().any() else [cells[time] for time in times]
        determines = _determines(value, place) and any(_determines(value, time) for time in when)
        several = value[again].groupby(moment[again]).nunique()
        agrees = (several < 2).mean() if len(several) else 0.0
        if determines and agrees >= AGREES:
            called = pd.Series([str(name)]).str.contains(_NAMES_OF_IDS).any()
            scores[str(name)] = float(agrees) + (1 if called else 0)
    return max(scores, key=lambda name: scores[name]) if scores else None


def _determines(value: pd.Series, what: pd.Series) -> bool:
    """Tell whether rows of one value have one of `what`."""
    again = value.duplicated(keep=False) & value.notna()
    first = what[again].groupby(value[again]).transform("first")
    return bool(again.any()) and float((what[again] == first).mean()) >= DETERMINES


def _is_coordinate(value: pd.Series, rows: pd.DataFrame) -> bool:
    """Tell whether a column holds coordinates in whatever system: fractions, or numbers that run with x or y."""
    numbers = pd.to_numeric(value, errors="coerce").astype("float64")
    if numbers.notna().mean() < FILLED or numbers.nunique() < LEAST:
        return False
    if (numbers % 1 != 0).mean() > 0.5:
        return True
    return any(
        abs(np.corrcoef(numbers.fillna(numbers.mean()), rows[axis])[0, 1]) > DETERMINES for axis in ("x", "y")
    )
