"""Clusters: found again where they are known, the same every time, and blind to collisions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.utils import check_random_state

from geo.clusters.evidence.choose import _silhouettes, choose_k
from geo.clusters.fit import cluster, order_by_size
from geo.clusters.found.prototypes import central_tiles, pick
from geo.clusters.space import to_space
from geo.config import Clusters
from geo.features.pooling import judge, pool_segments
from tasks.store.code import closure

TOP = Path(__file__).resolve().parents[2]
SIZES = (60, 40, 30, 20)


@pytest.fixture
def known():
    """Four well-parted groups of embeddings, shuffled, with their true labels."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(len(SIZES), 32)) * 4
    truth = np.repeat(np.arange(len(SIZES)), SIZES)
    rng.shuffle(truth)
    return (centres[truth] + rng.normal(size=(len(truth), 32))).astype(np.float32), truth


def test_known_groups_are_found_again(known):
    embeddings, truth = known
    settings = Clusters()
    points = to_space(embeddings, settings)
    choice = choose_k(points, settings)
    k = int(choice.loc[choice["chosen"], "k"].iloc[0])
    assert k == len(SIZES)
    assert adjusted_rand_score(truth, cluster(points, k, Clusters()).labels) > 0.98


def test_the_largest_cluster_is_number_one(known):
    embeddings, _ = known
    labels = cluster(to_space(embeddings, Clusters()), len(SIZES), Clusters()).labels
    assert np.bincount(labels)[1:].tolist() == sorted(SIZES, reverse=True)


def test_clusters_of_one_size_are_numbered_by_who_comes_first():
    assert order_by_size(np.array([7, 7, 2, 2, 5], dtype=np.int64)).tolist() == [1, 1, 2, 2, 3]


def test_the_same_seed_gives_the_same_bytes(known):
    points = to_space(known[0], Clusters())
    first, second = (cluster(points, 3, Clusters(seed=5)) for _ in range(2))
    assert first.margin.tobytes() == second.margin.tobytes()
    pd.testing.assert_frame_equal(choose_k(points, Clusters()), choose_k(points, Clusters()))


def test_a_margin_is_one_at_a_centroid_and_nought_half_way():
    points = np.array([[0.0], [0.0], [0.0], [5.0], [10.0], [10.0], [10.0], [10.0]])
    found = cluster(points, 2, Clusters())
    assert found.margin[0] > 0.85
    assert found.margin[3] < 0.4
    assert ((found.margin >= 0) & (found.margin <= 1)).all()


def test_one_cluster_has_no_margin():
    found = cluster(np.random.default_rng(0).normal(size=(9, 2)), 1, Clusters())
    assert np.isnan(found.margin).all()
    assert found.k == 1


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_handful_of_segments_gets_a_defined_answer(n):
    points = to_space(np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32), Clusters())
    choice = choose_k(points, Clusters())
    assert choice["chosen"].sum() == 1
    assert cluster(points, int(choice.loc[choice["chosen"], "k"].iloc[0]), Clusters()).k <= n


def test_segments_that_all_look_alike_are_one_cluster():
    points = to_space(np.ones((30, 8), dtype=np.float32), Clusters())
    assert choose_k(points, Clusters())["k"].tolist() == [1]
    assert cluster(points, 5, Clusters()).k == 1


def test_segments_that_differ_by_rounding_alone_are_one_cluster():
    vectors = np.full((30, 8), 0.3, dtype=np.float32)
    vectors[::2] = np.nextafter(vectors[::2], np.float32(1))
    assert choose_k(to_space(vectors, Clusters()), Clusters())["k"].tolist() == [1]


def test_a_given_k_is_taken_with_its_evidence(known):
    choice = choose_k(to_space(known[0], Clusters(k=6)), Clusters(k=6))
    assert choice["k"].tolist() == [6]
    assert choice["chosen"].all()
    assert choice[["silhouette", "stability"]].notna().all(axis=None)


def test_the_silhouette_of_each_number_is_that_of_scikit_learn(known):
    points = to_space(known[0], Clusters())
    choice = choose_k(points, Clusters(k_range=(3, 6), resamples=2)).set_index("k")["silhouette"]
    for k, silhouette in choice.items():
        labels = cluster(points, k, Clusters()).labels
        assert silhouette == pytest.approx(silhouette_score(points, labels), abs=1e-9)


def test_a_sample_that_is_all_of_one_group_is_no_evidence():
    points = np.random.default_rng(0).normal(size=(6000, 3))
    two = np.zeros(6000, dtype=np.int64)
    two[check_random_state(0).permutation(6000)[5500]] = 1
    assert _silhouettes(points, [two], 0) == [0.0]


def test_noise_is_less_stable_than_structure(known):
    noise = np.random.default_rng(1).normal(size=known[0].shape).astype(np.float32)
    settings = Clusters(k=len(SIZES))
    score = [choose_k(to_space(e, settings), settings)["stability"].iloc[0] for e in (known[0], noise)]
    assert score[0] > 0.95
    assert score[1] < 0.7


def test_whitening_evens_out_the_components():
    embeddings = (np.random.default_rng(0).normal(size=(500, 2)) * [100, 1]).astype(np.float32)
    for whitening, expected in ((0.0, 100.0), (0.5, 10.0), (1.0, 1.0)):
        points = to_space(embeddings, Clusters(whitening=whitening))
        ratio = np.abs(points[:, 0] / points[:, 1])
        raw = np.abs(embeddings[:, 0] / embeddings[:, 1])
        assert np.median(ratio) / np.median(raw) * 100 == pytest.approx(expected, rel=0.2)


def test_points_have_length_one(known):
    np.testing.assert_allclose(np.linalg.norm(to_space(known[0], Clusters()), axis=1), 1)


def test_prototypes_are_nearest_edges_least_sure_and_the_draw_is_seeded(known):
    points = to_space(known[0], Clusters())
    ids = pd.Index([f"s{i:03}" for i in range(len(points))])
    found = cluster(points, 4, Clusters())
    picks = pick(ids, found, seed=1)
    for number in range(1, 5):
        mine = np.flatnonzero(found.labels == number)
        by = picks[picks["cluster"] == number].groupby("kind")["segment_id"].agg(list)
        assert by["prototype"] == ids[mine[np.argsort(found.distance[mine], kind="stable")[:5]]].tolist()
        assert by["edge"] == ids[mine[np.argsort(found.margin[mine], kind="stable")[:5]]].tolist()
        assert set(by["random"]) <= set(ids[mine])
    pd.testing.assert_frame_equal(picks, pick(ids, found, seed=1))
    assert not picks.equals(pick(ids, found, seed=2))


def test_the_tile_shown_is_the_one_at_the_middle():
    tiles = pd.DataFrame(
        {
            "tile_id": ["a-0", "a-1", "a-2", "b-0"],
            "segment_id": list("aaab"),
            "position_m": [10.0, 50.0, 90.0, 5.0],
        }
    )
    assert central_tiles(pd.DataFrame({"segment_id": ["b", "a"]}), tiles).tolist() == ["b-0", "a-1"]


def test_a_segment_is_the_mean_of_its_tiles_whatever_their_order():
    tiles = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 4.0]], dtype=np.float32)
    ids, pooled = pool_segments(pd.Series(["b", "b", "a"]), tiles)
    assert ids.tolist() == ["a", "b"]
    np.testing.assert_allclose(pooled, [[0.6, 0.8], [0.5, 0.5]], rtol=1e-6)


def test_a_tile_half_covered_counts_half():
    tiles = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    _, pooled = pool_segments(pd.Series(["a", "a"]), tiles, np.array([1.0, 0.5]))
    np.testing.assert_allclose(pooled, [[2 / 3, 1 / 3]], rtol=1e-6)


def test_the_rank_of_a_few_looks_is_known_and_told():
    """Singular values that are next to nothing beside the others count for nothing."""
    looks = np.random.default_rng(0).normal(size=(2, 64)).astype(np.float32)
    for rows in (80, 200):
        found = judge(looks[np.arange(rows) % 2])
        assert found.effective_rank == pytest.approx(1, abs=0.01)
        assert found.warnings


def test_effective_rank_counts_equal_directions():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(64, 64)))[0]
    embeddings = (rng.normal(size=(4000, 8)) @ basis[:8]).astype(np.float32)
    quality = judge(embeddings)
    assert quality.effective_rank == pytest.approx(8, rel=0.02)
    assert quality.spread == pytest.approx(1, abs=0.02)
    assert quality.warnings == ()


@pytest.mark.parametrize("fault", [0.0, 1e-4])
def test_collapsed_embeddings_are_warned_of(fault):
    noise = np.random.default_rng(0).normal(size=(50, 16)) * fault
    assert "collapsed" in " ".join(judge((np.ones((50, 16)) + noise).astype(np.float32)).warnings)


def seen_from(*modules):
    """Folders of the science that modules reach by what they import."""
    return {path.parent.relative_to(TOP).as_posix() for path in closure(*modules)}


def test_clusters_cannot_see_collisions():
    """Neither the science of clusters and features nor their stages reach anything of collisions or safety."""
    science = [
        ".".join(path.relative_to(TOP).with_suffix("").parts)
        for folder in ("geo/clusters", "geo/features")
        for path in (TOP / folder).rglob("*.py")
    ]
    stages = [f"tasks.stages.{name}" for name in ("features", "fingerprints", "clusters")]
    seen = seen_from(*science, *stages)
    assert {"geo/clusters", "geo/features", "geo/imagery"} <= seen
    assert not {folder for folder in seen if folder.startswith(("geo/collisions", "geo/safety"))}
    assert {"geo/collisions", "geo/safety/expected"} <= seen_from(
        "tasks.stages.records.collisions", "tasks.stages.safety.safety"
    )
