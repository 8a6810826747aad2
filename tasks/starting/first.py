"""A city's first file on disk: written whole, checked as any other, with what the check says on top."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geo.config import load
from geo.errors import RoadprintError
from geo.starting.guess import as_yaml
from geo.starting.writing import write_city
from tasks.ahead.forecast import forecast
from tasks.starting.draft import Draft, told_left
from tasks.starting.paths import unwritable

_HEAD = ("Written by 'roadprint init': each key with what it was guessed from. All keys: docs/city-file.md.",)
_UNSURE = "Look at the lines that say NOT SURE: nothing in the files tells what is right there."


def write(draft: Draft, refused: str = "") -> None:
    """Write the file.

    Parameters
    ----------
    draft
        What is written.
    refused
        Why a run is refused so far; empty: it is not, as far as is known.

    Raises
    ------
    ConfigurationError
        When it cannot be written.
    """
    head = [*_HEAD]
    if any(guess.doubt for guess in draft.guesses):
        head.append(_UNSURE)
    if refused:
        head.append(f"A run of it is refused so far: {refused}")
    part = draft.file.with_name(f".{draft.file.name}.part")
    try:
        part.write_text(write_city(draft.guesses, head), encoding="utf-8")
        part.replace(draft.file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise unwritable(draft.file, error.strerror or str(error)) from error


def checked(draft: Draft) -> dict[str, Any]:
    """Check a file that was written; where a run is refused, the reason is written on top of it.

    Returns
    -------
    ``city``, ``file``; ``guesses``: ``key``, ``value``, ``written``, ``why``, ``doubt``, ``others``; ``left``: what is
    not used; ``check``: the forecast, None where a run is refused; ``refused``: why, else None.
    """
    check, refused = _check(draft.file)
    if refused is not None:
        write(draft, refused)
    return {
        "city": draft.city,
        "file": str(draft.file),
        "guesses": _as_rows(draft),
        "left": told_left(draft.left),
        "check": check,
        "refused": refused,
    }


def _check(file: Path) -> tuple[dict[str, Any] | None, str | None]:
    try:
        return forecast(load(file)), None
    except RoadprintError as error:
        return None, str(error)


def _as_rows(draft: Draft) -> Sequence[dict[str, Any]]:
    return [
        {
            "key": guess.key,
            "value": as_yaml(guess.value),
            "written": not guess.left_out,
            "why": " ".join(guess.why),
            "doubt": guess.doubt,
            "others": [{"value": as_yaml(option.value), "says": option.says} for option in guess.options],
        }
        for guess in draft.guesses
    ]
