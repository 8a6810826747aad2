"""Rows of one source in a table that repeat those of another one: a town's police beside the state's records."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.collisions.cells.days.dates import dates
from geo.collisions.cells.text import text
from geo.errors import LayerError
from geo.roads.reading.sources import METRES_A_DEGREE
from geo.starting.guess import Guess, counted, listed
from geo.starting.records.mapping import Mapping
from geo.starting.records.names import spelled

_SOURCES = re.compile(
    r"^(source|data_?source|agency|provider|dataset|origin|quelle|database|system)s?(_name|_id)?$"
)
_MOST = 20
NEAR_M = 150.0
"""Records of one collision by two bodies lie this near each other (metres)."""
LATER_DAYS = 7
"""What lies so near on one day is held against what does so many days later, which is chance."""
CLEARLY, LEAST = 3.0, 0.05
"""Rows of one source repeat those of another when so many times as many as by chance lie there, and such a share."""
_APART = 1e6
"""Metres that stand for a day, so that no other day is near."""
Points = NDArray[np.float64]


def guess_keep(frame: pd.DataFrame, columns: Sequence[str], mapping: Mapping) -> list[Guess]:
    """Guess ``collisions.keep`` where rows come from several sources, of which others may repeat the largest.

    Parameters
    ----------
    frame
        Cells as text.
    columns
        Their names.
    mapping
        Which columns tell time and place.
    """
    column = next((name for name in columns if _SOURCES.search(spelled(name))), None)
    if column is None or column in {*mapping.time.used, *mapping.where.used}:
        return []
    counts = text(frame[column]).value_counts()
    if not 1 < len(counts) <= _MOST:
        return []
    largest = str(counts.index[0])
    why = [
        f"Rows by {column}: {listed([f'{value} {number:,}' for value, number in counts.items()], most=_MOST)}."
    ]
    shares = repeated(frame, column, largest, mapping)
    again = [value for value, (share, chance) in shares.items() if share >= max(LEAST, CLEARLY * chance)]
    told = [f"{value} {share:.0%} ({chance:.0%})" for value, (share, chance) in shares.items()]
    if told:
        why.append(
            f"Rows within {NEAR_M:.0f} m of one of {largest} on the same day, and {LATER_DAYS} days later, which is "
            f"chance: {listed(told, most=_MOST)}."
        )
    doubt = (
        f"Do other sources repeat {largest} (at least {listed(again)} do), so that its "
        f"{counted(int(counts.iloc[0]), 'row')} are to be counted alone?"
        if again
        else f"Is a collision there once, or once a source? Then keep one of {column} alone."
    )
    return [Guess("collisions.keep", {column: [largest]}, tuple(why), doubt, left_out=not again)]


def repeated(
    frame: pd.DataFrame, column: str, largest: str, mapping: Mapping
) -> dict[str, tuple[float, float]]:
    """Say which share of the rows of each other source lies by one of the largest, on the same day and by chance.

    Returns
    -------
    By source: the share on the same day, and that `LATER_DAYS` later; empty where time or place are not known.
    """
    places = _places(frame, mapping)
    if places is None:
        return {}
    source = text(frame[column])
    known = np.isfinite(places).all(axis=1)
    mine = (source == largest).fillna(value=False).to_numpy(dtype=bool) & known
    tree = cKDTree(places[mine])
    later = np.array([0.0, 0.0, LATER_DAYS * _APART])
    found = {}
    for value in source.dropna().unique():
        others = places[(source == value).fillna(value=False).to_numpy(dtype=bool) & known]
        if value != largest and len(others):
            shares = [
                float(np.isfinite(tree.query(at, distance_upper_bound=NEAR_M)[0]).mean())
                for at in (others, others + later)
            ]
            found[str(value)] = (shares[0], shares[1])
    return found


def _places(frame: pd.DataFrame, mapping: Mapping) -> Points | None:
    """Give east, north and day of rows, in metres; None where columns do not tell them."""
    if len(mapping.where.used) != 2 or not mapping.time.used:
        return None
    x, y = (
        pd.to_numeric(text(frame[name]), errors="coerce").to_numpy(dtype=float) for name in mapping.where.used
    )
    try:
        day = dates(frame[mapping.time.used[0]], where="").date
    except LayerError:
        return None
    if np.nanmax(np.abs(y), initial=0) <= 90:
        x = x * METRES_A_DEGREE * np.cos(np.radians(np.nanmedian(y)))
        y = y * METRES_A_DEGREE
    days = (day.dt.tz_localize(None) - pd.Timestamp(0)).dt.days.to_numpy(dtype=float)
    return np.column_stack([x, y, days * _APART])
