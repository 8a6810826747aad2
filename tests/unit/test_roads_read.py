"""Roads from any source: what is kept, under which names, and what became of every row."""

import json
import sqlite3
import struct
from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from real_data import DATA, needs_real_data

from geo.config import Roads, Segments
from geo.errors import ConfigurationError, LayerError, SourceError
from geo.roads.read import metric_crs, read_area, read_roads
from geo.roads.segments import build_network

CRS = "EPSG:27700"
EAST, NORTH = 412_000, 273_000
LINE = shapely.LineString([(0, 0), (100, 0)])
BOW = shapely.LineString([(0, 0), (100, 100), (100, 0), (0, 100)])


def frame(*shapes, crs=CRS, **columns):
    """Rows of roads; shapes are laid at a place on the National Grid."""
    placed = [
        None if s is None else shapely.transform(s, lambda p: p + np.array([EAST, NORTH])) for s in shapes
    ]
    plain = {"highway": "residential", "name": [f"Road {i}" for i in range(len(shapes))]}
    return gpd.GeoDataFrame(pd.DataFrame(plain | columns, index=range(len(shapes))), geometry=placed, crs=crs)


def write(table, path, **options):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        pyogrio.write_dataframe(table, path, **options)
    return str(path)


def read(source, *, crs=CRS, area=None, **settings):
    return read_roads(Roads(source=source, **settings), crs=crs, area=area)


def degrees(*lines, **columns):
    """Rows of roads in longitude and latitude."""
    plain = {"highway": "residential"} | columns
    table = pd.DataFrame(plain, index=range(len(lines)))
    return gpd.GeoDataFrame(table, geometry=[shapely.LineString(line) for line in lines], crs=4326)


def account(found):
    return {(e.status, e.reason): e.count for e in found.entries if e.item == "roads"}


# ---- formats and reference systems


@pytest.mark.parametrize("ending", ["gpkg", "shp", "geojson", "fgb", "parquet"])
@pytest.mark.parametrize("crs", [CRS, "EPSG:4326", "EPSG:3857"])
def test_every_format_and_crs_gives_the_same_roads(tmp_path, ending, crs):
    table = frame(LINE, shapely.LineString([(0, 0), (0, 80)]), name=["Straße 🚲", None]).to_crs(crs)
    found = read(write(table, tmp_path / f"roads.{ending}")).kept
    assert found.crs == CRS
    # FlatGeobuf orders rows by place
    by_length = found.iloc[np.argsort(found.length)]
    np.testing.assert_allclose(by_length.length, [80, 100], atol=0.01)
    assert by_length["name"].tolist() == [None, "Straße 🚲"]
    assert found["road_class"].tolist() == ["residential"] * 2


def test_without_a_crs_of_the_city_its_utm_zone_is_taken(tmp_path):
    found = read(write(frame(LINE).to_crs(4326), tmp_path / "roads.gpkg"), crs=None)
    assert found.crs.to_epsg() == 32630
    assert found.kept.length[0] == pytest.approx(100, rel=0.001)


def streets(west, north, count=9):
    return [[(west + i / 1000, north), (west + i / 1000, north + 0.001)] for i in range(count)]


@pytest.mark.parametrize(
    ("lines", "area", "zone"),
    {
        "a faulty place far off": (([(0, 0), (0.00001, 0)], *streets(-71.1, 42.3)), None, 32619),
        "a faulty latitude": (([(10, 85), (10, 95)], *streets(-71.1, 42.3)), None, 32619),
        "both sides of the date line": ((*streets(179.98, -17), *streets(-179.999, -17, 12)), None, 32701),
        "a state of which the area is one end": (
            (*streets(-106, 31, 40), *streets(-95, 31)),
            (-95.6, 30.0, -94.0, 32.0),
            32615,
        ),
    }.values(),
)
def test_the_zone_is_that_of_most_roads_of_the_place(tmp_path, lines, area, zone):
    found = read(write(degrees(*lines), tmp_path / "roads.parquet"), crs=None, area=area)
    assert found.crs.to_epsg() == zone
    assert sum(account(found).values()) == len(lines)
    assert found.kept.length.median() == pytest.approx(111, rel=0.01)


def test_roads_far_from_the_area_do_not_speak_against_the_crs(tmp_path):
    table = degrees(*streets(-120, 31, 40), *streets(-95, 31))
    found = read(write(table, tmp_path / "roads.parquet"), crs="EPSG:32615", area=(-95.6, 30.0, -94.0, 32.0))
    assert account(found) == {("done", ""): 9, ("skipped", "outside the area"): 40}


OSM = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="52.35" lon="-1.82"/><node id="2" lat="52.36" lon="-1.82"/><node id="3" lat="52.36" lon="-1.81"/>
<way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/><tag k="name" v="Straße, &quot;A&quot;"/>
 <tag k="ref" v='A "1", \\x'/><tag k="bridge" v="yes"/><tag k="layer" v="2"/></way>
<way id="11"><nd ref="1"/><nd ref="3"/><tag k="highway" v="footway"/></way>
<way id="12"><nd ref="2"/><nd ref="3"/><tag k="waterway" v="river"/></way>
<way id="13"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="highway" v="residential"/>
 <tag k="note" v='"ref"=&gt;"9"'/><tag k="junction" v="roundabout"/><tag k="tunnel" v="yes"/></way></osm>"""


def osm(tmp_path):
    # what reads a .pbf goes by the contents: the same driver reads the same data written out
    (tmp_path / "town.osm.pbf").write_text(OSM, encoding="utf-8")
    return str(tmp_path / "town.osm.pbf")


def test_tags_of_openstreetmap_are_read_whatever_stands_in_them(tmp_path):
    found = read(osm(tmp_path))
    kept = found.kept.set_index("source_id")
    assert kept.index.tolist() == ["10", "13"]
    assert kept.loc["10", ["name", "ref", "level"]].tolist() == ['Straße, "A"', 'A "1", \\x', 2]
    assert kept.loc["13", ["name", "ref", "level", "roundabout"]].tolist() == [None, None, -1, True]
    assert account(found) == {("done", ""): 2, ("skipped", "not a road for motor traffic"): 2}


def test_of_openstreetmap_classes_that_are_asked_for_are_kept(tmp_path):
    found = read(osm(tmp_path), keep=["footway"])
    assert found.kept["source_id"].tolist() == ["11"]
    assert found.others["road_class"].tolist() == ["primary", "residential"]
    assert account(found) == {
        ("done", ""): 1,
        ("skipped", "not a highway"): 1,
        ("skipped", "a class that is left out"): 2,
    }


@needs_real_data
def test_an_openstreetmap_extract_gives_its_roads_with_their_tags():
    source = DATA / "helsinki_roads" / "Helsinki.osm.pbf"
    found = read(str(source), crs="EPSG:3879")
    rows = pyogrio.read_dataframe(source, layer="lines")
    assert sum(account(found).values()) == len(rows)
    assert account(found)["skipped", "not a road for motor traffic"] > 0
    assert set(found.kept["source_id"]) <= set(rows["osm_id"])
    assert not found.kept["road_class"].isin(["footway", "path", "steps", "cycleway", "service"]).any()
    bridges = rows.loc[rows["other_tags"].str.contains('"bridge"=>"yes"', na=False), "osm_id"]
    kept_bridges = found.kept[found.kept["source_id"].isin(bridges)]
    assert not kept_bridges.empty
    assert (kept_bridges["level"] != 0).all()


# ---- every row is accounted for

SHAPES = {
    "line": (LINE, "done", ""),
    "line with heights": (shapely.force_3d(LINE, 91.5), "done", ""),
    "in parts": (shapely.MultiLineString([LINE, shapely.LineString([(0, 9), (9, 9)])]), "done", ""),
    "crosses itself": (BOW, "done", ""),
    "backwards": (shapely.reverse(LINE), "done", ""),
    "point": (shapely.Point(5, 5), "rejected", "not a line"),
    "polygon": (shapely.box(0, 0, 9, 9), "rejected", "not a line"),
    "collection": (shapely.GeometryCollection([LINE]), "rejected", "not a line"),
    "null": (None, "rejected", "no geometry"),
    "empty": (shapely.LineString(), "rejected", "no geometry"),
    "no length": (shapely.LineString([(7, 7), (7, 7)]), "rejected", "zero length"),
    "infinite": (shapely.LineString([(0, 0), (np.inf, 0)]), "rejected", "coordinates that are no numbers"),
    "not a number": (
        shapely.LineString([(0, 0), (np.nan, 5)]),
        "rejected",
        "coordinates that are no numbers",
    ),
    "far off": (shapely.LineString([(0, 0), (1e6, 0)]), "rejected", "longer than 500 km"),
    "a part far off": (shapely.MultiLineString([LINE, [(0, 0), (1e6, 0)]]), "rejected", "longer than 500 km"),
    "parts far off and lost": (
        shapely.MultiLineString([LINE, [(0, 0), (1e6, 0)], [(0, 0), (1e300, 0)]]),
        "rejected",
        "coordinates that the city's CRS cannot hold",
    ),
    "a part without length": (shapely.MultiLineString([LINE, [(5, 5), (5, 5)]]), "done", ""),
    "a part not a number": (
        shapely.MultiLineString([LINE, [(0, 0), (np.nan, 5)]]),
        "rejected",
        "coordinates that are no numbers",
    ),
    "partly elsewhere": (shapely.MultiLineString([LINE, [(5000, 0), (5100, 0)]]), "done", ""),
    "across the border": (shapely.LineString([(0, 0), (900, 0), (900, 9), (0, 9)]), "done", ""),
    "touches the area": (shapely.LineString([(500, 0), (900, 0)]), "skipped", "outside the area"),
    "a class left out": (LINE, "skipped", "a class that is left out"),
    "elsewhere": (shapely.LineString([(5000, 0), (5100, 0)]), "skipped", "outside the area"),
}


def wkb(code, *points):
    return struct.pack("<BII", 1, code, len(points)) + b"".join(
        struct.pack(f"<{len(point)}d", EAST + point[0], NORTH + point[1], *point[2:]) for point in points
    )


ONE_POINT = wkb(2, (0, 0))


def as_geopackage(path, shape):
    """Two roads, the second with a geometry as other programs may write it."""
    pyogrio.write_dataframe(
        frame(LINE, LINE), path, layer="roads", SPATIAL_INDEX="NO", geometry_type="Unknown"
    )
    head = b"GP\x00\x01" + struct.pack("<i", 27700)
    with sqlite3.connect(path) as base:
        for (trigger,) in base.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            base.execute(f'drop trigger "{trigger}"')
        base.execute("update roads set geom = ? where fid = 2", (head + shape,))
    base.close()
    return str(path)


def as_parquet(path, shape):
    table = pq.read_table(write(frame(LINE, LINE), path))
    at, field = table.schema.get_field_index("geometry"), table.schema.field("geometry")
    shapes = pa.array([table.column("geometry")[0].as_py(), shape], field.type)
    pq.write_table(table.set_column(at, field, shapes), path)
    return str(path)


def as_geojson(path, _):
    ends = [[-1.82, 52.35], [-1.81, 52.35]]
    rows = [
        {
            "type": "Feature",
            "properties": {"highway": "residential", "name": "Road 0"},
            "geometry": {"type": "LineString", "coordinates": ends[:count]},
        }
        for count in (2, 1)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    return str(path)


@pytest.mark.parametrize(
    ("writer", "ending"), [(as_geopackage, "gpkg"), (as_parquet, "parquet"), (as_geojson, "geojson")]
)
def test_a_line_of_one_point_costs_its_own_row_alone(tmp_path, writer, ending):
    found = read(writer(tmp_path / f"roads.{ending}", ONE_POINT))
    assert account(found) == {("done", ""): 1, ("rejected", "geometry that cannot be read"): 1}
    assert found.kept[["source_id", "name"]].to_numpy().tolist() == [["0", "Road 0"]]
    assert found.kept.length[0] > 99


@pytest.mark.parametrize("shape", [b"", b"no geometry", struct.pack("<BII", 1, 16, 0)])
def test_a_geometry_that_is_none_costs_its_own_row_alone(tmp_path, shape):
    found = read(as_parquet(tmp_path / "roads.parquet", shape))
    assert account(found) == {("done", ""): 1, ("rejected", "geometry that cannot be read"): 1}


CURVE = wkb(8, (0, 0), (50, 50), (100, 0))
DRAWN = {
    "an arc": (CURVE, np.pi * 50),
    "an arc after a line": (
        struct.pack("<BII", 1, 9, 2) + wkb(2, (-100, 0), (0, 0)) + CURVE,
        100 + np.pi * 50,
    ),
    "with measures": (wkb(2002, (0, 0, 7), (100, 0, 8)), 100),
    "with heights and measures": (wkb(3002, (0, 0, 9, 7), (60, 80, 90, 8)), 100),
}


@pytest.mark.filterwarnings("ignore:geometry column type")
@pytest.mark.parametrize("case", DRAWN)
def test_curves_and_measures_become_flat_lines(tmp_path, case):
    shape, length = DRAWN[case]
    found = read(as_geopackage(tmp_path / "roads.gpkg", shape)).kept
    assert found.length.tolist() == pytest.approx([100, length], rel=0.001)
    assert (found.geom_type == "LineString").all()
    assert shapely.get_coordinate_dimension(found.geometry.to_numpy()).tolist() == [2, 2]


@settings(max_examples=40, deadline=None)
@given(kinds=st.lists(st.sampled_from(sorted(SHAPES)), max_size=12))
def test_every_row_has_one_fate(kinds, tmp_path_factory):
    kinds = ["line", *kinds]
    classes = ["footway" if kind == "a class left out" else "residential" for kind in kinds]
    table = frame(*[SHAPES[kind][0] for kind in kinds], highway=classes)
    source = write(table, tmp_path_factory.mktemp("roads") / "roads.parquet")
    area = shapely.box(-500, -500, 500, 500)
    polygon = write(frame(area), tmp_path_factory.mktemp("area") / "area.gpkg")
    found = read(source, area=polygon, drop=["footway"])
    expected = pd.Series([SHAPES[kind][1:] for kind in kinds]).value_counts().to_dict()
    assert account(found) == expected
    assert sum(account(found).values()) == len(kinds)
    done = [str(i) for i, kind in enumerate(kinds) if SHAPES[kind][1] == "done"]
    assert sorted(set(found.kept["source_id"])) == sorted(done)
    assert shapely.is_valid(found.kept.geometry.to_numpy()).all()
    assert (found.kept.geom_type == "LineString").all()
    assert not shapely.has_z(found.kept.geometry.to_numpy()).any()


def test_parts_of_a_road_keep_its_id_and_attributes(tmp_path):
    parts = shapely.MultiLineString([[(0, 0), (50, 0)], [(50, 0), (90, 0)]])
    table = frame(parts, LINE, road_no=[17, 18], lanes=[2, 1], ref=["A1", ""])
    found = read(write(table, tmp_path / "roads.gpkg"), id_field="road_no").kept
    assert sorted(found["source_id"]) == ["17", "17", "18"]
    assert found.loc[found["source_id"] == "17", "src_lanes"].tolist() == [2, 2]
    assert found.loc[found["source_id"] == "17", "ref"].tolist() == ["A1", "A1"]
    assert found.loc[found["source_id"] == "18", "ref"].tolist() == [None]


def test_numbers_that_a_file_stores_with_a_point_are_ids_without_one(tmp_path):
    found = read(write(frame(LINE, LINE, way=[7.0, np.nan]), tmp_path / "roads.gpkg"), id_field="way").kept
    assert found["source_id"].tolist() == ["7", "1"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    {
        "whole": ([7, 12], ["7", "12"]),
        "of many digits": ([10**17 + 1, 2], ["100000000000000001", "2"]),
        "text with zeros": (["007", " b "], ["007", "b"]),
        "beyond whole numbers": ([1e20, 2.0], ["1e+20", "2.0"]),
        "none": ([np.inf, ""], ["inf", "1"]),
        "infinite": ([np.inf, 3.0], ["0", "3"]),
        "broken": ([1.5, 2.0], ["1.5", "2.0"]),
        "letters": (["ул. Мира/1", None], ["ул. Мира/1", "1"]),
    }.values(),
)
def test_ids_are_text_and_the_row_where_there_is_none(tmp_path, ids, expected):
    source = write(
        frame(LINE, LINE, way=pd.Series(ids).map(str) if "" in ids else ids), tmp_path / "r.parquet"
    )
    assert read(source, id_field="way").kept["source_id"].tolist() == expected


def test_no_column_of_the_source_is_lost(tmp_path):
    table = frame(LINE, row=[5], geometry2="text", source_id="s", level=[3], Layer="4")
    table = table.rename_geometry("shape").assign(geometry="words").set_index(pd.Index([77], name="osmid"))
    found = read(write(table, tmp_path / "roads.parquet")).kept
    told = {c: found[c][0] for c in found if c.startswith("src_")}
    assert told == {
        "src_osmid": 77,
        "src_row": 5,
        "src_geometry2": "text",
        "src_source_id": "s",
        "src_level": 3,
        "src_Layer": "4",
        "src_geometry": "words",
    }
    assert found["level"].tolist() == [4]
    assert read(str(tmp_path / "roads.parquet"), id_field="row").kept["source_id"].tolist() == ["5"]
    assert read(str(tmp_path / "roads.parquet"), id_field="osmid").kept["source_id"].tolist() == ["77"]


def test_rows_whose_index_repeats_stay_apart(tmp_path):
    table = frame(LINE, shapely.LineString([(0, 0), (0, 50)]), None)
    table.index = pd.MultiIndex.from_tuples([(1, 2), (1, 2), (3, 4)], names=["u", "v"])
    found = read(write(table, tmp_path / "roads.parquet"))
    assert found.kept[["source_id", "src_u"]].to_numpy().tolist() == [["0", 1], ["1", 1]]
    assert account(found) == {("done", ""): 2, ("rejected", "no geometry"): 1}


def test_cells_of_every_kind_become_text_or_stay_numbers(tmp_path):
    table = frame(
        *[LINE] * 2,
        highway=[["primary", "secondary"], ["primary"]],
        blob=[b"\xffA", None],
        parts=[{"a": "x"}, None],
        price=[Decimal("1.50"), None],
        lanes=[2, None],
        lit=[True, False],
        seen=pd.to_datetime(["2024-05-01", None]),
    )
    found = read(write(table, tmp_path / "roads.parquet")).kept
    assert found["road_class"].tolist() == ["primary", "primary"]
    assert found["src_blob"].tolist() == ["\ufffdA", None]
    assert found["src_parts"].tolist() == ["{'a': 'x'}", None]
    assert found["src_price"].tolist() == ["1.50", None]
    assert found["src_lanes"][0] == 2
    assert found["src_lit"].tolist() == [True, False]
    assert found["src_seen"][0] == pd.Timestamp("2024-05-01")
    assert pd.isna(found["src_seen"][1])


def test_what_is_not_told_is_none(tmp_path):
    table = frame(LINE, LINE, highway=["primary", " "], name=[None, ""])
    found = read(write(table, tmp_path / "roads.gpkg")).kept
    assert found[["name", "ref", "road_class"]].to_numpy().tolist() == [[None, None, "primary"], [None] * 3]


def test_a_geojson_of_mixed_values_is_read(tmp_path):
    path = tmp_path / "roads.geojson"
    as_geojson(path, None)
    told = json.loads(path.read_text())
    line = told["features"][0]["geometry"]
    values = [{"highway": "a", "name": "x"}, {"highway": 3, "name": ["y", "z"]}, {"highway": None}]
    told["features"] = [{"type": "Feature", "properties": v, "geometry": line} for v in values]
    path.write_text(json.dumps(told))
    found = read(str(path)).kept
    assert found["road_class"].tolist() == ["a", "3", None]
    assert found["name"].tolist() == ["x", "y;z", None]


def test_roads_left_out_stay_known_for_placing_collisions(tmp_path):
    table = frame(LINE, LINE, LINE, highway=["primary", "motorway", None])
    kept_by_name = read(write(table, tmp_path / "roads.gpkg"), keep=["primary"])
    assert kept_by_name.kept["road_class"].tolist() == ["primary"]
    assert kept_by_name.others["road_class"].tolist() == ["motorway", None]
    dropped = read(str(tmp_path / "roads.gpkg"), drop=["motorway"])
    assert dropped.kept["road_class"].tolist() == ["primary", None]


def test_bridges_and_tunnels_are_told_by_their_columns(tmp_path):
    table = frame(
        *[LINE] * 9,
        bridge=["yes", "no", None, None, "viaduct", "yes", "T", "yes", None],
        tunnel=[None, None, "yes", "no", None, None, "F", None, None],
        layer=[None, None, None, "0", None, "3", "inf", "1e30", "1;2"],
    )
    found = read(write(table, tmp_path / "roads.gpkg")).kept
    assert found["level"].tolist() == [1, 0, -1, 0, 1, 3, 1, 1, 0]


@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(6)))
def test_segments_have_the_same_ids_in_whatever_order_the_rows_come(order, tmp_path_factory):
    lines = [shapely.LineString([(0, y), (300, y)]) for y in (0, 100, 200)]
    lines += [shapely.LineString([(x, 0), (x, 200)]) for x in (50, 150, 290)]
    table = frame(*lines, way=[f"w{i}" for i in range(6)], lanes=range(6))
    found = []
    for rows in (table, table.iloc[list(order)]):
        source = write(rows, tmp_path_factory.mktemp("roads") / "roads.parquet")
        found.append(build_network(read(source, id_field="way").kept, Segments()).segments)
    pd.testing.assert_frame_equal(*found)


# ---- the area


def test_roads_are_cut_at_the_border_of_the_area(tmp_path):
    source = write(frame(shapely.LineString([(-200, 0), (200, 0)])), tmp_path / "roads.gpkg")
    area = write(frame(shapely.box(-50, -50, 100, 50)), tmp_path / "area.gpkg")
    found = read(source, area=area)
    assert found.kept.length.tolist() == [150]
    assert found.area.area == 150 * 100


def test_an_area_is_what_its_polygons_cover(tmp_path):
    source = write(frame(LINE, shapely.LineString([(0, 0), (0, 100)])), tmp_path / "roads.gpkg")
    spiked = shapely.Polygon([(-10, -10), (60, -10), (60, 90), (60, 10), (-10, 10)])
    flat = shapely.Polygon([(0, 0), (0, 100), (0, 50), (0, 0)])
    area = write(frame(spiked, flat, None, shapely.Point(0, 0)), tmp_path / "area.parquet")
    found = read(source, area=area)
    assert found.kept.length.tolist() == [60, 10]
    assert found.area.geom_type == "Polygon"


def test_a_box_in_degrees_is_an_area():
    box = read_area((-1.83, 52.35, -1.82, 52.36), metric_crs(CRS))
    assert 600_000 < box.area < 800_000


# ---- what cannot be read is refused


def refused(error, source, *words, **settings):
    with pytest.raises(error) as caught:
        read(str(source), **settings)
    for word in words:
        assert word in str(caught.value)


def test_a_source_that_is_not_there_is_named(tmp_path):
    refused(SourceError, tmp_path / "none.gpkg", "none.gpkg", "no such file", "roads.source")


@pytest.mark.parametrize("ending", ["gpkg", "parquet", "shp", "osm.pbf", "geojson"])
def test_a_file_of_something_else_is_refused(tmp_path, ending):
    path = tmp_path / f"roads.{ending}"
    path.write_bytes(b"\x00\x01 no roads here" * 50)
    refused(SourceError, path, path.name, "cannot be read as roads")


def test_a_table_without_geometry_is_refused(tmp_path):
    pyogrio.write_dataframe(pd.DataFrame({"highway": ["primary"]}), tmp_path / "roads.gpkg", layer="roads")
    refused(LayerError, tmp_path / "roads.gpkg", "no geometry")


@pytest.mark.parametrize("shapes", [(), (shapely.Point(0, 0), None)], ids=["no rows", "no line"])
def test_a_layer_without_lines_is_refused(tmp_path, shapes):
    source = write(frame(*shapes), tmp_path / "roads.gpkg", geometry_type="Unknown")
    refused(LayerError, source, "roads.gpkg", "no rows" if not shapes else "holds no line")


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("ending", ["gpkg", "shp", "fgb", "parquet"])
@pytest.mark.parametrize("crs", [CRS, None])
def test_roads_without_a_crs_are_refused(tmp_path, ending, crs):
    source = write(frame(LINE, crs=None), tmp_path / f"roads.{ending}")
    refused(LayerError, source, f"roads.{ending}", "no CRS", "ogr2ogr", crs=crs)


SITE = 'LOCAL_CS["site grid",UNIT["metre",1]]'


@pytest.mark.parametrize("crs", [CRS, None])
def test_roads_in_a_grid_of_their_own_are_refused(tmp_path, crs):
    source = write(frame(LINE), tmp_path / "roads.shp")
    (tmp_path / "roads.prj").write_text(SITE)
    refused(LayerError, source, "roads.shp", "site grid", crs=crs)


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "fgb", "parquet"])
def test_half_a_file_is_refused(tmp_path, ending):
    lines = [shapely.LineString([(i, 0), (i, j)]) for i in range(30) for j in range(1, 30)]
    path = tmp_path / f"roads.{ending}"
    write(frame(*lines), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(SourceError, path, path.name, "cannot be read as roads")


def test_of_several_layers_the_only_one_with_lines_is_read_and_named(tmp_path):
    path = tmp_path / "roads.gpkg"
    write(frame(shapely.Point(0, 0)), path, layer="nodes")
    write(frame(LINE, LINE), path, layer="edges", append=True)
    write(frame(*[]), path, layer="drafts", append=True, geometry_type="LineString")
    write(frame(shapely.Point(0, 0)), path, layer="anything", append=True, geometry_type="Unknown")
    found = read(str(path))
    assert len(found.kept) == 2
    told = {entry.reason for entry in found.entries if entry.item == "rows of layers"}
    assert "roads.gpkg: 'edges' was read" in told
    assert "roads.gpkg: 'nodes' was left (Point)" in told
    assert len(read(str(path), layer="edges").kept) == 2


def test_layers_without_any_line_are_refused_with_the_key_that_chooses(tmp_path):
    path = tmp_path / "roads.gpkg"
    write(frame(shapely.Point(0, 0)), path, layer="nodes")
    write(frame(shapely.Point(0, 0)), path, layer="signs", append=True)
    refused(LayerError, path, "1 rows: not a line", "layer")


def test_names_in_any_script_are_read(tmp_path):
    path = tmp_path / "straßen ü%1.gpkg"
    write(frame(LINE).rename(columns={"highway": "Straßenart"}), path, layer="дороги")
    found = read(str(path), layer="дороги", class_field="Straßenart").kept
    assert found["road_class"].tolist() == ["residential"]


def test_a_layer_is_chosen_by_name_and_a_wrong_name_lists_the_layers(tmp_path):
    path = tmp_path / "roads.gpkg"
    write(frame(LINE), path, layer="streets")
    write(frame(LINE, LINE), path, layer="lanes", append=True)
    assert len(read(str(path), layer="lanes").kept) == 2
    assert len(read(str(path), layer=["streets", "lanes"]).kept) == 3
    refused(LayerError, path, "2 layers of lines", "'streets' (1 rows)", "'lanes' (2 rows)", "roads.layer")
    refused(LayerError, path, "'roads'", "streets, lanes", layer="roads")


@pytest.mark.parametrize("key", ["class_field", "name_field", "ref_field", "id_field"])
def test_a_column_that_is_not_there_is_refused_by_its_key(tmp_path, key):
    source = write(frame(LINE), tmp_path / "roads.gpkg")
    refused(LayerError, source, "'kind'", "highway, name", f"roads.{key}", **{key: "kind"})


def test_a_source_without_names_and_numbers_is_read_all_the_same(tmp_path):
    source = write(frame(LINE).drop(columns="name"), tmp_path / "roads.gpkg")
    assert read(source).kept[["name", "ref"]].isna().all(axis=None)


def test_classes_that_leave_nothing_are_refused_with_those_there_are(tmp_path):
    source = write(frame(LINE, LINE, highway=["primary", "track"]), tmp_path / "roads.gpkg")
    refused(LayerError, source, "primary, track", "roads.keep", keep=["motorway"])


def test_an_area_elsewhere_is_refused(tmp_path):
    source = write(frame(LINE), tmp_path / "roads.gpkg")
    refused(LayerError, source, "no road lies in the area", area=(10.0, 50.0, 10.1, 50.1))


BOX = shapely.box(-50, -50, 100, 50)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize(
    ("shape", "crs", "fault"),
    {
        "lines": (LINE, CRS, "it holds no polygon"),
        "flat": (shapely.Polygon([(0, 0), (9, 0), (5, 0), (0, 0)]), CRS, "it holds no polygon"),
        "empty": (shapely.Polygon(), CRS, "it holds no polygon"),
        "infinite": (shapely.Polygon([(0, 0), (np.inf, 0), (5, 5)]), CRS, "no places"),
        "no crs": (BOX, None, "it states no CRS"),
    }.values(),
)
def test_an_area_that_is_none_is_refused(tmp_path, shape, crs, fault):
    source = write(frame(LINE), tmp_path / "roads.gpkg")
    area = write(frame(shape, crs=crs), tmp_path / "area.parquet")
    refused(LayerError, source, "area.parquet", fault, area=area)


def test_an_area_that_cannot_be_read_is_refused(tmp_path):
    source = write(frame(LINE), tmp_path / "roads.gpkg")
    refused(SourceError, source, "none.gpkg", area=str(tmp_path / "none.gpkg"))
    (tmp_path / "area.csv").write_text("a,b\n1,2\n")
    refused(LayerError, source, "area.csv", "no geometry", area=str(tmp_path / "area.csv"))
    area = write(frame(BOX), tmp_path / "area.shp")
    (tmp_path / "area.prj").write_text(SITE)
    refused(LayerError, source, "area.shp", "site grid", area=area)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263", "EPSG:5714", "metres", "EPSG:99999999"])
def test_a_crs_that_does_not_measure_in_metres_is_refused_with_one_that_does(tmp_path, crs):
    source = write(frame(LINE), tmp_path / "roads.gpkg")
    refused(ConfigurationError, source, crs, "EPSG:32630", crs=crs)


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:3031"])
def test_a_crs_that_stretches_the_roads_is_refused(tmp_path, crs):
    source = write(frame(LINE), tmp_path / "roads.gpkg")
    refused(ConfigurationError, source, "times as long as on the ground", "EPSG:32630", crs=crs)


def test_metres_in_a_file_that_states_degrees_are_refused(tmp_path):
    text = write(frame(LINE, crs=None), tmp_path / "roads.geojson")
    refused(LayerError, text, "roads.geojson", "CRS", crs=None)


def test_a_vertex_far_off_costs_its_road_alone(tmp_path):
    far = shapely.LineString([(0, 0), (1e12, 0)])
    found = read(write(frame(LINE, far), tmp_path / "roads.parquet"))
    assert account(found) == {("done", ""): 1, ("rejected", "longer than 500 km"): 1}
