"""Which city's file is meant by a name or a folder, and a word where several may be."""

import shutil
from pathlib import Path

import pytest
import yaml
from made_run import RUN_ID, make_run

from flows.cli import main
from geo.errors import ConfigurationError
from tasks.city_files import file_meant, results_meant, runs_meant
from tasks.store.summary import SUMMARY, RunSummary


def write(path, city):
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = {"city": city, "imagery": {"sources": ["a.tif"]}, "roads": {"source": "a.gpkg"}}
    path.write_text(yaml.safe_dump(keys, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def made(make_grid, tmp_path_factory):
    run = make_run(make_grid(), tmp_path_factory.mktemp("called") / "grid")
    told = RunSummary.read(run / SUMMARY)
    told.model_copy(update={"base": "../../../inputs"}).write(run / SUMMARY)
    return run.parent


@pytest.fixture
def runs(here, made):
    """Runs of the city grid, whose file lies in the folder inputs."""
    shutil.copytree(made, here / "runs" / "grid", symlinks=True)
    return here / "runs" / "grid"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("leeds.yaml", ("leeds.yaml", "leeds", ".")),
        ("first.yml", ("leeds", "first")),
        ("data/cities/leeds.yaml", ("leeds", "data/cities", "data/cities/leeds")),
        ("inputs/city.yaml", ("inputs", "inputs/city")),
    ],
)
def test_a_city_is_called_by_its_name_its_file_or_a_folder(here, file, words):
    write(here / file, "leeds")
    for word in words:
        assert file_meant(Path(word)).resolve() == here / file


def test_a_city_is_called_by_the_name_that_its_folder_of_runs_has(here):
    write(here / "first.yaml", "São Paulo / Mitte")
    assert file_meant(Path("Sao-Paulo-Mitte")) == Path("first.yaml")


def test_a_file_is_found_by_where_the_paths_of_the_newest_run_start(here, runs):
    file = write(here / "inputs" / "first.yaml", "grid")
    write(here / "inputs" / "other.yaml", "york")
    for word in ("grid", "runs/grid", "runs/grid/latest", f"runs/grid/{RUN_ID}"):
        assert file_meant(Path(word)).resolve() == file
        assert runs_meant(Path(word), {}) == ("grid", runs.resolve())
        # what was run is gone on with there, wherever the file would have it
        assert results_meant(Path(word)) == here / "runs"
    (here / "grid.yaml").write_bytes(file.read_bytes())
    assert results_meant(Path("grid")) is None


def test_of_two_files_none_is_taken(here):
    write(here / "leeds.yaml", "leeds")
    write(here / "old.yaml", "leeds")
    with pytest.raises(ConfigurationError, match=r"several cities' files: leeds\.yaml, old\.yaml"):
        file_meant(Path("leeds"))
    with pytest.raises(ConfigurationError, match="Give the one that is meant"):
        file_meant(Path())
    assert file_meant(Path("old.yaml")) == Path("old.yaml")


def test_a_folder_of_inputs_called_as_its_city_stands_for_the_file_beside_it(here):
    (here / "Leeds").mkdir()
    (here / "Leeds" / "compose.yaml").write_text("services: {}")
    write(here / "Leeds.yaml", "Leeds")
    assert file_meant(Path("Leeds")) == Path("Leeds.yaml")


def test_a_name_that_nothing_is_called_by_is_told_with_the_one_that_is_like_it(here):
    write(here / "leeds.yaml", "leeds")
    with pytest.raises(ConfigurationError, match="did you mean leeds"):
        file_meant(Path("leds"))
    with pytest.raises(ConfigurationError, match="holds no city's file"):
        file_meant((here / "empty").mkdir() or here / "empty")


def test_how_a_city_stands_is_told_without_its_file_where_its_runs_lie(runs, capsys):
    assert main(["status", "grid"]) == 0
    assert capsys.readouterr().out.startswith("grid: 1 run, ")
    assert main(["status", str(runs), "-q"]) == 0
    assert capsys.readouterr().out == f"{runs / RUN_ID / 'grid.gpkg'}\n"
    assert main(["clean", "grid", "--older-than", "90d", "--yes"]) == 0
    assert main(["status", "grid", "--set", "tiles.tile_m=80"]) == 2
    assert "Give the city's file" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "run", "sensitivity"])
def test_what_a_name_stands_for_is_told_and_taken(here, command, capsys):
    write(here / "leeds.yaml", "leeds")
    assert main([command, "leeds"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("leeds: its file is leeds.yaml\n")
    # the inputs that it names are not there
    assert "a.gpkg" in err
    assert main([command, "leeds", "-q"]) == 2
    assert "its file" not in capsys.readouterr().err


def test_a_city_that_was_not_run_is_opened_by_running_it(here, capsys):
    write(here / "leeds.yaml", "leeds")
    assert main(["open", "leeds"]) == 2
    assert "has not been run" in (err := capsys.readouterr().err)
    assert "roadprint run leeds.yaml" in err
