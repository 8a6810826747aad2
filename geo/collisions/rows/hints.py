"""What columns of a source that nobody has mapped look like: ids of collisions, or times."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.collisions.cells.text import text
from geo.collisions.rows.moments import Moments
from geo.collisions.rows.origin import Origin

FILLED = 0.95
"""An id is there in nearly all rows, and so is a time; nearly all of them have one form."""
NAMES_OF_IDS = "(?i)id$|num|no$|nr|nbr|index|case|ref|key|code|collision|accident|crash|unfall"
"""What columns with ids are called: of several that would do, one with such a name is told."""
NAMES_OF_TIMES = (
    "(?i)date|datum|fecha|time|zeit|hour|heure|hora|stunde|hrmn|month|monat|mois|mes$|"
    "week|woche|minute|^day$|^an$|^jour$"
)
DATES = r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?"
CLOCKS = r"\s*\d{1,2}:\d{2}(?::\d{2}.*|\s*[APap]\.?[Mm]\.?)?\s*"
TRIVIAL = 0.5
"""A column in which two rows at random agree more often than this tells no times apart."""
DETERMINES, AGREES = 0.97, 0.8
"""Rows of one value of an id that are at its first row's place and time; rows of one place and time with one value."""
PARTS, ENOUGH = 0.1, 10
"""Columns that complete an id have fewer values than this share of the rows; fewer ids that come back tell nothing."""
LEAST, REPEATED = 3, 0.01
"""So many rows, and such a share of them, at least repeat the id of a collision in a table of persons or vehicles."""


def mending_columns(own: NDArray[np.int64], when: Moments, origin: Origin) -> str:
    """Find columns that make a whole id of one that comes back with other dates or places.

    Parameters
    ----------
    own
        Number of each row's id as it is, ``(rows,)``.
    when
        Place and time of the rows, on their positions in the whole table.
    origin
        Where the rows stood; the first of each file are looked at.

    Returns
    -------
    What ``collisions.columns.id`` would be: a column that differs in every row and is called as ids are, else a list of
    the column with the fewest values that leaves nothing that differs, and what there is; empty: there is none, or too
    few ids come back to say.
    """
    seen = when.x.index.intersection(origin.cells.index)
    numbers, moments = pd.Series(own, index=when.x.index)[seen].to_numpy(), when.take(seen)
    if moments.apart(numbers).any.sum() < ENOUGH:
        return ""
    kinds: dict[str, int] = {}
    for name in _unmapped(origin):
        cells = text(origin.cells.loc[seen, name])
        if cells.notna().mean() < FILLED:
            continue
        different = cells.nunique()
        if different == len(seen) and _called(name, NAMES_OF_IDS):
            return name
        both = pd.DataFrame({"own": numbers, "with": cells.to_numpy()}).groupby(["own", "with"], dropna=False)
        groups = np.asarray(both.ngroup(), dtype=np.int64)
        if different <= len(seen) * PARTS and not moments.apart(groups).any.any():
            kinds[name] = different
    if not kinds:
        return ""
    return f"[{min(kinds, key=lambda name: kinds[name])}, {', '.join(origin.named.get('id', ('id',)))}]"


def times_of(cells: pd.DataFrame, origin: Origin) -> list[str]:
    """List the columns that tell of time, by what they hold or are called, and that differ between rows."""
    names = [name for name in _unmapped(origin) if _called(name, NAMES_OF_TIMES) or are(cells[name], DATES)]
    return [name for name in names if (cells[name].value_counts(normalize=True) ** 2).sum() < TRIVIAL]


def are(cells: pd.Series, form: str) -> bool:
    """Tell whether nearly all cells that hold something have one form."""
    there = cells.dropna()
    there = there[there.str.strip() != ""]
    return bool(len(there)) and float(there.str.fullmatch(form).mean()) > FILLED


def id_of_collision(rows: pd.DataFrame, cells: pd.DataFrame, times: list[str], origin: Origin) -> str | None:
    """Find the column that repeats where place and time do.

    Parameters
    ----------
    rows
        ``x``, ``y`` and ``time`` of the rows.
    cells
        All columns of the source, of these rows or some of them.
    times
        Columns of it that tell of time.
    origin
        Which columns are mapped.
    """
    rows = rows.loc[rows.index.intersection(cells.index)]
    cells = cells.loc[rows.index]
    if rows.empty:
        return None
    moment, place = rows.groupby(list(rows), dropna=False).ngroup(), rows.groupby(["x", "y"]).ngroup()
    again = moment.duplicated(keep=False)
    scores: dict[str, float] = {}
    for name in (name for name in _unmapped(origin) if name not in times):
        value = text(cells[name])
        repeated = int(value.dropna().duplicated().sum())
        if value.notna().mean() < FILLED or repeated < max(LEAST, REPEATED * len(rows)):
            continue
        if are(value, DATES) or _is_coordinate(value, rows):
            continue
        several = value[again].groupby(moment[again]).nunique()
        agrees = float((several < 2).mean()) if len(several) else 0.0
        if agrees >= AGREES and determines(value, place) and determines(value, moment):
            scores[name] = agrees + _called(name, NAMES_OF_IDS)
    return max(scores, key=lambda name: scores[name]) if scores else None


def _unmapped(origin: Origin) -> list[str]:
    """List the columns of a source that nothing is read from."""
    mapped = {name for names in origin.named.values() for name in names}
    return [str(name) for name in origin.cells if str(name) not in mapped]


def _called(name: str, names: str) -> bool:
    return bool(pd.Series([name]).str.contains(names).any())


def determines(value: pd.Series, what: pd.Series) -> bool:
    """Tell whether rows of one value have one of `what`."""
    again = value.duplicated(keep=False) & value.notna()
    first = what[again].groupby(value[again]).transform("first")
    return bool(again.any()) and float((what[again] == first).mean()) >= DETERMINES


def _is_coordinate(value: pd.Series, rows: pd.DataFrame) -> bool:
    """Tell whether a column holds coordinates in whatever system: fractions, or numbers that run with x or y."""
    numbers = pd.to_numeric(value, errors="coerce").astype("float64")
    if numbers.notna().mean() < FILLED or numbers.nunique() < LEAST:
        return False
    if (numbers % 1 != 0).mean() > FILLED / 2:
        return True
    filled = numbers.fillna(numbers.mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        return any(abs(np.corrcoef(filled, rows[axis])[0, 1]) > DETERMINES for axis in ("x", "y"))
