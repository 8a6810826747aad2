"""One door to tables of records: whatever form they are in, their rows as text."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from geo.addresses import is_url
from geo.collisions.tables.columnar import read_columnar
from geo.collisions.tables.containers import Table, unpacked
from geo.collisions.tables.documents import read_json
from geo.collisions.tables.places import locate
from geo.collisions.tables.table import Form, Rows
from geo.collisions.tables.text import read_text
from geo.collisions.tables.vector import read_layers
from geo.collisions.tables.workbooks import read_sheets
from geo.errors import LayerError, SourceError, meant_file

_PLAIN = Form()


def read_tables(source: str, form: Form = _PLAIN) -> list[Rows]:
    """Read the tables of a source, every cell as text.

    Parameters
    ----------
    source
        Delimited text, a workbook, JSON, Parquet or whatever GDAL reads, itself or packed (gzip, bzip2, xz, zip); what
        lies within a file may be named after it: ``crashes.zip/2019.csv``, ``crashes.gpkg/points``.
    form
        What is known of it.

    Returns
    -------
    One each for the layers, sheets or members that are asked for.

    Raises
    ------
    SourceError
        When it is not there or cannot be read.
    LayerError
        When it has no rows, or does not say which of several tables is meant.
    """
    if is_url(source):
        raise SourceError(
            "records are read from files, not from an address",
            where=source,
            todo="Fetch it, and name the file.",
        )
    path, within = locate(source)
    if not path.exists():
        raise SourceError(
            f"no such file{meant_file(path)}",
            where=source,
            todo=f"Mend the path in the section {form.section}.",
        )
    if path.is_dir() and path.suffix.lower() != ".gdb":
        raise SourceError(
            "it is a folder",
            where=source,
            todo=f"Name the tables in it, by a pattern for example: {source}/*.csv.",
        )
    with tempfile.TemporaryDirectory(prefix="roadprint-") as folder:
        found = [
            rows
            for table in unpacked(path, within, Path(folder), form, str(path))
            for rows in _read(table, form)
        ]
    for rows in found:
        if rows.frame.empty:
            raise LayerError(
                "it has no rows", where=rows.name, todo=f"Give a table for {form.section} with rows in it."
            )
    return found


def read_all(sources: Iterable[str], form: Form = _PLAIN) -> list[Rows]:
    """Read the tables of several sources, see `read_tables`.

    Raises
    ------
    LayerError
        Also when an answer of a server says that it is one part of more, and not all parts are among the sources.
    """
    found = [rows for source in sources for rows in read_tables(source, form)]
    here = sum(len(rows.frame) for rows in found)
    cut = max(found, key=lambda rows: rows.whole, default=None)
    if (
        cut is None
        or here >= cut.whole
        or (math.isinf(cut.whole) and any(rows.whole <= here for rows in found))
    ):
        return found
    all_ = "" if math.isinf(cut.whole) else f" of {cut.whole:,}"
    raise LayerError(
        f"it holds only the first {len(cut.frame):,}{all_} records, as its server says, at whose limit it stopped",
        where=cut.name,
        todo=f"Ask the server for the rest (an offset and a limit), and name all files in {form.section}.sources.",
    )


def read_rows(source: str, form: Form = _PLAIN) -> Rows:
    """Read the only table of a source, see `read_tables`.

    Raises
    ------
    LayerError
        Also when more than one table is asked for.
    """
    found = read_tables(source, form)
    if len(found) > 1:
        raise LayerError(
            f"more than one table is asked for: {', '.join(rows.name for rows in found)}",
            where=source,
            todo="Name one.",
        )
    return found[0]


def _read(table: Table, form: Form) -> list[Rows]:
    if table.within:
        form = replace(form, parts=(table.within,))
    if table.kind == "text":
        return [read_text(table.path.read_bytes(), form, table.name)]
    if table.kind == "workbook":
        return read_sheets(table.path, form, table.name)
    if table.kind == "json":
        return [read_json(table.path.read_bytes(), form, table.name)]
    if table.kind in {"parquet", "arrow"}:
        return [read_columnar(table.path, form, table.name)]
    return read_layers(table.path, form, table.name)
