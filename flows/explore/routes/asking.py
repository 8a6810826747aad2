"""What the page asks the run."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from geo.search.looks import OF_SEGMENTS
from tasks.explore.asking.asked import Asking
from tasks.explore.asking.wishes import Export, Save, Wish
from tasks.explore.outcome import OUTCOME
from tasks.explore.page import Page

TYPES = {"gpkg": "application/geopackage+sqlite3", "geojson": "application/geo+json", "html": "text/html"}


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    found = APIRouter()
    asking = Asking(page)

    @found.get("/askable.json")
    def askable() -> dict[str, Any]:
        return asking.askable()

    @found.post("/ask.json")
    def ask(wish: Wish, request: Request) -> dict[str, Any]:
        _see(wish, request)
        return asking.ask(wish)

    @found.get("/concepts.json")
    def concepts() -> dict[str, Any]:
        return {"concepts": asking.concepts()}

    @found.post("/concepts.json")
    def save(wish: Save, request: Request) -> dict[str, str]:
        _see(wish.ask, request)
        return {"file": asking.save(wish)}

    @found.post("/concept")
    def concept(wish: Save, request: Request) -> Response:
        _see(wish.ask, request)
        made = asking.concept(wish)
        return _file(made.model_dump_json(indent=1).encode(), "application/json", "concept.json")

    @found.post("/export")
    def export(wish: Export, request: Request) -> Response:
        _see(wish.ask, request)
        hidden = () if request.app.state.outcome.asked(request) else OUTCOME & set(OF_SEGMENTS)
        data = asking.export(wish.ask, wish.form, without=hidden)
        return _file(data, TYPES[wish.form], f"{page.run.city}-answers.{wish.form}")

    return found


def _see(wish: Wish, request: Request) -> None:
    """Refuse to tell few collisions from many where types are corrected without seeing any."""
    if wish.collisions is not None:
        request.app.state.outcome.need(request)


def _file(data: bytes, kind: str, name: str) -> Response:
    """Hand on a file; it is never shown as a page of this address."""
    # a header holds no letters but those of ASCII (RFC 6266)
    headers = {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}"}
    return Response(data, media_type=kind, headers=headers)
