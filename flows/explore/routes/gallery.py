"""Tiles: their pictures, and in which order they are looked at."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from flows.explore.routes.imagery import gone, picture
from geo.errors import SourceError
from tasks.explore.gallery import Gallery
from tasks.explore.imagery.seen import SeenImagery
from tasks.explore.imagery.thumbs import Thumbs
from tasks.explore.order import NO_TYPE, Sort
from tasks.explore.page import Page

AT_ONCE = 8
"""So many pictures are cut or read at the same time; the others wait, and may be let go."""
Kind = Annotated[int, Field(ge=1)] | Literal["none"] | None


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    routes = APIRouter()
    thumbs = Thumbs(page, SeenImagery(page))
    gallery = Gallery(page)
    gate = asyncio.Semaphore(AT_ONCE)

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
    async def of_tile(request: Request, row: int, *, line: bool = False, large: bool = False) -> Response:
        async with gate:
            # what was scrolled past meanwhile is not cut
            for _ in range(2):
                if await request.is_disconnected():
                    return Response(status_code=204)
            make = thumbs.large if large else thumbs.picture
            try:
                return picture(await run_in_threadpool(make, row, line=line))
            except SourceError as error:
                return gone(error)

    return routes
