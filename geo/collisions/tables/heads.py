"""Where a table begins and ends among lines of text or of a sheet: titles before it, totals and notes after it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from geo.collisions.tables.table import BROKEN, Form, Rows
from geo.errors import LayerError
from geo.ledger import Entry

Record = list[str]
SAMPLE = 200
"""Lines from which the separator and the header are found."""
_MOST_BEFORE = 60
"""Titles before a header, at most (lines)."""
_TOTAL = re.compile(
    r"\s*(?:grand\s+|sub-?)?(?:total(?:s|e|es|en)?|totaal|sum|summe|gesamt(?:summe)?|insgesamt|somme|ensemble|suma|summa|"
    r"yhteensä|i\s+alt|totalt|razem|celkem|összesen|итого|всего|合計|总计|合计)\s*:?\s*",
    re.IGNORECASE,
)
"""What a line of sums is called, in the languages of published records."""
_COUNTED = re.compile(
    r"\(?\s*\d[\d,. ]*\s+(?:rows?|records?|lignes?|zeilen)\b.*|-{3,}[\s-]*|={3,}[\s=]*", re.IGNORECASE
)
"""What database clients write after or between rows."""
_COMMENT = "#"
_NUMBER = re.compile(r"[\s\d.,:/+-]*\d[\s\d.,:/+-]*")


def lay_out(records: Sequence[Record], form: Form, name: str) -> Rows:
    """Make a table of records: its header found, and what is no row of it told.

    Parameters
    ----------
    records
        Cells of each line, as text; lines without any are left out already.
    form
        See `Form`; with ``skip_lines`` the first record is the header.
    name
        The file, for messages.

    Raises
    ------
    LayerError
        When it cannot be told which line holds the names, or most rows have another number of cells than it.
    """
    if not records:
        return Rows(pd.DataFrame(), name=name)
    at = 0 if form.skip_lines is not None else find_header(records, form, name)
    header = [cell.strip().lstrip("\ufeff") for cell in records[at]]
    while len(header) > 1 and not header[-1]:
        header.pop()
    body, notes = _without_ends(list(records[at + 1 :]), len(header), name)
    if at:
        first = " ".join(" ".join(records[0]).split())
        before = sum(1 for record in records[:at] if any(map(str.strip, record)))
        notes.append(_note(f"stand before the header of {_short(name)}, such as {first[:60]!r}", before))
    frame, again = _frame(header, body, form, name)
    if again:
        notes.append(_note(f"repeat the header of {_short(name)}", again))
    return Rows(frame, name=name, notes=notes)


def find_header(records: Sequence[Record], form: Form, name: str) -> int:
    """Find the record that holds the names of columns: the first, or the first after titles.

    Raises
    ------
    LayerError
        When the first line is no header, and none after it surely is.
    """
    sample = records[:SAMPLE]
    filled = [sum(1 for cell in record if cell.strip()) for record in sample]
    comments = next((i for i, record in enumerate(sample) if not record[0].lstrip().startswith(_COMMENT)), 0)
    width = usual_width(sample[comments:])
    wide = max(2, width / 2)
    if comments and filled[comments] >= wide and is_header(sample[comments]):
        return comments
    at = next((i for i, count in enumerate(filled[:_MOST_BEFORE]) if count >= wide), 0)
    if at == 0:
        return 0
    if is_header(sample[at]) and all(count <= max(1, width / 3) for count in filled[:at]):
        return at
    if filled[0] > 1:
        return 0
    shown = "\n    ".join(form_line(record) for record in sample[: at + 2])
    raise LayerError(
        f"it begins with {at} lines of fewer cells than its rows, and it is not sure which line holds the names of "
        f"columns; it begins\n    {shown}",
        where=name,
        todo=form.asks("skip_lines", "Say how many lines stand before the header", str(at)),
    )


def is_header(record: Record) -> bool:
    """Tell whether a line may name columns: no number is among its cells, and none stands twice."""
    named = [cell.strip() for cell in record if cell.strip()]
    return len(set(named)) == len(named) and not any(map(_NUMBER.fullmatch, named))


def form_line(record: Record) -> str:
    """Write a record on one line, short enough for a message."""
    line = " | ".join(" ".join(cell.split()) for cell in record)
    return line if len(line) <= 100 else line[:97] + "..."


def usual_width(records: Sequence[Record]) -> int:
    """Give the number of cells that most records have, of those with more than one; 1 where none has."""
    widths = Counter(len(record) for record in records if len(record) > 1)
    return max(widths, key=lambda width: (widths[width], width)) if widths else 1


def _frame(header: Record, body: list[Record], form: Form, name: str) -> tuple[pd.DataFrame, int]:
    """Bring records to the width of the header; gives also how many repeat it."""
    n = len(header)
    width = np.fromiter(map(len, body), dtype=np.int64, count=len(body))
    broken = width != n
    for row in np.flatnonzero(width > n):
        # cells beyond the header that hold nothing, of a separator at the end of each line, are none
        broken[row] = any(cell.strip() for cell in body[row][n:])
        body[row] = body[row][:n]
    for row in np.flatnonzero(width < n):
        body[row] = body[row] + [""] * (n - len(body[row]))
    _check_width(header, body, broken, form, name)
    frame = pd.DataFrame(body, columns=header, dtype="string")
    frame[BROKEN] = broken
    again = np.fromiter((row[0].strip() == header[0] for row in body), dtype=bool, count=len(body)) & (n > 1)
    for row in np.flatnonzero(again):
        again[row] = [cell.strip() for cell in body[row]] == header
        if not again[row] and len({cell.strip() for cell in body[row]} & set(header) - {""}) > n / 2:
            raise LayerError(
                f"another header stands among its rows: {form_line(body[row])}",
                where=name,
                todo="Tables of other columns were put into one file: give them as files of their own.",
            )
    return (frame[~again].reset_index(drop=True) if again.any() else frame), int(again.sum())


def _check_width(header: Record, body: list[Record], broken: np.ndarray, form: Form, name: str) -> None:
    """Refuse a table most rows of which have another number of cells than its header."""
    if broken.sum() > len(body) / 2 and len(body) >= 4:
        row = body[int(broken.argmax())]
        raise LayerError(
            f"most of its rows ({int(broken.sum()):,} of {len(body):,}) have another number of cells than its header, "
            f"which reads\n    {form_line(header)}\n    and a row\n    {form_line(row)}",
            where=name,
            todo=form.asks("skip_lines", "Say how many lines stand before the header, or the delimiter", "0"),
        )


def _without_ends(body: list[Record], width: int, name: str) -> tuple[list[Record], list[Entry]]:
    """Leave out lines without any cell, and what ends a table: sums, counts of rows, footnotes."""
    rows = [record for record in body if any(record) and any(map(str.strip, record))]
    notes = [_note(f"of {_short(name)} hold nothing", len(body) - len(rows))] if len(rows) < len(body) else []
    left: list[Record] = []
    while rows and width > 2 and _is_no_row(rows[-1], width):
        left.append(rows.pop())
    if left:
        shown = " ".join(cell.strip() for cell in left[-1] if cell.strip())
        notes.append(_note(f"end {_short(name)} as totals or notes, such as {shown[:60]!r}", len(left)))
    return rows, notes


def _is_no_row(record: Record, width: int) -> bool:
    """Tell a sum, a count of rows or a footnote from a row."""
    cells = [cell.strip() for cell in record if cell.strip()]
    if _TOTAL.fullmatch(cells[0]) or _COUNTED.fullmatch(cells[0]):
        return len(cells) < max(2, width * 0.6)
    # one cell alone, which is a sentence
    return len(cells) == 1 and width > 3 and " " in cells[0] and bool(record[0].strip())


def _note(reason: str, count: int) -> Entry:
    return Entry("lines", "skipped", reason, count)


def _short(name: str) -> str:
    """Name a file without its folder."""
    return name.replace("\\", "/").rpartition("/")[2]
