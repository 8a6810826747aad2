"""What the analyst calls classes of ground that were found: a small table, ``ground.csv``, kept from run to run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from geo.clusters.found.numbers import lasting
from geo.ground.contract import UNKNOWN, Classes, GroundClass
from geo.outputs.names import Named, merges_of, read_rows, write_rows
from geo.outputs.palette import MUTED

FILE = "ground.csv"
MOST_NUMBER = 195
"""The highest number that the file may speak of: a map holds 255, and a run may have 60 classes beside these."""
LEVELS = 256
"""How many values a map of classes holds."""
Counts = NDArray[np.int64]
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
    write_rows(path, set(numbers), known, NamedClass)


def call_classes(classes: pd.DataFrame, names: Mapping[int, NamedClass]) -> pd.DataFrame:
    """Give classes that were found the names, colours and notes that an analyst gave them.

    Parameters
    ----------
    classes
        A row a class: ``number, name, colour, source, words``.
    names
        Rows of ``ground.csv``, by number. Classes that were learned have names of their own.
    """
    found = classes["source"] == "found"

    def told(column: str, said: str) -> pd.Series:
        theirs = {number: getattr(one, said) for number, one in names.items() if getattr(one, said)}
        return classes["number"].map(theirs).where(found).fillna(classes[column])

    return classes.assign(
        name=told("name", "name"), colour=told("colour", "colour"), words=told("words", "note")
    )


def shared_ground(now: Classes, earlier: Classes) -> Counts:
    """Count places by class (rows) and by class of an earlier run (columns), ``(256, 256)``; what neither knows too."""
    both = now.ravel().astype(np.int64) * LEVELS + earlier.ravel()
    return np.bincount(both, minlength=LEVELS**2).reshape(LEVELS, LEVELS)


def keep_class_numbers(
    classes: Sequence[int],
    shared: Sequence[Counts],
    reserved: Collection[int] = (),
) -> dict[int, int]:
    """Give classes the numbers of earlier runs, as far as they are the same on the ground that both know.

    Parameters
    ----------
    classes
        Numbers of the classes as they were found.
    shared
        What they have in common with those of earlier runs (`shared_ground`): the newest run first, then those that
        have reserved numbers which no newer one has.
    reserved
        Numbers that mean something to the analyst.

    Returns
    -------
    The lasting number of each class; see `geo.clusters.found.numbers.lasting`.
    """
    newest, *older = shared or [np.zeros((LEVELS, LEVELS), dtype=np.int64)]
    missing = set(reserved) - set(np.flatnonzero(newest.any(axis=0)).tolist())

    def in_common(counts: Counts, among: Collection[int]) -> Callable[[Collection[int]], pd.DataFrame]:
        rows = [one for one in classes if counts[one, 1:].any()]

        def without(taken: Collection[int]) -> pd.DataFrame:
            columns = sorted(set(among) - {UNKNOWN, *taken})
            return pd.DataFrame(counts[np.ix_(rows, columns)], index=rows, columns=columns)

        return without

    runs = [*(in_common(one, missing) for one in older), in_common(newest, range(LEVELS))]
    return lasting(classes, runs, reserved)


def renumbered(numbers: Mapping[int, int], names: Mapping[int, NamedClass]) -> Classes:
    """Say what each number of a map becomes: a class's lasting one, or that of the class that it is merged into."""
    merged = merges_of(names)
    table = np.zeros(LEVELS, dtype=np.uint8)
    for number, lasts in numbers.items():
        table[number] = merged.get(lasts, lasts)
    return table


def with_numbers(classes: Sequence[GroundClass], table: Classes) -> tuple[GroundClass, ...]:
    """Give classes that were found the numbers of a table (`renumbered`), those that become one as one, by number."""
    shares: dict[int, float] = {}
    for one in classes:
        number = int(table[one.number])
        shares[number] = shares.get(number, 0.0) + (one.share or 0.0)
    return tuple(
        GroundClass(number, str(number), "", plain_colour(number), "found", share=round(share, 6))
        for number, share in sorted(shares.items())
    )
