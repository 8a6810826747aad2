"""Where roads meet: in roads that are drawn whole wherever they cross, else where the source says so."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from real_data import DATA, needs_real_data

from geo.config import Roads, Segments
from geo.roads.read import read_roads
from geo.roads.segments import build_network

CRS = "EPSG:27700"
EAST, NORTH = 412_000, 273_000
STEP, SIZE = 100, 6


def roads(lines, **columns):
    """Roads on the National Grid, as they are read."""
    n = len(lines)
    plain = {
        "source_id": [str(i) for i in range(n)],
        "name": [f"Road {i}" for i in range(n)],
        "road_class": "residential",
        "ref": None,
        "level": 0,
        "roundabout": False,
    }
    shapes = [shapely.LineString(np.add(line, (EAST, NORTH))) for line in lines]
    return gpd.GeoDataFrame(pd.DataFrame(plain | columns, index=range(n)), geometry=shapes, crs=CRS)


def links():
    """A grid of streets, a link from each crossing to the next one."""
    place = STEP * np.arange(SIZE)
    along = [[(x, y), (x + STEP, y)] for x in place[:-1] for y in place]
    return along + [[(x, y), (x, y + STEP)] for x in place for y in place[:-1]]


def streets(*, vertices):
    """The same streets, each drawn from end to end, with a vertex at each crossing or without."""
    place = STEP * np.arange(SIZE)
    steps = place if vertices else place[[0, -1]]
    return [[(x, y) for x in steps] for y in place] + [[(x, y) for y in steps] for x in place]


MEETINGS = SIZE**2 - 4
MOTORWAY = [(-50, 250), (550, 250)]


def junctions(lines, crossings="auto", **columns):
    network = build_network(roads(lines, **columns), Segments(crossings=crossings))
    return len(network.junctions), {(e.status, e.count) for e in network.entries if e.item == "crossings"}


def test_streets_that_are_drawn_whole_meet_wherever_they_cross():
    assert junctions(streets(vertices=False)) == (MEETINGS, {("done", (SIZE - 2) ** 2)})


@pytest.mark.parametrize("lines", [links(), streets(vertices=True)], ids=["links", "streets with vertices"])
def test_a_road_passes_over_streets_that_say_where_they_meet(lines):
    assert junctions([*lines, MOTORWAY]) == (MEETINGS, {("skipped", SIZE)})
    assert junctions([*lines, MOTORWAY], "all") == (MEETINGS + SIZE, {("done", SIZE)})


def test_a_vertex_of_one_of_two_roads_is_none_in_common():
    over = [(-50, 250), (100, 250), (550, 250)]
    assert junctions([*links(), over])[0] == MEETINGS


def test_a_road_passes_over_the_crossings_of_others():
    over = [(-50, 300), (550, 300.0)]
    here = [line for line in links() if line[0][1] != 300 or line[1][1] != 300]
    found, told = junctions([*here, over])
    # the streets still meet below: two of their ends are one street, and no junction
    assert found == MEETINGS - SIZE
    assert told == {("skipped", SIZE)}


def test_a_vertex_in_common_is_a_junction_but_where_only_ends_count():
    over = [(-50, 300), *((100 * i, 300) for i in range(SIZE)), (550, 300)]
    here = [line for line in links() if line[0][1] != 300 or line[1][1] != 300]
    assert junctions([*here, over], "vertices")[0] == MEETINGS - SIZE + SIZE
    assert junctions([*here, over], "ends")[0] == MEETINGS - SIZE


def test_with_ends_alone_a_street_that_ends_on_another_one_does_not_meet_it():
    side = [(250, 0), (250, -80)]
    assert junctions([*links(), side], "ends")[0] == MEETINGS
    assert junctions([*links(), side], "vertices")[0] == MEETINGS + 1
    assert junctions([*links(), side])[0] == MEETINGS + 1


def named(lines, swap=()):
    """Names of the nodes at both ends."""
    start, end = ([f"n{x}-{y}" for x, y in (line[at] for line in lines)] for at in (0, -1))
    for i in swap:
        start[i], end[i] = end[i], start[i]
    return start, end


@pytest.mark.parametrize("pair", [("start_node", "end_node"), ("u", "v"), ("NodeIDFrom", "NodeIDTo")])
def test_links_that_name_their_nodes_meet_there_alone(pair):
    many = [[(-50, 10 + 80 * i), (550, 10 + 80 * i)] for i in range(4)]
    lines = [*links(), *many]
    columns = {f"src_{name}": values for name, values in zip(pair, named(lines), strict=True)}
    found, told = junctions(lines, **columns)
    assert (found, told) == (MEETINGS, {("skipped", 4 * SIZE)})
    # the same without names: as many crossings without a node as with one, which is told
    network = build_network(roads(lines))
    assert any("segments.crossings" in warning for warning in network.warnings)


def test_columns_called_like_nodes_that_name_none_decide_nothing():
    whole = streets(vertices=False)
    numbers = {"src_u": range(len(whole)), "src_v": range(100, 100 + len(whole))}
    assert junctions(whole, **numbers)[0] == MEETINGS
    same = {"src_u": [1] * len(whole), "src_v": [2] * len(whole)}
    assert junctions(whole, **same)[0] == MEETINGS


def test_a_motorway_over_few_streets_is_a_bridge_whatever_else():
    rural = [[(0, 0), *((200 * i, 0) for i in range(1, 13)), (2600, 0)]]
    rural += [[(200 * i, 0), (200 * i, 150)] for i in range(1, 13)]
    over = [[(-50, 75), (2700, 75)]]
    classes = ["unclassified"] * len(rural) + ["motorway"]
    told = junctions(rural + over, road_class=classes)
    assert told[0] in {12, 24}
    assert junctions(rural + over, "vertices", road_class=classes) == (12, {("skipped", 12)})


def test_a_bridge_on_a_level_of_its_own_is_no_crossing_to_be_told():
    found, told = junctions([*streets(vertices=False), MOTORWAY], level=[0] * 2 * SIZE + [1])
    assert (found, told) == (MEETINGS, {("done", (SIZE - 2) ** 2)})


def test_a_ramp_that_winds_over_itself_is_split_where_roads_meet_wherever_they_cross():
    spiral = [(0, -100), (0, -300), (100, -300), (100, -200), (-50, -200)]
    pieces = {}
    for crossings in ("all", "vertices", "ends"):
        network = build_network(roads([*links(), spiral]), Segments(crossings=crossings, max_length_m=5000))
        pieces[crossings] = int(network.segments["source_ids"].str.contains(str(len(links()))).sum())
    assert pieces == {"all": 3, "vertices": 1, "ends": 1}
    touching = [(0, -100), (0, -200), (0, -300), (100, -300), (100, -200), (0, -200), (-50, -200)]
    network = build_network(roads([*links(), touching]), Segments(crossings="vertices", max_length_m=5000))
    assert network.segments["source_ids"].str.contains(str(len(links()))).sum() == 3


def test_nothing_is_told_where_every_crossing_has_a_vertex():
    network = build_network(roads(streets(vertices=True)))
    assert not [entry for entry in network.entries if entry.item == "crossings"]
    assert network.warnings == []


REAL = {
    "osm streets": ("boston/roads/osm_streets_4towns.gpkg", {}, 0),
    "a city's centrelines": (
        "boston/roads/cambridge_TRANS_Centerlines.geojson",
        {"class_field": None, "name_field": "Street", "ref_field": None},
        6,
    ),
    "an extract": ("helsinki_roads/Helsinki.osm.pbf", {}, 0),
    "a small extract": ("leeds_osm/its-example.osm.pbf", {}, 0),
    "a village": (
        "roads_misc/bubenec.gpkg",
        {"layer": "streets", "class_field": None, "name_field": None},
        0,
    ),
}


@needs_real_data
@pytest.mark.parametrize("case", REAL)
def test_roads_as_cities_publish_them_say_where_they_meet(case):
    file, settings, bridges = REAL[case]
    kept = read_roads(Roads(source=str(DATA / file), **settings)).kept
    auto, everywhere = (build_network(kept, Segments(crossings=crossings)) for crossings in ("auto", "all"))
    told = {(e.status, e.count) for e in auto.entries if e.item == "crossings"}
    assert told == ({("skipped", bridges)} if bridges else set())
    assert auto.warnings == []
    more = everywhere.junctions[~everywhere.junctions["junction_id"].isin(auto.junctions["junction_id"])]
    assert (len(more) >= bridges) if bridges else more.empty


@needs_real_data
def test_a_bridge_that_ends_over_the_drive_below_does_not_meet_it():
    file, settings, _ = REAL["a city's centrelines"]
    segments = build_network(read_roads(Roads(source=str(DATA / file), **settings)).kept).segments
    # Longfellow Bridge passes over both carriageways of Memorial Drive, and is parted into links there
    bridge, drive = (segments[segments["name"] == name] for name in ("Longfellow Bridge", "Memorial Dr"))
    assert bridge.union_all().intersects(drive.union_all())
    at_bridge = set(bridge["u"]) | set(bridge["v"])
    assert not (drive["u"].isin(at_bridge) | drive["v"].isin(at_bridge)).any()


# ---- Overture


def overture(folder, lines, **columns):
    table = roads(lines)[["geometry"]].assign(
        id=[f"s{i}" for i in range(len(lines))], subtype="road", **{"class": "residential"}
    )
    table = table.assign(**columns)
    table.to_parquet(folder / "segment.parquet")
    return read_roads(
        Roads(
            source=str(folder / "segment.parquet"),
            class_field="class",
            name_field=None,
            ref_field=None,
            id_field="id",
        ),
        crs=CRS,
    )


def connectors(line):
    """Connectors at all vertices of a street, and at both ends of a road without."""
    length = np.hypot(*(np.asarray(line[-1]) - line[0]))
    return [
        {"connector_id": f"c{x}-{y}", "at": float(np.hypot(*(np.asarray((x, y)) - line[0])) / length)}
        for x, y in line
    ]


def test_overtures_segments_meet_at_connectors(tmp_path):
    lines = [*streets(vertices=True), MOTORWAY, [(-50, 300), *((100 * i, 300) for i in range(6)), (550, 300)]]
    lines = [line for line in lines if line != [(100 * i, 300) for i in range(6)]]
    # the last one has vertices where it passes over streets, but no connectors
    told = [connectors(line) for line in lines[:-1]] + [connectors([lines[-1][0], lines[-1][-1]])]
    found = overture(tmp_path, lines, connectors=told)
    network = build_network(found.kept)
    assert len(network.junctions) == MEETINGS - SIZE
    assert sum(e.count for e in found.entries if e.item == "roads") == len(lines)


def test_a_stretch_on_a_bridge_has_a_level_of_its_own(tmp_path):
    whole = streets(vertices=False)
    rules = [None] * len(whole) + [[{"value": 1, "between": [0.2, 0.8]}]]
    long = [(-250, 250), (750, 250)]
    network = build_network(overture(tmp_path, [*whole, long], level_rules=rules).kept)
    # over the middle the road is a bridge: the streets at 0 to 500 m all pass below
    assert len(network.junctions) == MEETINGS
    flags = [None] * len(whole) + [
        [{"values": ["is_bridge"], "between": [0.2, 0.8]}, {"values": ["is_link"], "between": None}]
    ]
    assert len(build_network(overture(tmp_path, [*whole, long], road_flags=flags).kept).junctions) == MEETINGS
    half = [None] * len(whole) + [[{"value": -1, "between": [0.0, 0.5]}]]
    below = build_network(overture(tmp_path, [*whole, long], level_rules=half).kept)
    assert len(below.junctions) == MEETINGS + SIZE // 2


def test_a_segment_on_a_level_keeps_its_length_id_and_account(tmp_path):
    rules = [[{"value": 1, "between": [0.2, 0.4]}, {"value": 2, "between": [0.4, 0.5]}]]
    found = overture(tmp_path, [[(0, 0), (1000, 0)]], level_rules=rules)
    lengths = found.kept.assign(m=found.kept.length).groupby("level")["m"].sum().to_dict()
    assert lengths == pytest.approx({0: 700, 1: 200, 2: 100})
    assert set(found.kept["source_id"]) == {"s0"}
    assert [(e.status, e.count) for e in found.entries if e.item == "roads"] == [("done", 1)]


def test_stretches_are_read_where_structures_are_written_out(tmp_path):
    table = roads([[(0, 0), (1000, 0)]])[["geometry"]].assign(
        highway="primary", level_rules='[{"value": 1, "between": [0.2, 0.4]}]'
    )
    pyogrio.write_dataframe(table, tmp_path / "segment.gpkg")
    found = read_roads(Roads(source=str(tmp_path / "segment.gpkg")), crs=CRS).kept
    assert sorted(found["level"]) == [0, 0, 1]
