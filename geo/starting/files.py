"""Which files of a folder may be imagery, roads or records."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from geo.collisions.tables.places import whole_ones
from geo.errors import SourceError
from geo.imagery.sources import FOLDER_SUFFIXES, PICTURES, places_in
from geo.starting.guess import listed

MOST_FILES = 50_000
"""A folder of more files is none of one city's inputs."""
TABLES = (
    *(".gpkg", ".shp", ".geojson", ".json", ".jsonl", ".ndjson", ".fgb", ".gdb", ".sqlite", ".tab", ".mif"),
    *(".kml", ".gml", ".gpx", ".pbf", ".osm", ".parquet", ".geoparquet", ".arrow", ".feather"),
    *(".csv", ".tsv", ".txt", ".dbf", ".xlsx", ".xls", ".xlsb", ".xlsm", ".ods"),
    *(".gz", ".bz2", ".xz", ".zip"),
)
"""Endings of files that may hold roads or records."""
_ABOUT = ("readme", "licen", "source", "index", "about", "metadata", "copyright", "attribution", "notes")
"""Beginnings of the names of texts that tell of data and are none."""
_NOT_LOOKED_INTO = {"__pycache__", "node_modules", "__MACOSX"}
_DATABASE = ".gdb"


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is left out of a city's file: where it lies, and why."""

    path: str
    why: str


@dataclass(slots=True)
class Files:
    """What lies in places that were named.

    Attributes
    ----------
    rasters
        What may be imagery.
    tables
        What may hold roads or records.
    texts
        What tells of data, such as licences.
    left
        What is neither.
    """

    rasters: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


def find_files(places: Iterable[Path]) -> Files:
    """Sort the files of folders, and files, by what they may be.

    Parameters
    ----------
    places
        Folders, looked into at any depth, and files.

    Raises
    ------
    SourceError
        When one is not there, or holds more files than a city has.
    """
    found = Files()
    every: list[str] = []
    for place in places:
        if not place.exists():
            raise SourceError("no such file or folder", where=str(place), todo="Mend the path.")
        every += _below(place, found.left)
    others: Counter[str] = Counter()
    # what lies nearest to the top comes first
    for path in whole_ones(sorted(dict.fromkeys(every), key=lambda path: (path.count(os.sep), path))):
        suffix, name = Path(path).suffix.lower(), Path(path).name.lower()
        packed = [one for one in places_in([path]) if one != path] if suffix == ".zip" else []
        if packed:
            found.rasters += packed
        elif suffix in FOLDER_SUFFIXES or suffix in PICTURES:
            found.rasters.append(path)
        elif name.startswith(_ABOUT) and suffix in {"", ".txt", ".md", ".rst", ".html", ".pdf"}:
            found.texts.append(path)
        elif suffix in TABLES:
            found.tables.append(path)
        elif not name.endswith((".aux.xml", ".ovr", ".msk")):
            others[suffix or "(no ending)"] += 1
    if others:
        kinds = listed([f"{count} {suffix}" for suffix, count in sorted(others.items())], most=12)
        found.left.append(Left(kinds, "of kinds that are not looked at"))
    return found


def _closed(error: OSError) -> Left:
    return Left(str(error.filename), f"it cannot be looked into ({error.strerror})")


def _below(place: Path, left: list[Left]) -> Iterator[str]:
    """List the files of a folder, a database in a folder being one; of a file, itself."""
    if place.is_file() or place.suffix.lower() == _DATABASE:
        yield os.path.abspath(place)  # noqa: PTH100 - links stay as they are
        return
    count = 0
    for folder, folders, files in os.walk(place, onerror=lambda error: left.append(_closed(error))):
        databases = [name for name in folders if name.lower().endswith(_DATABASE)]
        folders[:] = sorted(
            name
            for name in folders
            if name not in databases and name not in _NOT_LOOKED_INTO and not name.startswith(".")
        )
        for name in (*databases, *files):
            if name.startswith("."):
                continue
            count += 1
            if count > MOST_FILES:
                raise SourceError(
                    f"more than {MOST_FILES:,} files lie in it",
                    where=str(place),
                    todo="Name the folders or files of one city.",
                )
            yield os.path.abspath(Path(folder) / name)  # noqa: PTH100 - links stay as they are
