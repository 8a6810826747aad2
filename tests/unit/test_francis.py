"""The method that roadprint starts from, as the bench applies it: counting, keeping, grouping, and the autoencoder."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import shapely

PATH = Path(__file__).parents[2] / "bench" / "francis.py"


@pytest.fixture(scope="module")
def francis():
    spec = importlib.util.spec_from_file_location("francis", PATH)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["francis"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["francis"]


def test_a_collision_counts_at_every_point_within_55_metres(francis):
    points = shapely.points([(0, 0), (40, 0), (200, 0)])
    collisions = shapely.points([(20, 0), (95, 0), (95.1, 0), (500, 0)])
    assert francis.count_near(points, collisions).tolist() == [1, 2, 0]


def test_the_bottleneck_is_32_by_12_by_12(francis):
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 96, 96), dtype=np.uint8)
    features, error = francis.train(images, seed=0, epochs=1)
    assert features.shape == (5, 32 * 12 * 12)
    assert 0 < error < 1
    again, _ = francis.train(images, seed=0, epochs=1)
    np.testing.assert_array_equal(features, again)


def test_training_draws_the_images_better(francis):
    ramp = np.linspace(0, 255, 96).astype(np.uint8)
    images = np.broadcast_to(ramp, (8, 3, 96, 96)).copy()
    errors = [francis.train(images, seed=1, epochs=epochs)[1] for epochs in (1, 40)]
    assert errors[1] < errors[0] / 2


def test_tiles_are_shrunk_with_their_colours(francis):
    tile = np.zeros((3, 224, 200), dtype=np.uint8)
    tile[0] = 200
    small = francis.shrink(tile)
    assert small.shape == (3, 96, 96)
    assert small[0].min() == small[0].max() == 200


def test_components_that_correlate_with_collisions_are_kept(francis):
    rng = np.random.default_rng(3)
    counts = rng.poisson(4, 300)
    space = np.column_stack([rng.normal(size=300), counts + rng.normal(size=300)])
    assert 1 in francis.correlated(space, counts)
    assert francis.correlated(space, np.zeros(300, dtype=int)).tolist() == [0, 1]


def test_only_points_with_three_collisions_are_grouped(francis):
    rng = np.random.default_rng(4)
    counts = np.repeat([0, 2, 3, 9], 20)
    space = rng.normal(size=(80, 2)) + 20 * (counts >= 9)[:, None]
    found = francis.find(space, counts, 2)
    assert found.hazardous.tolist() == list(range(40, 80))
    assert len(set(found.labels[:20]) | set(found.labels[20:])) == 2
    assert found.p_value < 1e-6


@pytest.mark.parametrize("counts", [[0] * 10, [3] * 10, [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]])
def test_where_there_is_nothing_to_test_nothing_is_called(francis, counts):
    space = np.random.default_rng(5).normal(size=(10, 3))
    assert francis.find(space, np.array(counts), 3).p_value == 1.0
