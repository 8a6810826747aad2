"""The sections of a city's file that are about imagery and what is cut from it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from geo.config.section import NO_EFFECT, Metres, Section

Band = Annotated[int, Field(ge=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
LEAST_TILE_PX, LARGEST_TILE_PX = 4, 8192
"""A tile of fewer pixels a side shows nothing, one of more takes a gigabyte."""
MOST_BANDS = 512
"""So many have hyperspectral images at most."""


class Imagery(Section):
    """Aerial or satellite rasters.

    Examples
    --------
    >>> Imagery(sources=["imagery/*.tif"]).seen
    [1, 2, 3]
    """

    sources: list[str] = Field(
        min_length=1, description="Files, globs, folders, zip archives, VRTs or URLs of rasters."
    )
    crs: str | None = Field(
        default=None,
        description="CRS of rasters that state none, such as pictures with a world file (EPSG:27700).",
    )
    prefer: Literal["finest", "order", "newest"] | None = Field(
        default=None,
        description="Which raster is seen where several show a tile: the one of the finest pixels, the first in the "
        "order of sources, or the newest (when it was taken, else the date in its name, else when the file was made). "
        "Default: the finest; of equals the first in the order of sources, then the newest; and a warning.",
    )
    bands: list[Band] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_BANDS,
        description="Bands that the encoder sees, in the order that it wants, counted from 1: for most encoders "
        "red, green and blue; [1, 1, 1] shows one band in grey. Default: red, green and blue as each file says, its "
        "palette's colours, or its one band in grey; bands 1, 2 and 3 where it says nothing.",
    )
    picture_bands: tuple[Band, Band, Band] | None = Field(
        default=None,
        description="Red, green and blue band of pictures (thumbnails, mosaics, report), counted from 1; default: the "
        "first three of bands, or its first one in grey.",
    )
    scale: tuple[Finite, Finite] | None = Field(
        default=None,
        description="Raster values mapped to 0 and 255, required when the raster is not 8 bit: what pictures and band "
        "statistics show of it, and encoders that do not take the raster's own values.",
    )
    nodata: Finite | None = Field(
        default=None,
        description="Value that marks pixels without data, in all bands at once, where the raster does not say so.",
    )
    collars: Literal["drop", "any", "keep"] = Field(
        default="drop",
        description="Borders of one colour about a raster that does not call them no data: drop reads those of black, "
        "white or a mark of no data as such, any those of all colours, keep none.",
    )
    flight: Literal["auto", "date", "folder", "file"] = Field(
        default="auto",
        description="What makes a flight, whose light and haze are its own: the date of a raster, its folder or its "
        "file. auto: the date where it is known, else the folder where rasters lie in several, else the file, where "
        "numbered sheets that adjoin are one.",
    )
    footprints: str | None = Field(
        default=None,
        description="Outlines of flights with a field that names each, before imagery.flight: seamlines, an index of "
        "sheets, a STAC item or a collection of items (path).",
    )
    flight_field: str | None = Field(
        default=None,
        min_length=1,
        description="Field of imagery.footprints that names the flight: an id or a date.",
    )
    match: Literal["histogram"] | None = Field(
        default=None,
        description="histogram: the values of each flight are brought, by a table a band, to the distribution of all "
        "tiles of roads before they are encoded; undone where roads of one class are then less alike from flight to "
        "flight. Default: they stay as they are.",
    )
    centre: bool = Field(
        default=False,
        description="Whether the fingerprints of each flight are moved to the mean of all, so that types do not follow "
        "what a flight adds to all that it shows; undone as match is. A part of town that is in one flight only loses "
        "what sets it apart.",
    )
    cache_mb: Annotated[int, Field(ge=16, le=65_536), NO_EFFECT] = Field(
        default=256, description="Memory for decoded blocks of rasters (megabytes)."
    )
    licence: Annotated[str, NO_EFFECT] = Field(
        default="", description="Licence and source of the imagery, quoted in the outputs."
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.footprints is None) != (self.flight_field is None):
            raise ValueError("footprints and flight_field stand together: a file of outlines, and its field")
        return self

    @property
    def seen(self) -> list[int]:
        """The bands that the encoder sees; 1, 2 and 3 stand for red, green and blue where none are named."""
        return [1, 2, 3] if self.bands is None else self.bands

    @property
    def pictured(self) -> tuple[int, int, int]:
        """The red, green and blue band of pictures."""
        if self.picture_bands is not None:
            return self.picture_bands
        first, second, third = self.seen[:3] if len(self.seen) >= 3 else self.seen[:1] * 3
        return first, second, third

    @field_validator("scale")
    @classmethod
    def _rising(cls, scale: tuple[float, float] | None) -> tuple[float, float] | None:
        if scale is not None and not scale[0] < scale[1]:
            raise ValueError(f"the low value must be below the high one, found {list(scale)}")
        return scale


NO_IMAGERY = Imagery.model_construct(sources=[])
"""Of a city whose encoder reads none."""


class Tiles(Section):
    """Square windows of imagery along the segments.

    Examples
    --------
    >>> Tiles(tile_m=80).spacing_m
    50.0
    """

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
