"""Segments are drawn towards those that look like them elsewhere, and not towards those that show the same ground."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString
from sklearn.neighbors import kneighbors_graph

from geo.clusters.graph.ground import same_ground
from geo.clusters.graph.neighbours import NOBODY, graph_of, nearest
from geo.clusters.graph.smoothing import smooth
from geo.clusters.registry import method_of
from geo.config import Clusters

AVERAGE = method_of(Clusters(method="average"))


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def points():
    return unit(np.random.default_rng(0).normal(size=(1500, 12)))


def test_neighbours_are_those_of_a_search_of_all_pairs(points):
    rows, cosines = nearest(points, 7)
    whole = points @ points.T
    np.fill_diagonal(whole, -np.inf)
    assert (np.sort(rows) == np.sort(np.argsort(-whole, axis=1)[:, :7])).all()
    np.testing.assert_allclose(cosines, np.take_along_axis(whole, rows, 1), atol=1e-6)
    assert (np.diff(cosines, axis=1) <= 0).all()


@pytest.mark.parametrize(("n", "count"), [(50, 5), (7, 6), (300, 3)])
def test_of_equally_alike_ones_the_first_are_taken(n, count):
    # exact in any order of sums, with many of each
    points = np.random.default_rng(n).integers(0, 3, (n, 2)).astype(float)
    whole = points @ points.T
    np.fill_diagonal(whole, -np.inf)
    rows, _ = nearest(points, count)
    assert (rows == np.argsort(-whole, axis=1, kind="stable")[:, :count]).all()


def test_cells_find_nearly_all_neighbours_of_many_points():
    rng = np.random.default_rng(1)
    points = unit(
        unit(rng.normal(size=(40, 16)))[rng.integers(0, 40, 6000)] + 0.15 * rng.normal(size=(6000, 16))
    )
    exact, cells = nearest(points, 5)[0], nearest(points, 5, exact=1000)[0]
    found = (exact[:, :, None] == cells[:, None, :]).any(axis=2).mean()
    assert 0.97 < found < 1


@pytest.mark.parametrize("exact", [10_000, 100])
def test_what_is_left_out_is_no_neighbour(points, exact):
    near = same_ground(
        gpd.GeoDataFrame(
            geometry=[LineString([(10 * i, 0), (10 * i + 9, 0)]) for i in range(1500)], crs=27700
        ),
        tile_m=25,
    )
    rows = nearest(points, 5, left_out=near, exact=exact)[0]
    # lines that lie 25 m apart or less: three on either side
    apart = np.abs(rows - np.arange(1500)[:, None])
    assert apart.min() > 3
    assert (np.abs(nearest(points, 1499)[0] - np.arange(1500)[:, None]) <= 3).any()


def test_fewer_than_asked_for_are_told():
    rows, cosines = nearest(np.eye(3), 5)
    assert (rows[:, 2:] == NOBODY).all()
    assert np.isneginf(cosines[:, 2:]).all()
    assert sorted(rows[0, :2]) == [1, 2]


def test_the_graph_is_symmetric_and_knows_nobody():
    graph = graph_of(np.array([[1, NOBODY], [2, NOBODY], [1, 0], [NOBODY, NOBODY]])).toarray()
    assert (graph == graph.T).all()
    assert graph.sum(axis=1).tolist() == [2, 2, 2, 0]


def test_mutual_neighbours_are_those_that_both_name(points):
    one_way = kneighbors_graph(points, 4).toarray()
    rows, _ = nearest(points, 4)
    assert (graph_of(rows, mutual=True).toarray() == np.minimum(one_way, one_way.T)).all()
    assert (graph_of(rows).toarray() == np.maximum(one_way, one_way.T)).all()


def test_groups_come_apart_and_every_row_keeps_its_length():
    rng = np.random.default_rng(2)
    truth = np.repeat([0, 1, 2], 60)
    points = unit(unit(rng.normal(size=(3, 10)))[truth] + 0.35 * rng.normal(size=(180, 10)))
    smoothed = smooth(points, AVERAGE)
    np.testing.assert_allclose(np.linalg.norm(smoothed, axis=1), 1)

    def contrast(rows):
        likeness = rows @ rows.T
        same = truth[:, None] == truth
        return likeness[same].mean() - likeness[~same].mean()

    assert contrast(smoothed) > 1.3 * contrast(points)


def test_one_that_has_no_neighbour_stays_where_it_is():
    lines = [LineString([(0, i), (50, i)]) for i in range(3)]
    points = unit(np.random.default_rng(0).normal(size=(3, 4)))
    near = same_ground(gpd.GeoDataFrame(geometry=lines, crs=27700), tile_m=50)
    np.testing.assert_allclose(smooth(points, AVERAGE, near), points)


@pytest.mark.parametrize("keys", [{"neighbours": 0}, {"smoothing": 0}])
def test_no_neighbours_or_no_steps_leave_points_as_they_are(points, keys):
    assert smooth(points, AVERAGE.model_copy(update=keys)) is points


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_handful_of_points_has_a_defined_answer(n):
    points = unit(np.arange(1.0, 2 * n + 1).reshape(n, 2)) if n else np.zeros((0, 2))
    assert np.isfinite(smooth(points, AVERAGE)).all()


def test_kmeans_takes_segments_as_they_are_unless_told_otherwise(points):
    assert smooth(points, method_of(Clusters(method="kmeans"))) is points
    assert smooth(points, method_of(Clusters(method="kmeans", neighbours=5))) is not points


def test_the_same_ground_is_shown_by_near_lines_and_along_one_road():
    lines = [LineString([(x, y), (x + 50, y)]) for x, y in ((0, 0), (0, 90), (240, 0), (240, 400), (590, 0))]
    roads = gpd.GeoDataFrame(
        {
            "name": ["High Street", None, "High Street", None, "High Street"],
            "ref": [None, "A1", None, "A1", None],
        },
        geometry=lines,
        crs=27700,
    )
    pairs = same_ground(roads, tile_m=100)
    assert {tuple(map(int, pair)) for pair in np.argwhere(pairs.toarray())} == {
        (0, 1),
        (1, 0),
        (0, 2),
        (2, 0),
    }
    assert pairs[[1]].nnz == 1
    assert same_ground(roads.iloc[:0], tile_m=100).shape == (0, 0)
