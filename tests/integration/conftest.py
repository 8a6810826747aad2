"""The demo town, run once for all tests; Prefect keeps to a folder of the tests."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="prefect-")

from quick import CLOSE, OVERRIDES, chosen

from flows.cli import main


@dataclass
class Outcome:
    """What a call of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def summary(self):
        return json.loads(self.out)


@pytest.fixture(scope="session", autouse=True)
def one_server():
    """Let all runs of this process report to one server: each would start its own, which takes seconds.

    Gives its address, and the folder of its records.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    from flows.server import own_server

    with own_server() as wait:
        wait()
        with get_client(sync_client=True) as client:
            folder = client.request("GET", "/admin/settings").json()["home"]
        yield PREFECT_API_URL.value(), Path(folder)


@pytest.fixture
def call(capfd):
    """Call the command line as a user does."""

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        code = main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture(scope="module")
def finished(shared, town):
    """The town, run with the default encoder by one process for all: a file's copy of its folder, and the summary."""
    from flows.city import city_flow

    def make(out):
        (out / "summary.json").write_text(json.dumps(city_flow(str(town.city), None, str(out))))

    made = shared.once("finished", make)
    out = shared.copy(made)
    return out, json.loads((out / "summary.json").read_text().replace(str(made), str(out)))


@pytest.fixture(scope="session")
def quick(shared, town):
    """The town, run with `quick.OVERRIDES` by one process for all; who changes it makes a copy."""
    return shared.once("quick", lambda out: run(town, out, OVERRIDES))


@pytest.fixture(scope="session")
def close(shared, town):
    """The same with `quick.CLOSE`."""
    return shared.once("close", lambda out: run(town, out, CLOSE))


def run(town, out, settings):
    assert main(["run", str(town.city), "--out", str(out), *chosen(settings)]) == 0
