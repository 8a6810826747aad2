"""The command that says which findings of a city stand if choices were made otherwise."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.arguments import read_overrides
from flows.commands.cities import meant
from flows.running import vary


def sensitivity(asked: argparse.Namespace) -> dict[str, Any]:
    """Run the variants of a city, and its own run where that has not been made."""
    city, out = meant(asked)
    return vary(city, read_overrides(asked.set), out)


def show_sensitivity(found: dict[str, Any]) -> None:
    """Print how often each finding stands, what the others depend on, and where the table is."""
    table = Table(title=f"{found['city']}: what stands if choices were made otherwise", title_justify="left")
    for name, justify in (("finding", "left"), ("stands in", "right"), ("depends on", "left")):
        table.add_column(name, justify="right" if justify == "right" else "left")
    for row in found["findings"]:
        stands = f"{row['n_stands']} of {row['n_variants']}"
        table.add_row(row["says"], stands, row["otherwise"])
    console = Console(soft_wrap=True)
    console.print(table)
    for sentence in found["sentences"]:
        console.print(f"{sentence}.", markup=False)
    console.print(f"Report: {found['report']}", markup=False)
    console.print(f"Table: {found['csv']}", markup=False)
    sys.stdout.write(f"{found['geopackage']}\n")
