"""Calling a type by a name outside of the page: the same words, which are kept in the same way."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from typing import Any

from geo.clusters.hands.checking import numbers_of
from geo.errors import WordError
from geo.outputs.names import FILE, Named, merges_of, title
from tasks.explore.correcting.corrected import Corrected, Standing
from tasks.explore.correcting.said import Speaker, call, version_of
from tasks.explore.page import Page

MOST_NAMED = 12


def call_type(page: Page, number: int, told: Mapping[str, str]) -> dict[str, Any]:
    """Give a type of a city's newest run a name, a colour or a note, for its next runs.

    Parameters
    ----------
    page
        The run.
    number
        Of the type.
    told
        What is to change, of ``name, colour, note``; an empty one is taken away.

    Returns
    -------
    ``type, before, after, changed, file``, ``was`` and ``is`` (how legends call it); ``also`` and ``same_colour``
    (other types that are called so, or have its colour).

    Raises
    ------
    WordError
        When the run cannot be corrected, has no such type, or it cannot be called so.
    ChangedError
        When somebody else has changed it at this moment.
    SourceError, BusyError
        When the table cannot be read or written; when another process holds it.
    """
    corrected = Corrected(page)
    standing = corrected.standing()
    line = _line(corrected, standing, number)
    spoken = call(
        corrected,
        number,
        {key: _plain(key, text) for key, text in told.items()},
        version_of(line),
        _speaker(),
    )
    now = corrected.standing().names
    after = now.get(number) or Named(cluster=number)
    others = {n: now.get(n) or Named(cluster=n) for n in sorted(_seen(corrected, standing) - {number})}
    return {
        "type": number,
        "before": _told(line),
        "after": _told(after),
        "was": title(number, line.name or f"Type {number}"),
        "is": title(number, after.name or f"Type {number}"),
        "changed": spoken is not None,
        "also": [n for n, one in others.items() if after.name and one.name == after.name],
        "same_colour": [n for n, one in others.items() if _told(one)["colour"] == _told(after)["colour"]],
        "file": str(corrected.folder / FILE),
    }


def called(page: Page) -> list[dict[str, Any]]:
    """List the types of a run as the next one will call them.

    Returns
    -------
    ``type, name, colour, note``, ``segments`` (of the run) and ``part_of`` (the type that it is made
    one with, or None).
    """
    corrected = Corrected(page)
    standing = corrected.standing()
    merges = merges_of(standing.names)
    return [
        {
            "type": number,
            **_told(standing.names.get(number) or Named(cluster=number)),
            "segments": corrected.sizes.get(number, 0),
            "part_of": merges.get(number),
        }
        for number in sorted(_numbers(corrected, standing))
    ]


def user() -> str:
    """Say what the system calls who is at work; empty where it does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _speaker() -> Speaker:
    return Speaker(user(), in_view=False)


def _numbers(corrected: Corrected, standing: Standing) -> set[int]:
    """Give the numbers of the run's types, and of those that its next one makes."""
    here = {int(number) for number in corrected.page.types["cluster"]}
    return here | numbers_of(standing.corrections, corrected.known, standing.names)


def _seen(corrected: Corrected, standing: Standing) -> set[int]:
    """Give the numbers that the next run shows: those that are part of no other type."""
    return _numbers(corrected, standing) - merges_of(standing.names).keys()


def _line(corrected: Corrected, standing: Standing, number: int) -> Named:
    """Find what stands of a type; one that nobody would see under its name is refused."""
    numbers, merges = sorted(_numbers(corrected, standing)), merges_of(standing.names)
    line = standing.names.get(number) or Named(cluster=number) if number in numbers else None
    if line is None:
        there = [str(one) for one in sorted(_seen(corrected, standing))]
        some = ", ".join(there[:MOST_NAMED]) + (", ..." if len(there) > MOST_NAMED else "")
        raise WordError(
            f"{corrected.run.city} has no type {number}",
            where="name",
            todo=f"Its newest run has the types {some}." if there else "Its newest run has no types.",
        )
    if number in merges:
        raise WordError(
            f"type {number} is part of type {merges[number]}, and is shown under the name of that one",
            where="name",
            todo=f"Name type {merges[number]}, or make {number} a type of its own again: "
            "roadprint explore CITY --edit.",
        )
    return line


def _plain(key: str, text: str) -> str:
    """Write a colour as the table has it: a shell takes what follows a # for a remark."""
    bare = key == "colour" and re.fullmatch(r"[0-9A-Fa-f]{6}", text)
    return f"#{text}" if bare else text


def _told(line: Named) -> dict[str, str]:
    return {"name": line.name, "colour": line.colour or line.plain_colour, "note": line.note}
