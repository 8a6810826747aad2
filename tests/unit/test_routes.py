"""How roads go on through junctions, and where collisions lie along them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.roads.graph import build_graph
from geo.roads.routes import chain, locate
from tests.unit.networks import backwards, collisions, grid, network


def test_a_road_goes_straight_on_through_a_junction_and_others_do_not():
    segments, junctions = network(
        (((0, 0), (100, 0), (200, 0)), "High Street"),
        (((100, 0), (100, 80)), "Side Street"),
        (((100, 0), (100, -60)), None),
    )
    routes = chain(build_graph(segments, junctions), segments)
    assert sorted(routes.length_m) == [60, 80, 200]
    assert routes.road.loc[routes.length_m.argmax(), "name"] == "High Street"


def test_of_a_road_that_forks_the_straightest_way_goes_on():
    segments, junctions = network(
        (((0, 0), (100, 0)), "A"), (((100, 0), (200, 10)), "A"), (((100, 0), (170, 70)), "A")
    )
    routes = chain(build_graph(segments, junctions), segments)
    assert sorted(routes.length_m) == pytest.approx([np.hypot(70, 70), 100 + np.hypot(100, 10)], abs=0.01)


def test_a_ring_road_is_one_route_opened_at_its_western_junction():
    corners = [(0, 0), (300, 300), (600, 0), (300, -300), (0, 0)]
    segments, junctions = network(
        (corners, "Ring"), (((300, 300), (300, 600)), "Spur"), (((600, 0), (800, 0)), "Spur 2")
    )
    routes = chain(build_graph(segments, junctions), segments)
    ring = routes.table[routes.table["route"] == routes.length_m.argmax()]
    assert routes.length_m.max() == pytest.approx(4 * np.hypot(300, 300), abs=0.05)
    first = ring.iloc[0]
    start = routes.graph.node[first["row"], int(first["turned"])]
    assert routes.graph.xy[start].tolist() == [300, 300]


def test_two_carriageways_that_meet_where_they_end_are_two_routes():
    segments, junctions = network(
        (((0, 0), (500, 10)), "Dual"), (((500, 10), (0, 20)), "Dual"), (((500, 10), (700, 10)), None)
    )
    assert len(chain(build_graph(segments, junctions), segments).route_id) == 3


def test_a_collision_at_a_junction_is_shared_out_over_its_arms():
    segments, junctions = network((((0, 0), (200, 0)), "A"), (((100, 0), (100, 90)), "B"))
    graph = build_graph(segments, junctions)
    located = locate(chain(graph, segments), collisions(segments, junctions, (100, 0), (30, 2)))
    assert located.groupby("collision")["share"].sum().tolist() == [1, 1]
    at_crossing = located[located["collision"] == 0]
    assert at_crossing["share"].tolist() == pytest.approx([1 / 3] * 3)
    assert sorted(at_crossing["at_m"].round(6)) in ([0, 100, 100], [90, 100, 100])
    assert located.loc[located["collision"] == 1, "at_m"].item() == pytest.approx(30)


def test_what_is_not_of_this_network_is_in_no_row():
    segments, junctions = network((((0, 0), (200, 0)), "A"))
    some = collisions(segments, junctions, (10, 0), (20, 0), (30, 0))
    some.loc[0, "segment_id"] = "elsewhere"
    some.loc[1, "segment_id"] = None
    located = locate(chain(build_graph(segments, junctions), segments), some)
    assert located["collision"].tolist() == [2]


@settings(max_examples=20)
@given(st.data())
def test_routes_depend_neither_on_the_order_of_rows_nor_on_the_way_lines_are_drawn(data):
    segments, junctions = network(*grid(3), (((0, 0), (200, 200)), "row 0"))
    order = data.draw(st.permutations(range(len(segments))))
    turned = np.array(data.draw(st.lists(st.booleans(), min_size=len(segments), max_size=len(segments))))
    other = backwards(segments, turned).iloc[list(order)]
    some = collisions(segments, junctions, (30, 0), (100, 100), (0, 57), (120, 120))
    one, two = (
        locate(chain(build_graph(each, junctions), each), some).drop(columns="on_segment_m")
        for each in (segments, other)
    )
    keys = ["collision", "row", "route", "at_m"]
    one, two = (each.round(6).sort_values(keys, ignore_index=True) for each in (one, two))
    pd.testing.assert_frame_equal(one, two)


def test_no_segments_give_no_routes():
    segments, junctions = network((((0, 0), (200, 0)), "A"))
    graph = build_graph(segments.iloc[:0], junctions)
    assert len(chain(graph, segments.iloc[:0]).route_id) == 0
