"""Windows along roads counted by hand, and how concentrated collisions are, against chance and known cities."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config.sections.safety import Weights
from geo.roads.graph import build_graph
from geo.roads.routes import chain, locate
from geo.safety.along.high_injury import HeadlineSettings, headline_shares
from geo.safety.along.windows import (
    KINDS,
    cell_of,
    count_in_cells,
    kinds_of,
    lay_windows,
    threshold_score,
    window_layer,
    window_scores,
)
from tests.unit.networks import backwards, collisions, grid, network

TOLD = frozenset({"fatal", "serious", "slight"})
WEIGHTS = Weights(fatal=3, serious=3, slight=1, unknown=1).model_dump()


def laid(roads, places, severity, window_m=400.0, step_m=100.0, **network_settings):
    segments, junctions = network(*roads, **network_settings)
    routes = chain(build_graph(segments, junctions), segments)
    windows = lay_windows(routes, window_m, step_m, 200.0)
    located = locate(routes, collisions(segments, junctions, *places))
    kind = kinds_of(pd.Series(severity, dtype=object))
    cell = cell_of(windows, located)
    counts = count_in_cells(windows, cell, kind[located["collision"]], located["share"].to_numpy())
    return windows, located, counts


def layer(windows, counts, told=TOLD, untold=None):
    best = windows.best(window_scores(windows, counts, WEIGHTS))
    threshold = threshold_score(best, counts[:, :2].sum(axis=1), 0.5)
    return window_layer(windows, counts, WEIGHTS, told, threshold, untold=untold)


LONG = [(((0, 0), (1000, 0)), "Long Road")]


def test_windows_run_in_steps_and_the_last_ends_where_the_road_does():
    windows, _, counts = laid([(((0, 0), (1050, 0)), "Long Road")], [], [])
    found = layer(windows, counts)
    assert found["from_m"].tolist() == [0, 100, 200, 300, 400, 500, 600, 650]
    assert found["to_m"].tolist() == [400, 500, 600, 700, 800, 900, 1000, 1050]
    assert not found["short_route"].any()
    np.testing.assert_allclose(found.length, 400)


def test_windows_counted_by_hand():
    places = [(50, 0), (350, 3), (420, 0), (999, 0), (1000, 0)]
    windows, _, counts = laid(LONG, places, ["fatal", "slight", "serious", "slight", None], max_length_m=150)
    found = layer(windows, counts).set_index("from_m")
    assert found["n_collisions"].tolist() == [2, 2, 2, 2, 1, 0, 2]
    assert found["n_fatal"].tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert found["n_ksi"].tolist() == [1, 1, 1, 1, 1, 0, 0]
    # three for a fatal or serious one, one for a slight or unknown one, over 0.4 km
    assert found["score_per_km"].tolist() == [10, 10, 10, 10, 7.5, 0, 5]
    assert found["rank"].astype("Float64").tolist() == [1, 1, 1, 1, 5, pd.NA, 6]
    assert found["in_high_injury_network"].tolist() == [True] * 4 + [False] * 3


def test_a_short_route_is_one_window_of_its_own_length_scored_as_a_longer_one():
    windows, _, counts = laid([(((0, 0), (60, 0)), "Short")], [(10, 0)], ["serious"])
    found = layer(windows, counts)
    assert found[["from_m", "to_m", "length_m", "short_route"]].to_numpy().tolist() == [[0, 60, 60, True]]
    assert found["score_per_km"].item() == pytest.approx(3 / 0.2)


def test_a_collision_at_a_crossing_counts_half_for_each_of_the_roads_that_cross():
    roads = [(((-200, 0), (200, 0)), "A"), (((0, -200), (0, 200)), "B")]
    windows, _, counts = laid(roads, [(0, 0)], ["fatal"])
    assert layer(windows, counts)["n_fatal"].tolist() == [0.5, 0.5]


def test_what_records_cannot_tell_is_null():
    windows, _, counts = laid(LONG, [(50, 0)], ["slight"])
    found = layer(windows, counts, frozenset({"slight"}))
    assert found["n_ksi"].isna().all()
    assert found["in_high_injury_network"].isna().all()


@settings(max_examples=25)
@given(st.data())
def test_each_collision_lies_in_one_cell_whatever_way_lines_are_drawn(data):
    segments, junctions = network(*grid(3))
    places = data.draw(
        st.lists(st.tuples(*[st.integers(0, 2000).map(lambda x: x / 10)] * 2), min_size=1, max_size=8)
    )
    turned = np.array(data.draw(st.lists(st.booleans(), min_size=len(segments), max_size=len(segments))))
    order = list(data.draw(st.permutations(range(len(segments)))))
    some = collisions(segments, junctions, *places)
    found = []
    for each in (segments, backwards(segments, turned).iloc[order]):
        routes = chain(build_graph(each, junctions), each)
        windows = lay_windows(routes, 90.0, 40.0, 50.0)
        located = locate(routes, some)
        kind = np.zeros(len(located), dtype=np.int64)
        counts = count_in_cells(windows, cell_of(windows, located), kind, located["share"].to_numpy())
        assert counts.sum() == pytest.approx(len(places))
        assert windows.cell_m.sum() == pytest.approx(segments["length_m"].sum())
        found.append(layer(windows, counts).drop(columns="geometry"))
    same = ["window_id", "from_m", "to_m", "length_m"]
    pd.testing.assert_frame_equal(found[0][same], found[1][same])
    # a point at the very limit of two windows may fall to either, when its line is measured from the other end
    assert (found[0]["n_collisions"] - found[1]["n_collisions"]).abs().sum() <= 2 * len(places)


def test_the_best_window_over_each_cell_is_the_best_of_all_that_cover_it():
    rng = np.random.default_rng(5)
    windows, _, _ = laid(grid(5), [], [], window_m=170.0, step_m=60.0)
    value = rng.random(len(windows.start))
    covers = (windows.start <= windows.limits[:-1, None]) & (windows.end >= windows.limits[1:, None])
    assert (windows.best(value) == np.where(covers, value, -np.inf).max(axis=1)).all()
    cells = rng.random((len(windows.row), len(KINDS)))
    np.testing.assert_allclose(windows.total(cells), covers.T @ cells)


# how few roads carry how much

CITY = grid(12, 250.0)


def asked(block_m=500, resamples=199, draws=99, splits=5):
    """Ask where half of the collisions lie, and what 5 % of length carry."""
    return HeadlineSettings(0.5, 0.05, block_m, seed=0, block_resamples=resamples, draws=draws, splits=splits)


def numbers(places, severity, outcome="ksi", how=None, **more):
    windows, located, _ = laid(CITY, places, severity, 500.0, 250.0)
    told = pd.Series(severity, dtype=object)
    table = headline_shares(windows, located, told, WEIGHTS, outcome, how or asked(), **more)
    return table.set_index("measure")


def along_streets(rng, n, streets):
    """Points on streets of the grid, uniform by length."""
    where = rng.uniform(0, 2750, n)
    at = rng.choice(streets, n) * 250.0
    return [(x, y) if row else (y, x) for x, y, row in zip(where, at, rng.random(n) < 0.5, strict=True)]


LENGTH, KSI = "share_of_length_with_50_pct_of_ksi", "share_of_ksi_on_5_pct_of_length"


def test_collisions_on_two_streets_are_concentrated_and_stay_so_when_held_out():
    rng = np.random.default_rng(0)
    found = numbers(along_streets(rng, 150, [3]) + along_streets(rng, 60, range(12)), ["serious"] * 210)
    assert found.loc[LENGTH, "value"] < 0.09
    assert found.loc[LENGTH, "low"] <= found.loc[LENGTH, "value"] <= found.loc[LENGTH, "high"]
    assert (found["p_value"] == 0.01).all()
    assert found.loc[KSI, "held_out"] > 0.3
    assert (found["held_out_p_value"] <= 0.02).all()
    assert found.loc[LENGTH, "held_out"] < found.loc[LENGTH, "held_out_chance_low"]


def test_collisions_by_chance_look_concentrated_and_the_table_says_that_it_is_chance():
    rng = np.random.default_rng(1)
    found = numbers(along_streets(rng, 60, range(12)), ["serious"] * 60)
    assert found.loc[LENGTH, "value"] < 0.3
    assert found.loc[LENGTH, "chance_low"] <= found.loc[LENGTH, "value"] <= found.loc[LENGTH, "chance_high"]
    assert (found["p_value"] > 0.02).all()
    # nothing of it is there in the other half
    assert found.loc[LENGTH, "held_out"] == pytest.approx(0.5, abs=0.12)
    assert found.loc[KSI, "held_out"] == pytest.approx(0.05, abs=0.05)
    # the half that is counted lies on the chosen roads as on any
    assert found.loc[LENGTH, "held_out_chance"] == pytest.approx(0.5, abs=0.03)
    assert found.loc[KSI, "held_out_chance"] == pytest.approx(0.05, abs=0.02)
    assert (found["held_out_p_value"] > 0.05).all()


def test_the_p_value_is_uniform_when_collisions_lie_by_chance():
    how = asked(resamples=2, draws=19, splits=1)
    p = [
        numbers(along_streets(np.random.default_rng(seed), 40, range(12)), ["serious"] * 40, how=how)[
            "p_value"
        ]
        for seed in range(40)
    ]
    below = (pd.concat(p, axis=1).loc[LENGTH] <= 0.25).mean()
    assert 0.05 <= below <= 0.45


def test_what_traffic_explains_is_no_concentration_beyond_chance():
    rng = np.random.default_rng(4)
    places = along_streets(rng, 200, [3]) + along_streets(rng, 200, range(12))
    windows, _, _ = laid(CITY, places, ["serious"] * 400, 500.0, 250.0)
    road = windows.routes.road["name"].to_numpy()[windows.routes.table["route"]]
    risk = pd.Series(
        np.where(np.isin(road, ["row 3", "column 3"]), 13.0, 1.0),
        windows.routes.graph.segment_id[windows.routes.table["row"]],
    )
    plain = numbers(places, ["serious"] * 400)
    explained = numbers(places, ["serious"] * 400, relative_risk=risk)
    assert plain.loc[KSI, "p_value"] == 0.01
    assert explained.loc[KSI, "p_value"] > 0.02
    assert explained.loc[KSI, "chance"] > 2 * plain.loc[KSI, "chance"]


def test_the_same_seed_gives_the_same_numbers_in_any_order_of_collisions():
    rng = np.random.default_rng(6)
    # some at crossings, which begin in the cell of others beside them
    crossings = [(250.0 * x, 250.0 * y) for x, y in rng.integers(0, 4, (40, 2))]
    beside = [(x + 30, y) for x, y in crossings[:20]]
    places = along_streets(rng, 50, range(12)) + crossings + beside
    severity = list(rng.choice(["serious", "slight"], len(places), p=[0.7, 0.3]))
    order = rng.permutation(len(places))
    one = numbers(places, severity)
    two = numbers([places[i] for i in order], [severity[i] for i in order])
    pd.testing.assert_frame_equal(one, two)


def test_without_enough_there_is_a_reason_and_no_number():
    few = numbers([(10, 0)] * 19, ["serious"] * 19)
    assert few[["value", "low", "chance", "held_out"]].isna().all(axis=None)
    assert few["reason"].str.contains("fewer than 20").all()
    assert numbers([], [])["n"].tolist() == [0, 0]
    rng = np.random.default_rng(7)
    big_blocks = asked(block_m=5000, draws=9, splits=1)
    coarse = numbers(along_streets(rng, 40, range(12)), ["slight"] * 40, "collisions", big_blocks)
    assert coarse["value"].notna().all()
    assert coarse[["low", "high"]].isna().all(axis=None)
    assert coarse["reason"].str.contains("blocks").all()


def test_windows_that_begin_within_a_metre_have_names_of_their_own():
    windows, _, counts = laid([(((0, 0), (1000.4, 0)), "Long Road")], [], [])
    table = layer(windows, counts)
    begins = table.groupby("route_id")["from_m"].diff().dropna()
    assert (begins < 1).any()
    assert not table["window_id"].duplicated().any()


def test_a_window_whose_collisions_do_not_tell_their_severity_has_no_ksi_and_says_so():
    places = [(50, 0), (950, 0), (960, 0)]
    windows, located, counts = laid(LONG, places, ["fatal", None, None], max_length_m=150)
    silent = np.array([False, True, True])[located["collision"]]
    untold = np.bincount(cell_of(windows, located), weights=silent, minlength=len(counts))
    found = layer(windows, counts, untold=untold)
    assert found["n_collisions"].iloc[[0, 3, -1]].tolist() == [1, 0, 2]
    assert found["n_severity_unknown"].iloc[[0, 3, -1]].tolist() == [0, 0, 2]
    assert found["n_ksi"].iloc[[0, 3]].tolist() == [1, 0]
    assert np.isnan(found["n_ksi"].iloc[-1])
