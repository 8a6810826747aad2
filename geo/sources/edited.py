"""Small tables that analysts write by hand, changed cell by cell: all else of them stays, byte for byte.

`geo.sources.by_hand` reads such a table as any spreadsheet or GIS left it. A line that is added or changed here is
written as the file's others are: in its columns and their order, with its delimiter, line endings and encoding.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geo.errors import BusyError, ChangedError, SourceError
from geo.sources.by_hand import BOM, bytes_of, decoded, delimiter_of, refused_line

_OPEN_ELSEWHERE = ".~lock.{}#"
"""What LibreOffice lays beside a file that it has open, see its help on file locking."""
_LINE = "\r\n"


@dataclass(slots=True)
class _Record:
    """A line of a table, or several where a cell has line breaks: its text with the ending, and its cells."""

    text: str
    cells: list[str]


class EditedTable:
    r"""A table as it lies on disk, to be changed.

    Parameters
    ----------
    path
        Path of the file.
    columns
        Names that a table begins with where there is none; it is written as a spreadsheet takes it for UTF-8.

    Raises
    ------
    SourceError
        When it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "clusters.csv"
    >>> _ = file.write_text("mine;Cluster;Name\n'a'; 3;x")
    >>> table = EditedTable(file, ["cluster", "name"])
    >>> table.change(0, {"name": "Lanes; broad"})
    >>> table.add({"cluster": "4", "note": "new"})
    >>> print(table.as_bytes().decode())
    mine;Cluster;Name;note
    'a'; 3;"Lanes; broad"
    ;4;;new
    <BLANKLINE>
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        # a table that is a link is changed where it lies
        self.path = path.resolve()
        self._raw = bytes_of(self.path)
        text, self._encoding = (
            (",".join(columns) + _LINE, BOM)
            if self._raw is None or not self._raw.strip()
            else decoded(self._raw, errors="surrogateescape")
        )
        self._delimiter = delimiter_of(text)
        self._records = self._taken_apart(text)
        self._line = next((end for end in (_LINE, "\n") if self._records[0].text.endswith(end)), _LINE)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The lines below the head that are not empty, by the names of columns in small letters."""
        return [self._row(one) for one in self._filled]

    def change(self, row: int, cells: Mapping[str, str]) -> None:
        """Write cells of a line, by its place among `rows`."""
        self._have(list(cells))
        record = self._filled[row]
        places = {self._place(name): cell for name, cell in cells.items()}
        record.cells += [""] * (max(places, default=-1) + 1 - len(record.cells))
        for place, cell in places.items():
            record.cells[place] = cell
        ending = record.text[len(record.text.rstrip("\r\n")) :]
        record.text = self._written(record.cells) + ending

    def add(self, cells: Mapping[str, str]) -> None:
        """Add a line at the end."""
        self._have([name for name, cell in cells.items() if cell])
        last = self._records[-1]
        if not last.text.endswith("\n"):
            last.text += self._line
        row = [""] * len(self._names)
        for name, cell in cells.items():
            if name in self._names:
                row[self._place(name)] = cell
        self._records.append(_Record(self._written(row) + self._line, row))

    def remove(self, row: int) -> None:
        """Take a line out, by its place among `rows`."""
        gone = self._filled[row]
        self._records = [one for one in self._records if one is not gone]

    def as_bytes(self) -> bytes:
        """Give the table as it would be written.

        Raises
        ------
        SourceError
            When its encoding has no letter for what it is to hold.
        """
        text = "".join(one.text for one in self._records)
        try:
            return text.encode(self._encoding, errors="strict" if self._raw is None else "surrogateescape")
        except UnicodeEncodeError as error:
            raise SourceError(
                f"it is written in Windows-1252, which has no {text[error.start : error.end]!r}",
                where=str(self.path),
                todo="Save it as UTF-8 in the program that it is from, or say it in other letters.",
            ) from error

    def write(self, check: Callable[[Path], None]) -> None:
        """Put the table in the place of the old one, whole or not at all.

        Parameters
        ----------
        check
            Looks at the file before it takes the place of the old one, and raises where it is not as it should be.

        Raises
        ------
        BusyError
            When another program has the table open, and would write over what is said here.
        ChangedError
            When the table was changed since it was read.
        SourceError
            When it cannot be written.
        """
        _refuse_open(self.path)
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            _write_through(part, self.as_bytes())
            if self._raw is not None:
                shutil.copymode(self.path, part)
            check(part)
            if bytes_of(self.path) != self._raw:
                raise ChangedError(
                    "another program has changed it at this moment",
                    where=str(self.path),
                    todo="Say it again.",
                )
            part.replace(self.path)
            _through(self.path.parent)
        except OSError as error:
            raise SourceError(
                f"it cannot be written ({error.strerror})",
                where=str(self.path),
                todo="Close it elsewhere, and see that its folder can be written to.",
            ) from error
        finally:
            part.unlink(missing_ok=True)

    @property
    def _names(self) -> list[str]:
        return [name.strip().lower() for name in self._records[0].cells]

    @property
    def _filled(self) -> list[_Record]:
        return [one for one in self._records[1:] if any(cell.strip() for cell in self._row(one).values())]

    def _row(self, record: _Record) -> dict[str, str]:
        return dict(zip(self._names, record.cells, strict=False))

    def _place(self, name: str) -> int:
        """Give the place of a column; of two of one name the last, which is the one that is read."""
        names = self._names
        return len(names) - 1 - names[::-1].index(name)

    def _have(self, names: Sequence[str]) -> None:
        """Add the columns that are not there; cells that stood beyond the last one keep their place."""
        head = self._records[0]
        missing = [name for name in names if name not in self._names]
        if not missing:
            return
        beyond = max(len(one.cells) for one in self._records) - len(head.cells)
        more = [*[""] * beyond, *missing]
        end = len(head.text.rstrip("\r\n"))
        added = self._delimiter + self._written(more)
        head.text = head.text[:end] + added + (head.text[end:] or self._line)
        head.cells += more

    def _written(self, cells: Sequence[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self._delimiter, lineterminator="").writerow(cells)
        return text.getvalue()

    def _taken_apart(self, text: str) -> list[_Record]:
        """Take a table apart into records that have all of its text."""
        lines = io.StringIO(text).readlines()
        reader = csv.reader(iter(lines), delimiter=self._delimiter)
        records, begin = [], 0
        try:
            for cells in reader:
                records.append(_Record("".join(lines[begin : reader.line_num]), cells))
                begin = reader.line_num
        except csv.Error as error:
            raise refused_line(self.path, reader.line_num, str(error)) from error
        return records


def _refuse_open(path: Path) -> None:
    """Refuse to change a table that a spreadsheet has open: when it is saved there, it is as it was there."""
    mark = path.with_name(_OPEN_ELSEWHERE.format(path.name))
    if mark.exists():
        raise BusyError(
            "LibreOffice has it open, and would write over what is said here",
            where=str(path),
            todo=f"Close it there; where nobody has it open, remove {mark.name}.",
        )


def _write_through(path: Path, content: bytes) -> None:
    """Write a file, and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _through(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can say so."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
