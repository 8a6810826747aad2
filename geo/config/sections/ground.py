"""The section of a city's file that says whether, and by what, the ground beside roads is mapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator

from geo.config.section import Metres, Section
from geo.config.sections.imagery import Band

Stride = Literal[4, 8, 16, 32]
STRIDES: tuple[Stride, ...] = (8, 16)
"""Small ones tell edges, large ones surroundings; classes that are found of themselves are best from these two."""
REACH_M, CELL_M = 30.0, 2.0
NDVI_THRESHOLD = 0.2
"""From here on plants cover some of a pixel: the index of bare soil in the threshold method of Sobrino, Jimenez-Munoz
and Paolini 2004, Remote Sensing of Environment 90:434-440."""
VEGETATION = ("ndvi", "ndvi_threshold")
"""Keys that say nothing of classes: vegetation is a map of its own."""


class Ground(Section):
    """What lies on the ground beside every road, as a map of classes and as shares of each segment's surroundings."""

    method: str = Field(
        default="none",
        description="How classes of ground come about: one of the kinds below. ``ground: unsupervised`` is short for "
        "``ground: {method: unsupervised}``, and of a section that names none it follows from the key that is there.",
    )
    reach_m: Metres = Field(
        default=REACH_M, le=100, description="How far from the lines of roads the ground is mapped (metres)."
    )
    cell_m: Annotated[float, Field(ge=0.25, le=20)] = Field(
        default=CELL_M, description="Side of the cells that features of the encoder are brought to (metres)."
    )
    pixel_m: Annotated[float, Field(ge=0.05, le=20)] | None = Field(
        default=None,
        description="Ground that a pixel shows which the encoder sees (metres), brought to a whole share of cell_m; "
        "default: that of the imagery, but no finer than 0.25 and no coarser than 0.5.",
    )
    strides: tuple[Stride, ...] = Field(
        default=STRIDES,
        min_length=1,
        description="Which of the encoder's feature maps are joined, by how many pixels a cell of them is wide.",
    )
    rotations: Literal[1, 4] = Field(
        default=1,
        description="Features are averaged over this many quarter turns of the imagery; four take four times as long.",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(default=0, description="Seed of every random choice.")
    ndvi: tuple[Band, Band] | None = Field(
        default=None,
        description="Numbers of the red and of the near-infrared band, counted from 1: vegetation is then mapped by "
        "their index, whatever the method is; none: it is not.",
    )
    ndvi_threshold: Annotated[float, Field(gt=-1, lt=1)] = Field(
        default=NDVI_THRESHOLD, description="From which index on the ground counts as vegetation (-1 to 1)."
    )

    @property
    def maps(self) -> bool:
        """Whether ground is mapped at all."""
        return self.method != "none"

    def files(self) -> list[str]:
        """Name the local files that it reads, which are inputs of a run."""
        return []

    def with_paths(self, resolve: Callable[[str], str]) -> Self:  # noqa: ARG002 - most kinds name no file
        """Bring the paths of files to what `resolve` makes of them."""
        return self

    @field_validator("ndvi")
    @classmethod
    def _two_bands(cls, ndvi: tuple[int, int] | None) -> tuple[int, int] | None:
        if ndvi is not None and ndvi[0] == ndvi[1]:
            raise ValueError("the red and the near-infrared band are two: [1, 4], for example")
        return ndvi

    @field_validator("strides")
    @classmethod
    def _rising(cls, strides: tuple[Stride, ...]) -> tuple[Stride, ...]:
        if list(strides) != sorted(set(strides)):
            raise ValueError(f"rising numbers are expected, each once, found {list(strides)}")
        return strides
