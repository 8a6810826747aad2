"""A server of Prefect's, a worker and the deployments of ``prefect.yaml``, on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from flows import LOG_LEVEL

HOST = "127.0.0.1"
WORK_POOL = "roadprint"
START_S, STOP_S = 120.0, 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Returns
    -------
    The exit code: 0 stopped by the user, 1 when a part of it ended by itself or could not be started.
    """
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--port", type=int, default=4200, help="of the server (default 4200)")
    parser.add_argument("--file", type=Path, default=Path("prefect.yaml"), help="deployments to make")
    asked = parser.parse_args(arguments)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        return _serve(asked.port, asked.file)
    except KeyboardInterrupt:
        return 0


def _serve(port: int, file: Path) -> int:
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            sys.stderr.write(f"Port {port} is in use: make serve PORT=...\n")
            return 1
    address = f"http://{HOST}:{port}"
    settings = os.environ | {
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": LOG_LEVEL or "INFO",
        # what a run holds is remembered when the server starts again, and let go when the run does not
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }
    with ExitStack() as parts:
        server = _begin(parts, settings, "server", "start", "--host", HOST, "--port", str(port))
        if not _answers(f"{address}/api/health", server):
            sys.stderr.write("Prefect's server did not start.\n")
            return 1
        for step in (
            ("prefect", "work-pool", "create", "--type", "process", "--overwrite", WORK_POOL),
            ("prefect", "--no-prompt", "deploy", "--prefect-file", str(file), "--all"),
            ("flows.watch",),
        ):
            if subprocess.run([sys.executable, "-m", *step], env=settings, check=False).returncode:  # noqa: S603
                return 1
        worker = _begin(parts, settings, "worker", "start", "--type", "process", "--pool", WORK_POOL)
        sys.stdout.write(
            f"Prefect's page is at {address}; another city: PREFECT_API_URL={address}/api roadprint deploy CITY.yaml. "
            "Ctrl-C stops all of it.\n"
        )
        sys.stdout.flush()
        while server.poll() is None and worker.poll() is None:
            time.sleep(0.5)
    sys.stderr.write("A part of it has ended by itself.\n")
    return 1


def _begin(parts: ExitStack, settings: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start a program of Prefect's that is stopped when `parts` close, the last one first."""
    # its own session: Ctrl-C reaches this process alone, which stops the worker before the server that it reports to
    command = [sys.executable, "-m", "prefect", *arguments]
    process = subprocess.Popen(command, env=settings, start_new_session=True)  # noqa: S603
    parts.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(health: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; False when it ended, or does not in time."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(health, timeout=5):  # noqa: S310 - an address on this machine
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    return False


if __name__ == "__main__":
    sys.exit(main())
