"""The command that opens what a run has left: its report, its project in QGIS, its tables, its folder, the explorer."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from flows.terminal.screen import has_screen, show

EXPLORER = "explorer"


def open_results(asked: argparse.Namespace) -> dict[str, Any]:
    """Open it where there is a screen; gives its path, which nothing of the run's own decides."""
    from tasks.results.called import run_at  # noqa: PLC0415 - each command imports what it needs

    run = run_at(asked.run, asked.out)
    found = {"city": run.city, "run": str(run.folder or run.geopackage), "what": asked.what}
    if asked.what == EXPLORER:
        from flows.explore.serving import serve  # noqa: PLC0415
        from tasks.explore.opening import open_page  # noqa: PLC0415

        serve(open_page(run.folder or run.geopackage, edit=False), None, browser=True, quiet=asked.quiet)
        return found | {"path": None, "opened": True}
    from tasks.results.shown import to_show  # noqa: PLC0415

    place = to_show(run, asked.what)
    return found | {"path": str(place), "opened": not asked.no_open and show(place)}


def show_opened(found: dict[str, Any]) -> None:
    """Print the path, and say where it was not opened."""
    if found["path"] is None:
        sys.stderr.write(f"{found['city']} is shown no more.\n")
        return
    if not found["opened"]:
        why = "no program was found that opens it" if has_screen() else "there is no screen here"
        sys.stderr.write(f"Not opened: {why}. This is the path:\n")
    sys.stdout.write(f"{found['path']}\n")


def path_of(found: dict[str, Any]) -> str | None:
    """Give the one line of it."""
    return None if found["path"] is None else str(found["path"])
