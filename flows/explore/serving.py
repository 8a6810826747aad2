"""The page's server as a process: its port, its address, and its end by Ctrl-C."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import sys
import threading
import webbrowser

import uvicorn

from flows.explore.app import make_app
from flows.explore.safety import HOST
from flows.interruption import met
from flows.terminal.screen import has_screen
from geo.errors import ConfigurationError, ServerError
from tasks.explore.about import prepare
from tasks.explore.page import Page

MOST_PORT = 65535
STOP_S, LOOK_S = 0.5, 0.2


def serve(page: Page, port: int | None, *, browser: bool, quiet: bool = False) -> None:
    """Serve a page until Ctrl-C.

    Parameters
    ----------
    page
        What is shown.
    port
        The port; None: one that is free.
    browser
        Whether a browser is opened where there is a screen.
    quiet
        Whether the address is all that is said.

    Raises
    ------
    ConfigurationError
        When the port is in use, or may not be used.
    ServerError
        When the server ends by itself.
    """
    with _listening(port) as place:
        # read before anybody waits for it
        prepare(page)
        own = int(place.getsockname()[1])
        token = secrets.token_urlsafe()
        settings = uvicorn.Config(
            make_app(page, token, own),
            lifespan="off",
            log_level="error",
            access_log=False,
            server_header=False,
        )
        server = uvicorn.Server(settings)
        # in a thread of its own it leaves signals alone; what it has not answered by the end, nobody waits for
        thread = threading.Thread(target=server.run, args=([place],), daemon=True)
        thread.start()
        address = f"http://{HOST}:{own}/{token}/"
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        if not quiet:
            edited = ", to be edited" if page.edit else ""
            sys.stderr.write(f"{page.run.city} is shown at this address{edited}; Ctrl-C stops it.\n")
        if browser and has_screen():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        try:
            while thread.is_alive():
                thread.join(LOOK_S)
        except KeyboardInterrupt:
            met()
            server.should_exit = server.force_exit = True
            thread.join(STOP_S)
            return
    raise ServerError("the page's server has ended by itself", todo="Start it again.")


def leave(code: int) -> None:
    """End the process now where a request is still being answered: the threads that do it would be waited for."""
    if any(not one.daemon for one in threading.enumerate() if one is not threading.main_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _listening(port: int | None) -> socket.socket:
    """Take a port on this machine.

    Raises
    ------
    ConfigurationError
        When it is in use, or may not be used.
    """
    where, todo = f"--port {port}", "Give another one, or none: one that is free is taken."
    if port is not None and not 0 <= port <= MOST_PORT:
        raise ConfigurationError("there is no such port", where=where, todo=todo)
    place = socket.socket()
    if os.name == "posix":
        # a port that was served a moment ago is free
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((HOST, port or 0))
        place.listen()
    except OSError as error:
        place.close()
        used = error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            "the port is in use" if used else f"the port cannot be used ({error.strerror})",
            where=where,
            todo=todo,
        ) from error
    return place
