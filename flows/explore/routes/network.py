"""The segments: where they run, and what is known of each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from flows.explore.parts import whole_numbers
from flows.explore.tiles import TileAnswers
from geo.errors import LayerError
from tasks.explore.card import card
from tasks.explore.columns import values_as_json
from tasks.explore.network import IN_NETWORK, network_of
from tasks.explore.outcome import OUTCOME
from tasks.explore.page import Page

MOST_LINES = 500


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    routes = APIRouter()
    tiles = TileAnswers(lambda: network_of(page).drawn)

    @routes.get("/segments/{zoom}/{x}/{y}.pbf")
    def tile(zoom: int, x: int, y: int) -> Response:
        return tiles.answer(zoom, x, y)

    # a name may hold anything, a stroke as well
    @routes.get("/columns/{name:path}.json")
    def column(name: str, request: Request) -> Response:
        if name in OUTCOME:
            request.app.state.outcome.need(request)
        return Response(values_as_json(_column(page, name)), media_type="application/json")

    @routes.get("/segment/{row}.json")
    def segment(row: int, request: Request) -> dict[str, Any]:
        return card(page, row, blind=not request.app.state.outcome.asked(request))

    @routes.get("/lines.json")
    def lines(rows: str) -> dict[str, Any]:
        asked = whole_numbers(rows, "rows", MOST_LINES)
        for row in asked:
            page.segment(row)
        return {"lines": [network_of(page).line(row) for row in asked]}

    @routes.get("/at.json")
    def at(lon: float, lat: float) -> dict[str, Any]:
        row, metres = network_of(page).at(lon, lat)
        return {"segment": row, "metres": round(metres, 1)}

    return routes


def _column(page: Page, name: str) -> Any:  # noqa: ANN401 - a column
    """Give a column of the segments, or one of the page's own.

    Raises
    ------
    LayerError
        When there is none of that name.
    """
    network, segments = network_of(page), page.segments
    if name in {"lon", "lat"}:
        return network.middles[name]
    if name == IN_NETWORK:
        return network.in_network
    if name not in segments or name == segments.geometry.name:
        raise LayerError(
            "segments have no such column", where=name[:80], todo="Take one that about.json names."
        )
    return segments[name]
