"""How much a command tells: all that happens, for a report of a fault, or errors alone."""

from __future__ import annotations

import logging
import os
import platform
import shlex
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from geo.secrets import redact

LIBRARIES = (
    "prefect",
    "torch",
    "geopandas",
    "pyogrio",
    "rasterio",
    "shapely",
    "scikit-learn",
    "numpy",
    "pandas",
)
"""Whose versions a report of a fault has to name."""
log = logging.getLogger("roadprint")


@contextmanager
def all_told(words: Sequence[str]) -> Iterator[None]:
    """Tell on standard error what happens inside, and of an error where in the code it was raised.

    Parameters
    ----------
    words
        What was typed, without the name of the program.
    """
    start, before = time.monotonic(), (log.level, log.propagate)
    handler = _Told(start)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    for line in _surroundings(words):
        log.debug(line)
    try:
        yield
    except BaseException as error:
        log.debug("ended by %s", redact("".join(traceback.format_exception(error)).rstrip()))
        raise
    else:
        log.debug("ended well")
    finally:
        log.setLevel(before[0])
        log.propagate = before[1]
        log.removeHandler(handler)


def _surroundings(words: Sequence[str]) -> Iterator[str]:
    """Say what runs, and where."""
    yield f"roadprint {version('roadprint')} at {__file__.rsplit(os.sep, 3)[0]}"
    yield f"Python {platform.python_version()} ({sys.executable}) on {platform.platform()}, {os.cpu_count()} cores"
    yield ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    yield redact(f"in {os.getcwd()}: roadprint {shlex.join(words)}")  # noqa: PTH109 - as the shell says it


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


class _Told(logging.Handler):
    """Prints what is logged with the seconds since the beginning; warnings are printed anyway, by others."""

    def __init__(self, start: float) -> None:
        super().__init__(logging.DEBUG)
        self.start = start

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            for line in record.getMessage().splitlines():
                # standard error as it is now: bars put what is written there above them
                sys.stderr.write(f"[{time.monotonic() - self.start:8.2f} s] {line}\n")
