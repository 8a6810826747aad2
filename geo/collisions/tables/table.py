"""What every reader of tables gives: rows as text, as they stand in a source."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyproj

from geo.config.sections.records import TEXT_ENCODING
from geo.ledger import Entry

BROKEN = "_broken"
"""Column that marks rows with more or fewer fields than the header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a city's file says of how its tables are written.

    Attributes
    ----------
    section
        Section of the city's file that names the table, for messages.
    columns
        Where the keys are that say how text is written; None: the schema has none.
    named_by
        Where the keys ``layer`` and ``sheet`` are that `parts` comes from; None: the table has none.
    parts
        Layers or sheets that are read; none: the only one with rows.
    delimiter
        Field separator of text; None: found from the header.
    encoding
        Encoding of text, of a dBASE table, too.
    skip_lines
        Lines before the header of text or of a sheet; None: found out.
    numbered
        Columns that may be the number that a layer gives each row, as GeoPackage's ``fid`` and FileGDB's ``OBJECTID``,
        which are no columns to GDAL; one that is asked for here becomes one.
    """

    section: str = "collisions"
    columns: str | None = "collisions.columns"
    named_by: str | None = "collisions"
    parts: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str = TEXT_ENCODING
    skip_lines: int | None = None
    numbered: tuple[str, ...] = ()

    def asks(self, key: str, what: str, example: str) -> str:
        """Say which key mends a fault; without one, that the file must be mended."""
        if self.columns is None:
            return f"{what}: this schema has no key for it. Save the file as CSV in UTF-8, names of columns first."
        return f"{what} in {self.columns}.{key}, {example} for example."


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as text, as they stand in a source.

    Attributes
    ----------
    frame
        All columns as text, and `BROKEN`.
    points
        Geometry of each row as the source has it, ``(rows, 2)``; None where it has none.
    crs
        CRS of `points`; None where the source does not tell it.
    name
        The file, with its layer or sheet where one of several was asked for: for messages.
    notes
        What was found beside the rows: titles, totals, marks that stand for nothing.
    shapes
        Geometry of each row as the source has it, of any kind, where `points` holds its centre; None without geometry.
    whole
        Number of rows that its source says there are in all, here and in other files; infinite where it says that more
        were left out, but not how many; 0: it says nothing.
    """

    frame: pd.DataFrame
    points: np.ndarray | None = None
    crs: pyproj.CRS | None = None
    name: str = ""
    notes: list[Entry] = field(default_factory=list)
    whole: float = 0
    shapes: np.ndarray | None = None


def broken_rows(frame: pd.DataFrame, source: str) -> list[Entry]:
    """Account for rows with a wrong number of fields, whose cells cannot be trusted."""
    name = source.replace("\\", "/").rpartition("/")[2]
    return [
        Entry(
            "rows", "rejected", f"other number of fields than the header of {name}", int(frame[BROKEN].sum())
        )
    ]
