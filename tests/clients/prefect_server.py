"""A real server of Prefect's and a worker, in processes of their own, on 127.0.0.1."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

POOL = "roadprint"
ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    """A server that runs, and how to talk to it."""

    address: str
    settings: dict[str, str]
    log: Path
    processes: dict[str, subprocess.Popen]

    def start(self, part, *arguments):
        """Start a part: ``server`` or ``worker``."""
        command = [sys.executable, "-m", "prefect", part, "start", *arguments]
        with self.log.open("a") as out:
            self.processes[part] = subprocess.Popen(
                command, env=self.settings, cwd=ROOT, stdout=out, stderr=out, start_new_session=True
            )

    def start_server(self):
        self.start("server", "--host", "127.0.0.1", "--port", self.address.rpartition(":")[2])
        _until_it_answers(f"{self.address}/api/health", self.processes["server"], self.log)

    def kill(self, part):
        """End a part and all that it started, without a word."""
        one = self.processes.pop(part)
        os.killpg(one.pid, signal.SIGKILL)
        one.wait()

    def start_worker(self):
        self.start("worker", "--type", "process", "--pool", POOL)

    def prefect(self, *arguments):
        return self.python("-m", "prefect", *arguments)

    def roadprint(self, *arguments):
        return self.python("-m", "flows.cli", *arguments)

    def python(self, *arguments):
        words = [sys.executable, *map(str, arguments)]
        done = subprocess.run(
            words, env=self.settings, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, path, **body):
        """Post to the server's interface."""
        answer = httpx.post(f"{self.address}/api/{path}", json=body, timeout=30)
        assert answer.is_success, answer.text
        return answer.json()

    def read(self, path):
        answer = httpx.get(f"{self.address}/api/{path}", timeout=30)
        assert answer.is_success, answer.text
        return answer.json()

    def wait_for_end(self, deployment, *, seconds, after=None):
        """Wait until a deployment has a run that ended, another one than `after`; gives the run."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ended = {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}}}
            runs = self.ask(
                "flow_runs/filter",
                flow_runs=ended,
                deployments={"id": {"any_": [deployment["id"]]}},
                sort="START_TIME_DESC",
            )
            if runs and runs[0]["id"] != after:
                return runs[0]
            time.sleep(0.5)
        raise AssertionError(self.log.read_text()[-3000:])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server_and_worker(folder: Path, **more: str):
    """Start a server that keeps to `folder`, and a worker of its pool; both end with it."""
    address = f"http://127.0.0.1:{free_port()}"
    settings = os.environ | {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        **more,
    }
    server = Server(address, settings, folder / "prefect.log", {})
    try:
        server.start_server()
        server.prefect("work-pool", "create", "--type", "process", POOL)
        server.start_worker()
        yield server
    finally:
        for process in reversed(list(server.processes.values())):
            _stop(process)


def _stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _until_it_answers(health, process, log):
    until = time.monotonic() + 120
    while True:
        try:
            if httpx.get(health, timeout=5).is_success:
                return
        except httpx.HTTPError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.3)
