"""The keys of a city's file that say which embeddings of others are taken, and how they are pooled along roads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field

from geo.config.section import Metres, Section

ProductName = Literal["alphaearth", "tessera", "clay", "earth_index", "major_tom", "other"]
Statistic = Literal["mean", "min", "max", "deviation"]
DECIDING = ("sources", "product", "year", "version", "corridor_m", "column", "chip_m")
"""Keys that decide which files there are and what ground they show."""
FIRST_YEAR = 2015
"""No product has embeddings of an earlier year: Sentinel-2 flew first then."""


class Elsewhere(Section):
    """Embeddings that others have computed.

    Examples
    --------
    >>> Elsewhere(sources=["alphaearth/*.tiff"], product="alphaearth").pool
    ['mean']
    """

    sources: list[str] = Field(
        min_length=1,
        description="Files, globs, folders or URLs: GeoTIFFs of a vector a pixel, TESSERA's .npy (with _scales.npy and "
        "the landmask .tiff beside each), or GeoParquet of chips with a vector a row.",
    )
    product: ProductName = Field(
        description="What they are, which tells how they are decoded: alphaearth, tessera, clay, earth_index, "
        "major_tom, or other (decoded already)."
    )
    year: Annotated[int, Field(ge=FIRST_YEAR, le=2100)] | None = Field(
        default=None,
        description="Year that they are of; default: as files say. Of chips of several years those of this one count.",
    )
    version: str | None = Field(
        default=None, min_length=1, description="Version of the product's model; default: as files say."
    )
    pool: list[Statistic] = Field(
        default=["mean"],
        min_length=1,
        max_length=4,
        description="What is taken along a road's corridor, joined in this order and brought to length 1: mean, min, "
        "max, deviation.",
    )
    corridor_m: Metres = Field(
        default=30.0,
        le=2_000,
        description="Width of the corridor along a road over which they are pooled (metres): at pixels of 10 m that is "
        "the neighbourhood, not the carriageway.",
    )
    column: str | None = Field(
        default=None,
        min_length=1,
        description="Column of chips that holds the vectors; default: the one that does.",
    )
    chip_m: Metres | None = Field(
        default=None, description="Side of the chips (metres), where their file holds but the middle of each."
    )

    def located(self, resolve: Callable[[str], str]) -> Self:
        """Bring the paths of its files to what `resolve` makes of them."""
        return self.model_copy(update={"sources": [resolve(source) for source in self.sources]})


class Beside(Elsewhere):
    """Embeddings that others have computed, joined to those of the encoder: each brought to length 1, with a weight."""

    weight: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = Field(
        default=1.0, description="What they count for, where the encoder's own embedding counts 1."
    )
