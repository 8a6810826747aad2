"""What a city's file may give of others' work: published functions of expected collisions, and shares reported."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geo.config.section import Section

Finite = Annotated[float, Field(allow_inf_nan=False)]
Reportable = Annotated[float, Field(gt=0, le=1)]
Band = tuple[Reportable, Reportable]


class GivenFunction(Section):
    """A safety performance function that others fitted elsewhere, in the form of the Highway Safety Manual.

    Collisions a year are ``exp(intercept + log_length log(length) + log_traffic log(AADT))``, at junctions
    ``exp(intercept + log_traffic log(AADT of the major road) + log_minor log(AADT of the minor one))``.
    """

    name: str = Field(min_length=1, description="What it is called.")
    source: str = Field(min_length=1, description="Who published it, and where.")
    outcome: Literal["collisions", "ksi"] = Field(default="collisions", description="What it predicts.")
    of: Literal["segments", "junctions"] = Field(default="segments", description="What it is of.")
    groups: str | tuple[str, ...] = Field(
        default=(), description="Road classes, or types of junction, that it is of; none: all."
    )
    intercept: Finite = Field(description="Intercept (logarithm of collisions a year).")
    log_length: Finite = Field(default=1.0, description="Exponent of the length of a segment.")
    length_unit: Literal["km", "mile"] = Field(default="km", description="Unit of that length.")
    log_traffic: Finite = Field(default=0.0, description="Exponent of traffic (AADT, motor vehicles a day).")
    log_minor: Finite = Field(default=0.0, description="Exponent of the traffic of the minor road.")

    def is_of(self) -> tuple[str, ...]:
        """Name the groups that it is of; none: all."""
        return (self.groups,) if isinstance(self.groups, str) else self.groups


class Reported(Section):
    """Which share of collisions the records hold, by severity and road user, as studies elsewhere or here tell it.

    Records of the police lack collisions, slight ones and those of cyclists most (Elvik and Mysen 1999, Transportation
    Research Record 1665:133-140). What is given is a band, lowest and highest share, and so is all that is made of it.
    """

    source: str = Field(
        default="", description="The study or table that the shares are from; needed with any of them."
    )
    fatal: Band | None = Field(
        default=None, description="Fatal collisions: [lowest, highest] share (0 to 1)."
    )
    serious: Band | None = Field(default=None, description="Serious ones.")
    slight: Band | None = Field(default=None, description="Slight ones.")
    pedestrian: Band | None = Field(default=None, description="Those with a pedestrian, of any severity.")
    cyclist: Band | None = Field(default=None, description="Those with a cyclist.")
    motorcyclist: Band | None = Field(default=None, description="Those with a motorcyclist.")
    car_occupant: Band | None = Field(default=None, description="Those with an occupant of a car.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = self.bands()
        for name, (low, high) in given.items():
            if low > high:
                raise ValueError(f"{name}: the lowest share comes first, found [{low}, {high}]")
        if given and not self.source.strip():
            raise ValueError("say in source where the shares are from")
        return self

    def bands(self) -> dict[str, Band]:
        """Give the shares that are known, by severity or road user."""
        names = [name for name in type(self).model_fields if name != "source"]
        return {name: band for name in names if (band := getattr(self, name)) is not None}
