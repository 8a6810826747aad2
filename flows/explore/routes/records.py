"""The collisions: where they were, and why some are not placed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from flows.explore.tiles import FOR_ITS_TIME, TileAnswers
from geo.errors import LayerError
from tasks.explore.page import Page
from tasks.explore.records import records_of


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
        found = records_of(page).counts(_listed(users), _listed(severities), _years(years))
        return JSONResponse(found.tolist())

    return routes


def _listed(text: str) -> list[str]:
    """Part a list by its commas."""
    return [one for one in text.split(",") if one]


def _years(text: str) -> list[int]:
    """Read a list of years.

    Raises
    ------
    LayerError
        When one is no year.
    """
    years = _listed(text)
    if not all(year.isascii() and year.isdigit() and len(year) <= 4 for year in years):
        raise LayerError("these are no years", where="years", todo="Give years, parted by commas: 2021,2022.")
    return [int(year) for year in years]
