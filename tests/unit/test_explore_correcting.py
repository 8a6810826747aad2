"""Correcting in the page: what is said is written, taken back, and never lost; what cannot hold is refused in words."""

import json
import multiprocessing
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_run import make_run
from pages import page_of
from starlette.requests import Request

from geo.clusters.hands.corrections import read_corrections
from geo.outputs.names import read_names
from tasks.ending.beside import keep_names
from tasks.explore.correcting.corrected import Corrected
from tasks.explore.correcting.said import Speaker, Word
from tasks.explore.correcting.said import say as say_words
from tasks.explore.opening import open_page
from tasks.store.lock import one_writer

ADA = {"by": "ada", "page": "page-0001"}
BOB = {"by": "bob", "page": "page-0002"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where the run lies that tests copy; who needs it first makes it."""
    return tmp_path_factory.mktemp("made") / "grid"


@pytest.fixture
def folder(made, tmp_path, request):
    """The folder of a city with a run of it: segment i is of type 1 + i mod 3, every tenth of none."""
    if not made.exists():
        make_run(request.getfixturevalue("grid_city"), made)
    return shutil.copytree(made, tmp_path / "grid", symlinks=True)


@pytest.fixture
def asked(folder, tmp_path):
    return page_of(folder / "latest", tmp_path / "kept", edit=True)


def say(asked, segment, says, value, who=ADA, **more):
    return asked.post(
        "said.json", json={**who, "words": [{"segment": segment, "says": says, "value": value}], **more}
    )


def type_of(answer, number):
    return next(one for one in answer.json()["types"] if one["type"] == number)


def call(asked, number, who=ADA, **told):
    seen = told.pop("seen", None) or type_of(asked.get("said.json"), number)["seen"]
    return asked.post(f"types/{number}.json", json={**who, "seen": seen, **told})


def undo(asked, who=ADA):
    last = asked.get(f"said.json?by={who['by']}").json()["undo"]
    return asked.post("undo.json", json={**who, "name": last["name"] if last else "none"})


def test_a_word_is_written_as_the_next_run_reads_it(asked, folder):
    answer = say(asked, 4, "is not", 2)
    assert answer.status_code == 200
    (word,) = read_corrections(folder / "corrections.csv")
    assert (word.says, word.type, word.by, word.collisions_in_view) == ("is not", 2, "ada", False)
    assert word.at is not None
    assert -2 < word.longitude < -1
    (told,) = answer.json()["said"]
    assert (told["segment"], told["state"]) == (4, "waits")
    assert answer.json()["next"]["words"] == 1


def test_two_segments_are_alike_by_their_ids(asked, folder):
    assert say(asked, 1, "unlike", 4).status_code == 200
    (word,) = read_corrections(folder / "corrections.csv")
    assert (word.segment_id, word.value) == (f"{1:016x}", f"{4:016x}")


def test_a_type_is_called_coloured_and_merged_and_parted_again(asked, folder):
    assert call(asked, 3, name="Lanes", color="#123456", note="few").status_code == 200
    assert call(asked, 3, merged_into=1).status_code == 200
    line = read_names(folder / "clusters.csv")[3]
    assert (line.name, line.colour, line.note, line.merged_into) == ("Lanes", "#123456", "few", 1)
    assert asked.get("said.json").json()["next"]["merged"] == [3]
    assert call(asked, 3, merged_into=None).status_code == 200
    line = read_names(folder / "clusters.csv")[3]
    assert (line.name, line.merged_into) == ("Lanes", None)


def test_a_type_is_made_of_examples_under_a_number_that_nothing_had(asked, folder):
    answer = asked.post("types.json", json={**ADA, "segments": [1, 4, 4, 8], "name": "Quays"})
    assert answer.status_code == 200
    assert answer.json()["next"]["made"] == [4]
    assert read_names(folder / "clusters.csv")[4].name == "Quays"
    assert [(one.says, one.type) for one in read_corrections(folder / "corrections.csv")] == [("is", 4)] * 3
    assert undo(asked).status_code == 200
    assert read_corrections(folder / "corrections.csv") == ()
    # its number is not given again: what somebody wrote of it elsewhere would be of another type
    assert asked.post("types.json", json={**ADA, "segments": [1]}).json()["next"]["made"] == [5]


@pytest.mark.parametrize(
    ("segment", "says", "value", "why"),
    [
        (1, "is", 9, "there is no type 9"),
        (9, "is", 1, "no imagery shows it"),
        (1, "like", 9, "no imagery shows it"),
        (1, "like", 1, "names one segment twice"),
    ],
)
def test_what_cannot_hold_is_refused_in_words_before_it_is_written(segment, says, value, why, asked, folder):
    answer = say(asked, segment, says, value)
    assert answer.status_code == 400
    assert why in answer.json()["what"]
    assert not (folder / "corrections.csv").exists()


@pytest.mark.parametrize(
    ("before", "word"),
    [
        ([(1, "like", 4)], (1, "unlike", 4)),
        ([(1, "like", 4), (4, "like", 7)], (1, "unlike", 7)),
        ([(1, "is", 1), (4, "is", 2)], (1, "like", 4)),
        ([(1, "is", 3)], (1, "is not", 3)),
    ],
)
def test_a_contradiction_is_refused_with_what_stands_unless_it_is_said_instead(before, word, asked, folder):
    for one in before:
        assert say(asked, *one).status_code == 200
    refused = say(asked, *word)
    assert refused.status_code == 409
    assert "ada" in refused.json()["what"]
    assert len(refused.json()["stands"]["said"]) == len(before)
    assert len(read_corrections(folder / "corrections.csv")) == len(before)
    assert say(asked, *word, instead=True).status_code == 200
    assert len(read_corrections(folder / "corrections.csv")) == len(before) + 1


def test_a_change_of_ones_own_mind_is_taken_and_of_anothers_is_asked(asked):
    assert say(asked, 1, "is", 1).status_code == 200
    assert say(asked, 1, "is", 3).status_code == 200
    assert say(asked, 1, "is", 2, who=BOB).status_code == 409
    assert [one["state"] for one in asked.get("said.json").json()["said"]] == ["waits", "does not hold"]


def test_merges_in_a_ring_into_itself_and_into_nothing_are_refused(asked, folder):
    assert call(asked, 3, merged_into=1).status_code == 200
    before = (folder / "clusters.csv").read_bytes()
    for number, into, why in ((1, 3, "already"), (2, 2, "itself"), (2, 77, "no type 77")):
        answer = call(asked, number, merged_into=into)
        assert answer.status_code == 400
        assert why in answer.json()["what"]
    assert (folder / "clusters.csv").read_bytes() == before


def test_a_merge_that_words_of_segments_speak_against_is_refused(asked):
    say(asked, 1, "is not", 1)
    say(asked, 1, "is", 2)
    answer = call(asked, 2, merged_into=1)
    assert answer.status_code == 409
    assert "ada" in answer.json()["what"]


@pytest.mark.parametrize(
    "told", [{"name": "=1+1"}, {"name": "a" * 81}, {"name": "two\nlines"}, {"color": "red"}]
)
def test_words_that_a_spreadsheet_would_run_or_that_are_none_are_refused(told, asked, folder):
    assert call(asked, 1, **told).status_code == 400
    assert say(asked, 1, "is", 1, who={**ADA, "by": "@SUM(A1)"}).status_code == 400
    assert not (folder / "corrections.csv").exists()


@pytest.mark.parametrize("number", ["0", "-1", "10001", "9" * 5000])
def test_no_type_has_such_a_number(number, asked, folder):
    answer = asked.post(f"types/{number}.json", json={**ADA, "seen": "", "name": "Terraces"})
    assert answer.status_code == 422
    assert answer.json()["what"].startswith("what was asked is not as expected: ")
    assert not (folder / "clusters.csv").exists()


def test_one_takes_back_ones_own_last_word_also_after_a_restart(asked, folder, tmp_path):
    say(asked, 1, "is", 1)
    first = (folder / "corrections.csv").read_bytes()
    say(asked, 4, "is", 1)
    say(asked, 7, "is", 1, who=BOB)
    again = page_of(folder / "latest", tmp_path / "kept", edit=True)
    assert undo(again).status_code == 200
    assert [one.by for one in read_corrections(folder / "corrections.csv")] == ["ada", "bob"]
    assert undo(again, who=BOB).status_code == 200
    assert (folder / "corrections.csv").read_bytes() == first
    assert undo(again).status_code == 200
    assert undo(again).status_code == 409


def test_what_somebody_has_changed_since_is_not_taken_back(asked, folder):
    call(asked, 1, name="Lanes")
    call(asked, 1, name="Alleys", who=BOB)
    refused = undo(asked)
    assert refused.status_code == 409
    assert "Alleys" in refused.json()["what"]
    say(asked, 1, "is", 1)
    file = folder / "corrections.csv"
    file.write_text(file.read_text().replace(",is,1,", ",is,3,"))
    refused = undo(asked)
    assert refused.status_code == 409
    assert "is a type 3" in refused.json()["what"]
    assert read_names(folder / "clusters.csv")[1].name == "Alleys"


def test_a_type_that_another_page_changed_meanwhile_is_told_and_stands(asked, folder):
    seen = type_of(asked.get("said.json"), 2)["seen"]
    assert call(asked, 2, name="Lanes", seen=seen).status_code == 200
    late = call(asked, 2, who=BOB, name="Streets", seen=seen)
    assert late.status_code == 409
    assert "Lanes" in late.json()["what"]
    assert type_of_stands(late, 2)["name"] == "Lanes"
    assert read_names(folder / "clusters.csv")[2].name == "Lanes"


def type_of_stands(answer, number):
    return next(one for one in answer.json()["stands"]["types"] if one["type"] == number)


def test_tables_that_were_edited_by_hand_keep_every_byte(asked, folder):
    by_hand = b'remark;Says;value;segment_id\n"a; b";is not;1;%016x\nM\xfcller;is;2;%016x' % (4, 7)
    (folder / "corrections.csv").write_bytes(by_hand)
    assert say(asked, 1, "is", 1).status_code == 200
    now = (folder / "corrections.csv").read_bytes()
    head, rest = by_hand.split(b"\n", 1)
    assert now.startswith(head + b";")
    assert rest in now
    assert len(read_corrections(folder / "corrections.csv")) == 3
    names = b"note;cluster;mine;name\r\n;2;x;\r\nold;1;y;Stra\xdfe\r\n"
    (folder / "clusters.csv").write_bytes(names)
    assert call(asked, 2, name="Lanes").status_code == 200
    assert (folder / "clusters.csv").read_bytes() == names.replace(b";2;x;", b";2;x;Lanes")


@pytest.mark.parametrize(
    "content", ["segment_id,says,value\nab,resembles,3\n", 'segment_id,says,value\nab,is,1,"open\n']
)
def test_a_table_that_cannot_be_read_or_added_to_is_refused_and_left(content, asked, folder):
    (folder / "corrections.csv").write_text(content)
    answer = say(asked, 1, "is", 1)
    assert answer.status_code == 400
    assert "corrections.csv" in answer.json()["where"]
    assert (folder / "corrections.csv").read_text() == content


def test_words_that_another_program_wrote_over_are_missed_and_can_be_said_again(asked, folder):
    say(asked, 1, "is", 1)
    stale = (folder / "corrections.csv").read_bytes()
    say(asked, 4, "is", 1)
    # a GIS that had the table open saves it as it was
    (folder / "corrections.csv").write_bytes(stale)
    told = asked.get("said.json").json()["said"]
    gone = [one for one in told if one["state"] == "gone"]
    assert [one["segment"] for one in gone] == [4]
    answer = asked.post("again.json", json={**BOB, "name": gone[0]["name"]})
    assert answer.status_code == 200
    assert [one.by for one in read_corrections(folder / "corrections.csv")] == ["ada", "bob"]


def test_collisions_in_view_are_marked_by_what_the_page_says_and_by_what_it_was_shown(asked, folder):
    say(asked, 1, "is", 1)
    say(asked, 4, "is", 1, collisions=True)
    asked.app._app.state.outcome.need(Request({"type": "http", "query_string": b"collisions=page-0001"}))
    say(asked, 7, "is", 1)
    say(asked, 10, "is", 1, who=BOB)
    call(asked, 3, merged_into=1)
    seen = [one.collisions_in_view for one in read_corrections(folder / "corrections.csv")]
    assert seen == [False, True, True, False]
    assert "collisions_in_view" in (folder / "clusters.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert (read_names(folder / "clusters.csv")[3].model_extra or {})["collisions_in_view"] == "yes"


def say_all(folder, kept, rows, who):
    corrected = Corrected(open_page(folder / "latest", edit=True, kept=kept))
    for row in rows:
        say_words(corrected, [Word(row, "is", 1 + row % 3)], Speaker(who, in_view=False))


def test_two_processes_that_write_at_once_lose_nothing(folder, tmp_path):
    rows = {"ada": [0, 2, 4, 6, 8, 10], "bob": [1, 3, 5, 7, 11, 13]}
    processes = multiprocessing.get_context("fork")
    both = [
        processes.Process(target=say_all, args=(folder, tmp_path, some, who)) for who, some in rows.items()
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(120)
    assert [one.exitcode for one in both] == [0, 0]
    said = read_corrections(folder / "corrections.csv")
    assert sorted((one.by, int(one.segment_id, 16)) for one in said) == [
        (who, row) for who, some in rows.items() for row in some
    ]
    assert len((folder / ".said.jsonl").read_text().splitlines()) == len(said)


def test_a_table_that_is_held_is_told_as_such(asked, folder, monkeypatch):
    monkeypatch.setattr("tasks.store.lock.WORDS_S", 0.1)
    with one_writer(folder):
        answer = say(asked, 1, "is", 1)
    assert answer.status_code == 409
    assert "writing" in answer.json()["what"]


def test_a_run_leaves_a_table_that_is_being_written_to_the_next_one(folder, monkeypatch, caplog):
    monkeypatch.setattr("tasks.store.lock.WORDS_S", 0.1)
    with one_writer(folder):
        keep_names(SimpleNamespace(folder=folder), folder / "latest")
    assert "left to the next run" in caplog.text
    assert not (folder / "clusters.csv").exists()


def test_a_run_that_is_not_the_newest_is_not_corrected(asked, folder):
    (folder / "latest").unlink()
    (folder / "latest").symlink_to("ffffffffffff")
    assert "newer run" in asked.get("said.json").json()["why_not"]
    assert say(asked, 1, "is", 1).status_code == 400
    assert not (folder / "corrections.csv").exists()


def test_types_of_a_typology_and_a_geopackage_alone_are_not_corrected(asked, folder, tmp_path):
    asked.page.run.configuration = {"clusters": {"typology": "types.safetensors"}}
    assert "typology" in asked.get("said.json").json()["why_not"]
    assert say(asked, 1, "is", 1).status_code == 400
    alone = Path(shutil.copy(folder / "latest" / "grid.gpkg", tmp_path))
    moved = page_of(alone, tmp_path / "kept", edit=True)
    assert "no city's folder" in moved.get("said.json").json()["why_not"]
    assert say(moved, 1, "is", 1).status_code == 400
    assert not (tmp_path / "corrections.csv").exists()


def test_a_line_of_the_log_that_a_crash_cut_off_does_no_harm(asked, folder):
    say(asked, 1, "is", 1)
    with (folder / ".said.jsonl").open("a") as file:
        file.write('{"name": "half')
    say(asked, 4, "is", 1)
    assert undo(asked).status_code == 200
    assert undo(asked).status_code == 200
    assert read_corrections(folder / "corrections.csv") == ()


def test_the_page_is_told_what_stands_only_when_it_has_changed(asked):
    version = asked.get("said.json").json()["version"]
    assert asked.get(f"said.json?version={version}").json() == {"version": version, "same": True}
    say(asked, 1, "is", 1)
    assert json.dumps(asked.get(f"said.json?version={version}").json()).count("ada")


def test_a_page_for_reading_has_no_words(folder, tmp_path):
    reading = page_of(folder / "latest", tmp_path / "kept")
    assert reading.get("said.json").status_code == 404
    assert say(reading, 1, "is", 1).status_code == 403
