"""One run a city at a time, whoever starts it and from wherever the folder of results is reached."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from geo.errors import BusyError
from tasks.store.document import Document

LOCK, HOLDER = ".lock", ".lock.json"
WORDS_LOCK = ".said.lock"
"""Held while what analysts say of a city is read and written anew."""
POLL_S = 1.0
WORDS_S = 10.0
"""Words are written in an instant: who has to wait longer is told."""


class Holder(Document):
    """Who holds a city's folder."""

    process: int
    host: str
    since: str


@contextmanager
def one_run(folder: Path, *, wait: bool, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder of a city's runs for as long as this lasts.

    The operating system lets go of the lock when the process that holds it ends, however it ends.

    Parameters
    ----------
    folder
        Folder of all runs of the city.
    wait
        Whether to wait for a run that holds it.
    tell
        Called once with a sentence that says what is waited for.

    Raises
    ------
    BusyError
        When another run holds it, and `wait` is not set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        holder = _holder(folder)
        if not wait:
            raise BusyError(
                f"another run of this city is going on ({holder})",
                where=str(folder),
                todo="Wait until it has ended, or set output.when_busy to wait.",
            ) from error
        tell(f"Waiting for another run of this city to end ({holder}).")
        lock.acquire(timeout=-1, poll_interval=POLL_S)
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        Holder(process=os.getpid(), host=socket.gethostname(), since=since).write(folder / HOLDER)
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold what analysts say of a city, ``clusters.csv`` and what lies beside it, for as long as this lasts.

    Parameters
    ----------
    folder
        Folder of all runs of the city.

    Raises
    ------
    BusyError
        When another process does not let go of it.
    """
    lock = FileLock(folder / WORDS_LOCK, timeout=WORDS_S, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise BusyError(
            "another page or run is writing what was said of types",
            where=str(folder),
            todo="Say it again in a moment.",
        ) from error
    except OSError as error:
        raise BusyError(
            f"its folder cannot be written to ({error.strerror})",
            where=str(folder),
            todo="See that you may write there.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _holder(folder: Path) -> str:
    """Say who holds the lock, as far as is known."""
    try:
        held = Holder.read(folder / HOLDER)
    except (FileNotFoundError, ValidationError):
        return "it has just begun"
    return f"process {held.process} on {held.host}, since {held.since}"
