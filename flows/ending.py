"""The end of a run by Ctrl-C or SIGTERM: soon, with nothing left half done, and a state that says cancelled."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from prefect import Flow, State
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.events.worker import EventsWorker
from prefect.exceptions import TerminationSignal
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled

from tasks import encode

LEAVE_S = 10.0

_ended = threading.Event()
_hurry = ExitStack()


@contextmanager
def stoppable() -> Iterator[None]:
    """Let the shards that other threads encode end at their next batch when this is interrupted."""
    _ended.clear()
    _hurry.close()
    encode.go_on()
    try:
        yield
    except (KeyboardInterrupt, TerminationSignal):
        _ended.set()
        encode.stop()
        # a server that is not there any more is not waited for
        _hurry.enter_context(temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}))
        raise


def say_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - a hook
    """Correct the state of a run that was ended by the user, which Prefect calls crashed."""
    if not _ended.is_set():
        return
    message = "Ended by Ctrl-C or SIGTERM; what was finished is kept, the next run goes on from there."
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(flow_run.id, Cancelled(message=message), force=True)


def leave(code: int) -> None:
    """End the process now when what Prefect still wants to tell its server cannot be told in `LEAVE_S` seconds.

    At the end of a process Prefect sends the events that it has left, and tries each for long where the server is gone.
    """
    told = EventsWorker.drain_all(timeout=LEAVE_S)
    if isinstance(told, tuple) and told[1]:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
