"""Classes of ground are found without labels."""

import re
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
import torch
from scipy.cluster.hierarchy import linkage
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from geo.errors import LayerError
from geo.features.lengths import of_length_1
from geo.ground.contract import Piece, Surroundings
from geo.ground.file import read_classifier, write_classifier
from geo.ground.numbers import with_numbers
from geo.ground.unsupervised.contrast import info_nce, least_alike, train_head
from geo.ground.unsupervised.described import describe
from geo.ground.unsupervised.grouping import spherical_k_means
from geo.ground.unsupervised.proposals import mean_in, proposals_of
from geo.ground.unsupervised.settings import Unsupervised
from geo.ground.unsupervised.space import fit_space, weights_of
from geo.ground.unsupervised.tree import tree_of

NOWHERE = Surroundings(None, None, None, None)
SIDE, DIMENSION, PER_CELL = 40, 12, 4


def truth():
    """Ground of three classes: a road 8 cells wide, a roof of 12 by 12, and grass all about."""
    kinds = np.zeros((SIDE, SIDE), dtype=np.int64)
    kinds[:, 4:12] = 1
    kinds[20:32, 20:32] = 2
    return kinds


def piece(seed=0, noise=0.35, name="0_0", kinds=None):
    """What is seen of it: each class has a direction of its own, and cells scatter about it."""
    rng = np.random.default_rng(seed)
    kinds = truth() if kinds is None else kinds
    looks = np.linalg.qr(np.random.default_rng(9).standard_normal((DIMENSION, DIMENSION)))[0][:3]
    features = looks[kinds] + noise * rng.standard_normal((SIDE, SIDE, DIMENSION))
    grey = np.array([[90, 140, 200]], dtype=np.uint8)[0][kinds].repeat(PER_CELL, 0).repeat(PER_CELL, 1)
    return Piece(
        name,
        of_length_1(features).astype(np.float32),
        np.stack([grey] * 3),
        np.ones((SIDE * PER_CELL, SIDE * PER_CELL), dtype=bool),
        0.0,
        80.0,
        2.0,
        0.5,
        widths=(DIMENSION,),
    )


def agreement(found, kinds):
    """Share of cells that are of the right class, when classes are paired as well as can be."""
    counts = np.zeros((found.max() + 1, kinds.max() + 1))
    np.add.at(counts, (found.ravel(), kinds.ravel()), 1)
    return counts[linear_sum_assignment(counts, maximize=True)].sum() / kinds.size


@pytest.mark.parametrize("prior", ["none", "superpixels", "contrast"])
def test_classes_that_look_different_are_told_apart_on_ground_that_was_not_learned_from(prior):
    way = Unsupervised(classes=3, clusters=6, strides=(16,), prior=prior, proposal_m=8)
    learned = way.learn([piece(seed, name=f"{seed}_0") for seed in range(3)], NOWHERE).classifier
    found, _ = learned.classify(piece(seed=7))
    assert agreement(found, truth()) > 0.9
    shares = [one.share for one in learned.classes]
    assert [one.number for one in learned.classes] == [1, 2, 3]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert {one.source for one in learned.classes} == {"found"}


def on_a_map(folder, count):
    """Write a map of roofs, of which some are missing, and of fences that are nowhere alike, for pieces in a row."""
    rng = np.random.default_rng(3)
    roofs = [shapely.box(500 * n + 40, 16, 500 * n + 64, 40) for n in range(count) if n % 4]
    fences = [
        shapely.LineString([(500 * n + x, 80), (500 * n + x, 0)])
        for n in range(count)
        for x in rng.integers(0, 80, 3)
    ]
    corners = [shapely.Point(0, 80), shapely.Point(500 * count, 0)]
    rows = (
        [("building", "yes")] * len(roofs) + [("barrier", "fence")] * len(fences) + [("natural", "tree")] * 2
    )
    table = {
        key: [value if key == own else None for own, value in rows]
        for key in ("building", "barrier", "natural")
    }
    gpd.GeoDataFrame(table, geometry=[*roofs, *fences, *corners], crs=27700).to_file(folder / "map.gpkg")
    return folder / "map.gpkg"


def test_what_a_class_mostly_is_is_said_by_a_map_where_that_is_sure(tmp_path):
    """Three in four roofs are drawn, one in four squares of ground has none; fences lie anywhere."""
    pieces = [replace(piece(seed, name=f"{seed}_0"), x=500.0 * seed) for seed in range(16)]
    ways = {"roof": "building=*", "fence": "barrier=fence", "tree": "natural=tree"}
    way = Unsupervised(
        classes=3, clusters=6, strides=(16,), words_from=str(on_a_map(tmp_path, 16)), words_classes=ways
    )
    line = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (8000, 0)])], crs=27700)
    learned = way.learn(pieces, replace(NOWHERE, segments=line))
    found = np.stack([learned.classifier.classify(one)[0] for one in pieces])
    drawn = (truth() == 2) & (np.arange(16) % 4 > 0)[:, None, None]
    roof = int(np.bincount(found[drawn]).argmax())
    said = {one.number: one.words for one in learned.classifier.classes}
    share, of_all = map(
        int, re.match(r"by the map: (\d+)% roof \(of all ground (\d+)%\)$", said.pop(roof)).groups()
    )
    assert share == pytest.approx(100 * drawn[found == roof].mean(), abs=0.6)
    assert of_all == pytest.approx(100 * drawn.mean(), abs=0.6)
    assert set(said.values()) == {""}
    assert {(e.item, e.reason): e.count for e in learned.entries if e.status == "done"}[
        "features of tags", "roof"
    ] == 12
    # classes that become one have what is said of each
    merged = np.arange(256, dtype=np.uint8)
    merged[[1, 2, 3]] = 1
    (one,) = with_numbers(learned.classifier.classes, merged)
    assert one.words == learned.classifier.classes[roof - 1].words


def test_of_a_map_that_lies_elsewhere_nothing_is_said():
    rng = np.random.default_rng(0)
    classes, chips = rng.integers(1, 4, 4000), np.repeat(np.arange(20), 200)
    assert describe(classes, rng.random((4000, 5)) < 0.3, chips, list("abcde"), seed=0) == {}
    assert describe(classes, (classes == 2)[:, None], chips, ["pond"], seed=0)[2].startswith(
        "by the map: 100% pond"
    )
    assert describe(classes[:1000], (classes == 2)[:1000, None], chips[:1000], ["pond"], seed=0) == {}
    assert describe(classes[:0], np.zeros((0, 1), dtype=bool), chips[:0], ["pond"], seed=0) == {}


def test_superpixels_mend_single_cells_and_keep_edges_of_the_picture():
    kinds = truth()
    seen = piece(seed=7, noise=0.9)
    parts = proposals_of(seen, 8)
    sizes = np.bincount(parts.ravel())
    assert (sizes > 0).all()
    assert 8 <= sizes.mean() <= 32  # of 4 x 4 cells
    pure = sum(np.bincount(kinds.ravel()[parts.ravel() == n]).max() for n in range(len(sizes)))
    assert pure / kinds.size > 0.95
    plain = Unsupervised(classes=3, clusters=3, strides=(16,)).learn([piece(noise=0.9)], NOWHERE).classifier
    by_parts = (
        Unsupervised(classes=3, clusters=3, strides=(16,), prior="superpixels", proposal_m=8)
        .learn([piece(noise=0.9)], NOWHERE)
        .classifier
    )
    assert agreement(by_parts.classify(seen)[0], kinds) > agreement(plain.classify(seen)[0], kinds)


def test_a_mean_in_superpixels_keeps_the_sum():
    values = np.random.default_rng(0).random((4, 6, 3)).astype(np.float32)
    labels = np.arange(24).reshape(4, 6) // 5
    found = mean_in(labels, values)
    assert found.sum(axis=(0, 1)) == pytest.approx(values.sum(axis=(0, 1)), rel=1e-5)
    assert found[0, 0] == pytest.approx(values.reshape(24, 3)[:5].mean(axis=0), rel=1e-5)


def test_the_same_ground_and_seed_give_the_same_bytes_and_come_back_from_the_file(tmp_path):
    way = Unsupervised(classes=3, clusters=6, strides=(16,), prior="contrast", proposal_m=8)
    for name in ("one", "other"):
        write_classifier(tmp_path / name, way.learn([piece()], NOWHERE).classifier)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    again = read_classifier(tmp_path / "one")
    expected = way.learn([piece()], NOWHERE).classifier
    assert (again.classify(piece())[0] == expected.classify(piece())[0]).all()
    assert again.tree().equals(expected.tree())


def test_fewer_cells_than_groups_are_refused():
    with pytest.raises(LayerError, match="0 cells beside roads have imagery, and 24 groups"):
        Unsupervised().learn([], NOWHERE)


def test_groups_of_directions_are_those_that_k_means_finds_where_they_lie_apart():
    points = of_length_1(piece(noise=0.1).features.reshape(-1, DIMENSION))
    middles, groups = spherical_k_means(points, 3, seed=0)
    theirs = KMeans(3, n_init=5, random_state=0).fit(points)
    assert agreement(groups, theirs.labels_.astype(np.int64)) == 1
    # Dhillon and Modha 2001: a middle is the direction of the sum of its points
    sums = of_length_1(np.stack([points[groups == n].sum(axis=0) for n in range(3)]))
    assert middles == pytest.approx(sums, abs=1e-3)


def test_the_tree_is_average_linkage_of_all_cells():
    rng = np.random.default_rng(3)
    middles = of_length_1(rng.standard_normal((6, 4))).astype(np.float32)
    sizes = np.array([4, 1, 3, 2, 5, 1])
    theirs = linkage(middles.repeat(sizes, axis=0), method="average", metric="cosine")
    found = tree_of(middles, sizes, np.array([1, 1, 1, 2, 2, 2], dtype=np.uint8))
    assert found["height"].to_numpy()[6:] == pytest.approx(theirs[-5:, 2], abs=1e-6)
    assert found["node"].tolist() == list(range(1, 12))
    root = found.iloc[-1]
    assert (root["share"], found["parent"].isna().sum()) == (1, 1)
    assert root["class"] is not None
    assert found["class"].isna().iloc[-1]
    # a node's share is that of the two that it is made of
    inner = found.iloc[6:].set_index("node")["share"]
    parts = found.dropna(subset="parent").groupby("parent")["share"].sum()
    assert parts.to_numpy() == pytest.approx(inner.loc[parts.index].to_numpy())


def test_the_loss_is_that_of_the_paper():
    rng = np.random.default_rng(1)
    cells = of_length_1(rng.standard_normal((6, 3)))
    means = of_length_1(cells.reshape(3, 2, 3).mean(axis=1))
    likeness = np.exp(cells @ means.T / 0.5)
    own = [0, 0, 1, 1, 2, 2]
    expected = -np.log(likeness[np.arange(6), own] / likeness.sum(axis=1)).mean()
    everybody = torch.ones(3, 3, dtype=torch.bool)
    assert float(info_nce(torch.from_numpy(cells), 3, 0.5, everybody)) == pytest.approx(expected)
    first_alone = torch.tensor([[0, 1, 0], [1, 0, 0], [1, 0, 0]], dtype=torch.bool)
    counted = likeness * np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1]])[own]
    expected = -np.log(likeness[np.arange(6), own] / counted.sum(axis=1)).mean()
    assert float(info_nce(torch.from_numpy(cells), 3, 0.5, first_alone)) == pytest.approx(expected)


def test_superpixels_of_one_look_are_not_pushed_apart():
    points = torch.tensor([[1.0, 0.0]] * 4 + [[0.9, 0.1]] * 4 + [[0.0, 1.0]] * 4 + [[-1.0, 0.0]] * 4)
    others = least_alike(points, 4)
    assert not others.diagonal().any()
    assert others[0].tolist() == others[1].tolist() == [False, False, False, True]


def test_a_head_leaves_out_what_differs_within_superpixels():
    rng = np.random.default_rng(2)
    own = rng.standard_normal((60, 4)).repeat(20, axis=0)
    points = np.hstack([own, 2 * rng.standard_normal((1200, 4))]).astype(np.float32)
    head = train_head(points, np.arange(60).repeat(20), seed=0)

    def within(places):
        groups = of_length_1(places).reshape(60, 20, -1)
        return groups.var(axis=1).sum() / groups.reshape(1200, -1).var(axis=0).sum() / 60

    assert within(points @ head) < 0.5 * within(points)


def test_a_head_of_too_few_superpixels_changes_nothing():
    points = np.random.default_rng(0).random((20, 5)).astype(np.float32)
    assert (train_head(points, np.zeros(20, dtype=np.int64), seed=0) == np.eye(5)).all()


def test_maps_count_by_their_stride():
    seen = piece()
    assert weights_of(seen, (16,)).tolist() == [1.0] * DIMENSION
    assert weights_of(seen, (32,)).tolist() == [0.5] * DIMENSION
    cells = seen.features.reshape(-1, DIMENSION)
    weights = np.linspace(0.5, 1, DIMENSION).astype(np.float32)
    mean, axes = fit_space(cells, weights)
    plain_mean, plain_axes = fit_space(cells * weights, np.ones(DIMENSION, dtype=np.float32))
    assert (cells - mean) @ axes == pytest.approx((cells * weights - plain_mean) @ plain_axes, abs=1e-4)
