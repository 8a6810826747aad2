"""Making the plan of a run: its configuration is read, its inputs are digested, and every stage is named.

All digests follow from the configuration, the bytes of the inputs, our own code and the versions of the libraries that
it uses, so a run that would change nothing is known before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from geo.config import CityConfig, load
from geo.config.file import is_recorded, read_raw
from geo.config.section import effective, without_idle
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import read_names
from geo.secrets import strike_all
from tasks.earlier import edited, names_then, numbering
from tasks.plan import Plan
from tasks.stages.order import STAGES
from tasks.store.code import code_digest, merged
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.document import digest
from tasks.store.stage import ALL_BEFORE, Stage, results_folder

NUMBERED, NAMED = "clusters", "package"
"""The stages that give types their numbers, and their names: both last from run to run."""
PROJECT = "roadprint"


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
    sources = _digested(config, folder)
    inputs = _labelled(sources, base)
    repeated = city if is_recorded(city) else None
    names = read_names(folder / NAMES) if repeated is None else names_then(folder, repeated)
    keys: dict[str, str] = {}
    for stage in STAGES:
        key = _key(
            stage, config, sources, keys, [one.said for one in edited(names)] if stage.name == NAMED else None
        )
        if stage.name == NUMBERED:
            keep = config.clusters.keep_numbers
            numbers = numbering(folder, key, names, keep=keep, repeated=repeated)
            key = numbers.key
        keys[stage.name] = key
    written = strike_all(without_idle(read_raw(city, overrides), CityConfig, keep="licence"))
    versions = merged(stage.made_with for stage in STAGES) | {PROJECT: version(PROJECT)}
    tables = {stage.name: stage.tables for stage in STAGES}
    return Plan(config, written, folder, keys, sources, inputs, numbers, names, base, versions, tables)


def _digested(config: CityConfig, folder: Path) -> dict[str, str]:
    """Digest all sources that stages read, by their path or address."""
    files = FileDigests(folder / "stages" / DIGESTS)
    named = dict.fromkeys(source for stage in STAGES for source in stage.inputs(config))
    digests = {source: files.of(source) for source in named}
    files.save()
    return digests


def _key(
    stage: Stage,
    config: CityConfig,
    sources: Mapping[str, str],
    keys: Mapping[str, str],
    names: object,
) -> str:
    """Digest all that a stage's files depend on."""
    return digest(
        stage.name,
        effective(config, stage.settings),
        stage.also(config),
        [(source, sources[source]) for source in stage.inputs(config)],
        [keys[earlier] for earlier in (keys if stage.after == ALL_BEFORE else stage.after)],
        code_digest(stage.module),
        Path(__file__).read_text(encoding="utf-8"),
        names,
    )


def _labelled(digests: Mapping[str, str], base: Path) -> dict[str, str]:
    """Name inputs without the place of the city on this machine."""
    inside = {path: Path(path).is_relative_to(base) for path in digests}
    return {
        str(Path(path).relative_to(base)) if inside[path] else "/".join(Path(path).parts[-2:]): found
        for path, found in digests.items()
    }
