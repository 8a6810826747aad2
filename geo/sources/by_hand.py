"""Small tables that analysts write by hand, in QGIS, a spreadsheet or an editor: read as any of these leaves them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from geo.errors import SourceError, meant
from geo.faults import plainly

BOM = "utf-8-sig"
"""Excel takes a table for UTF-8 only where it begins with this mark."""
CODE_PAGE = "cp1252"
"""What a spreadsheet writes that does not write UTF-8."""
_Model = TypeVar("_Model", bound=BaseModel)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def whole(number: object) -> object:
    """Read a whole number as a spreadsheet may leave it: ``3.0``; None where there is none."""
    if not isinstance(number, str):
        return number
    return re.sub(r"[.,]0+$", "", number.strip()) or None


def no_formula(text: str) -> str:
    """Give text back that no spreadsheet would run and that stands on one line.

    Raises
    ------
    ValueError
        When it is none.
    """
    if text.startswith(_FORMULA):
        raise ValueError(f"a spreadsheet would run {text[:20]!r} as a formula; begin with a letter")
    if not text.isprintable():
        raise ValueError("line breaks and control characters are not allowed")
    return text


def plain_cell(text: str) -> str:
    """Give text as a cell that no spreadsheet runs: behind an apostrophe where it would be taken for a formula.

    Examples
    --------
    >>> plain_cell("High Street"), plain_cell("=1+1")
    ('High Street', "'=1+1")
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def rows_by_hand(
    path: Path, needed: Sequence[str], expected: Sequence[str]
) -> list[tuple[int, dict[str, str]]]:
    """Take a table apart.

    Parameters
    ----------
    path
        Path of the file; fields are parted by comma, semicolon or tab, text is UTF-8 or Windows-1252.
    needed
        Names of columns that it must have; those of a table are read in small letters.
    expected
        Names of all columns that it may have, for the message.

    Returns
    -------
    Each row that is not empty with its line in the file; none where there is no file.

    Raises
    ------
    SourceError
        Naming the line and what is wrong with it.
    """
    raw = bytes_of(path)
    if raw is None:
        return []
    text, _ = decoded(raw, errors="replace")
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter_of(text))
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        # a field too many comes as a list under None, one too few as None
        rows = [
            (reader.line_num, {k: v or "" for k, v in row.items() if isinstance(k, str)}) for row in reader
        ]
    except csv.Error as error:
        raise refused_line(path, reader.line_num, str(error)) from error
    for name in needed:
        if name not in reader.fieldnames:
            raise refused_line(
                path,
                1,
                f"the column {name!r} is missing; expected {', '.join(expected)}{meant(name, reader.fieldnames)}",
            )
    return [(line, row) for line, row in rows if any(value.strip() for value in row.values())]


def bytes_of(path: Path) -> bytes | None:
    """Read a file; None where there is none.

    Raises
    ------
    SourceError
        When it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(
            f"it cannot be read ({error.strerror})",
            where=str(path),
            todo="Close it elsewhere, or move it away.",
        ) from error


def decoded(raw: bytes, *, errors: str) -> tuple[str, str]:
    """Read bytes as text: UTF-8, or else Windows-1252.

    Parameters
    ----------
    raw
        All of a file.
    errors
        What becomes of bytes that are neither, see `bytes.decode`.

    Returns
    -------
    The text without a byte order mark, and the encoding that writes it, with the mark where there was one.
    """
    try:
        return raw.decode(BOM), BOM if raw.startswith(codecs.BOM_UTF8) else "utf-8"
    except UnicodeDecodeError:
        return raw.decode(CODE_PAGE, errors=errors), CODE_PAGE


def delimiter_of(text: str) -> str:
    """Say what parts the fields of a table: what stands most often in its first line."""
    head = text.splitlines()[0] if text.strip() else ""
    return max(",;\t", key=head.count)


def as_declared(model: type[_Model], path: Path, line: int, row: dict[str, str]) -> _Model:
    """Read a row as a model declares it.

    Raises
    ------
    SourceError
        Naming the line, the column and what is wrong with it.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        fault = error.errors()[0]
        said = plainly(fault)
        raise refused_line(path, line, f"{fault['loc'][0]}: {said}" if fault["loc"] else said) from error


def refused_line(path: Path, line: int, fault: str) -> SourceError:
    """Make the error of a line that cannot be used."""
    return SourceError(
        fault, where=f"{path}, line {line}", todo="Correct the line, or delete the file for a fresh one."
    )
