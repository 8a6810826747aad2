"""The page's server as a process: its port, its address, and its end by Ctrl-C."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import webbrowser
from urllib.parse import quote

from flows.explore.app import make_app
from flows.interruption import met
from flows.processes import HOST, listening
from flows.terminal.screen import has_screen
from flows.threaded import ended, started
from geo.errors import ServerError
from tasks.explore.about import prepare
from tasks.explore.page import Page

STOP_S, LOOK_S = 0.5, 0.2


def serve(
    page: Page, port: int | None, *, browser: bool, quiet: bool = False, segment: str | None = None
) -> None:
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
    segment
        Id of the segment that the address leads to; None: to none.

    Raises
    ------
    ConfigurationError
        When the port is in use, or may not be used.
    ServerError
        When the server ends by itself.
    """
    with listening(port) as place:
        # read before anybody waits for it
        prepare(page)
        own = int(place.getsockname()[1])
        token = secrets.token_urlsafe()
        server, thread = started(make_app(page, token, own), place)
        address = f"http://{HOST}:{own}/{token}/"
        if segment is not None:
            address += f"#segment={quote(segment, safe='')}"
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
            ended(server, thread, STOP_S)
            return
    raise ServerError("the page's server has ended by itself", todo="Start it again.")


def leave(code: int) -> None:
    """End the process now where a request is still being answered: the threads that do it would be waited for."""
    if any(not one.daemon for one in threading.enumerate() if one is not threading.main_thread()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
