"""Who may ask the page's server, and for what: one door that every request passes.

The server listens on this machine alone, yet a page of any other site, open in the same browser, can send requests to
it, and a name of that site can be made to point here (DNS rebinding). So a request must name this host and port, come
from no other origin, and know the random part of the address; and it changes nothing unless the page was opened to be
edited.
"""

from __future__ import annotations

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.processes import ON_THIS_MACHINE

READS = ("GET", "HEAD")
ASKING = {"/ask.json": 24 * 2**20, "/export": 24 * 2**20, "/concept": 24 * 2**20}
"""POST that only asks and changes nothing, so that a page that may not be edited answers it; bytes of a request."""
MOST_BYTES = 256 * 2**10
"""Of any other request."""
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """An ASGI application before another: lets through what may pass, and adds what browsers are to keep to.

    Parameters
    ----------
    app
        What answers; it sees addresses without the random part.
    token
        The random part of the address.
    port
        The port that is served.
    edit
        Whether anything may be changed.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, edit: bool) -> None:
        self._app, self._edit = app, edit
        self._start = f"/{token}"
        self._hosts = {f"{name}:{port}" for name in ON_THIS_MACHINE}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        answer = _with_headers(send)
        refused = self._refusal(scope)
        if refused is None:
            path = scope["path"].removeprefix(self._start)
            most = ASKING.get(path, MOST_BYTES)
            body = b"" if scope["method"] in READS else await _body(receive, most)
            if body is not None:
                inner = dict(scope) | {"path": path, "raw_path": path.encode(), "root_path": ""}
                await self._app(inner, _again(body, receive), answer)
                return
            refused = _told(413, "the request is too large", f"At most {most // 2**10:,} KiB are read.")
        await refused(scope, receive, answer)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        """Say why a request is not answered; None: it is."""
        headers = Headers(scope=scope)
        method: str = scope["method"]
        path: str = scope["path"]
        if headers.getlist("host") not in [[name] for name in self._hosts]:
            return _told(421, "this is not the host that was asked for", "Use the address that was printed.")
        begin, found = path[: len(self._start)], path[len(self._start) : len(self._start) + 1]
        if not secrets.compare_digest(begin.encode(), self._start.encode()) or found != "/":
            return _told(404, "there is nothing at this address", "Use the address that was printed, whole.")
        if self._foreign(headers, method):
            return _told(403, "another page asked for this", "Use the page itself.")
        return None if method in READS else self._no_write(headers, method, path.removeprefix(self._start))

    def _no_write(self, headers: Headers, method: str, path: str) -> JSONResponse | None:
        """Say why a request that is none for reading is not answered; None: it is."""
        if method != "POST":
            return _told(405, "this cannot be asked for here", "Use GET or POST.")
        if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return _told(415, "the request is not of JSON", "Send it as application/json.")
        if not self._edit and path not in ASKING:
            return _told(
                403, "this page is for reading alone", "Start it with --edit: roadprint explore RUN --edit"
            )
        return None

    def _foreign(self, headers: Headers, method: str) -> bool:
        """Tell whether another origin asks, or one that does not say which it is where that matters."""
        origins = headers.getlist("origin")
        if origins or method not in READS:
            return origins not in [[f"http://{host}"] for host in self._hosts]
        return from_elsewhere(headers)


def from_elsewhere(headers: Headers) -> bool:
    """Tell whether another page reads this one; who follows a link to it, or types its address, may see it."""
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode")
    return site not in {"same-origin", "none"} and mode != "navigate"


def _told(status: int, what: str, todo: str) -> JSONResponse:
    return JSONResponse({"what": what, "where": "", "todo": todo}, status)


def _with_headers(send: Send) -> Send:
    """Add to each answer what a browser is to keep to; it keeps none unseen, unless the answer says how long."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-cache" if "etag" in headers else "no-store")
        await send(message)

    return sent


async def _body(receive: Receive, most: int) -> bytes | None:
    """Read a request's body; None: it has more bytes than may be."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already, and then what follows."""
    given = False

    async def received() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received
