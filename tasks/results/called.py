"""Which run somebody means who calls a city by its name."""

from __future__ import annotations

from pathlib import Path

from geo.config.sections.output import Output
from geo.errors import SourceError, meant, meant_file
from tasks.results.opened import OpenRun
from tasks.store.summary import LATEST

CITY_FILES = (".yaml", ".yml")
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
    from tasks.planning import runs_of  # noqa: PLC0415 - which opens runs itself
    from tasks.results.opening import open_run  # noqa: PLC0415 - which opens runs itself

    place = Path(word)
    if place.is_file() and place.suffix.lower() in CITY_FILES:
        return open_run(runs_of(place, None, runs)[1])
    return open_run(place_called(place, runs))


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
    SourceError
        When there is neither.
    """
    if place.exists():
        return place
    folder = Path(Output().folder) if runs is None else runs
    plain = len(place.parts) == 1 and not place.is_absolute()
    if plain and (folder / place / LATEST).exists():
        return folder / place
    cities = cities_in(folder)
    like = meant(place.name, cities) if plain else ""
    some = ", ".join(cities[:MOST_NAMED]) + (", ..." if len(cities) > MOST_NAMED else "")
    there = f"{folder} has the runs of {some}" if cities else f"{folder} has no runs of any city"
    raise SourceError(
        f"there is no such file or folder, and no run of a city of that name{like or meant_file(place)}",
        where=str(place),
        todo=f"{there}; give one of these names, a run's folder, its GeoPackage, or a city's file.",
    )


def cities_in(folder: Path) -> list[str]:
    """Name the cities whose runs lie in a folder for results."""
    return sorted(link.parent.name for link in folder.glob(f"*/{LATEST}"))
