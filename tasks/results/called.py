"""Which run somebody means who calls a city by its name."""

from __future__ import annotations

import shlex
from pathlib import Path

from geo.config.sections.output import Output
from geo.errors import SourceError, meant, meant_file
from tasks.city_files import CITY_FILES, file_meant, files_meant, holds_runs, is_name
from tasks.planning import runs_of
from tasks.results.opened import OpenRun
from tasks.results.opening import open_run
from tasks.store.summary import LATEST, SUMMARY

MOST_NAMED = 8


def run_at(word: str | Path, runs: Path | None = None) -> OpenRun:
    """Open the run that a word of the command line means.

    Parameters
    ----------
    word
        A run's folder, its GeoPackage, a city's folder or its file (newest run), or a city's name.
    runs
        Folder for results; None: that of the city's file, or the one that such a file has where it names none.

    Raises
    ------
    SourceError, ConfigurationError
        When there is no such run: with the city that may be meant.
    """
    place = Path(word)
    is_file = place.is_file() and place.suffix.lower() in CITY_FILES
    return open_run(_runs_of_file(place, runs) if is_file else place_called(place, runs))


def place_called(place: Path, runs: Path | None = None) -> Path:
    """Find the folder or file that a path means: itself, or a city of that name below the folder for results.

    Parameters
    ----------
    place
        What was written.
    runs
        Folder for results; None: that of a city's file that names none, in the working folder.

    Raises
    ------
    SourceError, ConfigurationError
        When there is neither, or several cities' files may be meant.
    """
    folder = Path(Output().folder) if runs is None else runs
    # a folder of inputs may be called as its city is
    of_inputs = place.is_dir() and not (place / SUMMARY).exists() and not holds_runs(place)
    if place.exists() and not of_inputs:
        return place
    plain = is_name(place)
    if plain and (folder / place / LATEST).exists():
        return folder / place
    if files_meant(place, runs):
        return _runs_of_file(file_meant(place, runs), runs)
    if place.exists():
        return place
    cities = cities_in(folder)
    like = meant(place.name, cities) if plain else ""
    some = ", ".join(cities[:MOST_NAMED]) + (", ..." if len(cities) > MOST_NAMED else "")
    there = (
        f"{folder} has the runs of {some}; give one of these names"
        if cities
        else f"{folder} has no runs of any city; give a city's name where its file lies"
    )
    raise SourceError(
        f"there is no such file or folder, and no run of a city of that name{like or meant_file(place)}",
        where=str(place),
        todo=f"{there}, a run's folder, its GeoPackage, or a city's file.",
    )


def _runs_of_file(file: Path, runs: Path | None) -> Path:
    """Name the folder of the runs of a city's file.

    Raises
    ------
    SourceError
        When the city has not been run.
    """
    _, folder = runs_of(file, None, runs)
    if not folder.exists():
        raise SourceError(
            "the city has not been run",
            where=str(folder),
            todo=f"Run it: roadprint run {shlex.quote(str(file))}.",
        )
    return folder


def cities_in(folder: Path) -> list[str]:
    """Name the cities whose runs lie in a folder for results."""
    return sorted(link.parent.name for link in folder.glob(f"*/{LATEST}"))
