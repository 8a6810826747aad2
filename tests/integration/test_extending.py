"""The worked example of docs/extending.md is written into a copy of the project, and does what it says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from quick import OVERRIDES

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|diff) file=(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FAST = [f"{key}={value}" for key, value in OVERRIDES.items()]


def apply(kind, file, text):
    """Write a file, or change one as a difference says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if kind == "python":
        file.write_text(text, encoding="utf-8")
        return
    lines = text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if not line.startswith("+"))
    after = "".join(line[1:] for line in lines if not line.startswith("-"))
    whole = file.read_text(encoding="utf-8")
    assert whole.count(before) == 1, f"{file.name} does not hold, once:\n{before}"
    file.write_text(whole.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """Copy the project, with the example in it."""
    copy = tmp_path_factory.mktemp("extended")
    for name in ("roadprint", "flows", "tasks", "geo"):
        shutil.copytree(TOP / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    blocks = BLOCK.findall(PAGE)
    assert len(blocks) == PAGE.count(" file=") > 0
    for kind, name, text in blocks:
        apply(kind, copy / name, text)
    return copy


def python(extended, *arguments):
    called = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=extended,
        env=os.environ | {"PYTHONPATH": str(extended)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert called.returncode == 0, called.stderr
    return called.stdout


RUN = """
import json, sys
from pathlib import Path
from tasks.planning import make_plan
from tasks.stages.order import STAGES
from tasks.store.stage import run_stage
settings = dict(one.split("=") for one in sys.argv[3:])
plan = make_plan(Path(sys.argv[1]), settings, Path(sys.argv[2]))
done = {stage.name: run_stage(stage, plan) for stage in STAGES}
print(json.dumps({name: [result.cached, result.totals["done"]] for name, result in done.items()}))
print(plan.stage_folder("package"))
"""


def test_a_new_stage_is_what_the_page_shows_and_its_column_arrives_in_the_layer(extended, town, tmp_path):
    def run():
        told, package = python(extended, "-c", RUN, town.city, tmp_path, *FAST).splitlines()
        return json.loads(told), Path(package)

    told, package = run()
    segments = gpd.read_parquet(package / "layers" / "segments.parquet")
    assert told["shape"] == [False, len(segments)]
    assert (segments["winding"].dropna() >= 1 - 1e-9).all()
    assert segments["winding"].max() > 1.05
    ledger = pd.read_parquet(package / "layers" / "ledger.parquet")
    assert ledger.query("stage == 'shape'")["count"].tolist() == [len(segments)]
    # a change of its science makes it again, with what shows it, and nothing else
    science = extended / "geo" / "shape" / "winding.py"
    science.write_text(science.read_text() + "\n# another word\n")
    again, _ = run()
    assert {name for name, (cached, _) in again.items() if not cached} == {"shape", "package", "report"}


def test_the_pages_that_are_written_from_declarations_tell_of_it(extended):
    page = python(extended, "-m", "tasks.reference")
    assert "## shape" in page
    assert "| `winding` ○ | real | Length over the straight distance between its ends |" in page


def test_the_files_that_the_page_names_are_there():
    new = {"geo/shape/", "geo/shape/winding.py", "geo/shape/__init__.py", "tasks/stages/network/shape.py"}
    named = set(re.findall(r"`((?:geo|tasks|docs|tests)/[\w/.]+)`", PAGE)) - new
    assert len(named) > 10
    assert [name for name in sorted(named) if not (TOP / name).exists()] == []
