"""Prefect's own server for the time of a run, where none is configured: a process of its own.

Prefect can start one by itself. That one takes Ctrl-C and SIGTERM as well, so that nobody is left to record how the run
ended, and it outlives a run that is killed. This one ends when its standard input does, however that comes about.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import httpx
import prefect
from filelock import FileLock
from prefect.events.clients import NullEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    get_current_settings,
    temporary_settings,
)

from geo.errors import ServerError
from geo.secrets import redact

LOCK, READY = "roadprint-start.lock", "roadprint-ready-{version}"
START_S, STOP_S, ANSWER_S = 120.0, 5.0, 20.0

_AMONG_OURSELVES: dict[Any, object] = {
    # nobody waits for signs of life from a run whose server ends with it
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
    # it is of the same version, and no browser is let near it
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False,
}

_own_address: str | None = None


def recorded() -> bool:
    """Tell whether a server records the runs of this process that outlasts them."""
    address = PREFECT_API_URL.value()
    return bool(address) and address != _own_address


def unanswered() -> type[Exception]:
    """Give the kind of error that a request ends with when the server is not there."""
    return httpx.TransportError


@contextmanager
def own_server() -> Iterator[Callable[[], None]]:
    """Run a server for as long as this lasts, unless one is configured.

    Gives what waits until it answers: it starts while the caller imports what takes seconds.

    Raises
    ------
    ServerError
        When it does not start, or the one that is configured does not answer.
    """
    configured = PREFECT_API_URL.value()
    if configured:
        yield lambda: _look_for(configured)
        return
    with ExitStack() as stack:
        alone = stack.enter_context(ExitStack())
        alone.enter_context(_alone_the_first_time())
        server = stack.enter_context(_process())

        def wait() -> None:
            address = _address(server)
            alone.close()
            stack.enter_context(_used(address))
            stack.enter_context(_no_events())

        yield wait


def _look_for(address: str) -> None:
    """Make sure that a server answers, whatever it says."""
    try:
        urllib.request.urlopen(f"{address}/health", timeout=ANSWER_S).close()  # noqa: S310 - the user's own
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError) as error:
        raise not_there(address, error) from error


def not_there(address: str, error: Exception) -> ServerError:
    """Say that the server that is configured does not answer."""
    return ServerError(
        f"Prefect's server does not answer ({error})",
        where=f"PREFECT_API_URL, {redact(address)}",
        todo="Start it, or mend the address; without one (prefect config unset PREFECT_API_URL) a run has a server of "
        "its own.",
    )


@contextmanager
def _process() -> Iterator[subprocess.Popen[str]]:
    """Start the process; at the end its input is closed."""
    settings = os.environ | get_current_settings().to_environment_variables(exclude_unset=True)
    command = [sys.executable, "-m", "flows.server"]
    server = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=settings
    )
    try:
        yield server
    finally:
        try:
            server.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()


@contextmanager
def _alone_the_first_time() -> Iterator[None]:
    """Let no two processes make Prefect's database at once: each would create its tables, and all but one fail.

    Seen with Prefect 3.8. What has started once with this version of Prefect needs no lock.
    """
    home = Path(PREFECT_HOME.value())
    home.mkdir(parents=True, exist_ok=True)
    ready = home / READY.format(version=prefect.__version__)
    with nullcontext() if ready.exists() else FileLock(home / LOCK):
        yield
        ready.touch()


def _address(server: subprocess.Popen[str]) -> str:
    """Wait until the server says where it is, and answers."""
    port = server.stdout.readline().strip() if server.stdout is not None else ""
    address = f"http://127.0.0.1:{port}/api"
    until = time.monotonic() + START_S
    while port and server.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=START_S):  # noqa: S310 - on this machine
                return address
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise ServerError(
        "Prefect's own server does not start",
        where=str(PREFECT_HOME.value()),
        todo="Its own message may stand above. Can that folder be written to, and is there room? PREFECT_HOME names "
        "another one.",
    )


@contextmanager
def _used(address: str) -> Iterator[None]:
    """Let Prefect report to an address that is gone after this."""
    global _own_address  # noqa: PLW0603 - one server a process
    _own_address = address
    try:
        with temporary_settings({PREFECT_API_URL: address} | _AMONG_OURSELVES):
            yield
    finally:
        _own_address = None


@contextmanager
def _no_events() -> Iterator[None]:
    """Send no events: nobody watches a server that ends with the run, and what is left then would be tried for long."""
    EventsWorker.set_client_override(NullEventsClient)
    try:
        yield
    finally:
        EventsWorker.drain_all(timeout=STOP_S)
        EventsWorker.set_client_override(None)


def _serve() -> None:
    """Serve until standard input ends; first say on which port."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    import socket  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415

    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    app = create_app(ephemeral=True, final=True)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_level="critical"))
    # in a thread of its own it leaves signals alone; it keeps no process that has nothing else to do
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    with suppress(OSError, AttributeError):
        # it notes down what the run does; the run goes first
        os.nice(10)
    with suppress(BrokenPipeError):
        # the run may have been killed by now; then the input has ended, too
        sys.stdout.write(f"{place.getsockname()[1]}\n")
        sys.stdout.flush()
    sys.stdin.read()
    server.should_exit = True
    thread.join(STOP_S)
    # what it has not finished by now, nobody waits for
    os._exit(0)


if __name__ == "__main__":
    _serve()
