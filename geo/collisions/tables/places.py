"""Which tables a city's file names: files, folders that are one, patterns, and what lies within a container."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from geo.config.sections.records import Collisions

_TELLING = {
    ".shp": {".dbf", ".shx", ".prj", ".cpg", ".cst", ".qix", ".sbn", ".sbx", ".qpj", ".qmd", ".dbt", ".xml"},
    ".tab": {".dat", ".map", ".id", ".ind"},
    ".mif": {".mid"},
}
"""By the ending of a file that is named, those of the files that are part of it."""
_PASSING = ("-wal", "-shm", "-journal", ".lock", "~")
_HELD_OPEN = "~$"
"""Begins the name of what Excel leaves beside a workbook that is open."""


def expand_globs(sources: Sequence[str]) -> list[str]:
    """List the files that patterns find, each once; a pattern that finds nothing stays as it is.

    What is only part of another file that is found, such as the tables of a Shapefile, is not listed by itself.
    """
    found = [match for source in sources for match in _matches(source)]
    return list(dict.fromkeys(found))


def expand_tables(collisions: Collisions) -> list[str]:
    """List all tables that the configuration names; a glob that finds nothing stays as it is."""
    return [*expand_globs(collisions.sources), *expand_globs(collisions.linked())]


def files_of(tables: Iterable[str]) -> list[str]:
    """Name the files, or folders that are read as one, that hold tables: the inputs of a run."""
    return list(dict.fromkeys(str(locate(table)[0]) for table in tables))


def locate(source: str) -> tuple[Path, str]:
    """Part a source into the file, or folder, that is there, and what is asked for within it.

    Returns
    -------
    The path, which may not be there; and the rest of the source, such as ``2019.csv`` of ``crashes.zip/2019.csv`` or
    the name of a layer; empty where the source is the file itself.
    """
    path = Path(source)
    if path.exists():
        return path, ""
    for above in path.parents:
        if above.is_file() or (above.is_dir() and above.suffix.lower() == ".gdb"):
            return above, path.relative_to(above).as_posix()
        if above.is_dir():
            break
    return path, ""


def _matches(source: str) -> list[str]:
    if not glob.has_magic(source) or Path(source).exists():
        return [source]
    found = sorted(glob.glob(source))  # noqa: PTH207 - patterns are paths as text
    return whole_ones(found) or [source]


def whole_ones(found: list[str]) -> list[str]:
    """Leave out what belongs to another file of a list, and what programs leave while they hold one open."""
    parts = {
        str(path.with_suffix("")) + end
        for path in map(Path, found)
        for end in _TELLING.get(path.suffix.lower(), ())
    }
    return [
        one
        for one in found
        if str(Path(one).with_suffix("")) + Path(one).suffix.lower() not in parts
        and not one.endswith(_PASSING)
        and not Path(one).name.startswith(_HELD_OPEN)
    ]
