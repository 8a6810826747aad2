"""`make bench` runs every measurement, and ends as a failure that names those that failed."""

import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def bench(tmp_path):
    """Run the recipe with a python that ends with 3 on whatever is named ``bad``."""
    if shutil.which("make") is None:
        pytest.skip("no make")
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text('#!/bin/sh\ncase "$1" in *bad*) exit 3;; esac\n')
    python.chmod(0o755)
    for mark in (".ready", ".ready-dev"):
        (tmp_path / mark).touch()

    def run(*names):
        asked = ["make", "--silent", "bench", f"VENV={tmp_path}", f"BENCHES={' '.join(names)}"]
        return subprocess.run(asked, cwd=TOP, capture_output=True, text=True, check=False)

    return run


def test_a_measurement_that_fails_is_named_at_the_end_and_keeps_no_other_from_running(bench):
    ended = bench("dense", "bad_one", "growth", "bad_two")
    assert ended.stdout.split() == [f"bench/{name}.py" for name in ("dense", "bad_one", "growth", "bad_two")]
    assert ended.returncode != 0
    assert "failed: bad_one bad_two" in ended.stderr


def test_measurements_that_all_end_well_end_well(bench):
    ended = bench("dense", "growth")
    assert (ended.returncode, ended.stderr) == (0, "")
