"""Earlier runs of the same city: where numbers of types and of classes of ground are taken from, and their names."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd
import pyarrow.parquet as pq
from pydantic import ValidationError

from geo.clusters.typology.head import read_head, refused
from geo.errors import SourceError
from geo.ground.names import NamedClass, class_names_in
from geo.outputs.names import JUNCTION_FILE, Named, names_in, names_of_grouping, read_names
from geo.sources.files import digest_file
from tasks.store.document import digest
from tasks.store.summary import LATEST, SUMMARY, Numbered, NumberedGround, RunSummary

log = logging.getLogger("roadprint")
_Row = TypeVar("_Row", bound=Named)

TABLES = "layers"
"""Folder of a run that holds its layers as GeoParquet."""
SEGMENTS = f"{TABLES}/segments.parquet"
GROUND_MAP, GROUND_MAP_ALONE = "ground.tif", "ground_found.tif"
"""The map of the ground in a run's folder; and where classes were made one the same before."""
FOUND = "cluster_found"
"""Column of segments: the type that was found, by which types are known again from run to run."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """Where the numbers of clusters, or of classes of ground, come from.

    Attributes
    ----------
    key
        Digest of the stage that gives them, with all that its numbers depend on.
    own_key
        The same without any earlier run.
    shown
        What shows them in the earlier run, its layer of segments or its map of the ground; None: numbers are by size.
    reserved
        Numbers that the analyst gave a meaning to.
    older
        The same of runs before that, which have reserved numbers that the earlier run does not have.
    """

    key: str
    own_key: str
    shown: Path | None = None
    reserved: tuple[int, ...] = ()
    older: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run of before.

    Attributes
    ----------
    folder
        Of the run.
    summary
        What it said at its end.
    """

    folder: Path
    summary: RunSummary

    @property
    def own(self) -> bool:
        """Whether its types were found in the city, and are not those of a typology."""
        return self.summary.numbering.typology is None

    @property
    def geopackage(self) -> str | None:
        """Digest of its GeoPackage."""
        return next((told for name, told in self.summary.files.items() if name.endswith(".gpkg")), None)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is numbered, and how the numbers of an earlier run are known.

    Attributes
    ----------
    said
        What a run said of its numbers; None: they mean something else, or there are none.
    shown
        The file that shows them; None where it is not there, or not as it was left.
    beside
        The same of the run that made a GeoPackage, seen from this.
    numbers
        Which numbers a run has.
    """

    said: Callable[[EarlierRun], Numbered | NumberedGround | None]
    shown: Callable[[EarlierRun], Path | None]
    beside: Callable[[Path], Path | None]
    numbers: Callable[[EarlierRun], set[int]]


def numbering(
    folder: Path,
    own_key: str,
    names: Mapping[int, Named],
    *,
    keep: bool,
    repeated: Path | None = None,
    said: Collection[int] = (),
    of: Kept | None = None,
) -> Numbering:
    """Decide where this run's clusters, or classes of ground, get their numbers from.

    A run whose clusters were found before, from the same inputs and settings, takes over the numbers they had then.
    Another run of the city is matched to the newest one; a number that the analyst gave a meaning to, and that one does
    not have (a trial with fewer clusters, say), to the newest run that has it.

    Parameters
    ----------
    folder
        Folder of all runs of the city.
    own_key
        Digest of the stage that clusters, by its inputs and settings alone.
    names
        What ``clusters.csv`` says of clusters, by their number.
    keep
        Whether numbers are kept from run to run at all.
    repeated
        The GeoPackage whose run is repeated: its own numbers count, whatever other runs there are.
    said
        Numbers that an analyst gave to segments, or made types one under.
    of
        What is numbered; None: `TYPES`.
    """
    of = of or TYPES
    if not keep:
        return Numbering(own_key, own_key)
    reserved = tuple(sorted({*said, *(number for number, one in names.items() if one.edited)}))
    # the numbers of a typology mean other types
    known = [told for told in map(_told, sorted(folder.glob(f"*/{SUMMARY}"))) if told and of.said(told)]
    newest = _told(folder / LATEST)
    if newest is not None and of.said(newest) is None:
        newest = max(known, key=lambda told: told.summary.finished, default=None)
    content = None if repeated is None else digest_file(repeated)
    for told in ([newest] if newest else []) + known:
        then = of.said(told)
        if then is not None and then.own_key == own_key and content in {None, told.geopackage}:
            return Numbering(then.key, own_key, of.shown(told), tuple(then.reserved))
    if repeated is not None:
        shown = of.beside(repeated)
        seen = None if shown is None else digest_file(shown)
        return Numbering(digest(own_key, content, seen, reserved), own_key, shown, reserved)
    shown = None if newest is None else of.shown(newest)
    if newest is None or shown is None:
        return Numbering(own_key, own_key)
    older = _with_numbers(known, set(reserved) - of.numbers(newest), of)
    key = digest(own_key, *map(digest_file, (shown, *older)), reserved)
    return Numbering(key, own_key, shown, reserved, older)


def edited(names: Mapping[int, _Row]) -> list[_Row]:
    """List what the analyst says of clusters, without lines as a fresh table has them."""
    return [one for _, one in sorted(names.items()) if one.edited]


def names_then(folder: Path, file: Path) -> dict[int, Named]:
    """Say what clusters were called in the run that made a GeoPackage.

    Parameters
    ----------
    folder
        Folder of all runs of the city: where that run is among them, it has what the file does not, lines of clusters
        that it did not have.
    file
        Path of the GeoPackage.

    Raises
    ------
    SourceError
        When it is none of ours.
    """
    then = _run_of(folder, file)
    return names_in(file) if then is None else {one.cluster: one for one in then.names}


def _run_of(folder: Path, file: Path) -> Numbered | None:
    """Find what the run that made a GeoPackage said of its types; None where it is not among the runs of the city."""
    content = digest_file(file)
    found = filter(None, map(_told, sorted(folder.glob(f"*/{SUMMARY}"))))
    return next((told.summary.numbering for told in found if told.geopackage == content), None)


def junctions_called(
    folder: Path, grouping: str, repeated: Path | None
) -> tuple[dict[int, Named], tuple[int, ...]]:
    """Say what the analyst calls the types of junction, and which numbers were named in another grouping.

    Numbers of types of junction are not kept from one grouping to the next, so that a name goes with its grouping.

    Parameters
    ----------
    folder
        Folder of all runs of the city.
    grouping
        Key of the stage that groups the junctions.
    repeated
        The GeoPackage whose run is made again: names are those of that run; None: those of the table.
    """
    if repeated is None:
        mine, others = names_of_grouping(read_names(folder / JUNCTION_FILE), grouping)
        return mine, tuple(others)
    then = _run_of(folder, repeated)
    if then is not None:
        return {one.cluster: one for one in then.junction_names}, tuple(then.junction_names_aside)
    try:
        return names_in(repeated, "junction_clusters"), ()
    except SourceError:
        # as it was written before they had names
        return {}, ()


def class_names_then(folder: Path, file: Path) -> dict[int, NamedClass]:
    """Say what classes of ground were called in the run that made a GeoPackage, see `names_then`."""
    then = _run_of(folder, file)
    if then is None or then.ground is None:
        return class_names_in(file)
    return {one.cluster: one for one in then.ground.names}


def kept_classes(numbers: Numbering, learned: str) -> dict[int, int]:
    """Give the lasting numbers of classes of ground that the run which shows them had found as this one does.

    So classes keep them that lie beside no road, and are not on any map.

    Parameters
    ----------
    numbers
        Where numbers come from.
    learned
        Key of the stage that finds the classes.
    """
    told = None if numbers.shown is None else _told(numbers.shown.parent)
    then = None if told is None else told.summary.numbering.ground
    return then.classes if then is not None and then.learned == learned else {}


def names_of_typology(file: Path) -> dict[int, Named]:
    """Say what the types of a typology are called, and their colours, by their number.

    Raises
    ------
    SourceError
        When it is none that can be used.
    """
    try:
        return {
            one["number"]: Named(
                cluster=one["number"], name=one["name"], colour=one["colour"], note=one["note"]
            )
            for one in read_head(file)["card"]["types"]
        }
    except (KeyError, TypeError, ValidationError) as error:
        raise refused(file, "it is not as a typology is written") from error


def _with_numbers(known: Sequence[EarlierRun], wanted: set[int], of: Kept) -> tuple[Path, ...]:
    """Find what shows certain numbers in the newest runs that have them."""
    found = []
    for told in sorted(known, key=lambda told: told.summary.finished, reverse=True) if wanted else ():
        shown = of.shown(told)
        if shown is not None and (here := wanted & of.numbers(told)):
            found.append(shown)
            wanted = wanted - here
    return tuple(found)


def found_column(file: Path) -> str:
    """Name the column that says what was found in an earlier run, before an analyst's words.

    Parameters
    ----------
    file
        Its layer of segments as GeoParquet, or its GeoPackage; one of before there were such words has types as found.
    """
    if file.suffix == ".gpkg":
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            columns = {row[1] for row in connection.execute("PRAGMA table_info(segments)")}
    else:
        columns = set(pq.read_schema(file).names)
    return FOUND if FOUND in columns else "cluster"


def _numbers(told: EarlierRun) -> set[int]:
    """Read the numbers of the clusters of a run whose layer of segments is there, as they were found."""
    segments = told.folder / SEGMENTS
    column = found_column(segments)
    return set(pd.read_parquet(segments, columns=[column])[column].dropna().astype(int))


def _as_left(told: EarlierRun, name: str) -> Path | None:
    """Find a file of an earlier run; None where it is not there, or not as it was left."""
    path = told.folder / name
    if not path.is_file():
        return None
    if digest_file(path) != told.summary.files.get(name):
        log.warning("%s is not as it was left; numbers are not taken from it", path)
        return None
    return path


def _ground_of(told: EarlierRun) -> NumberedGround | None:
    """Read what an earlier run said of classes of ground that it found; None where it found none."""
    said = told.summary.numbering.ground
    return said if said is not None and said.classes else None


def _map(told: EarlierRun) -> Path | None:
    """Find the map of classes of ground of an earlier run as they were found."""
    return _as_left(told, GROUND_MAP_ALONE if GROUND_MAP_ALONE in told.summary.files else GROUND_MAP)


def _map_beside(file: Path) -> Path | None:
    """Find the map of classes of ground beside a GeoPackage."""
    maps = (file.with_name(name) for name in (GROUND_MAP_ALONE, GROUND_MAP))
    return next((one for one in maps if one.is_file()), None)


def _told(place: Path) -> EarlierRun | None:
    """Read what a run said of its clusters; None where there is no such run, or it said nothing of them."""
    folder = place.parent if place.name == SUMMARY else place
    if folder.is_file():
        # where there are no symbolic links, `latest` holds the name of a folder
        folder = folder.parent / folder.read_text(encoding="utf-8").strip()
    try:
        return EarlierRun(folder, RunSummary.read(folder / SUMMARY))
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


TYPES = Kept(
    said=lambda told: told.summary.numbering if told.own else None,
    shown=lambda told: _as_left(told, SEGMENTS),
    beside=lambda file: file,
    numbers=_numbers,
)
"""Types of road, by the roads that they cover."""
GROUND = Kept(
    said=_ground_of,
    shown=_map,
    beside=_map_beside,
    numbers=lambda told: (
        set() if (said := told.summary.numbering.ground) is None else set(said.classes.values())
    ),
)
"""Classes of ground that were found, by the ground that they cover."""
