"""Ground that two flights show tells what a flight changes, which is then evened out."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo.clusters.flights.likeness import alike
from geo.clusters.flights.twice import MOST, in_equal_parts, shown_twice
from geo.clusters.space import to_space
from geo.clusters.whitening.scatter import Scatter, scatter_of_looks
from geo.clusters.whitening.whiten import Whitening
from geo.config import Clusters


def tiles_of(names):
    return gpd.GeoDataFrame({"tile_id": [f"t{i:04d}" for i in range(len(names))], "image_ids": names})


def test_a_tile_is_read_as_each_of_the_first_two_flights_shows_it():
    flights = {"a": "2020", "b": "2021", "c": "2020", "d": "2022"}
    found = shown_twice(tiles_of([["b", "a", "d", "c"], ["a", "c"], [], ["d", "b"]]), flights)
    assert found.to_dict("index") == {
        0: {"first": ["b"], "second": ["a", "c"]},
        3: {"first": ["d"], "second": ["b"]},
    }


def test_of_many_tiles_so_many_are_taken_and_of_flights_that_do_not_overlap_none():
    flights = {"a": "2020", "b": "2021"}
    assert len(shown_twice(tiles_of([["a", "b"]] * 900), flights)) == MOST
    assert shown_twice(tiles_of([["a"], ["b"]]), flights).empty
    assert shown_twice(tiles_of([]), flights).empty


def test_turns_and_flights_have_the_same_weight_whatever_their_number():
    turns = scatter_of_looks(np.random.default_rng(0).normal(size=(300, 4, 5)))
    flights = scatter_of_looks(np.random.default_rng(1).normal(size=(20, 2, 5)))
    both = in_equal_parts(turns, flights)
    assert both.mean == pytest.approx((turns.mean + flights.mean) / 2)
    assert in_equal_parts(turns, Scatter.none(5)).mean == pytest.approx(turns.mean)
    assert in_equal_parts(Scatter.none(5), flights).mean == pytest.approx(flights.mean)


def test_flights_mix_once_what_differs_on_ground_flown_twice_is_evened_out():
    """Of 120 roads a flight, which a flight moves along some directions, 24 are seen by both."""
    rng = np.random.default_rng(7)
    n, dimension = 120, 24
    kinds = np.tile(np.arange(3), 2 * n // 3)
    roads = pd.DataFrame(
        {
            "flight": np.repeat(["a", "b"], n),
            "road_class": np.array(["primary", "secondary", "residential"])[kinds],
            "x": 600.0 * (np.arange(2 * n) % 12) + 50_000 * (np.arange(2 * n) >= n),
            "y": 600.0 * (np.arange(2 * n) % n // 12),
        }
    )
    true = np.eye(dimension)[kinds] + rng.normal(scale=0.3, size=(2 * n, dimension))
    change = np.zeros(dimension)
    change[5:8] = 1.0
    looks = true + np.where(roads["flight"] == "b", 1.0, 0.0)[:, None] * change
    twice = np.stack([true[:24], true[:24] + change], axis=1)
    turns = scatter_of_looks(true[:, None] + rng.normal(scale=0.1, size=(2 * n, 4, dimension)))
    settings = Clusters(components=16)

    def seen(scatter):
        evened = Whitening.fit(looks, scatter).transform(looks).astype(np.float32)
        return alike(to_space(evened, settings), roads)

    before, after = seen(turns), seen(in_equal_parts(turns, scatter_of_looks(twice)))
    assert before.mixing < 0.2
    assert after.mixing > 3 * before.mixing
    assert after.transfer > before.transfer - 0.02
