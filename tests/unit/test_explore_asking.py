"""A page asks its run: by rows, by pictures, by concepts; and what it may not ask is told in words."""

import base64
import io
import json
import shutil
from urllib.parse import unquote

import numpy as np
import pytest
from made_run import make_run
from pages import page_of
from PIL import Image

from geo.errors import EncoderError
from geo.search.concepts import concept_file
from geo.search.example import Example
from tasks.explore.asking import dropped
from tasks.results.finding import Question


@pytest.fixture(scope="module")
def made(make_grid, tmp_path_factory):
    """Make a run and its page once, for tests that change nothing."""
    folder = tmp_path_factory.mktemp("city")
    make_run(make_grid(), folder / "grid")
    return folder


@pytest.fixture(scope="module")
def asked(made):
    return page_of(made / "grid", made / "kept")


@pytest.fixture(scope="module")
def correcting(made):
    return page_of(made / "grid", made / "kept", edit=True)


@pytest.fixture
def folder(grid_city, tmp_path):
    return make_run(grid_city, tmp_path / "grid")


@pytest.fixture
def editing(folder, tmp_path):
    return page_of(folder, tmp_path / "kept", edit=True)


def test_answers_are_those_of_find(asked):
    run = asked.page.run
    ids = asked.page.segments["segment_id"]
    told = asked.post(
        "ask.json", json={"like": [0, 3], "unlike": [1], "classes": ["residential"], "shown": 7}
    ).json()
    found = run.find(like=[ids[0], ids[3]], unlike=[ids[1]], road_class=["residential"], top=7)
    assert [ids[one["segment"]] for one in told["answers"]] == found["segment_id"].tolist()
    for name in ("rank", "likeness", "cosine", "why", "rank_of_all", "of_all"):
        assert [one[name] for one in told["answers"]] == pytest.approx(found[name].tolist()), name
    assert [(one["segment"], one["meant"]) for one in told["examples"]] == [(0, True), (3, True), (1, False)]
    for one in told["answers"]:
        assert told["examples"][one["why_of"]]["label"] == one["why"]


def picture(kind="PNG", mode="RGB", side=200, **how):
    """Draw a picture of noise as base64."""
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    held = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(held, kind, **how)
    return base64.b64encode(held.getvalue()).decode()


class Eight:
    """An encoder that gives eight numbers, and counts what it was given."""

    def __init__(self):
        self.seen = 0

    def encode(self, pixels, valid):  # noqa: ARG002
        self.seen += len(pixels)
        return np.eye(8, dtype=np.float32)[:1]


@pytest.fixture
def encoder(monkeypatch):
    found = Eight()
    monkeypatch.setattr(dropped, "encoder_of", lambda run, tile_m: found)  # noqa: ARG005
    return found


def test_a_picture_is_encoded_once_and_asked_with_again_by_its_key(asked, encoder):
    sent = {"name": "junction.png", "data": picture(), "pixel_m": 0.25}
    first = asked.post("ask.json", json={"pictures": [sent]}).json()
    (example,) = first["examples"]
    assert (example["label"], example["segment"]) == ("junction.png", None)
    again = asked.post(
        "ask.json", json={"pictures": [{"key": example["picture"], "name": "junction.png"}]}
    ).json()
    assert again["answers"] == first["answers"]
    assert asked.post("ask.json", json={"pictures": [sent]}).json()["answers"] == first["answers"]
    assert encoder.seen == 1
    at_hand = Example("junction.png", np.eye(8, dtype=np.float32)[0])
    found = asked.page.run.asked(Question(yes=[at_hand]), top=len(first["answers"])).answers
    assert [one["likeness"] for one in first["answers"]] == pytest.approx(found["likeness"].tolist())
    both = asked.post("ask.json", json={"like": [0], "pictures": [sent | {"meant": False}]}).json()
    assert [one["meant"] for one in both["examples"]] == [True, False]


BAD_PICTURES = {
    "a document": ({"data": base64.b64encode(b"%PDF-1.4 ...").decode()}, "cannot be read as a picture"),
    "a page": ({"data": base64.b64encode(b"<html><body>").decode()}, "cannot be read as a picture"),
    "nothing": ({"data": ""}, "cannot be read as a picture"),
    "half of one": ({"data": picture()[: 4 * 9000]}, "cannot be read as a picture"),
    "half of a photograph": ({"data": picture("JPEG")[: 4 * 4000]}, "cannot be read as a picture"),
    "grey": ({"data": picture(mode="L")}, "1 band of uint8"),
    "a film": (
        {"data": picture(save_all=True, append_images=[Image.new("RGB", (200, 200))])},
        "holds 2 pictures",
    ),
    "one without its ground": ({"data": picture(), "pixel_m": None}, "does not say how much ground"),
    "one of little ground": ({"data": picture(), "pixel_m": 0.05}, "shows 10 x 10 m, and a tile 100 m"),
    "one of too much ground": ({"data": picture(), "pixel_m": 500}, "a pixel of it would show 500 m"),
    "no base64": ({"data": "?" * 40}, "did not arrive whole"),
    "one that was forgotten": ({"key": "0" * 16}, "not at hand any more"),
}


@pytest.mark.parametrize("which", BAD_PICTURES)
def test_what_is_no_picture_is_told_by_its_own_name(asked, encoder, which):
    sent, why = BAD_PICTURES[which]
    answer = asked.post("ask.json", json={"pictures": [{"name": "../of mine", "pixel_m": 0.25} | sent]})
    assert 400 <= answer.status_code < 500
    told = answer.json()
    assert why in told["what"]
    assert told["where"] == "../of mine"
    assert told["todo"]
    assert encoder.seen == 0


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({}, "nothing says what is meant"),
        ({"unlike": [3]}, "nothing says what is meant"),
        ({"like": [40]}, "no segment of the number 40"),
        ({"like": [9]}, "no fingerprint"),
        ({"like_tiles": [10**6]}, "no tile of the number"),
        ({"like": [0], "over": "tiles"}, "no fingerprints of single tiles"),
        ({"like_tiles": [0]}, "no fingerprint"),
        ({"at": [[13.4, 52.5]]}, "m away"),
        ({"at": [[0.0, 91.0]]}, "no place in degrees"),
        ({"concepts": ["../../etc/passwd"]}, "there is no concept"),
        ({"like": [0], "classes": ["motorway"]}, "'motorway'"),
        ({"like": [0], "bounds": [13, 52, 14, 53]}, "lies in it"),
        ({"like": [-1]}, "not as expected"),
        ({"like": ["0"]}, "not as expected"),
        ({"like": [0], "shown": 10**9}, "not as expected"),
        ({"like": [0], "over": "cities"}, "not as expected"),
        ({"like": [0], "bounds": [float("nan")] * 4}, "not as expected"),
        ({"love": [0]}, "not as expected"),
        ([], "not as expected"),
    ],
)
def test_what_cannot_be_asked_is_told_in_words(asked, wish, why):
    answer = asked.post("ask.json", content=json.dumps(wish), headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert why in answer.json()["what"]


def test_a_picture_that_the_runs_own_encoder_cannot_see_is_told_and_roads_are_asked_all_the_same(
    made, monkeypatch
):
    asked = page_of(made / "grid", made / "kept")

    def gone(*_):
        raise EncoderError("the encoder's weights are not there", where="grid", todo="Ask by a road.")

    monkeypatch.setattr(dropped, "encoder_of", gone)
    answer = asked.post("ask.json", json={"pictures": [{"data": picture(side=300), "pixel_m": 0.25}]})
    assert answer.json()["what"] == "the encoder's weights are not there"
    assert asked.post("ask.json", json={"like": [0]}).status_code == 200


def test_a_run_without_fingerprints_says_so(asked, folder):
    assert asked.get("askable.json").json()["can"]
    alone = folder.parent / "alone" / "grid.gpkg"
    alone.parent.mkdir()
    shutil.copy(folder / "grid.gpkg", alone)
    other = page_of(alone, folder.parent / "kept")
    told = other.get("askable.json").json()
    assert not told["can"]
    assert "fingerprints are not" in told["why_not"]
    answer = other.post("ask.json", json={"like": [0]})
    assert answer.status_code == 400
    assert "fingerprints are not" in answer.json()["what"]


def test_a_concept_is_kept_where_editing_is_allowed_and_finds_the_same_roads(editing, folder):
    wish = {"like": [0, 3], "unlike": [1]}
    answer = editing.post("concepts.json", json={"ask": wish, "name": "bad junction", "note": "see it"})
    assert answer.json() == {"file": "bad junction.json"}
    assert [file.name for file in (folder.parent / "concepts").iterdir()] == ["bad junction.json"]
    (listed,) = editing.get("concepts.json").json()["concepts"]
    assert (listed["name"], listed["note"], listed["examples"], listed["can"]) == (
        "bad junction",
        "see it",
        3,
        True,
    )
    asked_again = editing.post("ask.json", json={"concepts": ["bad junction"]}).json()
    assert {one["meant"] for one in asked_again["examples"]} == {True, False}
    taken = editing.post("concepts.json", json={"ask": wish, "name": "Bad Junction"})
    assert taken.status_code == 409
    assert "there is a concept called" in taken.json()["what"]
    again = {"ask": {"like": [5]}, "name": "Bad junction", "replace": True}
    assert editing.post("concepts.json", json=again).status_code == 200
    (listed,) = editing.get("concepts.json").json()["concepts"]
    assert listed["examples"] == 1


def test_a_page_for_reading_gives_the_concept_as_a_file(folder, editing):
    asked = page_of(folder, folder.parent / "kept")
    wish = {"ask": {"like": [0]}, "name": "bad junction"}
    assert asked.post("concepts.json", json=wish).status_code == 403
    answer = asked.post("concept", json=wish)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.json()["name"] == "bad junction"
    assert not (folder.parent / "concepts").exists()
    (folder.parent / "concepts").mkdir()
    other = answer.json() | {"made_by": {"emb:model": "another"}}
    (folder.parent / "concepts" / "other.json").write_text(json.dumps(other))
    (folder.parent / "concepts" / "broken.json").write_text("{")
    broken, unlike = editing.get("concepts.json").json()["concepts"]
    assert not broken["can"]
    assert "no concept" in broken["why_not"]
    assert not unlike["can"]
    assert "encoded otherwise" in unlike["why_not"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "../up",
        "a/b",
        "a\\b",
        "/etc/x",
        "CON",
        "nul.txt",
        "a\x00b",
        "a\nb",
        ".hidden",
        "x" * 10_000,
        "ä" * 81,
        "\ud800",
        "a:b",
    ],
)
def test_names_that_are_no_name_of_a_file_are_refused(correcting, made, name):
    before = sorted(made.rglob("*"))
    wish = json.dumps({"ask": {"like": [0]}, "name": name})
    for address in ("concepts.json", "concept"):
        answer = correcting.post(address, content=wish, headers={"content-type": "application/json"})
        assert 400 <= answer.status_code < 500
        assert "cannot be the name" in answer.json()["what"]
        assert len(answer.text) < 1000
    assert sorted(made.rglob("*")) == before


@pytest.mark.parametrize("name", ["bad junction", "Straße 🚲", "O'Hara", "v1.2", "St. John"])
def test_other_names_are_names(tmp_path, name):
    file = concept_file(tmp_path, name)
    file.touch()
    assert [one.stem for one in tmp_path.iterdir()] == [name]


def test_answers_are_exported(asked):
    for form, begin in (("gpkg", b"SQLite format 3"), ("geojson", b"{"), ("html", b"<!doctype html>")):
        answer = asked.post("export", json={"ask": {"like": [0], "shown": 3}, "form": form})
        assert answer.content[: len(begin)].lower() == begin.lower()
        assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''grid-answers.{form}"
    assert asked.post("export", json={"ask": {"like": [0]}, "form": "exe"}).status_code == 422


def test_answers_of_a_city_in_any_script_are_exported(asked, monkeypatch):
    monkeypatch.setitem(asked.page.run.facts, "city", 'Łódź "東京"\r\nset-cookie: a')
    answer = asked.post("export", json={"ask": {"like": [0], "shown": 3}, "form": "geojson"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    _, name = answer.headers["content-disposition"].split("utf-8''")
    assert unquote(name) == 'Łódź "東京"\r\nset-cookie: a-answers.geojson'


def test_a_request_that_cannot_be_read_is_told_as_such(asked):
    nested = asked.post("ask.json", content="[" * 100_000, headers={"content-type": "application/json"})
    assert nested.status_code == 400
    assert nested.json()["what"] == "the request cannot be read"


def test_few_and_many_collisions_are_not_told_apart_where_types_are_corrected_blind(correcting, asked):
    wish = {"like": [0], "collisions": "many"}
    assert asked.post("ask.json", json=wish).status_code == 200
    assert correcting.post("ask.json", json=wish).status_code == 403
    assert correcting.post("ask.json?collisions=page-0001", json=wish).status_code == 200


def test_an_export_tells_of_collisions_only_where_they_are_in_view(correcting):
    wish = {"ask": {"like": [0], "shown": 2}, "form": "geojson"}
    blind = correcting.post("export", json=wish).json()["features"][0]["properties"]
    seeing = correcting.post("export?collisions=page-0001", json=wish).json()["features"][0]["properties"]
    assert set(seeing) - set(blind) == {"n_collisions", "n_ksi", "ksi_per_km_year", "ksi_per_km_year_eb"}
    assert blind["rank"] == 1
