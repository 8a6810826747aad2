"""What analysts say of single segments: a small table, ``corrections.csv``, that is kept from run to run."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import accumulate, islice
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from geo.errors import SourceError
from geo.faults import reason_of
from geo.sources.by_hand import as_declared, no_formula, rows_by_hand, whole

FILE = "corrections.csv"
TABLE = "corrections"
_OTHER = ("other_longitude", "other_latitude")
COLUMNS = ("segment_id", "longitude", "latitude", "says", "value", "by", "at", "collisions_in_view", *_OTHER)
IS: Final = "is"
IS_NOT: Final = "is not"
LIKE: Final = "like"
UNLIKE: Final = "unlike"
Says = Literal["is", "is not", "like", "unlike"]
SAYS = (IS, IS_NOT, LIKE, UNLIKE)
LATER = "a later line takes its place"
FIRST_YEAR, LAST_YEAR = 1900, 2200
MOST = 10_000
"""The highest number of a type."""
_NAME = StringConstraints(strip_whitespace=True, max_length=80)


class Correction(BaseModel):
    """One row of ``corrections.csv``; columns beside ours are not read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    segment_id: Annotated[str, _NAME] = ""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    says: Says
    value: Annotated[str, _NAME]
    by: Annotated[str, _NAME] = ""
    at: datetime | None = None
    collisions_in_view: bool | None = None
    other_longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    other_latitude: Annotated[float, Field(ge=-90, le=90)] | None = None

    _formula = field_validator("segment_id", "by")(no_formula)

    @field_validator("longitude", "latitude", *_OTHER, mode="before")
    @classmethod
    def _degrees(cls, value: object) -> object:
        return (value.strip().replace(",", ".") or None) if isinstance(value, str) else value

    @field_validator("says", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return " ".join(value.casefold().replace("_", " ").split()) if isinstance(value, str) else value

    @field_validator("at", "collisions_in_view", mode="before")
    @classmethod
    def _nothing(cls, value: object) -> object:
        return (value.strip() or None) if isinstance(value, str) else value

    @field_validator("at")
    @classmethod
    def _utc(cls, at: datetime | None) -> datetime | None:
        if at is not None and not FIRST_YEAR <= at.year < LAST_YEAR:
            raise ValueError(f"a time is of the years {FIRST_YEAR} to {LAST_YEAR}")
        # a clock that says no zone is read as UTC
        return at if at is None else at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)

    @model_validator(mode="before")
    @classmethod
    def _number(cls, row: object) -> object:
        says = str(row.get("says", "")) if isinstance(row, dict) else ""
        if isinstance(row, dict) and says.strip().casefold().startswith("is"):
            return row | {"value": str(whole(row.get("value")) or "")}
        return row

    @model_validator(mode="after")
    def _sound(self) -> Correction:
        if self.says in {IS, IS_NOT} and not (self.value.isascii() and self.value.isdigit() and self.kept):
            raise ValueError(f"value: a type is a number from 1 to {MOST}, found {self.value[:20]!r}")
        if not self.value:
            raise ValueError("value: the id of a segment is missing")
        both = (self.longitude, self.latitude), (self.other_longitude, self.other_latitude)
        if any((x is None) != (y is None) for x, y in both):
            raise ValueError("a place is a longitude and a latitude; one is missing")
        if not self.segment_id and self.longitude is None:
            raise ValueError("it names neither a segment nor a place")
        no_formula(self.value)
        return self

    @property
    def kept(self) -> bool:
        """Whether its number is one that a type may have."""
        return 1 <= self.type <= MOST

    @property
    def type(self) -> int:
        """The number of the type that it tells of."""
        return int(self.value)

    @property
    def said(self) -> dict[str, object]:
        """What it says, to be digested and kept."""
        return self.model_dump(mode="json")


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read ``corrections.csv`` as an analyst, a spreadsheet or a GIS left it.

    Parameters
    ----------
    path
        Path of the file, see `geo.sources.by_hand.rows_by_hand`.

    Returns
    -------
    The rows in the order in which they were said: by ``at``, and one without it right after the one above it.

    Raises
    ------
    SourceError
        Naming the line and what is wrong with it.
    """
    rows = rows_by_hand(path, ("segment_id", "says", "value"), COLUMNS)
    return in_order([as_declared(Correction, path, line, row) for line, row in rows])


def corrections_in(file: Path) -> tuple[Correction, ...]:
    """Read what a run was told of segments from its GeoPackage; nothing where it was told nothing.

    Raises
    ------
    SourceError
        When it has a table of corrections that is not as a run writes it.
    """
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            known = connection.execute("SELECT name FROM sqlite_master WHERE name = ?", (TABLE,)).fetchone()
            if known is None:
                return ()
            there = {row[1] for row in connection.execute(f"PRAGMA table_info({TABLE})")}
            # runs of before knew no place of the other segment
            columns = [name for name in COLUMNS if name in there or name not in _OTHER]
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM {TABLE} ORDER BY fid").fetchall()  # noqa: S608
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        return tuple(
            Correction.model_validate({k: v for k, v in row.items() if v is not None}) for row in named
        )
    except (sqlite3.Error, ValidationError) as error:
        raise SourceError(
            f"its table of corrections cannot be read ({reason_of(error)})",
            where=str(file),
            todo="Give a GeoPackage as 'roadprint run' wrote it.",
        ) from error


def in_order(rows: Sequence[Correction]) -> tuple[Correction, ...]:
    """Put rows in the order in which they were said: by ``at``, and one without it right after the one above it."""
    begin = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    times = accumulate((one.at for one in rows), lambda last, at: last if at is None else at, initial=begin)
    order = sorted(range(len(rows)), key=dict(enumerate(islice(times, 1, None))).__getitem__)
    return tuple(rows[place] for place in order)
