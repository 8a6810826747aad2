"""What is printed at the end of a run: what was found, where to open what, and what became of everything."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

PROJECT, WORKBOOK = "overview.qgz", "tables.xlsx"
"""A project of QGIS, and the workbook, that may lie beside the GeoPackage."""
KEPT = "kept"
"""In place of seconds, of a stage that was taken from an earlier run."""
FATES = {"rejected": "faulty in the inputs", "failed": "failed while running"}


def show_run(summary: dict[str, Any]) -> None:
    """Print what was found, where to open what, warnings, and the table of stages; the GeoPackage's path comes last.

    Lines are wrapped at words where there is a terminal, and paths never are.

    Parameters
    ----------
    summary
        What the run says at its end (`tasks.store.summary.RunSummary.printed`).
    """
    found = summary.get("in_short")
    # what is found in short is from the notes
    _show(summary, found or [], [] if found else summary["notes"])


def show_all(summary: dict[str, Any]) -> None:
    """Print the same with all that stages note; see `show_run`."""
    _show(summary, summary.get("in_short") or [], summary["notes"])


def _show(summary: dict[str, Any], found: list[dict[str, str]], notes: list[str]) -> None:
    console = Console()
    console.print(f"{summary['city']}: run {summary['run_id']}", style="bold", markup=False)
    for one in found:
        say_sentence(console, f"{one['title']}: ", one["sentence"], style="bold")
    console.print()
    _show_places(console, summary)
    console.print()
    for warning in summary["warnings"]:
        say_sentence(console, "Warning: ", warning, style="yellow")
    for note in notes:
        say_sentence(console, "", f"{note[0].upper()}{note[1:]}.")
    console.print(_table(summary["stages"], summary["seconds"]))
    for status, meaning in FATES.items():
        count = sum(row[status] for row in summary["stages"])
        if count:
            were = "items were" if count > 1 else "item was"
            where = "the layer 'ledger' says which and why."
            say_sentence(console, "", f"{count:,} {were} {status} ({meaning}): {where}")
    sys.stdout.write(f"{summary['geopackage']}\n")


def say_sentence(console: Console, lead: str, text: str, style: str = "") -> None:
    """Print a sentence, wrapped at words where there is a terminal; elsewhere a line is a sentence."""
    line = Text.assemble((lead, style), text)
    console.print(line, soft_wrap=not console.is_terminal, highlight=False)


def _show_places(console: Console, summary: dict[str, Any]) -> None:
    """Say where to open what."""
    geopackage = Path(summary["geopackage"])
    folder = geopackage.parent
    project, tables = folder / PROJECT, folder / WORKBOOK
    qgis = project if project.exists() else f"{geopackage} (it holds the project)"
    places: dict[str, object] = {"Report": summary["report"], "QGIS project": qgis, "GeoPackage": geopackage}
    if tables.exists():
        places["Tables"] = tables
    places["In the browser"] = f"roadprint explore {shlex.quote(str(folder))}"
    for name, place in places.items():
        console.print(f"{name + ':':<16}{place}", markup=False, highlight=False, soft_wrap=True)


def _table(rows: list[dict[str, Any]], seconds: float) -> Table:
    """Lay out what became of the items of each stage that had any, and how long it took."""
    from tasks.stages.order import STAGES  # noqa: PLC0415 - the stages are heavy

    items = {stage.name: stage.counts[0] for stage in STAGES}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("stage", no_wrap=True)
    for column in ("done", "skipped", "rejected", "failed", "seconds"):
        table.add_column(column, justify="left" if column == "done" else "right", no_wrap=column != "done")
    for row in rows:
        if not any(row[status] for status in ("done", "skipped", *FATES)):
            continue
        counts = [f"{row[status]:,}" if row[status] else "" for status in ("skipped", *FATES)]
        of = items.get(row["name"], "")
        done = f"{row['done']:,} {of_one(of) if row['done'] == 1 else of}"
        table.add_row(row["name"], done, *counts, KEPT if row["cached"] else f"{row['seconds']:.1f}")
    table.add_row("in all", "", "", "", "", f"{seconds:.1f}", style="bold")
    return table


def of_one(items: str) -> str:
    """Say of one what stages count: the first word that tells of several.

    Examples
    --------
    >>> of_one("pictures beneath the map"), of_one("ground classes"), of_one("carried columns")
    ('picture beneath the map', 'ground class', 'carried column')
    """
    words = items.split()
    for place, word in enumerate(words):
        if word.endswith("s"):
            words[place] = word[:-2] if word.endswith("sses") else word[:-1]
            break
    return " ".join(words)
