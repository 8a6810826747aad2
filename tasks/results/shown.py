"""What of a run is shown to somebody who wants to look: its report, its map, its tables, its folder."""

from __future__ import annotations

from pathlib import Path

from geo.errors import SourceError
from tasks.results.opened import OpenRun

REPORT, QGIS, TABLES, FOLDER = "report", "qgis", "tables", "folder"
FILES = {REPORT: ("report.html",), TABLES: ("tables.xlsx",), QGIS: ("overview.qgz",)}
"""Names in a run's folder."""


def to_show(run: OpenRun, what: str) -> Path:
    """Find what of a run is to be shown.

    Parameters
    ----------
    run
        The run.
    what
        `REPORT`, `TABLES`, `FOLDER`, or `QGIS`: the project beside the GeoPackage, or that where there is none.

    Raises
    ------
    SourceError
        When it is not there.
    """
    folder = run.folder or run.geopackage.parent
    if what == FOLDER:
        return folder
    for name in FILES[what]:
        # whatever the run's own list says, it is looked for under our name beside the GeoPackage alone
        if (folder / name).is_file() and (run.folder is not None or what == QGIS):
            return folder / name
    if what == QGIS:
        return run.geopackage
    alone = run.folder is None
    raise SourceError(
        "the GeoPackage lies here without the folder of its run"
        if alone
        else f"there is no {FILES[what][0]} in the folder of the run",
        where=str(run.geopackage if alone else folder),
        todo="Give the folder of the run, or run the city again: the file is then made anew.",
    )
