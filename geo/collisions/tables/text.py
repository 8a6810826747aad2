"""Tables written as text: separators found out, a stray quote costing its own line alone."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from geo.collisions.tables.encodings import decode, misread
from geo.collisions.tables.heads import SAMPLE, Record, lay_out, usual_width
from geo.collisions.tables.table import Form, Rows
from geo.errors import SourceError
from geo.ledger import Entry

_DELIMITERS = ",;\t|"
_SPELLED = {"\\t": "\t", "tab": "\t"}
_SEPARATOR = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE)
"""Excel's line that says which separator follows."""
_NUMBER = re.compile(r"\s*[+-]?\d[\d.,]*\s*")
_ESCAPED = '\\"'
_END_OF_FILE = "\x1a"


def read_text(data: bytes, form: Form, name: str) -> Rows:
    """Read delimited text.

    Raises
    ------
    SourceError
        When it is no text, or no table.
    LayerError
        When its header cannot be told.
    """
    text = decode(data, form, name).rstrip(_END_OF_FILE)
    zeros = text.count("\0")
    lines = list(io.StringIO(text.replace("\0", "") if zeros else text, newline=""))
    delimiter = _SPELLED.get(form.delimiter or "", form.delimiter)
    told = _SEPARATOR.fullmatch(lines[0]) if lines and form.skip_lines is None else None
    if told is not None:
        lines, delimiter = lines[1:], delimiter or told[1]
    lines = lines[form.skip_lines or 0 :]
    before = csv.field_size_limit(max(len(text), 1))
    try:
        records = _best(lines, delimiter or find_delimiter(lines), escaped=_ESCAPED in text)
    except (csv.Error, TypeError) as error:
        raise SourceError(
            f"it cannot be read as CSV ({error})", where=name, todo="Look at the file."
        ) from error
    finally:
        csv.field_size_limit(before)
    rows = lay_out(records, form, name)
    word, letters = misread(text)
    if letters:
        reason = f"look as if they were read in a wrong encoding before the file was written, such as {word}"
        rows.notes.append(Entry("characters", "done", reason, letters))
    if zeros:
        rows.notes.append(Entry("characters", "skipped", "zero bytes, which are no text", zeros))
    return rows


def find_delimiter(lines: list[str]) -> str:
    """Find the separator that parts most lines into as many cells, the first such line holding no number alone."""
    sample = lines[:SAMPLE]
    scores: dict[str, tuple[bool, float, int]] = {}
    for delimiter in _DELIMITERS:
        records = [record for record in csv.reader(sample, delimiter=delimiter) if record]
        width = usual_width(records)
        if width == 1:
            continue
        alike = [record for record in records if len(record) == width]
        named = sum(bool(_NUMBER.fullmatch(cell)) for cell in alike[0]) <= width / 2
        scores[delimiter] = (named, round(len(alike) / len(records), 1), width)
    return max(scores, key=lambda delimiter: scores[delimiter]) if scores else _DELIMITERS[0]


def _best(lines: list[str], delimiter: str, *, escaped: bool) -> list[Record]:
    """Part lines into records; where quotes stand behind a backslash, by the reading that leaves more of one width."""
    doubled = _records(lines, delimiter)
    if not escaped:
        return doubled
    reader = csv.reader(lines, delimiter=delimiter, doublequote=False, escapechar="\\")
    behind = [record for record in reader if record]
    return max(doubled, behind, key=lambda records: Counter(map(len, records)).most_common(1)[0][1])


def _records(lines: list[str], delimiter: str) -> list[Record]:
    """Part lines into records; a stray quote, which would make one of many, costs its own line alone.

    A record may stand on several lines, where a cell holds line breaks. If a line within it is a whole record by
    itself, or the last one is and opens a quote of its own, the quote that holds them together is taken for a stray
    one: its line is read by itself, and reading goes on with the next.
    """
    records: list[Record] = []
    width = usual_width([record for record in csv.reader(lines[:SAMPLE], delimiter=delimiter) if record])
    start = 0
    while start < len(lines):
        reader = csv.reader((lines[i] for i in range(start, len(lines))), delimiter=delimiter)
        before, start = start, len(lines)
        first = before
        for record in reader:
            mine, before = lines[before : first + reader.line_num], first + reader.line_num
            if len(mine) > 1 and _is_stray(mine, width, delimiter):
                records += csv.reader(mine[:1], delimiter=delimiter)
                start = before - len(mine) + 1
                break
            if record:
                records.append(record)
    return records


def _is_stray(mine: list[str], width: int, delimiter: str) -> bool:
    """Tell a quote that stands by mistake from one that holds a cell of several lines together."""
    alone = [one for line in mine for one in csv.reader([line], delimiter=delimiter)]
    opens = mine[-1].startswith('"') or f'{delimiter}"' in mine[-1]
    return any(len(one) == width for one in (alone[1:] if opens else alone[1:-1]))
