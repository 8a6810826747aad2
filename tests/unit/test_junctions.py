"""Where roads meet, though they were not drawn to meet exactly; and rings that are, or are not, one junction."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import Segments
from geo.errors import LayerError
from geo.roads.junctions import gather_ends, is_among
from geo.roads.lines import TOUCH_M
from geo.roads.noding import join_ends
from geo.roads.segments import build_network

WHOLE = Segments(max_length_m=10_000, min_length_m=0)
PARTS = Segments(max_length_m=80, min_length_m=0, roundabout_max_diameter_m=0)


def network(*lines, limits=WHOLE, **columns):
    n = len(lines)
    plain = {"source_id": [str(i) for i in range(n)], "name": None, "road_class": "residential", "ref": None}
    table = pd.DataFrame(plain | {"level": 0, "roundabout": False} | columns, index=range(n))
    shapes = [shapely.LineString(line) for line in lines]
    return build_network(gpd.GeoDataFrame(table, geometry=shapes, crs="EPSG:27700"), limits)


def skipped(net):
    return {entry.reason: entry.count for entry in net.entries if entry.status == "skipped"}


def lengths(net):
    return sorted(net.segments["length_m"].round(2))


# ---- ends that nearly meet


@pytest.mark.parametrize("gap", [0.01, 0.03, 0.05])
def test_ends_a_few_centimetres_apart_meet(gap):
    net = network([(0, 0), (100, 0)], [(100 + gap, 0), (200, 0)], [(100, gap), (100, 80)])
    assert net.junctions["arms"].tolist() == [3]
    assert net.junctions.geometry[0].equals(shapely.Point(100, 0))
    assert lengths(net) == [80, 100, 100]


def test_ends_farther_apart_do_not():
    net = network([(0, 0), (100, 0)], [(100.08, 0), (200, 0)], [(100, 0.08), (100, 80)])
    assert net.junctions.empty
    assert lengths(net) == [79.92, 99.92, 100]


def test_a_road_drawn_in_two_with_a_gap_of_centimetres_is_one_segment():
    net = network([(0, 0), (100, 0)], [(200, 0), (100.04, 0)])
    assert net.segments["source_ids"].tolist() == ["0;1"]
    assert lengths(net) == [200]


def test_a_ring_that_does_not_quite_close_is_closed():
    net = network([(50, 0), (50, 50), (0, 0), (50, 0.03)], [(50, 0), (150, 0)])
    assert net.junctions["arms"].tolist() == [3]
    assert net.segments.geometry.is_closed.sum() == 1


def test_a_row_of_ends_each_near_the_next_does_not_fall_together():
    steps = np.arange(0, 2, 0.04)
    lines = shapely.linestrings([[(x, 0), (x, 50)] for x in steps])
    assert shapely.equals_exact(join_ends(lines), lines).all()


jitter = st.tuples(*[st.floats(-0.0175, 0.0175)] * 2)


@settings(max_examples=40, deadline=None)
@given(st.lists(jitter, min_size=3, max_size=6))
def test_arms_meet_however_their_ends_are_scattered(scatter):
    # any two of the ends are nearer than an end may be to what it touches, rounding included
    bearings = np.arange(len(scatter)) * 2 * np.pi / len(scatter)
    arms = [[end, (90 * np.cos(b), 90 * np.sin(b))] for end, b in zip(scatter, bearings, strict=True)]
    net = network(*arms)
    assert net.junctions["arms"].tolist() == [len(scatter)]
    assert net.junctions.geometry[0].distance(shapely.Point(0, 0)) < TOUCH_M
    assert len(net.segments) == len(scatter)


# ---- roads that are hardly there


@pytest.mark.parametrize("sliver", [(100.001, 0), (100, 0.004), (100.03, 0.02)])
def test_a_sliver_of_road_is_left_out_and_counted(sliver):
    net = network([(0, 0), (100, 0)], [(100, 0), sliver], [sliver, (150, 80)])
    assert skipped(net) == {"shorter than 0.1 m, both ends in one place": 1}
    assert len(net.segments) == 1
    assert lengths(net)[0] == pytest.approx(100 + np.hypot(50, 80), abs=0.05)


def test_slivers_alone_are_refused():
    with pytest.raises(LayerError, match=r"no road is longer than 0\.1 m"):
        network([(0, 0), (0.001, 0)], [(5, 5), (5.02, 5), (5, 5)])


# ---- the same road drawn twice


@pytest.mark.parametrize(
    "again",
    {
        "a vertex more": [(0, 0), (50, 0), (100, 0), (100, 90)],
        "a vertex a few millimetres off": [(0, 0), (33.333, 0.004), (100, 0), (100, 90)],
        "backwards, with a vertex more": [(100, 90), (100, 45), (100, 0), (0, 0)],
        "vertices that stand twice": [(0, 0), (0, 0), (100, 0), (100, 0), (100, 90)],
    }.items(),
    ids=lambda case: case[0],
)
def test_a_road_drawn_twice_with_other_vertices_is_one(again):
    net = network([(0, 0), (100, 0), (100, 90)], again[1])
    assert net.segments["source_ids"].tolist() == ["0;1"]
    assert lengths(net) == [190]
    assert skipped(net) == {"duplicate geometry": 1}


def test_a_ring_drawn_twice_from_different_starts_is_one():
    corners = [(0, 0), (150, 0), (200, 150), (0, 120)]
    turned = [(75, 0), (150, 0), (200, 150), (0, 120), (0, 0), (75, 0)]
    net = network([*corners, corners[0]], turned)
    assert net.segments["source_ids"].tolist() == ["0;1"]
    assert lengths(net) == [round(shapely.LinearRing(corners).length, 2)]


def test_roads_between_the_same_junctions_are_two():
    net = network([(0, 0), (100, 0)], [(0, 0), (50, 1), (100, 0)], [(0, 0), (-50, 0)], [(100, 0), (150, 0)])
    assert len(net.segments) == 4
    assert net.junctions["arms"].tolist() == [3, 3]


coordinate = st.integers(0, 5).map(lambda v: v * 20.0)
line = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=4, unique=True)


leg = st.tuples(
    st.sampled_from([(x, y) for x in (-20, 0, 20) for y in (-20, 0, 20) if x or y]), st.integers(1, 3)
)
walk = st.tuples(st.tuples(coordinate, coordinate), st.lists(leg, min_size=1, max_size=3))


def walked(start, legs, stops=()):
    points = [np.array(start)]
    for way, times in legs:
        here = points[-1]
        points += [here + np.array(way) * times * share for share in (*stops, 1)]
    return points


@settings(max_examples=40, deadline=None)
@given(st.lists(walk, min_size=1, max_size=5), st.sets(st.sampled_from([0.25, 0.5, 0.75])), st.data())
def test_vertices_on_straight_stretches_change_no_road(walks, stops, data):
    lines = [walked(*one) for one in walks]
    finer = [walked(*one, sorted(stops)) for one in walks]
    plain = network(*lines, limits=PARTS)
    mixed = network(*lines, *data.draw(st.permutations(finer)), limits=PARTS)
    assert mixed.segments["length_m"].sum() == pytest.approx(plain.segments["length_m"].sum(), abs=0.5)
    assert sorted(mixed.junctions["arms"]) == sorted(plain.junctions["arms"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(line, min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.004, 0.02, 0.05]),
    st.randoms(use_true_random=False),
)
def test_ids_of_roads_that_nearly_meet_do_not_depend_on_order_or_direction(lines, seed, noise, random):
    rng = np.random.default_rng(seed)
    drawn = [np.array(points) + rng.uniform(-noise, noise, (len(points), 2)) for points in lines]
    turned = [points[::-1] if random.random() < 0.5 else points for points in drawn]
    random.shuffle(turned)
    once, again = (network(*each, limits=PARTS) for each in (drawn, turned))
    assert once.segments["segment_id"].tolist() == again.segments["segment_id"].tolist()
    assert once.junctions["junction_id"].tolist() == again.junctions["junction_id"].tolist()


# ---- nodes and rings


def test_ends_are_gathered_by_place_and_a_loop_counts_twice():
    lines = shapely.linestrings([[(0, 0), (5, 5)], [(5, 5), (9, 0)]]).tolist()
    lines.append(shapely.LineString([(5, 5), (5, 9), (9, 9), (5, 5)]))
    nodes = gather_ends(np.array(lines))
    assert nodes.points.tolist() == [[0, 0], [5, 5], [9, 0]]
    assert nodes.degree.tolist() == [1, 4, 1]
    assert nodes.first.tolist() == [0, 1, 1]
    assert nodes.last.tolist() == [1, 2, 1]


@settings(max_examples=50, deadline=None)
@given(*[st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=8)] * 2)
def test_points_are_found_among_others(points, others):
    given = [np.array(each, dtype=float).reshape(-1, 2) for each in (points, others)]
    assert is_among(*given).tolist() == [point in others for point in points]


def ring(radius, count=24, centre=(0, 0)):
    angles = np.linspace(0, 2 * np.pi, count + 1)[:-1]
    points = np.column_stack([np.cos(angles), np.sin(angles)]) * radius + centre
    return [*points.tolist(), points[0].tolist()]


def arm(angle, radius, length=100, centre=(0, 0)):
    way = np.array([np.cos(angle), np.sin(angle)])
    return [(centre + way * radius).tolist(), (centre + way * (radius + length)).tolist()]


@pytest.mark.parametrize(("said", "form"), [(True, ["roundabout"]), (False, [])])
def test_a_ring_with_one_arm_is_a_roundabout_where_the_source_says_so(said, form):
    net = network(ring(15), arm(0, 15), roundabout=[said, False])
    assert net.junctions.loc[net.junctions["form"] == "roundabout", "form"].tolist() == form
    assert len(net.segments) == (1 if said else 2)


def test_a_ring_that_no_road_leaves_stays_a_road():
    net = network(ring(15), [(300, 0), (400, 0)], roundabout=[True, False])
    assert net.junctions.empty
    assert len(net.segments) == 2


def test_a_ring_drawn_in_pieces_is_one_junction_with_all_their_ids():
    points = ring(15)
    net = network(points[:13], points[12:], *[arm(a, 15) for a in np.arange(3) * np.pi / 2])
    assert net.junctions[["arms", "form", "source_ids"]].to_numpy().tolist() == [[3, "roundabout", "0;1"]]
    assert skipped(net) == {"part of a roundabout, kept as one junction": 3}


def test_a_road_between_two_roundabouts_keeps_both_its_ends():
    east = (90, 0)
    outer = [arm(a, 15) for a in (np.pi / 2, np.pi)]
    outer += [arm(a, 15, centre=east) for a in (np.pi / 2, 0)]
    net = network(ring(15), ring(15, centre=east), [(15, 0), (75, 0)], *outer)
    assert net.junctions[["arms", "form"]].to_numpy().tolist() == [[3, "roundabout"]] * 2
    assert lengths(net) == [60, 100, 100, 100, 100]


RINGS = {
    "at a point": (
        [(0, 0), (10, -4), (24, -4), (34, 0), (24, 4), (10, 4), (0, 0)],
        [(34, 0), (44, -4), (58, -4), (68, 0), (58, 4), (44, 4), (34, 0)],
    ),
    "along a piece": (
        [(0, 0), (0, 20), (20, 20), (20, 0), (0, 0)],
        [(20, 0), (44, -4), (44, 20), (20, 20)],
    ),
}


@pytest.mark.parametrize("where", RINGS)
def test_roundabouts_that_touch_are_one_junction(where):
    """What comes to one of them can leave by the other."""
    west, east = RINGS[where]
    roads = [west, east, [west[0], (-90, 0)], [east[1], (44, -90)]]
    net = network(*roads, roundabout=[True, True, False, False])
    assert net.junctions[["arms", "form", "source_ids"]].to_numpy().tolist() == [[2, "roundabout", "0;1"]]
    ends = net.segments[["u", "v"]].to_numpy().ravel()
    assert sorted(map(str, ends)) == ["None", "None", *net.junctions["junction_id"].repeat(2)]


def test_a_roundabout_has_no_arm_where_a_short_dead_end_was_left_out():
    limits = Segments(min_length_m=10)
    net = network(ring(15), *[arm(a, 15) for a in np.arange(3) * np.pi / 2], arm(4, 15, 6), limits=limits)
    assert skipped(net)["dead end shorter than 10 m"] == 1
    assert net.junctions["arms"].tolist() == [3]


def test_junctions_a_few_centimetres_apart_are_two():
    net = network([(0, 0), (200, 0)], [(99.96, 0), (99.96, 70)], [(100.03, 0), (100.03, -70)])
    assert net.junctions["arms"].tolist() == [3, 3]
    assert net.junctions["junction_id"].is_unique


@settings(max_examples=30, deadline=None)
@given(st.lists(line, min_size=1, max_size=6), st.sampled_from([30.0, 80.0, 10_000.0]))
def test_two_ends_have_one_node_where_they_are_at_one_place_and_none_where_they_meet_nothing(lines, longest):
    net = network(*lines, limits=Segments(max_length_m=longest, min_length_m=0, roundabout_max_diameter_m=0))
    drawn = net.segments.geometry.to_numpy()
    place = np.concatenate([shapely.to_wkb(shapely.get_point(drawn, i)) for i in (0, -1)])
    told = pd.DataFrame(
        {"place": place, "node": pd.concat([net.segments["u"], net.segments["v"]]).to_numpy()}
    )
    meet = told.groupby("place")["node"]
    assert (meet.nunique() == (meet.size() > 1)).all()
    assert not told.dropna().drop_duplicates()["node"].duplicated().any()
    at = told.set_index("place")["node"].dropna()
    junction = at.isin(net.junctions["junction_id"])
    arms = net.junctions.set_index("junction_id")["arms"]
    assert (at[junction].value_counts().sort_index() == arms.sort_index()).all()
    assert set(at[~junction].value_counts()) <= {2}


def test_the_id_of_a_junction_is_that_of_its_place():
    cross = [[(0, 0), (100, 0)], [(50, -50), (50, 50)]]
    away = [[(x + 500, y) for x, y in one] for one in cross]
    alone, both = network(*cross).junctions, network(*away, *cross).junctions
    assert len(both) == 2
    assert both["junction_id"].is_unique
    assert alone["junction_id"][0] in set(both["junction_id"])


def test_roads_that_pass_over_a_junction_are_no_arms_of_it():
    cross = [[(0, 0), (100, 0)], [(50, -50), (50, 50)], [(0, -50), (100, 50)]]
    assert network(*cross, level=[0, 0, 1]).junctions["arms"].tolist() == [4]
    assert network(*cross, level=[0, 0, 0]).junctions["arms"].tolist() == [6]
