"""A server of the files that runs left, for reading, on this machine: Prefect's page of ``make serve`` links to it.

It gives what a run's `run.json` lists, below the folders of cities that have run here, and nothing else: no other file
of theirs, no folder but a list of a run's files, nothing that a link leads to from there. It listens on this machine
alone, and a request has to name it (a page of another site could have its own name point here).
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from flows.explore.safety import from_elsewhere
from flows.page.addresses import plain
from flows.processes import ON_THIS_MACHINE
from flows.threaded import ended, started
from tasks.store.summary import SUMMARY, AnyRun

KNOWN = "ROADPRINT_RUNS_KNOWN"
"""Of the environment of runs whose server serves results: a folder, in which they say where their results are."""
STOP_S = 2.0
SHOWN = {".html": "text/html", ".json": "application/json"}
"""What a browser shows; all else it puts aside, as the kind of file that it is."""
KINDS = {
    ".gpkg": "application/geopackage+sqlite3",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".tif": "image/tiff",
    ".xml": "application/xml",
    ".vrt": "application/xml",
}
_ANY = "application/octet-stream"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-cache",
}
_LONGEST = 4096
"""Of a path (bytes)."""


def make_known(folder: Path, environment: Mapping[str, str] = os.environ) -> bool:
    """Have the server of results that the environment tells of, if any, give files of a city's runs.

    Parameters
    ----------
    folder
        Of the city's runs.
    environment
        Of this process.

    Returns
    -------
    Whether its files can be reached: where there is no such server, another one may have them.
    """
    kept = environment.get(KNOWN)
    if not kept:
        return True
    text = str(plain(folder))
    name = hashlib.blake2b(os.fsencode(text), digest_size=8).hexdigest()
    part = Path(kept) / f".{name}.{os.getpid()}"
    try:
        part.write_bytes(os.fsencode(text))
        part.replace(Path(kept) / name)
    except OSError:
        return False
    return True


def known(kept: Path) -> Iterator[Path]:
    """List the folders of cities whose runs have said where their results are."""
    with suppress(OSError):
        for file in sorted(kept.iterdir()):
            if not file.name.startswith("."):
                with suppress(OSError):
                    yield Path(os.fsdecode(file.read_bytes()))


def find(path: str, cities: Iterator[Path]) -> Path | None:
    """Find what an address means: a file that a run left, or the folder of a run; None: nothing that may be seen.

    Parameters
    ----------
    path
        Of the address, from the root of the file system on.
    cities
        Folders of cities.
    """
    asked = PurePosixPath(path)
    if len(os.fsencode(path)) > _LONGEST or "\0" in path or "\\" in path or ".." in asked.parts:
        return None
    for city in cities:
        if asked.is_relative_to(city.as_posix()):
            run, *inside = asked.relative_to(city.as_posix()).parts or ("",)
            found = _left(city, run, "/".join(inside))
            if found is not None:
                return found
    return None


def _left(city: Path, run: str, name: str) -> Path | None:
    """Find a file that a run left, or the run's folder; None where it is not there, or lies elsewhere."""
    try:
        start = city.resolve(strict=True)
        folder = (start / run).resolve(strict=True)
        if not run or folder.parent != start:
            return None
        told = AnyRun.read(folder / SUMMARY)
        if told.run_id != folder.name:
            return None
        if not name:
            return folder
        file = (folder / name).resolve(strict=True)
    except (OSError, ValueError, ValidationError):
        return None
    whole = name in told.files and file.is_relative_to(folder) and file.is_file()
    return file if whole else None


def make_app(kept: Path, port: int) -> Starlette:
    """Make the application that answers.

    Parameters
    ----------
    kept
        Where runs say where their results are (`make_known`).
    port
        The port that it is served at: requests for another host or port are refused.
    """
    hosts = [[f"{name}:{port}"] for name in ON_THIS_MACHINE]

    async def answer(request: Request) -> Response:
        refused = _refusal(request.headers, hosts)
        if refused is not None:
            return refused
        path = str(request.scope["path"])
        found = await run_in_threadpool(lambda: find(path, known(kept)))
        if found is None:
            return _told(404, "No file of a run is at this address, or it is gone.")
        return _list(path, found) if found.is_dir() else _given(found)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "HEAD"])])


def _refusal(headers: Headers, hosts: list[list[str]]) -> Response | None:
    """Say why a request is not answered; None: it is."""
    if headers.getlist("host") not in hosts:
        return _told(421, "This is not the host that was asked for.")
    if from_elsewhere(headers):
        return _told(403, "Another page asked for this.")
    return None


def _told(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers=_HEADERS)


def _given(file: Path) -> Response:
    """Give a file: to be shown, or to be put aside."""
    kind = file.suffix.lower()
    if kind in SHOWN:
        return FileResponse(file, media_type=SHOWN[kind], headers=_HEADERS)
    return FileResponse(file, media_type=KINDS.get(kind, _ANY), filename=file.name, headers=_HEADERS)


def _list(path: str, folder: Path) -> Response:
    """List what a run left in its folder."""
    left = AnyRun.read(folder / SUMMARY).files
    title = escape(f"{folder.parent.name}: run {folder.name}")
    start = quote(path.rstrip("/"))
    there = [
        name for name in sorted(left, key=lambda name: (name.count("/"), name)) if (folder / name).is_file()
    ]
    rows = "".join(f'<li><a href="{start}/{quote(name)}">{escape(name)}</a></li>\n' for name in there)
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        f"<h1>{title}</h1>\n<ul>\n{rows}</ul>\n</html>\n"
    )
    return HTMLResponse(page, headers=_HEADERS | {"content-security-policy": "default-src 'none'"})


@contextmanager
def serving(kept: Path, place: socket.socket) -> Iterator[None]:
    """Serve the files of runs for as long as this lasts.

    Parameters
    ----------
    kept
        Where runs say where their results are; made where it is not there.
    place
        Bound to the port.
    """
    kept.mkdir(parents=True, exist_ok=True)
    server, thread = started(make_app(kept, int(place.getsockname()[1])), place)
    try:
        yield
    finally:
        ended(server, thread, STOP_S)
