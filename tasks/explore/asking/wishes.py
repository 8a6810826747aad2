"""What a page may wish to ask a run, as it is sent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_EXAMPLES = 500
"""Of one kind in a question (number)."""
MOST_SHOWN = 1000
"""Answers that are given at once (number)."""
SHOWN = 24
LETTERS = 200
Row = Annotated[int, Field(strict=True, ge=0)]
Rows = Annotated[tuple[Row, ...], Field(max_length=MOST_EXAMPLES)]
Words = Annotated[tuple[Annotated[str, Field(max_length=LETTERS)], ...], Field(max_length=20)]
Degrees = Annotated[float, Field(allow_inf_nan=False, ge=-180, le=180)]


class Dropped(BaseModel):
    """A picture that was dropped on the page.

    Attributes
    ----------
    key
        What it was called in an answer before: it is at hand then, and need not be sent again.
    name
        Name of its file.
    data
        Its bytes, as base64.
    pixel_m
        Ground that a pixel shows (metres); None: as it says itself.
    meant
        Whether it shows what is meant, or what is not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[str, Field(max_length=64)] | None = None
    name: str = ""
    data: str | None = None
    pixel_m: Annotated[float, Field(allow_inf_nan=False, gt=0)] | None = None
    meant: bool = True


class Wish(BaseModel):
    """What a page asks.

    Attributes
    ----------
    like, unlike
        Segments that are meant, and that are not: their rows.
    like_tiles, unlike_tiles
        The same of tiles.
    at
        Places whose road is meant: longitude and latitude (degrees).
    text, unlike_text
        Words for what is meant, and for what is not.
    concepts
        Names of concepts of the city.
    pictures
        Pictures of what is meant, or not.
    over
        Whether answers are segments or tiles.
    classes, bounds, collisions
        Which roads are asked about: classes of road; west, south, east, north (degrees); few or many collisions.
    shown, skip
        How many answers are wanted, after how many that were shown (numbers).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    like: Rows = ()
    unlike: Rows = ()
    like_tiles: Rows = ()
    unlike_tiles: Rows = ()
    at: Annotated[tuple[tuple[Degrees, Degrees], ...], Field(max_length=MOST_EXAMPLES)] = ()
    text: Words = ()
    unlike_text: Words = ()
    concepts: Words = ()
    pictures: Annotated[tuple[Dropped, ...], Field(max_length=20)] = ()
    over: Literal["segments", "tiles"] = "segments"
    classes: Words = Field(default_factory=tuple)
    bounds: tuple[Degrees, Degrees, Degrees, Degrees] | None = None
    collisions: Literal["few", "many"] | None = None
    shown: Annotated[int, Field(strict=True, ge=1, le=MOST_SHOWN)] = SHOWN
    skip: Annotated[int, Field(strict=True, ge=0, le=100_000)] = 0


class Export(BaseModel):
    """Answers that are wanted as a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: Wish
    form: Literal["gpkg", "geojson", "html"]


class Save(BaseModel):
    """A question that is to be kept as a concept.

    Attributes
    ----------
    name, note
        What it is called, and what is to be known of it.
    replace
        Whether it takes the place of one of the same name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ask: Wish
    name: str
    note: Annotated[str, Field(max_length=500)] = ""
    replace: bool = False
