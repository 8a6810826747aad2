"""Density along the network: exact cases, spatstat, and collisions that are neither lost nor made."""

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from geo.roads.graph import build_graph
from geo.roads.routes import chain, locate
from geo.safety.along.density import choose_bandwidth, cut_lixels, density_layer, kernel_density, masses
from tests.unit.networks import backwards, collisions, grid, network

# spatstat.linnet 3.0-6 (R 4.2.2): linnet with these edges, density.lpp(X, sigma = 80, dx = 1)
SPATSTAT_ROADS = [
    (((0, 0), (300, 0)), "a"),
    (((300, 0), (600, 0)), "b"),
    (((300, 0), (300, 400)), "c"),
    (((600, 0), (300, 400)), "d"),
    (((300, 0), (300, -250)), "e"),
    (((600, 0), (900, 0)), "f"),
]
SPATSTAT_COLLISIONS = [(100, 0), (450, 0), (300, -50), (700, 0)]
SPATSTAT = {
    (50, 0): 0.00494410,
    (200, 0): 0.00273665,
    (290, 0): 0.00244438,
    (310, 0): 0.00270986,
    (450, 0): 0.00511911,
    (590, 0): 0.00215111,
    (650, 0): 0.00396450,
    (300, -100): 0.00369627,
    (300, 100): 0.00045375,
    (300, -200): 0.00087747,
}


def smoothed(roads, places, bandwidth, lixel=1.0):
    segments, junctions = network(*roads)
    graph = build_graph(segments, junctions)
    located = locate(chain(graph, segments), collisions(segments, junctions, *places))
    lixels = cut_lixels(graph, lixel)
    return density_layer(
        lixels, kernel_density(lixels, masses(lixels, located), bandwidth), 2.0, segments.crs
    )


def at(layer, *place):
    near = layer.geometry.distance(shapely.Point(*place)).round(6)
    return layer.loc[near == near.min(), "kernel_collisions_per_km"].mean() / 1000


def test_on_a_long_road_the_kernel_is_normal():
    layer = smoothed([(((0, 0), (2000, 0)), "A")], [(1000.5, 0)], 100)
    middle = (layer["from_m"] + layer["to_m"]) / 2
    exact = norm.pdf(middle, 1000.5, 100) * 1000
    np.testing.assert_allclose(layer["kernel_collisions_per_km"], exact, atol=exact.max() * 1e-4)
    np.testing.assert_allclose(layer["kernel_collisions_per_km_year"], layer["kernel_collisions_per_km"] / 2)


def test_a_dead_end_throws_back_what_reaches_it():
    layer = smoothed([(((0, 0), (2000, 0)), "A")], [(60.5, 0)], 100)
    for x in (0.5, 40.5, 150.5):
        assert at(layer, x, 0) == pytest.approx(norm.pdf(x, 60.5, 100) + norm.pdf(x, -60.5, 100), rel=1e-3)


@pytest.mark.parametrize("arms", [3, 4, 5])
def test_at_a_junction_of_n_arms_two_nths_go_on_into_each(arms):
    angles = np.arange(arms) * 2 * np.pi / arms
    roads = [(((0, 0), (1000 * np.cos(a), 1000 * np.sin(a))), f"arm {i}") for i, a in enumerate(angles)]
    layer = smoothed(roads, [(50.5, 0)], 80)
    middle = layer.geometry.centroid
    far, own = np.hypot(middle.x, middle.y), (middle.x > 0) & (middle.y.abs() < 0.01)
    through = norm.pdf(far + 50.5, 0, 80)
    exact = np.where(own, norm.pdf(far - 50.5, 0, 80) + (2 / arms - 1) * through, 2 / arms * through) * 1000
    np.testing.assert_allclose(layer["kernel_collisions_per_km"], exact, atol=exact.max() * 1e-3)
    assert own.sum() == 1000


def test_a_collision_at_the_junction_of_a_star_spreads_alike_into_all_arms():
    tips = [(1000, 0), (-1000, 0), (0, 1000)]
    layer = smoothed([(((0, 0), tip), str(tip)) for tip in tips], [(0, 0)], 100)
    for tip in tips:
        assert at(layer, *(np.array(tip) * 0.0805)) == pytest.approx(2 / 3 * norm.pdf(80.5, 0, 100), rel=5e-3)


def test_round_a_block_it_is_what_spatstat_finds():
    layer = smoothed(SPATSTAT_ROADS, SPATSTAT_COLLISIONS, 80)
    found = {place: at(layer, *place) for place in SPATSTAT}
    # its own pixels lose 0.03 % of the mass
    assert found == pytest.approx(SPATSTAT, rel=0.015)


def test_longer_lixels_give_nearly_the_same():
    fine, coarse = (smoothed(SPATSTAT_ROADS, SPATSTAT_COLLISIONS, 80, lixel) for lixel in (1.0, 20.0))
    for place in ((150, 0), (450, 0), (300, -125)):
        assert at(coarse, *place) == pytest.approx(at(fine, *place), rel=0.03)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.floats(0, 200), st.floats(0, 200)), min_size=1, max_size=8),
    st.sampled_from([20.0, 75.0, 500.0]),
)
def test_it_adds_up_to_the_collisions_in_each_part_of_the_network(places, bandwidth):
    island = (((1000, 1000), (1100, 1000)), "island")
    layer = smoothed([*grid(3), island], [*places, (1050, 1000), (1060, 1000)], bandwidth, 10.0)
    mass = layer["kernel_collisions_per_km"] * (layer["to_m"] - layer["from_m"]) / 1000
    assert (mass >= 0).all()
    on_island = layer.geometry.bounds["minx"] > 900
    assert mass[on_island].sum() == pytest.approx(2, rel=1e-9)
    assert mass[~on_island].sum() == pytest.approx(len(places), rel=1e-9)


@settings(max_examples=8)
@given(st.data())
def test_it_depends_neither_on_the_order_of_rows_nor_on_the_way_lines_are_drawn(data):
    segments, junctions = network(*grid(3))
    order = list(data.draw(st.permutations(range(len(segments)))))
    turned = np.array(data.draw(st.lists(st.booleans(), min_size=len(segments), max_size=len(segments))))
    places = [(33, 0), (100, 100), (0, 57), (47, 0), (12, 200), *[(11.3 + 7.1 * i, 100) for i in range(20)]]
    some = collisions(segments, junctions, *places)
    found = []
    for given_segments, given_collisions in (
        (segments, some),
        (backwards(segments, turned).iloc[order], some.iloc[data.draw(st.permutations(range(len(some))))]),
    ):
        graph = build_graph(given_segments, junctions)
        located = locate(chain(graph, given_segments), given_collisions)
        lixels = cut_lixels(graph, 10.0)
        layer = density_layer(lixels, kernel_density(lixels, masses(lixels, located), 60.0), None)
        layer["x"], layer["y"] = layer.geometry.centroid.x.round(3), layer.geometry.centroid.y.round(3)
        chosen = choose_bandwidth(lixels, located, (30.0, 60.0))
        found.append((layer.sort_values(["x", "y"])["kernel_collisions_per_km"].to_numpy(), chosen))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-7)
    assert found[0][1].bandwidth_m == found[1][1].bandwidth_m
    pd.testing.assert_frame_equal(found[0][1].scores, found[1][1].scores)


def drawn(positions):
    """Collisions along one road of ten kilometres, and its lixels."""
    segments, junctions = network((((0, 0), (10_000, 0)), "A"), max_length_m=200)
    graph = build_graph(segments, junctions)
    points = [(x, 0) for x in positions]
    return cut_lixels(graph, 20.0), locate(chain(graph, segments), collisions(segments, junctions, *points))


def test_collisions_in_clumps_choose_a_kernel_as_wide_as_the_clumps():
    rng = np.random.default_rng(1)
    clumps = np.repeat(rng.uniform(500, 9500, 12), 25) + rng.normal(0, 100, 300)
    chosen = choose_bandwidth(*drawn(np.clip(clumps, 1, 9999)), (10.0, 30.0, 90.0, 800.0))
    assert chosen.bandwidth_m in (30.0, 90.0)
    even = chosen.scores.set_index("bandwidth_m")["log_likelihood"].loc[np.inf]
    assert even == pytest.approx(-np.log(10_000))
    assert chosen.scores["log_likelihood"].max() > even + 0.3


def test_collisions_that_lie_evenly_say_that_no_kernel_foretells_them_better():
    chosen = choose_bandwidth(*drawn(np.random.default_rng(2).uniform(0, 10_000, 60)), (20.0, 60.0))
    assert "spreading collisions evenly" in chosen.how


def test_few_collisions_choose_nothing_and_none_have_no_bandwidth():
    lixels, located = drawn(np.linspace(100, 9000, 19))
    assert choose_bandwidth(lixels, located, (50.0, 100.0, 200.0)).bandwidth_m == 100
    assert "too few" in choose_bandwidth(lixels, located, (50.0, 100.0, 200.0)).how
    nothing = choose_bandwidth(lixels, located.iloc[:0], (50.0,))
    assert nothing.bandwidth_m is None
    assert (kernel_density(lixels, masses(lixels, located.iloc[:0]), 50.0) == 0).all()


def test_collisions_may_weigh_differently():
    lixels, located = drawn([1000.0, 5000.0])
    mass = masses(lixels, located, np.array([3.0, 1.0]))
    assert mass.sum() == 4
    layer = density_layer(lixels, kernel_density(lixels, mass, 100.0), None)
    assert at(layer, 1000.0, 0) == pytest.approx(3 * at(layer, 5000.0, 0), rel=1e-6)
    assert layer["kernel_collisions_per_km_year"].isna().all()
