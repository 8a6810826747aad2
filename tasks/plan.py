"""The plan of a run: where everything goes, and the digests that name its inputs and stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geo.clusters.hands.corrections import Correction
from geo.config import CityConfig
from geo.errors import SourceError
from geo.ground.names import NamedClass
from geo.outputs.names import Named, merges_of
from tasks.earlier import Numbering
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.summary import SUMMARY
from tasks.store.table import Table

NAMES_OF_TYPES, CORRECTED = "names of types", "corrections"
"""What the ledger calls lines of ``clusters.csv``, and of ``corrections.csv``."""
FOUND_BY = "ground_classes"
"""The stage that finds classes of ground."""
GROUPED = "junction_clusters"
"""The stage whose key says which grouping of the junctions it is."""
LICENSED = ("imagery", "roads", "collisions", "exposure")
"""Sections whose licence is quoted."""


@dataclass(frozen=True)
class OfGround:
    """What an analyst says of classes of ground that were found.

    Attributes
    ----------
    names
        What they are called, and which are made one with others, by their number.
    unused
        Numbers that were named, where classes are not found (`geo.ground.kind.GroundKind.finds`).
    numbers
        Which earlier run they take their numbers from; None: none are found.
    kept
        The lasting number of each class, where that run had the very same classes; empty: they are told by their maps.
    """

    names: dict[int, NamedClass] = field(default_factory=dict)
    unused: tuple[int, ...] = ()
    numbers: Numbering | None = None
    kept: dict[int, int] = field(default_factory=dict)

    @property
    def merges(self) -> dict[int, int]:
        """What those that are made one with others become part of, by their number."""
        return merges_of(self.names)


@dataclass(frozen=True)
class Plan:
    """One run of one city.

    Attributes
    ----------
    config
        The city's configuration, paths absolute.
    written
        The configuration as it was written, with the overrides, without credentials.
    folder
        Folder of all runs of the city.
    keys
        The digest of each stage, in the order in which they run.
    sources
        The digest of each input, by its path or address.
    inputs
        The digest of each input, by its place from the city's file (its name alone where it lies elsewhere).
    numbers
        Which earlier run the clusters take their numbers from, if any.
    names
        What the analyst calls the clusters.
    base
        Folder that relative paths of the configuration start at.
    versions
        Versions of Python and of the libraries that the stages use.
    tables
        The tables that each stage writes.
    code
        Digest of the code of each stage and of the libraries that it uses.
    sensitivity
        Folder of the kept table of what stands if choices were made otherwise; None: there is none of this run.
    unused
        Numbers of types of the city's own that the analyst named, where the types are those of a typology.
    junction_names
        What the analyst calls the types of junction.
    other_junctions
        Numbers that were named in another grouping of the junctions.
    corrections
        What the analyst says of the types of segments.
    merges
        Which types the analyst makes one with others, by their number.
    unused_corrections
        How many corrections there are of types of the city's own, where the types are those of a typology.
    ground
        What the analyst says of classes of ground.
    """

    config: CityConfig
    written: dict[str, Any]
    folder: Path
    keys: dict[str, str]
    sources: dict[str, str]
    inputs: dict[str, str]
    numbers: Numbering
    names: dict[int, Named]
    base: Path
    versions: dict[str, str]
    tables: dict[str, tuple[Table, ...]]
    code: dict[str, str]
    sensitivity: Path | None = None
    unused: tuple[int, ...] = ()
    junction_names: dict[int, Named] = field(default_factory=dict)
    other_junctions: tuple[int, ...] = ()
    corrections: tuple[Correction, ...] = ()
    merges: dict[int, int] = field(default_factory=dict)
    unused_corrections: int = 0
    ground: OfGround = field(default_factory=OfGround)

    @property
    def typology(self) -> str | None:
        """Path of the typology whose types the run's are; None: they are found in the city."""
        return self.config.clusters.typology

    @property
    def run_id(self) -> str:
        """Name of the run: the same for the same inputs, configuration and code."""
        return self.keys["report"][:12]

    @property
    def stages(self) -> Path:
        """Folder of the stages' files."""
        return self.folder / "stages"

    @property
    def run_folder(self) -> Path:
        """Folder that the analyst opens."""
        return self.folder / self.run_id

    @property
    def geopackage(self) -> Path:
        """The run's GeoPackage."""
        return self.run_folder / f"{self.folder.name}.gpkg"

    @property
    def project(self) -> Path:
        """The QGIS project beside the GeoPackage, the same as the one in it."""
        return self.run_folder / "overview.qgz"

    @property
    def report(self) -> Path:
        """The run's report page."""
        return self.run_folder / "report.html"

    @property
    def workbook(self) -> Path:
        """Path of the tables as a workbook."""
        return self.run_folder / "tables.xlsx"

    @property
    def csv_folder(self) -> Path:
        """Folder of the same tables as CSV."""
        return self.run_folder / "tables"

    @property
    def summary(self) -> Path:
        """What the run said at its end."""
        return self.run_folder / SUMMARY

    def before(self, name: str) -> list[str]:
        """Name the stages that run before one."""
        names = list(self.keys)
        return names[: names.index(name)]

    def stage_folder(self, name: str) -> Path:
        """Folder of a finished stage."""
        return self.stages / f"{name}-{self.keys[name]}"

    def check_inputs(self) -> None:
        """Make sure that the inputs are still those that the run was planned with.

        Whoever reads inputs has this looked at before what was made of them is finished: kept work that is not of the
        bytes that its digest names would be taken for good ever after.

        Raises
        ------
        SourceError
            When one is not: results would name bytes that they were not made from.
        """
        files = FileDigests(self.stages / DIGESTS)
        for source, expected in self.sources.items():
            if files.of(source) != expected:
                raise SourceError(
                    "it was changed or removed while the run was going on",
                    where=source,
                    todo="Run again when it is all there. The last good run is as it was.",
                )
