"""The command line, called as a user does, with one server of Prefect's for all runs."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

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
def reporting(one_server):
    """Let all runs of these tests report to one server."""
    return one_server


@pytest.fixture
def call(capfd):
    """Call the command line as a user does."""

    def run(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        code = main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run
