"""Data and scripts written so that they may stand within a page, and take little of it."""

from __future__ import annotations

import base64
import json
import zlib

STRONGEST = 9
"""Level of the compression: slower to write, as fast to read."""


def safe_json(value: object) -> str:
    """Write JSON in ASCII that may stand within HTML: no character of it is markup or ends a script."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def pack(text: str) -> str:
    """Write a text as base 64 of its deflated bytes, which a browser's ``DecompressionStream("deflate")`` reads.

    Source
    ------
    RFC 1950 (zlib) and RFC 4648; what is written has no character that HTML heeds.
    """
    return base64.b64encode(zlib.compress(text.encode("utf-8"), STRONGEST)).decode("ascii")


def unpack(text: str) -> str:
    """Read what `pack` wrote."""
    return zlib.decompress(base64.b64decode(text)).decode("utf-8")
