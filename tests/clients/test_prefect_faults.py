"""A server that ends while a city runs, a machine that loses power, and a run that is cancelled in its page."""

import os
import signal
import subprocess
import sys
import time

import pytest
from prefect_server import ROOT, server_and_worker
from test_prefect_server import check_results


@pytest.fixture
def server(tmp_path):
    with server_and_worker(tmp_path, PREFECT_CLIENT_MAX_RETRIES="4") as server:
        yield server


def begin(server, town, out):
    """Have the worker run the town; gives its deployment when shards are being encoded."""
    server.roadprint("deploy", town.city, "--out", out, "--cron", "never")
    server.prefect("deployment", "run", "city-flow/demo-town")
    wait_for_tiles(out)
    return server.read("deployments/name/city-flow/demo-town")


def running(server):
    (run,) = server.ask("flow_runs/filter", flow_runs={"state": {"type": {"any_": ["RUNNING"]}}})
    return run


def wait_for_tiles(out):
    until = time.monotonic() + 90
    while not any((out / "demo-town" / "stages").glob("tiles-*")):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_server_that_is_away_for_a_while_is_told_when_it_is_back(server, town, tmp_path):
    deployment = begin(server, town, tmp_path / "runs")
    server.kill("server")
    time.sleep(2)
    server.start_server()
    run = server.wait_for_end(deployment, seconds=120)
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    check_results(tmp_path / "runs")


def test_a_server_that_is_gone_for_good_does_not_keep_a_city_from_its_results(server, town, tmp_path):
    out = tmp_path / "runs"
    command = [sys.executable, "-m", "flows.cli", "run", town.city, "--out", out]
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
    said, complained = run.communicate(timeout=120)
    assert run.returncode == 0, complained
    assert "Warning: Prefect's server does not answer any more" in said
    assert "Traceback" not in complained
    assert len(complained.splitlines()) < 5, complained
    check_results(out)


def test_a_run_that_is_cancelled_in_the_page_ends_soon_and_goes_on_the_next_time(server, town, tmp_path):
    out = tmp_path / "runs"
    deployment = begin(server, town, out)
    server.ask(f"flow_runs/{running(server)['id']}/set_state", state={"type": "CANCELLING"})
    # Prefect's worker looks for such requests every ten seconds, and on a busy machine later
    run = server.wait_for_end(deployment, seconds=60)
    assert run["state_type"] == "CANCELLED"
    left = [path.name for path in out.rglob(".*") if path.name not in {".lock", ".last-failure.json"}]
    assert left == []
    server.prefect("deployment", "run", "city-flow/demo-town")
    again = server.wait_for_end(deployment, seconds=120, after=run["id"])
    assert again["state_type"] == "COMPLETED"
    check_results(out)


def test_after_a_power_cut_the_lost_run_is_told_and_the_next_one_begins(server, town, tmp_path):
    """Prefect by itself would take the run for running, and have its city wait, for good."""
    out = tmp_path / "runs"
    server.python("-c", "from flows.serve import watch; watch(lost_after_s=45)")
    deployment = begin(server, town, out)
    lost = running(server)
    for part in ("worker", "server"):
        server.kill(part)
    os.kill(int(lost["infrastructure_pid"].rpartition(":")[2]), signal.SIGKILL)
    server.start_server()
    server.start_worker()
    server.prefect("deployment", "run", "city-flow/demo-town")
    told = server.wait_for_end(deployment, seconds=120)
    assert (told["id"], told["state_type"]) == (lost["id"], "CRASHED")
    assert "gives no sign of life" in told["state"]["message"]
    again = server.wait_for_end(deployment, seconds=120, after=lost["id"])
    assert again["state_type"] == "COMPLETED"
    check_results(out)
