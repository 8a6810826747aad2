"""What is known of a published table: names of columns over the years, places, severities and road users."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from geo.collisions.schemas.schemes import Scheme
from geo.config.sections.records import TEXT_ENCODING, Row

DEGREES = "EPSG:4326"
Names = tuple[str, ...]
"""Names that one column has had, the one that is taken first where a table has several."""


@dataclass(frozen=True, slots=True)
class Place:
    """A pair of columns with coordinates.

    Attributes
    ----------
    x, y
        Their names.
    crs
        What they are in.
    or_degrees
        Whether a file may hold `DEGREES` under the same names, which its numbers tell.
    """

    x: Names
    y: Names
    crs: str
    or_degrees: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column of categories, and those of one road user."""

    column: Names
    values: Names


@dataclass(frozen=True, slots=True)
class Preset:
    """A published table.

    Attributes
    ----------
    title
        What the publisher calls it.
    source
        Who published names and codes, and where.
    names
        By key of ``collisions.columns``: names of its column; the first that a table has is taken.
    sums
        By key of ``collisions.columns``: columns that are added up, all that a table has.
    places
        Columns with coordinates; the first pair that a table has is taken, else its geometry.
    needs
        Keys without which a table is not of this schema: in `names` or `sums`.
    telling
        Columns, each under one of its names, by which such a table is known from others; it can be read without.
    users
        By road user: columns of which one above 0 tells it, or the categories that do.
    scheme
        Values of the severity column; None: severities are told by counts.
    year_within
        Whether ids start anew each year, so that an id is of the year and the number.
    month_first
        Whether dates with slashes have the month first.
    time_zone
        Where the place is (IANA): files that write dates in UTC, with an offset, are brought to its clock.
    blank_is_none
        Whether an empty cell of a road user says that there was none.
    encodings
        What its text is in, one after another; none: UTF-8 alone.
    rows
        What a row is.
    note
        What a reader must know.
    """

    title: str
    source: str
    names: Mapping[str, Names]
    places: tuple[Place, ...]
    needs: tuple[str, ...]
    telling: tuple[Names, ...] = ()
    sums: Mapping[str, Names] = field(default_factory=dict)
    users: Mapping[str, Names | OneOf] = field(default_factory=dict)
    scheme: Scheme | None = None
    year_within: Names = ()
    month_first: bool = False
    time_zone: str | None = None
    blank_is_none: bool = False
    encodings: Names = (TEXT_ENCODING,)
    rows: Row = "collisions"
    note: str = ""

    def missing(self, header: Header, without: Iterable[str] = ()) -> list[str]:
        """Say which columns it needs and a header lacks, each as the names that would do, but for some keys."""
        wanted = [self.names.get(key) or self.sums[key] for key in self.needs if key not in set(without)]
        return [" or ".join(names) for names in wanted if header.find(names) is None]

    def is_of(self, header: Header) -> bool:
        """Tell whether a header is that of such a table."""
        return not self.missing(header) and all(header.find(names) for names in self.telling)


class Header:
    """The names of a table's columns, found whatever their case, and whether blanks or underscores part their words.

    Parameters
    ----------
    names
        As they stand in the table.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = [str(name) for name in names if not str(name).startswith("_")]
        self._spelled: dict[str, str] = {}
        for name in self.names:
            self._spelled.setdefault(_plain(name), name)

    def find(self, names: Names) -> str | None:
        """Give the column that has the first of some names that is there, as it stands in the table; None: none has."""
        exact = next((name for name in names if name in self.names), None)
        spelled = (self._spelled[_plain(name)] for name in names if _plain(name) in self._spelled)
        return exact if exact is not None else next(spelled, None)

    def find_all(self, names: Names) -> list[str]:
        """Give the columns that are there under any of some names."""
        found = (self.find((name,)) for name in names)
        return list(dict.fromkeys(name for name in found if name is not None))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")
