"""The demo, run once as a user runs it, for the programs that open what it made."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """What the command line says at the end of the demo: paths of the GeoPackage and the report, and more."""
    out = tmp_path_factory.mktemp("demo")
    run = subprocess.run(
        [sys.executable, "-m", "flows.cli", "demo", "--out", out, "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PREFECT_HOME": str(out / "prefect")},
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
