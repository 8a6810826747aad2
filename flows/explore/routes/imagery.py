"""The imagery under the map."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import JSONResponse, Response

from geo.errors import SourceError
from geo.explore.imagery import MOST_ZOOM
from tasks.explore.imagery.mapped import MapImagery
from tasks.explore.imagery.seen import SeenImagery
from tasks.explore.page import Page

Zoom = Annotated[int, Path(ge=0, le=MOST_ZOOM)]
Number = Annotated[int, Path(ge=0, lt=2**MOST_ZOOM)]
PNG = b"\x89PNG"


def gone(error: SourceError) -> JSONResponse:
    """Answer that what was asked for was there, and is not any more."""
    return JSONResponse({"what": error.what, "where": error.where, "todo": error.todo}, 410)


def picture(content: bytes) -> Response:
    """Answer with a picture."""
    kind = "image/png" if content.startswith(PNG) else "image/jpeg"
    return Response(content, media_type=kind)


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    routes = APIRouter()
    mapped = MapImagery(page, SeenImagery(page))

    @routes.get("/imagery.json")
    def told() -> dict[str, Any]:
        return asdict(mapped.told())

    @routes.get("/imagery/{zoom}/{column}/{row}")
    def tile(zoom: Zoom, column: Number, row: Number) -> Response:
        try:
            drawn = mapped.tile(zoom, column, row)
        except SourceError as error:
            return gone(error)
        return Response(status_code=204) if drawn is None else picture(drawn)

    return routes
