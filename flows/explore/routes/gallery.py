"""Tiles: their pictures, and in which order they are looked at."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from flows.explore.routes.imagery import gone, picture
from geo.errors import SourceError
from tasks.explore.gallery import Gallery
from tasks.explore.order import NO_TYPE, Sort
from tasks.explore.page import Page
from tasks.explore.seen import SeenImagery
from tasks.explore.thumbs import Thumbs

Kind = Annotated[int, Field(ge=1)] | Literal["none"] | None


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    routes = APIRouter()
    thumbs = Thumbs(page, SeenImagery(page))
    gallery = Gallery(page)

    @routes.get("/gallery.json")
    def tiles(
        kind: Annotated[Kind, Query(alias="type")] = None,
        sort: Sort = "margin",
        like: int | None = None,
        segment: int | None = None,
        *,
        last: bool = False,
    ) -> dict[str, Any]:
        number = NO_TYPE if kind == "none" else kind
        found = gallery.tiles(sort=sort, kind=number, like=like, segment=segment, last_first=last)
        thumbs.follow(found["tiles"])
        return found

    @routes.get("/tile/{row}.json")
    def told(row: int) -> dict[str, Any]:
        return gallery.tile(row) | {"why": thumbs.why_none(row)}

    @routes.get("/tile/{row}")
    def of_tile(row: int, *, line: bool = False, large: bool = False) -> Response:
        try:
            return picture(thumbs.large(row, line=line) if large else thumbs.picture(row, line=line))
        except SourceError as error:
            return gone(error)

    return routes
