"""Roads from any source: what is kept, under which names, and what became of every row."""

import geopandas as gpd
import numpy as np
import pandas as pd
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
    "a class left out": (LINE, "skipped", "a class that is left out"),
    "elsewhere": (shapely.LineString([(5000, 0), (5100, 0)]), "skipped", "outside the area"),
}


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
    assert found.kept["source_id"].nunique() == expected["done", ""]
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


def test_roads_left_out_stay_known_for_placing_collisions(tmp_path):
    table = frame(LINE, LINE, LINE, highway=["primary", "motorway", None])
    kept_by_name = read(write(table, tmp_path / "roads.gpkg"), keep=["primary"])
    assert kept_by_name.kept["road_class"].tolist() == ["primary"]
    assert kept_by_name.others["road_class"].tolist() == ["motorway", None]
    dropped = read(str(tmp_path / "roads.gpkg"), drop=["motorway"])
    assert dropped.kept["road_class"].tolist() == ["primary", None]


def test_bridges_and_tunnels_are_told_by_their_columns(tmp_path):
    table = frame(
        *[LINE] * 6,
        bridge=["yes", "no", None, None, "viaduct", "yes"],
        tunnel=[None, None, "yes", "no", None, None],
        layer=[None, None, None, "0", None, "3"],
    )
    assert read(write(table, tmp_path / "roads.gpkg")).kept["level"].tolist() == [1, 0, -1, 0, 1, 3]


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(6)))
def test_segments_have_the_same_ids_in_whatever_order_the_rows_come(order, tmp_path_factory):
    lines = [shapely.LineString([(0, y), (300, y)]) for y in (0, 100, 200)]
    lines += [shapely.LineString([(x, 0), (x, 200)]) for x in (50, 150, 290)]
    table = frame(*lines)
    ids = []
    for rows in (table, table.iloc[list(order)]):
        source = write(rows, tmp_path_factory.mktemp("roads") / "roads.parquet")
        ids.append(build_network(read(source).kept, Segments()).segments["segment_id"].tolist())
    assert ids[0] == ids[1]


# ---- the area


def test_roads_are_cut_at_the_border_of_the_area(tmp_path):
    source = write(frame(shapely.LineString([(-200, 0), (200, 0)])), tmp_path / "roads.gpkg")
    area = write(frame(shapely.box(-50, -50, 100, 50)), tmp_path / "area.gpkg")
    found = read(source, area=area)
    assert found.kept.length.tolist() == [150]
    assert found.area.area == 150 * 100


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
def test_roads_without_a_crs_are_refused(tmp_path):
    source = write(frame(LINE, crs=None), tmp_path / "roads.shp")
    refused(LayerError, source, "roads.shp", "CRS", "ogr2ogr")


def test_a_layer_is_chosen_by_name_and_a_wrong_name_lists_the_layers(tmp_path):
    path = tmp_path / "roads.gpkg"
    write(frame(LINE), path, layer="streets")
    write(frame(LINE, LINE), path, layer="lanes", append=True)
    assert len(read(str(path), layer="lanes").kept) == 2
    assert len(read(str(path)).kept) == 1
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
