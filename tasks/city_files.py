"""Which city's file, and which folder of runs, somebody means who names a folder or the city itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from geo.config import CityConfig
from geo.config.file import read_raw
from geo.config.sections.output import Output
from geo.errors import ConfigurationError, RoadprintError, meant
from tasks.planning import folder_name, runs_of
from tasks.store.folder import CITY
from tasks.store.status import FAILURE, finished_runs
from tasks.store.summary import LATEST, SUMMARY, RunSummary

CITY_FILES = (".yaml", ".yml")
HOMES = (Path(), Path("data", "cities"))
"""Folders in which a city's file is looked for by the city's name."""
MOST_BYTES = 500_000
"""No city's file is as large: larger ones are not looked into."""
_OF_RUNS = (LATEST, "stages", FAILURE)
"""One of these lies in the folder of a city's runs."""


def file_meant(word: Path, runs: Path | None = None) -> Path:
    """Find the city's file that is meant.

    Parameters
    ----------
    word
        A file; a folder that holds a city's file, or the runs of a city; or a city's name: one with a file in `HOMES`,
        or with runs, whose file lies where the paths of the newest run start.
    runs
        Folder for results; None: that of a city's file that names none, in the working folder.

    Returns
    -------
    The file. A path that can only be one, and is not there, comes back as it is: who reads it says so.

    Raises
    ------
    ConfigurationError
        When no file is meant, or several may be.
    """
    found = files_meant(word, runs)
    if len(found) > 1:
        raise ConfigurationError(
            f"it may mean several cities' files: {', '.join(map(str, found))}",
            where=str(word),
            todo="Give the one that is meant.",
        )
    if found:
        return found[0]
    there = (
        "it holds no city's file"
        if word.is_dir()
        else "there is no such file, and no city's file is called so"
    )
    raise ConfigurationError(
        f"{there}{meant(word.name, _names(runs))}",
        where=str(word),
        todo="Give the path of a city's file; 'roadprint init' writes a first one.",
    )


def runs_meant(word: Path, overrides: Mapping[str, str], out: Path | None = None) -> tuple[str, Path]:
    """Name the city that is meant, and the folder of its runs, of which no more than the folder has to be there.

    Parameters
    ----------
    word
        What `file_meant` takes; or the folder of a city's runs, or of one of them.
    overrides
        Values that replace keys of the city's file.
    out
        Folder for results instead of that of the city's file.

    Raises
    ------
    ConfigurationError
        When there is neither, several files may be meant, or keys of a file are replaced that is not there.
    """
    named = _runs_named(word, out)
    if named is not None and not _own_files(word):
        return _city_of(named, overrides)
    config, folder = runs_of(file_meant(word, out), overrides, out)
    return config.city, folder


def results_meant(word: Path, runs: Path | None = None) -> Path | None:
    """Find the folder for results in which the runs lie that a city is called by.

    Parameters
    ----------
    word, runs
        As of `file_meant`.

    Returns
    -------
    None where the city is called by its file, which says where its runs lie.
    """
    named = _runs_named(word, runs)
    return None if named is None or _own_files(word) else named.resolve().parent


def is_name(word: Path) -> bool:
    """Tell whether a path may be a city's name."""
    return len(word.parts) == 1 and not word.is_absolute() and word.suffix.lower() not in CITY_FILES


def holds_runs(folder: Path) -> bool:
    """Tell whether a folder is that of a city's runs."""
    return any((folder / name).exists() or (folder / name).is_symlink() for name in _OF_RUNS)


def files_meant(word: Path, runs: Path | None = None) -> list[Path]:
    """List the files that may be meant, each once, see `file_meant`."""
    if word.is_file() or word.suffix.lower() in {*CITY_FILES, ".gpkg"}:
        return [word]
    named = _runs_named(word, runs)
    found = [
        *_own_files(word),
        *([] if named is None else _of_runs(word if (word / SUMMARY).exists() else named)),
    ]
    # where none can be read, who reads it says why
    inside = _yaml_in(word) if word.is_dir() else []
    return list({one.resolve(): one for one in reversed(found or inside)}.values())[::-1]


def _runs_named(word: Path, runs: Path | None) -> Path | None:
    """Find the folder of a city's runs that a path or a name is that of; None: it is not."""
    if (word / SUMMARY).exists():
        return word.resolve().parent
    named = _results(runs) / word if is_name(word) else word
    return next((one for one in (word, named) if one.is_dir() and holds_runs(one)), None)


def _own_files(word: Path) -> list[Path]:
    """List the files that a folder holds, or that are called so, whatever was run."""
    if word.is_file() or (word / SUMMARY).exists() or (word.is_dir() and holds_runs(word)):
        return [word] if word.is_file() else []
    # a folder of inputs may be called as its city is
    found = [one for one in _yaml_in(word) if _city_in(one) is not None]
    if word.name:
        found += [one for end in CITY_FILES if (one := word.with_name(word.name + end)).is_file()]
    if is_name(word):
        found += [one for home in HOMES for one in _yaml_in(home) if word.name in _called(one)]
    return found


def _results(runs: Path | None) -> Path:
    return Path(Output().folder) if runs is None else runs


def _city_of(folder: Path, overrides: Mapping[str, str]) -> tuple[str, Path]:
    """Name the city whose runs lie in a folder."""
    if overrides:
        raise ConfigurationError(
            f"keys of a city's file are replaced, and {folder} holds runs, not the file",
            where="--set",
            todo="Give the city's file.",
        )
    place = folder.resolve()
    told = place / CITY
    return (told.read_text(encoding="utf-8").strip() if told.exists() else place.name), place


def _of_runs(folder: Path) -> list[Path]:
    """List the files of the city whose runs lie in a folder, or of the run that does: where its paths start."""
    newest = (
        folder if (folder / SUMMARY).exists() else next((one.folder for one in finished_runs(folder)), None)
    )
    if newest is None:
        return []
    try:
        told = RunSummary.read(newest / SUMMARY)
    except (OSError, ValidationError):
        return []
    return [one for one in _yaml_in((newest / told.base).resolve()) if told.city == _city_in(one)]


def _yaml_in(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.suffix.lower() in CITY_FILES and one.is_file())
    except OSError:
        return []


def _city_in(file: Path) -> str | None:
    """Read the name of the city that a file is of; None where it is no city's, or cannot be read."""
    try:
        if file.stat().st_size > MOST_BYTES or b"city" not in file.read_bytes():
            return None
        raw = read_raw(file, None, CityConfig)
    except (OSError, RoadprintError):
        return None
    return str(raw["city"]) if raw.get("city") and "roads" in raw else None


def _called(file: Path) -> set[str]:
    """Give the names that a file may be called by: its own, its city's, and that of the folder of its runs."""
    city = _city_in(file)
    if city is None:
        return {file.stem}
    try:
        return {file.stem, city, folder_name(city)}
    except ConfigurationError:
        return {file.stem, city}


def _names(runs: Path | None) -> list[str]:
    """Name the cities that could be meant."""
    files = {name for home in HOMES for one in _yaml_in(home) if _city_in(one) for name in _called(one)}
    return sorted(files | {link.parent.name for link in _results(runs).glob(f"*/{LATEST}")})
