"""Files within files: what is compressed, and the tables in an archive."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO

from geo.collisions.tables.kinds import Kind, kind_of
from geo.collisions.tables.table import Form
from geo.errors import LayerError, SourceError, meant

_OPEN: dict[Kind, Callable[[Path], IO[bytes] | gzip.GzipFile]] = {
    "gzip": gzip.GzipFile,
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
_DAMAGED = (
    OSError,
    EOFError,
    lzma.LZMAError,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
)
"""What unpacking raises for a damaged file, one behind a password, or a method that nothing here knows."""
_BESIDE = {
    *(
        ".cpg",
        ".prj",
        ".shx",
        ".dbf",
        ".sbn",
        ".sbx",
        ".qix",
        ".qpj",
        ".qmd",
        ".csvt",
        ".idm",
        ".ind",
        ".map",
        ".id",
    ),
    *(
        ".mid",
        ".xml",
        ".qml",
        ".sld",
        ".lyr",
        ".lyrx",
        ".pdf",
        ".doc",
        ".docx",
        ".htm",
        ".html",
        ".md",
        ".rtf",
    ),
    *(".png", ".jpg", ".jpeg", ".gif", ".css", ".js", ".url", ".yml", ".yaml"),
}
"""Endings of what lies in an archive with tables and is none."""
_ABOUT = ("readme", "read_me", "licen", "liesmich", "lisezmoi", "metadata", "changelog", "about")
_OF_DATABASE = ".gdb"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a file on this machine.

    Attributes
    ----------
    path
        The file, or the folder of a FileGDB.
    kind
        What it holds; no container.
    name
        Where it came from, for messages.
    within
        Layer or sheet that its source names; empty: none.
    """

    path: Path
    kind: Kind
    name: str
    within: str


def unpacked(path: Path, within: str, folder: Path, form: Form, name: str) -> Iterator[Table]:
    """Find the tables of a file, out of whatever they are packed in.

    Parameters
    ----------
    path
        The file.
    within
        What the source names after it: a member of an archive, a layer or a sheet, or a pattern of members.
    folder
        An empty folder, where members are unpacked to.
    form, name
        For messages.

    Raises
    ------
    SourceError
        When it is damaged.
    LayerError
        When an archive holds no table, or several and none is named, listing them.
    """
    kind = kind_of(path, name)
    if kind in _OPEN:
        inner = folder / (path.stem if path.suffix.lower() in {".gz", ".bz2", ".xz"} else path.name)
        try:
            with _OPEN[kind](path) as packed, inner.open("wb") as file:
                shutil.copyfileobj(packed, file)
        except _DAMAGED as error:
            raise _damaged(name, error) from error
        yield from unpacked(inner, within, _below(folder), form, name)
    elif kind == "zip":
        yield from _members(path, within, folder, form, name)
    else:
        yield Table(path, kind, name, within)


def members_of(path: Path) -> list[str]:
    """List the tables of an archive.

    Raises
    ------
    SourceError
        When it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return tables_among([member for member in archive.namelist() if not member.endswith("/")])
    except _DAMAGED as error:
        raise _damaged(str(path), error) from error


def _members(path: Path, within: str, folder: Path, form: Form, name: str) -> Iterator[Table]:
    """Find the tables of an archive."""
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.namelist() if not member.endswith("/")]
        tables = tables_among(members)
        for table, rest in _asked(tables, within, name, form):
            stem = str(PurePosixPath(table).with_suffix("")) + "."
            parts = [m for m in members if m == table or m.startswith((f"{table}/", stem))]
            try:
                for part in parts:
                    archive.extract(part, folder)
            except _DAMAGED as error:
                raise _damaged(f"{name}/{table}", error) from error
            yield from unpacked(folder / table, rest, _below(folder), form, f"{name}/{table}")


def tables_among(members: list[str]) -> list[str]:
    """List the members that are tables; a FileGDB and a Shapefile are one each."""
    found: dict[str, None] = {}
    drawn = {
        str(PurePosixPath(m).with_suffix("")) for m in members if m.lower().endswith((".shp", ".tab", ".mif"))
    }
    for member in members:
        path = PurePosixPath(member)
        database = next((str(above) for above in path.parents if above.suffix.lower() == _OF_DATABASE), None)
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        alone = path.suffix.lower() == ".dbf" and str(path.with_suffix("")) not in drawn
        about = path.name.lower().startswith(_ABOUT) and path.suffix.lower() in {".txt", ""}
        if database is not None:
            found[database] = None
        elif alone or not (hidden or about or path.suffix.lower() in _BESIDE):
            found[member] = None
    return list(found)


def _asked(tables: list[str], within: str, name: str, form: Form) -> list[tuple[str, str]]:
    """Choose members, each with what is asked for within it."""
    there = ", ".join(tables[:20]) + (f" and {len(tables) - 20} more" if len(tables) > 20 else "")
    if not tables:
        raise LayerError(
            "there is no table in it", where=name, todo=f"Give an archive with a table for {form.section}."
        )
    if not within:
        if len(tables) > 1:
            raise LayerError(
                f"there is more than one table in it: {there}",
                where=name,
                todo=f"Name one after the archive, {name}/{tables[0]} for example, or a pattern: {name}/*.csv.",
            )
        return [(tables[0], "")]
    for table in tables:
        if within == table or within.startswith(f"{table}/"):
            return [(table, within[len(table) + 1 :])]
    found = [t for t in tables if fnmatchcase(t, within) or fnmatchcase(PurePosixPath(t).name, within)]
    if not found and len(tables) == 1:
        return [(tables[0], within)]
    if not found:
        raise LayerError(
            f"there is no {within!r} in it, only {there}{meant(within, tables)}",
            where=name,
            todo="Name one of those.",
        )
    return [(table, "") for table in found]


def _below(folder: Path) -> Path:
    """Make a folder for what lies one level deeper."""
    inner = folder / "within"
    while inner.exists():
        inner = inner / "within"
    inner.mkdir()
    return inner


def _damaged(name: str, error: Exception) -> SourceError:
    return SourceError(
        f"it cannot be unpacked ({str(error) or type(error).__name__:.200})",
        where=name,
        todo="Unpack it with another program, and name the table itself; or fetch it again.",
    )
