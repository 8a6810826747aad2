"""Communities of the graph of likeness: of known graphs, of any number, and never of one place."""

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from pydantic import ValidationError
from sklearn.metrics import adjusted_rand_score

from geo.clusters.methods.kind import Beside
from geo.clusters.methods.leiden import Leiden, _Communities, _communities, _ties


@pytest.fixture
def club():
    return sp.csr_array(nx.to_scipy_sparse_array(nx.karate_club_graph(), weight=None, dtype=float))


def looks(seed=0, each=40, noise=0.2):
    """Three looks of some segments each, and which each one is of."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1, 2], each)
    points = np.eye(3)[truth] + noise * rng.normal(size=(3 * each, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True), truth


def test_the_karate_club_falls_into_the_four_groups_of_the_highest_modularity(club):
    # Brandes et al. 2008 (IEEE TKDE 20:172-188) prove .4198 to be the highest
    labels = _communities(club, 1.0, 0, 3)
    groups = [set(np.flatnonzero(labels == one)) for one in range(labels.max() + 1)]
    assert len(groups) == 4
    assert nx.community.modularity(nx.karate_club_graph(), groups, weight=None) == pytest.approx(
        0.4198, abs=5e-5
    )


def test_a_higher_resolution_gives_more_groups_and_each_number_is_found_or_the_next_larger(club):
    many = _Communities(club, 0, 3)
    assert [many.at_least(k).max() + 1 for k in (1, 2, 3, 4)] == [1, 2, 3, 4]
    for k in range(5, 35):
        assert many.at_least(k).max() + 1 >= k
    assert many.at_least(34).max() + 1 == 34
    # what was asked before changes nothing
    assert (_Communities(club, 0, 3).at_least(7) == many.at_least(7)).all()


def test_several_numbers_at_once_are_those_one_by_one():
    points, _ = looks()
    method = Leiden(neighbours=5)
    for k, fit in zip((9, 2, 4), method.fits(points, [9, 2, 4]), strict=True):
        alone = method.fit(points, k)
        assert alone.labels.tobytes() == fit.labels.tobytes()
        assert alone.centroids.tobytes() == fit.centroids.tobytes()


def test_a_graph_in_more_parts_than_groups_is_brought_together_by_average_linkage():
    points, truth = looks(each=30, noise=0.1)
    # with one neighbour each it is in many parts
    fit = Leiden(neighbours=1).fit(points, 3)
    assert adjusted_rand_score(truth, fit.labels) == 1


def test_groups_know_no_order_of_segments_and_equal_segments_are_together():
    points, _ = looks(seed=3)
    points = np.concatenate([points, points[:50], points[:20]])
    order = np.random.default_rng(1).permutation(len(points))
    fit, other = Leiden().fit(points, 6), Leiden().fit(points[order], 6)
    assert (fit.labels[order] == other.labels).all()
    assert fit.centroids.tobytes() == other.centroids.tobytes()
    assert (fit.labels[:50] == fit.labels[120:170]).all()


def test_segments_that_show_the_same_ground_are_not_joined():
    points, _ = looks()
    free = _ties(points, 3, None).toarray()
    one, other = (ends[:5] for ends in np.nonzero(np.triu(free)))
    pairs = (np.concatenate([one, other]), np.concatenate([other, one]))
    left_out = sp.csr_array((np.ones(10, dtype=bool), pairs), shape=free.shape)
    tied = _ties(points, 3, left_out).toarray()
    assert (free[one, other] > 0).all()
    assert (tied[one, other] == 0).all()
    assert ((tied > 0).sum(axis=1) >= 3).all()


def test_what_is_known_of_segments_goes_with_those_that_are_drawn():
    left_out = sp.csr_array(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool))
    drawn = Beside(left_out).of(np.array([2, 1, 0, 0])).left_out
    assert drawn.toarray().astype(int).tolist() == [[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0], [0, 1, 0, 0]]
    assert Beside().of(np.array([1])).left_out is None


def test_pairs_of_the_same_ground_make_no_types():
    """Two looks, each segment beside one that shows its very ground: of one neighbour each, only that would be seen."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 40)
    place = np.arange(80) // 2
    points = np.eye(8)[truth] * 2 + (0.5 * rng.normal(size=(40, 8)))[place] + 1e-3 * rng.normal(size=(80, 8))
    same = sp.csr_array((place[:, None] == place) & ~np.eye(80, dtype=bool))
    labels = _communities(_ties(points, 1, None), 1.0, 0, 3)
    apart = _communities(_ties(points, 1, same), 1.0, 0, 3)
    assert labels.max() + 1 == 40
    assert apart.max() + 1 < 20
    assert adjusted_rand_score(truth, Leiden(neighbours=3).fit(points, 2, beside=Beside(same)).labels) == 1


def test_without_neighbours_there_is_no_graph_and_the_key_says_so():
    with pytest.raises(ValidationError, match="neighbours"):
        Leiden(neighbours=0)


@pytest.mark.parametrize("k", [1, 2])
def test_segments_that_all_show_one_place_are_still_grouped(k):
    points = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    everyone = sp.csr_array(~np.eye(3, dtype=bool))
    fit = Leiden().fit(points, k, beside=Beside(everyone))
    assert len(set(fit.labels)) == k
    assert fit.labels[0] == fit.labels[1]
