"""What a stage is: a folder named by a digest, finished whole or not at all, with an account that adds up."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, ValidationError

from geo.errors import SourceError
from geo.ledger import Entry, Status, merge, totals
from geo.sources.files import digest_file
from tasks.store.code import code_digest, libraries, look_again
from tasks.store.document import Document
from tasks.store.table import Table

if TYPE_CHECKING:
    from geo.config import CityConfig
    from tasks.plan import Plan

SUMMARY = "summary.json"

ALL_BEFORE = ("*",)
"""In place of names: all stages that run before."""

log = logging.getLogger("roadprint")


def _none(_: CityConfig) -> Sequence[str]:
    """List no sources."""
    return ()


def _nothing(_: CityConfig) -> object:
    """Add nothing."""
    return None


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage is, declared once, beside the function that builds it.

    The digest that names its kept work follows from this: from the settings and inputs named here, from the stages
    before it, and from the code and the libraries that `build` reaches.

    Attributes
    ----------
    name
        Its own word in folders, summaries and the ledger.
    build
        Writes the stage's files into an empty folder and says what became of its items. It imports what is heavy
        itself, for a run that changes nothing has to be known without.
    counts
        The item that the stage is about, and inputs whose faults count with it.
    after
        Names of the stages whose files it reads, or `ALL_BEFORE`; their digests are part of its own.
    settings
        Dotted keys of the configuration that it reads. A section stands for all its keys but those that are marked as
        without effect on results; such a key is named by itself where a stage writes it down.
    inputs
        Lists the sources (paths and addresses) that it reads, of a configuration.
    also
        Gives what else decides its files, where not every value of a setting makes a difference.
    tables, documents
        What it hands on.
    """

    name: str
    build: Callable[[Plan, Path], list[Entry]]
    counts: tuple[str, ...]
    after: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    inputs: Callable[[CityConfig], Sequence[str]] = _none
    also: Callable[[CityConfig], object] = _nothing
    tables: tuple[Table, ...] = ()
    documents: tuple[type[Document], ...] = ()

    @property
    def module(self) -> str:
        """Name of the module that declares it."""
        return self.build.__module__

    @property
    def made_with(self) -> dict[str, str]:
        """Versions of Python and of the libraries that its code uses."""
        return libraries(self.module)


class Account(Document):
    """What finished work says of itself, beside or above its files."""

    sealed: ClassVar[bool] = True

    entries: list[Entry] = Field(description="What became of its items.")
    files: dict[str, str] = Field(description="Digests of its files, by their place beside the account.")
    made_with: dict[str, str] = Field(description="Versions of Python and of the libraries that made it.")


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage leaves behind.

    Attributes
    ----------
    name
        Name of the stage, as in its declaration.
    folder
        Folder with the stage's files.
    seconds
        How long this run took for the stage (seconds); for a cached one, to find that out.
    entries
        What became of its items.
    cached
        Whether the files were taken from an earlier run.
    counts
        The item that it is about, and inputs whose faults count with it.
    """

    name: str
    folder: Path
    seconds: float
    entries: tuple[Entry, ...]
    cached: bool
    counts: tuple[str, ...] = ()

    @property
    def totals(self) -> dict[Status, int]:
        """What the stage is about, by status; faulty inputs of other kinds count among the rejected and failed.

        The ledger also holds entries of other items: products, and notes on single values.
        """
        main, *inputs = self.counts or ("",)
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


def run_stage(stage: Stage, plan: Plan) -> StageResult:
    """Run a stage, or take its finished folder from before.

    Parameters
    ----------
    stage
        What the stage is and how its files are made.
    plan
        What the run is to do; it names the stage's folder, which exists only when the stage is whole.

    Raises
    ------
    SourceError
        When an input, or the code, was changed or removed since the run was planned: what was made of it is not kept.
    """
    start = time.monotonic()
    folder = plan.stage_folder(stage.name)
    kept = read_summary(folder)
    if kept is None:
        with unfinished(folder) as work:
            entries = tuple(merge(stage.build(plan, work)))
            if stage.inputs(plan.config):
                plan.check_inputs()
            check_code(stage.module, plan.code[stage.name])
            files = [f for f in work.rglob("*") if f.is_file()]
            write_account(work / SUMMARY, entries, files, stage.made_with)
    else:
        entries = kept
    seconds = time.monotonic() - start
    return StageResult(stage.name, folder, seconds, entries, kept is not None, stage.counts)


def check_code(module: str, expected: str) -> None:
    """Make sure that the code and the libraries behind work are still those that name it.

    Parameters
    ----------
    module
        That does the work.
    expected
        Digest of its code (`tasks.store.code.code_digest`) when the work was planned.

    Raises
    ------
    SourceError
        When they are not: what was made may be of the one or the other.
    """
    look_again(module)
    if code_digest(module) != expected:
        raise SourceError(
            "the code of roadprint, or a library that it uses, is not the one that the run was planned with",
            where=module,
            todo="It was replaced while the run was going on, or a worker has another one. Run again with one of them "
            "everywhere. The last good run is as it was.",
        )


def read_summary(folder: Path) -> tuple[Entry, ...] | None:
    """Read the account of a finished stage, see `read_account`."""
    if folder.exists() and not (folder / SUMMARY).exists():
        tell_damage(folder, "its account is gone")
        return None
    return read_account(folder / SUMMARY)


def write_account(
    path: Path, entries: Iterable[Entry], files: Iterable[Path], made_with: Mapping[str, str]
) -> None:
    """Write what became of the items of finished work, what it was made with, and the digests of its files.

    Parameters
    ----------
    path
        Path of the account, beside or above the files.
    entries
        What became of the items.
    files
        Files that the work left.
    made_with
        Versions of the libraries that made it, by name.
    """
    digests = {file.relative_to(path.parent).as_posix(): digest_file(file) for file in files}
    Account(entries=list(entries), files=digests, made_with=dict(made_with)).write(path)


def is_whole(folder: Path, shards: Callable[[], Iterable[Path]]) -> bool:
    """Tell whether a stage is there with all its shards as they were left; remains of one that is not are removed.

    Parameters
    ----------
    folder
        Of the stage.
    shards
        Names the files of its shards; asked where the stage itself is whole.
    """
    if read_summary(folder) is None:
        return False
    if all(read_account(shard.with_suffix(".json")) is not None for shard in shards()):
        return True
    shutil.rmtree(folder)
    return False


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
    except ValidationError:
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
    account = Account.read(path)
    for file, expected in account.files.items():
        if digest_file(path.parent / file) != expected:
            raise _AnotherFileError(file)
    return tuple(account.entries)


def account_of(folder: Path) -> Account:
    """Read the account of a stage that this run has made or found whole."""
    return Account.read(folder / SUMMARY)


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
