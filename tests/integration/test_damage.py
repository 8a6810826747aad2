"""A damaged piece of finished work is found by its digest, told of in one line, and made again; nothing else is."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import wraps

import pytest
from damage import KINDS, empty, flip, remove, truncate
from quick import OVERRIDES, QUICK

from flows.city import STAGE_BY_NAME
from flows.cli import main
from tasks.ending.publish import finished_before
from tasks.planning import make_plan
from tasks.shards import encode
from tasks.stages.order import STAGES

# each kind of damage, tried on other files of a stage, of a shard and of the run
TRIED = {
    flip: ("roads", "segments.parquet", ".parquet", "demo-town.gpkg"),
    empty: ("tiles", "summary.json", ".json", "run.json"),
    truncate: ("package", "demo-town.gpkg", ".json", "layers/segments.parquet"),
    remove: ("roads", "summary.json", ".parquet", "demo-town.gpkg"),
}
MADE_AGAIN = "made again"


def read(out):
    latest = out / "demo-town" / "latest"
    files = (path for path in latest.rglob("*") if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(latest)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def undisturbed(quick):
    """All bytes of a run of the town."""
    return read(quick)


@pytest.fixture
def out(shared, quick):
    """A copy of its folder of results."""
    return shared.copy(quick)


@pytest.fixture
def unpublished(out):
    """The same without the run itself, so that its stages are asked for."""
    shutil.rmtree((out / "demo-town" / "latest").resolve())
    return out


def folders(out):
    """The stages and shards that are there; one that is made again is another one, if only by when it was made."""
    stages = out / "demo-town" / "stages"
    pieces = [path for path in stages.iterdir() if path.is_dir() and path.name != "shards"]
    found = {path: path.stat() for path in [*pieces, *(stages / "shards").glob("*.parquet")]}
    # a number of a file that was removed may be given to the next one
    return {path.name: (seen.st_ino, seen.st_mtime_ns) for path, seen in found.items()}


@pytest.mark.parametrize("damage", KINDS)
def test_what_is_damaged_is_told_once_and_made_again_alone(undisturbed, out, town, call, damage):
    stage, file, suffix, of_run = TRIED[damage]
    plan = make_plan(town.city, OVERRIDES, out)
    shard = max((plan.stages / "shards").glob("*.parquet"))
    before = folders(out)
    for path in (plan.stage_folder(stage) / file, shard.with_suffix(suffix), plan.run_folder / of_run):
        damage(path)
    again = call("run", town.city, "--out", out, *QUICK)
    assert again.code == 0
    assert again.err.count(MADE_AGAIN) == 3
    for piece in (plan.stage_folder(stage), shard.with_suffix(""), plan.run_folder):
        assert str(piece) in again.err.replace("\n", "")
    made = {name for name, made in folders(out).items() if made != before.get(name)}
    assert made == {plan.stage_folder(stage).name, plan.stage_folder("features").name, shard.name}
    assert read(out) == undisturbed


@pytest.mark.parametrize("damage", KINDS)
@pytest.mark.parametrize("file", ["demo-town.gpkg", "run.json", "layers/segments.parquet"])
def test_a_damaged_run_is_not_taken_for_one_that_is_finished(whole, damage, file):
    path = whole.run_folder / file
    content = path.read_bytes()
    try:
        damage(path)
        assert finished_before(whole) is None
    finally:
        path.write_bytes(content)
    assert finished_before(whole) is not None


@pytest.fixture(scope="module")
def whole(shared, quick, town):
    """The plan of a copy of the run."""
    return make_plan(town.city, OVERRIDES, shared.copy(quick))


def test_what_an_analyst_did_in_the_folder_of_a_run_is_kept_when_the_run_is_laid_out_again(
    undisturbed, town, call, out
):
    run = (out / "demo-town" / "latest").resolve()
    (run / "notes.txt").write_text("seen on site")
    unchanged = call("run", town.city, "--out", out, *QUICK, "--json")
    assert all(row["cached"] for row in unchanged.summary["stages"])
    assert (run / "notes.txt").exists()
    with closing(sqlite3.connect(run / "demo-town.gpkg")) as connection, connection:
        connection.execute("UPDATE layer_styles SET description = 'mine'")
    mine = (run / "demo-town.gpkg").read_bytes()
    again = call("run", town.city, "--out", out, *QUICK)
    assert again.code == 0
    assert f"{run.name}-kept-1" in again.err.replace("\n", "")
    assert read(out) == undisturbed
    kept = run.with_name(f"{run.name}-kept-1")
    assert (kept / "demo-town.gpkg").read_bytes() == mine
    assert (kept / "notes.txt").read_text() == "seen on site"


def test_a_file_that_is_open_for_writing_is_refused_before_anything_is_run(town, call, out):
    file = (out / "demo-town" / "latest").resolve() / "demo-town.gpkg"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE layer_styles SET description = 'mine'")
        connection.commit()
        assert file.with_name(f"{file.name}-wal").exists()
        before = file.read_bytes()
        refused = call("run", town.city, "--out", out, *QUICK)
        assert file.read_bytes() == before
    assert refused.code == 2
    assert "the file is open in another program" in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.parametrize("damage", KINDS)
def test_what_is_remembered_of_inputs_is_not_believed_when_damaged(undisturbed, town, call, out, damage):
    damage(out / "demo-town" / "stages" / "digests.json")
    again = call("run", town.city, "--out", out, *QUICK, "--json")
    assert again.code == 0
    assert all(row["cached"] for row in again.summary["stages"])
    assert read(out) == undisturbed


def test_a_changed_input_is_seen_whatever_its_time_says(town, tmp_path):
    shutil.copytree(town.folder, tmp_path / "town")
    city, records = tmp_path / "town" / "city.yaml", tmp_path / "town" / "collisions.csv"
    before = make_plan(city, OVERRIDES, tmp_path / "runs")
    times = records.stat()
    flip(records)
    os.utime(records, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = make_plan(city, OVERRIDES, tmp_path / "runs")
    assert after.keys["roads"] == before.keys["roads"]
    assert after.keys["collisions"] != before.keys["collisions"]


@pytest.mark.parametrize("years", [-20, 20])
def test_a_clock_that_jumps_redoes_nothing(undisturbed, unpublished, town, call, years):
    jump = years * 365 * 86400
    for path in unpublished.rglob("*"):
        times = path.lstat()
        os.utime(path, (times.st_atime + jump, times.st_mtime + jump), follow_symlinks=False)
    before = folders(unpublished)
    again = call("run", town.city, "--out", unpublished, *QUICK, "--json")
    assert again.code == 0
    assert all(row["cached"] for row in again.summary["stages"])
    assert folders(unpublished) == before
    assert read(unpublished) == undisturbed
    assert len(again.summary["stages"]) == len(STAGES)


@pytest.fixture(scope="module")
def own(shared, town):
    """The town in a folder of its own, whose files may be changed and are put back, and a run of it."""
    place, runs = shared.copy(town.folder), shared.new("own")
    assert main(["run", str(place / "city.yaml"), "--out", str(runs), *QUICK]) == 0
    return place, runs


def without(plan, *stages):
    """Take stages away, and the run."""
    for folder in (*map(plan.stage_folder, stages), plan.run_folder):
        shutil.rmtree(folder)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_work_made_of_an_input_that_changed_meanwhile_is_not_taken_for_that_of_the_right_one(
    shared, own, call, monkeypatch
):
    folder, out = own[0], shared.copy(own[1])
    records, stage = folder / "collisions.csv", STAGE_BY_NAME["collisions"]
    whole = records.read_bytes()
    plan = make_plan(folder / "city.yaml", OVERRIDES, out)
    expected = contents(plan.stage_folder("collisions"))
    without(plan, "collisions")

    @wraps(stage.build)
    def too_late(plan, work):
        records.write_text("".join(whole.decode().splitlines(keepends=True)[:300]))
        return stage.build(plan, work)

    monkeypatch.setitem(STAGE_BY_NAME, "collisions", replace(stage, build=too_late))
    refused = call("run", folder / "city.yaml", "--out", out, *QUICK)
    assert refused.code == 2
    assert "changed" in refused.err
    assert not plan.stage_folder("collisions").exists()
    monkeypatch.undo()
    records.write_bytes(whole)
    assert call("run", folder / "city.yaml", "--out", out, *QUICK).code == 0
    assert contents(plan.stage_folder("collisions")) == expected


def test_a_shard_made_of_a_raster_that_changed_meanwhile_is_not_kept(shared, own, call, monkeypatch):
    folder, out = own[0], shared.copy(own[1])
    reading = encode.embed_parts
    kept = {path: path.read_bytes() for path in sorted((folder / "imagery").glob("*.tif"))}
    plan = make_plan(folder / "city.yaml", OVERRIDES, out)
    expected = contents(plan.stages / "shards")
    without(plan, "features")
    shutil.rmtree(plan.stages / "shards")

    def too_late(*arguments, **settings):
        one, other = list(kept)[:2]
        # as large as before, and a raster all the same
        one.write_bytes(kept[one][:-200] + bytes(200))
        other.write_bytes(kept[one])
        return reading(*arguments, **settings)

    monkeypatch.setattr(encode, "embed_parts", too_late)
    refused = call("run", folder / "city.yaml", "--out", out, *QUICK)
    assert refused.code == 2
    assert "changed" in refused.err
    assert not list((plan.stages / "shards").glob("*.json")), "a shard without an account is not taken"
    monkeypatch.undo()
    for path, content in kept.items():
        path.write_bytes(content)
    assert call("run", folder / "city.yaml", "--out", out, *QUICK).code == 0
    assert contents(plan.stages / "shards") == expected
