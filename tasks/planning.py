"""Making the plan of a run: its configuration is read, its inputs are digested, and every stage is named.

All digests follow from the configuration, the bytes of the inputs, our own code and the versions of the libraries that
it uses, so a run that would change nothing is known before anything heavy is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
    repeated = city if is_recorded(city) else None
    named = _Naming(
        config,
        folder,
        strike_all(without_idle(read_raw(city, overrides, CityConfig), CityConfig, keep="licence")),
        sources,
        _labels(sources, base),
        repeated,
        _what_is_said(config, folder, repeated),
        _said_of_ground(config, folder, repeated),
        {stage.name: code_digest(stage.module) for stage in STAGES},
    )
    for stage in STAGES:
        named.name(stage)
    return Plan(
        config,
        named.written,
        folder,
        named.keys,
        sources,
        named.inputs,
        named.numbers,
        named.said.names,
        base,
        versions=merged(stage.made_with for stage in STAGES) | {PROJECT: version(PROJECT)},
        tables={stage.name: stage.tables for stage in STAGES},
        code=named.code,
        sensitivity=named.sensitivity,
        unused=named.said.unused,
        junction_names=named.of_junctions,
        other_junctions=named.foreign,
        corrections=named.said.corrections,
        merges=named.said.merges,
        unused_corrections=named.said.unused_corrections,
        ground=named.ground,
    )


@dataclass(slots=True)
class _Naming:
    """Stages as they are named one after the other, each by those before it, and what is found out on the way.

    Attributes
    ----------
    config, folder, written, sources, ground, code, keys, numbers, sensitivity
        As of `tasks.plan.Plan`.
    labels
        What each input is called, by its path or address.
    repeated
        The GeoPackage whose run is repeated, if any.
    said
        What analysts say of types.
    of_junctions, foreign
        ``junction_names`` and ``other_junctions`` of a plan.
    """

    config: CityConfig
    folder: Path
    written: dict[str, Any]
    sources: dict[str, str]
    labels: dict[str, str]
    repeated: Path | None
    said: _Said
    ground: OfGround
    code: dict[str, str]
    keys: dict[str, str] = field(default_factory=dict)
    numbers: Numbering = field(init=False)
    sensitivity: Path | None = None
    of_junctions: dict[int, Named] = field(default_factory=dict)
    foreign: tuple[int, ...] = ()

    @property
    def inputs(self) -> dict[str, str]:
        """The digest of each input, by what it is called."""
        return {self.labels[source]: found for source, found in self.sources.items()}

    def name(self, stage: Stage) -> None:
        """Name the next stage."""
        read = [(self.labels[one], self.sources[one]) for one in stage.inputs(self.config)]
        key = _key(stage, self.config, read, self.keys, (self.code[stage.name], self._told(stage.name)))
        if stage.name == NUMBERED:
            key = self._numbered(key)
        if stage.name == MAPPED and way_of(self.config.ground).finds:
            key = self._numbered_ground(key)
        self.keys[stage.name] = key

    def _told(self, stage: str) -> list[object] | None:
        """Give what analysts say, and what else names a stage beside its settings and inputs; None: nothing."""
        if stage == NUMBERED:
            return self.said.of_types()
        if stage == MAPPED and self.ground.merges:
            return [sorted(self.ground.merges.items())]
        return self._written_down() if stage == NAMED else None

    def _written_down(self) -> list[object]:
        """Give all that a run writes down as it is told, and find what was said and kept of these very stages."""
        self.sensitivity = _kept_sensitivity(self.folder / "stages", self.config, self.keys)
        self.of_junctions, self.foreign = junctions_called(self.folder, self.keys[GROUPED], self.repeated)
        told = [
            self.written,
            self.inputs,
            [one.said for one in edited(self.said.names)],
            self.said.unused,
            self.said.unused_corrections,
            [one.said for one in edited(self.ground.names)],
            self.ground.unused,
            [one.said for one in edited(self.of_junctions)],
            self.foreign,
        ]
        if self.sensitivity is not None:
            told += [self.sensitivity.name, digest_file(self.sensitivity / f"{SENSITIVITY}.parquet")]
        return told

    def _numbered(self, key: str) -> str:
        """Decide where types get their numbers from; gives what the stage is then called."""
        clusters = self.config.clusters
        self.numbers = numbering(
            self.folder,
            key,
            self.said.names,
            keep=clusters.keep_numbers and clusters.typology is None,
            repeated=self.repeated,
            said=self.said.numbers(),
        )
        return self.numbers.key

    def _numbered_ground(self, key: str) -> str:
        """Decide where classes of ground that are found get their numbers from; gives what the stage is called."""
        numbers = _numbering_of_ground(self.ground, self.folder, key, self.config, self.repeated)
        self.ground = replace(self.ground, numbers=numbers, kept=kept_classes(numbers, self.keys[FOUND_BY]))
        return numbers.key


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
