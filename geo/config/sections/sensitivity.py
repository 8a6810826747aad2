"""The section of a city's file that says which other choices its findings are held against."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geo.config.section import Metres, Section


class Sensitivity(Section):
    """What `roadprint sensitivity` changes, one at a time; a run reads none of it.

    Examples
    --------
    >>> Sensitivity(seeds=()).encoders
    ('bundled', 'bands')
    """

    k: Literal["near"] | tuple[Annotated[int, Field(ge=2, le=100)], ...] = Field(
        default="near", description="Numbers of types; near: one fewer and one more than the city has."
    )
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field(
        default=(1, 2), description="Seeds, of the types and of the statistics together."
    )
    encoders: tuple[str, ...] = Field(
        default=("bundled", "bands"),
        description="Encoders, by `encoder.name`, with the defaults of their kind; the city's own is passed over.",
    )
    max_length_m: Literal["near"] | tuple[Metres, ...] = Field(
        default="near",
        description="`segments.max_length_m` (metres); near: half, and one and a half times as long.",
    )
    junction_reach_m: Literal["near"] | tuple[Annotated[float, Field(ge=0)], ...] = Field(
        default="near",
        description="`collisions.junction_reach_m` (metres); near: half, and one and a half times as far.",
    )
    block_m: Literal["near"] | tuple[Metres, ...] = Field(
        default="near", description="`safety.block_m` (metres); near: half, and twice as large."
    )
