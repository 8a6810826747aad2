"""Shards on other machines: tables go out and embeddings come back by storage that all of them reach."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

import fsspec
from fsspec.core import url_to_fs

from geo.addresses import reveal
from geo.errors import SourceError
from tasks.store.job import Job


@dataclass(frozen=True, slots=True)
class SharedJob:
    """A shard whose files travel.

    Attributes
    ----------
    job
        The work, with the paths of the machine that runs the city.
    url
        Folder of the shared storage.
    """

    job: Job
    url: str

    @property
    def tables(self) -> dict[str, Path]:
        """The tables that a worker needs, by their name in the storage: the names hold the digests of their stages."""
        return {_name(path): path for path in self.job.reads}


def _name(path: Path) -> str:
    """Name a table in the storage."""
    return f"{path.parent.name}/{path.name}"


def send_tables(jobs: list[SharedJob]) -> None:
    """Put the tables of the stages before into the storage, where they are not there yet.

    Raises
    ------
    SourceError
        When the storage cannot be reached.
    """
    wanted = {f"{job.url}/{name}": path for job in jobs for name, path in job.tables.items()}
    for url, path in wanted.items():
        _put(path, url)


def encode_remotely(job: SharedJob) -> None:
    """Encode a shard on a worker: tables come from the storage once a worker, the shard and its account go back."""
    place = _scratch(job.url)
    local = {path: _fetched(f"{job.url}/{name}", place / name) for name, path in job.tables.items()}
    out = place / "shards" / job.job.out.name
    job.job.elsewhere(local, out).work()
    # the account last: a shard without one is not there
    for path in (out, job.job.account):
        _put(out.with_name(path.name), f"{job.url}/shards/{path.name}", again=True)


def fetch(job: SharedJob) -> None:
    """Bring a shard that a worker has made into the folder of results.

    Raises
    ------
    SourceError
        When it is not what the worker left.
    """
    out = job.job.out
    out.parent.mkdir(parents=True, exist_ok=True)
    for path in (out, job.job.account):
        _get(f"{job.url}/shards/{path.name}", path)
    if not job.job.is_done():
        raise SourceError(
            f"the shard {out.name} came back otherwise than its worker left it",
            where=job.url,
            todo="Look whether the storage keeps what it is given; then run the city again.",
        )


@cache
def _scratch(url: str) -> Path:
    """Make a folder for a worker's own files of a city, which goes when its process ends."""
    name = hashlib.blake2b(url.encode(), digest_size=6).hexdigest()
    place = Path(tempfile.mkdtemp(prefix=f"roadprint-{name}-"))
    # atexit knows nothing of the ends of some processes that multiprocessing starts, as a worker's is
    Finalize(None, shutil.rmtree, args=(place,), kwargs={"ignore_errors": True}, exitpriority=0)
    return place


def _fetched(url: str, path: Path) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _get(url, path)
    return path


def _put(path: Path, url: str, *, again: bool = False) -> None:
    """Write a file to the storage under another name, and rename it when it is whole."""
    try:
        storage, target = url_to_fs(reveal(url))
        if not again and storage.exists(target):
            return
        storage.makedirs(target.rpartition("/")[0], exist_ok=True)
        part = f"{target}.{os.getpid()}.part"
        storage.put_file(str(path), part)
        storage.mv(part, target)
    except (OSError, ImportError, ValueError) as error:
        raise _unreachable(url, error) from error


def _get(url: str, path: Path) -> None:
    """Read a file from the storage, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fsspec.open(reveal(url), "rb") as source, part.open("wb") as target:
            while block := source.read(2**20):
                target.write(block)
    except (OSError, ImportError, ValueError) as error:
        part.unlink(missing_ok=True)
        raise _unreachable(url, error) from error
    part.replace(path)


def _unreachable(url: str, error: Exception) -> SourceError:
    return SourceError(
        f"the shared storage cannot be used ({error})",
        where=url,
        todo="Look at run.shared in the city's file, and whether this machine may read and write there.",
    )
