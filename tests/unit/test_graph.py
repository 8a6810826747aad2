"""Segments and junctions are a network: other libraries take them, and measure the same distances along it."""

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pandas as pd
import pytest
import shapely

from geo.config import Segments
from geo.demo.plans.registry import plan_of
from geo.roads.graph import build_graph, distances_between, to_osmnx
from geo.roads.segments import build_network
from tests.unit.networks import network

ROUND = [(100 + 15 * np.cos(a), 15 * np.sin(a)) for a in np.arange(0, 2 * np.pi + 0.01, np.pi / 8)]
VILLAGE = [
    (ROUND, None),
    (((115, 0), (415, 0)), "East Road"),
    (((100, 15), (100, 90)), "Dead End"),
    (((85, 0), (0, 0)), "West Road"),
    (((0, 0), (-80, 0)), "Far West Road"),
    (((415, 0), (515, 0)), "High Street"),
    (((415, 0), (465, 20), (515, 0)), "Low Street"),
    (((515, 0), (540, 20), (540, -20), (515, 0)), "Loop"),
    (((0, 500), (100, 500)), "Island Street"),
    (((300, 500), (400, 500), (400, 600), (300, 600), (300, 500)), "Ring Road"),
]
"""Three networks: a roundabout of three arms, one of them cut twice, one that changes its name; two streets between the
same junctions, and a loop; a street that meets nothing; and a ring, cut three times."""


def village():
    return *network(*VILLAGE, max_length_m=120), [shapely.LineString(line) for line, _ in VILLAGE]


def town():
    """Lay out the roads of the demo town."""
    roads = plan_of().roads
    table = pd.DataFrame(
        {
            "source_id": [str(i) for i in range(len(roads))],
            "name": [road.name for road in roads],
            "road_class": [road.look.highway for road in roads],
            "ref": [road.ref for road in roads],
            "level": [int(road.bridge) for road in roads],
            "roundabout": [road.form == "roundabout" for road in roads],
        }
    )
    lines = [road.line for road in roads]
    found = build_network(gpd.GeoDataFrame(table, geometry=lines, crs=27700), Segments())
    return found.segments, found.junctions, lines


def scattered():
    rng = np.random.default_rng(3)
    roads = [rng.uniform(0, 3000, (2, 2)) for _ in range(25)]
    return *network(*[(line, None) for line in roads]), list(shapely.linestrings(roads))


@pytest.fixture(scope="module", params=[village, town, scattered], ids=lambda make: make.__name__)
def drawn(request):
    """Give segments, junctions, and the lines of the roads."""
    return request.param()


def as_osmnx(segments, junctions):
    return osmnx.graph_from_gdfs(*to_osmnx(segments, junctions)).to_undirected()


def as_networkx(segments):
    """Take the layer as it is; what leads to a dead end is left out."""
    joined = segments.dropna(subset=["u", "v"])
    kinds = {"edge_attr": "length_m", "edge_key": "segment_id", "create_using": nx.MultiGraph}
    return nx.from_pandas_edgelist(joined, "u", "v", **kinds)


def test_a_village_has_the_nodes_that_it_was_drawn_with():
    segments, junctions, _ = village()
    assert sorted(zip(junctions["form"], junctions["arms"], strict=True)) == [
        *(("crossing", 3), ("crossing", 4), ("roundabout", 3))
    ]
    node = segments.set_index("name")[["u", "v"]]
    named = dict(
        zip(junctions["junction_id"], junctions["form"] + junctions["arms"].astype(str), strict=True)
    )
    known = node.replace(named)
    assert known.loc["Loop"].tolist() == ["crossing4"] * 2
    assert known.loc[["High Street", "Low Street"]].to_numpy().tolist() == [["crossing3", "crossing4"]] * 2
    assert known.loc["Dead End", "u"] == "roundabout3"
    assert node.loc["Dead End", "v"] is None
    assert node.loc["Island Street"].isna().all()
    # roads are drawn from the west
    assert known.loc["West Road", "v"] == "roundabout3"
    assert node.loc["Far West Road", "v"] == node.loc["West Road", "u"]
    assert node.loc["Far West Road", "u"] is None
    assert known.loc["East Road"].isin(["roundabout3", "crossing3"]).sum(axis=None) == 2
    assert len(set(node.loc["East Road"].to_numpy().ravel())) == 4
    assert np.unique(node.loc["Ring Road"], return_counts=True)[1].tolist() == [2] * 4


def test_osmnx_finds_as_many_ways_at_each_junction_as_it_has_arms(drawn):
    segments, junctions, _ = drawn
    graph = as_osmnx(segments, junctions)
    arms = junctions.set_index("junction_id")["arms"].to_dict()
    assert {node: graph.degree(node) for node in arms} == arms
    others = [count for node, count in graph.degree() if node not in arms]
    nowhere = int(segments[["u", "v"]].isna().sum(axis=None))
    assert sorted(others) == [1] * nowhere + [2] * (len(others) - nowhere)


def test_a_graph_is_connected_where_the_roads_are(drawn):
    segments, junctions, lines = drawn
    parts = shapely.get_num_geometries(shapely.union_all(shapely.buffer(lines, 0.02)))
    graph = as_osmnx(segments, junctions)
    assert nx.number_connected_components(graph) == parts
    own = build_graph(segments, junctions)
    assert nx.number_connected_components(nx.Graph(list(own.node))) == parts


def test_osmnx_keeps_every_segment_with_its_length_line_and_nodes(drawn):
    segments, junctions, _ = drawn
    graph = osmnx.graph_from_gdfs(*to_osmnx(segments.rename_geometry("geom"), junctions))
    assert graph.graph["crs"] == segments.crs
    nodes, edges = osmnx.graph_to_gdfs(graph)
    back = edges.reset_index().set_index("osmid").loc[segments["segment_id"]]
    np.testing.assert_array_equal(back["length"], segments["length_m"])
    assert shapely.equals(back.geometry.to_numpy(), segments.geometry.to_numpy()).all()
    for end, at in (("u", 0), ("v", -1)):
        told = segments[end].notna().to_numpy()
        assert (back[end].to_numpy()[told] == segments[end].to_numpy()[told]).all()
        spots = nodes.geometry.loc[back[end]].to_numpy()
        apart = shapely.distance(spots, shapely.get_point(segments.geometry.to_numpy(), at))
        radius = junctions.set_index("junction_id")["radius_m"].reindex(back[end]).fillna(0).to_numpy()
        np.testing.assert_allclose(apart, radius, rtol=0.02)


def test_distances_are_those_of_networkx(drawn):
    segments, junctions, _ = drawn
    halves = nx.Graph()
    for u, v, each in as_osmnx(segments, junctions).edges(data=True):
        halves.add_edge(("middle of", each["osmid"]), u, m=each["length"] / 2)
        halves.add_edge(("middle of", each["osmid"]), v, m=each["length"] / 2)
    expected = {
        (segment, other[1]): metres
        for segment in segments["segment_id"]
        for other, metres in nx.single_source_dijkstra_path_length(
            halves, ("middle of", segment), 700, "m"
        ).items()
        if other[0] == "middle of" and other[1] != segment
    }
    graph = build_graph(segments, junctions)
    one, other, metres = distances_between(graph, 700)
    pairs = zip(graph.segment_id[one], graph.segment_id[other], strict=True)
    found = dict(zip(pairs, metres, strict=True))
    assert found == pytest.approx(expected)
    assert len(expected) > 50


def test_the_way_between_two_junctions_is_the_same_without_dead_ends(drawn):
    segments, junctions, _ = drawn
    whole, plain = as_osmnx(segments, junctions), as_networkx(segments)
    start = junctions["junction_id"][0]
    ways = nx.single_source_dijkstra_path_length(whole, start, weight="length")
    there = {node: metres for node, metres in ways.items() if node in plain}
    assert nx.single_source_dijkstra_path_length(plain, start, weight="length_m") == pytest.approx(there)
    assert len(there) > 3


def test_the_arms_of_a_roundabout_meet_though_its_ring_is_no_segment():
    arms = [
        (((100 + 15 * x, 15 * y), (100 + 90 * x, 90 * y)), f"arm {x}{y}")
        for x, y in ((1, 0), (-1, 0), (0, 1))
    ]
    segments, junctions = network((ROUND, None), *arms)
    graph = build_graph(segments, junctions)
    assert graph.degree.tolist().count(3) == 1
    assert graph.xy[graph.degree == 3] == pytest.approx(np.array([[100, 0]]), abs=0.01)
    np.testing.assert_allclose(distances_between(graph, 1000)[2], 75)


def test_no_segments_make_no_graph():
    segments, junctions = network((((0, 0), (200, 0)), "A"))
    graph = build_graph(segments.iloc[:0], junctions)
    assert len(graph.node) == len(graph.xy) == 0
    assert len(distances_between(graph, 100)[0]) == 0
