"""What commands that take a city are given: its file, or what it is called by."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def file_of(asked: argparse.Namespace) -> Path:
    """Find the city's file, and say which it is where it was called otherwise.

    Raises
    ------
    ConfigurationError
        When none is meant, or several may be.
    """
    from tasks.city_files import file_meant  # noqa: PLC0415 - each command imports what it needs

    file = file_meant(asked.city, asked.out)
    if file != asked.city and not (asked.json or asked.quiet):
        sys.stderr.write(f"{asked.city}: its file is {file}\n")
    return file
