"""A server of Prefect's, a worker and the deployments of ``prefect.yaml``, on this machine, until Ctrl-C.

Prefect's page links to results, which are served here too, for reading (`flows.page.files`), unless they are served
elsewhere.

The server watches for runs that are lost: whose machine lost power, or whose process was killed with its worker. Nobody
is left to say so; without a watch such a run counts as running for good, and its city would wait for it.
"""

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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import SCHEDULE_TYPES
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, PREFECT_HOME, temporary_settings
from prefect.states import Cancelled

from flows import LOG_LEVEL
from flows.page.addresses import VARIABLE, served_at
from flows.page.files import KNOWN, serving
from flows.processes import HOST, asking_directly, listening, prefects, surroundings
from geo.errors import RoadprintError

WORK_POOL = "roadprint"
START_S, RUNS_S, STOP_S = 120.0, 10.0, 5.0
"""So long a part may take to start, the runs to end, and then each part."""
BUSY = 2
"""How often a server that has much to do is asked again: after about 2 and 4 seconds."""
_UNDER_WAY = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
_OVER = (StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED)
HEARTBEAT_S, LOST_AFTER_S = 30, 300
"""A run gives a sign of life so often (the least that Prefect allows), and is lost when it gives none for so long: a
machine with too much to do may be silent for minutes."""
NAME = "roadprint: runs that are lost"
ENVIRONMENT = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S)}
"""Of the process of a run; a deployment gives it."""
_SIGN = "prefect.flow-run.heartbeat"
_ENDS = ("Completed", "Failed", "Cancelled", "Crashed")
_MESSAGE = (
    "Lost: its process gives no sign of life; what was finished is kept, the next run goes on from there."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Returns
    -------
    The exit code: 0 stopped by the user, 1 when a part of it ended by itself or could not be started.
    """
    parser = argparse.ArgumentParser(prog="make serve", description=__doc__)
    parser.add_argument("--port", type=int, default=4200, help="of the server (default 4200)")
    parser.add_argument("--file", type=Path, default=Path("prefect.yaml"), help="deployments to make")
    parser.add_argument(
        "--only-watch",
        action="store_true",
        help="have the server that Prefect's settings name watch for lost runs, and nothing more",
    )
    parser.add_argument("--runs-port", type=int, help="of the results (default: the one after --port)")
    parser.add_argument(
        "--runs-url",
        default=os.environ.get(VARIABLE, ""),
        help=f"where the folder of results is served, if it is; not here then (default: {VARIABLE})",
    )
    asked = parser.parse_args(arguments)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        with asking_directly():
            if asked.only_watch:
                watch()
                return 0
            if _in_use(asked.port):
                sys.stderr.write(f"Port {asked.port} is in use: make serve PORT=...\n")
                return 1
            with _results(asked.runs_url, asked.runs_port or asked.port + 1) as told:
                return _serve(asked.port, asked.file, told)
    except KeyboardInterrupt:
        return 0
    except RoadprintError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def _results(runs_url: str, port: int) -> Iterator[dict[str, str]]:
    """Serve results, unless they are served elsewhere; gives what the environment of runs says of it.

    Raises
    ------
    ConfigurationError
        When the port cannot be used, or where they are served is no address.
    """
    if runs_url:
        yield {VARIABLE: served_at(runs_url, "--runs-url").text}
        return
    known = PREFECT_HOME.value() / "roadprint-results"
    with listening(port, "--runs-port") as place, serving(known, place):
        yield {VARIABLE: f"/=http://{HOST}:{port}", KNOWN: str(known)}


def _serve(port: int, file: Path, told: dict[str, str]) -> int:
    address = f"http://{HOST}:{port}"
    settings = surroundings(
        PREFECT_API_URL=f"{address}/api",
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        DO_NOT_TRACK="1",
        PREFECT_LOGGING_LEVEL=LOG_LEVEL or "INFO",
        # it would ask which of the user's profiles is to name this server from now on, and wait
        PREFECT_CLI_PROMPT="false",
        # what a run holds is remembered when the server starts again, and let go when the run does not
        PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE="prefect.server.concurrency.lease_storage.filesystem",
        **told,
    )
    with temporary_settings({PREFECT_API_URL: settings["PREFECT_API_URL"]}), ExitStack() as parts:
        server = _begin(parts, settings, "server", "start", "--host", HOST, "--port", str(port))
        if not _answers(f"{address}/api/health", server):
            sys.stderr.write("Prefect's server did not start.\n")
            return 1
        if not _deployed(file, settings):
            return 1
        runs = _Runs(server)
        parts.callback(runs.say_cancelled)
        worker = _begin(parts, settings, "worker", "start", "--type", "process", "--pool", WORK_POOL)
        parts.callback(runs.end, worker.pid)
        sys.stdout.write(
            f"{_told_paused()}Prefect's page is at {address}, and links to the results of runs; another city: "
            f"PREFECT_API_URL={address}/api roadprint deploy CITY.yaml. Ctrl-C stops all of it.\n"
        )
        sys.stdout.flush()
        while server.poll() is None and worker.poll() is None:
            time.sleep(0.5)
    sys.stderr.write("A part of it has ended by itself.\n")
    return 1


def _deployed(file: Path, settings: dict[str, str]) -> bool:
    """Make the pool, the deployments and the watch for lost runs; False when one of them fails."""
    with _kept_paused():
        for step in (
            ("work-pool", "create", "--type", "process", "--overwrite", WORK_POOL),
            ("deploy", "--prefect-file", str(file), "--all"),
        ):
            if subprocess.run(prefects(*step), env=settings, check=False).returncode:  # noqa: S603
                return False
        watch()
    return True


@contextmanager
def _kept_paused() -> Iterator[None]:
    """Keep what is paused so: what is deployed once more has all its schedules active.

    A deployment with a paused schedule is paused as a whole for as long, which deploying leaves as it is. The server
    makes the runs of active schedules at any moment: it would make some before the schedule is paused again.
    """
    with get_client(sync_client=True) as client:
        before = {deployment.id: deployment for deployment in _deployments(client)}
        waiting = [one.id for one in before.values() if not one.paused and _paused_schedules(one)]
        for deployment_id in waiting:
            client.pause_deployment(deployment_id)
        try:
            yield
        finally:
            for deployment in _deployments(client):
                if deployment.id in before:
                    _pause_as(before[deployment.id], deployment, client)
            for deployment_id in waiting:
                client.resume_deployment(deployment_id)


def _paused_schedules(deployment: DeploymentResponse) -> list[SCHEDULE_TYPES]:
    """List when a deployment would run if none of its schedules were paused."""
    return [schedule.schedule for schedule in deployment.schedules if not schedule.active]


def _pause_as(before: DeploymentResponse, deployment: DeploymentResponse, client: SyncPrefectClient) -> None:
    """Pause a deployment, and those of its schedules, that were paused before."""
    if before.paused and not deployment.paused:
        client.pause_deployment(deployment.id)
    paused = _paused_schedules(before)
    for schedule in deployment.schedules:
        if schedule.active and schedule.schedule in paused:
            client.update_deployment_schedule(deployment.id, schedule.id, active=False)


def _told_paused() -> str:
    """Say which deployments are paused, or have a schedule that is; empty where none is."""
    with get_client(sync_client=True) as client:
        names = [one.name for one in _deployments(client) if one.paused or _paused_schedules(one)]
    return f"Paused, as the page has it: {', '.join(sorted(names))}. " if names else ""


def _deployments(client: SyncPrefectClient) -> Iterator[DeploymentResponse]:
    """Read all deployments, which the server gives page by page."""
    offset = 0
    while page := client.read_deployments(offset=offset):
        yield from page
        offset += len(page)


def automation(lost_after_s: float = LOST_AFTER_S) -> AutomationCore:
    """Make the rule by which the server takes a city's run for crashed that gives no sign of life.

    Parameters
    ----------
    lost_after_s
        How long a run gives no sign of life before it is taken for crashed (seconds).
    """
    trigger = EventTrigger(
        posture=Posture.Proactive,
        after={_SIGN},
        expect={_SIGN, *(f"prefect.flow-run.{end}" for end in _ENDS)},
        match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=ResourceSpecification(
            {"prefect.resource.role": "flow", "prefect.resource.name": "city-flow"}
        ),
        for_each={"prefect.resource.id"},
        threshold=1,
        within=timedelta(seconds=lost_after_s),
    )
    return AutomationCore(
        name=NAME,
        description="A run whose machine or process is gone counts as crashed, so that the city's next run begins.",
        trigger=trigger,
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name=None, message=_MESSAGE, force=False)],
    )


def watch(lost_after_s: float = LOST_AFTER_S) -> None:
    """Have the server that Prefect's settings name watch for lost runs, unless it does; see `automation`."""
    with get_client(sync_client=True) as client:
        if not client.read_automations_by_name(NAME):
            client.create_automation(automation(lost_after_s))


class _Runs:
    """Runs that the worker has started, which end before it does: it would kill them, and they would count as running.

    Attributes
    ----------
    server
        That they report to.
    processes
        Ids of the processes of runs that were told to end.
    under_way
        Ids of the runs that were to end.
    told
        When the first of them was told.
    """

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self.server = server
        self.processes: set[int] = set()
        self.under_way: set[UUID] = set()
        self.told = datetime.max.replace(tzinfo=UTC)

    def end(self, worker: int) -> None:
        """End them as by Ctrl-C, while there is a server that they can tell so."""
        until = time.monotonic() + RUNS_S
        while (left := _children(worker)) and time.monotonic() < until:
            if begun := left - self.processes:
                self.told = min(self.told, datetime.now(UTC))
                self.processes |= begun
                self._note()
                for process in begun:
                    with suppress(ProcessLookupError):
                        os.kill(process, signal.SIGTERM)
            time.sleep(0.1)
        for process in left:
            with suppress(ProcessLookupError):
                # with what it has started itself, where it is the first of a group
                (os.killpg if os.getpgid(process) == process else os.kill)(process, signal.SIGKILL)

    def say_cancelled(self) -> None:
        """Correct the state of those that could not tell it themselves: killed, or ended before they had begun.

        One that fails once it is told to end has met its end in a place that takes it for an error, such as an import.
        """
        self._note()
        if not self.under_way:
            return
        mine = FlowRunFilter(id=FlowRunFilterId(any_=list(self.under_way)))
        with suppress(httpx.HTTPError), self._client() as client:
            for run in client.read_flow_runs(flow_run_filter=mine):
                failed = run.state is not None and run.state.is_failed() and run.state.timestamp >= self.told
                if failed or run.state_type not in _OVER:
                    message = (
                        "Ended with its worker; what was finished is kept, the next run goes on from there."
                    )
                    client.set_flow_run_state(run.id, Cancelled(message=message), force=True)

    def _note(self) -> None:
        """Note which runs are under way, those included whose process is about to start."""
        states = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(_UNDER_WAY)))
        pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[WORK_POOL]))
        with suppress(httpx.HTTPError), self._client() as client:
            for run in client.read_flow_runs(
                flow_run_filter=FlowRunFilter(state=states), work_pool_filter=pool
            ):
                # some versions of Prefect put the name of the machine before it
                process = (run.infrastructure_pid or "").rpartition(":")[2]
                if process in {"", *map(str, self.processes)}:
                    self.under_way.add(run.id)

    @contextmanager
    def _client(self) -> Iterator[SyncPrefectClient]:
        """Ask the server, again where it is there and has much to do; one that is gone is asked once."""
        retries = BUSY if self.server.poll() is None else 0
        with (
            temporary_settings({PREFECT_CLIENT_MAX_RETRIES: retries}),
            get_client(sync_client=True) as client,
        ):
            yield client


def _children(parent: int) -> set[int]:
    """List the processes that a process has started."""
    found: set[int] = set()
    lists = list(Path(f"/proc/{parent}/task").glob("*/children"))
    for one in lists:
        # each thread has a list, which goes with it
        with suppress(OSError):
            found |= {int(child) for child in one.read_text().split()}
    if not lists:
        # not a Linux, or the process has ended
        table = ["ps", "-A", "-o", "ppid=", "-o", "pid="]
        with suppress(OSError):
            rows = subprocess.run(table, capture_output=True, text=True, check=False).stdout.splitlines()  # noqa: S603
            found = {int(child) for above, child in map(str.split, rows) if int(above) == parent}
    return found


def _begin(parts: ExitStack, settings: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start a program of Prefect's that is stopped when `parts` close, the last one first."""
    # its own session: Ctrl-C reaches this process alone, which stops the worker before the server that it reports to
    process = subprocess.Popen(prefects(*arguments), env=settings, start_new_session=True)  # noqa: S603
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
