"""The sections of a city's file that are about what a run leaves, and where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geo.config.section import NO_EFFECT, Section


class Output(Section):
    """Where results go."""

    folder: Annotated[str, NO_EFFECT] = Field(
        default="runs", description="Folder of all runs, relative to the city's file."
    )
    when_busy: Annotated[Literal["wait", "refuse"], NO_EFFECT] = Field(
        default="wait",
        description="What a run does while another run of the same city is going on: wait for it to end, or refuse.",
    )
    thumbnails: Literal["prototypes", "all", "none"] = Field(
        default="prototypes",
        description="Which tiles have their picture in the GeoPackage: those of prototypes and edge cases, all, or "
        "none.",
    )


class Report(Section):
    """What the report page holds."""

    imagery_mb: float = Field(
        default=1.5,
        ge=0,
        le=2,
        allow_inf_nan=False,
        description="Size of the picture of the imagery beneath the report's map, at most (megabytes of the page); "
        "0: none.",
    )
