"""Average linkage is that of scipy, also of points that count for several, and finds groups of unequal size."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree, fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_rand_score

from geo.clusters.methods import mending
from geo.clusters.methods.average import Average
from geo.clusters.methods.kmeans import KMeans
from geo.clusters.methods.linkage import average_linkage, ward_linkage

IN_R = """
library(cluster)  # 2.1.4
p <- matrix(c(1,0, .8,.6, 0,1, -.6,.8, .6,-.8, .96,.28, -.28,.96, .28,-.96), ncol=2, byrow=TRUE)
a <- agnes(as.dist(1 - p %*% t(p)), diss=TRUE, method="gaverage")
sort(a$height); cutree(as.hclust(a), 3)
"""


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def cloud():
    return unit(np.random.default_rng(5).normal(size=(300, 8)))


def test_the_tree_is_that_of_scipy(cloud):
    tree, theirs = average_linkage(cloud, np.ones(300), beta=0.0), linkage(pdist(cloud, "cosine"), "average")
    np.testing.assert_allclose(tree.heights, theirs[:, 2], atol=1e-12)
    for k in (1, 2, 7, 100, 300):
        labels = tree.cut(k)
        assert len(set(labels)) == k
        assert adjusted_rand_score(fcluster(theirs, k, "maxclust"), labels) == pytest.approx(1)


def test_flexible_linkage_is_that_of_r():
    # of `IN_R`
    rows = [(1, 0), (0.8, 0.6), (0, 1), (-0.6, 0.8), (0.6, -0.8), (0.96, 0.28), (-0.28, 0.96), (0.28, -0.96)]
    tree = average_linkage(np.array(rows), np.ones(8), beta=-0.1)
    theirs = [0.04, 0.04, 0.064, 0.1412, 0.1412, 1.063968, 1.8679662133]
    np.testing.assert_allclose(tree.heights, theirs, atol=1e-10)
    assert tree.cut(3).tolist() == [0, 0, 1, 1, 2, 0, 1, 2]


def test_a_point_that_counts_for_three_is_three_points(cloud):
    weights = np.random.default_rng(1).integers(1, 4, 300)
    tree = average_linkage(cloud, weights.astype(float), beta=0.0)
    whole = average_linkage(np.repeat(cloud, weights, axis=0), np.ones(weights.sum()), beta=0.0)
    extra = weights.sum() - 300
    np.testing.assert_allclose(whole.heights[:extra], 0, atol=1e-12)
    np.testing.assert_allclose(tree.heights, whole.heights[extra:], atol=1e-12)
    assert adjusted_rand_score(np.repeat(tree.cut(9), weights), whole.cut(9)) == pytest.approx(1)


@pytest.mark.parametrize("n", [1, 2])
def test_a_point_or_two_make_a_tree(n):
    tree = average_linkage(np.eye(2)[:n], np.ones(n))
    assert tree.cut(n).tolist() == list(range(n))
    assert tree.heights.tolist() == [1.0] * (n - 1)


def test_equal_points_end_too():
    tree = average_linkage(np.ones((40, 1)), np.ones(40))
    assert tree.heights.max() == 0
    assert len(set(tree.cut(3))) == 3


def test_groups_of_unequal_size_are_kept_apart_which_kmeans_evens_out():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(5), [400, 100, 20, 12, 8])
    points = unit(unit(rng.normal(size=(5, 24)))[truth] + 0.16 * rng.normal(size=(540, 24)))
    assert adjusted_rand_score(truth, Average().fit(points, 5).labels) > 0.98
    assert adjusted_rand_score(truth, KMeans().fit(points, 5).labels) < 0.9


def test_pieces_of_many_points_give_nearly_the_types_of_single_ones(monkeypatch):
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 7, 3000)
    points = unit(unit(rng.normal(size=(7, 16)))[truth] + 0.22 * rng.normal(size=(3000, 16)))
    single = Average().fit(points, 7).labels
    monkeypatch.setattr(mending, "MOST_LINKED", 1000)
    monkeypatch.setattr(mending, "PIECES", 400)
    assert adjusted_rand_score(single, Average().fit(points, 7).labels) > 0.95


def test_several_numbers_of_groups_are_those_of_one_at_a_time(cloud):
    for k, fit in zip((2, 5, 9), Average().fits(cloud, (2, 5, 9)), strict=True):
        assert fit.labels.tobytes() == Average().fit(cloud, k).labels.tobytes()


def test_nothing_depends_on_the_order_of_segments_or_the_seed(cloud):
    points = np.concatenate([cloud, cloud[:50]])
    order = np.random.default_rng(1).permutation(len(points))
    fit, other = Average(seed=0).fit(points, 7), Average(seed=1).fit(points[order], 7)
    assert (fit.labels[order] == other.labels).all()
    assert fit.centroids.tobytes() == other.centroids.tobytes()


def test_ward_is_that_of_scipy_and_a_point_may_stand_for_many():
    points = np.random.default_rng(4).normal(size=(60, 3))
    tree, theirs = ward_linkage(points, np.ones(60)), linkage(points, "ward")
    # scipy gives the root of twice what a merger adds to the squares
    np.testing.assert_allclose(np.sqrt(2 * tree.heights), theirs[:, 2])
    for k in (2, 5, 20):
        assert adjusted_rand_score(tree.cut(k), cut_tree(theirs, k).ravel()) == 1
    counts = np.random.default_rng(5).integers(1, 6, 60)
    many = linkage(np.repeat(points, counts, axis=0), "ward")
    heavy = ward_linkage(points, counts.astype(float))
    np.testing.assert_allclose(np.sqrt(2 * heavy.heights), many[-59:, 2])
