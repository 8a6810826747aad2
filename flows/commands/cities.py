"""What commands that take a city are given: its file, or what it is called by."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def meant(asked: argparse.Namespace) -> tuple[Path, Path | None]:
    """Find the city's file, and say which it is where it was called otherwise.

    Returns
    -------
    The file; the folder for results: that which was asked for, or the one in which the runs lie by which the city is
    called, else None: that of the file.

    Raises
    ------
    ConfigurationError
        When none is meant, or several may be.
    """
    from tasks.city_files import file_meant, results_meant  # noqa: PLC0415 - each command imports what it needs

    file = file_meant(asked.city, asked.out)
    out = results_meant(asked.city) if asked.out is None else asked.out
    if file != asked.city and not (asked.json or asked.quiet):
        where = f", its runs lie in {out}" if out is not None and asked.out is None else ""
        sys.stderr.write(f"{asked.city}: its file is {file}{where}\n")
    return file, out
