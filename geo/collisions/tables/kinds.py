"""What kind of table a file holds, told by its content and not by its ending."""

from __future__ import annotations

import codecs
import zipfile
from pathlib import Path
from typing import Literal

from geo.errors import SourceError

Kind = Literal["text", "workbook", "json", "parquet", "arrow", "vector", "gzip", "bzip2", "xz", "zip"]
_HEAD = 65_536
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"),
    (b"SQLite format 3\0", "vector"),
    (b"fgb\x03fgb", "vector"),
    (b"\0\0\x27\x0a", "vector"),
    (b"!table", "vector"),
)
"""How files of each kind begin; the last two are Shapefile and MapInfo."""
_REFUSED = (
    (b"%PDF", "a PDF", "Save the table as CSV or as a workbook."),
    (b"{\\rtf", "a text document", "Save the table as CSV or as a workbook."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it, and name the table in it."),
    (b"Rar!", "a RAR archive", "Unpack it, and name the table in it."),
    (b"(\xb5/\xfd", "compressed with Zstandard", "Unpack it, and name the table."),
    (b"\0\1\0\0Standard ", "a database of Microsoft Access", "Export the table as CSV."),
    (b"RDX", "a file of R", "Save the table as CSV in R (write.csv)."),
    (b"RDA", "a file of R", "Save the table as CSV in R (write.csv)."),
    (
        b"version https://git-lfs",
        "the stand-in of Git LFS for a file",
        "Fetch the file itself: git lfs pull.",
    ),
)
_MARKUP = (
    (
        b'progid="excel.sheet"',
        "a workbook of 2003 in XML",
        "Open it in a spreadsheet and save it as .xlsx or CSV.",
    ),
    (
        b"urn:schemas-microsoft-com:office:spreadsheet",
        "a workbook of 2003 in XML",
        "Save it as .xlsx or CSV.",
    ),
    (
        b"<!doctype html",
        "a web page (HTML)",
        "Look at it in a browser: the download may have failed. Give the table itself.",
    ),
    (
        b"<html",
        "a web page (HTML)",
        "Look at it in a browser: the download may have failed. Give the table itself.",
    ),
    (b"<table", "a web page (HTML)", "Open it in a spreadsheet and save it as .xlsx or CSV."),
)
_WORKBOOKS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
"""A member of each kind of workbook that is a zip archive: .xlsx, .xlsb and .ods."""
_OF_GDAL = {".dbf", ".mif", ".gml", ".kml", ".gpx", ".vrt", ".osm", ".pbf"}
"""Endings of forms that begin as other text, or bytes, may."""
_BYTES_OF_NO_TEXT = bytes({*range(0x20)} - {*b"\0\t\n\v\f\r\x1a\x1b"})


def kind_of(path: Path, name: str) -> Kind:
    """Tell what kind of table a file holds.

    Parameters
    ----------
    path
        A file, or a folder that GDAL reads as one.
    name
        Of the source, for messages.

    Raises
    ------
    SourceError
        When it is something that holds no table, or that nothing here reads.
    """
    if path.is_dir():
        return "vector"
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            with zipfile.ZipFile(path) as archive:
                return "workbook" if any(member in archive.namelist() for member in _WORKBOOKS) else "zip"
    except (OSError, NotImplementedError, zipfile.BadZipFile) as error:
        raise SourceError(f"it cannot be read ({error})", where=name, todo="Look at the file.") from error
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    for magic, what, todo in _REFUSED:
        if head.startswith(magic):
            raise SourceError(f"it is {what}", where=name, todo=todo)
    return _of_text(path, head, name)


def _of_text(path: Path, head: bytes, name: str) -> Kind:
    """Tell kinds that are text, and what is not text either."""
    plain = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if plain.startswith(b"<"):
        lower = plain.lower()
        for mark, what, todo in _MARKUP:
            if mark in lower:
                raise SourceError(f"it is {what}", where=name, todo=todo)
        return "vector"
    if path.suffix.lower() in _OF_GDAL:
        return "vector"
    if plain[:1] in {b"{", b"["} and plain[1:].lstrip()[:1] in {b'"', b"{", b"[", b"}", b"]"}:
        return "json"
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    odd = sum(map(head.count, map(bytes, zip(_BYTES_OF_NO_TEXT))))
    return "text" if wide or odd <= len(head) / 100 else "vector"
