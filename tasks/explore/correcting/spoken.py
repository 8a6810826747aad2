"""What was said in the page, kept beside the tables so that it can be taken back, and is missed where it is lost."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geo.errors import SourceError

FILE = ".said.jsonl"
"""In the city's folder: a line for each thing that was said in the page, or taken back."""
NAME_BYTES = 8


class TypeSaid(BaseModel):
    """What was said of a type: its line in ``clusters.csv`` before, and after."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cluster: int
    before: dict[str, Any]
    after: dict[str, Any]


class Spoken(BaseModel):
    """One thing that was said, or taken back.

    Attributes
    ----------
    name
        By which it is spoken of.
    by, at
        Who said it, and when (UTC).
    rows
        Lines of ``corrections.csv``, as `geo.clusters.hands.corrections.Correction.said` gives them.
    of_types
        Lines of ``clusters.csv``.
    takes_back
        Name of what it takes back; empty: it is said, not taken back.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default_factory=lambda: secrets.token_hex(NAME_BYTES))
    by: str
    at: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    rows: list[dict[str, Any]] = []
    of_types: list[TypeSaid] = []
    takes_back: str = ""


def spoken_in(folder: Path) -> list[Spoken]:
    """Read what was said in the page and has not been taken back, in the order in which it was said.

    Parameters
    ----------
    folder
        Folder of all runs of the city.

    Raises
    ------
    SourceError
        When the file cannot be read. A line that a crash cut off is passed over: it cannot be taken back.
    """
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SourceError(
            f"it cannot be read ({error.strerror})", where=str(folder / FILE), todo="Move it away."
        ) from error
    found: dict[str, Spoken] = {}
    for line in lines:
        try:
            one = Spoken.model_validate_json(line)
        except ValidationError:
            continue
        if one.takes_back:
            found.pop(one.takes_back, None)
        else:
            found[one.name] = one
    return list(found.values())


def keep(folder: Path, one: Spoken) -> None:
    """Add what was said to the file, and wait until it is on the disk; the lock of the words is held.

    Raises
    ------
    SourceError
        When it cannot be written: what was said stands in the tables, but cannot be taken back here.
    """
    path = folder / FILE
    line = json.dumps(one.model_dump(mode="json"), ensure_ascii=False) + "\n"
    try:
        with path.open("a+b") as file:
            # after a line that a crash cut off
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            begin = b"" if file.read() in {b"", b"\n"} else b"\n"
            file.write(begin + line.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SourceError(
            f"it cannot be written ({error.strerror}): what was said stands, but cannot be taken back in the page",
            where=str(path),
            todo="See that its folder can be written to; take it back in the tables themselves.",
        ) from error


def last_of(spoken: Sequence[Spoken], by: str) -> Spoken | None:
    """Give what somebody said last, and has not taken back."""
    return next((one for one in reversed(spoken) if one.by == by), None)
