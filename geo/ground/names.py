"""What the analyst calls classes of ground that were found: a small table, ``ground.csv``, kept from run to run."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field, ValidationError

from geo.errors import SourceError
from geo.faults import reason_of
from geo.ground.contract import GroundClass
from geo.outputs.layers.ground import CLASSES
from geo.outputs.names import COLUMNS, Named, merged_in, read_rows, write_rows
from geo.outputs.palette import MUTED

FILE = "ground.csv"
MOST_NUMBER = 195
"""The highest number that the file may speak of: a map holds 255, and a run may have 60 classes beside these."""
NAMES_OF_CLASSES = "names of ground classes"
"""What the ledger calls lines of the file."""
MERGES_OF_CLASSES = "merges of ground classes"
"""What a run calls classes that are made one, in its layer ``run``."""
_SHADES = (0.0, 0.45, -0.35)
"""How far the second and third of nine colours lie towards white (above 0) or black."""


def plain_colour(number: int) -> str:
    """Give the colour of a class (from 1): nine, then paler, then darker ones; from the 28th on they come again.

    Examples
    --------
    >>> plain_colour(1), plain_colour(10), plain_colour(28)
    ('#CC6677', '#E3ABB4', '#CC6677')
    """
    colour = MUTED[(number - 1) % len(MUTED)]
    shade = _SHADES[(number - 1) // len(MUTED) % len(_SHADES)]
    bands = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    red, green, blue = np.round(bands + abs(shade) * ((255 if shade > 0 else 0) - bands)).astype(int)
    return f"#{red:02X}{green:02X}{blue:02X}"


def found_class(number: int, share: float, words: str) -> GroundClass:
    """Give a class that was found, as it is before anybody named it: its number stands for it."""
    return GroundClass(
        number, str(number), "", plain_colour(number), "found", share=round(share, 6), words=words
    )


class NamedClass(Named):
    """One row of ``ground.csv``."""

    model_config = ConfigDict(populate_by_name=True)
    column: ClassVar[str] = "class"

    cluster: Annotated[int, Field(ge=1, le=MOST_NUMBER, alias="class")]
    merged_into: Annotated[int, Field(ge=1, le=MOST_NUMBER)] | None = None

    @property
    def plain_colour(self) -> str:
        """See `Named.plain_colour`."""
        return plain_colour(self.cluster)


def read_class_names(path: Path) -> dict[int, NamedClass]:
    """Read ``ground.csv``, by numbers of classes; see `geo.outputs.names.read_rows`.

    Raises
    ------
    SourceError
        Naming the line and what is wrong with it.
    """
    return read_rows(path, NamedClass)


def write_class_names(path: Path, numbers: Collection[int], known: Mapping[int, NamedClass]) -> None:
    """Write ``ground.csv`` with a line for each class that was found; see `geo.outputs.names.write_rows`."""
    write_rows(path, {number for number in numbers if number <= MOST_NUMBER}, known, NamedClass)


def class_names_in(file: Path) -> dict[int, NamedClass]:
    """Read what the classes of a run were called from its GeoPackage; what nobody named has no row.

    Parameters
    ----------
    file
        Path of the GeoPackage; one without classes that were found gives none.

    Raises
    ------
    SourceError
        When its table of classes is not as a run writes it.
    """
    columns = ", ".join(COLUMNS[1:])
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            there = "SELECT 1 FROM sqlite_master WHERE name = ?"
            if connection.execute(there, (CLASSES,)).fetchone() is None:
                return {}
            found = f"SELECT class, {columns} FROM {CLASSES} WHERE source = 'found'"  # noqa: S608 - our own names
            rows = connection.execute(found).fetchall()
            merged = merged_in(connection, MERGES_OF_CLASSES)
        named = [
            NamedClass(cluster=n, name=name or "", colour=colour, note=note or "")
            for n, name, colour, note in rows
        ] + [NamedClass(cluster=int(n), merged_into=into) for n, into in merged.items()]
    except (sqlite3.Error, ValidationError) as error:
        raise SourceError(
            f"its table of classes of ground cannot be read ({reason_of(error)})",
            where=str(file),
            todo="Give a GeoPackage as 'roadprint run' wrote it.",
        ) from error
    return {one.cluster: one for one in named if one.edited}


def call_classes(classes: pd.DataFrame, names: Mapping[int, NamedClass]) -> pd.DataFrame:
    """Give classes that were found the names, colours and notes that an analyst gave them.

    Parameters
    ----------
    classes
        A row a class, as the layer `CLASSES` has it: ``class, name, colour, source``.
    names
        Rows of ``ground.csv``, by number. Classes that were learned have names of their own.

    Returns
    -------
    The same, where any class was found with a column ``note``.
    """
    found = classes["source"] == "found"
    if not found.any():
        return classes

    def told(column: str) -> pd.Series:
        theirs = {number: said for number, one in names.items() if (said := getattr(one, column))}
        said = classes["class"].map(theirs).astype("string").where(found)
        return said.fillna(classes[column].astype("string")) if column in classes else said

    return classes.assign(**{column: told(column) for column in COLUMNS[1:]})
