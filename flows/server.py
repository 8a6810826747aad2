"""Prefect's own server for the time of a run, where none is configured: its database is made once, by one process."""

from __future__ import annotations

from pathlib import Path

import prefect
from filelock import FileLock
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_HOME

LOCK, READY = "roadprint-start.lock", "roadprint-ready-{version}"


def make_ready() -> None:
    """Start the server of this process under a lock the first time, so that no two processes make its database at once.

    Several that began together would each create its tables, and all but one fail (seen with Prefect 3.8). Does nothing
    where a server is configured, or the database has been made by this version of Prefect before.
    """
    home = Path(PREFECT_HOME.value())
    ready = home / READY.format(version=prefect.__version__)
    if PREFECT_API_URL.value() or ready.exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / LOCK):
        if ready.exists():
            return
        with get_client(sync_client=True) as client:
            problem = client.api_healthcheck()
        if problem is None:
            ready.touch()
