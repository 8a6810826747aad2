"""From centrelines to segments: what is split, what is joined, what keeps its name."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from real_data import DATA, needs_real_data

from geo.config import Roads, Segments
from geo.roads.lines import canonical, cut_lines
from geo.roads.read import read_roads
from geo.roads.segments import build_network

CRS = "EPSG:27700"
LONG = Segments(max_length_m=10_000, min_length_m=5)


def roads(*lines, **columns):
    """Lay lines of points out as roads; a column given as a list speaks for each line."""
    n = len(lines)
    plain = {"source_id": [str(i) for i in range(n)], "name": None, "road_class": "residential", "ref": None}
    table = pd.DataFrame(plain | {"level": 0, "roundabout": False} | columns, index=range(n))
    return gpd.GeoDataFrame(table, geometry=[shapely.LineString(line) for line in lines], crs=CRS)


def network(*lines, limits=LONG, **columns):
    return build_network(roads(*lines, **columns), limits)


def skipped(net):
    return {entry.reason: entry.count for entry in net.entries if entry.status == "skipped"}


CROSS = ([(0, 0), (100, 0)], [(50, -50), (50, 50)])


def test_roads_that_cross_meet_at_a_junction():
    net = network(*CROSS)
    assert len(net.segments) == 4
    assert net.junctions["arms"].tolist() == [4]
    assert net.junctions.geometry[0].equals(shapely.Point(50, 0))


def test_a_bridge_is_not_noded_with_the_road_it_crosses():
    net = network(*CROSS, level=[0, 1])
    assert len(net.segments) == 2
    assert net.junctions.empty


def test_a_bridge_is_joined_to_the_road_it_ends_on():
    net = network([(0, 0), (100, 0)], [(50, 0), (50, 80)], level=[0, 1])
    assert net.junctions["arms"].tolist() == [3]


def test_an_end_a_few_centimetres_off_a_road_still_meets_it():
    net = network([(0, 0), (100, 0)], [(50, 0.03), (50, 80)])
    assert net.junctions["arms"].tolist() == [3]
    assert len(net.segments) == 3


def test_an_end_a_metre_off_does_not():
    assert network([(0, 0), (100, 0)], [(50, 1), (50, 80)]).junctions.empty


def test_a_road_drawn_twice_is_one_road_with_both_sources():
    net = network([(0, 0), (60, 0), (100, 10)], [(100, 10), (60, 0), (0, 0)])
    assert net.segments["source_ids"].tolist() == ["0;1"]
    assert skipped(net) == {"duplicate geometry": 1}


def test_roads_that_run_together_for_a_while_share_that_piece():
    net = network([(0, 0), (100, 0)], [(40, 0), (80, 0), (80, 60)], [(40, 0), (40, -30)])
    assert net.segments["length_m"].sum() == pytest.approx(100 + 60 + 30)
    assert "0;1" in net.segments["source_ids"].tolist()


def test_a_road_that_crosses_itself_is_split_there():
    net = network([(0, 0), (100, 0), (100, 50), (50, 50), (50, -50)])
    assert len(net.segments) == 3
    assert net.junctions["arms"].tolist() == [4]


def test_a_road_that_crosses_itself_on_another_road_is_counted_once():
    net = network([(0, 0), (25, 50)], [(0, 0), (50, 100), (0, 25), (50, 50)], limits=Segments(min_length_m=0))
    drawn = shapely.LineString([(0, 0), (50, 100), (0, 25), (50, 50)]).length
    assert net.segments["length_m"].sum() == pytest.approx(drawn, abs=0.2)


def test_a_vertex_that_stands_twice_where_a_road_turns_back_does_no_harm():
    net = network([(25, 0), (0, 0), (0, 0), (25, 0)])
    assert net.segments["length_m"].tolist() == [25]


def test_pieces_of_one_road_are_joined_where_nothing_meets_them():
    net = network([(0, 0), (50, 0)], [(100, 0), (50, 0)], [(100, 0), (150, 20)], name="High Street")
    assert net.segments["source_ids"].tolist() == ["0;1;2"]
    assert net.segments["length_m"][0] == pytest.approx(100 + np.hypot(50, 20))


@pytest.mark.parametrize("column", [{"name": ["a", "b"]}, {"road_class": ["a", "b"]}, {"ref": ["A1", None]}])
def test_pieces_of_different_roads_stay_apart(column):
    assert len(network([(0, 0), (50, 0)], [(50, 0), (100, 0)], **column).segments) == 2


def test_attributes_are_those_of_the_longest_piece():
    net = network([(0, 0), (80, 0)], [(80, 0), (100, 0)], src_lanes=[2, 4])
    assert net.segments["src_lanes"].tolist() == [2]


def test_long_segments_are_cut_evenly():
    net = network([(0, 0), (500, 0)], limits=Segments(max_length_m=200))
    np.testing.assert_allclose(net.segments["length_m"], 500 / 3, atol=0.02)


def test_a_short_dead_end_is_left_out_and_its_junction_with_it():
    net = network([(0, 0), (100, 0)], [(50, 0), (50, 4)])
    assert len(net.segments) == 1
    assert net.junctions.empty
    assert skipped(net) == {"dead end shorter than 5 m": 1}


def test_a_short_piece_between_junctions_stays():
    net = network([(0, 0), (100, 0)], [(50, 0), (50, 40)], [(53, 0), (53, -40)])
    assert net.segments["length_m"].min() == pytest.approx(3)


def ring(radius, points=24):
    angles = np.linspace(0, 2 * np.pi, points + 1)
    ring = np.column_stack([radius * np.cos(angles), radius * np.sin(angles)])
    ring[-1] = ring[0]
    return ring


def arms(radius, count=4):
    return [
        [(radius * np.cos(a), radius * np.sin(a)), (150 * np.cos(a), 150 * np.sin(a))]
        for a in np.arange(count) * np.pi / 2
    ]


def test_a_roundabout_is_one_junction():
    net = network(ring(20), *arms(20))
    assert len(net.segments) == 4
    assert net.junctions["form"].tolist() == ["roundabout"]
    assert net.junctions["arms"].tolist() == [4]
    assert net.junctions["radius_m"][0] == pytest.approx(20, rel=0.02)
    assert net.junctions["source_ids"].tolist() == ["0"]
    assert net.junctions.geometry[0].distance(shapely.Point(0, 0)) < 0.05
    assert skipped(net) == {"part of a roundabout, kept as one junction": 4}


@pytest.mark.parametrize(
    ("radius", "limits"), [(60, Segments()), (20, Segments(roundabout_max_diameter_m=0))]
)
def test_a_ring_that_is_too_wide_stays_a_road(radius, limits):
    net = network(ring(radius), *arms(radius), limits=limits)
    assert (net.junctions["form"] == "crossing").all()
    assert len(net.junctions) == 4


def test_a_square_block_is_no_roundabout():
    square = [(-20, -20), (20, -20), (20, 20), (-20, 20), (-20, -20)]
    corners = [[(x, y), (4 * x, 4 * y)] for x in (-20, 20) for y in (-20, 20)]
    assert (network(square, *corners).junctions["form"] == "crossing").all()


def test_a_square_block_that_the_source_calls_a_roundabout_is_one():
    square = [(-20, -20), (20, -20), (20, 20), (-20, 20), (-20, -20)]
    corners = [[(x, y), (4 * x, 4 * y)] for x in (-20, 20) for y in (-20, 20)]
    net = network(square, *corners, roundabout=[True, False, False, False, False])
    assert net.junctions["form"].tolist() == ["roundabout"]


def test_a_loop_begins_at_its_junction():
    loop = [(100, 0), (130, 30), (160, 0), (130, -30), (100, 0)]
    net = network([(0, 0), (100, 0)], [*np.roll(loop[:-1], 2, axis=0).tolist(), loop[2]])
    closed = net.segments.geometry[net.segments.geometry.is_closed]
    assert len(closed) == 1
    assert closed.iloc[0].coords[0] == (100, 0)
    assert net.junctions["arms"].tolist() == [3]


coordinate = st.integers(0, 12).map(lambda v: v * 25.0)
points = st.tuples(coordinate, coordinate)
line = st.lists(points, min_size=2, max_size=4).filter(lambda p: shapely.LineString(p).length > 0)
towns = st.lists(line, min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(towns, st.randoms(use_true_random=False))
def test_ids_do_not_depend_on_order_or_direction(lines, random):
    once = network(*lines)
    shuffled = [list(reversed(one)) if random.random() < 0.5 else one for one in lines]
    random.shuffle(shuffled)
    again = network(*shuffled)
    assert once.segments["segment_id"].tolist() == again.segments["segment_id"].tolist()
    assert once.junctions["junction_id"].tolist() == again.junctions["junction_id"].tolist()
    assert shapely.equals_exact(once.segments.geometry.to_numpy(), again.segments.geometry.to_numpy()).all()


@settings(max_examples=40, deadline=None)
@given(towns, towns)
def test_ids_do_not_depend_on_unrelated_roads(here, there):
    away = [[(x + 5000, y) for x, y in one] for one in there]
    alone, together = network(*here).segments, network(*here, *away).segments
    near = together[together.geometry.bounds["minx"] < 2500]
    assert set(alone["segment_id"]) == set(near["segment_id"])


@settings(max_examples=60, deadline=None)
@given(towns)
def test_no_road_is_lost_or_counted_twice(lines):
    net = network(*lines, limits=Segments(max_length_m=80, min_length_m=0))
    drawn = shapely.union_all([shapely.LineString(one) for one in lines])
    kept = shapely.union_all(net.segments.geometry.to_numpy())
    assert net.segments["length_m"].sum() == pytest.approx(drawn.length, abs=0.05 * len(net.segments) + 0.01)
    assert shapely.hausdorff_distance(drawn, kept) < 0.05 or "roundabout" in net.junctions["form"].tolist()
    assert net.segments["length_m"].max() <= 80.1
    assert net.segments["segment_id"].is_unique


@settings(max_examples=60, deadline=None)
@given(line, st.lists(st.floats(0, 1), max_size=5))
def test_cutting_keeps_length_and_ends(points, shares):
    whole = np.array([shapely.LineString(points)])
    where = np.array(shares) * whole[0].length
    pieces, owner = cut_lines(whole, np.zeros(len(where), dtype=np.int64), where)
    assert (owner == 0).all()
    assert shapely.length(pieces).sum() == pytest.approx(whole[0].length, abs=0.02 * (len(pieces) + 1))
    assert pieces[0].coords[0] == whole[0].coords[0]
    assert pieces[-1].coords[-1] == whole[0].coords[-1]


def test_the_canonical_direction_forgets_how_a_line_was_drawn():
    lines = np.array([shapely.LineString(p) for p in ([(0, 0), (5, 1)], [(0, 0), (3, 9), (0, 4)])])
    assert shapely.equals_exact(canonical(lines), canonical(shapely.reverse(lines))).all()


REAL = {
    "boston/roads/osm_streets_4towns.gpkg": {},
    "boston/roads/cambridge_TRANS_Centerlines.geojson": {"class_field": "MajorRoad", "name_field": "Label"},
    "helsinki_roads/Helsinki.osm.pbf": {},
    "leeds_osm/its-example.osm.pbf": {},
    "roads_misc/bubenec.gpkg": {"class_field": None, "layer": "streets"},
    "roads_misc/pyrosm_test.osm.pbf": {},
    "uk_isle_of_wight_2018/iow_main_highways.gpkg": {},
}


@pytest.mark.parametrize("file", REAL)
@needs_real_data
def test_every_metre_of_a_real_network_is_accounted_for(file):
    source = read_roads(Roads(source=str(DATA / file), **REAL[file]), crs=None, area=None)
    limits = Segments(min_length_m=0, roundabout_max_diameter_m=0)
    net = build_network(source.kept, limits)
    drawn = shapely.union_all(shapely.transform(source.kept.geometry.to_numpy(), lambda xy: np.round(xy, 2)))
    if (source.kept["level"] == 0).all():
        assert net.segments["length_m"].sum() == pytest.approx(drawn.length, rel=1e-4)
    assert net.segments["segment_id"].is_unique
    assert net.segments["length_m"].between(0.005, 200.1).all()
    ids = {i for ids in net.segments["source_ids"] for i in ids.split(";")}
    assert len(ids) >= 0.99 * source.kept["source_id"].nunique()


@pytest.mark.parametrize(("apart", "told"), [(0.3, True), (6, False)])
def test_roads_that_were_drawn_twice_a_little_apart_are_told(apart, told):
    here = [[(0, y), (500, y)] for y in (0, 100)]
    beside = [[(0, y + apart), (500, y + apart)] for y in (0, 100)]
    roads = gpd.GeoDataFrame(
        {
            "source_id": list("abcd"),
            "name": None,
            "road_class": "x",
            "ref": None,
            "level": 0,
            "roundabout": False,
        },
        geometry=[shapely.LineString(line) for line in here + beside],
        crs=27700,
    )
    warnings = build_network(roads).warnings
    assert any("along another one" in each for each in warnings) == told
