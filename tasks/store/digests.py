"""Digests of the inputs of a run, by which it knows what changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from geo.sources.beside import is_settled
from geo.sources.digest import Found, SourceDigests, State
from tasks.store.code import code_digest
from tasks.store.document import Document

DIGESTS = "digests.json"
_MADE_BY = "geo.sources.digest"
"""Module that digests files: what other code, or other versions of its libraries, has found is not taken."""


class Remembered(Document):
    """Of each thing that was looked up, the state of its files then, when that was, and what was found."""

    sealed: ClassVar[bool] = True

    code: str
    known: dict[str, list[Any]]


class FileDigests:
    """Digests of sources, remembered as long as nothing that the file system tells of a file changes.

    The time of change alone is not enough: programs set it, clocks jump, and what changes twice within a tick of the
    file system's clock has one time for both. Which files belong to a source is looked up in every run; remembered is
    what takes reading: the bytes, the names in a VRT, and what GDAL says of a raster.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self.memory = memory
        self._known: dict[str, list[Any]] = _remembered(memory)
        self._before = dict(self._known)
        self._sources = SourceDigests(self._once)

    def of(self, source: str) -> str:
        """Digest a file or folder with all that belongs to it, see `geo.sources.digest.SourceDigests.of`.

        Raises
        ------
        SourceError
            When the disk that holds it fails.
        """
        return self._sources.of(source)

    def save(self) -> None:
        """Remember for the next run."""
        if self.memory is None or self._known == self._before:
            return
        self.memory.parent.mkdir(parents=True, exist_ok=True)
        Remembered(code=code_digest(_MADE_BY), known=self._known).write(self.memory)

    def _once(self, what: str, path: Path, state: State, find: Callable[[], Found | None]) -> Found | None:
        """Give what was found of a file when all was as it is now, or find it."""
        key = f"{what} {path}"
        known = self._known.get(key)
        if known is not None and known[0] == state and _is_settled(state, known[1]):
            before: Found = known[2]
            return before
        now = time.time_ns()
        found = find()
        if found is None:
            self._known.pop(key, None)
        else:
            self._known[key] = [state, now, found]
        return found


def _is_settled(state: State, seen_ns: int) -> bool:
    return all(is_settled(max(file[1:3]), seen_ns) for file in state if file is not None)


def _remembered(memory: Path | None) -> dict[str, list[Any]]:
    """Read what is remembered; nothing where it is not there, damaged or of another form."""
    try:
        if memory is None:
            return {}
        kept = Remembered.read(memory)
    except (OSError, ValidationError):
        return {}
    return dict(kept.known) if kept.code == code_digest(_MADE_BY) else {}
