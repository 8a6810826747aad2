"""The command that prints what a shell completes by."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from flows.arguments import command_line


def completion(asked: argparse.Namespace) -> dict[str, Any]:
    """Write the script of a shell."""
    from flows.terminal.completing import script  # noqa: PLC0415 - each command imports what it needs

    parser, _ = command_line()
    return {"shell": asked.shell, "script": script(parser, asked.shell)}


def show_completion(found: dict[str, Any]) -> None:
    """Print it."""
    sys.stdout.write(f"{found['script']}\n")
