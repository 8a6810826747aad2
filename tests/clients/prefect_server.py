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
ANSWER_S, LONGEST_S = 120, 400
"""A machine with too much to do may take so long to answer, and to run a city."""
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
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
            words, env=self.settings, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, path, **body):
        """Post to the server's interface."""
        return self._answer("POST", path, json=body).json()

    def read(self, path):
        return self._answer("GET", path).json()

    def change(self, path, **body):
        self._answer("PATCH", path, json=body)

    def _answer(self, method, path, **more):
        """Ask as Prefect's own clients do: again while the server's database is held by another part of it."""
        until = time.monotonic() + ANSWER_S
        while True:
            answer = httpx.request(method, f"{self.address}/api/{path}", timeout=ANSWER_S, **more)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > until:
                break
            time.sleep(1)
        assert answer.is_success, answer.text
        return answer

    def deployment(self, city="demo-town"):
        return self.read(f"deployments/name/city-flow/{city}")

    def run(self, city="demo-town"):
        """Have the worker run a city that is deployed; gives the number of the run."""
        return self.ask(f"deployments/{self.deployment(city)['id']}/create_flow_run")["id"]

    def wait_for_end(self, run_id, *, seconds=LONGEST_S):
        """Wait until a run has ended; gives the run."""
        return self.wait(lambda: ended(self.read(f"flow_runs/{run_id}")), seconds=seconds)

    def wait(self, look, *, seconds=LONGEST_S):
        """Wait until there is something to be seen; gives it."""
        until = time.monotonic() + seconds
        while not (seen := look()):
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.3)
        return seen


def ended(run):
    """Give a run if it has ended."""
    return run if run["state_type"] in ENDED else None


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
        server.start_worker()
        # the worker makes its pool
        server.wait(lambda: server.ask("work_pools/filter"))
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
