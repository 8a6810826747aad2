"""A web server in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn


def started(app: Callable[..., Any], place: socket.socket) -> tuple[uvicorn.Server, threading.Thread]:
    """Start to serve an application, without a word.

    Parameters
    ----------
    app
        An ASGI application.
    place
        Bound to the port.

    Returns
    -------
    The server, and its thread: that leaves signals alone, and what it has not answered by the end, nobody waits for.
    """
    settings = uvicorn.Config(
        app, lifespan="off", ws="none", log_level="error", access_log=False, server_header=False
    )
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, args=([place],), daemon=True)
    thread.start()
    return server, thread


def ended(server: uvicorn.Server, thread: threading.Thread, wait_s: float) -> None:
    """End a server now, without a word of requests that it has not answered.

    Parameters
    ----------
    server, thread
        As `started` gave them.
    wait_s
        So long its thread is waited for (seconds).
    """
    # each request that is let go would be told as an error of the application
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    server.should_exit = server.force_exit = True
    thread.join(wait_s)
