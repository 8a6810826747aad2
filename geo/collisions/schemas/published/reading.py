"""Tables as their publishers write them: encodings that changed with the years, columns found by any of their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from geo.collisions.cells.text import text
from geo.collisions.schemas.published.known import hint
from geo.collisions.schemas.published.preset import Header, Names
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.reading import read_tables
from geo.collisions.tables.table import Form, Rows
from geo.config.sections.records import TEXT_ENCODING
from geo.errors import ConfigurationError, LayerError, SourceError, meant

ENCODINGS = (TEXT_ENCODING, "cp1252")
"""UTF-8 first: text in Windows-1252 that holds letters beyond ASCII is hardly ever valid in it."""
LINKED = Form(columns=None, named_by=None)
"""Form of a table beside that of the collisions."""


def read_published(source: str, form: Form = LINKED, encodings: Sequence[str] = ENCODINGS) -> list[Rows]:
    """Read the tables of a source in the first of some encodings that it is text in.

    Raises
    ------
    SourceError, LayerError
        As in the first encoding, when none reads it.
    """
    try:
        return read_tables(source, replace(form, encoding=encodings[0]))
    except SourceError:
        for encoding in encodings[1:]:
            try:
                return read_tables(source, replace(form, encoding=encoding))
            except SourceError:
                continue
        raise


def own_tables(sources: list[str], linked: Sequence[str]) -> list[str]:
    """List the tables of collisions: those of `sources` that are not named as linked ones, too.

    Raises
    ------
    ConfigurationError
        When there is none.
    """
    own = [source for source in expand_globs(sources) if source not in linked]
    if not own:
        raise ConfigurationError(
            "each of its files is also named as a linked table (casualties, for example)",
            where="collisions.sources",
            todo="Name the tables of collisions there.",
        )
    return own


def column(frame: pd.DataFrame, names: Names) -> pd.Series | None:
    """Find a column under any of its names, as text; None where it is not there."""
    name = Header(frame.columns).find(names)
    return None if name is None else text(frame[name])


def need(rows: Rows, names: Names, schema: str, todo: str) -> pd.Series:
    """Find a column that must be there.

    Parameters
    ----------
    rows
        The table.
    names
        Of the column.
    schema, todo
        The schema that needs it, and what its tables are, for the message.

    Raises
    ------
    LayerError
        Naming it, the columns that there are, and the schema that these are of.
    """
    found = column(rows.frame, names)
    if found is None:
        header = Header(rows.frame.columns).names
        raise LayerError(
            f"it has no column {' or '.join(names)}, which schema: {schema} needs; there are {', '.join(header)}"
            f"{meant(names[0], header)}",
            where=rows.name,
            todo=f"{hint(header, schema)}{todo}",
        )
    return found
