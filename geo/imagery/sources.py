"""What the imagery of a city is made of: from files, globs, folders, VRTs and URLs to single rasters."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from geo.addresses import is_url

FOLDER_SUFFIXES = (".img", ".jp2", ".tif", ".tiff", ".vrt")
"""Files of a folder that are taken for imagery. Masks and previews (.png, .jpg) often lie beside it: a glob takes
them in."""
_SIDECARS = (".aux.xml", ".msk", ".ovr")
_WILD = "*?["


def expand_sources(sources: Iterable[str]) -> list[str]:
    """List the rasters that sources stand for, sorted, each once.

    A URL or GDAL virtual path stands for itself. A folder stands for its rasters by `FOLDER_SUFFIXES`, at any depth,
    a glob for the files that match it. A source that gives nothing stays in the list as it is: whoever opens it finds
    the reason.

    Parameters
    ----------
    sources
        ``imagery.sources`` of a city, paths absolute.
    """
    found: set[str] = set()
    for source in sources:
        found.update([source] if is_url(source) else _files(source) or [source])
    return sorted(found)


def why_missing(source: str) -> str | None:
    """Tell why a source of `expand_sources` is no raster at all, or None where there is a file."""
    if is_url(source) or Path(source).is_file():
        return None
    if Path(source).is_dir():
        return f"the folder holds no raster ({', '.join(FOLDER_SUFFIXES)})"
    return "no file matches" if any(mark in source for mark in _WILD) else "no such file"


def _files(source: str) -> list[str]:
    """Files of a path, a folder or a glob; none where it gives nothing."""
    path = Path(source)
    if path.is_file():
        return [os.path.normpath(source)]
    if path.is_dir():
        return [str(f) for f in path.rglob("*") if f.suffix.lower() in FOLDER_SUFFIXES and f.is_file()]
    # the library of paths cannot match an absolute pattern
    matches = map(Path, glob.glob(source, recursive=True))  # noqa: PTH207
    return [str(f) for f in matches if f.is_file() and not f.name.lower().endswith(_SIDECARS)]
