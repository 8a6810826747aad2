"""How alike two roads must look: beside random pairs of their class, apart on the ground."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics.pairwise import cosine_similarity

from geo.clusters.likeness import chance as module
from geo.clusters.likeness.alike import most_alike
from geo.clusters.likeness.chance import likeness_of_pairs


def looks(n, seed=0, dimension=6):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, dimension))
    places = rng.uniform(0, 5000, (n, 2))
    return points / np.linalg.norm(points, axis=1, keepdims=True), places


def is_least(limit, cosines, share):
    """Whether a cosine is the least of some that so large a share of them is below."""
    less = cosines[cosines < limit]
    return len(less) >= share * len(cosines) > (cosines < less.max()).sum()


def test_limits_are_the_least_that_nine_in_ten_of_all_pairs_that_are_apart_are_below():
    points, places = looks(120)
    road_class = pd.Series(["primary"] * 50 + ["minor"] * 70)
    found = likeness_of_pairs(points, road_class, places)
    cosines, apart = cosine_similarity(points), squareform(pdist(places)) >= 200
    for name, limit in zip(("primary", "minor"), found.limits(pd.Series(["primary", "minor"])), strict=True):
        mine = (road_class == name).to_numpy()
        upper = np.triu(np.outer(mine, mine) & apart, 1)
        assert is_least(limit, found.of_class[name], 0.9)
        assert found.of_class[name] == pytest.approx(np.sort(cosines[upper]))


def test_pairs_drawn_by_lot_give_the_limits_of_all(monkeypatch):
    points, places = looks(400)
    everyone = pd.Series(["primary"] * 400)
    drawn = likeness_of_pairs(points, everyone, places)
    assert len(drawn.of_all) < 400 * 399 / 2
    monkeypatch.setattr(module, "PAIRS", 10**6)
    every = likeness_of_pairs(points, everyone, places)
    assert len(every.of_all) > 70_000
    one = pd.Series(["primary"])
    assert drawn.limits(one) == pytest.approx(every.limits(one), abs=0.02)
    assert drawn.share_less_alike(one, every.limits(one)) == pytest.approx([0.9], abs=0.01)


def test_a_small_class_is_held_against_all_roads_and_a_lone_road_against_nothing():
    points, places = looks(60)
    road_class = pd.Series(["primary"] * 55 + ["minor"] * 3 + [None] * 2)
    found = likeness_of_pairs(points, road_class, places)
    limits = found.limits(pd.Series(["minor", None, "primary"]))
    assert limits[0] == limits[1]
    assert is_least(limits[0], found.of_all, 0.9)
    assert limits[2] != limits[0]
    alone = likeness_of_pairs(points[:1], road_class[:1], places[:1])
    assert np.isinf(alone.limits(pd.Series(["primary"]))).all()
    assert np.isnan(alone.share_less_alike(pd.Series(["primary"]), [1.0])).all()


def test_a_street_cut_in_pieces_does_not_set_the_limit():
    """Pieces of a street that lie side by side are alike: of them the limit would be one that no other road meets."""
    points, places = looks(40)
    points, places = (
        np.repeat(points, 3, axis=0),
        np.repeat(places, 3, axis=0) + np.tile([[0], [50], [100]], (40, 1)),
    )
    found = likeness_of_pairs(points, pd.Series(["primary"] * 120), places)
    assert found.of_all.max() < 0.999


def test_roads_without_a_look_alike_get_none():
    points = np.array([[1.0, 0], [0.6, 0.8], [0, 1], [-1, 0]])
    places = 1000.0 * np.arange(8).reshape(4, 2)
    labels = np.array([1, 1, 1, 1])
    least = np.array([0.5, 0.5, 0.85, 0.5])
    assert most_alike(points, labels, places, apart_m=200, shown=2, least=least).tolist() == [
        [1, -1],
        [2, 0],
        [-1, -1],
        [-1, -1],
    ]


def test_without_a_limit_whatever_is_nearest_will_do():
    """Pairs of different classes may be less alike than any of one class."""
    points, places = looks(60)
    classes = pd.Series(["primary"] * 30 + ["minor"] * 30)
    limits = likeness_of_pairs(points, classes, places).limits(classes, 0.0)
    assert (limits < cosine_similarity(points).min()).all()
