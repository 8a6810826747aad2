"""``roadprint open`` and ``name``: which run is meant, what is opened, and what a type is called from now on."""

import json
import shutil
import sys
from multiprocessing import get_context

import pytest
from made_run import make_run

from flows.cli import main
from flows.terminal import screen
from geo.clusters.hands.corrections import read_corrections
from geo.outputs.names import read_names
from tasks.explore.correcting import said
from tasks.store.lock import one_writer


@pytest.fixture(scope="module")
def made(make_grid, tmp_path_factory):
    run = make_run(make_grid(), tmp_path_factory.mktemp("named") / "grid")
    for name in ("report.html", "tables.xlsx"):
        (run / name).write_text("x")
    return run.parent


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    """A working folder with the runs of a city: segment i is of type 1 + i mod 3, every tenth of none."""
    shutil.copytree(made, tmp_path / "runs" / "grid", symlinks=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def opened(monkeypatch):
    """Commands that were started to open something."""
    commands = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(screen.sys, "platform", "linux")
    monkeypatch.setattr(screen.shutil, "which", lambda _: "/usr/bin/xdg-open")
    monkeypatch.setattr(screen, "_started", lambda words: commands.append(words) or True)
    return commands


def said_of(*words, capfd):
    code = main([*map(str, words)])
    told = capfd.readouterr()
    assert "Traceback" not in told.err
    return code, told.out, told.err


@pytest.mark.parametrize(
    ("what", "name"),
    [("report", "report.html"), ("tables", "tables.xlsx"), ("qgis", "grid.gpkg"), ("folder", "")],
)
def test_what_is_named_is_opened_by_its_whole_path(here, opened, capfd, what, name):
    code, out, err = said_of("open", "grid", "--what", what, capfd=capfd)
    path = (here / "runs" / "grid" / "latest").resolve() / name
    assert (code, out, err) == (0, f"{path}\n", "")
    assert opened == [["/usr/bin/xdg-open", str(path)]]


@pytest.mark.usefixtures("opened")
def test_the_project_beside_the_geopackage_comes_before_it(here, capfd):
    project = (here / "runs" / "grid" / "latest").resolve() / "overview.qgz"
    project.touch()
    assert said_of("open", "grid", "--what", "qgis", capfd=capfd)[1] == f"{project}\n"


def test_without_a_screen_the_path_is_printed_and_nothing_started(here, opened, capfd, monkeypatch):
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, out, err = said_of("open", here / "runs" / "grid", capfd=capfd)
    assert (code, opened) == (0, [])
    assert out.endswith("/report.html\n")
    assert "no screen" in err
    told = json.loads(said_of("open", "grid", "--json", capfd=capfd)[1])
    assert (told["opened"], told["city"]) == (False, "grid")


@pytest.mark.usefixtures("here", "opened")
def test_an_opener_that_fails_is_told(capfd, monkeypatch):
    monkeypatch.setattr(screen, "_started", lambda _: False)
    code, out, err = said_of("open", "grid", "--what", "tables", capfd=capfd)
    assert (code, out.endswith("/tables.xlsx\n")) == (0, True)
    assert "no program was found" in err


def test_what_a_system_would_run_is_never_opened(tmp_path, opened):
    for name in ("report.desktop", "report.sh", "report.exe", "report"):
        (tmp_path / name).touch()
        assert not screen.show(tmp_path / name)
    assert opened == []


def test_a_folder_called_like_a_program_is_shown_in_the_finder(tmp_path, opened, monkeypatch):
    monkeypatch.setattr(screen.sys, "platform", "darwin")
    (tmp_path / "evil.app").mkdir()
    assert screen.show(tmp_path / "evil.app")
    assert opened == [["open", "-a", "Finder", str(tmp_path / "evil.app")]]


def test_a_program_that_stays_has_opened_and_one_that_fails_has_not(monkeypatch):
    monkeypatch.setattr(screen, "OPENER_S", 0.2)
    assert screen._started([sys.executable, "-c", "import time; time.sleep(1)"])
    # a busy machine takes its time to start one
    monkeypatch.setattr(screen, "OPENER_S", 60)
    assert not screen._started([sys.executable, "-c", "raise SystemExit(3)"])
    assert not screen._started(["/nowhere/opener"])


@pytest.mark.usefixtures("opened")
def test_a_geopackage_alone_has_no_report_and_is_opened_itself(here, capfd):
    alone = here / "alone.gpkg"
    shutil.copy(here / "runs" / "grid" / "latest" / "grid.gpkg", alone)
    code, _, err = said_of("open", alone, capfd=capfd)
    assert code == 2
    assert "without the folder of its run" in err
    assert said_of("open", alone, "--what", "qgis", capfd=capfd)[1] == f"{alone}\n"


@pytest.mark.parametrize("command", [["open"], ["find", "--like", "0"], ["explore"], ["name"]])
@pytest.mark.usefixtures("here")
def test_a_city_that_is_not_there_is_told_with_the_one_that_is_like_it(capfd, command):
    code, out, err = said_of(*command, "girdd", capfd=capfd)
    assert (code, out) == (2, "")
    assert (
        "girdd: there is no such file or folder, and no run of a city of that name; did you mean grid?" in err
    )
    assert "runs has the runs of grid" in err


@pytest.mark.usefixtures("opened")
def test_a_city_is_looked_for_where_results_went(here, capfd):
    (here / "runs").rename(here / "elsewhere")
    assert said_of("open", "grid", capfd=capfd)[0] == 2
    assert said_of("open", "grid", "--out", "elsewhere", capfd=capfd)[0] == 0


def names_of(here):
    return read_names(here / "runs" / "grid" / "clusters.csv")


def test_a_type_is_called_so_and_is_found_by_that_name_afterwards(here, capfd):
    code, out, _ = said_of(
        "name", "grid", 3, " High street ", "--color", "117733", "--note", "few", capfd=capfd
    )
    assert code == 0
    line = names_of(here)[3]
    assert (line.name, line.colour, line.note) == ("High street", "#117733", "few")
    assert "name: none -> High street" in out
    assert "after the next run" in out
    # what is not said stays
    assert said_of("name", "grid", 3, "--note", "many", capfd=capfd)[0] == 0
    assert (names_of(here)[3].name, names_of(here)[3].note) == ("High street", "many")
    assert "nothing has changed" in said_of("name", "grid", 3, "High street", capfd=capfd)[1]
    out = json.loads(said_of("name", "grid", "--json", capfd=capfd)[1])
    assert [one["name"] for one in out["types"]] == ["", "", "High street"]
    assert said_of("name", "grid", 3, "--remove", capfd=capfd)[0] == 0
    assert not names_of(here)[3].edited
    assert read_corrections(here / "runs" / "grid" / "corrections.csv") == ()


@pytest.mark.usefixtures("here")
def test_a_name_that_another_type_has_is_told(capfd):
    said_of("name", "grid", 1, "Lanes", capfd=capfd)
    code, out, _ = said_of("name", "grid", 2, "Lanes", capfd=capfd)
    assert code == 0
    assert "type 1 is called 'Lanes', too" in out
    code, out, _ = said_of("name", "grid", 2, "--color", "cc6677", capfd=capfd)
    assert code == 0
    assert "type 1 is of that colour, too" in out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["9", "Lanes"], "grid has no type 9"),
        (["0", "Lanes"], "grid has no type 0"),
        (["2", "x" * 81], "at most 80"),
        (["2", "--note", "x" * 501], "at most 500"),
        (["2", "Lan\x1b[31mes"], "control characters"),
        (["2", "Lan\u202ees"], "control characters"),
        (["2", "two\nlines"], "line breaks"),
        (["2", "=1+1"], "formula"),
        (["2", "--color", "red"], "#RRGGBB"),
        (["2", "  "], "the name is empty"),
        (["2"], "nothing is said of type 2"),
        (["2", "Lanes", "--remove"], "at once"),
    ],
)
def test_what_a_type_cannot_be_called_is_refused_and_nothing_written(here, capfd, words, why):
    code, out, err = said_of("name", "grid", *words, capfd=capfd)
    assert (code, out) == (2, "")
    assert why in err
    assert not (here / "runs" / "grid" / "clusters.csv").exists()


def test_a_type_that_is_part_of_another_is_named_by_that_one(here, capfd):
    (here / "runs" / "grid" / "clusters.csv").write_text("cluster,name,merged_into\n1,,\n2,,1\n3,,2\n")
    code, _, err = said_of("name", "grid", 3, "Lanes", capfd=capfd)
    assert code == 2
    assert "type 3 is part of type 1" in err
    assert "Name type 1" in err


def test_a_run_that_a_newer_one_has_taken_the_place_of_is_not_named(here, capfd):
    grid = here / "runs" / "grid"
    old = (grid / "latest").resolve()
    newer = shutil.copytree(old, grid / "fedcba987654")
    (grid / "latest").unlink()
    (grid / "latest").symlink_to(newer.name)
    code, _, err = said_of("name", old, 1, "Lanes", capfd=capfd)
    assert code == 2
    assert "a newer run" in err


def _name(place, number, text):
    raise SystemExit(main(["name", str(place), str(number), text, "--quiet"]))


def test_names_that_are_given_at_once_are_all_kept(here):
    grid = here / "runs" / "grid"
    some = [get_context("fork").Process(target=_name, args=(grid, n, f"Kind {n}")) for n in (1, 2, 3)]
    for one in some:
        one.start()
    for one in some:
        one.join(120)
    assert [one.exitcode for one in some] == [0, 0, 0]
    assert {n: one.name for n, one in names_of(here).items()} == {1: "Kind 1", 2: "Kind 2", 3: "Kind 3"}


def test_who_is_beaten_to_it_is_told_what_stands_now(here, capfd, monkeypatch):
    real = said.version_of

    def late(line):
        # somebody else writes between the look and the word
        version = real(line)
        (here / "runs" / "grid" / "clusters.csv").write_text("cluster,name\n1,Quays\n2,\n3,\n")
        return version

    monkeypatch.setattr("tasks.explore.correcting.calling.version_of", late)
    code, _, err = said_of("name", "grid", 1, "Lanes", capfd=capfd)
    assert code == 2
    assert "somebody has changed type 1 meanwhile: it is called 'Quays'" in err
    assert names_of(here)[1].name == "Quays"


def test_a_folder_that_another_page_writes_to_is_waited_for_and_then_told(here, capfd, monkeypatch):
    monkeypatch.setattr("tasks.store.lock.WORDS_S", 0.1)
    with one_writer(here / "runs" / "grid"):
        code, _, err = said_of("name", "grid", 1, "Lanes", capfd=capfd)
    assert code == 2
    assert "another page or run is writing" in err
