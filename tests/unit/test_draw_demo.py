"""The demo town is drawn once, whole, whoever else draws it and whoever was killed while drawing."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.arguments import parse
from flows.cli import main
from geo.demo.plans import NAMES, SEED
from tasks import demo

PLANNED = [["demo", "--plan", name] for name in NAMES[1:]]
LOCK = ".town.lock"
TOP = Path(__file__).parents[2]
DRAW = """
import sys, time
from pathlib import Path
from tasks import demo

def draw(folder, *, seed, plan, treated, mapped):
    with Path(sys.argv[2]).open("a") as log:
        log.write("begun\\n")
    (folder / "half.tif").write_text("half")
    time.sleep(float(sys.argv[3]))
    (folder / "city.yaml").write_text("city: demo-town")

demo.make_town = draw
print(demo.draw_demo(Path(sys.argv[1])))
"""


@pytest.fixture
def draw(tmp_path):
    """Start drawing, in a process of its own, a town that takes some seconds."""
    started = []

    def begin(seconds):
        command = [sys.executable, "-c", DRAW, tmp_path / "runs", tmp_path / "log", seconds]
        started.append(
            subprocess.Popen([str(word) for word in command], cwd=TOP, stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def shown(out):
    return sorted(path.name for path in out.iterdir() if path.name != LOCK)


def test_two_at_once_draw_one_town(draw, tmp_path):
    both = [draw(2), draw(2)]
    said = [process.communicate(timeout=180)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    assert (tmp_path / "log").read_text() == "begun\n"
    assert len(shown(tmp_path / "runs")) == 1


def test_what_a_killed_drawing_left_goes_with_the_next_and_all_else_stays(draw, tmp_path):
    out = tmp_path / "runs"
    mine = out / ".town-of-mine" / "a.txt"
    older = out / ".town-0123456789abcdef-abcd_123-old" / "half.tif"
    for path in (mine, older):
        path.parent.mkdir(parents=True)
        path.write_text("a")
    killed = draw(60)
    until = time.monotonic() + 180
    while not (tmp_path / "log").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    draw(0).communicate(timeout=180)
    hidden, town = shown(out)
    assert hidden == ".town-of-mine"
    assert mine.exists()
    assert re.fullmatch(r"town-[0-9a-f]{16}", town)
    assert sorted(path.name for path in (out / town).iterdir()) == ["city.yaml", "half.tif"]


def test_each_plan_is_a_town_of_its_own(monkeypatch, tmp_path):
    drawn = []

    def draw(folder, *, seed, plan, **_):
        drawn.append((seed, plan))
        (folder / "city.yaml").write_text(f"city: demo-{plan}")

    monkeypatch.setattr(demo, "make_town", draw)
    cities = [demo.draw_demo(tmp_path, plan=parse(words).plan) for words in (["demo"], *PLANNED)]
    assert [city.read_text() for city in cities] == [f"city: demo-{name}" for name in NAMES]
    assert drawn == [(SEED, name) for name in NAMES]
    assert demo.draw_demo(tmp_path) == cities[0]
    assert len(drawn) == len(NAMES)


def test_the_command_draws_a_town_with_treatments_and_a_map_of_its_ground_and_runs_it(
    monkeypatch, tmp_path, capsys
):
    drawn, run = [], []

    def draw(folder, **asked):
        drawn.append(asked)
        (folder / "city.yaml").write_text("city: demo-town")

    def run_once(*asked):
        run.append(asked)
        return {"city": "demo-town"}

    monkeypatch.setattr(demo, "make_town", draw)
    monkeypatch.setattr("flows.cli.run_once", run_once)
    assert main(["demo", "--out", str(tmp_path), "--json"]) == 0
    assert drawn == [{"seed": SEED, "plan": NAMES[0], "treated": True, "mapped": True}]
    assert run == [(demo.draw_demo(tmp_path), {}, tmp_path)]
    assert json.loads(capsys.readouterr().out) == {"city": "demo-town"}


def test_the_command_line_refuses_a_plan_that_there_is_not(capsys):
    with pytest.raises(SystemExit) as refused:
        parse(["demo", "--plan", "village"])
    assert refused.value.code == 2
    said = capsys.readouterr().err
    assert all(name in said for name in NAMES)
