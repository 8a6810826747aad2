"""What a run left: whether a file of it is still so, and what it said at its end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from geo.errors import SourceError
from geo.sources.files import digest_file
from tasks.store.summary import SUMMARY, RunSummary


def refuse_changed(file: Path, folder: Path, left: Mapping[str, str]) -> None:
    """Refuse a file of a run's folder that is not as the run left it.

    Parameters
    ----------
    file, folder
        The file, and the run's folder, which holds it.
    left
        Digests of the files that the run left, by their places in the folder.

    Raises
    ------
    SourceError
        When it is not there, or holds other bytes.
    """
    why = "it is not there" if not file.is_file() else None
    if why is None and digest_file(file) != left.get(file.relative_to(folder).as_posix()):
        why = "it is not as the run left it"
    if why is not None:
        raise SourceError(
            why,
            where=str(file),
            todo="Copy the run's folder again, whole; or run the city again, which makes it anew.",
        )


def told_in_short(summary: RunSummary | None, where: Path) -> dict[str, str]:
    """Give what a run found, in the sentences that its report begins with, by what they are of.

    Parameters
    ----------
    summary
        What it said at its end; None: it is not there.
    where
        What was opened.

    Raises
    ------
    SourceError
        When it is not told.
    """
    told = None if summary is None else summary.in_short
    if told is None:
        raise SourceError(
            "what was found in short is not told beside the GeoPackage",
            where=str(where),
            todo=f"Open the run's own folder, with its {SUMMARY}; 'roadprint run' of this version writes it.",
        )
    return {one.title: one.whole for one in told}
