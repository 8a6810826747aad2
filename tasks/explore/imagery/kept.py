"""Pictures that are kept between two starts of a page: one file a run, of a bounded size."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

KEPT_MB, FREED = 512, 0.1
"""So much all files of pictures may take (megabytes), and the share of a file that is made free at once."""
ENDING = ".pictures"
WAIT_S = 5.0


class Kept:
    """Bytes by a number, in a file; where that cannot be written, nothing is kept, and nothing fails.

    Parameters
    ----------
    folder
        Folder of all such files.
    key
        Names what the bytes were made from: another run, or other rasters, have another one.
    limit_mb
        Bound of all files in the folder (megabytes): those used longest ago go first.
    """

    def __init__(self, folder: Path, key: str, limit_mb: float = KEPT_MB) -> None:
        self._file = folder / f"{key}{ENDING}"
        self._limit = int(limit_mb * 2**20)
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._bytes = 0
        with suppress(OSError, sqlite3.Error):
            folder.mkdir(parents=True, exist_ok=True)
            self._file.touch()
            _leave(folder, self._file, self._limit)
            self._database = self._opened()

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=WAIT_S, check_same_thread=False, isolation_level=None)
        # what a crash loses is made again
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")
        database.execute(
            "CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY, what BLOB, made INTEGER)"
        )
        (self._bytes,) = database.execute("SELECT coalesce(sum(length(what)), 0) FROM kept").fetchone()
        return database

    def get(self, number: int) -> bytes | None:
        """Give what is kept under a number; None: nothing."""
        with self._lock, suppress(sqlite3.Error):
            if self._database is not None:
                found = self._database.execute("SELECT what FROM kept WHERE number = ?", (number,)).fetchone()
                return None if found is None else bytes(found[0])
        return None

    def has(self, numbers: Iterable[int]) -> set[int]:
        """Tell under which of some numbers something is kept."""
        wanted = set(numbers)
        with self._lock, suppress(sqlite3.Error):
            if self._database is not None and wanted:
                marks = ",".join(str(int(number)) for number in wanted)
                rows = self._database.execute(f"SELECT number FROM kept WHERE number IN ({marks})")  # noqa: S608
                return {int(number) for (number,) in rows}
        return set()

    def put(self, many: dict[int, bytes]) -> None:
        """Keep bytes by their numbers; of a full file the oldest give way."""
        with self._lock, suppress(sqlite3.Error):
            if self._database is None or not many:
                return
            (last,) = self._database.execute("SELECT coalesce(max(made), 0) FROM kept").fetchone()
            rows = [(number, what, last + 1 + i) for i, (number, what) in enumerate(many.items())]
            with self._database:
                self._database.execute("BEGIN")
                self._database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows)
            self._bytes += sum(len(what) for what in many.values())
            if self._bytes > self._limit:
                self._make_room(self._database)

    def _make_room(self, database: sqlite3.Connection) -> None:
        """Drop the oldest; the pages that they leave are written anew before the file grows."""
        over = self._bytes - int(self._limit * (1 - FREED))
        database.execute(
            "DELETE FROM kept WHERE made <= (SELECT made FROM (SELECT made, sum(length(what)) OVER (ORDER BY made) AS "
            "so_far FROM kept) WHERE so_far >= ? ORDER BY made LIMIT 1)",
            (over,),
        )
        (self._bytes,) = database.execute("SELECT coalesce(sum(length(what)), 0) FROM kept").fetchone()

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None


def _leave(folder: Path, mine: Path, limit: int) -> None:
    """Remove the files of other runs that were written longest ago, until the rest fits."""
    others = sorted(
        (file for file in folder.glob(f"*{ENDING}") if file != mine), key=lambda file: -file.stat().st_mtime
    )
    held = mine.stat().st_size
    for file in others:
        held += file.stat().st_size
        if held > limit:
            for part in (file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))):
                part.unlink(missing_ok=True)
