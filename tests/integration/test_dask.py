"""Shards on two workers of a Dask cluster, one of which is killed: the same bytes as from this process alone."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dask
import pytest
from quick import CLOSE, chosen

TOP = Path(__file__).parents[2]
SMALL = chosen(CLOSE)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Cluster:
    """A scheduler and two workers of one thread each, on this machine."""

    def __init__(self, folder):
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.folder, self.processes = folder, []
        host, port = self.address.removeprefix("tcp://").split(":")
        self.start("scheduler", "--host", host, "--port", port, "--no-dashboard")
        self.workers = [
            self.start("worker", self.address, "--nthreads", "1", "--no-dashboard") for _ in range(2)
        ]

    def start(self, what, *arguments):
        # a session of its own: what is killed is the worker with the nanny that would start it again
        log = (self.folder / f"{what}-{len(self.processes)}.log").open("wb")
        one = subprocess.Popen(
            [sys.executable, "-m", "dask", what, *arguments, "--local-directory", str(self.folder)]
            if what == "worker"
            else [sys.executable, "-m", "dask", what, *arguments],
            stdout=log,
            stderr=log,
            cwd=TOP,
            start_new_session=True,
        )
        self.processes.append(one)
        return one

    def kill(self, one):
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()

    def close(self):
        for one in self.processes:
            if one.poll() is None:
                self.kill(one)


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def alone(close):
    """The digest of the GeoPackage that a process makes by itself."""
    return sha256(close)


def sha256(out):
    return hashlib.sha256((out / "demo-town" / "latest" / "demo-town.gpkg").read_bytes()).hexdigest()


def begin(town, out, cluster, *more):
    """Start a run in a process of its own."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "flows.cli", "run", town.city, "--out", out, *SMALL),
            *("--set", "run.runner=dask", "--set", f"run.scheduler={cluster.address}", *more),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=TOP,
    )


def wait_for_a_shard(folder, run):
    until = time.monotonic() + 120
    while time.monotonic() < until and run.poll() is None:
        if any(folder.glob("*.parquet")):
            return
        time.sleep(0.05)
    raise AssertionError(f"no shard was made: {run.communicate()}")


def test_a_killed_worker_is_made_up_for(town, alone, cluster, tmp_path):
    out = tmp_path / "runs"
    run = begin(town, out, cluster)
    wait_for_a_shard(out / "demo-town" / "stages" / "shards", run)
    cluster.kill(cluster.workers[0])
    _, told = run.communicate(timeout=300)
    assert run.returncode == 0, told
    assert sha256(out) == alone


def test_shards_travel_by_shared_storage(town, alone, cluster, tmp_path):
    out, shared = tmp_path / "runs", tmp_path / "shared"
    run = begin(town, out, cluster, "--set", f"run.shared=file://{shared}")
    _, told = run.communicate(timeout=300)
    assert run.returncode == 0, told
    assert sha256(out) == alone
    assert len(list((shared / "demo-town" / "shards").glob("*.parquet"))) >= 6
    assert not list(shared.rglob("*.part"))


def test_a_scheduler_that_is_not_there_is_told(town, call, tmp_path):
    address = f"tcp://127.0.0.1:{free_port()}"
    chosen = ("--set", "run.runner=dask", "--set", f"run.scheduler={address}")
    with dask.config.set({"distributed.comm.timeouts.connect": "2s"}):
        asked = call("run", town.city, "--out", tmp_path, *SMALL, *chosen)
    assert asked.code == 2
    assert address in asked.err
    assert "Traceback" not in asked.err
