"""What stages tell each other as JSON is read as it was written, or not at all."""

import json
from datetime import date
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.documents import NOTHING_RECORDED, Judged, Recorded
from tasks.store.document import Document


class Note(Document):
    sealed: ClassVar[bool] = True

    text: str
    numbers: list[float]


@given(st.text(), st.lists(st.floats(allow_nan=False)))
def test_a_document_is_read_as_it_was_written(tmp_path_factory, text, numbers):
    path = tmp_path_factory.mktemp("note") / "note.json"
    note = Note(text=text, numbers=numbers)
    try:
        note.write(path)
    except UnicodeEncodeError:
        # half of a surrogate pair is no text
        return
    assert Note.read(path) == note


def test_the_same_values_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        Note(text="ä", numbers=[1, 2.5]).write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_changed_byte_of_a_sealed_document_is_found(place, tmp_path):
    path = tmp_path / "note.json"
    Note(text="as it was", numbers=[1.5]).write(path)
    whole = bytearray(path.read_bytes())
    before = json.loads(whole)
    whole[place % len(whole)] ^= 1
    path.write_bytes(whole)
    try:
        same = json.loads(whole) == before
    except ValueError:
        same = False
    if same:
        # white space between values says nothing
        assert Note.read(path) == Note(text="as it was", numbers=[1.5])
    else:
        with pytest.raises(ValidationError):
            Note.read(path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"text": "x"}', b'{"seal": "0"}']
)
def test_whatever_else_lies_there_is_refused_in_one_way(content, tmp_path):
    (tmp_path / "note.json").write_bytes(content)
    with pytest.raises(ValidationError):
        Note.read(tmp_path / "note.json")
    with pytest.raises(FileNotFoundError):
        Note.read(tmp_path / "gone.json")


def test_days_and_what_is_not_defined_come_back(tmp_path):
    told = Recorded.model_validate(
        NOTHING_RECORDED.model_dump() | {"period": (date(2019, 1, 1), date(2023, 12, 31)), "years": 5.0}
    )
    told.write(tmp_path / "source.json")
    assert Recorded.read(tmp_path / "source.json").period == (date(2019, 1, 1), date(2023, 12, 31))
    nothing = Judged(
        effective_rank=float("nan"), spread=0.5, n=1, dimension=3, warnings=["few"], silhouette=None
    )
    nothing.write(tmp_path / "judged.json")
    again = Judged.read(tmp_path / "judged.json")
    assert again.effective_rank != again.effective_rank
    assert again.silhouette is None
