"""One run a city at a time, with real processes."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from quick import QUICK

from geo.errors import BusyError
from tasks.store.lock import HOLDER, one_run

ROADPRINT = Path(sys.executable).with_name("roadprint")


def start(city, out, *more):
    command = [str(ROADPRINT), "run", str(city), "--out", str(out), *QUICK, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path, process):
    until = time.monotonic() + 180
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_second_run_of_a_city_is_refused_or_waits_and_another_city_goes_on(shared, quick, town):
    # all stages are there; what each run has left to do is to lay its files out
    out = shared.copy(quick)
    shutil.copytree(out / "demo-town" / "stages", out / "other-town" / "stages")
    shutil.rmtree((out / "demo-town" / "latest").resolve())
    with one_run(out / "demo-town", wait=False, tell=print):
        refused = start(town.city, out, "--set", "output.when_busy=refuse")
        waiting = start(town.city, out)
        other = start(town.city, out, "--set", "city=other-town", "--set", "output.when_busy=refuse")
        _, said = refused.communicate(timeout=120)
        assert refused.returncode == 2
        assert f"process {os.getpid()}" in said
        assert "Traceback" not in said
        assert other.communicate(timeout=180)
        assert other.returncode == 0
        assert (
            f"Waiting for another run of this city to end (process {os.getpid()}" in waiting.stderr.readline()
        )
        assert waiting.poll() is None
        assert not (out / "demo-town" / "latest").exists()
    told, _ = waiting.communicate(timeout=180)
    assert waiting.returncode == 0
    assert Path(told.splitlines()[-1]).exists()
    assert not (out / "demo-town" / HOLDER).exists()


def test_a_lock_of_a_process_that_was_killed_holds_nobody_up(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from tasks.store.lock import one_run\n"
        "with one_run(Path(sys.argv[1]), wait=False, tell=print): time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    wait_for(tmp_path / HOLDER, holder)
    with pytest.raises(BusyError, match=f"process {holder.pid}"), one_run(tmp_path, wait=False, tell=print):
        pass
    holder.kill()
    holder.wait()
    with one_run(tmp_path, wait=False, tell=print):
        assert (tmp_path / HOLDER).exists()
