"""Ids that come back: rows of one collision, other collisions under the same number, or a column that is no id."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.collisions.rows.hints import mending_columns
from geo.collisions.rows.moments import Apart, Moments
from geo.collisions.rows.origin import Origin
from geo.config.sections.records import Collisions
from geo.errors import LayerError

PARTLY = 0.2
"""More of the ids that come back than this differ in only one of date and place: that is not how numbers start anew."""
ROUNDED = r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+"
"""How a spreadsheet writes a number that it has rounded."""
ZEROS = r"\d{6,}0{3}"
"""What is left of a long number that was rounded, when it is written out again."""
FILLER = (
    "(?i)0+|9{2,}|9+[.,]9+|[-.?*x_ ]+|unk(?:nown)?|unbekannt|inconnu|desconocido|"
    "not? .*|tbd|tbc|test|missing|blank"
)
"""What is written into a column of ids where there is none."""
OFTEN = 2
EXAMPLES, MOST = 3, 0.9
FEW = 0.05
"""Fewer different values than this share of the rows are hardly ids."""


@dataclass(frozen=True, slots=True)
class Told:
    """Which collision each row is of.

    Attributes
    ----------
    collision
        Number of the collision; equal numbers, one collision; -1 where its id is not known.
    ids
        Its id: as it stands in the source, or behind the year or the file that tells it from others.
    later
        Whether an id stands before with another date or place, and is left out by ``repeated_ids: first``.
    by
        What the ids are told apart by, in words; empty: by themselves.
    """

    collision: pd.Series
    ids: pd.Series
    later: pd.Series
    by: str = ""


def tell_apart(ids: pd.Series, when: Moments, origin: Origin, collisions: Collisions) -> Told:
    """Tell which rows of one id are of one collision.

    Rows of one id on one day (in one month or year, where no day is known) at one place are of one collision. Where an
    id comes back with another date or place, the year, the file, or both are tried: when nothing is left that differs,
    numbers start anew with each, and all ids are written behind it (``2019/17``).

    Parameters
    ----------
    ids
        Id of each row, as text.
    when
        Place and time of the rows.
    origin
        Where they stood.
    collisions
        ``rows`` and ``repeated_ids`` count: rows that are said to be persons or vehicles of one id and day may each
        have their own place.

    Raises
    ------
    LayerError
        When neither tells them apart, and ``repeated_ids`` does not say what is right.
    """
    places = collisions.rows not in ("persons", "vehicles") or when.day.notna().mean() < 0.5
    own = pd.factorize(ids)[0].astype(np.int64)
    apart = when.apart(own, places=places)
    if not apart.any.any():
        return _told(ids, own, ids.to_numpy(dtype=object))
    if apart.partly.sum() <= PARTLY * apart.any.sum() or not places:
        for by, before in _tries(when, origin):
            told = _behind(ids, own, apart, by, before)
            if not when.apart(told.collision.to_numpy(), places=places).any.any():
                return told
    if collisions.repeated_ids == "first":
        told = _told(ids, own, ids.to_numpy(dtype=object))
        return replace(told, later=pd.Series(apart.any, index=ids.index))
    if collisions.repeated_ids == "each":
        return _each(ids, own, when, apart)
    raise LayerError(
        _found(ids, apart, own, when, origin),
        where=", ".join(origin.files),
        todo=_advice(ids, own, when, apart, origin, mapped=collisions.schema_ == "columns"),
    )


def _told(ids: pd.Series, collision: NDArray[np.int64], spelled: NDArray[np.object_], by: str = "") -> Told:
    at = ids.index
    return Told(
        pd.Series(collision, index=at), pd.Series(spelled, index=at), pd.Series(data=False, index=at), by
    )


def fillers(ids: pd.Series, when: Moments) -> pd.Series:
    """Tell which ids stand for 'none': values such as 0, 9999 or unknown, far more often there than any other.

    They must come back with other dates or places: numbers that start anew each year do so no more often than others.

    Parameters
    ----------
    ids
        Id of each row, as text.
    when
        Place and time of the rows.
    """
    like = ids.str.fullmatch(FILLER).fillna(value=False).astype(bool)
    if not like.any() or like.mean() > PARTLY:
        return pd.Series(data=False, index=ids.index)
    own = pd.factorize(ids)[0].astype(np.int64)
    rows = ids.groupby(own).transform("size")
    usual = rows[~like & ~ids.duplicated()].quantile(0.95)
    elsewhere = pd.Series(when.apart(own).any, index=ids.index).groupby(own).transform("any")
    return like & elsewhere & (rows > OFTEN * usual)


def _tries(when: Moments, origin: Origin) -> list[tuple[str, NDArray[np.object_]]]:
    """List what may stand before ids that start anew: words for it, and what it is for each row."""
    year = when.year.astype("Int64").astype("string").fillna("no year").to_numpy(dtype=object)
    file = np.array(origin.names(), dtype=object)[origin.file[when.x.index]]
    tries = [("year", year)] if when.year.min() < when.year.max() else []
    if len(origin.files) > 1:
        tries += [("file", file), *([("year and file", year + "/" + file)] if tries else [])]
    return tries


def _behind(
    ids: pd.Series, own: NDArray[np.int64], apart: Apart, by: str, before: NDArray[np.object_]
) -> Told:
    """Write ids behind what stands before them; a row that agrees with the first of its id stays with it."""
    first = pd.Series(before).groupby(own).transform("first").to_numpy(dtype=object)
    before = np.where(apart.same, first, before)
    spelled = before + "/" + ids.to_numpy(dtype=object)
    return _told(ids, pd.factorize(spelled)[0].astype(np.int64), spelled, by)


def _each(ids: pd.Series, own: NDArray[np.int64], when: Moments, apart: Apart) -> Told:
    """Make every date and place of an id a collision of its own, numbered from the second on: ``17 (2)``."""
    moment = pd.DataFrame({"day": when.day, "month": when.month, "year": when.year, "x": when.x, "y": when.y})
    moment.loc[~apart.any] = np.nan
    moment["own"] = own
    collision = np.asarray(moment.groupby(list(moment), dropna=False, sort=False).ngroup(), dtype=np.int64)
    firsts = pd.DataFrame({"own": own, "collision": collision}).drop_duplicates("collision")
    number = (
        (firsts.groupby("own").cumcount() + 1).set_axis(firsts["collision"]).reindex(collision).to_numpy()
    )
    spelled = ids.to_numpy(dtype=object)
    spelled = np.where(number > 1, spelled + " (" + number.astype(str).astype(object) + ")", spelled)
    return _told(ids, collision, spelled, "date and place")


def _found(ids: pd.Series, apart: Apart, own: NDArray[np.int64], when: Moments, origin: Origin) -> str:
    """Say how many ids come back with another date or place, and show some."""
    which = np.flatnonzero(apart.any)
    shown = which[~pd.Series(own[which]).duplicated().to_numpy()][:EXAMPLES]
    first = pd.Series(np.arange(len(own))).groupby(own).transform("first").to_numpy()
    told = "; ".join(
        f"{ids.iloc[row]!r} {_moment(when, int(first[row]))} ({origin.where(_row(when, int(first[row])))}) and "
        f"{_moment(when, int(row))} ({origin.where(_row(when, int(row)))})"
        for row in shown
    )
    columns = ", ".join(map(repr, origin.named.get("id", ())))
    named = f" in the column {columns}" if columns else ""
    few = ids.nunique()
    kinds = f" (different values: {few:,} in {len(ids):,} rows)" if few < FEW * len(ids) else ""
    return (
        f"{len(which):,} of {len(ids):,} rows have an id{named}{kinds} that stands before with another date or place: "
        f"{told}"
    )


def _row(when: Moments, position: int) -> int:
    """Give the row of the table that a position among those compared is."""
    return int(when.x.index[position])


def _moment(when: Moments, position: int) -> str:
    day, year = when.day.iloc[position], when.year.iloc[position]
    date = f"of {pd.Timestamp(0) + pd.Timedelta(days=day):%Y-%m-%d} " if pd.notna(day) else ""
    date = date or (f"of {year:.0f} " if pd.notna(year) else "")
    x, y = when.x.iloc[position], when.y.iloc[position]
    return f"{date}at {x:.10g}, {y:.10g}" if pd.notna(x) else f"{date}without a place"


def _advice(
    ids: pd.Series, own: NDArray[np.int64], when: Moments, apart: Apart, origin: Origin, *, mapped: bool
) -> str:
    """Say what mends ids: for those that a spreadsheet has rounded, their own numbers."""
    again = ids[apart.any]
    if again.str.fullmatch(ROUNDED).mean() > MOST:
        return (
            "A spreadsheet has rounded these numbers, and what they were is not in the file: take the table as it was "
            "published. Where every row is a collision of its own, collisions.repeated_ids: each counts them all."
        )
    listed = mending_columns(own, when, origin) if mapped else ""
    if listed:
        mend = f"It looks as if collisions.columns.id: {listed} is the whole id."
    elif mapped:
        mend = (
            "If several columns make the id, list them in collisions.columns.id: [year, number], for example."
        )
    else:
        mend = "Take the table as it was published, if its ids were changed since."
    if mapped and when.year.isna().all():
        mend += " Name the date, too (collisions.columns.date or .year): numbers may start anew each year."
    rounded = " They end in zeros, as numbers do that a spreadsheet has rounded."
    return (
        f"{mend} collisions.repeated_ids: each counts every date and place as a collision of its own, first only the "
        "first row of an id; collisions.rows: persons (or vehicles) takes rows of one id and day for one collision "
        f"wherever they lie.{rounded if again.str.fullmatch(ZEROS).mean() > MOST else ''}"
    )
