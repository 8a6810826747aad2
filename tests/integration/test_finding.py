"""A finished run is asked where else it looks like this, from Python and by the command line."""

import json

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

from flows.cli import main
from geo.errors import SourceError
from geo.search.words.bank import read_bank
from tasks.results import answers
from tasks.results.called import run_at
from tasks.results.finding import Question, askable
from tasks.results.opening import open_run


@pytest.fixture(scope="module")
def folder(finished):
    out, _ = finished
    return out / "demo-town"


@pytest.fixture(scope="module")
def run(folder):
    return open_run(folder)


@pytest.fixture(scope="module")
def segment(run):
    """Take a segment of the largest type."""
    typed = run.segments.dropna(subset=["cluster"])
    return str(typed.loc[typed["cluster"] == 1, "segment_id"].iloc[0])


def test_roads_that_look_like_a_segment_are_of_its_type(run, segment):
    found = run.find(like=[segment], top=10)
    assert (found["cluster"] == 1).mean() >= 0.8
    assert segment not in set(found["segment_id"])
    tiles = run.tiles.set_index("tile_id")
    shown = tiles.loc[found["tile_id"]]
    assert (shown["segment_id"].to_numpy() == found["segment_id"].to_numpy()).all()
    assert shown.geometry.centroid.x.tolist() == pytest.approx(found["x"].tolist())


def test_places_along_roads_that_look_like_a_tile(folder, run, segment, tmp_path, capsys):
    tiles = run.tiles.set_index("tile_id")
    tile = str(tiles.index[(tiles["segment_id"] == segment) & tiles["encoded"]][0])
    page = tmp_path / "a.html"
    words = ["--like", tile, "--over", "tiles", "--top", "6", "--where", "length_m > 50", "--json"]
    assert main(["find", str(folder), *words, "--out", str(page)]) == 0
    told = json.loads(capsys.readouterr().out)
    shown = [one["tile_id"] for one in told["answers"]]
    assert tiles.loc[shown, "segment_id"].tolist() == [one["segment_id"] for one in told["answers"]]
    assert told["unknown"] == {"length_m > 50": 0}
    own = tiles.geometry[tile]
    assert tiles.loc[shown].geometry.distance(own.centroid).min() > 0
    assert page.read_text().count("data:image/jpeg") == 6
    assert all(one in page.read_text() for one in shown)
    again = run.find(like=[tile], over="tiles", top=6, where=["length_m > 50"])
    assert again["tile_id"].tolist() == shown


def test_a_tile_of_the_run_given_as_a_picture_finds_its_own_road(run, segment, tmp_path):
    tiles = run.tiles
    own = tiles[(tiles["segment_id"] == segment) & tiles["encoded"]]
    picture = run.tile(str(own["tile_id"].iloc[0]), full=True)
    picture.save(tmp_path / "tile.png")
    side = float(own.geometry.area.iloc[0]) ** 0.5
    found = run.find(picture=[tmp_path / "tile.png"], pixel_m=side / picture.width, top=300, spread=1)
    place = found["cosine"].rank(ascending=False)[found["segment_id"] == segment].item()
    assert place <= 5


def test_a_saved_search_finds_the_same_roads_again(run, segment, tmp_path):
    first = run.find(like=[segment], top=10, save=str(tmp_path / "one.json"))
    again = run.find(concept=[tmp_path / "one.json"], top=300, spread=1)
    # what the example shows itself is an answer now, too
    assert {segment, *first["segment_id"]} <= set(again["segment_id"])
    assert again["cosine"].min() >= first["cosine"].min() - 1e-5


def test_an_example_at_hand_counts_as_the_segment_that_it_is_of(run, segment):
    named = run.asked(Question(like=[segment], unlike=[str(run.segments["segment_id"].iloc[0])]), top=10)
    at_hand = run.asked(Question(yes=named.yes, no=named.no), top=10)
    assert at_hand.answers.equals(named.answers)


def test_the_command_line_gives_answers_as_json_and_files(folder, segment, tmp_path, capsys):
    files = [tmp_path / f"answers.{ending}" for ending in ("gpkg", "geojson", "html")]
    out = [word for file in files for word in ("--out", str(file))]
    assert main(["find", str(folder), "--like", segment, "--top", "5", "--json", *out]) == 0
    told = json.loads(capsys.readouterr().out)["answers"]
    assert [one["rank"] for one in told] == [1, 2, 3, 4, 5]
    assert {"rank", "segment_id", "tile_id", "name", "likeness", "x", "y"} <= told[0].keys()
    laid = pyogrio.read_dataframe(files[0], layer="answers")
    assert laid["segment_id"].tolist() == [one["segment_id"] for one in told]
    styles = pyogrio.read_dataframe(files[0], layer="layer_styles")
    assert styles["f_table_name"].tolist() == ["answers"]
    assert gpd.read_file(files[1]).crs.to_epsg() == 4326
    page = files[2].read_text()
    assert page.count("data:image/jpeg") == 5
    assert main(["find", str(folder), "--like", segment, "--top", "5", "--json", "--out", str(files[0])]) == 0
    assert json.loads(capsys.readouterr().out)["answers"] == told


def test_words_of_the_bank_rank_roads_and_are_told_from_what_is_not_meant(run):
    asked = run.asked(Question(text=["bank:dense residential"]), top=5)
    fits = read_bank().fit("dense residential").score(np.stack(run.fingerprints["vector"].tolist()))
    best = run.fingerprints["segment_id"].iloc[fits.argmax()]
    assert asked.answers["segment_id"].iloc[0] == best
    assert asked.answers["likeness"].iloc[0] == pytest.approx(fits.max())
    assert [(one.word, one.source) for one in asked.said[0].words] == [("dense residential", "bank")]
    assert "dense residential" in {one.word for one in askable(run)}
    away = run.asked(Question(text=["medium residential"], unlike_text=["dense residential"]), top=5)
    meant = run.asked(Question(text=["medium residential"]), top=300).answers["segment_id"]
    not_meant = run.asked(Question(text=["dense residential"]), top=300).answers["segment_id"]
    assert set(meant) & set(not_meant)
    assert set(away.answers["segment_id"]) <= set(meant) - set(not_meant)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "nothing says what is meant"),
        (("--like", "nobody"), "there is no such segment or tile"),
        (("--at=-1.8,52.36", "--where", "lenght_m > 3"), "Nearest are: length_m"),
        (("--like", "nobody", "--skip=-1"), "cannot be skipped"),
        (("--at", "-71.1,42.37"), "away"),
        (("--at", "somewhere"), "is not of the form LON,LAT"),
        (("--text", "zebra"), "is called 'zebra'"),
        (("--text", "name:dense residential"), "is called 'name:dense residential'"),
        (("--text", "harbour"), "no road looks like harbour (bank)"),
        (("--concept", "nowhere.json"), "cannot be read"),
        (("--like", "nobody", "--top", "0"), "0 answers are asked for"),
        (("--like", "nobody", "--out", "a.pdf"), "none of the endings"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_message(folder, capsys, words, why):
    assert main(["find", str(folder), *words]) == 2
    said = capsys.readouterr()
    assert why in said.err
    assert said.err.count("roadprint: ") == 1
    assert "Traceback" not in said.err
    assert not said.out


def test_a_run_whose_imagery_is_gone_is_asked_all_the_same(run, segment, monkeypatch, tmp_path):
    def cut(*_):
        raise SourceError("it cannot be cut from the imagery", where="tile")

    monkeypatch.setattr(type(run), "tile", cut)
    answers.write(run.asked(Question(like=[segment]), top=3), tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text().count("the imagery is not there") == 3


def test_a_citys_folder_means_its_newest_run(folder):
    assert run_at(folder).folder == (folder / "latest").resolve()
