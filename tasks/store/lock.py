"""One run a city at a time, whoever starts it and from wherever the folder of results is reached."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from geo.errors import BusyError
from tasks.store.stage import read_json, write_json

LOCK, HOLDER = ".lock", ".lock.json"
POLL_S = 1.0


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
        write_json(folder / HOLDER, {"process": os.getpid(), "host": socket.gethostname(), "since": since})
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    """Say who holds the lock, as far as is known."""
    try:
        held = read_json(folder / HOLDER)
        return f"process {held['process']} on {held['host']}, since {held['since']}"
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return "it has just begun"
