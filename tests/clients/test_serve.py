"""What ``make serve`` starts, it ends, a run that goes on first; and it resumes nothing that was paused.

It is started as a user may: from a terminal, in a folder with somebody else's packages, where proxies are named and
Prefect has no profile yet.
"""

import os
import pty
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from made_run import make_run
from prefect_server import LONGEST_S, ROOT, Server, free_port
from test_prefect_faults import wait_for_tiles

from flows.page.addresses import VARIABLE, served_at
from flows.page.files import make_known

PAUSED_SCHEDULE, PAUSED_DEPLOYMENT, ACTIVE = "demo-town", "cambridge-ma", "another-town"


@dataclass
class Served:
    """A folder of Prefect's in which cities were served, and what happened when that ended."""

    folder: Path
    run_id: str
    code: int
    left: list[str]

    def state(self):
        with sqlite3.connect(self.folder / "home" / "prefect.db") as db:
            return db.execute("SELECT state_type FROM flow_run WHERE id = ?", [self.run_id]).fetchone()[0]


def processes_of(folder):
    """List processes whose Prefect keeps to `folder`."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(folder) in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def environment_of(home, word):
    """Read the environment of a process whose Prefect keeps to the folder `home`, and whose command has a word."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pairs = os.fsdecode((place / "environ").read_bytes()).split("\0")
            told = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
            command = (place / "cmdline").read_text().split("\0")
            if word in command and told.get("PREFECT_HOME") == home:
                return told
    raise AssertionError(f"no process with {word}")


def copy(terminal, log):
    """Copy what is shown at a terminal, until nobody has it open any more."""
    with suppress(OSError), log.open("ab", buffering=0) as out:
        while shown := os.read(terminal, 4096):
            out.write(shown)
    os.close(terminal)


def left_of(folder):
    """List what is left of them once the kernel has had a moment to take away what has ended."""
    until = time.monotonic() + 20
    while (left := processes_of(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


@contextmanager
def serving(folder):
    """Start ``make serve``; gives its process and how to talk to the server when it says that all of it is up."""
    port = free_port()
    for name in ("flows", "tasks", "geo"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "__init__.py").write_text(f"raise SystemExit('the {name} of somebody else')\n")
    settings = os.environ | {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        # it looks for what is to be scheduled while cities are deployed, and again when that is over
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "0.2",
        "ROADPRINT_DATA": str(folder),
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
    }
    dead = dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), "socks5://127.0.0.1:9")
    log = folder / "serve.log"
    log.write_bytes(b"")
    command = [
        sys.executable,
        "-m",
        "roadprint.start",
        "flows.serve",
        "--port",
        port,
        "--file",
        "prefect.yaml",
        "--runs-port",
        free_port(),
    ]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(word) for word in command],
        env=settings | dead,
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    threading.Thread(target=copy, args=(ours, log), daemon=True).start()
    try:
        until = time.monotonic() + 120
        while "Ctrl-C stops all of it" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield process, Server(f"http://127.0.0.1:{port}", settings, log, {})
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def waiting(server):
    """Give the deployments of the runs that the scheduler has made."""
    runs = server.ask("flow_runs/filter", flow_runs={"state": {"type": {"any_": ["SCHEDULED"]}}})
    return {run["deployment_id"] for run in runs if run["auto_scheduled"]}


@pytest.fixture(scope="module")
def served(town, tmp_path_factory):
    """Two cities paused in Prefect's page, each in its way, and Ctrl-C while the first has a run that goes on."""
    folder = tmp_path_factory.mktemp("served")
    project = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    demo = next(one for one in project["deployments"] if one["name"] == PAUSED_SCHEDULE)
    demo["parameters"] = {"config": str(town.city), "out": str(folder / "runs")}
    project["deployments"].append(demo | {"name": ACTIVE})
    (folder / "prefect.yaml").write_text(yaml.safe_dump(project))
    with serving(folder) as (process, server):
        first = server.deployment(PAUSED_SCHEDULE)
        server.change(f"deployments/{first['id']}/schedules/{first['schedules'][0]['id']}", active=False)
        server.change(f"deployments/{server.deployment(PAUSED_DEPLOYMENT)['id']}", paused=True)
        run_id = server.run(PAUSED_SCHEDULE)
        wait_for_tiles(folder / "runs")
        process.send_signal(signal.SIGINT)
        code = process.wait(LONGEST_S)
        left = left_of(folder)
    return Served(folder, run_id, code, left)


def test_ctrl_c_lets_the_run_say_that_it_was_cancelled_and_leaves_no_process(served):
    assert served.code == 0
    assert served.state() == "CANCELLED"
    assert served.left == []
    hidden = {path.name for path in (served.folder / "runs").rglob(".*")}
    assert hidden <= {".lock", ".said.lock", ".last-failure.json"}


@pytest.fixture(scope="module")
def again(served):
    """The same folder, served once more."""
    with serving(served.folder) as (_, server):
        yield server


def test_what_was_paused_stays_paused_and_all_else_is_active(again):
    (schedule,) = again.deployment(PAUSED_SCHEDULE)["schedules"]
    assert not schedule["active"]
    assert schedule["schedule"]["cron"] == "0 3 1 * *"
    assert not again.deployment(PAUSED_SCHEDULE)["paused"]
    assert again.deployment(PAUSED_DEPLOYMENT)["paused"]
    (schedule,) = again.deployment(ACTIVE)["schedules"]
    assert schedule["active"]
    assert not again.deployment(ACTIVE)["paused"]
    active, *paused = (again.deployment(city)["id"] for city in (ACTIVE, PAUSED_SCHEDULE, PAUSED_DEPLOYMENT))
    again.wait(lambda: active in waiting(again))
    assert waiting(again).isdisjoint(paused)
    assert f"Paused, as the page has it: {PAUSED_DEPLOYMENT}, {PAUSED_SCHEDULE}. " in again.log.read_text()


def test_results_of_its_runs_are_given_to_browsers_of_this_machine(again, grid_city, tmp_path):
    """As a run of its worker would have it; the run that was cancelled left none."""
    told = environment_of(again.settings["PREFECT_HOME"], "worker")
    run = make_run(grid_city, tmp_path / "grid")
    address = served_at(told[VARIABLE]).link(run / "grid.gpkg", tmp_path)
    assert address.startswith("http://127.0.0.1:")
    assert httpx.get(address, trust_env=False).status_code == 404
    assert make_known(run.parent, told)
    given = httpx.get(address, trust_env=False)
    assert given.content == (run / "grid.gpkg").read_bytes()
    assert given.headers["content-disposition"].startswith("attachment")
