"""The demo town at half a metre, run once for all tests; Prefect keeps to a folder of the tests."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="prefect-")

from flows.cli import main
from geo.demo.write import DemoTown, make_town


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


@pytest.fixture(scope="session")
def town(tmp_path_factory) -> DemoTown:
    return make_town(tmp_path_factory.mktemp("town"), pixel_m=0.5)


@pytest.fixture
def call(capfd):
    """Call the command line as a user does."""

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        code = main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture(scope="session")
def finished(town, tmp_path_factory):
    """The town, run with the default encoder: the folder of results, and the summary."""
    out = tmp_path_factory.mktemp("runs")
    file = out / "summary.json"
    from flows.city import city_flow

    summary = city_flow(str(town.city), None, str(out))
    file.write_text(json.dumps(summary))
    return out, summary
