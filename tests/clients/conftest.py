"""The demo and the real case, run once as a user runs them, for the programs that open what it made."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from real_data import DATA

from geo.demo.write import make_town

TOP = Path(__file__).parents[2]


def made(out, *arguments):
    """Call the command line in a process of its own; what it says at the end."""
    run = subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments, "--out", out, "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=TOP,
        env=os.environ | {"PREFECT_HOME": str(out / "prefect"), "ROADPRINT_DATA": str(DATA.resolve())},
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """What the command line says at the end of the demo: paths of the GeoPackage and the report, and more."""
    return made(tmp_path_factory.mktemp("demo"), "demo")


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """The same of the real case."""
    return made(tmp_path_factory.mktemp("real"), "run", "data/cities/cambridge-ma.yaml")


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """The demo town, at half a metre."""
    return make_town(tmp_path_factory.mktemp("town"), pixel_m=0.5)
