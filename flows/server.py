"""Prefect's own server for the time of a run, where none is configured: a process of its own.

Prefect can start one by itself. That one takes Ctrl-C and SIGTERM as well, so that nobody is left to record how the run
ended, it outlives a run that is killed, and it writes to the user's database in ``~/.prefect``, after bringing that to
the state of its own version. This one ends when its standard input does, however that comes about, and its database is
in a folder that goes with it. So nothing counts here that the user has set for a server: no ``PREFECT_HOME`` or
``PREFECT_API_DATABASE_CONNECTION_URL``, no profile, no ``prefect.toml`` in the working folder. What is to be recorded
for good goes to the server that ``PREFECT_API_URL`` names.

Making a database takes seconds. A copy of the first one, from before anything was recorded, is kept for the next runs
in the user's folder for caches (Linux: ``~/.cache/roadprint``), one for each version of Prefect. One that a server
cannot begin with is removed, and made again.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import prefect
from platformdirs import user_cache_path
from prefect.events.clients import NullEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    temporary_settings,
)

from flows.interruption import asked
from flows.processes import asking_directly, ours, surroundings
from geo.errors import ServerError
from geo.secrets import redact

DATABASE, PREFIX = "prefect.db", "roadprint-prefect-"
START_S, STOP_S, ANSWER_S, LEAVE_S = 120.0, 5.0, 20.0, 10.0

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


@dataclass(frozen=True, slots=True)
class _Server:
    """A server that was started, the folder that it keeps to, and whether its database is a copy of the one kept."""

    process: subprocess.Popen[str]
    folder: Path
    from_kept: bool


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
    with ExitStack() as stack:
        stack.enter_context(asking_directly())
        if configured:
            yield lambda: _look_for(configured)
            return
        kept = kept_database()
        server = stack.enter_context(_process(kept))

        def wait() -> None:
            address = _address_of(server, kept, stack)
            stack.enter_context(_used(address))
            stack.enter_context(_no_events())

        yield wait


def _address_of(server: _Server, kept: Path, stack: ExitStack) -> str:
    """Wait for a server, or for a second one where the database that was kept may be at fault."""
    try:
        address = _address(server)
    except ServerError:
        if not server.from_kept:
            raise
        kept.unlink(missing_ok=True)
        server = stack.enter_context(_process(kept))
        address = _address(server)
    if not server.from_kept:
        _keep(server.folder / DATABASE, kept)
    return address


def kept_database() -> Path:
    """Name the database that those of runs begin as."""
    return user_cache_path("roadprint", appauthor=False) / f"prefect-{prefect.__version__}.db"


def _keep(database: Path, kept: Path) -> None:
    """Copy a database that was just made; where that cannot be done, the next run makes it again."""
    with suppress(OSError, sqlite3.Error):
        kept.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=kept.parent)
        os.close(descriptor)
        part = Path(name)
        try:
            with closing(sqlite3.connect(database)) as live, closing(sqlite3.connect(part)) as copy:
                live.backup(copy)
            part.replace(kept)
        finally:
            part.unlink(missing_ok=True)


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
def _process(kept: Path) -> Iterator[_Server]:
    """Start the process; at the end its input is closed, and its folder goes."""
    folder, from_kept = _folder(kept)
    server = subprocess.Popen(  # noqa: S603
        ours("flows.server", str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_settings(folder),
        cwd=folder,
        # Ctrl-C at a terminal is for the run, which says to it how it ended
        process_group=0,
    )
    try:
        yield _Server(server, folder, from_kept)
    finally:
        if asked():
            # how the run ended was told, and nobody will look
            server.kill()
        try:
            server.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path) -> dict[str, str]:
    """Give the environment of the process: of Prefect's settings of the user's, only what is said of its log."""
    level = os.environ["PREFECT_LOGGING_LEVEL"]
    # what goes wrong at its end nobody needs to read, unless the user wants to read all; nor what a library says there
    # of a request that was under way
    log = {"PREFECT_SERVER_LOGGING_LEVEL": level, "PREFECT_LOGGING_ROOT_LEVEL": level}
    users = {
        name: value
        for name, value in surroundings().items()
        if not name.startswith("PREFECT_") or name.startswith("PREFECT_LOGGING_")
    }
    return (
        log
        | users
        | {
            "PREFECT_HOME": str(folder),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            # nobody looks for blocks there; those that are saved come with their kinds
            "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
        }
    )


def _folder(kept: Path) -> tuple[Path, bool]:
    """Make the folder of a server, with a copy of the database that was kept; tells whether there was one."""
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        from_kept = kept.is_file()
        if from_kept:
            shutil.copyfile(kept, folder / DATABASE)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise _not_started(tempfile.gettempdir(), f" ({error.strerror})") from error
    return folder, from_kept


def _address(server: _Server) -> str:
    """Wait until the server says where it is, and answers."""
    process = server.process
    port = process.stdout.readline().strip() if process.stdout is not None else ""
    address = f"http://127.0.0.1:{port}/api"
    until = time.monotonic() + START_S
    while port and process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=START_S):  # noqa: S310 - on this machine
                return address
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise _not_started(str(server.folder))


def _not_started(folder: str, why: str = "") -> ServerError:
    """Say that no server of our own can be had."""
    return ServerError(
        f"Prefect's own server does not start{why}",
        where=folder,
        todo="Is there room, and may files be written there? TMPDIR names another place; PREFECT_LOGGING_LEVEL=ERROR "
        "shows what the server says.",
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
        _drain(STOP_S)
        EventsWorker.set_client_override(None)


def _drain(timeout_s: float) -> object:
    """End what sends events; where a loop runs in this thread, as in a notebook, Prefect would only promise to."""
    with ThreadPoolExecutor(max_workers=1) as elsewhere:
        return elsewhere.submit(EventsWorker.drain_all, timeout=timeout_s).result()


def leave(code: int) -> None:
    """End the process now when what Prefect still wants to tell its server cannot be told in `LEAVE_S` seconds.

    At the end of a process Prefect sends the events that it has left, and tries each for long where the server is gone.
    """
    told = _drain(LEAVE_S)
    if isinstance(told, tuple) and told[1]:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve(folder: Path) -> int:
    """Serve until standard input ends; first say on which port.

    Parameters
    ----------
    folder
        Of the database, which goes at the end.

    Returns
    -------
    The exit code: 0 when the input ended, 1 when the server did by itself.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    import socket  # noqa: PLC0415

    import uvicorn  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415

    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    app = create_app(ephemeral=True, final=True)
    level = os.environ["PREFECT_LOGGING_LEVEL"].lower()
    quiet = level if level in uvicorn.config.LOG_LEVELS else "critical"
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_level=quiet))
    over, asked = threading.Event(), threading.Event()

    def run() -> None:
        try:
            server.run([place])
        finally:
            over.set()

    def listen() -> None:
        sys.stdin.read()
        asked.set()
        over.set()

    with suppress(OSError, AttributeError):
        # it notes down what the run does; the run goes first
        os.nice(10)
    # in a thread of its own it leaves signals alone; neither keeps a process that has nothing else to do
    thread = threading.Thread(target=run, daemon=True)
    for one in (thread, threading.Thread(target=listen, daemon=True)):
        one.start()
    with suppress(BrokenPipeError):
        # the run may have been killed by now; then the input has ended, too
        sys.stdout.write(f"{place.getsockname()[1]}\n")
        sys.stdout.flush()
    over.wait()
    server.should_exit = True
    thread.join(STOP_S)
    shutil.rmtree(folder, ignore_errors=True)
    return 0 if asked.is_set() else 1


if __name__ == "__main__":
    # what it has not finished by now, nobody waits for
    os._exit(_serve(Path(sys.argv[1])))
