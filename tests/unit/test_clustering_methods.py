"""Ways of clustering: chosen by name from a registry, each repeatable, and a new one is a module and a place there."""

from typing import ClassVar, Literal

import numpy as np
import pytest
from pydantic import Field, ValidationError
from scipy.cluster.hierarchy import cut_tree, linkage
from sklearn import cluster as sklearn_cluster
from sklearn.metrics import adjusted_rand_score

from geo.clusters import registry
from geo.clusters.evidence.choose import choose_k
from geo.clusters.fit import cluster
from geo.clusters.methods import ward
from geo.clusters.methods.average import Average
from geo.clusters.methods.kind import ClusteringKind, Fit
from geo.clusters.methods.kmeans import KMeans
from geo.clusters.methods.ward import Ward
from geo.clusters.registry import KINDS, method_of
from geo.config import CityConfig, Clusters, cluster_settings, load
from geo.config.kinds import one_of
from geo.errors import ConfigurationError
from geo.outputs.report.parts.methods import methods

SIZES = (60, 40, 30, 20)
SMALL = {"city": "x", "imagery": {"sources": ["a.tif"]}, "roads": {"source": "r.gpkg"}}


@pytest.fixture
def blobs():
    """Four groups of points that lie well apart, shuffled, with their true labels."""
    rng = np.random.default_rng(3)
    truth = np.repeat(np.arange(len(SIZES)), SIZES)
    rng.shuffle(truth)
    return (rng.normal(size=(len(SIZES), 8)) * 4)[truth] + rng.normal(size=(len(truth), 8)) * 0.5, truth


@pytest.fixture
def cloud():
    """Points in no groups, of which one way of cutting is about as good as another."""
    return np.random.default_rng(5).normal(size=(300, 6))


def each(test):
    return pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.tag)(test)


@each
def test_groups_that_lie_apart_are_found_and_their_number_too(kind, blobs):
    points, truth = blobs
    settings = kind(k_range=(2, 7), resamples=3)
    choice = choose_k(points, settings)
    assert choice.loc[choice["chosen"], "k"].tolist() == [len(SIZES)]
    assert adjusted_rand_score(truth, cluster(points, len(SIZES), settings).labels) == 1


@each
def test_every_point_belongs_to_the_nearest_centroid_and_new_ones_do_so_too(kind, cloud):
    fit = kind().fit(cloud, 5)
    assert sorted(set(fit.labels)) == [0, 1, 2, 3, 4]
    assert fit.centroids.shape == (5, 6)
    new = np.random.default_rng(9).normal(size=(40, 6))
    apart = np.linalg.norm(new[:, None] - fit.centroids[None], axis=2)
    assert fit.nearest(new).tolist() == apart.argmin(axis=1).tolist()
    assert (fit.nearest(cloud) == fit.labels).all()


@each
def test_the_same_points_and_seed_give_the_same_bytes(kind, cloud):
    first, second = (kind(seed=4).fit(cloud, 5) for _ in range(2))
    assert first.labels.tobytes() == second.labels.tobytes()
    assert first.centroids.tobytes() == second.centroids.tobytes()


@each
@pytest.mark.parametrize("n", [1, 2, 3])
def test_as_many_groups_as_points_are_one_each(kind, n):
    points = np.arange(2.0 * n).reshape(n, 2)
    fit = kind().fit(points, n)
    assert sorted(fit.labels) == list(range(n))
    np.testing.assert_allclose(fit.centroids[fit.labels], points)


@pytest.mark.parametrize(("thorough", "starts"), [(True, 10), (False, 3)])
def test_kmeans_is_that_of_scikit_learn_to_the_last_bit(thorough, starts, cloud):
    cloud = np.asfortranarray(cloud)
    theirs = sklearn_cluster.KMeans(6, n_init=starts, random_state=2).fit(cloud)
    fit = KMeans(seed=2).fit(cloud, 6, thorough=thorough)
    assert (fit.labels == theirs.labels_).all()
    assert fit.centroids.tobytes() == theirs.cluster_centers_.tobytes()
    assert fit.distances(cloud).tobytes() == theirs.transform(cloud).tobytes()
    new = np.random.default_rng(0).normal(size=(1000, 6))
    assert (fit.nearest(new) == theirs.predict(new)).all()


def test_ward_knows_no_order_of_segments_and_no_seed(cloud):
    # two of each, and a grid, so that many mergers are as good as each other
    points = np.concatenate([cloud, cloud[:50], np.indices((6,) * 2).reshape(2, -1).T @ np.ones((2, 6))])
    order = np.random.default_rng(1).permutation(len(points))
    fit, other = Ward(seed=0).fit(points, 7), Ward(seed=1).fit(points[order], 7)
    assert (fit.labels[order] == other.labels).all()
    assert fit.centroids.tobytes() == other.centroids.tobytes()


def test_ward_ends_where_kmeans_mends_the_tree_of_scipy(cloud):
    tree = cut_tree(linkage(cloud, "ward"), 5).ravel()
    starts = np.stack([cloud[tree == label].mean(axis=0) for label in range(5)])
    mended = sklearn_cluster.KMeans(5, init=starts, n_init=1).fit(cloud)
    fit = Ward().fit(cloud, 5)
    assert adjusted_rand_score(mended.labels_, fit.labels) == 1
    assert adjusted_rand_score(tree, fit.labels) > 0.3

    def spread(labels):
        return sum(
            ((cloud[labels == one] - cloud[labels == one].mean(axis=0)) ** 2).sum() for one in range(5)
        )

    assert spread(fit.labels) < spread(tree)


def test_too_many_segments_for_a_way_that_has_a_limit_are_refused_by_the_key_and_before_any_work(monkeypatch):
    monkeypatch.setattr(Ward, "most_segments", 20_000)
    many = np.zeros((20_001, 1))
    with pytest.raises(ConfigurationError, match=r"(?s)clusters\.method.*at most 20,000 .* 20,001.*kmeans"):
        Ward().fit(many, 1)
    with pytest.raises(ConfigurationError, match=r"clusters\.method"):
        choose_k(np.arange(20_001.0)[:, None], Clusters(method="ward", k=3))
    KMeans().check_size(10**9)


def test_pieces_of_many_segments_are_linked_by_ward_as_the_segments_would_be(monkeypatch):
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 6, 6000)
    points = (3 * rng.normal(size=(6, 4)))[truth] + 0.8 * rng.normal(size=(6000, 4))
    whole = Ward().fit(points, 6)
    monkeypatch.setattr(ward, "MOST_LINKED", 5000)
    by_pieces = Ward().fit(points, 6)
    assert adjusted_rand_score(whole.labels, by_pieces.labels) > 0.98


def test_the_method_is_average_linkage_unless_another_is_named(tmp_path):
    path = tmp_path / "city.yaml"

    def method(text):
        path.write_text(f"city: x\nimagery: {{sources: [a.tif]}}\nroads: {{source: r.gpkg}}\n{text}\n")
        return load(path).clusters

    assert isinstance(method(""), Average)
    assert isinstance(method("clusters: {}"), Average)
    assert isinstance(method("clusters: {k: 5}"), Average)
    assert isinstance(method("clusters: {method: kmeans}"), KMeans)
    named = method("clusters: {method: ward, k: 5, components: null}")
    assert isinstance(named, Ward)
    assert (named.k, named.components) == (5, None)
    for named in ("banana", "5", "[kmeans, ward]"):
        with pytest.raises(
            ConfigurationError,
            match=r"clusters\.method: one of average, kmeans, ward, leiden, scan, temi is expected \(found ",
        ):
            method(f"clusters: {{method: {named}}}")
    with pytest.raises(ConfigurationError, match=r"clusters\.linkage: no such key \(found 'complete'\)"):
        method("clusters: {method: ward, linkage: complete}")


def test_a_section_made_without_a_file_is_of_the_kind_that_it_names():
    assert method_of(Clusters(k=3)) == Average(k=3) == cluster_settings(k=3)
    assert method_of(Clusters(method="ward", seed=2)) == Ward(seed=2)
    with pytest.raises(
        ConfigurationError,
        match=r"(?s)clusters\.method: there is no 'banana'.*average, kmeans, ward, leiden, scan, temi",
    ):
        method_of(Clusters(method="banana"))


def test_the_report_says_how_types_were_found():
    told = {kind.tag: methods(kind.words)["Types"] for kind in KINDS}
    assert told["kmeans"].startswith("k-means on embeddings of the imagery alone;")
    assert told["ward"].startswith("Ward's linkage, mended by k-means, on embeddings of the imagery alone;")


class Slices(ClusteringKind):
    """Cuts along the first component, at equal distances: a way of clustering that a test adds."""

    tag: ClassVar[str] = "slices"
    form: ClassVar[str] = "slices"
    words: ClassVar[str] = "slices"

    method: Literal["slices"] = "slices"
    margin: float = Field(default=0.0, description="Left out at both ends.")

    def _fit(self, points, k, *, thorough):  # noqa: ARG002 - one way only
        edges = np.linspace(points[:, 0].min(), points[:, 0].max(), k + 1)[1:-1]
        labels = np.digitize(points[:, 0], edges)
        return Fit(labels, np.stack([points[labels == one].mean(axis=0) for one in range(k)]))


def test_a_new_way_is_a_module_and_a_place_in_the_registry(monkeypatch, cloud):
    monkeypatch.setattr(registry, "KINDS", (*KINDS, Slices))

    class City(CityConfig):
        clusters: one_of("geo.clusters.registry", key="method") = Field(default={}, validate_default=True)

    assert isinstance(City(**SMALL).clusters, Average)
    with pytest.raises(
        ValidationError, match="one of average, kmeans, ward, leiden, scan, temi, slices is expected"
    ):
        City(**SMALL, clusters={"method": "banana"})
    with pytest.raises(ValidationError, match=r"clusters\.average\.margin"):
        City(**SMALL, clusters={"margin": 1.0})
    settings = City(**SMALL, clusters={"method": "slices", "k": 2, "margin": 1.0, "resamples": 3}).clusters
    found = cluster(cloud, 2, settings)
    half = (cloud[:, 0].min() + cloud[:, 0].max()) / 2
    assert adjusted_rand_score(cloud[:, 0] < half, found.labels) == 1
    assert choose_k(cloud, settings)["stability"].notna().all()
    assert method_of(Clusters(method="slices")) == Slices()
