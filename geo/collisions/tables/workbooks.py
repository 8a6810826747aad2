"""Sheets of workbooks: Excel's of every age, and OpenDocument's."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zipfile
from pathlib import Path

import pyogrio
import python_calamine as calamine

from geo.collisions.tables.cells import EXACT
from geo.collisions.tables.heads import Record, lay_out
from geo.collisions.tables.parts import choose
from geo.collisions.tables.table import Form, Rows
from geo.errors import SourceError
from geo.ledger import Entry
from geo.roads.files import UNREADABLE

_MOST = (1_048_576, 65_536)
"""Rows that a sheet can hold, of now and of before 2007."""
Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


def read_sheets(path: Path, form: Form, name: str) -> list[Rows]:
    """Read the sheets that are asked for, else the only one that has rows.

    Dates become ISO text; a whole number is written without a point, one with more digits than a workbook keeps with
    an exponent.

    Raises
    ------
    SourceError
        When it is damaged, or behind a password.
    LayerError
        When a sheet is not there, or one of several must be named.
    """
    try:
        records = _sheets(path, form)
    except calamine.PasswordError as error:
        raise SourceError("it is behind a password", where=name, todo="Save it without one.") from error
    except (calamine.CalamineError, *UNREADABLE) as error:
        raise SourceError(
            f"it cannot be read as a workbook ({str(error) or type(error).__name__:.200})",
            where=name,
            todo="Open it in a spreadsheet and save it as .xlsx or CSV.",
        ) from error
    counts = {sheet: max(0, len(rows) - 1) for sheet, rows in records.items()}
    chosen = choose(counts, form, name, what="sheet")
    found = []
    for sheet in chosen:
        rows = lay_out(records[sheet], form, f"{name}, sheet {sheet}" if len(counts) > 1 else name)
        if len(records[sheet]) in _MOST:
            reason = "a sheet is full to its last row: what came after is not there"
            rows.notes.append(Entry("sheets", "rejected", reason, 1))
        found.append(rows)
    return found


def _sheets(path: Path, form: Form) -> dict[str, list[Record]]:
    """Read all sheets; an OpenDocument whose cells are set apart by spaces, as GDAL writes it, by GDAL."""
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            return {_composed(sheet): _records(book, sheet, form) for sheet in book.sheet_names}
    except calamine.CalamineError:
        if not zipfile.is_zipfile(path) or not _is_opendocument(path):
            raise
    options = {"HEADERS": "DISABLE", "FIELD_TYPES": "STRING"}
    tables = {
        str(sheet): pyogrio.read_arrow(path, layer=sheet, **options)[1]
        for sheet in pyogrio.list_layers(path)[:, 0]
    }
    return {
        sheet: [["" if cell is None else cell for cell in row.values()] for row in table.to_pylist()]
        for sheet, table in tables.items()
    }


def _is_opendocument(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return "content.xml" in archive.namelist()


def _records(book: calamine.CalamineWorkbook, sheet: str, form: Form) -> list[Record]:
    """Write the cells of a sheet as text; rows without any are left out."""
    try:
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=form.skip_lines is None)
    except calamine.WorksheetNotFound:
        # a sheet of a chart
        return []
    return [
        [_composed(cell) if isinstance(cell, str) else _text(cell) for cell in row]
        for row in rows[form.skip_lines or 0 :]
        if any(cell != "" for cell in row)
    ]


def _composed(cell: str) -> str:
    return cell if cell.isascii() else unicodedata.normalize("NFC", cell)


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < EXACT else repr(cell)
    if isinstance(cell, dt.datetime):
        midnight = cell.time() == dt.time()
        return (cell.date() if midnight else cell).isoformat()
    return str(cell)
