"""What a stage is: a folder named by a digest, finished whole or not at all, with an account that adds up."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from geo.errors import ConfigurationError, FullDiskError, SourceError
from geo.imagery.sources import digest_file
from geo.ledger import Entry, Status, merge, totals

SUMMARY = "summary.json"
COUNTED: dict[str, tuple[str, ...]] = {
    "roads": ("roads",),
    "tiles": ("tiles", "rasters"),
    "features": ("tiles", "reads"),
    "clusters": ("segments",),
    "collisions": ("collisions", "casualties", "vehicles"),
    "exposure": ("traffic figures",),
    "safety": ("segments",),
    "inference": ("comparisons",),
    "concentration": ("windows",),
    "pictures": ("thumbnails",),
    "package": ("layers",),
    "report": ("thumbnails",),
}
"""The item that a stage is about, and inputs whose faults count with it."""
DIGEST_CHARS = 16
SQLITE_FULL = "database or disk is full"
"""What SQLite says, and GDAL after it."""
SEAL = "seal"
"""Key of a kept JSON object that holds the digest of all others."""

log = logging.getLogger("roadprint")


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage leaves behind.

    Attributes
    ----------
    name
        Of the stage.
    folder
        Where its files are.
    seconds
        How long this run took it; for a cached stage, to find that out.
    entries
        What became of its items.
    cached
        Whether it was taken from an earlier run.
    """

    name: str
    folder: Path
    seconds: float
    entries: tuple[Entry, ...]
    cached: bool

    @property
    def totals(self) -> dict[Status, int]:
        """What the stage is about, by status; faulty inputs of other kinds count among the rejected and failed.

        The ledger also holds entries of other items: products, and notes on single values.
        """
        main, *inputs = COUNTED.get(self.name, ("",))
        counts = totals(entry for entry in self.entries if entry.item == main)
        for entry in self.entries:
            if entry.item in inputs and entry.status in {"rejected", "failed"}:
                counts[entry.status] += entry.count
        return counts

    def lasting(self, seconds: float) -> StageResult:
        """Give the same result with another duration."""
        return replace(self, seconds=seconds)

    def as_row(self) -> dict[str, Any]:
        """Lay it out as one row of the run's summary."""
        counts: dict[str, Any] = {status: count for status, count in self.totals.items()}  # noqa: C416
        return {"name": self.name, "seconds": round(self.seconds, 3), **counts, "cached": self.cached}


def digest(*parts: object) -> str:
    """Digest plain values (anything that JSON can hold), in order."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_CHARS // 2).hexdigest()


def code_digest(*packages: str) -> str:
    """Digest the source of our own packages or modules, named by their path from the checkout (``geo/roads``)."""
    root = Path(__file__).resolve().parents[2]
    files = sorted(f for name in packages for f in _sources(root / name))
    return digest(*[(str(f.relative_to(root)), hashlib.blake2b(f.read_bytes()).hexdigest()) for f in files])


def _sources(place: Path) -> list[Path]:
    """Find the files that a package or module is made of."""
    module = place.with_suffix(".py")
    if module.is_file():
        return [module]
    return [f for f in place.rglob("*") if f.is_file() and "__pycache__" not in f.parts]


def run_stage(name: str, stages: Path, key: str, build: Callable[[Path], list[Entry]]) -> StageResult:
    """Run a stage, or take its finished folder from before.

    Parameters
    ----------
    name
        Of the stage.
    stages
        Folder that holds the stages of a city.
    key
        Digest of everything that the stage depends on.
    build
        Writes the stage's files into an empty folder and says what became of its items.

    Returns
    -------
    The result; its folder is ``<stages>/<name>-<key>``, and exists only when it is whole.
    """
    start = time.monotonic()
    folder = stages / f"{name}-{key}"
    entries = read_summary(folder)
    if entries is not None:
        return StageResult(name, folder, time.monotonic() - start, entries, cached=True)
    with unfinished(folder) as work:
        found = tuple(merge(build(work)))
        write_account(work / SUMMARY, found, [f for f in work.rglob("*") if f.is_file()])
    return StageResult(name, folder, time.monotonic() - start, found, cached=False)


def read_summary(folder: Path) -> tuple[Entry, ...] | None:
    """Read the account of a finished stage, see `read_account`."""
    if folder.exists() and not (folder / SUMMARY).exists():
        tell_damage(folder, "its account is gone")
        return None
    return read_account(folder / SUMMARY)


def write_account(path: Path, entries: Iterable[Entry], files: Iterable[Path]) -> None:
    """Write what became of the items of finished work, and the digests of the files that it made beside `path`."""
    digests = {file.relative_to(path.parent).as_posix(): digest_file(file) for file in files}
    write_json(path, sealed({"entries": [asdict(entry) for entry in entries], "files": digests}))


def read_account(path: Path) -> tuple[Entry, ...] | None:
    """Read the account of finished work; None when there is none, or its files are not as they were left.

    All files are digested: size and time of change tell nothing of a flipped byte. Damage is told once; the account
    then goes, so that whoever looks next finds the work not done.
    """
    if not path.exists():
        return None
    try:
        return _as_left(path)
    except FileNotFoundError as error:
        why = f"{Path(error.filename).name} is gone"
    except OSError as error:
        why = f"{Path(error.filename or path).name} cannot be read ({error.strerror})"
    except (ValueError, TypeError, KeyError, AttributeError):
        why = f"{path.name} is not as it was left"
    except _AnotherFileError as error:
        why = f"{error} is not as it was left"
    tell_damage(path.parent if path.name == SUMMARY else path.with_suffix(""), why)
    path.unlink(missing_ok=True)
    return None


class _AnotherFileError(Exception):
    """A file whose bytes are not those of the account."""


def _as_left(path: Path) -> tuple[Entry, ...]:
    """Read an account, and hold its files against it."""
    account = unsealed(read_json(path))
    for file, expected in account["files"].items():
        if digest_file(path.parent / file) != expected:
            raise _AnotherFileError(file)
    return tuple(Entry(**row) for row in account["entries"])


def read_entries(folder: Path) -> list[Entry]:
    """Read what became of the items of a stage that this run has made or found whole."""
    return [Entry(**row) for row in read_json(folder / SUMMARY)["entries"]]


def tell_damage(piece: Path, why: str) -> None:
    """Say in one line that kept work cannot be used, and that it is made again."""
    log.warning("%s: %s; it is made again", piece, why)


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder` that becomes it when all goes well, and vanishes when not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    work.chmod(0o755)
    try:
        yield work
        if folder.exists():
            # unreadable remains from before, or the same stage finished by another process in the meantime
            folder.rename(work.with_name(f"{work.name}-old"))
        work.rename(folder)
    finally:
        for left in (work, work.with_name(f"{work.name}-old")):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Say in one message that there is no room left in the folder of results, whoever finds it out.

    Raises
    ------
    FullDiskError
        In place of the error of the operating system.
    """
    try:
        yield
    except (OSError, SourceError) as error:
        full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT} or SQLITE_FULL in str(error)
        if not full:
            raise
        raise FullDiskError(
            "the disk is full",
            where=str(folder),
            todo="Free space there, or name another folder with --out; what was finished before is kept, and the same "
            "command goes on from there.",
        ) from error


def results_folder(folder: Path) -> Path:
    """Make a folder for results.

    Raises
    ------
    ConfigurationError
        When it cannot be made, or not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise ConfigurationError(
            f"results cannot be written to {folder} ({error.strerror})",
            where="output.folder",
            todo="Name another folder there, or with --out.",
        ) from error


def write_json(path: Path, value: object) -> None:
    """Write plain values as JSON, the same bytes for the same values, whole or not at all."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, default=str)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Read what `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def sealed(value: dict[str, Any]) -> dict[str, Any]:
    """Add the digest of a JSON object to it."""
    return value | {SEAL: digest(value)}


def unsealed(value: dict[str, Any]) -> dict[str, Any]:
    """Give the object without its digest.

    Raises
    ------
    ValueError
        When it is not what `sealed` gave.
    """
    rest = {key: part for key, part in value.items() if key != SEAL}
    if value[SEAL] != digest(rest):
        raise ValueError("not what was written")
    return rest
