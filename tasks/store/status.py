"""How a city stands: its last good run, whether one is going on, what failed last, and how much room it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from geo.errors import BusyError
from geo.secrets import redact
from geo.sources.files import digest_file
from tasks.store.document import Document
from tasks.store.lock import HOLDER, LOCK, Holder
from tasks.store.summary import LATEST, SUMMARY, AnyRun

RUN_NAME = re.compile(r"[0-9a-f]{12}")
FAILURE = ".last-failure.json"
_UNREADABLE = (OSError, ValidationError)


class Failure(Document):
    """Why the last run of a city failed."""

    when: str
    reason: str


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that ended well, as its folder tells.

    Attributes
    ----------
    folder
        Folder of the run.
    summary
        What the run said at its end.
    finished
        When the run ended.
    """

    folder: Path
    summary: AnyRun
    finished: datetime

    def is_whole(self) -> bool:
        """Tell whether its files are there as it left them."""
        try:
            return all(
                _plain(name) and digest_file(self.folder / name) == digest
                for name, digest in self.summary.files.items()
            )
        except OSError:
            return False


def finished_runs(folder: Path) -> Iterator[FinishedRun]:
    """Give the runs of a city that ended, the newest first; folders that are not ours are passed over.

    Parameters
    ----------
    folder
        Folder of all runs of the city.
    """
    found = []
    for place in folder.iterdir() if folder.is_dir() else ():
        if not RUN_NAME.fullmatch(place.name) or place.is_symlink() or not place.is_dir():
            continue
        try:
            told = AnyRun.read(place / SUMMARY)
            if told.run_id == place.name:
                found.append(FinishedRun(place, told, told.finished or _changed(place / SUMMARY)))
        except _UNREADABLE:
            continue
    yield from sorted(found, key=lambda run: (run.finished, run.folder.name), reverse=True)


def usual_seconds(folder: Path) -> dict[str, float]:
    """Say how long each stage took when it was last run (seconds), as far as the runs that are kept tell.

    Parameters
    ----------
    folder
        Folder of all runs of the city.
    """
    found: dict[str, float] = {}
    for run in finished_runs(folder):
        found = {row.name: row.seconds for row in run.summary.stages if not row.cached} | found
    return found


def status(folder: Path, city: str) -> dict[str, Any]:
    """Say how a city stands.

    Parameters
    ----------
    folder
        Folder of all runs of the city.
    city
        Name of the city, as in its file.

    Returns
    -------
    ``last_run`` (null where there is none): ``run_id, finished, checked, seconds, geopackage, report``, of the run that
    ``latest`` points to, where that is whole, and else of the newest that is; ``checked`` is when a run last ended
    well, be it that nothing had changed. ``running``: who holds the folder, or null; ``last_failure``: ``when,
    reason``, or null where the last run ended well; ``runs``: how many are kept; ``bytes``: what all of it takes on
    disk.
    """
    runs = list(finished_runs(folder))
    pointed, checked = latest(folder / LATEST)
    first = [run for run in runs if run.folder.name == pointed]
    good = next((run for run in [*first, *runs] if run.is_whole()), None)
    holder = running(folder)
    last = None
    if good is not None:
        names = {Path(name).suffix: str(good.folder / name) for name in good.summary.files}
        last = {
            "run_id": good.folder.name,
            "finished": good.finished.isoformat(timespec="seconds"),
            "checked": checked if good.folder.name == pointed else None,
            "seconds": good.summary.seconds,
            "geopackage": names.get(".gpkg"),
            "report": names.get(".html"),
        }
    return {
        "city": city,
        "folder": str(folder),
        "last_run": last,
        "running": holder,
        "last_failure": None if holder else _without_a_word(folder) or last_failure(folder),
        "runs": len(runs),
        "bytes": size_on_disk(folder),
    }


def latest(link: Path) -> tuple[str | None, str | None]:
    """Say which run ``latest`` points to, and since when; both None where it is not there."""
    try:
        target = link.readlink() if link.is_symlink() else Path(link.read_text(encoding="utf-8").strip())
        since = datetime.fromtimestamp(link.lstat().st_mtime, UTC)
        return target.name, since.isoformat(timespec="seconds")
    except _UNREADABLE:
        return None, None


def _without_a_word(folder: Path) -> dict[str, str] | None:
    """Tell of a run that has left its note and holds the folder no more: nobody was there to say how it ended."""
    try:
        held = Holder.read(folder / HOLDER)
    except _UNREADABLE:
        return None
    who = f"process {held.process} on {held.host}, begun {held.since}"
    return {
        "when": held.since,
        "reason": f"the run ended without a word ({who}): it was killed, or its machine stopped; the next run goes on "
        "from there",
    }


def running(folder: Path) -> dict[str, Any] | None:
    """Say who holds a city's folder; None when nobody does.

    A run writes who it is before it begins. The lock is tried only where such a note lies, to tell a run from the
    remains of one that was killed: trying it holds it for an instant.
    """
    try:
        holder = Holder.read(folder / HOLDER).model_dump()
    except _UNREADABLE:
        return None
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return holder
    except OSError:
        # a folder that others write to: the note is all there is
        return holder
    lock.release()
    return None


@contextmanager
def failure_noted(folder: Path) -> Iterator[None]:
    """Write down why a run failed, for `status`; the note goes when one ends well.

    One that was refused because another goes on has not failed.
    """
    try:
        yield
    except BusyError:
        raise
    except Exception as error:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        # where nothing can be written, the error itself is what the user is told
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            Failure(when=when, reason=redact(str(error) or type(error).__name__)).write(folder / FAILURE)
        raise
    forget_failure(folder)


def forget_failure(folder: Path) -> None:
    """Remove the note of a failure: a run has ended well since."""
    with suppress(OSError):
        (folder / FAILURE).unlink(missing_ok=True)


def size_on_disk(place: Path) -> int:
    """Add up the bytes of files below a folder; links count as themselves."""
    if place.is_symlink() or place.is_file():
        return place.lstat().st_size
    total = 0
    for below in place.iterdir() if place.is_dir() else ():
        try:
            total += size_on_disk(below)
        except OSError:
            # a run may remove it at this moment
            continue
    return total


def last_failure(folder: Path) -> dict[str, str] | None:
    """Say when a city's last run failed and why; None where it ended well, or there was none."""
    try:
        return Failure.read(folder / FAILURE).model_dump()
    except _UNREADABLE:
        return None


def _plain(name: str) -> bool:
    """Tell a path below the run's folder from one that leads elsewhere."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
