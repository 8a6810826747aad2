"""A city's configuration: one YAML file, checked whole before anything runs.

Every key that is unknown, of the wrong type or out of range is reported in one message. Relative paths
start at the file's own folder; ``${NAME}`` is taken from the environment.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from geo.addresses import is_url
from geo.config.file import expand, read_raw
from geo.config.records import (
    Collisions,
    Exposure,
)
from geo.config.run import Run
from geo.config.safety import Safety
from geo.config.section import Metres, Section
from geo.errors import ConfigurationError
from geo.secrets import PLACEHOLDER, hide_all, recall_all, remember

Finite = Annotated[float, Field(allow_inf_nan=False)]
LEAST_TILE_PX, LARGEST_TILE_PX = 4, 8192
"""A tile of fewer pixels a side shows nothing, one of more takes a gigabyte."""


class Imagery(Section):
    """Aerial or satellite rasters."""

    sources: list[str] = Field(min_length=1, description="Files, globs, folders, VRTs or URLs of rasters.")
    bands: list[Annotated[int, Field(ge=1)]] = Field(
        default=[1, 2, 3], min_length=3, max_length=3, description="Red, green and blue band, counted from 1."
    )
    scale: tuple[Finite, Finite] | None = Field(
        default=None,
        description="Raster values mapped to 0 and 255, required when the raster is not 8 bit.",
    )
    nodata: Finite | None = Field(
        default=None,
        description="Value that marks pixels without data, in all bands at once, where the raster does not say so.",
    )
    cache_mb: Annotated[int, Field(ge=16, le=65_536)] = Field(
        default=256, description="Memory for decoded blocks of rasters (megabytes)."
    )
    licence: str = Field(default="", description="Licence and source of the imagery, quoted in the outputs.")

    @field_validator("scale")
    @classmethod
    def _rising(cls, scale: tuple[float, float] | None) -> tuple[float, float] | None:
        if scale is not None and not scale[0] < scale[1]:
            raise ValueError(f"the low value must be below the high one, found {list(scale)}")
        return scale


class Roads(Section):
    """Road centrelines."""

    source: str = Field(
        description="GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet or OSM .pbf of road centrelines."
    )
    layer: str | None = Field(
        default=None, description="Layer of the source; default: its only or first one."
    )
    class_field: str | None = Field(default="highway", description="Column with the road's class.")
    name_field: str | None = Field(default="name", description="Column with the road's name.")
    ref_field: str | None = Field(
        default="ref", description="Column with the road's number, where it exists."
    )
    id_field: str | None = Field(
        default=None, description="Column with the source's own id; default: its row."
    )
    keep: list[str] | None = Field(default=None, description="Road classes to keep; default: all.")
    drop: list[str] | None = Field(default=None, description="Road classes to leave out.")
    licence: str = Field(default="", description="Licence and source of the roads, quoted in the outputs.")

    @model_validator(mode="after")
    def _one_filter(self) -> Self:
        if self.keep is not None and self.drop is not None:
            raise ValueError("give keep or drop, not both")
        return self


class Segments(Section):
    """How roads are cut into segments."""

    max_length_m: Metres = Field(default=200.0, description="Longer segments are cut evenly (metres).")
    min_length_m: Annotated[float, Field(ge=0)] = Field(
        default=10.0, description="Dead-end stubs shorter than this are left out (metres)."
    )
    roundabout_max_diameter_m: Annotated[float, Field(ge=0)] = Field(
        default=80.0, description="A ring up to this wide is taken as one junction (metres); 0: never."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_length_m >= self.max_length_m:
            raise ValueError("min_length_m must be below max_length_m")
        return self


class Tiles(Section):
    """Square windows of imagery along the segments."""

    tile_m: Metres = Field(default=100.0, le=10_000, description="Side of a tile (metres).")
    spacing_m: Metres = Field(
        default=50.0, ge=1, description="Distance between tiles along a segment (metres)."
    )
    pixel_m: Metres | None = Field(
        default=None, description="Resolution (metres); default: the raster's own."
    )
    align: Literal["north", "road"] = Field(
        default="north", description="Tiles lie north-up, or are turned to the road's bearing."
    )
    min_coverage: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="A tile is encoded when imagery covers at least this share of it (0 to 1)."
    )
    mode: Literal["tile", "dense"] = Field(
        default="tile",
        description="tile: each tile is encoded by itself; dense: imagery is encoded once, and each tile's embedding "
        "is pooled from the feature map.",
    )
    pool: Literal["square", "corridor"] = Field(
        default="square",
        description="dense: what an embedding is the mean of, the tile's square or the road's corridor in it.",
    )
    corridor_m: Metres = Field(default=30.0, description="Width of the road's corridor (metres).")
    context_m: Annotated[float, Field(ge=0, le=1000)] = Field(
        default=16.0,
        description="dense: ground that is encoded about each piece of imagery so that its rim sees its surroundings "
        "(metres); more is slower.",
    )

    @model_validator(mode="after")
    def _resolved(self) -> Self:
        if self.pool == "corridor" and self.mode != "dense":
            raise ValueError("pool: corridor needs mode: dense")
        if self.pixel_m is not None:
            side = self.tile_m / self.pixel_m
            if not LEAST_TILE_PX <= side <= LARGEST_TILE_PX:
                raise ValueError(
                    f"a tile of {self.tile_m:g} m has {side:,.0f} pixels of {self.pixel_m:g} m a side; "
                    f"from {LEAST_TILE_PX} to {LARGEST_TILE_PX} are possible"
                )
        return self


class Encoder(Section):
    """What turns a tile into an embedding."""

    name: str = Field(
        default="bundled",
        description="bundled, bands, torchgeo:NAME, timm:NAME, torchvision:NAME or file:PATH.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(default="auto", description="Where it runs.")
    runtime: Literal["auto", "openvino", "torch"] = Field(
        default="auto",
        description="What executes the network; auto: OpenVINO on a processor, torch on a graphics card.",
    )
    input_px: Annotated[int, Field(ge=32, le=1024)] | None = Field(
        default=None, description="Side of the encoder's input (pixels); default: the encoder's own rule."
    )
    rotations: Literal[1, 4] = Field(
        default=4, description="Embeddings are averaged over this many quarter turns of a tile."
    )
    batch_size: Annotated[int, Field(ge=1, le=4096)] = Field(
        default=32, description="Tiles read and encoded at a time."
    )
    architecture: str | None = Field(
        default=None, description="For file: the timm architecture that the state dict belongs to."
    )
    mean: tuple[float, ...] | None = Field(
        default=None, description="For file: mean of each band, of 0 to 255."
    )
    std: tuple[float, ...] | None = Field(
        default=None, description="For file: deviation of each band, of 0 to 255."
    )


class Clusters(Section):
    """How segments are grouped into types. Collisions play no part."""

    method: Literal["kmeans"] = Field(default="kmeans", description="Clustering method.")
    k: Literal["auto"] | Annotated[int, Field(ge=1, le=100, strict=True)] = Field(
        default="auto", description="Number of clusters; auto: by silhouette and stability."
    )
    k_range: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(le=100)]] = Field(
        default=(3, 12), description="Smallest and largest k that auto considers."
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(default=0, description="Seed of every random choice.")
    components: Annotated[int, Field(ge=1, le=2048)] | None = Field(
        default=64, description="Principal components kept before clustering; null: no reduction."
    )
    whitening: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="0: components keep their variance; 0.5: half-whitened; 1: whitened."
    )
    resamples: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=10, description="Bootstrap samples behind the stability of each k."
    )
    keep_numbers: bool = Field(
        default=True,
        description="Whether a type keeps the number that it had in the city's newest earlier run, where it is the "
        "same type by the road that both cover; false: always by size.",
    )

    @field_validator("k_range")
    @classmethod
    def _rising(cls, k_range: tuple[int, int]) -> tuple[int, int]:
        if k_range[0] > k_range[1]:
            raise ValueError(f"the smallest k must not exceed the largest, found {list(k_range)}")
        return k_range


class Output(Section):
    """Where results go."""

    folder: str = Field(default="runs", description="Folder of all runs, relative to the city's file.")
    when_busy: Literal["wait", "refuse"] = Field(
        default="wait",
        description="What a run does while another run of the same city is going on: wait for it to end, or refuse.",
    )
    thumbnails: Literal["prototypes", "all", "none"] = Field(
        default="prototypes",
        description="Which tiles have their picture in the GeoPackage: those of prototypes and edge cases, all, or "
        "none.",
    )


class CityConfig(Section):
    """One city, from imagery to GeoPackage."""

    city: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the city: letters, digits, '-' and '_'."
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
    encoder: Encoder = Encoder()
    clusters: Clusters = Clusters()
    collisions: Collisions = Collisions()
    exposure: Exposure = Exposure()
    safety: Safety = Safety()
    output: Output = Output()
    run: Run = Run()
    _credentials: dict[str, str] = PrivateAttr(default_factory=dict)

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Arrive in another process, which then knows the credentials too."""
        super().__setstate__(state)
        remember(self._credentials)

    @field_validator("area")
    @classmethod
    def _degrees(cls, area: str | tuple[float, ...] | None) -> str | tuple[float, ...] | None:
        if isinstance(area, tuple):
            west, south, east, north = area
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                raise ValueError(f"[west, south, east, north] in degrees expected, found {list(area)}")
        return area


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
    """
    raw = hide_all(read_raw(path, overrides))
    try:
        config = CityConfig.model_validate(expand(raw, str(path)))
    except ValidationError as error:
        raise ConfigurationError(
            _describe(error), where=str(path), todo="See 'A city of your own' in the README for every key."
        ) from error
    config = _absolute(config, (base or path.parent).resolve())
    config._credentials.update(recall_all(PLACEHOLDER.findall(config.model_dump_json())))  # noqa: SLF001 - ours
    return config


def _describe(error: ValidationError) -> str:
    """All faults of the file as lines ``key: what is wrong (found ...)``."""
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"]) or "(top)"
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            message = "no such key"
        found = "" if fault["type"] in {"missing", "value_error"} else f" (found {fault['input']!r:.80})"
        lines.append(f"{key}: {message}{found}")
    count = "one fault" if len(lines) == 1 else f"{len(lines)} faults"
    return f"{count} in the configuration\n  " + "\n  ".join(lines)


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

    encoder = config.encoder
    if encoder.name.startswith("file:"):
        encoder = encoder.model_copy(update={"name": "file:" + resolve(encoder.name.removeprefix("file:"))})
    collisions = config.collisions.model_copy(
        update={
            "sources": several(config.collisions.sources),
            "casualties": optional(config.collisions.casualties),
            "vehicles": optional(config.collisions.vehicles),
        }
    )
    exposure = config.exposure.model_copy(update={"sources": several(config.exposure.sources)})
    return config.model_copy(
        update={
            "exposure": exposure,
            "area": resolve(config.area) if isinstance(config.area, str) else config.area,
            "imagery": config.imagery.model_copy(update={"sources": several(config.imagery.sources)}),
            "roads": config.roads.model_copy(update={"source": resolve(config.roads.source)}),
            "encoder": encoder,
            "run": config.run.model_copy(update={"shared": optional(config.run.shared)}),
            "collisions": collisions,
            "output": config.output.model_copy(update={"folder": resolve(config.output.folder)}),
        }
    )
