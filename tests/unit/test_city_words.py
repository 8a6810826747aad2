"""Words of a city's map are learned from what tiles look like, and those that nobody could see are not offered."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, Point, box
from sklearn.metrics import average_precision_score

from geo.config.sections.concepts import Concepts
from geo.errors import LayerError, SourceError
from geo.features.lengths import of_length_1
from geo.search.words.chance import DRAWS, Chance, average_precisions
from geo.search.words.describing import map_words_of_types, told_by_map
from geo.search.words.learned import learn_words, read_learned, write_learned
from geo.search.words.mapped import TileWords, chosen, words_of_map, words_of_roads

CRS = 32633
TILE_M = 100.0


@pytest.fixture(scope="module")
def places():
    """Tiles along streets of a lattice, every 70 m."""
    step = np.arange(0, 2100, 70.0)
    return np.array([(x, y) for x in step for y in step if x % 350 == 0 or y % 350 == 0])


def squares(places):
    return shapely.box(*(places - TILE_M / 2).T, *(places + TILE_M / 2).T)


@pytest.fixture(scope="module")
def written(places, tmp_path_factory):
    """A map with crossings, parks, one gate, roofs that lie wherever crossings do, and a road without a word."""
    rng = np.random.default_rng(0)
    some = places[rng.permutation(len(places))[:60]]
    rows = [("highway", "crossing", Point(*one)) for one in some]
    rows += [("building", "yes", Point(*one)) for one in some]
    rows += [("leisure", "park", box(x, y, x + 60, y + 60)) for x, y in rng.uniform(0, 2000, (40, 2))]
    rows += [("barrier", "gate", Point(5, 5)), ("highway", None, LineString([(0, 0), (2100, 2100)]))]
    table = gpd.GeoDataFrame(
        {
            key: [value if of == key else None for of, value, _ in rows]
            for key in ("highway", "building", "leisure", "barrier")
        },
        geometry=[shape for *_, shape in rows],
        crs=CRS,
    )
    path = tmp_path_factory.mktemp("map") / "map.gpkg"
    table.to_file(path)
    return path, some


def test_features_of_a_map_are_words_of_the_tiles_that_they_lie_in(written, places):
    path, some = written
    found, entries = words_of_map(Concepts(source=str(path)), squares(places), gpd.GeoSeries(crs=CRS).crs)
    words = found.words.set_index("word")
    assert words["tag"].to_dict() == {
        "crossing": "highway=crossing",
        "building": "building=yes",
        "park": "leisure=park",
    }
    has = found.tiles.set_axis(found.words["word"], axis=1)["crossing"]
    inside = np.array([(np.abs(some - place).max(axis=1) <= TILE_M / 2).any() for place in places])
    known = has.notna().to_numpy()
    assert (has[known].to_numpy(dtype=bool) == inside[known]).all()
    # beyond the map nobody knows
    assert (known == ((places > 0) & (places < 2100)).all(axis=1)).all()
    told = {(one.item, one.status, one.reason): one.count for one in entries}
    assert sum(one.count for one in entries if one.item == "features of words") == 162
    assert told["words", "skipped", "of fewer than 5 features"] == 1


def test_of_words_that_lie_in_the_same_tiles_one_is_kept_and_of_many_those_that_most_have(written, places):
    path, _ = written
    found, _ = words_of_map(Concepts(source=str(path)), squares(places), gpd.GeoSeries(crs=CRS).crs)
    kept, entries = chosen([found], 40)
    assert sorted(kept.words["word"]) == ["building", "park"]
    assert any("nearly the same tiles" in one.reason and one.count == 1 for one in entries)
    one, entries = chosen([found], 1)
    most = found.tiles.sum()
    assert one.words["tag"].tolist() == [found.words["tag"][int(most.idxmax())]]
    assert any("not among the 1" in one.reason for one in entries)


def test_any_column_may_hold_the_words_and_a_map_without_any_is_refused(written, places, tmp_path):
    rng = np.random.default_rng(1)
    table = gpd.GeoDataFrame(
        {"kind": ["shelter", "Yes"] * 20},
        geometry=gpd.points_from_xy(*rng.uniform(0, 2000, (2, 40))),
        crs=CRS,
    )
    table.to_file(tmp_path / "own.geojson")
    crs = gpd.GeoSeries(crs=CRS).crs
    found, _ = words_of_map(
        Concepts(source=str(tmp_path / "own.geojson"), column="kind"), squares(places), crs
    )
    assert found.words["word"].tolist() == ["Yes", "shelter"]
    with pytest.raises(LayerError, match="no geometry with a column"):
        words_of_map(Concepts(source=str(tmp_path / "own.geojson")), squares(places), crs)
    with pytest.raises(SourceError, match="no such file"):
        words_of_map(Concepts(source="none.gpkg"), squares(places), crs)
    with pytest.raises(LayerError, match="has a value in barrier"):
        words_of_map(Concepts(source=str(written[0]), column="barrier"), squares(places), crs)


def test_what_roads_say_is_a_word_of_their_tiles():
    segments = pd.DataFrame({"segment_id": ["a", "b", "c"], "src_Surface": ["asphalt", " cobbles", None]})
    found = words_of_roads(["surface"], segments, pd.Series(["b", "a", "b", "c"]))
    assert found.words["tag"].tolist() == ["surface=asphalt", "surface=cobbles"]
    assert found.tiles["1"].tolist() == [True, False, True, pd.NA]
    with pytest.raises(LayerError, match="there are surface"):
        words_of_roads(["lit"], segments, pd.Series(["a"]))


def test_average_precisions_are_those_of_sklearn():
    rng = np.random.default_rng(2)
    scores, tags = rng.normal(size=(200, 7)), rng.random((200, 7)) < 0.2
    expected = [average_precision_score(tags[:, n], scores[:, n]) for n in range(7)]
    assert average_precisions(tags, scores) == pytest.approx(expected)


def smooth(places, reach, seed):
    """A word that lies in quarters of so many metres."""
    rng = np.random.default_rng(seed)
    middles, weights = rng.uniform(0, 2100, (80, 2)), rng.normal(size=80)
    apart = np.linalg.norm(places[:, None] - middles, axis=2)
    field = (weights * np.exp(-((apart / reach) ** 2) / 2)).sum(axis=1)
    return field > np.quantile(field, 0.75)


def test_words_drawn_by_chance_are_as_frequent_and_lie_together_as_much(places):
    chance = Chance(places, tile_m=TILE_M, seed=0)
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    one, other = np.nonzero((apart > 150) & (apart < 400))
    for tags in (smooth(places, 300, 0), np.random.default_rng(0).random(len(places)) < 0.25):
        drawn = chance.words(tags, np.arange(len(places)))
        assert drawn.shape == (len(places), DRAWS)
        assert (drawn.sum(axis=0) == tags.sum()).all()
        own = np.corrcoef(tags[one], tags[other])[0, 1]
        theirs = np.mean([np.corrcoef(drawn[one, n], drawn[other, n])[0, 1] for n in range(0, DRAWS, 50)])
        assert theirs >= own - 0.03


@pytest.fixture(scope="module")
def learned(places):
    """Looks of quarters and of what can be seen; words: one that is seen, one that is not, a rare one."""
    rng = np.random.default_rng(3)
    quarters = np.stack([smooth(places, 300, seed) for seed in range(10, 16)], axis=1)
    seen = rng.random(len(places)) < 0.2
    sight = np.column_stack([quarters, 1.2 * seen])
    looks = sight @ rng.normal(size=(7, 32)) + 0.8 * rng.normal(size=(len(places), 32)) + 3 * np.eye(32)[0]
    rare = np.zeros(len(places), dtype=bool)
    rare[:3] = True
    tags = {"0": seen, "1": smooth(places, 300, 99), "2": rng.random(len(places)) < 0.3, "3": rare}
    words = pd.DataFrame(
        {"word": ["seen", "quarter", "noise", "rare"], "tag": "a=b", "source": "map"},
    )
    table = TileWords(words, pd.DataFrame({k: pd.array(v, dtype="boolean") for k, v in tags.items()}))
    return (
        looks.astype(np.float32),
        seen,
        learn_words(looks.astype(np.float32), table, places, tile_m=TILE_M, seed=0),
    )


def test_a_word_that_is_seen_is_offered_and_those_that_are_not_are_told_why(learned):
    _, seen, (tests, _) = learned
    tests = tests.set_index("word")
    assert tests["offered"].to_dict() == {"seen": True, "quarter": False, "noise": False, "rare": False}
    assert tests.loc["seen", "average_precision"] > 0.6
    assert tests.loc["seen", "with_it"] == seen.sum()
    assert tests.loc["seen", "q_value"] <= 0.05
    assert (tests.loc[["quarter", "noise"], "reason"] == "no better than chance on blocks left out").all()
    assert "at least 5 of each" in tests.loc["rare", "reason"]
    assert tests.loc["seen", "prevalence"] == pytest.approx(seen.mean(), abs=0.02)


def test_what_was_learned_ranks_tiles_and_comes_back_as_it_was_written(learned, tmp_path):
    looks, seen, (_, words) = learned
    write_learned(tmp_path / "a.safetensors", words)
    again = read_learned(tmp_path / "a.safetensors")
    write_learned(tmp_path / "b.safetensors", again)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    fit = again.fit("Seen")
    scores = fit.score(looks)
    assert average_precision_score(seen, scores) > 0.6
    assert fit.score(of_length_1(looks)) == pytest.approx(scores, abs=1e-4)
    # scores are worth what tiles that were left out told; of tiles that were learned from they are a little high
    assert scores.mean() == pytest.approx(seen.mean(), abs=0.07)
    assert [one.label for one in again.askable()] == ["seen (map)"]
    assert again.fit("quarter") is None
    (tmp_path / "c.safetensors").write_bytes(b"none")
    with pytest.raises(SourceError, match="holds no words"):
        read_learned(tmp_path / "c.safetensors")


def test_of_types_is_said_what_lies_in_them_more_often_than_in_others():
    tiles = pd.DataFrame({"tile_id": [f"t{n}" for n in range(200)], "cluster": [1] * 100 + [2] * 100})
    tiles["block"] = np.arange(200) // 10
    pairs = pd.DataFrame(
        {
            "tile_id": [f"t{n}" for n in range(0, 100, 2)] + [f"t{n}" for n in range(200)],
            "word": ["crossing"] * 50 + ["building"] * 200,
        }
    )
    found = map_words_of_types(tiles, pairs)
    assert found["in_all"].tolist() == [1.0, 0.25, 1.0]
    assert told_by_map(found).to_dict() == {1: "crossing 50 %"}
