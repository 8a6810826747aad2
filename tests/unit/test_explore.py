"""The page of a run: who may ask, and what is told."""

import pytest
from made_run import make_run
from pages import ORIGIN, PORT, TOKEN, page_of


@pytest.fixture
def folder(grid_city, tmp_path):
    return make_run(grid_city, tmp_path / "grid")


@pytest.fixture
def asked(folder, tmp_path):
    return page_of(folder, tmp_path / "kept")


def test_the_page_says_which_run_it_shows(asked):
    about = asked.get("about.json").json()
    assert about["city"] == "grid"
    assert about["counts"]["segments"] == 40
    west, south, east, north = about["bounds"]
    assert -2 < west < east < -1
    assert 52 < south < north < 53


@pytest.mark.parametrize(
    "address",
    [
        f"{ORIGIN}/about.json",
        f"{ORIGIN}/",
        f"{ORIGIN}/{TOKEN}x/about.json",
        f"{ORIGIN}/{TOKEN}",
        f"{ORIGIN}/é/",
    ],
)
def test_who_does_not_know_the_address_learns_nothing(asked, address):
    answer = asked.get(address)
    assert answer.status_code == 404
    assert "grid" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": f"evil.example:{PORT}"},
        {"host": "127.0.0.1"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"https://127.0.0.1:{PORT}"},
    ],
)
def test_no_other_host_and_no_other_origin_is_answered(asked, headers):
    answer = asked.get("about.json", headers=headers)
    assert answer.status_code in {403, 421}
    assert "grid" not in answer.text
    assert "access-control-allow-origin" not in answer.headers


def test_every_answer_says_what_a_browser_is_to_keep_to(asked):
    for address in ("about.json", "", "nothing", f"{ORIGIN}/"):
        headers = asked.get(address).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_page_for_reading_writes_nothing(asked):
    for address in ("said.json", "types/1.json", "undo.json", "concepts.json", "about.json"):
        answer = asked.post(address, json={})
        assert answer.status_code == 403
        assert "--edit" in answer.json()["todo"]


def test_a_run_that_is_replaced_meanwhile_is_told(asked, folder):
    assert asked.get("changed.json").json() == {"changed": False}
    (folder / "run.json").write_text("{}")
    assert asked.get("changed.json").json() == {"changed": True}
    assert asked.get("about.json").status_code == 400
