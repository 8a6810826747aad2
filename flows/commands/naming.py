"""The command that gives a type of road a name, or says how types are called."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from geo.errors import ConfigurationError

_WORDS = {"name": "name", "colour": "colour", "note": "note"}


def name(asked: argparse.Namespace) -> dict[str, Any]:
    """Give a type a name, or list what types are called."""
    told = _told(asked)
    from tasks.explore.correcting.calling import call_type, called  # noqa: PLC0415 - each command imports what it needs
    from tasks.explore.page import Page  # noqa: PLC0415
    from tasks.results.called import run_at  # noqa: PLC0415

    run = run_at(asked.run, asked.out)
    # no pictures are looked at
    page = Page(run, edit=True, kept=run.geopackage.parent)
    found = {"city": run.city, "run": str(run.folder)}
    if asked.number is None:
        return found | {"types": called(page)}
    return found | call_type(page, asked.number, told)


def _told(asked: argparse.Namespace) -> dict[str, str]:
    """Say what is to change.

    Raises
    ------
    ConfigurationError
        When nothing is, or words are given and taken away at once.
    """
    given = {"name": asked.called, "colour": asked.color, "note": asked.note}
    told = {key: text.strip() for key, text in given.items() if text is not None}
    if asked.number is None:
        return told
    if asked.remove and told:
        raise ConfigurationError(
            "a type is named and its name is taken away at once", where="--remove", todo="Give one of them."
        )
    if asked.remove:
        return dict.fromkeys(given, "")
    if not told:
        raise ConfigurationError(
            f"nothing is said of type {asked.number}",
            where="name",
            todo='Give it a name ("High street"), --color or --note; --remove takes these away.',
        )
    if told.get("name") == "":
        raise ConfigurationError("the name is empty", where="name", todo="--remove takes a name away.")
    return told


def show_named(found: dict[str, Any]) -> None:
    """Say what has changed, and when it will be seen; or list the types."""
    if "types" in found:
        _show_types(found)
        return
    before, after = found["before"], found["after"]
    if not found["changed"]:
        sys.stdout.write(f"{found['is']}: it is called so already; nothing has changed.\n")
        return
    sys.stdout.write(f"{found['was']}, of {found['city']}:\n")
    for key, word in _WORDS.items():
        if before[key] != after[key]:
            sys.stdout.write(f"  {word}: {before[key] or 'none'} -> {after[key] or 'none'}\n")
    for key, said in (("also", f"called {after['name']!r}"), ("same_colour", "of that colour")):
        if found[key]:
            also = " and ".join(f"type {number}" for number in found[key])
            sys.stdout.write(f"  {also} {'are' if len(found[key]) > 1 else 'is'} {said}, too\n")
    sys.stdout.write(f"Kept in {found['file']}.\n")
    sys.stdout.write(
        "The map, the report and the tables show it after the next run, which takes all else from before: "
        "roadprint run with the city's file.\n"
    )


def _show_types(found: dict[str, Any]) -> None:
    table = Table(title=f"{found['city']}: what types are called in the next run", title_justify="left")
    table.add_column("type", justify="right")
    table.add_column("name")
    table.add_column("colour")
    table.add_column("segments", justify="right")
    table.add_column("note")
    for one in found["types"]:
        named = one["name"] if one["part_of"] is None else f"part of type {one['part_of']}"
        table.add_row(str(one["type"]), named, one["colour"], f"{one['segments']:,}", one["note"])
    Console(soft_wrap=True, markup=False).print(table)
