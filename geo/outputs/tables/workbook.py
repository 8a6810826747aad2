"""Tables written: a workbook that runs nothing, and the same rows as CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from geo.outputs.tables.sheets import Sheet
from geo.sources.by_hand import BOM, plain_cell

WIDEST, NARROWEST = 60, 8
README = "Read me"
UNBOUNDED = "no limit"
"""What stands for an infinite limit, which a workbook has no number for."""
_MOST_CHARACTERS = 32_767
"""A cell of a workbook holds so many, at most."""
_PLAIN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write_workbook(path: Path, sheets: Sequence[Sheet], readme: Sequence[str], date: datetime) -> None:
    """Write tables as one workbook (Office Open XML); the same tables give the same bytes.

    Parameters
    ----------
    path
        Path of the file.
    sheets
        The tables, in their order; each has a frozen head, filters, and no formula.
    readme
        Lines of the last sheet: what the file is, and how it is to be read.
    date
        When the file says that it was made.
    """
    import xlsxwriter  # noqa: PLC0415 - of no use to a run that changes nothing

    with xlsxwriter.Workbook(str(path), {**_PLAIN, "in_memory": True}) as book:
        book.set_properties({"created": date.replace(tzinfo=None)})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8E8E8"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet.name), sheet, head)
        last = book.add_worksheet(README)
        last.set_column(0, 0, 110, wrapped)
        for row, text in enumerate(readme):
            last.write_string(row, 0, _cell(text))


def write_tables(folder: Path, sheets: Sequence[Sheet]) -> None:
    """Write each table as a CSV of UTF-8 with a byte order mark, which spreadsheets take for what it is.

    Parameters
    ----------
    folder
        Where they go; it is made.
    sheets
        The tables. A text that a spreadsheet would run as a formula stands behind an apostrophe.
    """
    folder.mkdir()
    for sheet in sheets:
        plain = sheet.frame.map(lambda cell: plain_cell(cell) if isinstance(cell, str) else cell)
        text = plain.to_csv(index=False, lineterminator="\n")
        (folder / sheet.file).write_text(text, encoding=BOM, newline="")


def _write_sheet(page: Any, sheet: Sheet, head: Any) -> None:  # noqa: ANN401 - xlsxwriter has no types
    """Write one table."""
    frame = sheet.frame
    for number, title in enumerate(frame.columns):
        page.write_string(0, number, _cell(str(title)), head)
        cells = frame[title].tolist()
        for row, cell in enumerate(cells, start=1):
            _write_cell(page, row, number, cell)
        longest = max((len(str(cell)) for cell in cells if not _empty(cell)), default=0)
        page.set_column(number, number, min(WIDEST, max(NARROWEST, longest + 2, len(str(title)) // 3)))
    page.freeze_panes(1, 1)
    if len(frame.columns):
        page.autofilter(0, 0, len(frame), len(frame.columns) - 1)
    page.set_landscape()
    page.repeat_rows(0)
    page.fit_to_pages(1, 0)


def _write_cell(page: Any, row: int, column: int, cell: object) -> None:  # noqa: ANN401
    """Write a cell as what it is; one without a value stays empty, which is not zero."""
    if _empty(cell):
        return
    if isinstance(cell, bool):
        page.write_string(row, column, "yes" if cell else "no")
    elif isinstance(cell, float) and math.isinf(cell):
        page.write_string(row, column, UNBOUNDED)
    elif isinstance(cell, int | float):
        page.write_number(row, column, cell)
    else:
        page.write_string(row, column, _cell(str(cell)))


def _empty(cell: object) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or cell != cell  # noqa: PLR0124 - NaN alone differs from itself


def _cell(text: str) -> str:
    """Take out what XML cannot hold, and cut what no cell can."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")[:_MOST_CHARACTERS]
