"""What the readers of an SQLite database see (GeoPackage, SpatiaLite, MBTiles): its file, and what lies in its log.

A program that keeps a database open in WAL mode, as QGIS does, leaves what it commits in a file ``-wal`` beside it,
until the log is brought into the file: readers see the pages of both (https://www.sqlite.org/wal.html). A file
``-journal`` that a crash has left is to be rolled back before the database is read.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

MAGIC = b"SQLite format 3\x00"
HEADER = 100
"""Length of a database's header (bytes)."""
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_MODE = slice(18, 20)
_CHANGES, _VALID_FOR, _MADE_BY = slice(24, 28), slice(92, 96), slice(96, 100)


def beside_database(path: Path) -> tuple[Path, Path]:
    """Name the log and the journal of a database; they lie beside the file itself, not beside a link to it."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-journal")


def plain_header(head: bytes) -> bytes:
    """Level what a database's header says of its writers: a program that only opens it may leave other values there.

    These are the journal mode, the counter of changes and the version of SQLite (https://www.sqlite.org/fileformat2.html,
    sections 1.3.3, 1.3.8 and 1.3.17). Whether the counter holds for the size stated in the header stays.
    """
    plain = bytearray(head)
    holds = head[_CHANGES] == head[_VALID_FOR]
    plain[_MODE] = bytes(2)
    plain[_CHANGES] = bytes([0, 0, 0, int(holds)])
    plain[_VALID_FOR] = plain[_MADE_BY] = bytes(4)
    return bytes(plain)


def pages_seen(path: Path) -> bytes | None:
    """Give the pages of a database as its readers see them; None where SQLite cannot be asked.

    These are the bytes that its file will have when the log is brought into it. SQLite cannot read a log where it may
    not make ``-shm`` beside it; GDAL then reads the file alone.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.serialize()
    except (sqlite3.Error, MemoryError, OverflowError):
        return None


def is_unfinished(journal: Path) -> bool:
    """Tell a journal that may have to be rolled back from one that a finished change has left."""
    with journal.open("rb") as file:
        return file.read(len(_JOURNAL_MAGIC)) == _JOURNAL_MAGIC
