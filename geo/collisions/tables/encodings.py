"""The text that the bytes of a table mean, and never another in silence."""

from __future__ import annotations

import codecs
import re
import unicodedata

from geo.collisions.tables.table import Form
from geo.errors import SourceError

_SIGNATURES = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Signatures of Unicode, which say what a file is whatever else does; that of UTF-32 begins as that of UTF-16."""
_SAMPLE = 8192
_LIKELY = ("cp1252", "cp1250", "cp1251", "cp850", "mac-roman", "gb18030", "shift-jis")
"""Encodings that tables come in, to show what a word would be in them."""
_MULTI_BYTE_LEAST = 30
"""So many characters of several bytes that are all valid in UTF-8 are no chance, whatever the encoding may be."""
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_WORD = re.compile(rb"[A-Za-z0-9 .\x80-\xff-]*[\x80-\xff][A-Za-z0-9 .\x80-\xff-]*")
_FOLLOWING = bytes(range(0x80, 0xC0)).decode("cp1252", "ignore") + "".join(map(chr, range(0x80, 0xA0)))
_TWICE = re.compile(f"[\u00c2-\u00f4][{re.escape(_FOLLOWING)}]+")
_LATIN = re.compile("[\u00a0-\u017f\u2010-\u2044\u20ac]+")
_CONTROLS = re.compile(r"[\x80-\x9f]")


def decode(data: bytes, form: Form, where: str) -> str:
    """Decode a table by its signature, else by the encoding that its section names, UTF-16 found out.

    Raises
    ------
    SourceError
        When it is not text in that encoding, or surely text in another, naming the key.
    """
    for signature, encoding in _SIGNATURES:
        if data.startswith(signature):
            return _decoded(data, encoding, form, where)
    _check_name(form, where)
    if is_utf8(form.encoding):
        return _decoded(data, _utf16(data) or form.encoding, form, where)
    found = _decoded(data, form.encoding, form, where)
    if not _is_unicode(form.encoding):
        _check_not_utf8(data, form, where)
        if _CONTROLS.search(found):
            raise _other(
                f"it is not text in the encoding {form.encoding}: some bytes mean nothing", data, form, where
            )
    return found


def misread(text: str) -> tuple[str, int]:
    """Find words that were in UTF-8 once, and were read as another encoding before the file was written.

    Returns
    -------
    One of them, with what it was; and how often a letter of theirs stands in the text.
    """
    found = [one for one in _TWICE.findall(text) if _before(one) is not None] if not text.isascii() else []
    if not found:
        return "", 0
    at = text.index(found[0])
    word = (
        re.split(r"[\s,;|\t\"]", text[max(0, at - 20) : at])[-1]
        + re.split(r"[\s,;|\t\"]", text[at : at + 20])[0]
    )
    return f"{word!r} for {_TWICE.sub(lambda one: _before(one[0]) or one[0], word)!r}", len(found)


def _before(letters: str) -> str | None:
    """Give the letters that stood where two or more stand now; None where these were none of UTF-8."""
    try:
        found = b"".join(_byte(letter) for letter in letters).decode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None
    return found if _LATIN.fullmatch(found) else None


def _byte(letter: str) -> bytes:
    return letter.encode("latin-1" if ord(letter) < 0xA0 else "cp1252")


def is_utf8(encoding: str) -> bool:
    """Tell UTF-8 under any of its names."""
    try:
        return codecs.lookup(encoding).name in {"utf-8", "utf-8-sig"}
    except LookupError:
        return False


def readings(word: bytes) -> str:
    """Show what bytes would be in the encodings that tables come in."""
    found: dict[str, str] = {}
    for encoding in _LIKELY:
        try:
            text = word.decode(encoding).strip()
        except UnicodeDecodeError:
            continue
        if text.isprintable():
            found.setdefault(text, encoding)
    return ", ".join(f"{text!r} as {encoding}" for text, encoding in list(found.items())[:4])


def _check_name(form: Form, where: str) -> None:
    try:
        "".encode(form.encoding)
        codecs.lookup(form.encoding)
    except LookupError as error:
        raise SourceError(
            f"no encoding of text is called {form.encoding!r}",
            where=where,
            todo=f"Name one that Python knows in {form.columns}.encoding, utf-8 or cp1252 for example.",
        ) from error


def _decoded(data: bytes, encoding: str, form: Form, where: str) -> str:
    try:
        text = data.decode(encoding).lstrip("\ufeff")
        return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)
    except UnicodeDecodeError as error:
        fault = f"it is not text in the encoding {encoding} ({error.reason} at byte {error.start:,})"
        raise _other(fault, data[max(0, error.start - 60) :], form, where) from error


def _other(fault: str, data: bytes, form: Form, where: str) -> SourceError:
    """Make the error of an encoding that is not that of the file, with what a word of it would be in others."""
    word = _WORD.search(data)
    shown = readings(word[0][:60]) if word is not None else ""
    return SourceError(
        f"{fault}; {shown}" if shown else fault,
        where=where,
        todo=form.asks("encoding", "Name its encoding", "latin-1"),
    )


def _is_unicode(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith("utf")


def _utf16(data: bytes) -> str | None:
    """Tell UTF-16 without a signature: half of the bytes of plain characters are zero, all on one side."""
    sample = data[: _SAMPLE - _SAMPLE % 2]
    sides = sample[0::2].count(0), sample[1::2].count(0)
    if min(sides) or max(sides) < len(sample) / 8:
        return None
    encoding = "utf-16-le" if sides[1] else "utf-16-be"
    try:
        text = sample.decode(encoding, "strict" if len(sample) == len(data) else "ignore")
    except UnicodeDecodeError:
        return None
    plain = sum(letter.isascii() for letter in text)
    return encoding if plain > len(text) / 2 else None


def _check_not_utf8(data: bytes, form: Form, where: str) -> None:
    """Refuse an encoding that is named for a file in UTF-8: each of its letters would become two others."""
    stretches = _BEYOND_ASCII.findall(data)
    if not stretches:
        return
    try:
        letters = sum(len(one.decode("utf-8")) for one in stretches)
    except UnicodeDecodeError:
        return
    single = len(bytes(range(0xA1, 0x100)).decode(form.encoding, "ignore")) > 0x5A
    if single or letters >= _MULTI_BYTE_LEAST:
        word = _WORD.search(data)
        shown = "" if word is None else f": {word[0][:60].decode('utf-8', 'ignore').strip()!r}"
        raise SourceError(
            f"{form.encoding} is named for it, but it is text in UTF-8{shown}",
            where=where,
            todo=f"Take {form.columns}.encoding away, or write utf-8.",
        )
