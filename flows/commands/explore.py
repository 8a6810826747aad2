"""The command that shows a run in the browser."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def explore(asked: argparse.Namespace) -> dict[str, Any]:
    """Show a run until Ctrl-C; gives the city."""
    from flows.explore.serving import serve  # noqa: PLC0415 - each command imports what it needs
    from tasks.explore.opening import open_page  # noqa: PLC0415 - each command imports what it needs

    page = open_page(asked.run, edit=asked.edit)
    serve(page, asked.port, browser=not asked.no_open, quiet=asked.quiet, segment=asked.segment)
    return {"city": page.run.city}


def show_explored(shown: dict[str, Any]) -> None:
    """Say that it has ended."""
    sys.stderr.write(f"{shown['city']} is shown no more.\n")
