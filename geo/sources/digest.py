"""Digests of sources: of every byte that a driver reads of them, whichever files these lie in."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import Protocol, TypeVar
from xml.etree import ElementTree as ET

from geo.addresses import digest_address, is_url
from geo.sources.beside import Folders
from geo.sources.database import HEADER, MAGIC, beside_database, is_unfinished, pages_seen, plain_header
from geo.sources.files import digest_file, failing_disk
from geo.sources.named import files_below, files_named, names_within

Found = TypeVar("Found", str, list[str])
State = list[list[int] | None]
"""Size, times of change (nanoseconds) and number of files, as the file system tells them; None for one not there."""

MISSING, CLOSED = "missing", "closed"
"""Stand for a file that is not there, and one that may not be read."""
_NOT_ASKED_ABOUT = {
    *(
        ".csv",
        ".dbf",
        ".fgb",
        ".geojson",
        ".gml",
        ".mif",
        ".ods",
        ".osm",
        ".pbf",
        ".shp",
        ".tsv",
        ".txt",
        ".xlsx",
    ),
    *(".json", ".jsonl", ".ndjson", ".xls", ".xlsm", ".xlsb", ".gz", ".bz2", ".xz"),
    *(".geoparquet", ".parquet", ".pt", ".pth", ".safetensors", ".db", ".gpkg", ".mbtiles", ".sqlite"),
}
"""Endings of files that GDAL is not asked about: tables and weights, and databases, where what belongs to them is known
and GDAL would bring a log into the file that a crash has left."""
_OF_THE_DISK = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT}
"""What a disk or a network drive says that fails for now."""
_INDEX = ".gti."
"""Stands in the name of a table that is an index of rasters."""


class Remember(Protocol):
    """Gives what was found of a file before, or finds it."""

    def __call__(self, what: str, path: Path, state: State, find: Callable[[], Found | None]) -> Found | None:
        """Give what was found, as long as nothing that the file system tells changes; None is not kept."""


def afresh(what: str, path: Path, state: State, find: Callable[[], Found | None]) -> Found | None:  # noqa: ARG001
    """Find it, and remember nothing."""
    return find()


def digest_source(source: str) -> str:
    """Digest a source, see `SourceDigests.of`; nothing is remembered."""
    return SourceDigests().of(source)


class SourceDigests:
    """Digests of sources, with all files that belong to each.

    Parameters
    ----------
    remember
        Called for whatever must be read from a file.
    """

    def __init__(self, remember: Remember = afresh) -> None:
        self._remember = remember
        self._folders = Folders()
        self._states: dict[Path, list[int] | None] = {}

    def of(self, source: str) -> str:
        """Digest a source: a file or a folder with all that belongs to it; a URL stands for itself.

        Files belong to it by their names (`geo.sources.beside`), because its text names them (`geo.sources.named`) or
        because GDAL says so (`geo.sources.gdal`), and so on for each of them. Of a database counts what its readers
        see (`geo.sources.database`). Files may lie elsewhere on another machine: names count from the source's folder.

        Returns
        -------
        32 hex digits; or `MISSING`, where there is nothing.

        Raises
        ------
        SourceError
            When the disk that holds it fails.
        """
        self._look_again()
        path = Path(source)
        try:
            if is_url(source):
                start = Path.cwd()
                parts = self._digests(self._belonging(files_named([source], [start], self._is_there)), start)
                return _combined(digest_address(source), parts) if parts else digest_address(source)
            if self._is_there(path):
                return _combined("", self._digests(self._belonging([path]), path.parent))
            return _combined("", self._digests(self._within(path), path)) if path.is_dir() else MISSING
        except PermissionError:
            return CLOSED
        except OSError as error:
            raise failing_disk(source, error) from error

    def files(self, source: Path) -> list[Path]:
        """List the files that a source consists of, sorted."""
        self._look_again()
        return self._within(source) if source.is_dir() else self._belonging([source])

    def _look_again(self) -> None:
        """Forget how files and folders were: within one digest, each is looked at once."""
        self._states.clear()
        self._folders.look_again()

    def _state(self, path: Path) -> list[int] | None:
        if path not in self._states:
            self._states[path] = state_of(path)
        return self._states[path]

    def _is_there(self, path: Path) -> bool:
        return self._state(path) is not None

    def _within(self, folder: Path) -> list[Path]:
        """Find the files of a folder, and what belongs to them."""
        return self._belonging(files_below(folder), may_be_rasters=False)

    def _belonging(self, start: Iterable[Path], *, may_be_rasters: bool = True) -> list[Path]:
        """Find all files that belong to some, themselves among them."""
        found: set[Path] = set()
        asked: set[Path] = set()
        waiting = [(path, may_be_rasters) for path in start]
        while waiting:
            path, may_be_raster = waiting.pop()
            if path not in found:
                found.add(path)
                waiting += [(file, False) for file in self._folders.beside(path) if self._is_there(file)]
                waiting += [(file, True) for file in self._named(path)]
            if may_be_raster and path not in asked:
                asked.add(path)
                waiting += [(file, False) for file in self._told(path)]
        return sorted(found)

    def _named(self, path: Path) -> list[Path]:
        """Find the files that the text of one names; GDAL starts at the folder that a link to a VRT leads to."""
        try:
            names = self._remember("names", path, [self._state(path)], partial(names_within, path))
        except (PermissionError, FileNotFoundError):
            return []
        return files_named(names, [path.parent, path.resolve().parent], self._is_there) if names else []

    def _told(self, path: Path) -> list[Path]:
        """Ask GDAL which files a raster consists of; that holds while no file of its name comes, goes or changes."""
        if path.suffix.lower() in _NOT_ASKED_ABOUT and _INDEX not in path.name.lower():
            return []

        def ask() -> list[str] | None:
            # an unchanged run asks nothing, and does without a library that takes long to import
            from geo.sources.gdal import files_of_raster  # noqa: PLC0415

            return files_of_raster(path)

        alike = [state for file in self._folders.alike(path) if (state := self._state(file)) is not None]
        names = self._remember("parts", path, [self._state(path), *alike], ask)
        files = (Path(os.path.abspath(name)) for name in names or ())  # noqa: PTH100 - links stay links
        return [file for file in files if self._is_there(file)]

    def _digests(self, parts: Iterable[Path], folder: Path) -> list[tuple[str, str]]:
        """Digest files, each with its name from a folder; what is as if it were not there is left out."""
        found = []
        for path in parts:
            real = path.resolve() if path.is_symlink() else path
            logs = [file for file in beside_database(real) if self._folders.may_hold(file)]
            state = [self._state(file) for file in (path, *logs)]
            try:
                part = self._remember("bytes", path, state, partial(digest_content, path))
            except PermissionError:
                part = CLOSED
            except FileNotFoundError:
                part = MISSING
            name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
            if part:
                found.append((name, part))
        return found


def digest_content(path: Path) -> str:
    """Digest what a driver sees of one file (32 hex digits); empty where it is as if the file were not there."""
    if path.name.lower().endswith(".aux.xml"):
        return _digest_notes(path)
    with path.open("rb") as file:
        head = file.read(HEADER)
        if head.startswith(MAGIC) and len(head) == HEADER:
            log, journal = beside_database(path.resolve())
            if any(f.is_file() and f.stat().st_size for f in (log, journal)):
                return _digest_open(path, log, journal)
            head = plain_header(head)
        begun = hashlib.blake2b(head, digest_size=16)
        return hashlib.file_digest(file, lambda: begun).hexdigest()


def _digest_open(path: Path, log: Path, journal: Path) -> str:
    """Digest a database that has a log or a journal."""
    left = journal.is_file() and is_unfinished(journal)
    pages = None if left else pages_seen(path)
    if pages is not None:
        return hashlib.blake2b(plain_header(pages[:HEADER]) + pages[HEADER:], digest_size=16).hexdigest()
    # what a driver sees of them is its own affair
    return _combined("apart", [(f.name, digest_file(f)) for f in (path, log, journal) if f.is_file()])


def _digest_notes(path: Path) -> str:
    """Digest what GDAL keeps beside a raster, without the statistics that a look at the raster in QGIS leaves there."""
    text = path.read_bytes()
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities are not expanded beyond what expat allows
    except ET.ParseError:
        return hashlib.blake2b(text, digest_size=16).hexdigest()
    _prune(root)
    for node in root.iter():
        # spaces between elements
        node.text, node.tail = (
            text if text and not text.isspace() else "" for text in (node.text, node.tail)
        )
    if root.tag == "PAMDataset" and not len(root):
        return ""
    return hashlib.blake2b(ET.tostring(root), digest_size=16).hexdigest()


def _prune(node: ET.Element) -> None:
    """Take statistics and histograms out of an element, and what they leave empty."""
    for below in list(node):
        had = len(below)
        _prune(below)
        counted = below.tag == "Histograms" or (
            below.tag == "MDI" and below.get("key", "").startswith("STATISTICS_")
        )
        if counted or (had and not len(below) and below.tag in {"Metadata", "PAMRasterBand"}):
            node.remove(below)


def _combined(name: str, parts: list[tuple[str, str]]) -> str:
    return hashlib.blake2b(repr((name, parts)).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def state_of(path: Path) -> list[int] | None:
    """Give all that the file system tells of a file, see `State`; None where there is none that can be read."""
    try:
        stat = path.stat()
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise
        # not there, not to be looked at, or a text that no path can be
        return None
    if not S_ISREG(stat.st_mode):
        return None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
