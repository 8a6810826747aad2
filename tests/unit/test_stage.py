"""A stage is finished whole or not at all, and is not done twice."""

import sys
from collections import defaultdict
from types import SimpleNamespace

import pytest
from damage import KINDS, remove

from geo.errors import SourceError
from geo.ledger import Entry, merge, to_frame, totals
from tasks.store.code import code_digest
from tasks.store.document import digest
from tasks.store.stage import Stage, account_of, read_account, unfinished, write_account
from tasks.store.stage import run_stage as run

NO_CODE = defaultdict(lambda: code_digest("a module that is not there"))


def run_stage(name, folder, key, build):
    """Run a stage that needs nothing of a plan but its place."""
    plan = SimpleNamespace(config=None, code=NO_CODE, stage_folder=lambda name: folder / f"{name}-{key}")
    return run(Stage(name, lambda _, work: build(work), ("roads",)), plan)


def test_a_finished_stage_is_not_run_again(tmp_path):
    runs = []

    def build(folder):
        runs.append(folder)
        (folder / "out").write_text("x")
        return [Entry("roads", "done", "", 3), Entry("roads", "rejected", "no geometry", 1)]

    first, second = (run_stage("roads", tmp_path, "k1", build) for _ in range(2))
    assert len(runs) == 1
    assert (first.cached, second.cached) == (False, True)
    assert first.entries == second.entries
    assert (second.folder / "out").read_text() == "x"


def test_another_key_is_another_stage(tmp_path):
    folders = {run_stage("roads", tmp_path, key, lambda _: []).folder for key in ("a", "b")}
    assert len(folders) == 2


def test_a_stage_that_fails_leaves_nothing(tmp_path):
    def build(folder):
        (folder / "half").write_text("x")
        raise ValueError("in the midst")

    with pytest.raises(ValueError, match="in the midst"):
        run_stage("roads", tmp_path, "k", build)
    assert list(tmp_path.iterdir()) == []


def test_unreadable_remains_are_made_again(tmp_path):
    stage = run_stage("roads", tmp_path, "k", lambda _: [Entry("roads", "done", "", 1)])
    (stage.folder / "summary.json").write_text("{")
    again = run_stage("roads", tmp_path, "k", lambda _: [Entry("roads", "done", "", 2)])
    assert not again.cached
    assert again.totals["done"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["roads-k"]


@pytest.mark.parametrize("damage", KINDS)
@pytest.mark.parametrize("file", ["table.parquet", "layers/table.parquet", "summary.json"])
def test_a_damaged_stage_is_told_once_and_made_again(tmp_path, caplog, damage, file):
    def build(folder):
        (folder / "layers").mkdir()
        for path in (folder, folder / "layers"):
            (path / "table.parquet").write_text("x" * 100)
        return [Entry("roads", "done", "", 1)]

    stage = run_stage("roads", tmp_path, "k", build)
    before = {path: path.read_bytes() for path in stage.folder.rglob("*.*")}
    damage(stage.folder / file)
    assert not run_stage("roads", tmp_path, "k", build).cached
    assert [str(stage.folder) in line for line in caplog.messages if "made again" in line] == [True]
    assert {path: path.read_bytes() for path in stage.folder.rglob("*.*")} == before
    assert run_stage("roads", tmp_path, "k", build).cached


@pytest.mark.parametrize("damage", KINDS)
@pytest.mark.parametrize("suffix", [".parquet", ".json"])
def test_a_damaged_shard_is_told_once_and_is_not_there_any_more(tmp_path, caplog, damage, suffix):
    table, account = (tmp_path / f"shard-0_0{one}" for one in (".parquet", ".json"))
    table.write_text("x" * 100)
    write_account(account, [Entry("tiles", "done", "", 3)], [table], {})
    assert read_account(account) == (Entry("tiles", "done", "", 3),)
    damage(table.with_suffix(suffix))
    assert [read_account(account), read_account(account)] == [None, None]
    # a shard without an account is one that was never finished
    told = 0 if damage is remove and suffix == ".json" else 1
    assert [line.count("made again") for line in caplog.messages] == [1] * told


def test_a_folder_appears_only_when_it_is_whole(tmp_path):
    with unfinished(tmp_path / "run") as work:
        (work / "a").write_text("x")
        assert not (tmp_path / "run").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_digest_depends_on_every_part_and_on_nothing_else():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest("ab", "c") != digest("a", "bc")


def test_the_account_of_a_stage_says_what_made_it(tmp_path):
    stage = run_stage("roads", tmp_path, "k", lambda _: [])
    told = account_of(stage.folder).made_with
    assert told["python"] == ".".join(map(str, sys.version_info[:2]))


def test_what_was_made_of_an_input_that_changed_meanwhile_is_not_kept(tmp_path):
    def changed():
        raise SourceError("it was changed", where="roads.gpkg", todo="Run again.")

    plan = SimpleNamespace(
        config=None, code=NO_CODE, stage_folder=lambda name: tmp_path / name, check_inputs=changed
    )
    reading = Stage("roads", lambda *_: [], ("roads",), inputs=lambda _: ["roads.gpkg"])
    with pytest.raises(SourceError, match="changed"):
        run(reading, plan)
    assert list(tmp_path.iterdir()) == []
    assert run(Stage("safety", lambda *_: [], ("segments",)), plan).folder.exists()


def test_entries_add_up():
    entries = [Entry("roads", "done", "", 2), Entry("roads", "done", "", 3), Entry("roads", "failed", "x", 1)]
    assert totals(entries) == {"done": 5, "skipped": 0, "rejected": 0, "failed": 1}
    assert merge(entries) == [Entry("roads", "done", "", 5), Entry("roads", "failed", "x", 1)]
    frame = to_frame({"roads": entries})
    assert frame["count"].sum() == 6
    assert frame.columns.tolist() == ["stage", "item", "status", "reason", "count"]
