"""What the head of a typology's file says, read without its arrays and without any library of them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from geo.errors import SourceError

KEY = "roadprint.typology"
"""The one key of the file's metadata: of several, the order of writing would be open."""
FORMAT = 1
"""Raised when a file of before means something else."""
_LENGTH = struct.Struct("<Q")
_MOST = 100_000_000
"""No head is longer (bytes; the format's own limit)."""


def read_head(path: Path) -> dict[str, Any]:
    """Read what a typology says of itself: ``digest`` and ``card`` (`geo.clusters.typology.model.Card`).

    The format is that of safetensors: the length of the head in eight bytes, the head as JSON, then the arrays.

    Raises
    ------
    SourceError
        When it is not there, is no typology, is not whole, or is of a newer roadprint.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            start = file.read(_LENGTH.size)
            length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else size
            if length > min(_MOST, size - _LENGTH.size):
                raise refused(path, "it is no typology, or not whole")
            raw = file.read(length)
    except OSError as error:
        raise refused(path, f"it cannot be read ({error.strerror})") from error
    try:
        head = json.loads(raw)
        told = head["__metadata__"][KEY]
        found: dict[str, Any] = json.loads(told)
        written, _ = found["card"]["format"], found["digest"]
        ends = [part["data_offsets"][1] for name, part in head.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refused(path, "it is no typology") from error
    if isinstance(written, int) and written > FORMAT:
        raise refused(path, f"a newer roadprint wrote it (format {written}; this one reads {FORMAT})")
    if size != _LENGTH.size + length + max(ends, default=0):
        raise refused(path, "it is not whole")
    return found


def refused(path: Path, why: str) -> SourceError:
    """Make the error of a file that is no typology that can be used."""
    return SourceError(
        why,
        where=str(path),
        todo="Name a file that 'roadprint typology fit' wrote, in clusters.typology or on the command line.",
    )
