"""Digests of the inputs of a run, by which it knows what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from geo.addresses import digest_address, is_url
from geo.imagery.sources import digest_file, failing_disk
from tasks.store.stage import digest, read_json, sealed, unsealed, write_json

DIGESTS = "digests.json"


class FileDigests:
    """Digests of files' bytes, remembered as long as nothing that the file system tells of a file changes.

    The time of change alone is not enough: programs set it, and clocks jump.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self.memory = memory
        self.known: dict[str, list[Any]] = {}
        try:
            if memory is not None:
                self.known = unsealed(read_json(memory))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            # not there, or damaged: the files are digested again
            self.known = {}
        self.before = dict(self.known)

    def of(self, source: str) -> str:
        """Digest a file (with its companions, where a format has several); a URL stands for itself.

        A file that is not there, or that may not be read, is digested as such: the stage that needs it says so.

        Raises
        ------
        SourceError
            When the disk that holds it fails.
        """
        if is_url(source):
            return digest_address(source)
        path = Path(source)
        if not path.exists():
            return "missing"
        try:
            return digest(*[(f.name, self.of_file(f)) for f in _companions(path)])
        except PermissionError:
            return "closed"
        except OSError as error:
            raise failing_disk(source, error) from error

    def of_file(self, path: Path) -> str:
        """Digest the bytes of one file."""
        stat = path.stat()
        state = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        known = self.known.get(str(path))
        if known is not None and known[:-1] == state:
            return str(known[-1])
        found = digest_file(path)
        self.known[str(path)] = [*state, found]
        return found

    def save(self) -> None:
        """Remember for the next run."""
        if self.memory is None or self.known == self.before:
            return
        self.memory.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.memory, sealed(self.known))


def _companions(path: Path) -> list[Path]:
    """Find the files that make up one source: a Shapefile's parts, a raster's sidecars, what a VRT refers to."""
    if path.is_dir():
        return sorted(f for f in path.rglob("*") if f.is_file())
    if path.suffix.lower() == ".shp":
        return sorted(f for f in path.parent.iterdir() if f.stem == path.stem and f.is_file())
    sidecars = [path.with_name(path.name + end) for end in (".msk", ".aux.xml", ".ovr")]
    return [path, *(f for f in [*sidecars, *_referred(path)] if f.is_file())]


def _referred(path: Path) -> list[Path]:
    """Find the local files that a VRT refers to; none where it is no XML, which its stage then says."""
    if path.suffix.lower() != ".vrt":
        return []
    try:
        names = [node.text or "" for node in ET.parse(path).iterfind(".//SourceFilename")]  # noqa: S314
    except ET.ParseError:
        return []
    return sorted({path.parent / name for name in names})
