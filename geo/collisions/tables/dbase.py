"""The table of a Shapefile: which encoding its text is in, and numbers too long for a float."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geo.collisions.tables.encodings import readings
from geo.collisions.tables.table import Form
from geo.config.sections.records import TEXT_ENCODING
from geo.errors import SourceError

BYTES = "ISO-8859-1"
"""Encoding in which every byte is a letter."""
_DELETED = b"*"
_CODE_PAGE = 29
"""Byte of the header that names a code page; 0x57, 'ANSI', is what writers leave there that have chosen none."""
_ANSI = 0x57
_CHOSEN_BY_NONE = (0x00, _ANSI)
_UTF_8 = {"utf8", "utf8sig", "65001"}
_LONGEST = 15
"""Digits that a float holds surely."""


@dataclass(frozen=True, slots=True)
class Dbase:
    """What GDAL does not tell of a dBASE table.

    Attributes
    ----------
    encoding
        Encoding of its text, to be opened as `BYTES`; None: as it states itself.
    long
        By column, whole numbers too long for a float, as their text, a row each.
    """

    encoding: str | None
    long: dict[str, pd.Series]

    def exact(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Decode text that was read as `BYTES`, and put the long numbers in the place of rounded ones."""
        if self.encoding is not None:
            frame = frame.apply(_decoded, encoding=self.encoding)
            frame.columns = _decoded(pd.Series(frame.columns, dtype="string"), encoding=self.encoding)
        same = {
            name: cells for name, cells in self.long.items() if name in frame and len(cells) == len(frame)
        }
        return frame.assign(**same)


def open_dbase(path: Path, form: Form, name: str) -> Dbase | None:
    """Look into the dBASE table of a Shapefile, or one by itself; None where the file has none.

    Raises
    ------
    SourceError
        When its text is in no encoding that is stated, naming the key.
    """
    table = {".dbf": path, ".shp": _same(path, ".dbf")}.get(path.suffix.lower())
    if table is None:
        return None
    data = table.read_bytes()
    fields, cells = _parted(data, name)
    texts = {
        (cell.rstrip(b" \0"), len(cell) == cells[at].itemsize)
        for at, (_, kind, _) in enumerate(fields)
        if kind == b"C"
        for cell in np.unique(cells[at])
        if max(cell, default=0) >= 0x80
    }
    long = {
        field: pd.Series(cells[at], dtype=object)
        .map(lambda cell: cell.decode("ascii", "ignore").strip() or None)
        .astype("string")
        for at, (field, kind, decimals) in enumerate(fields)
        if kind in b"NF"
        and not decimals
        and max(map(len, map(bytes.strip, np.unique(cells[at]))), default=0) > _LONGEST
    }
    page = data[_CODE_PAGE] if len(data) > _CODE_PAGE else 0
    stated = _same(path, ".cpg")
    said = "" if stated is None else stated.read_text("latin-1").strip()
    return Dbase(_encoding(texts, said, page, form, name), long)


def _decoded(cells: pd.Series, encoding: str) -> pd.Series:
    """Decode cells that were read as `BYTES`; a letter that is cut at the end of one is left out."""
    other = cells[cells.str.contains(r"[^\x00-\x7f]").fillna(value=False)]
    meant = {cell: cell.encode(BYTES).decode(encoding, "ignore") for cell in other.unique()}
    return cells.mask(cells.isin(list(meant)), cells.map(meant)).astype("string") if meant else cells


def _same(path: Path, ending: str) -> Path | None:
    """Find the file of the same name with another ending, in any case."""
    alike = (file for file in path.parent.iterdir() if file.stem == path.stem)
    return next((file for file in alike if file.suffix.lower() == ending), None)


def _parted(data: bytes, name: str) -> tuple[list[tuple[str, bytes, int]], list[np.ndarray]]:
    """Part a dBASE table into fields (name, type, decimals) and their cells; deleted rows are left out."""
    stated, head, length = (int.from_bytes(data[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12)))
    fields, widths = [], []
    at = 32
    while at + 32 <= head and data[at] != 0x0D:
        raw = data[at : at + 32]
        fields.append((raw[:11].split(b"\0")[0].decode("latin-1"), raw[11:12], raw[17]))
        widths.append(raw[16] if raw[11:12] != b"C" else raw[16] + 256 * raw[17])
        at += 32
    count = min(stated, (len(data) - head) // length if length else 0)
    if count < stated:
        raise SourceError(
            f"its table says that it has {stated:,} rows, and holds {count:,}",
            where=name,
            todo="Fetch it again.",
        )
    if 1 + sum(widths) != length or not count:
        return fields, [np.array([], dtype="S1") for _ in fields]
    rows = np.frombuffer(data, np.uint8, count * length, head).reshape(count, length)
    rows = rows[rows[:, 0] != _DELETED[0]]
    starts = np.cumsum([1, *widths[:-1]])
    cells = [
        np.ascontiguousarray(rows[:, start : start + width]).view(f"S{width}")[:, 0]
        if width
        else np.array([], dtype="S1")
        for start, width in zip(starts, widths, strict=True)
    ]
    return fields, cells


def _encoding(texts: set[tuple[bytes, bool]], stated: str, page: int, form: Form, name: str) -> str | None:
    """Find the encoding of a dBASE table: the key's, else what it states, else UTF-8 if its text is that.

    Parameters
    ----------
    texts
        Cells with more than ASCII, and whether each fills its field, so that its last character may be cut.
    stated
        What the file ``.cpg`` says; empty: there is none.
    page
        The byte of the header that names a code page.
    """
    if not texts:
        return None
    example = max(texts)[0]
    asked = "" if form.encoding == TEXT_ENCODING else form.encoding
    said = asked or stated or ("" if page in _CHOSEN_BY_NONE else f"code page {page:#04x}")
    is_said = _plain(said) in _UTF_8
    if all(_meant(cell, whole) is not None for cell, whole in texts):
        if is_said or not said:
            return "UTF-8"
        fault = f"{said} is stated for its text, which is in UTF-8: {example.decode(errors='replace')!r}"
    elif is_said:
        fault = f"its text is said to be in UTF-8, and is not: {readings(example)}"
    elif said or page == _ANSI:
        return asked or (None if said else "cp1252")
    else:
        fault = f"it does not say which encoding its text is in (no file .cpg): {readings(example)}"
    raise SourceError(fault, where=name, todo=form.asks("encoding", "Name its encoding", "utf-8 or cp1252"))


def _plain(encoding: str) -> str:
    return encoding.replace("-", "").replace("_", "").casefold()


def _meant(cell: bytes, filled: bool) -> str | None:  # noqa: FBT001 - one of a pair
    """Decode a cell as UTF-8, whose last character may be cut where it fills its field; None where it is none."""
    try:
        return cell.decode()
    except UnicodeDecodeError as error:
        cut = filled and error.reason == "unexpected end of data"
        return cell[: error.start].decode() if cut else None
