"""Classes of ground: what a piece tells, what is found in it, and that a classifier is kept as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from geo.config import CityConfig
from geo.config.sections.ground import Ground
from geo.errors import ConfigurationError, LayerError, SourceError
from geo.ground.contract import Piece, Surroundings
from geo.ground.file import read_classifier, write_classifier
from geo.ground.registry import way_of
from geo.ground.unsupervised.settings import Unsupervised

NOTHING: Surroundings = None  # type: ignore[assignment]


def striped(seed: int = 0) -> Piece:
    """A piece whose western half is of another kind of ground than its eastern one, with a gap in the north."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 0.02, (16, 16, 6)).astype(np.float32)
    features[:, :8, 0] += 1
    features[:, 8:, 1] += 1
    valid = np.ones((32, 32), dtype=bool)
    valid[:5] = False
    return Piece("0_0", features, np.zeros((3, 32, 32), np.uint8), valid, 100.0, 232.0, 2.0, 1.0)


def test_a_piece_lies_where_its_corner_and_its_cells_say() -> None:
    assert striped().bounds == (100.0, 200.0, 132.0, 232.0)


def test_a_place_is_known_when_half_of_it_has_data() -> None:
    """Five rows of pixels are missing: two and a half of cells of two."""
    piece = striped()
    assert piece.known()[:, 0].tolist() == [False] * 2 + [True] * 14
    assert piece.known(2)[:, 0].tolist() == [False] * 5 + [True] * 27


def test_two_kinds_of_ground_are_told_apart_without_labels() -> None:
    learned = Unsupervised(clusters=4, classes=2).learn([striped(0), striped(1)], NOTHING)
    assert learned.classifier is not None
    classes, scores = learned.classifier.classify(striped(2))
    west, east = classes[4:, :6], classes[4:, 10:]
    assert len(set(west.ravel())) == len(set(east.ravel())) == 1
    assert west[0, 0] != east[0, 0]
    assert not classes[:2].any()
    assert scores.shape == classes.shape


def test_a_classifier_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    found = Unsupervised(clusters=4, classes=2).learn([striped()], NOTHING).classifier
    assert found is not None
    write_classifier(tmp_path / "one", found)
    again = read_classifier(tmp_path / "one")
    write_classifier(tmp_path / "two", again)
    assert again.classes == found.classes
    assert (again.classify(striped(3))[0] == found.classify(striped(3))[0]).all()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", [b"", b"no tensors at all", b"\x80\x04]\x94."])
def test_a_file_that_is_no_classifier_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(SourceError, match="no classifier of ground"):
        read_classifier(tmp_path / "model")


def test_ground_without_imagery_gives_no_classes() -> None:
    with pytest.raises(LayerError, match="0 cells beside roads have imagery"):
        Unsupervised().learn([], NOTHING)


def test_a_way_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match="Take one of none, unsupervised"):
        way_of(Ground(method="magic"))


def city(**ground: object) -> dict[str, object]:
    return {"city": "x", "imagery": {"sources": ["a.tif"]}, "roads": {"source": "r.gpkg"}, **ground}


def test_the_ground_is_not_mapped_unless_it_is_asked_for() -> None:
    assert not CityConfig.model_validate(city()).ground.maps


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        ("unsupervised", "unsupervised"),
        ({"method": "unsupervised", "classes": 5}, "unsupervised"),
        ({"labels": "labels.gpkg"}, "labels"),
        ({"tags": "tags.csv"}, "tags"),
        ({"reach_m": 20}, "none"),
    ],
)
def test_the_method_is_a_bare_word_or_follows_from_the_key_that_is_there(told: object, tag: str) -> None:
    assert CityConfig.model_validate(city(ground=told)).ground.method == tag


def test_a_key_of_another_method_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        CityConfig.model_validate(city(ground={"method": "none", "classes": 5}))


def test_ground_without_imagery_is_refused() -> None:
    told = city(
        ground="unsupervised", encoder={"name": "raster", "product": "alphaearth", "sources": ["e.tif"]}
    )
    with pytest.raises(ValidationError, match="ground maps imagery"):
        CityConfig.model_validate(told | {"imagery": None})
