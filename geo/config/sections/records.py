"""The sections of a city's file that are about records: collisions and traffic counts."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.dataclasses import dataclass

from geo.config.section import NO_EFFECT, Metres, Section

Severity = Literal["fatal", "serious", "slight"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
ROAD_USERS = ("pedestrian", "cyclist", "motorcyclist", "car_occupant")
"""Road users that are told apart. The column of each says whether a collision involves one: with STATS19 one that was
hurt, else what the source's column means."""
DECIMAL_MARK: Literal["."] = "."
"""Decimal mark of numbers in tables, unless their columns say else."""
SeverityValue = Literal["fatal", "serious", "slight", "none"]
"""What a value of a severity column may be listed under: a severity, or no injury."""
SeverityScheme = Literal["kabco", "german", "swiss", "finnish", "irish"]
Row = Literal["collisions", "persons", "vehicles"]
"""What a row of a table of records is."""
TEXT_ENCODING = "utf-8-sig"
"""UTF-8 with or without the mark that spreadsheets put before it: what a CSV is read as unless its columns say else."""


_TIME = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def _day(given: object, *, last: bool) -> object:
    """Read a day; a month or a year stands for its first day, or its last one."""
    match = _TIME.fullmatch(str(given).strip())
    if match is None:
        if isinstance(given, str):
            raise ValueError(
                f"a day as 2024-01-31, a month as 2024-01 or a year as 2024 is expected, found {given!r:.40}"
            )
        return given
    year, month, day = (int(part) if part else None for part in match.groups())
    year, month = year or 0, month or (12 if last else 1)
    return date(year, month, day or (calendar.monthrange(year, month)[1] if last else 1))


def as_list(named: str | list[str] | None) -> list[str]:
    """List what a key names that takes one or several."""
    return [named] if isinstance(named, str) else list(named or ())


@dataclass(frozen=True, config=ConfigDict(extra="forbid", coerce_numbers_to_str=True))
class UserValues:
    """A road user by the values of a column that names its kind: ``{column: veh_type, values: [bicycle]}``.

    Attributes
    ----------
    column
        The column.
    values
        Those that mean this road user, compared in lower case; every other one means that there was none.
    """

    column: str
    values: Annotated[tuple[str, ...], Field(min_length=1)]


User = str | list[str] | UserValues | None
"""Where a road user is told: columns that flag or count it, or the values of one that names its kind."""


class Columns(Section):
    """Which column of a collision table holds what (``schema: columns``)."""

    id: str | list[str] | None = Field(
        default=None,
        description="Column with the collision's id, or a list of columns that make it together: [year, number].",
    )
    date: str | None = Field(
        default=None,
        description="Column with the date, with or without the time of day, on the clock of the place.",
    )
    date_format: str | None = Field(
        default=None,
        description="How dates are written, as for strptime; or ISO8601, excel or excel_1904 (days of a spreadsheet), "
        "unix_s or unix_ms (since 1970). Default: found out from the cells, and refused where day and month cannot be "
        "told.",
    )
    time_zone: str | None = Field(
        default=None,
        description="Time zone of the place, for records in UTC: its IANA name, such as America/Toronto. Times are "
        "brought to its clock, those without an offset from UTC; days without a time stay. Default: dates are on the "
        "clock of the place as they stand, a written offset is left out.",
    )
    year: str | None = Field(
        default=None,
        description="Column with the year, where no date is published; two digits are read as strptime does (19 is "
        "2019, 69 is 1969).",
    )
    month: str | None = Field(
        default=None, description="Column with the month, by number or English name, beside year."
    )
    day: str | None = Field(
        default=None, description="Column with the day of the month, beside year and month."
    )
    x: str | None = Field(default=None, description="Column with longitude or easting.")
    y: str | None = Field(default=None, description="Column with latitude or northing.")
    point: str | None = Field(
        default=None,
        description="Column with both coordinates in place of x and y: WKT, GeoJSON, or two numbers.",
    )
    point_order: Literal["xy", "yx"] | None = Field(
        default=None,
        description="Order of the two numbers in point: xy (longitude first) or yx (latitude first). Default: found "
        "out where the numbers or their letters tell.",
    )
    crs: str = Field(
        default="EPSG:4326",
        description="CRS of x and y; where the records are points, of those whose file states none.",
    )
    severity: str | None = Field(default=None, description="Column with the severity.")
    fatal: str | list[str] | None = Field(
        default=None,
        description="Column with the number of people killed, or a list to add up, in place of severity: the worst of "
        "fatal, serious and slight that is above 0 is the severity, and all of them 0 is no injury.",
    )
    serious: str | list[str] | None = Field(
        default=None,
        description="The same for people seriously hurt; without one, slight is any injury and KSI not known.",
    )
    slight: str | list[str] | None = Field(default=None, description="The same for people slightly hurt.")
    n_casualties: str | None = Field(
        default=None,
        description="Column with the number of casualties; default: the sum of fatal, serious and slight.",
    )
    road_name: str | None = Field(default=None, description="Column with the road's name.")
    road_ref: str | None = Field(default=None, description="Column with the road's number, such as A647.")
    road_class: str | None = Field(default=None, description="Column with the road's class.")
    pedestrian: User = Field(
        default=None,
        description="Column that flags or counts pedestrians: 1, yes, true or a number above 0; or a list of such "
        "columns, any of which counts; or {column: kind, values: [walker]}, the values "
        "of a column that names the road user.",
    )
    cyclist: User = Field(default=None, description="The same for cyclists.")
    motorcyclist: User = Field(default=None, description="The same for motorcyclists.")
    car_occupant: User = Field(default=None, description="The same for car occupants, or cars.")
    empty_is_none: bool = Field(
        default=False,
        description="An empty cell in the columns of road users and of the numbers killed and hurt means that there "
        "was none; else it is not known.",
    )
    delimiter: str | None = Field(default=None, description="Field separator of a CSV; default: found out.")
    decimal: Literal[".", ","] | None = Field(
        default=None,
        description="Decimal mark of coordinates; the other one then parts thousands. Default: found out from the "
        "cells, and refused where they leave it open.",
    )
    encoding: str = Field(
        default=TEXT_ENCODING,
        description="Text encoding of a CSV or a Shapefile's table; a mark of Unicode at the beginning comes first.",
    )
    skip_lines: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Lines before the header of a CSV or sheet; default: found out, titles above a table are left out.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        counts = [name for name in SEVERITIES if getattr(self, name) is not None]
        if self.severity is not None and counts:
            raise ValueError(f"give severity, or the numbers of people hurt ({', '.join(counts)}), not both")
        if self.point is not None and (self.x is not None or self.y is not None):
            raise ValueError("give point, or x and y, not both")
        if self.month is not None and self.year is None:
            raise ValueError("month needs year")
        if self.day is not None and self.month is None:
            raise ValueError("day needs year and month")
        return self

    def users(self) -> dict[str, User]:
        """Give the road users that are mapped, and where each is told."""
        return {user: told for user in ROAD_USERS if (told := getattr(self, user)) is not None}


class Collisions(Section):
    """Road traffic collision records.

    Examples
    --------
    >>> Collisions(sources=["collisions.csv"]).max_distance_m
    30.0
    """

    linking: ClassVar[tuple[str, ...]] = ()
    """Keys of a schema that name tables beside its sources, each one, several or none."""

    sources: list[str] = Field(
        default=[], description="Files or globs, also packed (.gz, .zip); none: the run ends with clusters."
    )
    layer: str | list[str] | None = Field(
        default=None,
        description="Layers to read of a file with several, one, a list or patterns; default: the only one with rows.",
    )
    sheet: str | list[str] | None = Field(
        default=None, description="The same for the sheets of a workbook; layer and sheet mean one thing."
    )
    schema_: str = Field(
        default="stats19", alias="schema", description="How the records are laid out: one of the kinds below."
    )
    keep: dict[str, list[str]] | None = Field(
        default=None, description="Rows are kept whose column has one of these values."
    )
    carry: list[str] = Field(
        default=[],
        description="Columns of the records that the layer collisions takes over as src_<column>, to filter by: hour, "
        "light, weather, speed limit; with STATS19 in words, and hour is that of time.",
    )
    rows: Row | None = Field(
        default=None,
        description="What a row is. Rows of persons or vehicles of one id, place and time are brought together to one "
        "collision; default: found out, and refused where it stays open.",
    )
    repeated_ids: Literal["refuse", "first", "each"] = Field(
        default="refuse",
        description="What becomes of an id that comes back with another date or place, where neither year nor file "
        "tells the collisions apart: refuse, first (the first alone counts) or each (each counts as one).",
    )
    period: tuple[date, date] | None = Field(
        default=None,
        description="First and last day, both included, or months or years that are taken whole, or one of them; "
        "default: the source's own range.",
    )
    max_distance_m: Metres = Field(default=30.0, description="Farther from every road: not placed (metres).")
    junction_reach_m: Annotated[float, Field(ge=0)] = Field(
        default=20.0, description="Within this of a junction a collision belongs to it (metres); 0: never."
    )
    ambiguity_m: Annotated[float, Field(ge=0)] = Field(
        default=0.5,
        description="Two roads that differ by less than this in distance, with nothing in the record to "
        "decide between them, leave a collision unplaced as ambiguous (metres).",
    )
    licence: Annotated[str, NO_EFFECT] = Field(
        default="", description="Licence and source of the records, quoted in the outputs."
    )

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @field_validator("period", mode="before")
    @classmethod
    def _days(cls, period: object) -> object:
        if isinstance(period, str | int):
            period = [period, period]
        if isinstance(period, list | tuple) and len(period) == 2:
            return _day(period[0], last=False), _day(period[1], last=True)
        return period

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.period is not None and self.period[0] > self.period[1]:
            raise ValueError("period: the first day must not be after the last")
        return self

    def parts(self) -> tuple[str, ...]:
        """Name the layers or sheets that are asked for."""
        return (*as_list(self.layer), *as_list(self.sheet))

    def tables(self) -> dict[str, list[str]]:
        """Name the tables beside its sources that records are read from, by their keys."""
        return {key: as_list(getattr(self, key)) for key in self.linking}

    def linked(self) -> list[str]:
        """Name the tables beside its sources that records are read from, which are inputs of a run, too."""
        return [table for tables in self.tables().values() for table in tables]

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """Bring the paths of linked tables to what `resolve` makes of them."""
        return self.model_copy(
            update={key: [*map(resolve, tables)] for key, tables in self.tables().items() if tables}
        )


class TrafficColumns(Section):
    """Which column of a table of traffic counts holds what (``schema: columns``)."""

    x: str | None = Field(
        default=None, description="Column with longitude or easting; default: the points of the file."
    )
    y: str | None = Field(default=None, description="Column with latitude or northing.")
    crs: str = Field(default="EPSG:4326", description="CRS of x and y, or of points whose file states none.")
    aadt: str = Field(description="Column with annual average daily traffic (motor vehicles per day).")
    id: str | None = Field(default=None, description="Column with the count point's id; default: its place.")
    year: str | None = Field(default=None, description="Column with the year that a figure is of.")
    road_name: str | None = Field(default=None, description="Column with the road's name.")
    road_ref: str | None = Field(default=None, description="Column with the road's number.")
    road_class: str | None = Field(default=None, description="Column with the road's class.")
    delimiter: str | None = Field(default=None, description="Field separator of a CSV; default: found out.")
    decimal: Literal[".", ","] = Field(default=DECIMAL_MARK, description="Decimal mark of numbers in a CSV.")
    encoding: str = Field(
        default=TEXT_ENCODING,
        description="Text encoding of a CSV or a Shapefile's table; a mark of Unicode at the beginning comes first.",
    )
    skip_lines: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Lines before the header of a CSV or sheet; default: found out, titles above a table are left out.",
    )


class PeopleCounts(Section):
    """How many people walk or cycle, so that collisions with them can be counted per kilometre walked or cycled."""

    column: str | None = Field(
        default=None,
        description="Column of the roads with people a day, yearly average, both directions and both sides together.",
    )
    sources: list[str] = Field(default=[], description="Tables of counts or estimates in place of a column.")
    layer: str | list[str] | None = Field(
        default=None,
        description="Layers to read of a file with several, one, a list or patterns; default: the only one with rows.",
    )
    sheet: str | list[str] | None = Field(
        default=None, description="The same for the sheets of a workbook; layer and sheet mean one thing."
    )
    count: str = Field(default="count", description="Column with people a day, yearly average.")
    x: str | None = Field(
        default=None, description="Column with longitude or easting; default: the points of the file."
    )
    y: str | None = Field(default=None, description="Column with latitude or northing.")
    crs: str = Field(default="EPSG:4326", description="CRS of x and y, or of points whose file states none.")
    id: str | None = Field(default=None, description="Column with the count point's id; default: its place.")
    year: str | None = Field(default=None, description="Column with the year that a figure is of.")
    road_name: str | None = Field(default=None, description="Column with the road's name.")
    decimal: Literal[".", ","] = Field(default=DECIMAL_MARK, description="Decimal mark of numbers in a CSV.")
    max_distance_m: Metres = Field(
        default=30.0, description="A place farther from every road is not used (metres)."
    )
    inherit_m: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0,
        description="A segment takes the nearest figure on the same road within this, in a straight line (metres); "
        "0: never, as people on foot turn off at every corner.",
    )
    max_years_apart: Annotated[int, Field(ge=0)] = Field(
        default=5,
        description="Without a figure of the records' period, that of the nearest year is taken, up to this many years "
        "away (years).",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.column is not None and self.sources:
            raise ValueError("give column or sources, not both")
        return self

    def as_traffic(self) -> Exposure:
        """Give the section that motor traffic of the same files would have: they are read and placed in one way."""
        names = ("x", "y", "crs", "id", "year", "road_name", "decimal")
        told = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        return Exposure(
            column=self.column,
            sources=self.sources,
            layer=self.layer,
            sheet=self.sheet,
            schema="columns",
            columns=TrafficColumns(aadt=self.count, **told),
            max_distance_m=self.max_distance_m,
            inherit_m=self.inherit_m,
            max_years_apart=self.max_years_apart,
            both_directions=False,
        )


class Exposure(Section):
    """Motor traffic, so that collisions can be counted per vehicle-kilometre."""

    column: str | None = Field(
        default=None,
        description="Column of the roads with annual average daily traffic (motor vehicles per day).",
    )
    sources: list[str] = Field(default=[], description="Tables of count points in place of a column.")
    layer: str | list[str] | None = Field(
        default=None,
        description="Layers to read of a file with several, one, a list or patterns; default: the only one with rows.",
    )
    sheet: str | list[str] | None = Field(
        default=None, description="The same for the sheets of a workbook; layer and sheet mean one thing."
    )
    schema_: Literal["dft_aadf", "columns"] = Field(
        default="dft_aadf",
        alias="schema",
        description="dft_aadf: the count-point CSV of the Department for Transport (Great Britain); or columns.",
    )
    columns: TrafficColumns | None = Field(default=None, description="The mapping for schema: columns.")
    max_distance_m: Metres = Field(
        default=30.0, description="A count point farther from every road is not used (metres)."
    )
    inherit_m: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=1000.0,
        description="A segment takes the nearest count on the same road (same number or name, and class) within this, "
        "in a straight line (metres); 0: never.",
    )
    max_years_apart: Annotated[int, Field(ge=0)] = Field(
        default=5,
        description="Without a figure of the records' period, that of the nearest year is taken, up to this many years "
        "away (years).",
    )
    both_directions: bool | None = Field(
        default=None,
        description="A figure holds both directions, so that each of two carriageways that are drawn apart gets half; "
        "default: true for count points, false for a column of the roads.",
    )
    pedestrians: PeopleCounts = Field(
        default=PeopleCounts(),
        description="People who walk along roads, where they are counted or estimated.",
    )
    cyclists: PeopleCounts = Field(
        default=PeopleCounts(),
        description="People who cycle along roads, where they are counted or estimated.",
    )
    licence: Annotated[str, NO_EFFECT] = Field(
        default="", description="Licence and source of the counts, quoted in the outputs."
    )

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.column is not None and self.sources:
            raise ValueError("give column or sources, not both")
        if self.sources and self.schema_ == "columns" and self.columns is None:
            raise ValueError("schema: columns needs the mapping 'columns'")
        return self

    def parts(self) -> tuple[str, ...]:
        """Name the layers or sheets that are asked for."""
        return (*as_list(self.layer), *as_list(self.sheet))

    def people(self) -> dict[str, PeopleCounts]:
        """Give the counts of people that the city names, by road user as in `ROAD_USERS`."""
        both = {"pedestrian": self.pedestrians, "cyclist": self.cyclists}
        return {user: one for user, one in both.items() if one.column is not None or one.sources}
