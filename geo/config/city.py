"""A city's configuration: one YAML file, checked whole before anything runs.

Every key that is unknown, of the wrong type or out of range is reported in one message. Relative paths
start at the file's own folder; ``${NAME}`` is taken from the environment.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from geo.addresses import is_url
from geo.config.faults import describe
from geo.config.file import expand, read_raw
from geo.config.kinds import one_of
from geo.config.section import NO_EFFECT, Section, sections
from geo.config.sections.clusters import Clusters
from geo.config.sections.concepts import Concepts
from geo.config.sections.encoder import EncoderSettings
from geo.config.sections.ground import Ground
from geo.config.sections.imagery import NO_IMAGERY, Imagery, Tiles
from geo.config.sections.interventions import Interventions
from geo.config.sections.output import Output, Report
from geo.config.sections.records import Collisions, Exposure
from geo.config.sections.roads import Roads, Segments
from geo.config.sections.run import Run
from geo.config.sections.safety import Safety
from geo.config.sections.sensitivity import Sensitivity
from geo.errors import ConfigurationError
from geo.secrets import PLACEHOLDER, hide_all, recall_all, remember

if TYPE_CHECKING:
    Encoder = EncoderSettings
    ClusterMethod = Clusters
    Records = Collisions
    GroundWay = Ground
else:
    Encoder = one_of("geo.features.registry", key="name")
    ClusterMethod = one_of("geo.clusters.registry", key="method")
    Records = one_of("geo.collisions.registry", key="schema")
    GroundWay = one_of("geo.ground.registry", key="method")


NO_IMAGERY_NEEDED = "raster"
"""Name of the encoder that reads none."""
NO_GROUND = "none"
"""The method of the ground that is not mapped."""


class CityConfig(Section):
    """One city, from imagery to GeoPackage."""

    BARE_WORDS: ClassVar[Mapping[str, str]] = {"ground": "method"}
    """Sections that may be a bare word, and the key that it is then meant for."""

    city: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Name of the city, as titles show it. Folders and files are called so as well, without accents "
        "and with '-' in place of what is no letter, digit or '_': Sao-Paulo for São Paulo.",
    )
    crs: str | None = Field(
        default=None, description="Projected CRS in metres; default: the UTM zone of the roads."
    )
    area: str | tuple[float, float, float, float] | None = Field(
        default=None, description="A polygon file, or [west, south, east, north] in degrees."
    )
    imagery: Imagery
    roads: Roads
    segments: Segments = Segments()
    tiles: Tiles = Tiles()
    encoder: Encoder = Field(default={}, validate_default=True)
    clusters: ClusterMethod = Field(default={}, validate_default=True)
    collisions: Records = Field(default={}, validate_default=True)
    exposure: Exposure = Exposure()
    safety: Safety = Safety()
    interventions: Interventions = Interventions()
    ground: GroundWay = Field(default={}, validate_default=True)
    concepts: Concepts = Concepts()
    sensitivity: Annotated[Sensitivity, NO_EFFECT] = Sensitivity()
    output: Output = Output()
    report: Report = Report()
    run: Annotated[Run, NO_EFFECT] = Run()
    _credentials: dict[str, str] = PrivateAttr(default_factory=dict)

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Arrive in another process, which then knows the credentials too."""
        super().__setstate__(state)
        remember(self._credentials)

    @model_validator(mode="before")
    @classmethod
    def _without_imagery(cls, raw: object) -> object:
        """Ask for no imagery where the encoder reads none."""
        if not isinstance(raw, Mapping) or raw.get("imagery"):
            return raw
        encoder = raw.get("encoder")
        named = encoder.get("name") if isinstance(encoder, Mapping) else None
        return {**raw, "imagery": NO_IMAGERY} if named == NO_IMAGERY_NEEDED else raw

    @field_validator("ground", mode="before")
    @classmethod
    def _way_of_ground(cls, raw: object) -> object:
        """Take a bare word for the method, and find the method by the key that is there where none is named."""
        if isinstance(raw, str):
            return {cls.BARE_WORDS["ground"]: raw}
        if not isinstance(raw, Mapping) or "method" in raw:
            return raw
        kinds = sections(cls.model_fields["ground"])
        meant = [kind.tag for kind in kinds if getattr(kind, "key", "") in raw]  # type: ignore[attr-defined]
        return {**raw, "method": meant[0]} if len(meant) == 1 else raw

    @field_validator("city")
    @classmethod
    def _named(cls, city: str) -> str:
        if not any(map(str.isalnum, city)):
            raise ValueError(f"a name with letters or digits is expected, found {city!r:.80}")
        return city.strip()

    @field_validator("area")
    @classmethod
    def _degrees(cls, area: str | tuple[float, ...] | None) -> str | tuple[float, ...] | None:
        if isinstance(area, tuple):
            west, south, east, north = area
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                raise ValueError(f"[west, south, east, north] in degrees expected, found {list(area)}")
        return area

    @model_validator(mode="after")
    def _imagery_is_read(self) -> Self:
        if self.encoder.name != NO_IMAGERY_NEEDED:
            return self
        if self.imagery.sources:
            raise ValueError(
                "encoder raster reads no imagery: leave the section imagery out, or name an encoder of imagery and put "
                "the embeddings of others beside it (encoder.beside)"
            )
        if self.tiles.mode != "tile":
            raise ValueError("tiles.mode: dense maps imagery, and encoder raster reads none: leave it out")
        return self

    @model_validator(mode="after")
    def _ground_is_seen(self) -> Self:
        if (self.ground.method != NO_GROUND or self.ground.ndvi) and not self.imagery.sources:
            raise ValueError(
                "ground maps imagery, and encoder raster reads none: leave the section ground out"
            )
        return self

    @model_validator(mode="after")
    def _turns_kept(self) -> Self:
        if self.clusters.turn_whitening and not self.encoder.keep_turns:
            raise ValueError(
                "clusters.turn_whitening reads the embedding of each quarter turn, and these are not kept: set "
                "encoder.keep_turns: true, or leave it out"
            )
        return self


def load(path: Path, overrides: Mapping[str, str] | None = None, *, base: Path | None = None) -> CityConfig:
    """Read and check a city's file.

    Parameters
    ----------
    path
        The YAML file, or a GeoPackage that a run made, which holds its configuration.
    overrides
        ``{"clusters.k": "5"}``: values, read as YAML, that replace or add keys.
    base
        Folder that relative paths start at; None: that of the file.

    Returns
    -------
    The configuration with absolute paths. In URLs, ``${NAME}`` stays, and credentials that are written out become such
    names: `geo.addresses.reveal` puts them in.

    Raises
    ------
    ConfigurationError
        Naming every faulty key at once, or the file that cannot be read.
    EncoderError
        When the encoder is known to need other bands than imagery gives.

    Examples
    --------
    >>> text = "{city: some-town, imagery: {sources: [photo.tif]}, roads: {source: roads.gpkg}}"
    >>> written = Path("city.yaml").write_text(text)
    >>> config = load(Path("city.yaml"), {"tiles.tile_m": "80"})
    >>> config.city, config.tiles.tile_m, Path(config.roads.source).name
    ('some-town', 80.0, 'roads.gpkg')
    """
    raw = hide_all(read_raw(path, overrides, CityConfig))
    try:
        config = CityConfig.model_validate(expand(raw, str(path)))
    except ValidationError as error:
        raise ConfigurationError(
            describe(error, CityConfig), where=str(path), todo="See docs/city-file.md for every key."
        ) from error
    if config.imagery.sources:
        config.encoder.check_bands(config.imagery.seen)
    config = _absolute(config, (base or path.parent).resolve())
    config._credentials.update(recall_all(PLACEHOLDER.findall(config.model_dump_json())))  # noqa: SLF001 - ours
    return config


def encoder_settings(**keys: object) -> EncoderSettings:
    """Make the ``encoder`` section of the kind that its ``name`` tells, as of a city's file.

    Parameters
    ----------
    keys
        Those of the section (docs/city-file.md).

    Raises
    ------
    pydantic.ValidationError
        When it is not valid.

    Examples
    --------
    >>> encoder_settings(name="bundled", rotations=1).rotations
    1
    """
    settings: EncoderSettings = TypeAdapter(Encoder).validate_python(keys)
    return settings


def cluster_settings(**keys: object) -> Clusters:
    """Make the ``clusters`` section of the kind that its ``method`` tells, as of a city's file.

    Raises
    ------
    pydantic.ValidationError
        When it is not valid.
    """
    settings: Clusters = TypeAdapter(ClusterMethod).validate_python(keys)
    return settings


def ground_settings(**keys: object) -> Ground:
    """Make the ``ground`` section of the kind that its ``method`` tells, as of a city's file.

    Raises
    ------
    pydantic.ValidationError
        When it is not valid.

    Examples
    --------
    >>> ground_settings(method="unsupervised").reach_m
    30.0
    """
    settings: Ground = TypeAdapter(GroundWay).validate_python(keys)
    return settings


def collision_settings(**keys: object) -> Collisions:
    """Make the ``collisions`` section of the kind that its ``schema`` tells, as of a city's file.

    Parameters
    ----------
    keys
        The keys of the section, see ``docs/city-file.md``.

    Returns
    -------
    The section, of one of the kinds that `geo.collisions.registry` lists.

    Raises
    ------
    pydantic.ValidationError
        When it is not valid.

    Examples
    --------
    >>> from geo.config import collision_settings
    >>> linked = collision_settings(sources=["collisions.csv"], casualties="casualties.csv")
    >>> linked.schema_, linked.linked()
    ('stats19', ['casualties.csv'])
    >>> collision_settings(schema="columns", columns={"x": "lng", "y": "lat"}).max_distance_m
    30.0
    """
    settings: Collisions = TypeAdapter(Records).validate_python(keys)
    return settings


def _beside_resolved(encoder: EncoderSettings, resolve: Callable[[str], str]) -> EncoderSettings:
    """Bring the paths of what is joined to an encoder to what `resolve` makes of them."""
    if encoder.beside is None:
        return encoder
    return encoder.model_copy(update={"beside": encoder.beside.located(resolve)})


def _one_or_several(source: str | list[str], absolute: Callable[[list[str]], list[str]]) -> str | list[str]:
    """Make one path or several absolute, as they were written."""
    return absolute([source])[0] if isinstance(source, str) else absolute(source)


def _absolute(config: CityConfig, folder: Path) -> CityConfig:
    """Make every path absolute, starting at the folder of the city's file."""

    def resolve(source: str) -> str:
        return source if is_url(source) else os.path.normpath(folder / Path(source).expanduser())

    def several(sources: list[str]) -> list[str]:
        """Resolve patterns; a mark of one in the folder's own name means itself."""
        base = Path(glob.escape(str(folder)))
        return [
            resolve(s)
            if is_url(s) or not glob.has_magic(s)
            else os.path.normpath(base / Path(s).expanduser())
            for s in sources
        ]

    def optional(source: str | None) -> str | None:
        return None if source is None else resolve(source)

    collisions = config.collisions.with_paths(lambda source: several([source])[0]).model_copy(
        update={"sources": several(config.collisions.sources)}
    )
    counts = {
        name: part.model_copy(update={"sources": several(part.sources)})
        for name in ("pedestrians", "cyclists")
        for part in (getattr(config.exposure, name),)
    }
    exposure = config.exposure.model_copy(update={"sources": several(config.exposure.sources), **counts})
    treated = config.interventions.source
    return config.model_copy(
        update={
            "exposure": exposure,
            "interventions": config.interventions.model_copy(
                update={"source": None if treated is None else _one_or_several(treated, several)}
            ),
            "area": resolve(config.area) if isinstance(config.area, str) else config.area,
            "imagery": config.imagery.model_copy(
                update={
                    "sources": several(config.imagery.sources),
                    "footprints": optional(config.imagery.footprints),
                }
            ),
            "roads": config.roads.model_copy(
                update={"source": _one_or_several(config.roads.source, several)}
            ),
            "encoder": _beside_resolved(config.encoder.with_paths(resolve), resolve),
            "ground": config.ground.with_paths(resolve),
            "concepts": config.concepts.model_copy(update={"source": optional(config.concepts.source)}),
            "clusters": config.clusters.model_copy(update={"typology": optional(config.clusters.typology)}),
            "run": config.run.model_copy(update={"shared": optional(config.run.shared)}),
            "collisions": collisions,
            "output": config.output.model_copy(update={"folder": resolve(config.output.folder)}),
        }
    )
