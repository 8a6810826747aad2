"""Of a database counts what its readers see, whether it lies in the file or in the log beside it."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from databases import Holder, let_go, without_triggers, write_roads
from hypothesis import given
from hypothesis import strategies as st
from rasters import CITY

from geo.sources.digest import digest_content, digest_source
from tasks.store.digests import FileDigests


@pytest.fixture(autouse=True)
def _closed():
    yield
    let_go()


@pytest.fixture
def roads(tmp_path):
    return write_roads(tmp_path / "city")


def names(path):
    return pyogrio.read_dataframe(path)["name"].to_list()


def test_an_edit_counts_once_wherever_it_lies(roads):
    """In the log while QGIS holds the file, in the file when QGIS has let go of it and of the log."""
    before = digest_source(str(roads))
    qgis = Holder(roads)
    assert digest_source(str(roads)) == before, "opened only"
    qgis.run("BEGIN", "DELETE FROM roads WHERE name = 'a'")
    assert digest_source(str(roads)) == before, "not yet committed"
    qgis.run("COMMIT")
    assert names(roads) == ["b", "c", "d"]
    edited = digest_source(str(roads))
    assert edited != before
    qgis.run("PRAGMA wal_checkpoint(PASSIVE)")
    assert digest_source(str(roads)) == edited
    qgis.let_go()
    assert not Path(f"{roads}-wal").exists()
    assert digest_source(str(roads)) == edited
    with closing(sqlite3.connect(roads)) as again:
        again.execute("PRAGMA journal_mode=DELETE").fetchall()
    assert digest_source(str(roads)) == edited


def test_a_log_that_a_crash_has_left_counts_and_stays(roads):
    before = digest_source(str(roads))
    qgis = Holder(roads, "DELETE FROM roads WHERE name = 'a'")
    edited = digest_source(str(roads))
    qgis.crash()
    content = roads.read_bytes(), Path(f"{roads}-wal").read_bytes()
    assert digest_source(str(roads)) == edited != before
    assert (roads.read_bytes(), Path(f"{roads}-wal").read_bytes()) == content
    assert names(roads) == ["b", "c", "d"]
    assert not Path(f"{roads}-wal").exists(), "GDAL, reading, has brought it into the file"
    assert digest_source(str(roads)) == edited


def test_a_program_that_only_opens_a_database_changes_nothing(roads):
    before = digest_source(str(roads))
    for mode in ("WAL", "DELETE"):
        with closing(sqlite3.connect(roads)) as connection:
            connection.execute(f"PRAGMA journal_mode={mode}").fetchall()
            assert digest_source(str(roads)) == before
        assert digest_source(str(roads)) == before


def test_a_backup_that_is_taken_back_is_not_what_was_edited(roads, tmp_path):
    """Else work on the edit, while it lay in the log, would be taken for work on the backup for good."""
    memory = tmp_path / "digests.json"
    qgis = Holder(roads)
    shutil.copy(roads, tmp_path / "saved.gpkg")
    qgis.run("DELETE FROM roads WHERE name = 'a'")
    during = FileDigests(memory)
    edited = during.of(str(roads))
    during.save()
    let_go()
    shutil.copy(tmp_path / "saved.gpkg", roads)
    assert names(roads) == ["a", "b", "c", "d"]
    assert FileDigests(memory).of(str(roads)) != edited


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "drop", "change", "undo", "checkpoint", "grow"]), st.integers(0, 30)
        ),
        max_size=12,
    )
)
def test_a_database_is_digested_as_its_readers_see_it(changes):
    """Two states have one digest where, and only where, their readers see the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA page_size=512")
            connection.execute("CREATE TABLE t (n INTEGER, text TEXT)")
            connection.commit()
            for setting in ("journal_mode=WAL", "wal_autocheckpoint=0", "cache_size=1"):
                connection.execute(f"PRAGMA {setting}").fetchall()
            for what, n in changes:
                _change(connection, what, n)
                moved = Path(folder) / "moved.sqlite"
                with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
                    moved.write_bytes(reader.serialize())
                assert digest_content(path) == digest_content(moved)
                moved.unlink()
            last = digest_content(path)
        assert digest_content(path) == last


def _change(connection, what, n):
    if what == "checkpoint":
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        return
    statement = {
        "drop": "DELETE FROM t WHERE n = ?",
        "change": "UPDATE t SET text = text || 'x' WHERE n <= ?",
        "grow": "INSERT INTO t VALUES (?, printf('%900c', 'x'))",
    }.get(what, "INSERT INTO t VALUES (?, 'short')")
    connection.execute(statement, (n,))
    if what == "undo":
        connection.rollback()
    else:
        connection.commit()


def test_a_change_that_a_crash_has_left_half_done_is_no_finished_one(roads):
    """A journal that must be rolled back makes another input; what a journal's mode leaves behind does not."""
    with closing(sqlite3.connect(roads)) as connection:
        # no free pages: these are not rolled back
        connection.execute("VACUUM")
    before = digest_source(str(roads))
    crash = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA cache_size=1');"
        "c.execute('BEGIN'); c.execute('CREATE TABLE big (t TEXT)');"
        "c.executemany('INSERT INTO big VALUES (?)', [('x' * 5000,)] * 500); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", crash, roads], check=True)
    journal = Path(f"{roads}-journal")
    assert journal.stat().st_size
    half = digest_source(str(roads))
    assert half != before
    with closing(sqlite3.connect(roads)) as connection:
        connection.execute("SELECT count(*) FROM roads").fetchall()
    assert not journal.exists()
    assert digest_source(str(roads)) == before
    journal.write_bytes(bytes(512))
    assert digest_source(str(roads)) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a user who may not write, and the right to become one")
def test_a_log_that_a_driver_cannot_read_is_not_taken_for_read():
    """Where `-shm` may not be made, GDAL reads the file alone: the edit in the log is not what the work is of."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roads.gpkg"
        lines = [shapely.LineString([(i, 0), (i, 10)]) for i in range(4)]
        pyogrio.write_dataframe(gpd.GeoDataFrame({"name": list("abcd")}, geometry=lines, crs=CITY), path)
        without_triggers(path)
        Holder(path, "DELETE FROM roads WHERE name = 'a'")
        copy = Path(folder) / "closed" / "roads.gpkg"
        copy.parent.mkdir()
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{copy}{end}")
        edited = digest_source(str(path))
        Path(folder).chmod(0o755)
        copy.parent.chmod(0o555)
        look = (
            "import os, sys, warnings, pyogrio; from geo.sources.digest import digest_source;"
            "warnings.simplefilter('ignore'); os.setuid(65534);"
            "print(digest_source(sys.argv[1]), len(pyogrio.read_dataframe(sys.argv[1])))"
        )
        run = subprocess.run([sys.executable, "-c", look, copy], check=True, capture_output=True, text=True)
        closed, rows = run.stdout.split()
        assert int(rows) == 4
        assert closed != edited
