"""A server that ends while a city runs, a machine that loses power, and a run that is cancelled in its page.

These runs encode their tiles, and find made what comes after: that is the same in each, and no part of what is tried.
"""

import os
import signal
import subprocess
import sys
import time

import pytest
from prefect_server import LONGEST_S, ROOT, server_and_worker
from quick import CLOSE, chosen, lay_stages
from test_prefect_server import check_results

SOONER = """
from prefect.client.orchestration import get_client
from flows.serve import NAME, watch

with get_client(sync_client=True) as client:
    for one in client.read_automations_by_name(NAME):
        client.delete_automation(one.id)
watch(lost_after_s=45)
"""
"""Has runs that are lost told sooner than a deployment does."""


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    sooner = {
        "PREFECT_CLIENT_MAX_RETRIES": "4",
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "2",
    }
    with server_and_worker(tmp_path_factory.mktemp("prefect"), **sooner) as server:
        yield server


@pytest.fixture
def server(started):
    """The server and its worker; what a test before has killed is started again."""
    if "server" not in started.processes:
        started.start_server()
    if "worker" not in started.processes:
        started.start_worker()
    return started


def begin(server, town, out, *settings):
    """Have the worker run the town; gives the number of the run when shards are being encoded."""
    server.roadprint("deploy", town.city, "--out", out, "--cron", "never", *settings)
    run_id = server.run()
    wait_for_tiles(out)
    return run_id


def wait_for_tiles(out):
    until = time.monotonic() + LONGEST_S
    while not any((out / "demo-town" / "stages").glob("tiles-*")):
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.fixture
def out(close, tmp_path):
    """A folder for results of runs with `CLOSE`, of which tiles and all that is encoded are to be made."""
    lay_stages(close, tmp_path / "runs")
    return tmp_path / "runs"


def test_a_server_that_is_away_for_a_while_is_told_when_it_is_back(server, town, out):
    run_id = begin(server, town, out, *chosen(CLOSE))
    server.kill("server")
    time.sleep(2)
    server.start_server()
    run = server.wait_for_end(run_id)
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    check_results(out)


def test_a_server_that_is_gone_for_good_does_not_keep_a_city_from_its_results(server, town, out):
    command = [sys.executable, "-m", "flows.cli", "run", town.city, "--out", out, *chosen(CLOSE)]
    quick = server.settings | {"PREFECT_CLIENT_MAX_RETRIES": "1"}
    quick.pop("PREFECT_LOGGING_LEVEL")
    run = subprocess.Popen(
        [str(word) for word in command],
        env=quick,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_tiles(out)
    server.kill("worker")
    server.kill("server")
    said, complained = run.communicate(timeout=LONGEST_S)
    assert run.returncode == 0, complained
    assert "Warning: Prefect's server does not answer any more" in said
    assert "Traceback" not in complained
    # once, in one line, however often it was tried
    assert [line for line in complained.splitlines() if "Prefect" in line or "refused" in line] == [
        "Prefect's page lacks a part of this run (ConnectError: [Errno 111] Connection refused)."
    ]
    check_results(out)


def test_a_run_that_is_cancelled_in_the_page_ends_soon_and_goes_on_the_next_time(
    server, town, whole, tmp_path
):
    out = tmp_path / "runs"
    lay_stages(whole, out)
    run_id = begin(server, town, out)
    server.ask(f"flow_runs/{run_id}/set_state", state={"type": "CANCELLING"})
    # Prefect's worker looks for such requests every ten seconds, and on a busy machine later
    run = server.wait_for_end(run_id)
    assert run["state_type"] == "CANCELLED"
    left = [
        path.name
        for path in out.rglob(".*")
        if path.name not in {".lock", ".said.lock", ".last-failure.json"}
    ]
    assert left == []
    again = server.wait_for_end(server.run())
    assert again["state_type"] == "COMPLETED"
    check_results(out)


def test_after_a_power_cut_the_lost_run_is_told_and_the_next_one_begins(server, town, out):
    """Prefect by itself would take the run for running, and have its city wait, for good."""
    server.python("-c", SOONER)
    lost_id = begin(server, town, out, *chosen(CLOSE))
    lost = server.read(f"flow_runs/{lost_id}")
    for part in ("worker", "server"):
        server.kill(part)
    os.kill(int(lost["infrastructure_pid"].rpartition(":")[2]), signal.SIGKILL)
    server.start_server()
    server.start_worker()
    next_id = server.run()
    told = server.wait_for_end(lost_id)
    assert told["state_type"] == "CRASHED"
    assert "gives no sign of life" in told["state"]["message"]
    again = server.wait_for_end(next_id)
    assert again["state_type"] == "COMPLETED"
    check_results(out)
