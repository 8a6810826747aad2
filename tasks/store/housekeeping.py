"""Old runs and stages make room: only what a run wrote is removed, and never what the newest good run needs."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from geo.errors import BusyError, ConfigurationError
from tasks.stages.order import STAGES
from tasks.store.lock import one_run
from tasks.store.stage import SUMMARY as ACCOUNT
from tasks.store.stage import Account
from tasks.store.status import FinishedRun, finished_runs, running
from tasks.store.summary import LATEST, SUMMARY

_NAMES = "|".join([*(stage.name for stage in STAGES), "sensitivity"])
_STAGE = re.compile(rf"({_NAMES})-[0-9a-f]{{16}}")
_SHARD = re.compile(r"shard-[0-9a-f]{16}\.parquet")
_REMAINS = re.compile(rf"\.(({_NAMES})-[0-9a-f]{{16}})-[A-Za-z0-9_]{{8}}(-old)?")
_RUN_REMAINS = re.compile(r"\.[0-9a-f]{12}-[A-Za-z0-9_]{8}(-old)?")
_PART = re.compile(r"\.(shard-[0-9a-f]{16}\.(parquet|json)|[a-z-]+\.(json|csv)|latest)\.\d+")
_ANY_MOMENT = timedelta(hours=1)
"""Small files are also written by processes that only look: one may be about to rename its own."""
_AGE = re.compile(r"(\d+)\s*([dwh]?)")
_UNITS = {"": "days", "d": "days", "w": "weeks", "h": "hours"}
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_UNREADABLE = (OSError, ValidationError)


@dataclass(slots=True)
class Clearing:
    """What is to go, and what stays although it is old.

    Attributes
    ----------
    items
        Files that a run wrote of each thing that is to go, by its path from the city's folder.
    bytes
        How much room they take (bytes).
    kept
        Why old things stay, in words.
    """

    items: dict[str, list[Path]] = field(default_factory=dict)
    bytes: int = 0
    kept: list[str] = field(default_factory=list)

    def add(self, name: str, files: list[Path]) -> None:
        """Add something that is to go."""
        self.items[name] = files
        self.bytes += sum(file.lstat().st_size for file in files)

    def as_dict(self) -> dict[str, Any]:
        """Lay it out for the command line."""
        return {"items": sorted(self.items), "bytes": self.bytes, "kept": self.kept}


def parse_age(text: str) -> timedelta:
    """Read an age such as ``90d``, ``12w`` or ``36h``; days where no unit is given.

    Raises
    ------
    ConfigurationError
        When it is not one.
    """
    match = _AGE.fullmatch(text.strip().lower())
    try:
        if match is not None:
            age = timedelta(**{_UNITS[match[2]]: int(match[1])})
            if age < datetime.now(UTC) - _EARLIEST:
                return age
    except (OverflowError, ValueError):
        pass
    raise ConfigurationError(
        f"{text!r:.80} is not an age",
        where="--older-than",
        todo="Write days (90d), weeks (12w) or hours (36h).",
    )


def plan_clearing(folder: Path, age: timedelta, *, now: datetime | None = None) -> Clearing:
    """Say what of a city's folder is older than an age and needed by nobody.

    The newest run whose files are as it left them stays, whatever its age, and so does everything that it and younger
    runs were made from. Files that no run wrote stay, and folders that hold some. A run whose files were changed since
    stays: somebody works with it.

    Parameters
    ----------
    folder
        Folder of all runs of the city.
    age
        How old a thing must be to go.
    now
        The time; default: that of the clock.
    """
    found = Clearing()
    if folder.is_symlink() or not folder.is_dir():
        return found
    before = (now or datetime.now(UTC)) - age
    kept = _clear_runs(folder, before, found)
    stages = folder / "stages"
    if stages.is_symlink() or not stages.is_dir():
        return found
    if any(run.summary.made_of is None for run in kept):
        found.kept.append("all stages: a run that stays does not tell what it was made from")
    else:
        needed = {name for run in kept for name in run.summary.made_of or ()}
        _clear_stages(stages, before, needed, found)
    return found


def clear(folder: Path, planned: Clearing, age: timedelta) -> Clearing:
    """Remove what was planned, as far as it still may go, while no run of the city goes on.

    Raises
    ------
    BusyError
        When a run holds the folder.
    """
    with one_run(folder, wait=False, tell=lambda _: None):
        gone = Clearing()
        for name, files in plan_clearing(folder, age).items.items():
            if name in planned.items:
                gone.add(name, files)
                _remove(folder / name, files)
    return gone


def remove_remains(place: Path, names: re.Pattern[str]) -> None:
    """Remove the folders of such names in which something was half made; for whoever knows that nobody is at it."""
    for left in place.glob(".*-*"):
        if names.fullmatch(left.name) and left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)


def sweep(folder: Path) -> None:
    """Remove what runs that were killed had not finished; for whoever holds the folder, as no run goes on then.

    Parameters
    ----------
    folder
        Folder of all runs of the city.
    """
    stages = folder / "stages"
    for place, names in ((folder, _RUN_REMAINS), (stages, _REMAINS)):
        remove_remains(place, names)
    before = datetime.now(UTC) - _ANY_MOMENT
    for place in (folder, stages, shards := stages / "shards"):
        for left in place.glob(".*.*"):
            if _PART.fullmatch(left.name) and (place == shards or _age_of(left) < before):
                left.unlink(missing_ok=True)


def refuse_while_running(folder: Path) -> None:
    """Raise `BusyError` when a run of the city goes on."""
    holder = running(folder)
    if holder is not None:
        raise BusyError(
            f"a run of this city is going on (process {holder.get('process')} on {holder.get('host')})",
            where=str(folder),
            todo="Wait until it has ended.",
        )


def _clear_runs(folder: Path, before: datetime, found: Clearing) -> list[FinishedRun]:
    """Enter the runs that are to go; gives those that stay."""
    kept: list[FinishedRun] = []
    newest_found = False
    for run in finished_runs(folder):
        newest = not newest_found and run.is_whole()
        newest_found |= newest
        pointed = run.folder.name == (folder / LATEST).resolve().name
        if newest or pointed or not newest_found or run.finished >= before:
            kept.append(run)
        elif not run.is_whole():
            found.kept.append(f"{run.folder.name}: its files were changed since")
            kept.append(run)
        else:
            files = [run.folder / SUMMARY, *(run.folder / name for name in run.summary.files)]
            _enter(run.folder.name, run.folder, files, found)
    return kept


def _clear_stages(stages: Path, before: datetime, needed: set[str], found: Clearing) -> None:
    """Enter stages, shards and remains of killed runs that are to go."""
    for place in sorted(stages.iterdir()):
        if place.is_symlink() or not place.is_dir():
            continue
        name = f"stages/{place.name}"
        if _REMAINS.fullmatch(place.name):
            # nobody but the run that was killed knows of it
            files = [f for f in place.rglob("*") if f.is_file() and not f.is_symlink()]
            if _age_of(place) < before:
                _enter(name, place, files, found)
        elif _STAGE.fullmatch(place.name) and place.name not in needed:
            account = place / ACCOUNT
            wrote = _accounted(account)
            if wrote is not None and _age_of(account) < before:
                _enter(name, place, [account, *wrote], found)
    shards = stages / "shards"
    for shard in sorted(shards.glob("shard-*.parquet")) if not shards.is_symlink() else ():
        name = f"stages/shards/{shard.name}"
        account = shard.with_suffix(".json")
        ours = _SHARD.fullmatch(shard.name) and not shard.is_symlink() and account.is_file()
        if ours and f"shards/{shard.name}" not in needed and _age_of(shard) < before:
            found.add(name, [shard, account])


def _accounted(account: Path) -> list[Path] | None:
    """List the files that a stage says it wrote; None where it has no account, or one that leads elsewhere."""
    try:
        names = [PurePosixPath(name) for name in Account.read(account).files]
    except _UNREADABLE:
        return None
    if any(name.is_absolute() or ".." in name.parts for name in names):
        return None
    return [account.parent / name for name in names]


def _enter(name: str, place: Path, files: list[Path], found: Clearing) -> None:
    """Enter a folder, unless a link is in the way or it holds what its run did not write."""
    mine = {file for file in files if file.is_file()}
    below = [f for f in place.rglob("*") if f.is_symlink() or not f.is_dir()]
    if any(parent.is_symlink() for file in mine for parent in (file, *_between(file, place))):
        found.kept.append(f"{name}: it holds a link")
    elif foreign := sorted(f.name for f in below if f not in mine):
        found.kept.append(f"{name}: it holds what no run wrote ({foreign[0]})")
    else:
        found.add(name, sorted(mine))


def _between(file: Path, place: Path) -> list[Path]:
    """List the folders from a file up to a place."""
    return [parent for parent in file.parents if parent.is_relative_to(place)]


def _remove(place: Path, files: list[Path]) -> None:
    """Remove files, the account that says they are whole first, and the folders that are empty then."""
    for file in sorted(files, key=lambda f: f.name not in {SUMMARY, ACCOUNT} and f.suffix != ".json"):
        file.unlink(missing_ok=True)
    if place.is_dir() and not place.is_symlink():
        for below in sorted((f for f in place.rglob("*") if f.is_dir()), reverse=True):
            _remove_empty(below)
        _remove_empty(place)


def _remove_empty(folder: Path) -> None:
    """Remove a folder unless there is something in it, that somebody has put there since."""
    if folder.is_symlink() or any(folder.iterdir()):
        return
    folder.rmdir()


def _age_of(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
