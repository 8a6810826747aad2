"""What the imagery of a city is made of: from files, globs, folders, archives, VRTs and URLs to single rasters."""

from __future__ import annotations

import glob
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from geo.addresses import is_url
from geo.sources.beside import endings

FOLDER_SUFFIXES = (".ecw", ".img", ".jp2", ".sid", ".tif", ".tiff", ".vrt")
"""Files of a folder or an archive that are taken for imagery. Masks and previews (.png, .jpg) often lie beside it: they
are taken where nothing else is there and a world file says where they lie; a glob takes them in anyhow."""
PICTURES = (".jpeg", ".jpg", ".png")
_ARCHIVE = ".zip"
_OTHER_ARCHIVES = (".7z", ".gz", ".rar", ".tar", ".tgz")
_SIDECARS = (".aux.xml", ".msk", ".ovr")
_WILD = "*?["
_TEMPLATE = re.compile(r"(?<!\$)\{(?:-?y|q|quadkey|x|z)\}", re.IGNORECASE)
_SERVICE = re.compile(
    r"^(?:wms|wmts|wcs):|[?&]service=(?:wms|wmts|wcs)\b|/(?:wms|wmts|wcs)(?:[/?]|$)|/(?:Map|Image)Server\b|\btype=xyz\b",
    re.IGNORECASE,
)
NO_SERVICE = (
    "its pictures may be others at the next request, and no digest can name them: save the city's extent as a GeoTIFF "
    "once (QGIS: Export > Save As; GDAL: gdal_translate -projwin WEST NORTH EAST SOUTH ... town.tif), and give that"
)


def expand_sources(sources: Iterable[str]) -> list[str]:
    """List the rasters that sources stand for, sorted, each once.

    A URL or GDAL virtual path stands for itself. A folder stands for its rasters by `FOLDER_SUFFIXES`, at any depth,
    as does a zip archive, whose rasters are read where they are; a glob for the files that match it. A source that
    gives nothing stays in the list as it is: whoever opens it finds the reason.

    Parameters
    ----------
    sources
        ``imagery.sources`` of a city, paths absolute.
    """
    return sorted(places_in(sources))


def places_in(sources: Iterable[str]) -> dict[str, int]:
    """Give the rasters of `expand_sources`, each with the place of the first source that stands for it, from 0."""
    found: dict[str, int] = {}
    for place, source in enumerate(sources):
        for path in [source] if is_url(source) else _files(source) or [source]:
            found.setdefault(path, place)
    return found


def why_missing(source: str) -> str | None:
    """Tell why a source of `expand_sources` is no raster at all, or None where there may be one."""
    if _TEMPLATE.search(source):
        return f"it is an address of map tiles (XYZ, TMS): {NO_SERVICE}"
    if _SERVICE.search(source):
        return f"it is a map service: {NO_SERVICE}"
    if is_url(source):
        return None
    path = Path(source)
    if path.is_file():
        return _no_raster(path.suffix.lower())
    if path.is_dir():
        return f"the folder holds no raster ({', '.join(FOLDER_SUFFIXES)}){_besides(path)}"
    return "no file matches" if any(mark in source for mark in _WILD) else "no such file"


def _no_raster(suffix: str) -> str | None:
    """Tell why a file of some ending is no raster; None where it may be one."""
    if suffix == _ARCHIVE:
        return f"the archive holds no raster ({', '.join(FOLDER_SUFFIXES)})"
    return "unpack it, and give what it holds" if suffix in _OTHER_ARCHIVES else None


def _besides(folder: Path) -> str:
    """Say which files that may be imagery a folder holds all the same."""
    other = (*PICTURES, _ARCHIVE, *_OTHER_ARCHIVES)
    counts = Counter(f.suffix.lower() for f in folder.rglob("*") if f.suffix.lower() in other and f.is_file())
    if not counts:
        return ""
    told = ", ".join(f"{n} {suffix}" for suffix, n in sorted(counts.items()))
    return f"; of {told} those that are imagery are named by a glob such as {folder.name}/*{min(counts)}"


def _files(source: str) -> list[str]:
    """Files of a path, a folder, an archive or a glob; none where it gives nothing."""
    path = Path(source)
    if path.is_file():
        return _within(path)
    if path.is_dir():
        return _rasters([str(f) for f in path.rglob("*") if f.is_file()])
    # the library of paths cannot match an absolute pattern
    matches = map(Path, glob.glob(source, recursive=True))  # noqa: PTH207
    files = [f for f in matches if f.is_file() and not f.name.lower().endswith(_SIDECARS)]
    return [raster for file in files for raster in _within(file) or [str(file)]]


def _within(path: Path) -> list[str]:
    """List what a file stands for: itself, or the rasters of an archive; none of one that holds none."""
    plain = os.path.normpath(path)
    if path.suffix.lower() != _ARCHIVE:
        return [plain]
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.startswith("__MACOSX/")]
    except (OSError, zipfile.BadZipFile):
        return []
    return [f"/vsizip/{plain}/{name}" for name in _rasters(names)]


def _rasters(names: list[str]) -> list[str]:
    """Choose the imagery among the files of a folder or an archive, see `FOLDER_SUFFIXES`."""
    found = [name for name in names if PurePosixPath(name).suffix.lower() in FOLDER_SUFFIXES]
    if found:
        return found
    there = {name.lower() for name in names}
    return [name for name in names if PurePosixPath(name).suffix.lower() in PICTURES and _world(name) & there]


def _world(name: str) -> set[str]:
    """Name the world files that may say where a picture lies, in lower case."""
    lower = name.lower()
    stem = lower.removesuffix(PurePosixPath(lower).suffix)
    return {stem + end for end in endings(lower)[1] if end.endswith(("w", ".wld"))}
