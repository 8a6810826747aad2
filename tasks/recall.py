"""Repeat a run from its GeoPackage: the configuration is in it, and the digests of what it was made from."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geo.addresses import is_url
from geo.config import load
from geo.config.file import recorded
from geo.errors import ConfigurationError, SourceError
from geo.roads.reading.paths import expand_roads
from tasks.store.digests import FileDigests
from tasks.store.summary import SUMMARY, RunSummary


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a GeoPackage says of the run that made it.

    Attributes
    ----------
    base
        Folder that relative paths of the configuration start at.
    inputs, versions
        Digests of the inputs, and versions of the libraries, by their names.
    """

    base: Path
    inputs: Mapping[str, str]
    versions: Mapping[str, str]

    def changes(self, inputs: Mapping[str, str], versions: Mapping[str, str]) -> list[str]:
        """Say what is not as it was: a repetition may then give other results.

        Parameters
        ----------
        inputs, versions
            Digests of the inputs, and versions of the libraries, of the run that repeats this one, by their names.
        """
        differ = sorted(name for name in {*self.inputs, *inputs} if self.inputs.get(name) != inputs.get(name))
        newer = [
            f"{n} {self.versions[n]} then, {v} now"
            for n, v in sorted(versions.items())
            if self.versions.get(n, v) != v
        ]
        return [
            *([f"not the files that the run was made from: {', '.join(differ)}"] if differ else []),
            *([f"other versions than those that made it: {'; '.join(newer)}"] if newer else []),
        ]


def recall(file: Path, overrides: Mapping[str, str] | None = None, base: Path | None = None) -> Recalled:
    """Read what a GeoPackage says of its run, and find the inputs that its relative paths mean.

    Parameters
    ----------
    file
        Path of the GeoPackage.
    overrides
        Values that replace or add keys, see `geo.config.load`.
    base
        Folder that relative paths start at; None: it is looked for, first as ``run.json`` beside the file names it,
        then, where the roads are those that the run was made from, here and in the folders above the file.

    Raises
    ------
    SourceError
        When it is no GeoPackage of ours.
    ConfigurationError
        When the inputs are not found.
    """
    said = _run_table(file)
    inputs = {key.removeprefix("input "): value for key, value in said.items() if key.startswith("input ")}
    versions = {
        key.removeprefix("version "): value for key, value in said.items() if key.startswith("version ")
    }
    named = [base] if base is not None else _named(file)
    places = named if base is not None else [*named, *_near(file)]
    for place in dict.fromkeys(places):
        roads = expand_roads(load(file, overrides, base=place).roads.sources)
        there = all(is_url(source) or Path(source).exists() for source in roads)
        # a file of that name in a place that nobody named may be another city's
        if there and (place in named or all(FileDigests().of(each) in inputs.values() for each in roads)):
            return Recalled(place.resolve(), inputs, versions)
    raise ConfigurationError(
        f"the roads {recorded(file)['roads']['source']!r} that it was made from are in none of: "
        f"{', '.join(str(p) for p in places)}",
        where=str(file),
        todo="Name the folder that the run's relative paths start at: --base FOLDER.",
    )


def _named(file: Path) -> list[Path]:
    """Give the folder that relative paths start at, as the run's summary beside the file names it."""
    folder = file.resolve().parent
    # without it, the file alone was moved
    with suppress(FileNotFoundError, ValidationError):
        return [(folder / RunSummary.read(folder / SUMMARY).base).resolve()]
    return []


def _near(file: Path) -> list[Path]:
    """List folders that relative paths may start at."""
    folder = file.resolve().parent
    return [Path.cwd(), folder, *folder.parents]


def _run_table(file: Path) -> dict[str, Any]:
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            return dict(connection.execute("SELECT key, value FROM run"))
    except sqlite3.Error as error:
        raise SourceError(
            f"it cannot be read as a GeoPackage of roadprint ({error})",
            where=str(file),
            todo="Give a file that 'roadprint run' wrote.",
        ) from error
