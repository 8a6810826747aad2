"""The section of a city's file that says how types of road are found."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from geo.config.section import Section


class JunctionTypes(Section):
    """Types of junction, found apart from those of roads by the same way of clustering. Collisions play no part.

    One more tile a junction is read and encoded for them.
    """

    types: bool = Field(
        default=True, description="Whether junctions get a tile, a fingerprint and a type of their own."
    )
    k: Literal["auto"] | Annotated[int, Field(ge=1, le=100, strict=True)] = Field(
        default="auto", description="Number of types of junction; auto: by silhouette and stability."
    )
    k_range: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(le=100)]] = Field(
        default=(3, 8), description="Smallest and largest k that auto considers."
    )

    @field_validator("k_range")
    @classmethod
    def _rising(cls, k_range: tuple[int, int]) -> tuple[int, int]:
        return rising(k_range)


def rising(k_range: tuple[int, int]) -> tuple[int, int]:
    """Refuse a range that begins above its end; gives it as it is."""
    if k_range[0] > k_range[1]:
        raise ValueError(f"the smallest k must not exceed the largest, found {list(k_range)}")
    return k_range


class Clusters(Section):
    """How segments are grouped into types. Collisions play no part.

    Examples
    --------
    >>> Clusters(k=6).whitening
    0.5
    """

    method: str = Field(default="average", description="Which way of clustering: one of the kinds below.")
    k: Literal["auto"] | Annotated[int, Field(ge=1, le=100, strict=True)] = Field(
        default="auto",
        description="Number of clusters; auto: that with the highest product of silhouette and stability.",
    )
    k_range: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(le=100)]] = Field(
        default=(3, 30), description="Smallest and largest k that auto considers."
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(default=0, description="Seed of every random choice.")
    components: Annotated[int, Field(ge=1, le=2048)] | None = Field(
        default=64, description="Principal components kept before clustering; null: no reduction."
    )
    whitening: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="0: components keep their variance; 0.5: half-whitened; 1: whitened."
    )
    turn_whitening: bool = Field(
        default=False,
        description="Whether fingerprints are first evened out by what a quarter turn of the image changes in them, "
        "and by what another flight changes where two show the same ground; needs encoder.keep_turns.",
    )
    neighbours: Annotated[int, Field(ge=0, le=100)] = Field(
        default=5,
        description="How many of the segments that look most like it each one is drawn towards before they are grouped "
        "(number; 0: none); those that show the same ground do not count.",
    )
    smoothing: Annotated[int, Field(ge=0, le=20)] = Field(
        default=4,
        description="How many times segments are drawn towards these neighbours, halfway each time (number).",
    )
    resamples: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=10, description="Bootstrap samples behind the stability of each k."
    )
    groupings: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=20,
        description="Bootstrap groupings into the chosen number of types, which are carried into the ratios of their "
        "rates.",
    )
    keep_numbers: bool = Field(
        default=True,
        description="Whether a type keeps the number that it had in the city's newest earlier run, where it is the "
        "same type by the road that both cover; false: always by size. So with classes of ground that are found.",
    )
    typology: str | None = Field(
        default=None,
        description="File of a typology ('roadprint typology fit'): segments are given to its types, and none are "
        "found here; of the other keys those of junctions alone then bear on anything.",
    )
    junctions: JunctionTypes = Field(default=JunctionTypes(), description="Types of junction.")

    @field_validator("k_range")
    @classmethod
    def _rising(cls, k_range: tuple[int, int]) -> tuple[int, int]:
        return rising(k_range)

    @model_validator(mode="after")
    def _types_once(self) -> Self:
        """Refuse a number of types, or another space, beside a typology, which has its own."""
        if self.typology is not None and self.turn_whitening:
            raise ValueError("turn_whitening has no say in a typology; leave one of them out")
        if self.typology is not None and self.k != "auto":
            raise ValueError(
                f"the typology has its own number of types, and k asks for {self.k}; leave one of them out"
            )
        return self
