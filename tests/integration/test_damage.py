"""A damaged piece of finished work is found by its digest, told of in one line, and made again; nothing else is."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import wraps

import pytest

from tasks.planning import make_plan
from tasks.stages.order import STAGES

QUICK = ("--set", "encoder.name=bands", "--set", "clusters.k=4")
OVERRIDES = {"encoder.name": "bands", "clusters.k": "4"}


def flip(path):
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def empty(path):
    path.write_bytes(b"")


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def remove(path):
    path.unlink()


KINDS = (flip, empty, truncate, remove)


@pytest.fixture(scope="module")
def undisturbed(town, tmp_path_factory):
    """A town that was run once with a quick encoder: its folder of results, and all bytes of the run."""
    from flows.cli import main

    out = tmp_path_factory.mktemp("undisturbed")
    assert main(["run", str(town.city), "--out", str(out), *QUICK]) == 0
    return out, read(out)


def read(out):
    latest = out / "demo-town" / "latest"
    files = (path for path in latest.rglob("*") if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(latest)): path.read_bytes() for path in files}


@pytest.fixture
def copy(undisturbed, tmp_path):
    """A copy of the results, as deep as they were, without the run itself, so that its stages are asked for."""
    shutil.copytree(undisturbed[0], tmp_path, symlinks=True, dirs_exist_ok=True)
    shutil.rmtree((tmp_path / "demo-town" / "latest").resolve())
    return tmp_path


def folders(out):
    """Times of making of the stages and shards that are there."""
    stages = out / "demo-town" / "stages"
    pieces = [path for path in stages.iterdir() if path.is_dir() and path.name != "shards"]
    return {path.name: path.stat().st_ino for path in [*pieces, *(stages / "shards").glob("*.parquet")]}


@pytest.mark.parametrize("damage", KINDS)
@pytest.mark.parametrize(
    ("stage", "file"),
    [("roads", "segments.parquet"), ("tiles", "summary.json"), ("package", "demo-town.gpkg")],
)
def test_a_damaged_stage_is_made_again_alone(undisturbed, copy, town, call, damage, stage, file):
    folder = make_plan(town.city, OVERRIDES, copy).stage_folder(stage)
    before = folders(copy)
    damage(folder / file)
    again = call("run", town.city, "--out", copy, *QUICK)
    assert again.code == 0
    assert again.err.count("made again") == 1
    assert str(folder) in again.err.replace("\n", "")
    assert {name for name, made in folders(copy).items() if made != before.get(name)} == {folder.name}
    assert read(copy) == undisturbed[1]


@pytest.mark.parametrize("damage", KINDS)
@pytest.mark.parametrize("suffix", [".parquet", ".json"])
def test_a_damaged_shard_is_encoded_again_alone(undisturbed, copy, town, call, damage, suffix):
    before = folders(copy)
    shard = max((copy / "demo-town" / "stages" / "shards").glob("*.parquet"))
    damage(shard.with_suffix(suffix))
    again = call("run", town.city, "--out", copy, *QUICK)
    assert again.code == 0
    # a shard without an account is one that was never finished
    assert again.err.count("made again") == (0 if damage is remove and suffix == ".json" else 1)
    features = make_plan(town.city, OVERRIDES, copy).stage_folder("features").name
    made = {name for name, made in folders(copy).items() if made != before.get(name)}
    assert made - {features} == {shard.name}
    assert read(copy) == undisturbed[1]


@pytest.mark.parametrize("damage", KINDS)
@pytest.mark.parametrize("file", ["demo-town.gpkg", "run.json", "layers/segments.parquet"])
def test_a_damaged_run_is_laid_out_again(undisturbed, town, call, tmp_path, damage, file):
    out = tmp_path
    shutil.copytree(undisturbed[0], out, symlinks=True, dirs_exist_ok=True)
    before = folders(out)
    damage(out / "demo-town" / "latest" / file)
    again = call("run", town.city, "--out", out, *QUICK)
    assert again.code == 0
    assert again.err.count("made again") == 1
    assert folders(out) == before
    assert read(out) == undisturbed[1]


def test_what_an_analyst_did_in_the_folder_of_a_run_is_kept_when_the_run_is_laid_out_again(
    undisturbed, town, call, tmp_path
):
    shutil.copytree(undisturbed[0], tmp_path, symlinks=True, dirs_exist_ok=True)
    run = (tmp_path / "demo-town" / "latest").resolve()
    (run / "notes.txt").write_text("seen on site")
    unchanged = call("run", town.city, "--out", tmp_path, *QUICK, "--json")
    assert all(row["cached"] for row in unchanged.summary["stages"])
    assert (run / "notes.txt").exists()
    with closing(sqlite3.connect(run / "demo-town.gpkg")) as connection, connection:
        connection.execute("UPDATE layer_styles SET description = 'mine'")
    mine = (run / "demo-town.gpkg").read_bytes()
    again = call("run", town.city, "--out", tmp_path, *QUICK)
    assert again.code == 0
    assert f"{run.name}-kept-1" in again.err.replace("\n", "")
    assert read(tmp_path) == undisturbed[1]
    kept = run.with_name(f"{run.name}-kept-1")
    assert (kept / "demo-town.gpkg").read_bytes() == mine
    assert (kept / "notes.txt").read_text() == "seen on site"


def test_a_file_that_is_open_for_writing_is_refused_before_anything_is_run(undisturbed, town, call, tmp_path):
    shutil.copytree(undisturbed[0], tmp_path, symlinks=True, dirs_exist_ok=True)
    file = (tmp_path / "demo-town" / "latest").resolve() / "demo-town.gpkg"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE layer_styles SET description = 'mine'")
        connection.commit()
        assert file.with_name(f"{file.name}-wal").exists()
        before = file.read_bytes()
        refused = call("run", town.city, "--out", tmp_path, *QUICK)
        assert file.read_bytes() == before
    assert refused.code == 2
    assert "the file is open in another program" in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.parametrize("damage", KINDS)
def test_what_is_remembered_of_inputs_is_not_believed_when_damaged(undisturbed, town, call, tmp_path, damage):
    out = tmp_path
    shutil.copytree(undisturbed[0], out, symlinks=True, dirs_exist_ok=True)
    damage(out / "demo-town" / "stages" / "digests.json")
    again = call("run", town.city, "--out", out, *QUICK, "--json")
    assert again.code == 0
    assert all(row["cached"] for row in again.summary["stages"])
    assert read(out) == undisturbed[1]


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
def test_a_clock_that_jumps_redoes_nothing(undisturbed, copy, town, call, years):
    jump = years * 365 * 86400
    for path in copy.rglob("*"):
        times = path.lstat()
        os.utime(path, (times.st_atime + jump, times.st_mtime + jump), follow_symlinks=False)
    before = folders(copy)
    again = call("run", town.city, "--out", copy, *QUICK, "--json")
    assert again.code == 0
    assert all(row["cached"] for row in again.summary["stages"])
    assert folders(copy) == before
    assert read(copy) == undisturbed[1]
    assert len(again.summary["stages"]) == len(STAGES)


@pytest.fixture
def own(town, tmp_path):
    """The town in a folder of its own, whose files may be changed."""
    shutil.copytree(town.folder, tmp_path / "town")
    return tmp_path / "town"


def test_work_made_of_an_input_that_changed_meanwhile_is_not_taken_for_that_of_the_right_one(
    undisturbed, own, call, tmp_path, monkeypatch
):
    from flows.city import STAGE_BY_NAME

    records, stage = own / "collisions.csv", STAGE_BY_NAME["collisions"]
    whole = records.read_bytes()

    @wraps(stage.build)
    def too_late(plan, folder):
        records.write_text("".join(whole.decode().splitlines(keepends=True)[:300]))
        return stage.build(plan, folder)

    monkeypatch.setitem(STAGE_BY_NAME, "collisions", replace(stage, build=too_late))
    refused = call("run", own / "city.yaml", "--out", tmp_path / "runs", *QUICK)
    assert refused.code == 2
    assert "changed" in refused.err
    monkeypatch.undo()
    records.write_bytes(whole)
    assert call("run", own / "city.yaml", "--out", tmp_path / "runs", *QUICK).code == 0
    assert read(tmp_path / "runs")["demo-town.gpkg"] == undisturbed[1]["demo-town.gpkg"]


def test_a_shard_made_of_a_raster_that_changed_meanwhile_is_not_kept(
    undisturbed, own, call, tmp_path, monkeypatch
):
    from tasks import encode

    reading = encode.embed_parts
    kept = {path: path.read_bytes() for path in sorted((own / "imagery").glob("*.tif"))}

    def too_late(*arguments, **settings):
        one, other = list(kept)[:2]
        # as large as before, and a raster all the same
        one.write_bytes(kept[one][:-200] + bytes(200))
        other.write_bytes(kept[one])
        return reading(*arguments, **settings)

    monkeypatch.setattr(encode, "embed_parts", too_late)
    refused = call("run", own / "city.yaml", "--out", tmp_path / "runs", *QUICK)
    assert refused.code == 2
    assert "changed" in refused.err
    monkeypatch.undo()
    for path, content in kept.items():
        path.write_bytes(content)
    assert call("run", own / "city.yaml", "--out", tmp_path / "runs", *QUICK).code == 0
    assert read(tmp_path / "runs")["demo-town.gpkg"] == undisturbed[1]["demo-town.gpkg"]
