"""What a city's folder tells, and what may be removed from it."""

import json
import os
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from geo.errors import BusyError, ConfigurationError
from geo.ledger import Entry
from geo.sources.files import digest_file
from tasks.store.code import code_digest
from tasks.store.housekeeping import clear, parse_age, plan_clearing, refuse_while_running, sweep
from tasks.store.lock import HOLDER, Holder, one_run
from tasks.store.stage import SUMMARY, Account, Stage, run_stage, write_account
from tasks.store.status import failure_noted, running, size_on_disk, status

NOW = datetime.now(UTC).replace(microsecond=0)
AGE = timedelta(days=90)
OLD, OLDER, NEW = (NOW - timedelta(days=days) for days in (100, 200, 5))
ROADS = tuple(f"{i:016x}" for i in range(5))


NO_CODE = defaultdict(lambda: code_digest("a module that is not there"))


def write_text(path, told):
    path.write_text(json.dumps(told))


def aged(path, when):
    os.utime(path, (when.timestamp(), when.timestamp()), follow_symlinks=False)


def make_stage(folder, key, when, name="roads"):
    def build(work):
        (work / "below").mkdir()
        (work / "below" / "a.parquet").write_bytes(b"x" * 1000)
        return [Entry(name, "done", "", 1)]

    plan = SimpleNamespace(
        config=None, code=NO_CODE, stage_folder=lambda name: folder / "stages" / f"{name}-{key}"
    )
    place = run_stage(Stage(name, lambda _, work: build(work), (name,)), plan).folder
    aged(place / SUMMARY, when)
    return place


def make_shard(folder, key, when):
    shard = folder / "stages" / "shards" / f"shard-{key}.parquet"
    shard.parent.mkdir(parents=True, exist_ok=True)
    shard.write_bytes(b"y" * 500)
    write_account(shard.with_suffix(".json"), [], [shard], {})
    aged(shard, when)
    return shard


def make_run(folder, run_id, when, made_of):
    place = folder / run_id
    place.mkdir(parents=True)
    (place / "here.gpkg").write_bytes(run_id.encode() * 100)
    (place / "report.html").write_text(run_id)
    files = {name: digest_file(place / name) for name in ("here.gpkg", "report.html")}
    told = {"run_id": run_id, "seconds": 3.0, "files": files, "finished": when.isoformat()}
    write_text(place / "run.json", told | ({} if made_of is None else {"made_of": made_of}))
    return place


@pytest.fixture
def city(tmp_path):
    """An old run, an older one and a new one, each with a stage of its own and one that all share."""
    folder = tmp_path / "runs" / "here"
    for key, when in zip(ROADS, (OLDER, OLD, NEW, OLDER, OLDER), strict=True):
        make_stage(folder, key, when)
    make_shard(folder, ROADS[0], OLDER)
    make_shard(folder, ROADS[2], OLDER)
    shared = f"roads-{ROADS[3]}"
    make_run(folder, "a" * 12, OLDER, [f"roads-{ROADS[0]}", shared, f"shards/shard-{ROADS[0]}.parquet"])
    make_run(folder, "b" * 12, OLD, [f"roads-{ROADS[1]}", shared])
    make_run(folder, "c" * 12, NEW, [f"roads-{ROADS[2]}", shared, f"shards/shard-{ROADS[2]}.parquet"])
    (folder / "latest").symlink_to("c" * 12)
    return folder


def everything(folder):
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink()
    }


def test_what_is_old_goes_and_what_the_newest_run_was_made_from_stays(city):
    planned = plan_clearing(city, AGE, now=NOW)
    gone = {"a" * 12, "b" * 12, *(f"stages/roads-{ROADS[i]}" for i in (0, 1, 4))}
    gone.add(f"stages/shards/shard-{ROADS[0]}.parquet")
    assert set(planned.items) == gone
    before = size_on_disk(city)
    done = clear(city, planned, AGE)
    assert set(done.items) == gone
    assert before - size_on_disk(city) == pytest.approx(done.bytes, abs=200)
    assert not any((city / name).exists() for name in gone)
    left = {path.name for path in (city / "stages").iterdir()}
    assert left == {f"roads-{ROADS[2]}", f"roads-{ROADS[3]}", "shards"}
    assert (city / "latest" / "here.gpkg").exists()


def test_the_only_run_stays_however_old_and_so_does_the_one_that_latest_names(city):
    import shutil

    shutil.rmtree(city / ("c" * 12))
    (city / "latest").unlink()
    (city / "latest").symlink_to("a" * 12)
    planned = plan_clearing(city, timedelta(0), now=NOW + AGE)
    assert not {"a" * 12, "b" * 12} & set(planned.items)
    assert f"stages/roads-{ROADS[3]}" not in planned.items
    assert f"stages/roads-{ROADS[0]}" not in planned.items


def test_a_newer_run_that_is_damaged_is_not_the_newest_good_one(city):
    (city / ("c" * 12) / "here.gpkg").write_bytes(b"")
    planned = plan_clearing(city, AGE, now=NOW)
    assert "b" * 12 not in planned.items
    assert "a" * 12 in planned.items


def test_a_run_that_somebody_changed_stays_and_is_told(city):
    (city / ("a" * 12) / "here.gpkg").write_bytes(b"edited in QGIS")
    planned = plan_clearing(city, AGE, now=NOW)
    assert "a" * 12 not in planned.items
    assert any("aaaa" in reason and "changed" in reason for reason in planned.kept)


def test_files_that_no_run_wrote_are_never_removed(city):
    mine = [
        city / ("a" * 12) / "notes.txt",
        city / "stages" / f"roads-{ROADS[4]}" / "below" / "mine.csv",
        city / "stages" / "keep.me",
        city / "stages" / "shards" / "shard-of-mine.parquet",
        city / "stages" / "roads-mine" / "a.txt",
        city / ("d" * 12) / "something.txt",
        city / "thesis.docx",
    ]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        aged(path, OLDER)
        aged(path.parent, OLDER)
    planned = plan_clearing(city, timedelta(0), now=NOW + AGE)
    assert not {"a" * 12, f"stages/roads-{ROADS[4]}"} & set(planned.items)
    assert "b" * 12 in planned.items
    clear(city, planned, timedelta(0))
    assert all(path.read_text() == "mine" for path in mine)


def test_what_comes_between_the_question_and_the_answer_stays(city):
    planned = plan_clearing(city, timedelta(0), now=NOW + AGE)
    late = city / ("b" * 12) / "late.txt"
    late.write_text("mine")
    empty = city / "stages" / f"roads-{ROADS[4]}" / "below" / "empty.txt"
    empty.touch()
    clear(city, planned, timedelta(0))
    assert late.exists()
    assert empty.exists()


def test_links_are_not_followed_out_of_the_folder(city, tmp_path):
    treasure = tmp_path / "elsewhere"
    outside = make_run(treasure, "e" * 12, OLDER, [])
    make_stage(treasure, ROADS[0], OLDER)
    before = everything(treasure)
    (city / ("e" * 12)).symlink_to(outside)
    (city / "stages" / f"tiles-{ROADS[0]}").symlink_to(treasure / "stages" / f"roads-{ROADS[0]}")
    inside = city / ("a" * 12) / "report.html"
    inside.unlink()
    inside.symlink_to(outside / "report.html")
    below = city / "stages" / f"roads-{ROADS[4]}" / "below"
    (below / "a.parquet").unlink()
    below.rmdir()
    below.symlink_to(treasure / "stages" / f"roads-{ROADS[0]}" / "below")
    planned = plan_clearing(city, timedelta(0), now=NOW + AGE)
    clear(city, planned, timedelta(0))
    assert everything(treasure) == before
    assert not {"e" * 12, f"stages/tiles-{ROADS[0]}", f"stages/roads-{ROADS[4]}"} & set(planned.items)


def test_a_folder_of_stages_or_a_city_that_is_a_link_is_left_alone(city, tmp_path):
    (tmp_path / "link").symlink_to(city)
    assert not plan_clearing(tmp_path / "link", timedelta(0), now=NOW + AGE).items
    (city / "stages").rename(tmp_path / "moved")
    (city / "stages").symlink_to(tmp_path / "moved")
    assert not any(name.startswith("stages") for name in plan_clearing(city, AGE, now=NOW).items)


@pytest.mark.parametrize("name", ["../../../precious.txt", "/etc/hostname", "below/../../x"])
def test_an_account_that_names_files_elsewhere_removes_nothing(city, tmp_path, name):
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    stage = city / "stages" / f"roads-{ROADS[4]}"
    Account(entries=[], files={name: "00"}, made_with={}).write(stage / SUMMARY)
    aged(stage / SUMMARY, OLDER)
    run = city / ("a" * 12)
    told = {"run_id": "a" * 12, "seconds": 1, "files": {name: "00"}, "finished": OLDER.isoformat()}
    write_text(run / "run.json", told | {"made_of": []})
    planned = plan_clearing(city, timedelta(0), now=NOW + AGE)
    assert f"stages/roads-{ROADS[4]}" not in planned.items
    assert "a" * 12 not in planned.items
    clear(city, planned, timedelta(0))
    assert precious.read_text() == "mine"
    assert (run / "here.gpkg").exists()


def test_stages_stay_when_a_run_does_not_tell_what_it_was_made_from(city):
    make_run(city, "f" * 12, NEW + timedelta(days=1), None)
    planned = plan_clearing(city, AGE, now=NOW)
    assert set(planned.items) == {"a" * 12, "b" * 12}
    assert any("all stages" in reason for reason in planned.kept)


def test_remains_of_a_killed_run_go_when_they_are_old(city):
    remains = city / "stages" / f".tiles-{ROADS[0]}-abcd_123"
    remains.mkdir()
    (remains / "half.parquet").write_bytes(b"z")
    aged(remains, OLDER)
    planned = plan_clearing(city, AGE, now=NOW)
    assert f"stages/{remains.name}" in planned.items


def test_nothing_is_removed_while_the_city_runs(city):
    planned = plan_clearing(city, timedelta(0), now=NOW + AGE)
    before = everything(city)
    with one_run(city, wait=False, tell=print):
        with pytest.raises(BusyError, match=f"process {os.getpid()}"):
            refuse_while_running(city)
        with pytest.raises(BusyError):
            clear(city, planned, timedelta(0))
        assert everything(city) - {".lock", ".lock.json"} == before


def test_an_age_is_read_and_a_wrong_one_refused():
    assert parse_age("90d") == parse_age("90") == timedelta(days=90)
    assert parse_age("2w") == timedelta(days=14)
    assert parse_age("36h") == timedelta(hours=36)
    for wrong in ("", "soon", "-3d", "1.5d", "9" * 40, "9" * 5000, "3m"):
        with pytest.raises(ConfigurationError, match=r"not an age\n.*days .*weeks .*hours"):
            parse_age(wrong)


@pytest.mark.parametrize("age", ["999999d", "99999999h"])
def test_an_age_from_before_all_dates_is_refused(age):
    with pytest.raises(ConfigurationError, match="not an age"):
        parse_age(age)


def test_a_status_tells_the_last_good_run_and_the_last_failure(city):
    (city / ("c" * 12) / "here.gpkg").write_bytes(b"")
    with pytest.raises(ValueError, match="no such file"), failure_noted(city):
        raise ValueError("roads.gpkg: no such file")
    found = status(city, "here")
    assert found["last_run"]["run_id"] == "b" * 12
    assert found["last_run"]["finished"] == OLD.isoformat(timespec="seconds")
    assert Path(found["last_run"]["geopackage"]).name == "here.gpkg"
    assert found["last_failure"]["reason"] == "roads.gpkg: no such file"
    assert found["running"] is None
    assert found["bytes"] == size_on_disk(city)
    with failure_noted(city):
        pass
    assert status(city, "here")["last_failure"] is None


def test_a_run_that_was_killed_has_a_status(city):
    Holder(process=1, host="there", since="2024-05-06T07:08:09+00:00").write(city / HOLDER)
    found = status(city, "here")
    assert found["running"] is None
    assert "process 1 on there" in found["last_failure"]["reason"]
    assert found["last_failure"]["when"] == "2024-05-06T07:08:09+00:00"


def test_a_run_that_was_refused_has_not_failed(city):
    with pytest.raises(BusyError), failure_noted(city):
        raise BusyError("another run", where="here", todo="Wait.")
    assert status(city, "here")["last_failure"] is None


def test_a_city_that_never_ran_has_a_status(tmp_path):
    found = status(tmp_path / "nowhere", "here")
    assert (found["last_run"], found["running"], found["runs"], found["bytes"]) == (None, None, 0, 0)
    assert not (tmp_path / "nowhere").exists()


def test_a_run_that_goes_on_is_told_and_one_that_was_killed_is_not(city):
    import subprocess

    code = (
        "import sys, time; from pathlib import Path; from tasks.store.lock import one_run\n"
        "with one_run(Path(sys.argv[1]), wait=False, tell=print): time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(city)], cwd=Path(__file__).parents[2])
    until = time.monotonic() + 120
    while running(city) is None and time.monotonic() < until:
        time.sleep(0.05)
    assert running(city)["process"] == holder.pid
    holder.kill()
    holder.wait()
    assert (city / ".lock.json").exists()
    assert running(city) is None


def test_what_a_killed_run_had_not_finished_goes_and_all_else_stays(city):
    stages = city / "stages"
    left = [
        city / ".0123456789ab-x_Y12345" / "layers" / "roads.parquet",
        stages / ".package-0123456789abcdef-abcdefgh" / "half.gpkg",
        stages / ".package-0123456789abcdef-abcdefgh-old" / "half.gpkg",
        stages / "shards" / ".shard-0123456789abcdef.parquet.4711",
        city / ".latest.4711",
    ]
    mine = [city / ".notes-of-mine" / "a.txt", city / ".digests.json.4711", stages / ".keep.me.1"]
    for path in left + mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    aged(city / ".latest.4711", OLD)
    before = {path for path in city.rglob("*") if path.is_file()} - set(left)
    sweep(city)
    assert {path for path in city.rglob("*") if path.is_file()} == before
    assert all(path.exists() for path in mine)
    assert not any(path.exists() for path in left)
    sweep(city / "nowhere")
