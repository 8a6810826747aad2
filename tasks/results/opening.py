"""Which run a path means, and whether it can be opened."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from packaging.version import Version
from pydantic import ValidationError

from geo.errors import SourceError, meant_file
from geo.outputs.files.reading import GEOPACKAGE
from tasks.earlier import TABLES
from tasks.results.opened import OpenRun
from tasks.store.status import finished_runs, last_failure, latest
from tasks.store.summary import LATEST, SUMMARY, RunSummary

MADE_BY = "version roadprint"


def open_run(path: str | Path, *, base: str | Path | None = None) -> OpenRun:
    """Open the results of a run.

    Parameters
    ----------
    path
        A run's folder, its GeoPackage (wherever it was moved to), or a city's folder: its newest run.
    base
        Folder that relative paths of the run's configuration start at; None: it is looked for. Only pictures that are
        cut from the imagery need it.

    Raises
    ------
    SourceError
        When there is no run, it is not whole, or a newer roadprint wrote it.

    Examples
    --------
    >>> import roadprint
    >>> run = roadprint.open("runs/grid")
    >>> run.city, len(run.segments), run.crs.to_epsg()
    ('grid', 40, 27700)
    >>> roadprint.open("runs/nowhere")
    Traceback (most recent call last):
        ...
    geo.errors.SourceError: runs/nowhere: there is no such file or folder
      Give a run's folder, its GeoPackage or a city's folder, as 'roadprint run' wrote them.
    """
    place = Path(path)
    start = None if base is None else Path(base).resolve()
    if place.is_file() and place.name == LATEST:
        # where there are no symbolic links, it holds the name of a folder
        place = place.parent
    if place.is_file():
        found = _of_file(place.resolve(), start)
    elif place.is_dir():
        found = _of_folder(place.resolve(), start)
    else:
        raise _no_run(place, f"there is no such file or folder{meant_file(place)}")
    _refuse_newer(found)
    return found


def _of_file(file: Path, base: Path | None) -> OpenRun:
    """Open a GeoPackage, with what lies beside it where that is of the same run."""
    if file.suffix.lower() != GEOPACKAGE:
        raise _no_run(file, "it is no GeoPackage")
    summary = _told(file.parent)
    if summary is None or file.name not in summary.files:
        return OpenRun(file, base=base)
    return OpenRun(file, folder=file.parent, summary=summary, base=base)


def _of_folder(folder: Path, base: Path | None) -> OpenRun:
    """Open a run's folder, or the newest run of a city's."""
    if not (folder / SUMMARY).exists():
        # a city's folder may hold GeoPackages, too: layers to draw labels in
        of_city = (folder / LATEST).exists()
        if not of_city and (any(folder.glob(f"*{GEOPACKAGE}")) or (folder / TABLES).is_dir()):
            raise _no_run(folder, f"there is no {SUMMARY}, which a run writes at its end: it is not whole")
        folder = _newest(folder)
    summary = _told(folder)
    if summary is None:
        raise _no_run(folder, f"its {SUMMARY} is not as a run of this roadprint leaves it")
    missing = sorted(name for name in summary.files if not (folder / name).is_file())
    packages = [name for name in summary.files if name.endswith(GEOPACKAGE)]
    if missing or not packages:
        raise _no_run(folder, f"it is not whole: {', '.join(missing[:3]) or 'a GeoPackage'} is not there")
    tables = folder / TABLES if (folder / TABLES).is_dir() else None
    return OpenRun(folder / packages[0], folder=folder, summary=summary, tables=tables, base=base)


def _newest(city: Path) -> Path:
    """Find the newest run of a city: the one that ``latest`` points to, else the last that ended."""
    runs = [run.folder for run in finished_runs(city)]
    pointed, _ = latest(city / LATEST)
    runs.sort(key=lambda folder: folder.name != pointed)
    if runs:
        return runs[0]
    failure = last_failure(city)
    if failure is not None:
        raise _no_run(city, f"no run of the city has ended well; the last one failed: {failure['reason']}")
    cities = sorted(below.parent.name for below in city.glob(f"*/{LATEST}"))
    if cities:
        raise _no_run(city, f"it is no city's folder, but holds those of {', '.join(cities)}")
    raise _no_run(city, "it holds no run that has ended")


def _told(folder: Path) -> RunSummary | None:
    """Read what a run said at its end; None where it is not told."""
    try:
        return RunSummary.read(folder / SUMMARY)
    except (OSError, ValidationError):
        return None


def _refuse_newer(run: OpenRun) -> None:
    """Refuse results of a roadprint that may mean other things by its columns.

    Raises
    ------
    SourceError
        When its version is above this one in the first two numbers.
    """
    made_by, own = run.facts.get(MADE_BY), version("roadprint")
    if made_by is None:
        raise _no_run(run.geopackage, "it does not say which roadprint made it")
    if Version(made_by).release[:2] > Version(own).release[:2]:
        raise SourceError(
            f"it was made by roadprint {made_by}, and this is {own}",
            where=str(run.geopackage),
            todo=f"Install that one or a newer one: pip install 'roadprint>={made_by}'.",
        )


def _no_run(place: Path, why: str) -> SourceError:
    return SourceError(
        why,
        where=str(place),
        todo="Give a run's folder, its GeoPackage or a city's folder, as 'roadprint run' wrote them.",
    )
