"""Text of Shapefiles, whose encoding is often not stated: found out from its bytes, and told."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile, is_zipfile

import pandas as pd

from geo.addresses import is_url

BYTES = "ISO-8859-1"
"""Read as this, every byte is one letter, and none is lost."""
WESTERN = "windows-1252"
"""What is taken where nothing tells the encoding, as GDAL and ArcGIS take it for files of western systems."""
_STATES_NOTHING = {0x00, 0x57}
"""Of a dBase file, the language drivers that say nothing: none, and that of the machine it was written on."""
_LANGUAGE_DRIVER = 29


def states_encoding(source: str) -> bool:
    """Tell whether a file has its text in an encoding that it states.

    All do but Shapefiles without ``.cpg``, which may lie in a folder or in a zip archive.
    """
    path = Path(source)
    if is_url(source) or not path.exists() or path.suffix.lower() not in {".shp", ".dbf", ".zip", ""}:
        return True
    names = _together_with(path)
    return not any(name.lower().endswith(".dbf") for name in names) or any(
        name.lower().endswith(".cpg") for name in names
    )


def _together_with(path: Path) -> list[str]:
    """List the files of an archive or a folder, or those beside a file that have its name."""
    if path.suffix.lower() == ".zip":
        if not is_zipfile(path):
            return []
        with ZipFile(path) as archive:
            return archive.namelist()
    if path.is_dir():
        return [each.name for each in path.iterdir()]
    stem = path.stem.casefold()
    return [each.name for each in path.parent.iterdir() if each.stem.casefold() == stem]


def has_language(source: str) -> bool:
    """Tell whether the header of a Shapefile's table names a code page, which GDAL then follows."""
    path = Path(source)
    tables = [name for name in _together_with(path) if name.lower().endswith(".dbf")]
    if not tables:
        return False
    if path.suffix.lower() == ".zip":
        with ZipFile(path) as archive, archive.open(tables[0]) as file:
            head = file.read(_LANGUAGE_DRIVER + 1)
    else:
        with ((path if path.is_dir() else path.parent) / tables[0]).open("rb") as file:
            head = file.read(_LANGUAGE_DRIVER + 1)
    return len(head) > _LANGUAGE_DRIVER and head[_LANGUAGE_DRIVER] not in _STATES_NOTHING


def find_encoding(rows: pd.DataFrame) -> tuple[str | None, int]:
    """Find the encoding of text that was read as `BYTES`.

    Returns
    -------
    ``UTF-8`` where all letters beyond ASCII are valid in it, else None; and how many rows have such letters. A letter
    that is cut off at the end of a cell, where the column was too narrow, is no fault.
    """
    beyond = pd.Series(data=False, index=rows.index)
    valid = True
    for name in _texts(rows):
        text = rows[name].astype("string").fillna("")
        with_letters = ~text.map(str.isascii).astype(bool)
        beyond |= with_letters
        valid &= all(_is_utf8(each) for each in text[with_letters].unique())
    valid &= all(_is_utf8(str(name)) for name in rows.columns)
    named = any(not str(name).isascii() for name in rows.columns)
    count = int(beyond.sum()) or int(named)
    return ("UTF-8" if valid and count else None), count


def decode(rows: pd.DataFrame, encoding: str) -> pd.DataFrame:
    """Decode names of columns and cells that were read as `BYTES`; raises LookupError for an unknown encoding.

    What is no letter in it becomes the replacement character; a letter that is cut off at the end is left out.
    """
    "".encode(encoding)

    def plain(text: object) -> object:
        if not isinstance(text, str) or text.isascii():
            return text
        return text.encode(BYTES).decode(encoding, errors="replace").rstrip("\ufffd")

    decoded = rows.copy()
    for name in _texts(rows):
        decoded[name] = rows[name].map({each: plain(each) for each in rows[name].dropna().unique()})
    return decoded.rename(columns=plain)


def mistaken_letters(names: pd.Series) -> list[str]:
    """Tell names whose letters are UTF-8 that was taken for a western encoding, here or by whoever wrote the file."""
    texts = [str(name) for name in names.dropna().unique() if not str(name).isascii()]
    meant = {text: right for text in texts if (right := _meant(text)) is not None}
    if 2 * len(meant) <= len(texts):
        return []
    wrong, right = next(iter(meant.items()))
    told = f"{len(meant):,} names of roads are written as {wrong!r}, where {right!r} is meant"
    return [f"{told}: UTF-8 that was read as another encoding, by roads.encoding or by what wrote the file"]


def _meant(text: str) -> str | None:
    """Read letters again as the bytes that they stand for; None where that makes no UTF-8."""
    for western in (BYTES, WESTERN):
        try:
            return text.encode(western).decode("utf-8")
        except UnicodeError:
            continue
    return None


def _texts(rows: pd.DataFrame) -> list[str]:
    """Name the columns of text."""
    return [str(name) for name in rows if pd.api.types.infer_dtype(rows[name], skipna=True) == "string"]


def _is_utf8(text: str) -> bool:
    try:
        text.encode(BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    except UnicodeEncodeError:
        return False
    return True
