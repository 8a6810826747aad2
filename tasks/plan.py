"""The plan of a run: where everything goes, and the digest that names each stage.

All digests follow from the configuration, the bytes of the inputs and our own code, so a run that would change
nothing is known before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from geo.collisions.sources import expand_tables
from geo.config import CityConfig, load
from geo.config.file import is_recorded, read_raw
from geo.errors import SourceError
from geo.exposure.counts import expand_counts
from geo.imagery.sources import expand_sources
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import Named, read_names
from geo.secrets import strike_all
from tasks.earlier import SUMMARY, Numbering, names_then, numbering
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.stage import code_digest, digest, results_folder

STAGES = (
    "roads",
    "tiles",
    "features",
    "clusters",
    "collisions",
    "exposure",
    "safety",
    "inference",
    "concentration",
    "pictures",
    "package",
    "report",
)
_SHARED_CODE = (
    "geo/config",
    "geo/config/file",
    "geo/config/records",
    "geo/config/safety",
    "geo/errors",
    "geo/ledger",
    "tasks/store/stage",
)
_CODE = {
    "roads": ("geo/roads", "tasks/stages/roads"),
    "tiles": ("geo/tiles", "geo/imagery", "tasks/stages/tiles"),
    "features": ("geo/imagery", "geo/tiles", "geo/features", "tasks/encode", "tasks/stages/features"),
    "clusters": ("geo/clusters", "geo/features/pooling", "tasks/stages/clusters", "tasks/earlier"),
    "collisions": ("geo/collisions", "tasks/stages/collisions"),
    "exposure": ("geo/exposure", "geo/collisions", "tasks/stages/exposure"),
    "safety": ("geo/safety", "geo/exposure", "geo/roads/lines", "tasks/stages/safety"),
    "inference": ("geo/safety", "geo/features/pooling", "tasks/stages/features", "tasks/stages/inference"),
    "concentration": (
        "geo/safety",
        "geo/roads/lines",
        "geo/clusters/space",
        "geo/features/pooling",
        "tasks/stages/features",
        "tasks/stages/inference",
        "tasks/stages/concentration",
    ),
    "pictures": ("geo/imagery", "geo/outputs/thumbnails", "geo/clusters/prototypes", "tasks/stages/pictures"),
    "package": ("geo/outputs", "geo/imagery/mosaic", "tasks/stages/package"),
    "report": ("geo/outputs", "tasks/stages/report", "tasks/publish"),
}
_AFTER: dict[str, tuple[str, ...]] = {
    "roads": (),
    "tiles": ("roads",),
    "features": ("tiles",),
    "clusters": ("features",),
    "collisions": ("roads",),
    "exposure": ("collisions",),
    "safety": ("collisions", "exposure"),
    "inference": ("clusters", "safety"),
    "concentration": ("features", "safety"),
    "pictures": ("clusters", "concentration"),
    "package": ("inference", "concentration", "pictures"),
    "report": ("package",),
}
"""The stages whose files each reads; their digests are part of its own."""
NAMES_OF_TYPES = "names of types"
"""What the ledger calls lines of ``clusters.csv``."""
LICENSED = ("imagery", "roads", "collisions", "exposure")
"""Sections whose licence is quoted."""
LIBRARIES = (
    "geopandas",
    "shapely",
    "rasterio",
    "torch",
    "scikit-learn",
    "statsmodels",
    "prefect",
    "pyogrio",
    "roadprint",
)


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
        The digest of each stage.
    sources
        The digest of each input, by its path or address.
    inputs
        The same by its place from the city's file (its name alone where it lies elsewhere).
    weights
        What stands for the encoder's weights: the digest of a local file, else the encoder's name.
    numbers
        Where the clusters' numbers come from.
    names
        What the analyst calls the clusters.
    base
        Folder that relative paths of the configuration start at.
    """

    config: CityConfig
    written: dict[str, Any]
    folder: Path
    keys: dict[str, str]
    sources: dict[str, str]
    inputs: dict[str, str]
    weights: str
    numbers: Numbering
    names: dict[int, Named]
    base: Path

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
        return self.run_folder / f"{self.config.city}.gpkg"

    @property
    def report(self) -> Path:
        """The run's report page."""
        return self.run_folder / "report.html"

    @property
    def summary(self) -> Path:
        """What the run said at its end."""
        return self.run_folder / SUMMARY

    def stage_folder(self, name: str) -> Path:
        """Folder of a finished stage."""
        return self.stages / f"{name}-{self.keys[name]}"

    @cached_property
    def versions(self) -> dict[str, str]:
        """Versions of the libraries that shape the results."""
        return {name: version(name) for name in LIBRARIES}


def runs_of(
    city: Path, overrides: Mapping[str, str] | None, out: Path | None, base: Path | None = None
) -> tuple[CityConfig, Path]:
    """Read a city's file, and name the folder of all its runs; nothing is made or digested. See `make_plan`."""
    config = load(city, overrides, base=(base or city.parent).resolve())
    return config, (out or Path(config.output.folder)).resolve() / config.city


def make_plan(
    city: Path,
    overrides: Mapping[str, str] | None = None,
    out: Path | None = None,
    *,
    base: Path | None = None,
) -> Plan:
    """Read a city's file, digest its inputs and name every stage.

    Parameters
    ----------
    city
        The city's YAML file, or a GeoPackage that a run made.
    overrides
        Values that replace or add keys, see `geo.config.load`.
    out
        Folder for results instead of ``output.folder``.
    base
        Folder that relative paths start at; None: that of the file.

    Raises
    ------
    ConfigurationError
        When the file is not a valid configuration.
    """
    base = (base or city.parent).resolve()
    config, folder = runs_of(city, overrides, out, base)
    results_folder(folder)
    files = FileDigests(folder / "stages" / DIGESTS)
    images = {path: files.of(path) for path in expand_sources(config.imagery.sources)}
    roads = {p: files.of(p) for p in (config.roads.source, config.area) if isinstance(p, str)}
    tables = {p: files.of(p) for p in expand_tables(config.collisions)}
    traffic = {p: files.of(p) for p in expand_counts(config.exposure)}
    encoder = config.encoder.name
    weights = files.of(encoder.removeprefix("file:")) if encoder.startswith("file:") else encoder
    files.save()

    plain = config.model_dump(mode="json", by_alias=True)
    # where the work is done, where results go, and who waits for whom, change no result
    plain.pop("run")
    for key in ("folder", "when_busy"):
        plain["output"].pop(key)
    written = read_raw(city, overrides)
    written.pop("run", None)
    # a key of a section that may be left out, or empty
    (written.get("output") or {}).pop("when_busy", None)
    licence = {name: plain[name].pop("licence") for name in LICENSED}
    for key in ("sources", "cache_mb"):
        plain["imagery"].pop(key)
    keep = plain["clusters"].pop("keep_numbers")
    safety = dict(plain["safety"])
    gathering = safety.pop("concentration")
    repeated = city if is_recorded(city) else None
    names = read_names(folder / NAMES) if repeated is None else names_then(folder, repeated)
    needs: dict[str, tuple[object, ...]] = {
        "roads": (plain["roads"], plain["segments"], plain["crs"], plain["area"], list(roads.values())),
        "tiles": (plain["tiles"], plain["imagery"], sorted(images.items())),
        "features": (plain["encoder"], weights),
        "clusters": (plain["clusters"],),
        "collisions": (plain["collisions"], list(tables.values())),
        "exposure": (plain["exposure"], list(traffic.values())),
        "safety": (safety,),
        "inference": (),
        "concentration": (gathering, plain["clusters"], plain["tiles"]),
        "pictures": (plain["output"]["thumbnails"] == "all",),
        "package": (plain, licence, {name: version(name) for name in LIBRARIES}, said(names)),
        "report": (version("bokeh"),),
    }
    keys: dict[str, str] = {}
    for name in STAGES:
        code = code_digest(*_SHARED_CODE, *_CODE[name])
        keys[name] = digest(name, needs[name], [keys[earlier] for earlier in _AFTER[name]], code)
        if name == "clusters":
            numbers = numbering(folder, keys[name], names, keep=keep, repeated=repeated)
            keys[name] = numbers.key
    sources = {**images, **roads, **tables, **traffic}
    return Plan(
        config,
        strike_all(written),
        folder,
        keys,
        sources,
        _labelled(sources, base),
        weights,
        numbers,
        names,
        base,
    )


def check_inputs(plan: Plan) -> None:
    """Make sure that the inputs are still those that a run was planned with.

    Whoever reads inputs has this looked at before what was made of them is finished: kept work that is not of the
    bytes that its digest names would be taken for good ever after.

    Raises
    ------
    SourceError
        When one is not: results would name bytes that they were not made from.
    """
    files = FileDigests(plan.stages / DIGESTS)
    for source, expected in plan.sources.items():
        if files.of(source) != expected:
            raise SourceError(
                "it was changed or removed while the run was going on",
                where=source,
                todo="Run again when it is all there. The last good run is as it was.",
            )


def said(names: Mapping[int, Named]) -> list[dict[str, Any]]:
    """List what the analyst says of clusters, without lines as a fresh table has them."""
    return [one.said for _, one in sorted(names.items()) if one.edited]


def _labelled(digests: Mapping[str, str], base: Path) -> dict[str, str]:
    """Name inputs without the place of the city on this machine."""
    inside = {path: Path(path).is_relative_to(base) for path in digests}
    return {
        str(Path(path).relative_to(base)) if inside[path] else "/".join(Path(path).parts[-2:]): found
        for path, found in digests.items()
    }
