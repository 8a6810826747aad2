"""The collisions: where they were, and why some are not placed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from flows.explore.parts import listed, whole_numbers
from flows.explore.tiles import FOR_ITS_TIME, TileAnswers
from tasks.explore.page import Page
from tasks.explore.records import records_of

MOST_YEARS = 200


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    routes = APIRouter()
    tiles = TileAnswers(lambda: records_of(page).drawn)

    @routes.get("/collisions/{zoom}/{x}/{y}.pbf")
    def tile(zoom: int, x: int, y: int, request: Request) -> Response:
        request.app.state.outcome.need(request)
        return tiles.answer(zoom, x, y, cache="no-store" if page.edit else FOR_ITS_TIME)

    @routes.get("/collision/{row}.json")
    def collision(row: int, request: Request) -> dict[str, Any]:
        request.app.state.outcome.need(request)
        return records_of(page).one(row)

    @routes.get("/counts.json")
    def counts(request: Request, users: str = "", severities: str = "", years: str = "") -> Response:
        request.app.state.outcome.need(request)
        found = records_of(page).counts(
            listed(users), listed(severities), whole_numbers(years, "years", MOST_YEARS)
        )
        return JSONResponse(found.tolist())

    return routes
