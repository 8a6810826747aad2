"""What an analyst says of types and segments, and takes back; only where the page may be edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from geo.clusters.hands.corrections import Says
from geo.errors import ChangedError
from geo.outputs.names import MOST
from tasks.explore.correcting.calling import user
from tasks.explore.correcting.corrected import Corrected
from tasks.explore.correcting.said import Speaker, Word, call, make_type, say, say_again, undo
from tasks.explore.correcting.told import told
from tasks.explore.page import Page

CONFLICT = 409
Number = Annotated[int, Path(ge=1, le=MOST)]
MOST_WORDS, MOST_EXAMPLES = 1000, 2000
"""Of one request."""


class _Body(BaseModel):
    """What all that is written says: who says it, in which page, and whether it shows collisions."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    page: str = ""
    collisions: bool = False


class _Word(BaseModel):
    """One thing said of a segment, by its row: ``value`` is the number of a type, or the row of the other segment."""

    model_config = ConfigDict(extra="forbid")

    segment: int
    says: Says
    value: int


class _Words(_Body):
    """Something said of segments."""

    words: list[_Word] = Field(min_length=1, max_length=MOST_WORDS)
    instead: bool = False


class _Made(_Body):
    """A type made of segments."""

    segments: list[int] = Field(min_length=1, max_length=MOST_EXAMPLES)
    name: str = ""
    color: str | None = None
    note: str = ""


class _Called(_Body):
    """What a type is called; what is not given stays."""

    seen: str
    name: str | None = None
    color: str | None = None
    note: str | None = None
    merged_into: int | None = None


class _Back(_Body):
    """What is to be taken back, or said again: its name."""

    name: str


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    routes = APIRouter()
    if not page.edit:
        return routes
    corrected = Corrected(page)
    _reading(routes, corrected)
    _writing(routes, corrected)
    return routes


def _reading(routes: APIRouter, corrected: Corrected) -> None:
    @routes.get("/said.json")
    def said(by: str = "", version: str = "") -> dict[str, Any]:
        why_not = corrected.why_not
        if version and version == corrected.version():
            return {"version": version, "same": True}
        if why_not:
            return {"version": corrected.version(), "why_not": why_not, "user": user()}
        return told(corrected, by) | {"why_not": "", "user": user()}


def _writing(routes: APIRouter, corrected: Corrected) -> None:
    def speaker(request: Request, body: _Body) -> Speaker:
        return Speaker(body.by.strip(), body.collisions or request.app.state.outcome.seen(body.page))

    @routes.post("/said.json")
    def said(request: Request, body: _Words) -> JSONResponse:
        words = [Word(one.segment, one.says, one.value) for one in body.words]
        who = speaker(request, body)
        return _answered(corrected, body, lambda: say(corrected, words, who, instead=body.instead))

    @routes.post("/again.json")
    def again(request: Request, body: _Back) -> JSONResponse:
        who = speaker(request, body)
        return _answered(corrected, body, lambda: say_again(corrected, body.name, who))

    @routes.post("/types.json")
    def made(request: Request, body: _Made) -> JSONResponse:
        called = {"name": body.name, "note": body.note} | ({"colour": body.color} if body.color else {})
        who = speaker(request, body)
        return _answered(corrected, body, lambda: make_type(corrected, body.segments, called, who))

    @routes.post("/types/{number}.json")
    def typed(request: Request, number: Number, body: _Called) -> JSONResponse:
        given = {key: getattr(body, key) for key in body.model_fields_set & {"name", "note", "merged_into"}}
        given |= {"colour": body.color or ""} if "color" in body.model_fields_set else {}
        said = {key: "" if value is None and key != "merged_into" else value for key, value in given.items()}
        who = speaker(request, body)
        return _answered(corrected, body, lambda: call(corrected, number, said, body.seen, who))

    @routes.post("/undo.json")
    def back(body: _Back) -> JSONResponse:
        return _answered(corrected, body, lambda: undo(corrected, body.name, body.by.strip()))


def _answered(corrected: Corrected, body: _Body, write: Callable[[], object]) -> JSONResponse:
    """Write something, and answer with all that stands then; what was changed meanwhile is told with it."""
    try:
        write()
    except ChangedError as error:
        fault = {"what": error.what, "where": error.where, "todo": error.todo}
        return JSONResponse(fault | {"stands": told(corrected, body.by.strip())}, CONFLICT)
    return JSONResponse(told(corrected, body.by.strip()))
