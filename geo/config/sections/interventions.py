"""The section of a city's file that is about what was changed on its roads."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from geo.config.section import Metres, Section
from geo.config.sections.records import TEXT_ENCODING, Columns, as_list

_READ = ("x", "y", "point", "point_order", "crs", "decimal", "date_format")


class Interventions(Section):
    """What was changed on the roads, where and when, for studies of before and after."""

    source: str | list[str] | None = Field(
        default=None,
        description="Table or layer with a row for each treatment, or several, or globs: points, lines, areas, or rows "
        "with coordinates or the ids of segments and junctions; none: nothing is studied.",
    )
    layer: str | list[str] | None = Field(
        default=None,
        description="Layers to read of a file with several, one, a list or patterns; default: the only one with rows.",
    )
    sheet: str | list[str] | None = Field(
        default=None, description="The same for the sheets of a workbook; layer and sheet mean one thing."
    )
    date: str = Field(
        default="date",
        description="Column with the day on which works began, or took effect; a month or a year is left out whole.",
    )
    end: str | None = Field(
        default=None,
        description="Column with the last day of works; default, and where it is empty: that of date.",
    )
    kind: str | None = Field(
        default=None, description="Column with the kind of treatment; default: all are of one kind."
    )
    id: str | None = Field(default=None, description="Column with the treatment's id; default: its row.")
    x: str | None = Field(
        default=None, description="Column with longitude or easting; default: the geometry of the file."
    )
    y: str | None = Field(default=None, description="Column with latitude or northing.")
    point: str | None = Field(
        default=None,
        description="Column with both coordinates in place of x and y: WKT, GeoJSON, or two numbers.",
    )
    point_order: Literal["xy", "yx"] | None = Field(
        default=None,
        description="Order of the two numbers in point: xy (longitude first) or yx (latitude first).",
    )
    crs: str = Field(
        default="EPSG:4326", description="CRS of x and y, or of a geometry whose file states none."
    )
    segment_id: str | None = Field(
        default=None,
        description="Column with the ids of the segments that were treated, several with semicolons between; "
        "where it is empty the place counts.",
    )
    junction_id: str | None = Field(
        default=None, description="The same for junctions; a treatment may name both."
    )
    date_format: str | None = Field(
        default=None, description="How dates are written, as for collisions.columns.date_format."
    )
    delimiter: str | None = Field(default=None, description="Field separator of a CSV; default: found out.")
    decimal: Literal[".", ","] | None = Field(
        default=None, description="Decimal mark of coordinates; default: found out from the cells."
    )
    encoding: str = Field(
        default=TEXT_ENCODING,
        description="Text encoding of a CSV or a Shapefile's table; a mark of Unicode at the beginning comes first.",
    )
    skip_lines: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Lines before the header of a CSV or sheet; default: found out."
    )
    max_distance_m: Metres = Field(
        default=30.0,
        description="A point farther from every road is not placed; a line or area treats the segments of which half "
        "the length or more lies within this of it (metres).",
    )
    margin_days: Annotated[int, Field(ge=0)] = Field(
        default=30,
        description="Left out before works begin and after they end, beside the works (days).",
    )
    min_years: Annotated[float, Field(ge=0.25, allow_inf_nan=False)] = Field(
        default=1.0,
        description="A treatment with less time of records before or after it is not studied (years).",
    )
    look_alikes: Annotated[int, Field(ge=1, le=100)] = Field(
        default=10, description="Look-alikes of each treated segment (number)."
    )
    traffic_band: Annotated[float, Field(ge=1, allow_inf_nan=False)] = Field(
        default=1.5,
        description="A look-alike has between this times less and this times more traffic, where traffic is known "
        "(ratio).",
    )
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.x is None) != (self.y is None):
            raise ValueError("give x and y, or neither")
        self.as_columns()
        return self

    def sources(self) -> list[str]:
        """List what is named: files or globs."""
        return as_list(self.source)

    def parts(self) -> tuple[str, ...]:
        """Name the layers or sheets that are asked for."""
        return (*as_list(self.layer), *as_list(self.sheet))

    def as_columns(self) -> Columns:
        """Give where coordinates and dates are as a mapping of columns of records, which are read alike."""
        return Columns(**{name: getattr(self, name) for name in _READ if name in self.model_fields_set})
