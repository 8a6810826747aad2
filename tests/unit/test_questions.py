"""Questions to a run as people write them: one thing in place of a list, half the world, signs for a terminal."""

import json

import pytest
from made_run import make_run

import roadprint
from flows.cli import main
from geo.errors import ConfigurationError, LayerError, SourceError
from geo.search.concepts import concept_files
from tasks.results.finding import Question, askable

FIRST = "0000000000000000"
AT = (-1.8245, 52.3549)


@pytest.fixture(scope="module")
def folder(make_grid, tmp_path_factory):
    """A run of the grid whose types have the names that a run gives them."""
    grid = make_grid()
    grid.layers["clusters"]["name"] = [f"Type {number}" for number in grid.layers["clusters"]["cluster"]]
    grid.layers["clusters"]["colour"] = ["#CC6677", "#332288", "#DDCC77"]
    return make_run(grid, tmp_path_factory.mktemp("questions") / "grid")


@pytest.fixture(scope="module")
def run(folder):
    return roadprint.open(folder)


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ({"like": FIRST}, {"like": [FIRST]}),
        ({"at": AT}, {"at": [AT]}),
        ({"at": f"{AT[0]},{AT[1]}"}, {"at": [AT]}),
        ({"like": FIRST, "unlike": "0000000000000001"}, {"like": [FIRST], "unlike": ["0000000000000001"]}),
        ({"like": FIRST, "road_class": "residential"}, {"like": [FIRST], "road_class": ["residential"]}),
        ({"like": FIRST, "where": "length_m > 10"}, {"like": [FIRST], "where": ["length_m > 10"]}),
        ({"like": FIRST, "text": None}, {"like": [FIRST]}),
    ],
)
def test_one_thing_is_asked_for_as_a_list_of_one_is(run, one, several):
    found = run.find(**one, top=5)
    assert len(found) == 5
    assert found["segment_id"].tolist() == run.find(**several, top=5)["segment_id"].tolist()


def test_ids_of_a_table_are_asked_for_as_a_list_is(run):
    ids = run.segments["segment_id"].head(3)
    assert len(run.asked(Question(like=ids)).yes) == 3


@pytest.mark.parametrize("within", [(-180, -90, 180, 90), "-180,-90,180,90", (-10, 49, 3, 61)])
def test_a_box_of_half_the_world_holds_the_city(run, within):
    all_of_them = run.find(like=FIRST, top=40)["segment_id"].tolist()
    assert run.find(like=FIRST, top=40, within=within)["segment_id"].tolist() == all_of_them


def test_a_box_that_parts_the_city_holds_the_roads_on_its_side(run):
    middles = run.segments.set_index("segment_id").geometry.interpolate(0.5, normalized=True).to_crs(4326)
    found = run.find(like=FIRST, top=40, within=(-180, -90, AT[0] + 0.003, 90))["segment_id"]
    west = middles[middles.x < AT[0] + 0.003].index
    asked = set(run.find(like=FIRST, top=40)["segment_id"])
    assert set(found) == set(west) & asked
    assert 0 < len(found) < len(asked)


@pytest.mark.parametrize(
    ("asked", "kind", "why"),
    [
        ({"threshold": 80}, ConfigurationError, "no cosine is 80"),
        ({"threshold": float("nan")}, ConfigurationError, "no cosine is nan"),
        ({"within": "-inf,-inf,inf,inf"}, ConfigurationError, "is no box"),
        ({"within": "0,0,1e9,1"}, ConfigurationError, "is no box"),
        ({"within": (0, 0, 1e9, 1)}, ConfigurationError, "is no box"),
        ({"within": (100, 0, 120, 10)}, LayerError, "no road with a fingerprint lies in it"),
        ({"unlike": "nowhere.bmp"}, SourceError, "there is no such file"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(run, asked, kind, why):
    with pytest.raises(kind, match=why):
        run.find(like=FIRST, **asked)


@pytest.mark.parametrize("words", ["Type 2", "type 2 ", "name:type 2"])
def test_a_type_that_nobody_has_named_is_asked_for_by_its_number(run, words):
    found = run.asked(Question(text=words), top=12)
    assert [(one.word, one.source) for one in found.said[0].words] == [("Type 2", "name")]
    of = run.segments.set_index("segment_id")["cluster"].reindex(found.answers["segment_id"])
    assert (of == 2).all()
    for other in ("Type 99", "concept:Type 2"):
        with pytest.raises(LayerError, match="is called"):
            run.find(text=other)


def test_a_run_none_of_whose_roads_has_a_fingerprint_says_so(grid_city, tmp_path):
    grid_city.layers["segments"]["cluster"] = None
    run = roadprint.open(make_run(grid_city, tmp_path / "grid"))
    for ask in (lambda: run.find(like=FIRST), lambda: run.alike(FIRST), lambda: run.find(text="Type 1")):
        with pytest.raises(LayerError, match="no road has a fingerprint"):
            ask()


def test_after_the_last_answer_there_are_none(run):
    assert run.find(like=FIRST, skip=10**9).empty


def test_a_saved_search_that_is_broken_keeps_nobody_from_other_words(folder, run):
    concepts = folder.parent / "concepts"
    concepts.mkdir()
    run.find(like=FIRST, save="long terraces")
    (concepts / "bad junction.json").write_text("{")
    (concepts / "._long terraces.json").write_text("what a system keeps beside it")
    assert [file.name for file in concept_files(concepts)] == ["bad junction.json", "long terraces.json"]
    assert "long terraces" in {one.word for one in askable(run)}
    assert len(run.find(text="long terraces", top=3)) == 3
    with pytest.raises(SourceError, match=r"bad junction\.json: it is no concept"):
        run.find(text="bad junction")
    with pytest.raises(LayerError, match="is called 'zebra'"):
        run.find(text="zebra")


def test_signs_that_steer_a_terminal_are_written_out(grid_city, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    steering = "High\x1b[2J\u202eStreet\nof two lines"
    segments = grid_city.layers["segments"]
    segments["name"], segments["road_class"] = steering, steering
    run = make_run(grid_city, tmp_path / "grid")
    assert main(["find", str(run), "--like", FIRST]) == 0
    assert main(["find", str(run), "--like", FIRST, "--class", "street"]) == 2
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b" in text
    assert main(["find", str(run), "--like", FIRST, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["answers"][0]["name"] == steering


def test_a_search_is_saved_over_another_one_only_where_that_is_said(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = ["find", str(folder), "--top", "5", "--save"]
    assert main([*asked, "one.json", "--like", FIRST]) == 0
    first = (tmp_path / "one.json").read_bytes()
    # the same search again is no other one
    assert main([*asked, "one.json", "--like", FIRST]) == 0
    capsys.readouterr()
    other = [*asked, "ONE.json", "--like", "0000000000000001"]
    assert main(other) == 2
    assert capsys.readouterr().err == (
        "roadprint: --save: there is another one already, one.json\n"
        "  Give another name, or replace it: --replace, in Python run.asked(...).save(NAME, replace=True).\n"
    )
    assert (tmp_path / "one.json").read_bytes() == first
    assert main([*other, "--replace"]) == 0
    assert (tmp_path / "one.json").read_bytes() != first
    assert [file.name for file in tmp_path.iterdir()] == ["one.json"]
    assert main(["find", str(folder), "--like", FIRST, "--replace"]) == 2
    assert "--replace: nothing is saved" in capsys.readouterr().err
    (tmp_path / "two.json").mkdir()
    assert main([*asked, "two.json", "--like", FIRST]) == 2
