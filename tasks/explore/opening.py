"""The page of a run, opened."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path

from tasks.explore.page import Page
from tasks.results.called import run_at

FOLDER = "explore"


def open_page(place: Path, *, edit: bool, kept: Path | None = None) -> Page:
    """Open the page of a run.

    Parameters
    ----------
    place
        A run's folder, its GeoPackage, a city's folder, or a city's file (newest run).
    edit
        Whether corrections may be written.
    kept
        Folder for what is kept of pictures; None: in the user's folder for caches.

    Raises
    ------
    SourceError, ConfigurationError
        When there is no such run.
    """
    folder = user_cache_path("roadprint", appauthor=False) / FOLDER if kept is None else kept
    return Page(run_at(place), edit, folder)
