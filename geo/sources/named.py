"""Files that the text of another names: what a VRT of any kind, a PAM file or a table of MapInfo refers to."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_MARKS = (
    *(b"<VRTDataset", b"<OGRVRTDataSource", b"<PAMDataset", b"<GDALTileIndexDataset", b"<MRF_META"),
    *(b"!table", b'"gdal_streamed_alg"', b"DatasetHeader"),
)
"""What stands at the beginning of texts that name files, as GDAL looks for it."""
_HEAD = 4096
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_TEXT = re.compile(r">([^<>]+)<")
_QUOTED = re.compile(r"""["']([^"'<>]+)["']""")
_SOURCE = re.compile(r"<(?:SourceFilename|SourceDataset|SrcDataSource)\b[^>]*>([^<>]+)<")
_FOLDER = re.compile(r"<SrcDataSource\b[^>]*>([^<>]+)<")
_NUMBERS = re.compile(r"[\d\s.,eE+-]*")
_LONGEST = 4096
_VIRTUAL = re.compile(r"(?:/vsi[a-z0-9_]+/(?:\{)?)+")
_SCHEME = re.compile(r"(\w+)://")
_LOCAL_SCHEMES = {"file", "vrt"}
_MOST_PIECES = 8
_PASSING = (".lock", "-wal", "-shm", "-journal")
FOLDER = "/"
"""Follows a name that may be a folder's, all files of which are read."""


def names_within(path: Path) -> list[str]:
    """List what may be a file's name in the text of a file, sorted; nothing where it is no text that names files.

    Names of elements and attributes are not looked at, so that every kind of VRT is understood: nested, warped,
    pansharpened, derived, with masks, and kinds to come.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if not any(mark in head for mark in _MARKS):
            return []
        text = (head + file.read()).decode("utf-8", errors="replace")
    return sorted(_names(text))


def _names(text: str) -> set[str]:
    """Find what may be a name; a VRT that is written out within another is looked through as well."""
    text = _CDATA.sub(lambda match: html.escape(match[1]), text)
    found = {html.unescape(name).strip() for name in _SOURCE.findall(text)}
    found |= {html.unescape(name).strip() + FOLDER for name in _FOLDER.findall(text)}
    for token in {*_TEXT.findall(text), *_QUOTED.findall(text)}:
        plain = html.unescape(token).strip()
        if "<" in plain:
            found |= _names(plain)
        elif not _NUMBERS.fullmatch(plain):
            found |= {plain, *_QUOTED.findall(plain), *(plain.split() if " ! " in plain else ())}
    return {name for name in found if 0 < len(name) <= _LONGEST and "\n" not in name}


def files_named(
    names: Iterable[str], folders: Iterable[Path], is_there: Callable[[Path], bool]
) -> list[Path]:
    """Find the files on this machine that names stand for, sorted, each once.

    Parameters
    ----------
    names
        Paths as GDAL takes them: plain ones, of subdatasets (``NETCDF:"a.nc":sst``), in archives
        (``/vsizip/a.zip/b.tif``), or with options (``vrt://a.tif?bands=1``).
    folders
        That relative names may start at.
    is_there
        Tells whether a path is a file.
    """
    starts = list(dict.fromkeys(folders))
    return sorted({file for name in names for start in starts for file in _files(name, start, is_there)})


def _files(name: str, start: Path, is_there: Callable[[Path], bool]) -> Iterator[Path]:
    """Find the files of one name that may begin in a folder."""
    may_be_folder = name.endswith(FOLDER)
    for plain, inside in _spellings(name.rstrip(FOLDER)):
        path = start / plain
        for candidate in (path, *(path.parents if inside else ())):
            if is_there(candidate):
                yield candidate
                break
        else:
            if plain and (path.suffix or may_be_folder) and _is_folder(path):
                yield from files_below(path) if path.suffix else filter(is_there, path.iterdir())


def _spellings(name: str) -> Iterator[tuple[str, bool]]:
    """Give the paths that a name may mean, and whether each may lead into an archive."""
    name = name.removeprefix(":::BASE:::")
    scheme = _SCHEME.match(name)
    if scheme is not None and _VIRTUAL.match(name) is None:
        if scheme[1].lower() not in _LOCAL_SCHEMES:
            return
        name = name[scheme.end() :].split("?")[0]
    pieces = name.split(":")
    spans = [(0, len(pieces))]
    if 1 < len(pieces) <= _MOST_PIECES:
        spans = [(i, j) for i in range(len(pieces)) for j in range(i + 1, len(pieces) + 1)]
    for first, last in spans:
        piece = ":".join(pieces[first:last]).strip("\"'")
        plain = _VIRTUAL.sub("", piece).replace("}", "")
        yield plain, plain != piece
        if plain != piece and "," in plain:
            # /vsisubfile/OFFSET_LENGTH,PATH
            yield plain.split(",", 1)[1], True


def files_below(folder: Path) -> list[Path]:
    """List the files of a folder that is read as a whole, sorted; locks and logs, which readers leave, are none."""
    return sorted(f for f in folder.rglob("*") if not f.name.lower().endswith(_PASSING) and f.is_file())


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        # a text that no path can be
        return False
