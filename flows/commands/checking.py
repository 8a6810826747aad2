"""The command that says what a run of a city would meet."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.arguments import read_overrides
from flows.commands.cities import meant
from flows.commands.ending import say_sentence
from flows.progress import stage_bar
from flows.secrets import unlock
from geo.config import load
from geo.errors import RoadprintError

NOT_READY = "Not ready: a run would be refused for this."


def check(asked: argparse.Namespace) -> dict[str, Any]:
    """Read all that a run would read, and forecast it; what it is refused for ends in a verdict, too."""
    try:
        with stage_bar("reading"):
            from tasks.ahead.forecast import forecast  # noqa: PLC0415 - torch takes seconds

            overrides = read_overrides(asked.set)
            city, out = meant(asked)
            unlock(city, overrides)
            return forecast(load(city, overrides), out)
    except RoadprintError as error:
        if asked.json or asked.quiet:
            raise
        todo = f"{error.todo}\n{NOT_READY}" if error.todo else NOT_READY
        raise type(error)(error.what, where=error.where, todo=todo) from error


def show_check(found: dict[str, Any]) -> None:
    """Print a forecast: its figures, what would be left out, warnings, and the verdict."""
    table = Table(title=f"{found['city']}: what a run would meet", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for key, value in found["forecast"].items():
        table.add_row(key.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value))
    console = Console()
    console.print(table)
    for entry in found["ledger"]:
        if entry["status"] != "done" and entry["count"]:
            told = f"{entry['count']:,} {entry['item']} {entry['status']}: {entry['reason']}"
            say_sentence(console, "", told)
    for warning in found["warnings"]:
        say_sentence(console, "Warning: ", warning, style="yellow")
    console.print()
    first, *others = found["verdict"]
    say_sentence(console, f"{first} ", " ".join(others), style="bold")


def verdict_of(found: dict[str, Any]) -> str:
    """Give the verdict."""
    return " ".join(found["verdict"])
