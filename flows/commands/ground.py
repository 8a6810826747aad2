"""The command about the ground beside roads: which places to label next."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.arguments import read_overrides


def ground(asked: argparse.Namespace) -> dict[str, Any]:
    """Name the places whose label would teach most."""
    from tasks.results.called import place_called  # noqa: PLC0415
    from tasks.suggestions import suggest_labels  # noqa: PLC0415 - each command imports what it needs

    place = asked.place if asked.place.exists() else place_called(asked.place, asked.runs)
    return suggest_labels(place, read_overrides(asked.set), asked.runs, asked.file, asked.number)


def show_ground(found: dict[str, Any]) -> None:
    """Print the places, and where the file is."""
    table = Table(title=f"{found['city']}: places to label next ({found['crs']})", title_justify="left")
    for name in ("rank", "x", "y", "unsure", "between"):
        table.add_column(name, justify="left" if name == "between" else "right")
    for one in found["places"]:
        table.add_row(
            str(one["rank"]), f"{one['x']:,.0f}", f"{one['y']:,.0f}", f"{one['unsure']:.2f}", one["between"]
        )
    console = Console(soft_wrap=True)
    console.print(table)
    console.print("In QGIS: label all that lies in each square, and outline it as an extent.")
    console.print(found["file"], markup=False)
