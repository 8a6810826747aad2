"""How a run tells Prefect's page anything besides its state: what the run can do without.

Told only where a server of its own records the run: the temporary one of a run by hand has no page that anybody opens.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.progress import say
from flows.server import recorded

SILENCE_S = 20.0
"""So long a server that does not answer is not asked again: the run would spend its time on waiting for it."""


@dataclass(slots=True)
class _Silence:
    """What is known of a server that does not answer.

    Attributes
    ----------
    until
        When it is asked again (seconds of the monotonic clock).
    told
        Whether the user knows that the page lacks a part of this run.
    """

    until: float = 0.0
    told: bool = False


_silence = _Silence()


class _ToRun(logging.Handler):
    """Hands lines of ours on to the log of a run, from whatever thread they come."""

    def __init__(self, run: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        super().__init__(logging.INFO)
        self.run = run

    def emit(self, record: logging.LogRecord) -> None:
        self.run.log(record.levelno, record.getMessage())


@contextmanager
def logged() -> Iterator[None]:
    """Write what is told of a run to its log in the page."""
    if not recorded():
        yield
        return
    _silence.told = False
    ours, handler = logging.getLogger("roadprint"), _ToRun(get_run_logger())
    before = ours.level, ours.propagate
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    # the run's own log goes to the terminal as well
    ours.propagate = False
    try:
        yield
    finally:
        ours.level, ours.propagate = before
        ours.removeHandler(handler)


def slug(city: str) -> str:
    """Write a city's name as keys of artifacts are: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", city.lower()).strip("-") or "city"


def send(request: Callable[..., Any], *arguments: object, **named: object) -> object:
    """Ask the server for something that the run can do without; one that does not answer is left alone for a while.

    The user is told once a run, whatever fails how often.
    """
    if time.monotonic() < _silence.until:
        return None
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 1}):
            return request(*arguments, **named)
    except (httpx.HTTPError, PrefectException, OSError) as error:
        _silence.until = time.monotonic() + SILENCE_S
        if not _silence.told:
            _silence.told = True
            why = " ".join(str(error).split())
            say(f"Prefect's page lacks a part of this run ({type(error).__name__}: {why}).")
        return None
