"""The folder of a city's runs: whose it is, whether it can be written to, and whether there is room."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geo.errors import ConfigurationError, FullDiskError, SourceError

CITY = ".city"
"""Name of the file that says whose runs a folder holds, where the city is not called as the folder is."""
SQLITE_FULL = "database or disk is full"
"""What SQLite says, and GDAL after it."""


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Say in one message that there is no room left in the folder of results, whoever finds it out.

    Raises
    ------
    FullDiskError
        In place of the error of the operating system.
    """
    try:
        yield
    except (OSError, SourceError) as error:
        full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT} or SQLITE_FULL in str(error)
        if not full:
            raise
        raise FullDiskError(
            "the disk is full",
            where=str(folder),
            todo="Free space there, or name another folder with --out; what was finished before is kept, and the same "
            "command goes on from there.",
        ) from error


def refuse_other_city(folder: Path, city: str) -> None:
    """Refuse a folder that holds the runs of another city, whose name gives the same folder.

    Parameters
    ----------
    folder
        Folder of all runs of the city, which need not be there.
    city
        Name of the city, as in its file.

    Raises
    ------
    ConfigurationError
        When it does.
    """
    told = folder / CITY
    if told.exists():
        holds = told.read_text(encoding="utf-8").strip()
    else:
        holds = folder.name if (folder / "stages").exists() else city
    if holds != city:
        raise ConfigurationError(
            f"{folder} holds the runs of {holds!r}, and {city!r} would be kept there as well",
            where="city",
            todo="Name one of them otherwise, or another folder in output.folder or with --out; where both are one "
            f"city, write the name that is to stand into {told}.",
        )


def city_folder(folder: Path, city: str) -> Path:
    """Make the folder of all runs of a city, see `results_folder` and `refuse_other_city`."""
    refuse_other_city(folder, city)
    results_folder(folder)
    if folder.name != city:
        (folder / CITY).write_text(city + "\n", encoding="utf-8")
    return folder


def results_folder(folder: Path) -> Path:
    """Make a folder for results.

    Raises
    ------
    ConfigurationError
        When it cannot be made, or not be written to.
    """
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder


def refuse_unwritable(folder: Path) -> None:
    """Refuse a folder that `results_folder` could not make; nothing is left behind.

    Raises
    ------
    ConfigurationError
        As `results_folder`.
    """
    with _writable(folder), tempfile.TemporaryFile(dir=nearest_place(folder)):
        pass


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Say in one message that a folder cannot be written to."""
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"results cannot be written to {folder} ({error.strerror})",
            where="output.folder",
            todo="Name another folder there, or with --out.",
        ) from error


def nearest_place(folder: Path) -> Path:
    """Give the folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())
