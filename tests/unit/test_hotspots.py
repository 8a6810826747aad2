"""Gi* along the network: by hand, by enumeration, by esda's own permutations, and towns without any spot."""

import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from esda.getisord import G_Local
from libpysal.graph import Graph

from geo.roads.graph import build_graph, distances_between
from geo.safety.along.hotspots import hot_spots, permuted
from tests.unit.networks import backwards, grid, network

ROW_OF_FIVE = [(((100 * i, 0), (100 * i + 100, 0)), f"part {i}") for i in range(5)]


def of_grid(side=8):
    segments, junctions = network(*grid(side))
    return build_graph(segments, junctions)


def series(graph, values):
    return pd.Series(values, pd.Index(graph.segment_id))


def test_gi_star_worked_by_hand():
    # five segments in a row, values 9, 7, 2, 1, 1: mean 4, variance (81 + 49 + 4 + 1 + 1) / 5 - 16 = 11.2
    segments, junctions = network(*ROW_OF_FIVE)
    graph = build_graph(segments, junctions)
    west_to_east = np.argsort(graph.xy[graph.node[:, 0], 0])
    values = series(graph, np.empty(5))
    values.iloc[west_to_east] = [9.0, 7.0, 2.0, 1.0, 1.0]
    found = hot_spots(graph, values, 100.0, permutations=999, seed=0).iloc[west_to_east]
    # (sum over the segment and its k neighbours - (k + 1) mean) / sqrt(variance (k + 1)(5 - k - 1) / 4)
    at_ends, inside = np.sqrt(11.2 * 2 * 3 / 4), np.sqrt(11.2 * 3 * 2 / 4)
    by_hand = [
        (16 - 8) / at_ends,
        (18 - 12) / inside,
        (10 - 12) / inside,
        (4 - 12) / inside,
        (2 - 8) / at_ends,
    ]
    assert found["gi_star_z"].tolist() == pytest.approx(by_hand)
    assert found["n_neighbours"].tolist() == [1, 2, 2, 2, 1]


def test_p_values_are_those_of_all_ways_to_choose_the_neighbours():
    y = np.array([5.0, 3.0, 3.0, 1.0, 0.0, 0.0, 0.0, 8.0, 2.0])
    one, other = np.array([0, 0, 0, 1, 2, 7]), np.array([1, 2, 7, 0, 0, 0])
    found = permuted(y, one, other, 40_000, 1)
    for i, mine in ((0, [1, 2, 7]), (1, [0]), (7, [0])):
        sums = np.array(
            [y[list(each)].sum() for each in combinations([j for j in range(9) if j != i], len(mine))]
        )
        tails = ((sums >= y[mine].sum()).mean(), (sums <= y[mine].sum()).mean())
        assert found[i] == pytest.approx(min(1, 2 * min(tails)), abs=0.01)
    assert (found[[3, 4, 5, 6, 8]] == 1).all()


def test_on_a_lattice_statistic_and_p_are_esdas():
    graph = of_grid()
    rng = np.random.default_rng(0)
    values = series(graph, rng.gamma(0.5, 1, len(graph.segment_id)))
    found = hot_spots(graph, values, 150.0, permutations=20_000, seed=0)
    one, other, _ = distances_between(graph, 150.0)
    weights = Graph.from_arrays(one, other, np.ones(len(one)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = G_Local(
            values.to_numpy(), weights, "B", 4999, star=True, n_jobs=1, seed=1, keep_simulations=False
        )
    np.testing.assert_allclose(found["gi_star_z"], theirs.Zs)
    np.testing.assert_allclose(found["p_value"], np.minimum(2 * theirs.p_sim, 1), atol=0.04)


def test_a_hot_quarter_is_found_and_a_cold_one_is_not_made_of_it():
    graph = of_grid(16)
    rng = np.random.default_rng(2)
    middle = graph.xy[graph.node].mean(axis=1)
    hot = np.hypot(middle[:, 0] - 400, middle[:, 1] - 400) < 250
    values = series(graph, rng.gamma(1, 1, len(hot)) + 4 * hot)
    found = hot_spots(graph, values, 200.0, permutations=99_999, seed=0)
    assert (found.loc[hot, "spot"] == "hot").mean() > 0.9
    assert (found.loc[~hot, "spot"] == "hot").mean() < 0.1
    assert (found["spot"] == "cold").sum() < 20


def test_towns_without_spots_seldom_show_any():
    graph = of_grid(10)
    rng = np.random.default_rng(3)
    n = len(graph.segment_id)
    any_spot, p = [], []
    for seed in range(60):
        found = hot_spots(graph, series(graph, rng.gamma(0.3, 1, n)), 150.0, permutations=9999, seed=seed)
        any_spot.append((found["spot"] != "none").any())
        p.append(found["p_value"])
    # 5 % of 60 is 3; 8 or more would come up once in a hundred times
    assert sum(any_spot) < 8
    assert (pd.concat(p) <= 0.05).mean() == pytest.approx(0.05, abs=0.012)


def test_rows_in_another_order_and_lines_drawn_from_the_other_end_change_nothing():
    segments, junctions = network(*grid(5))
    rng = np.random.default_rng(4)
    values = pd.Series(rng.gamma(1, 1, len(segments)), pd.Index(segments["segment_id"]))
    order = rng.permutation(len(segments))
    turned = backwards(segments, rng.random(len(segments)) < 0.5).iloc[order]
    one = hot_spots(build_graph(segments, junctions), values, 150.0, permutations=999, seed=0)
    two = hot_spots(build_graph(turned, junctions), values.iloc[order], 150.0, permutations=999, seed=0)
    pd.testing.assert_frame_equal(one, two.loc[one.index])
    assert two.index.tolist() == values.index[order].tolist()


def test_a_constant_added_to_all_values_changes_nothing():
    graph = of_grid(5)
    values = series(graph, np.random.default_rng(5).normal(0, 1, len(graph.segment_id)))
    one, two = (hot_spots(graph, values + add, 150.0, permutations=999, seed=0) for add in (0.0, -1000.0))
    np.testing.assert_allclose(one["gi_star_z"], two["gi_star_z"])
    np.testing.assert_allclose(one["p_value"], two["p_value"])


@pytest.mark.parametrize(
    ("values", "distance", "reason"),
    [
        ([0.0] * 5, 100.0, "all values are the same"),
        ([1.0, 2, 3, 4, 5], 50.0, "no other segment within 50 m"),
        ([1.0, 2, 3, 4, 5], 5000.0, "every other segment is its neighbour"),
        ([np.nan] * 5, 100.0, "its value is not known"),
    ],
)
def test_where_nothing_can_be_said_it_is_null_with_a_reason(values, distance, reason):
    segments, junctions = network(*ROW_OF_FIVE)
    graph = build_graph(segments, junctions)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = hot_spots(graph, series(graph, values), distance, permutations=99, seed=0)
    assert found["reason"].str.startswith(reason).all()
    assert found[["gi_star_z", "p_value", "q_value", "spot"]].isna().all(axis=None)


def test_an_unknown_value_is_nobodys_neighbour_and_an_empty_table_stays_empty():
    segments, junctions = network(*ROW_OF_FIVE)
    graph = build_graph(segments, junctions)
    west_to_east = np.argsort(graph.xy[graph.node[:, 0], 0])
    values = series(graph, np.arange(5.0))
    values.iloc[west_to_east[1]] = np.nan
    found = hot_spots(graph, values, 100.0, permutations=99, seed=0).iloc[west_to_east]
    assert found["n_neighbours"].astype("Float64").tolist() == [0, pd.NA, 1, 2, 1]
    assert found["reason"].isna().tolist() == [False, False, True, True, True]
    nothing = build_graph(segments.iloc[:0], junctions)
    assert len(hot_spots(nothing, values.iloc[:0], 100.0, permutations=99, seed=0)) == 0
