"""The page's server as an application: who answers what, and how what goes wrong is told."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from flows.explore.outcome import Outcome
from flows.explore.routes import about, asking, correcting, gallery, imagery, network, records
from flows.explore.safety import Guard
from geo.errors import BlindError, BusyError, ChangedError, LayerError, RoadprintError
from geo.faults import plainly
from tasks.explore.page import Page

ROOMS = (about, network, records, imagery, gallery, asking, correcting)
"""Modules of `flows.explore.routes`, each with ``router(page)``."""
STATIC = Path(__file__).parent / "static"
UNREAD = 400
"""Status of a request that is not of JSON, or nested deeper than anything that is asked."""
STATUSES: dict[type[RoadprintError], int] = {
    LayerError: 404,
    BusyError: 409,
    ChangedError: 409,
    BlindError: 403,
}
"""How the project's errors are answered; all others are 400."""


def make_app(page: Page, token: str, port: int) -> Guard:
    """Make the application that answers below ``/{token}/``.

    Parameters
    ----------
    page
        What is shown.
    token
        The random part of the address.
    port
        The port that it is served at: requests for another host or port are refused.

    Returns
    -------
    An ASGI application.
    """
    mimetypes.add_type("text/javascript", ".mjs")
    app = FastAPI(title="roadprint", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.outcome = Outcome(edit=page.edit)
    for room in ROOMS:
        app.include_router(room.router(page))
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    app.add_exception_handler(RoadprintError, _refused)
    app.add_exception_handler(RequestValidationError, _not_as_expected)
    app.add_exception_handler(HTTPException, _no_such_thing)
    app.add_exception_handler(Exception, _unexpected)
    return Guard(app, token=token, port=port, edit=page.edit)


def told(status: int, what: str, where: str = "", todo: str = "") -> JSONResponse:
    """Tell the page what went wrong, as `geo.errors.RoadprintError` says it."""
    return JSONResponse({"what": what, "where": where, "todo": todo}, status)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    """Answer what cannot be done with the message of the project's own error."""
    assert isinstance(error, RoadprintError)
    return told(STATUSES.get(type(error), 400), error.what, error.where, error.todo)


async def _not_as_expected(_: Request, error: Exception) -> JSONResponse:
    """Answer a request whose parts are of another kind, without repeating what it said."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return told(422, f"what was asked is not as expected: {plainly(first)}", where)


async def _no_such_thing(_: Request, error: Exception) -> JSONResponse:
    """Answer an address that there is not, or a request that is none."""
    assert isinstance(error, HTTPException)
    unread = error.status_code == UNREAD
    what = "the request cannot be read" if unread else "there is nothing at this address"
    return told(error.status_code, what, todo="Reload the page.")


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    """Answer what nobody foresaw; the terminal shows more."""
    return told(
        500, "something went wrong that nobody foresaw", todo="The terminal of 'roadprint explore' says more."
    )
