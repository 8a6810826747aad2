"""A run that is killed goes on where it was; one that is ended says so, soon, and leaves nothing half done."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import PREFECT_API_URL, temporary_settings
from quick import CLOSE, QUICK, chosen

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("ROADPRINT_KILLS", "3"))
"""``make kills`` asks for thirty."""
LONGEST_S = 300
STARTS_S = 10
"""About so long it takes until a run makes anything."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder of Prefect's for these runs alone."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture
def start(town, home):
    """Start a run as the first of its session, as a terminal or a service does."""
    started = []

    def begin(out, *more, **settings):
        command = [sys.executable, "-m", "flows.cli", "run", town.city, "--out", out, *more]
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            env=os.environ | {"PREFECT_HOME": str(home), **settings},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def in_session(process):
    """List what is left of a session, its zombies apart."""
    found = subprocess.run(
        ["ps", "-o", "pid=,stat=,args=", "-s", str(process.pid)], capture_output=True, text=True, check=False
    )
    return [line for line in found.stdout.splitlines() if line.split()[1][0] != "Z"]


def wait_until_gone(process, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until and in_session(process):
        time.sleep(0.1)
    assert in_session(process) == []


def finished_pieces(out):
    """Stages and shards that are whole, by their path, with the numbers and times of their files."""
    stages = out / "demo-town" / "stages"
    accounts = [*stages.glob("[a-z]*/summary.json"), *stages.glob("shards/shard-*.json")]
    pieces = [
        path.parent if path.name == "summary.json" else path.with_suffix(".parquet") for path in accounts
    ]
    # a number of a file that was removed may be given to the next one
    return {piece: (piece.stat().st_ino, piece.stat().st_mtime_ns) for piece in pieces}


def contents(out):
    latest = out / "demo-town" / "latest"
    files = (path for path in latest.rglob("*") if path.is_file() and path.name != "run.json")
    return {path.relative_to(latest).as_posix(): path.read_bytes() for path in files}


def half_done(out):
    return [
        path for path in out.rglob(".*") if path.name not in {".lock", ".said.lock", ".last-failure.json"}
    ]


@pytest.mark.parametrize("number", range(KILLS))
def test_a_run_that_is_killed_goes_on_where_it_was(shared, close, start, number):
    out = shared.new("killed")
    chance = random.Random(number)  # noqa: S311
    settings = chosen(CLOSE)
    # one of equal parts of its work, and a moment in it
    begun = int(len(finished_pieces(close)) * (number + chance.random()) / KILLS)
    killed = start(out, *settings)
    until = time.monotonic() + LONGEST_S
    while len(finished_pieces(out)) < begun:
        assert killed.poll() is None, killed.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(chance.random() * (STARTS_S if begun == 0 else 1))
    killed.kill()
    wait_until_gone(killed, LONGEST_S)
    kept = finished_pieces(out)
    again = start(out, *settings)
    _, said = again.communicate(timeout=LONGEST_S)
    assert again.returncode == 0, said
    assert contents(out) == contents(close)
    assert kept.items() <= finished_pieces(out).items(), "what was finished was made again"
    assert half_done(out) == []


def test_a_server_whose_run_is_killed_before_it_is_told_the_port_ends_with_its_folder(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    server = subprocess.Popen(
        [sys.executable, "-m", "flows.server", folder],
        cwd=ROOT,
        env=os.environ | {"PREFECT_HOME": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        server.stdout.close()
        server.stdin.close()
        assert server.wait(LONGEST_S) == 0
        assert server.stderr.read() == b""
        assert not folder.exists()
    finally:
        server.kill()


@pytest.mark.parametrize(("ending", "all_at_once"), [("SIGINT", True), ("SIGTERM", True), ("SIGTERM", False)])
def test_a_run_that_is_ended_says_so_soon(start, tmp_path, tmp_path_factory, ending, all_at_once):
    temporary = tmp_path_factory.mktemp("temporary")
    process = start(tmp_path, TMPDIR=str(temporary))
    shards = tmp_path / "demo-town" / "stages" / "shards"
    until = time.monotonic() + LONGEST_S
    while not any(shards.glob("shard-*.parquet")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    before = finished_pieces(tmp_path)
    (os.killpg if all_at_once else os.kill)(process.pid, getattr(signal, ending))
    _, said = process.communicate(timeout=180)
    # two shards are encoded at once, and may be about to be written
    assert len(finished_pieces(tmp_path)) <= len(before) + 2
    assert process.returncode == 130
    assert said.startswith("roadprint: interrupted")
    assert "Traceback" not in said
    wait_until_gone(process, 20)
    assert half_done(tmp_path) == []
    assert list(temporary.glob("roadprint-prefect-*")) == []


def test_a_server_that_is_configured_is_told_that_a_run_was_ended(start, one_server, tmp_path):
    address, _ = one_server
    process = start(tmp_path, PREFECT_API_URL=address)
    until = time.monotonic() + LONGEST_S
    while not any((tmp_path / "demo-town" / "stages").glob("tiles-*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=180)
    assert process.returncode == 130
    assert state_of(address, tmp_path) == "CANCELLED"


def state_of(address, out):
    """Give the state of the one run whose results go to a folder."""
    # by Prefect's own client, which asks again while the server's database is held
    with temporary_settings({PREFECT_API_URL: address}), get_client(sync_client=True) as client:
        runs = client.read_flow_runs(sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=20)
    (run,) = (run for run in runs if run.parameters.get("out") == str(out))
    return run.state_type


def interrupt(*_, **__):
    """Ask for an end at a moment at which a library drops the exception for an error of its own."""
    try:
        signal.raise_signal(signal.SIGTERM)
    except BaseException:  # noqa: BLE001
        raise ValueError("Task run is not set") from None


def begin_to_name():
    """Ask for it before the flow has begun."""
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("part", "moment"),
    [("flows.city.make_plan", interrupt), ("flows.city.stage_task", interrupt), (None, begin_to_name)],
)
def test_a_run_is_cancelled_at_whatever_moment_it_is_ended(
    call, one_server, town, tmp_path, monkeypatch, part, moment
):
    from flows.city import city_flow

    if part is None:
        monkeypatch.setattr(city_flow, "flow_run_name", moment)
    else:
        monkeypatch.setattr(part, moment)
    ended = call("run", town.city, "--out", tmp_path, *QUICK)
    assert (ended.code, ended.err.count("roadprint: ")) == (130, 1)
    assert state_of(one_server[0], tmp_path) == "CANCELLED"


def test_a_server_that_is_configured_and_not_there_is_told(town, tmp_path, call):
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        run = call("run", town.city, "--out", tmp_path / "runs")
    assert run.code == 2
    assert run.err.count("roadprint:") == 1
    assert "PREFECT_API_URL, http://127.0.0.1:9/api" in run.err
    assert "Traceback" not in run.err
