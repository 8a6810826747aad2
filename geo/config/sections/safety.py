"""The section of a city's file that is about statistics of collisions."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from geo.config.section import Metres, Section
from geo.config.sections.given import GivenFunction, Reported

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Weights(Section):
    """What a collision counts for in the high-injury network, by severity.

    Fatal and serious alike, and three times a slight one, is what cities do that build such a network: whether a
    collision kills is largely chance, and deaths are too few to rank by (City of Fort Worth 2025, 'Safety Action Plan',
    p. 47: killed and suspected serious 3, possible injury 1). Where nobody was hurt there is no injury to count, and
    how many such collisions are recorded is a matter of the source.
    """

    fatal: Weight = Field(default=3.0, description="Fatal.")
    serious: Weight = Field(default=3.0, description="Serious.")
    slight: Weight = Field(default=1.0, description="Slight.")
    unhurt: Weight = Field(default=0.0, description="Where it is known that nobody was hurt.")
    unknown: Weight = Field(default=1.0, description="Of a severity that is not known.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.fatal + self.serious + self.slight + self.unhurt + self.unknown > 0:
            raise ValueError("one of the weights must be above 0")
        return self


class Gathering(Section):
    """Where collisions gather on the network: high-injury windows, hot spots, density, look-alikes.

    San Francisco leaves corridors under a quarter of a mile, `min_window_m`, out altogether (City of San Francisco
    2024, 'High Injury Network', DataSF). Of 25,000 segments, `hot_spot_permutations` let a hundred spots pass the
    correction for as many tests; the 999 that are usual would let a thousand pass, or none.
    """

    window_m: Metres = Field(
        default=800.0, description="Length of a window that slides along a road (metres)."
    )
    step_m: Metres = Field(default=100.0, description="From one window to the next (metres).")
    min_window_m: Metres = Field(
        default=400.0, description="A shorter road is scored as if it were this long (metres)."
    )
    weights: Weights = Field(default=Weights(), description="Weights of collisions by severity.")
    share_of_outcome: Share = Field(
        default=0.5,
        description="Share of collisions (KSI where known) that the high-injury network holds (0 to 1).",
    )
    share_of_length: Share = Field(
        default=0.05, description="Share of length whose share of collisions is told (0 to 1)."
    )
    block_m: Metres = Field(
        default=1000.0, description="Side of the blocks of the bootstrap behind its intervals (metres)."
    )
    hot_spot_m: Metres = Field(
        default=400.0, description="Neighbours of a segment in Gi*: as far along the network (metres)."
    )
    hot_spot_permutations: Annotated[int, Field(ge=99, le=999_999)] = Field(
        default=9999, description="Permutations behind the p-values of Gi* (number)."
    )
    lixel_m: Metres = Field(default=50.0, description="Pieces of road for which density is told (metres).")
    bandwidth_m: Metres | None = Field(
        default=None, description="Bandwidth of the density (metres); default: by cross-validation."
    )
    bandwidths_m: Annotated[tuple[Metres, ...], Field(min_length=1)] = Field(
        default=(100.0, 200.0, 400.0), description="Bandwidths that cross-validation chooses from (metres)."
    )
    worst_segments: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=25, description="Worst segments for which look-alikes are sought (number)."
    )
    look_alikes: Annotated[int, Field(ge=1, le=100)] = Field(
        default=5, description="Look-alikes of each (number)."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.step_m > self.window_m:
            raise ValueError("step_m must not exceed window_m, or roads between windows are lost")
        return self


class Safety(Section):
    """Statistics of collisions: tests of types, ranks of segments, what imagery adds, where collisions gather."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(default=0, description="Seed of every random choice.")
    permutations: Annotated[int, Field(ge=0, le=99_999)] = Field(
        default=1999, description="Moved maps behind each p-value of the tests of types (number); 0: no test."
    )
    rank_draws: Annotated[int, Field(ge=100, le=100_000)] = Field(
        default=20_000,
        description="Draws behind the ranks of segments (number), in turns; in a large city fewer, down to 1000.",
    )
    length_exponent: Literal["auto", "one", "free"] = Field(
        default="auto",
        description="Exponent of length in the safety performance function: one (collisions in proportion to length), "
        "free, or auto: one until a likelihood ratio rejects it at .05.",
    )
    stretch_m: Metres = Field(
        default=400.0,
        description="About how long a stretch of road is in the table of worst roads (metres); it ends where segments "
        "do, and one shorter than half of this is rated as if it were so long.",
    )
    functions: list[dict[str, Any]] = Field(
        default=[],
        description="Safety performance functions published elsewhere, whose local calibration factor is told: a list "
        "of {name, source, outcome, of, groups, intercept, log_length, length_unit, log_traffic, log_minor} "
        "(docs/given.md).",
    )
    reported: Reported = Field(
        default=Reported(),
        description="Shares of collisions that the records hold, for bands of what is not recorded.",
    )
    block_m: Metres = Field(
        default=500.0, description="Side of the square blocks that are predicted from each other (metres)."
    )
    concentration: Gathering = Field(
        default=Gathering(),
        description="High-injury network, hot spots, density and look-alikes.",
    )

    @field_validator("functions")
    @classmethod
    def _whole(cls, functions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [GivenFunction.model_validate(one).name for one in functions]
        if len(set(names)) < len(names):
            raise ValueError("two functions have one name")
        return functions

    def given(self) -> list[GivenFunction]:
        """Give the functions that were published elsewhere."""
        return [GivenFunction.model_validate(one) for one in self.functions]
