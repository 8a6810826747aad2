"""The mapping of a table's columns that no published schema knows: id, time, place, severity, road users, road."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyproj

from geo.collisions.cells.text import text
from geo.collisions.cells.users import flags
from geo.collisions.evidence import plain_name
from geo.collisions.rows.hints import FILLED
from geo.collisions.tables.table import Rows
from geo.starting.guess import Guess, Option, counted, listed
from geo.starting.rasters import Box
from geo.starting.records.names import matching, spelled
from geo.starting.records.severity import Severity, guess_severity
from geo.starting.records.when import Time, guess_time
from geo.starting.records.where import Where, guess_place

IDS = (
    r"(crash|collision|accident|acc|unfall|accnum|num_acc|incident|case|report|record).*(id|num|numb|nr|no|index|ref|number|key|code)$",
    r"^(id|accnum|num_acc|uidentstlae|identifier|uuid|guid)$|^accident$|^crash$",
    r"^(objectid|fid|gid|globalid|ogc_fid|oid)$|_id$",
)
"""What columns with ids are called, the surest first."""
USERS = {
    "pedestrian": r"(?<![a-z])ped(s|estrians?)?(?![a-z])|pedestrian|fuss|walker|pieton|peaton|jalankul|fotganger",
    "cyclist": r"(?<![a-z])(bi)?cycl(e|es|ist|ists)(?![a-z])|bicycl|(?<![a-z])bikes?(?![a-z])|pedal|ist_rad|"
    r"(?<![a-z])velo|polkupyor",
    "motorcyclist": r"motor_?cycl|motor_?bike|moped|krad|(?<![a-z])moto(?![a-z])",
    "car_occupant": r"(?<![a-z])cars?(?![a-z])|automobile|passenger_car|ist_pkw|(?<![a-z])auto(?![a-z])",
}
"""What columns that flag or count road users are called."""
_NEGATED = re.compile(
    r"(?<![a-z])(no(?!_of)|not|non|without|ohne|age|sex|gender|type|path)(?![a-z])|action|location|movement|condition|"
    r"speed|lane|crossing|facilit|control|signal|physical"
)
"""What columns are called that tell of a road user otherwise than whether one was there."""
_COUNTED = (
    r"(^|_)(n|nb|num|numb|no|number|count|total|anzahl|lkm)(_|$)|injur|killed|fatal|hurt|casualt|"
    r"(ian|ist|le|bike|car)s$"
)
"""What columns are called that count."""
STREETS = (
    r"^(street|road|on_street|strasse|rue|calle|via|katu)$",
    r"(street|steet|road|strasse|rue|calle).*name|name.*(street|road|strasse)|(^|_)(on_)?(street|road|strasse)(_|$)",
)
CASUALTIES = (
    r"^(n|nb|number|num|no|numb|total)_?(of_)?casualt|^casualties$|injuries_total|total_injur(ed|ies)$",
)
_AGREE = 0.2
"""A column with at least this share of names that roads have holds names of roads."""
_SAMPLE = 5000


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a table's columns are guessed to hold.

    Attributes
    ----------
    guesses
        Keys of the section ``collisions``.
    where, time, severity
        What they rest on.
    """

    guesses: tuple[Guess, ...]
    where: Where
    time: Time
    severity: Severity


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a table is held against.

    Attributes
    ----------
    crss
        CRSs of roads and imagery.
    near
        Edges of the roads in degrees; None: there are none.
    streets
        Names of roads.
    """

    crss: tuple[pyproj.CRS, ...] = ()
    near: Box | None = None
    streets: pd.Series | None = None


def guess_mapping(rows: Rows, columns: Sequence[str], around: Surroundings, *, whole: bool) -> Mapping:
    """Guess ``collisions.columns`` and what belongs to it.

    Parameters
    ----------
    rows
        Of a table, or of several with the same columns, as text.
    columns
        Their names.
    around
        What the table is held against.
    whole
        Whether these are all rows.
    """
    frame = rows.frame
    where = guess_place(rows, columns, around.crss, around.near)
    rest = [column for column in columns if column and column not in where.used]
    time = guess_time(frame, rest, whole=whole)
    rest = [column for column in rest if column not in time.used]
    severity = guess_severity(frame, rest)
    rest = [column for column in rest if column not in severity.used]
    id_ = _id(frame, rest)
    rest = [column for column in rest if id_ is None or column != id_.value]
    guesses = [
        *([] if id_ is None else [id_]),
        *time.guesses,
        *where.guesses,
        *severity.guesses,
        *_casualties(frame, rest),
        *_street(frame, rest, around.streets),
        *_users(frame, rest),
    ]
    return Mapping(tuple(guesses), where, time, severity)


def _id(frame: pd.DataFrame, columns: Sequence[str]) -> Guess | None:
    """Guess ``collisions.columns.id``: of columns called so, the first that differs in each row, else the first."""
    named = [c for c in matching(columns, IDS) if text(frame[c]).notna().mean() >= FILLED]
    if not named:
        return None
    different = {column: text(frame[column]).nunique() / max(1, len(frame)) for column in named}
    best = named[0]
    unique = next((column for column in named if different[column] > FILLED), None)
    if different[best] <= FILLED and unique is not None and not _names_collisions(best):
        best = unique
    share = different[best]
    if share > FILLED:
        why = "It differs in every row." if share == 1 else f"It differs in {share:.1%} of the rows."
        return Guess("collisions.columns.id", best, (why,))
    rows = len(frame) / text(frame[best]).nunique()
    why = f"It stands in {rows:.1f} rows each: rows of one collision, of persons or vehicles, are brought together."
    doubt = f"Is {best} the number of the collision, which several rows share?"
    options = tuple(Option(column, "another column called so") for column in named if column != best)
    return Guess("collisions.columns.id", best, (why,), doubt, options)


def _names_collisions(column: str) -> bool:
    return bool(re.search(r"crash|collision|acc|unfall", spelled(column)))


def _casualties(frame: pd.DataFrame, columns: Sequence[str]) -> list[Guess]:
    for column in matching(columns, CASUALTIES):
        numbers = pd.to_numeric(text(frame[column]), errors="coerce")
        if numbers.notna().mean() > 0.5 and (numbers.dropna() % 1 == 0).all():
            return [
                Guess("collisions.columns.n_casualties", column, (f"Their sum is {int(numbers.sum()):,}.",))
            ]
    return []


def _street(frame: pd.DataFrame, columns: Sequence[str], streets: pd.Series | None) -> list[Guess]:
    """Guess ``collisions.columns.road_name``: held against the names of roads, where there are any."""
    named = [
        c
        for c in matching(columns, STREETS)
        if not re.search(r"cross|second|near|number|type|class|cond|surf", spelled(c))
    ]
    for column in named:
        names = text(frame[column].head(_SAMPLE)).dropna().drop_duplicates()
        if names.empty or names.str.fullmatch(r"[\d.]+").all():
            continue
        if streets is None or streets.empty:
            return [Guess("collisions.columns.road_name", column, (f"Such as {names.iloc[0]!r}.",))]
        share = float(plain_name(names).isin(plain_name(streets)).mean())
        if share >= _AGREE:
            why = f"{share:.0%} of its names are names of roads here."
            return [Guess("collisions.columns.road_name", column, (why,))]
    return []


def _users(frame: pd.DataFrame, columns: Sequence[str]) -> list[Guess]:
    """Guess columns that flag or count road users, and whether an empty cell there means none."""
    guesses, blank = [], []
    for user, pattern in USERS.items():
        mine = [
            c for c in matching(columns, (pattern,)) if not _NEGATED.search(spelled(c)) and _is_flag(frame[c])
        ]
        if user in {"cyclist", "car_occupant"}:
            mine = [column for column in mine if not re.search(USERS["motorcyclist"], spelled(column))]
        if not mine:
            continue
        yes = flags(frame[mine[0]], empty_is_none=False)
        number = int(yes.fillna(value=False).sum())
        why = f"{counted(number, 'row')} of {len(frame):,} say yes."
        value = mine if len(mine) > 1 else mine[0]
        codes = [column for column in mine if _may_be_codes(frame[column], column)]
        doubt = f"Are the numbers of {listed(codes)} counts of people, or codes?" if codes else ""
        guesses.append(Guess(f"collisions.columns.{user}", value, (why,), doubt, left_out=bool(codes)))
        if codes:
            continue
        if not (yes == False).fillna(value=False).any() and yes.isna().any():  # noqa: E712 - null is neither
            blank.append(mine[0])
    if blank:
        why = f"{', '.join(blank)}: no cell says no, and most are empty."
        doubt = (
            "Does an empty cell there mean that no such road user took part? Else it is not known of most."
        )
        guesses.append(
            Guess(
                "collisions.columns.empty_is_none",
                value=True,
                why=(why,),
                doubt=doubt,
                options=(Option(value=False, says="it is not known"),),
            )
        )
    return guesses


def _may_be_codes(values: pd.Series, column: str) -> bool:
    """Tell numbers above 1 of a column that is not called as counts are."""
    numbers = pd.to_numeric(text(values), errors="coerce")
    return bool((numbers > 1).any()) and re.search(_COUNTED, spelled(column)) is None


def _is_flag(values: pd.Series) -> bool:
    """Tell whether cells are flags or counts."""
    there = text(values).dropna()
    if there.empty:
        return False
    numbers = pd.to_numeric(there, errors="coerce")
    return bool(flags(there, empty_is_none=False).notna().mean() > FILLED and not (numbers > 100).any())
