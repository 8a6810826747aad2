"""The sections of a city's file that are about roads."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geo.config.section import NO_EFFECT, Metres, Section


class Roads(Section):
    """Road centrelines.

    Examples
    --------
    >>> Roads(source="roads.gpkg", drop=["footway"]).class_field
    'highway'
    """

    source: str | Annotated[list[str], Field(min_length=1)] = Field(
        description="GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet or OSM .pbf of road centrelines; "
        "several files or globs as a list."
    )
    layer: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None, description="Layer of the source, or a list of them; default: the only one with lines."
    )
    crs: str | None = Field(
        default=None,
        description="CRS of the coordinates, where a file states none; where all state one, instead of it.",
    )
    encoding: str | None = Field(
        default=None,
        description="Encoding of text in Shapefiles and other tables that do not state it; default: found out.",
    )
    class_field: str | None = Field(
        default="highway",
        description="Column with the road's class; a dotted path leads into a structure (names.primary).",
    )
    name_field: str | None = Field(default="name", description="Column with the road's name, likewise.")
    ref_field: str | None = Field(
        default="ref", description="Column with the road's number, where it exists, likewise."
    )
    id_field: str | None = Field(
        default=None,
        description="Column with the source's own id, likewise; fid: the row's number in a GeoPackage; "
        "default: its row.",
    )
    keep: list[str] | None = Field(
        default=None,
        description="Road classes to keep; default: all, and of OpenStreetMap's values those for motor traffic.",
    )
    drop: list[str] | None = Field(default=None, description="Road classes to leave out.")
    licence: Annotated[str, NO_EFFECT] = Field(
        default="", description="Licence and source of the roads, quoted in the outputs."
    )

    @property
    def sources(self) -> list[str]:
        """The files and globs, one or several."""
        return [self.source] if isinstance(self.source, str) else self.source

    @property
    def where(self) -> str:
        """The files and globs in one text, for messages."""
        return ", ".join(self.sources)

    @model_validator(mode="after")
    def _one_filter(self) -> Self:
        if self.keep is not None and self.drop is not None:
            raise ValueError("give keep or drop, not both")
        return self


class Segments(Section):
    """How roads are cut into segments.

    Examples
    --------
    >>> Segments(max_length_m=150).min_length_m
    10.0
    """

    max_length_m: Metres = Field(default=200.0, description="Longer segments are cut evenly (metres).")
    min_length_m: Annotated[float, Field(ge=0)] = Field(
        default=10.0, description="Dead-end stubs shorter than this are left out (metres)."
    )
    roundabout_max_diameter_m: Annotated[float, Field(ge=0)] = Field(
        default=80.0, description="A ring up to this wide is taken as one junction (metres); 0: never."
    )

    crossings: Literal["auto", "all", "vertices", "ends"] = Field(
        default="auto",
        description="Where roads on one level meet: wherever they cross (all), where they have a vertex in common "
        "or one ends on the other (vertices), or where both end (ends). auto: ends where the source names the nodes "
        "of its links, vertices where hardly any roads cross without a common vertex, else all.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_length_m >= self.max_length_m:
            raise ValueError("min_length_m must be below max_length_m")
        return self
