"""Types get words: a bank of concepts names tiles, and says nothing where nothing can be told."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.proportion import proportion_confint

from geo.config import encoder_settings
from geo.errors import SourceError
from geo.outputs.names import legends_of
from geo.search.words.bank import COMPARED, MOST_APART, read_bank, write_bank
from geo.search.words.describing import told, words_of_types
from geo.search.words.scenes import fit_bank
from geo.sources.digest import digest_source

RNG = np.random.default_rng(0)
DIRECTIONS = RNG.normal(size=(3, 16))
TOLD = {
    "made_by": {},
    "scene_m": 80,
    "gsd": 0.5,
    "source": "",
    "licence": "",
    "right": {},
    "precision": {},
    "sure": 0,
    "sure_right": 0,
    "unknown_sure": 0,
}


def scenes(kinds, spread=0.3):
    """Embeddings of scenes of three kinds."""
    return (DIRECTIONS[kinds] + spread * RNG.normal(size=(len(kinds), 16))).astype(np.float32)


@pytest.fixture(scope="module")
def made():
    """A bank of three classes, one of which a road tile cannot be."""
    kinds = np.repeat(np.arange(3), 40)
    labels = np.array(["airplane", "forest", "harbor"], dtype=object)[kinds]
    return fit_bank([scenes(kinds), scenes(kinds)], labels, TOLD, {"forest": "forest", "harbor": "harbour"})


def test_tiles_are_named_by_their_class_and_not_by_what_a_road_cannot_be(made):
    kinds = np.tile([0, 1, 2], 20)
    words, sure = made.name(scenes(kinds))
    assert (words == np.array(["", "forest", "harbour"], dtype=object)[kinds]).mean() > 0.95
    assert ((sure >= 0) & (sure <= 1)).all()


def test_scenes_of_a_class_that_was_left_out_mostly_have_no_word():
    rng = np.random.default_rng(1)
    middles = rng.normal(size=(12, 24))
    kinds = np.repeat(np.arange(12), 25)
    points = (middles[kinds] + 0.3 * rng.normal(size=(300, 24))).astype(np.float32)
    labels = np.array([f"class {kind}" for kind in range(12)], dtype=object)[kinds]
    known = kinds > 0
    bank = fit_bank([points[known][::2]], labels[known][::2], TOLD, {name: name for name in set(labels)})
    words, _ = bank.name(points[known][1::2])
    assert (words == labels[known][1::2]).mean() > 0.9
    assert (bank.name(points[~known])[0] == "").mean() > 0.7


def test_no_tiles_have_no_words(made):
    words, sure = made.name(np.zeros((0, 16), dtype=np.float32))
    assert len(words) == len(sure) == 0


def test_probabilities_are_those_of_a_classifier_of_each_class_against_the_rest(made):
    points = scenes(np.tile([0, 1, 2], 5)).astype(float)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    centred = (points - made.mean) / np.linalg.norm(points - made.mean, axis=1, keepdims=True)
    model = LogisticRegression()
    for row in range(3):
        model.classes_ = np.array([0, 1])
        model.coef_, model.intercept_ = made.weights[row : row + 1], made.offsets[row : row + 1]
        expected = model.predict_proba(centred)[:, 1]
        assert made.probabilities(points.astype(np.float32))[:, row] == pytest.approx(expected, abs=1e-5)


def test_fingerprints_are_told_as_tiles_are_whatever_their_length(made):
    points = scenes(np.tile([0, 1, 2], 5))
    assert made.probabilities(points * 100) == pytest.approx(made.probabilities(points), abs=1e-5)


def test_the_words_of_the_bank_can_be_asked_for_by_other_names_and_in_part():
    bank = read_bank()
    asked = {
        text: sorted(one.word for one in bank.fit(text).words) for text in ("Car parks", "HARBOR", "tanks")
    }
    assert asked == {"Car parks": ["parking lot"], "HARBOR": ["harbour"], "tanks": ["storage tanks"]}
    together = bank.fit("residential")
    assert len(together.words) == 3
    some = RNG.normal(size=(5, len(bank.mean)))
    rows = [bank.card.words.index(one.word) for one in together.words]
    assert together.score(some) == pytest.approx(bank.probabilities(some)[:, rows].max(axis=1))
    assert bank.fit("park") is None, "a park is no car park"
    assert bank.fit("airplane") is bank.fit("") is None
    assert {one.source for one in bank.askable()} == {"bank"}
    assert all(0.5 < one.reliability <= 1 for one in bank.askable())


def test_a_bank_comes_back_as_it_was_written_in_the_same_bytes(made, tmp_path):
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    write_bank(one, made)
    write_bank(other, read_bank(one))
    assert one.read_bytes() == other.read_bytes()
    assert np.array_equal(read_bank(other).weights, made.weights)


@pytest.mark.parametrize("content", [b"", b"not a bank", b"\x10\x00\x00\x00\x00\x00\x00\x00{}              "])
def test_what_is_no_bank_is_refused(tmp_path, content):
    file = tmp_path / "bank.safetensors"
    file.write_bytes(content)
    with pytest.raises(SourceError, match="no bank of concepts"):
        read_bank(file)


def test_the_bank_in_the_package_knows_what_it_is_of():
    bank = read_bank()
    card = bank.card
    assert "dense residential" in card.words
    assert "public domain" in card.licence
    assert min(card.right.values()) > 0.85
    assert card.sure_right > max(card.right.values())
    assert card.unknown_sure < 0.31, "of scenes of classes that it lacks few have a word"
    assert card.sure > 0.84
    weights = ";".join(map(digest_source, encoder_settings(name="bundled").files()))
    like_it = card.made_by | {"emb:weights": weights, "emb:chip_layout.chip_size_m": 100.0, "gsd": 0.52}
    assert bank.why_not(like_it) == ""
    for key in COMPARED:
        assert "another encoder" in bank.why_not(like_it | {key: "other"})
    assert "scenes of 77 m" in bank.why_not(like_it | {"gsd": card.gsd * MOST_APART * 1.01})
    assert "scenes of 77 m" in bank.why_not(like_it | {"emb:chip_layout.chip_size_m": 300.0})
    assert bank.why_not({})


def tiles_of(words, blocks, cluster=1):
    return pd.DataFrame({"cluster": cluster, "word": words, "block": blocks})


def test_a_share_has_wilsons_interval_where_tiles_of_a_block_are_no_more_alike_than_others():
    tiles = tiles_of(["forest", "forest", "", ""] * 10, np.repeat(np.arange(10), 4))
    found = words_of_types(tiles).iloc[0]
    low, high = proportion_confint(20, 40, method="wilson")
    assert (found["share"], found["low"], found["high"]) == pytest.approx((0.5, low, high))


def test_tiles_that_are_alike_within_blocks_tell_as_much_as_the_blocks():
    tiles = tiles_of(["forest"] * 100 + [""] * 100, np.repeat(np.arange(20), 10))
    found = words_of_types(tiles).iloc[0]
    low, high = proportion_confint(9.5, 19, method="wilson")
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    alone = words_of_types(tiles_of(["forest"] * 30, np.zeros(30))).iloc[0]
    assert alone["low"] < 0.3, "one block is one look"


def test_of_a_type_that_fits_no_word_nothing_is_said():
    of_one = tiles_of(["forest"] * 6 + ["river"] * 1 + [""] * 3, range(10))
    of_other = tiles_of(["river"] * 2 + [""] * 8, range(10), 2)
    words = words_of_types(pd.concat([of_one, of_other]))
    assert words.groupby("cluster").size().to_dict() == {1: 2, 2: 1}
    assert told(words).to_dict() == {1: "forest 60 %, river 10 %"}
    assert told(words_of_types(tiles_of([], []))).empty


def test_the_analysts_name_stands_before_the_words():
    names, words = ["Type 1", "Lanes", "Type 3"], ["forest 60 %", "river 40 %", pd.NA]
    clusters = pd.DataFrame({"cluster": [1, 2, 3], "name": names, "colour": "#000000", "words": words})
    legends = legends_of(clusters).values()
    assert list(legends) == [
        "Type 1 (looks most like forest 60 %)",
        "Type 2: Lanes",
        "Type 3",
    ]
