"""Making the plan of a run: its configuration is read, its inputs are digested, and every stage is named.

All digests follow from the configuration, the bytes of the inputs, our own code and the versions of the libraries that
it uses, so a run that would change nothing is known before anything heavy is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from slugify import slugify

from geo.clusters.hands.corrections import FILE as CORRECTIONS
from geo.clusters.hands.corrections import IS, Correction, corrections_in, read_corrections
from geo.config import CityConfig, load
from geo.config.file import is_recorded, read_raw
from geo.config.section import effective, without_idle
from geo.counting import counted
from geo.errors import ConfigurationError
from geo.ground.names import FILE as GROUND_NAMES
from geo.ground.names import read_class_names
from geo.ground.registry import way_of
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import Named, merges_of, read_names
from geo.secrets import strike_all
from geo.sources.files import digest_file
from tasks.earlier import (
    GROUND,
    Numbering,
    class_names_then,
    edited,
    junctions_called,
    kept_classes,
    names_of_typology,
    names_then,
    numbering,
)
from tasks.plan import FOUND_BY, GROUPED, OfGround, Plan
from tasks.sensitivity import NAME as SENSITIVITY
from tasks.sensitivity import kept, sensitivity_folder
from tasks.stages.order import STAGES
from tasks.store.code import code_digest, merged
from tasks.store.digests import DIGESTS, FileDigests
from tasks.store.document import digest
from tasks.store.folder import city_folder, refuse_other_city
from tasks.store.stage import ALL_BEFORE, Stage

NUMBERED, NAMED, MAPPED = "clusters", "package", "ground"
"""The stage that gives types their numbers, which last from run to run, and the one that writes down what they are
called, the configuration as it stands in the city's file, and the places of inputs; and the one that gives classes of
ground their numbers."""
PROJECT = "roadprint"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def folder_name(city: str) -> str:
    """Give what a city's folder and files are called: letters, digits, ``-`` and ``_``.

    Raises
    ------
    ConfigurationError
        When nothing of its name can be written so.

    Examples
    --------
    >>> folder_name("demo-town"), folder_name("São Paulo / Mitte")
    ('demo-town', 'Sao-Paulo-Mitte')
    """
    if _PLAIN_NAME.fullmatch(city):
        return city
    name = slugify(city, lowercase=False, regex_pattern=r"[^A-Za-z0-9_]+", max_length=64).strip("-")
    if not name:
        raise ConfigurationError(
            f"{city!r} cannot be written in Latin letters", where="city", todo="Give it a name that can."
        )
    return name


def runs_folder(config: CityConfig, out: Path | None = None) -> Path:
    """Name the folder of all runs of a city, in a folder for results or in ``output.folder``."""
    return (out or Path(config.output.folder)).resolve() / folder_name(config.city)


def runs_of(
    city: Path, overrides: Mapping[str, str] | None, out: Path | None, base: Path | None = None
) -> tuple[CityConfig, Path]:
    """Read a city's file, and name the folder of all its runs; nothing is made or digested. See `make_plan`."""
    config = load(city, overrides, base=(base or city.parent).resolve())
    folder = runs_folder(config, out)
    refuse_other_city(folder, config.city)
    return config, folder


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
    city_folder(folder, config.city)
    sources = _digested(config, folder)
    labels = _labels(sources, base)
    inputs = {labels[source]: found for source, found in sources.items()}
    repeated = city if is_recorded(city) else None
    said = _what_is_said(config, folder, repeated)
    hands = said.of_types()
    ground = _said_of_ground(config, folder, repeated)
    written = strike_all(without_idle(read_raw(city, overrides, CityConfig), CityConfig, keep="licence"))
    code = {stage.name: code_digest(stage.module) for stage in STAGES}
    keys: dict[str, str] = {}
    others: Path | None = None
    of_junctions: dict[int, Named] = {}
    foreign: tuple[int, ...] = ()
    for stage in STAGES:
        told: list[object] | None = hands if stage.name == NUMBERED else None
        if stage.name == MAPPED and ground.merges:
            told = [sorted(ground.merges.items())]
        if stage.name == NAMED:
            told = [
                written,
                inputs,
                [one.said for one in edited(said.names)],
                said.unused,
                said.unused_corrections,
                [one.said for one in edited(ground.names)],
                ground.unused,
            ]
            others = _kept_sensitivity(folder / "stages", config, keys)
            of_junctions, foreign = junctions_called(folder, keys[GROUPED], repeated)
            told += [[one.said for one in edited(of_junctions)], foreign]
            told += [] if others is None else [others.name, digest_file(others / f"{SENSITIVITY}.parquet")]
        read = [(labels[one], sources[one]) for one in stage.inputs(config)]
        key = _key(stage, config, read, keys, (code[stage.name], told))
        if stage.name == NUMBERED:
            keep = config.clusters.keep_numbers and config.clusters.typology is None
            numbers = numbering(folder, key, said.names, keep=keep, repeated=repeated, said=said.numbers())
            key = numbers.key
        if stage.name == MAPPED and way_of(config.ground).finds:
            of_ground = _numbering_of_ground(ground, folder, key, config, repeated)
            ground = replace(ground, numbers=of_ground, kept=kept_classes(of_ground, keys[FOUND_BY]))
            key = of_ground.key
        keys[stage.name] = key
    versions = merged(stage.made_with for stage in STAGES) | {PROJECT: version(PROJECT)}
    tables = {stage.name: stage.tables for stage in STAGES}
    return Plan(
        config,
        written,
        folder,
        keys,
        sources,
        inputs,
        numbers,
        said.names,
        base,
        versions,
        tables,
        code,
        others,
        said.unused,
        of_junctions,
        foreign,
        said.corrections,
        said.merges,
        said.unused_corrections,
        ground,
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What analysts say of types, as it stands in the city's folder or stood when a run was made that is repeated.

    Attributes
    ----------
    names, merges
        What types are called, and what merged ones become, by their number.
    corrections
        In the order in which they were said.
    unused, unused_corrections
        Types that were named, and how many corrections there are, while types are those of a typology.
    """

    names: dict[int, Named]
    merges: dict[int, int]
    corrections: tuple[Correction, ...]
    unused: tuple[int, ...] = ()
    unused_corrections: int = 0

    def of_types(self) -> list[object] | None:
        """Give what changes types; None: nothing does."""
        if not self.merges and not self.corrections:
            return None
        return [sorted(self.merges.items()), [one.said for one in self.corrections]]

    def numbers(self) -> set[int]:
        """Give the numbers of types that are spoken of beside their names."""
        given = {one.type for one in self.corrections if one.says == IS}
        return given | {*self.merges, *self.merges.values()}


def _what_is_said(config: CityConfig, folder: Path, repeated: Path | None) -> _Said:
    """Read what analysts say of types; a typology has its own words."""
    names = read_names(folder / NAMES) if repeated is None else names_then(folder, repeated)
    corrections = read_corrections(folder / CORRECTIONS) if repeated is None else corrections_in(repeated)
    if config.clusters.typology is None:
        return _Said(names, merges_of(names), corrections)
    of_typology = names_of_typology(Path(config.clusters.typology))
    unused = tuple(one.cluster for one in edited(names))
    return _Said(of_typology, merges_of(of_typology), (), unused, len(corrections))


def _said_of_ground(config: CityConfig, folder: Path, repeated: Path | None) -> OfGround:
    """Read what analysts say of classes of ground; those that are not found have names of their own."""
    names = (
        read_class_names(folder / GROUND_NAMES) if repeated is None else class_names_then(folder, repeated)
    )
    if way_of(config.ground).finds:
        return OfGround(names)
    return OfGround(unused=tuple(one.cluster for one in edited(names)))


def _numbering_of_ground(
    ground: OfGround, folder: Path, own_key: str, config: CityConfig, repeated: Path | None
) -> Numbering:
    """Decide where classes of ground that are found get their numbers from."""
    merges = ground.merges
    return numbering(
        folder,
        own_key,
        ground.names,
        keep=config.clusters.keep_numbers,
        repeated=repeated,
        said={*merges, *merges.values()},
        of=GROUND,
    )


def _kept_sensitivity(stages: Path, config: CityConfig, keys: Mapping[str, str]) -> Path | None:
    """Find the table of what stands if choices were made otherwise, where it is of these stages."""
    if not stages.is_dir() or not any(stages.glob(f"{SENSITIVITY}-*")):
        return None
    folder = sensitivity_folder(stages, config, keys)
    return folder if kept(folder) else None


def _digested(config: CityConfig, folder: Path) -> dict[str, str]:
    """Digest all sources that stages read, by their path or address."""
    files = FileDigests(folder / "stages" / DIGESTS)
    named = dict.fromkeys(source for stage in STAGES for source in stage.inputs(config))
    digests = {source: files.of(source) for source in counted(named, "files")}
    files.save()
    return digests


def _key(
    stage: Stage,
    config: CityConfig,
    inputs: Sequence[tuple[str, str]],
    keys: Mapping[str, str],
    more: object,
) -> str:
    """Digest all that a stage's files depend on."""
    return digest(
        stage.name,
        effective(config, stage.settings),
        stage.also(config),
        inputs,
        [keys[earlier] for earlier in (keys if stage.after == ALL_BEFORE else stage.after)],
        Path(__file__).read_text(encoding="utf-8"),
        more,
    )


def _labels(paths: Iterable[str], base: Path) -> dict[str, str]:
    """Name inputs without the place of the city on this machine: by as little of their path as tells them apart."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for path in paths:
        place = Path(path)
        if place.is_relative_to(base):
            names = [str(place.relative_to(base))]
        else:
            names = ["/".join(place.parts[-n:]) for n in range(2, len(place.parts) + 1)]
        found[path] = next((name for name in names if name not in taken), path)
        taken.add(found[path])
    return found
