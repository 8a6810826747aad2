"""Which roads are roads: OpenStreetMap's values in whatever file, lists of classes, structures."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geo.collisions.assign import NOT_ROADS
from geo.config import Roads
from geo.errors import LayerError
from geo.roads.read import read_roads
from geo.roads.reading.cells import at_path, members
from geo.roads.reading.classes import DRIVABLE, NOT_DRIVABLE

CRS = "EPSG:27700"


def rows(classes, **columns):
    """Rows of parallel roads of 100 m on the National Grid."""
    lines = [
        shapely.LineString([(412_000, 273_000 + 40 * i), (412_100, 273_000 + 40 * i)])
        for i in range(len(classes))
    ]
    table = pd.DataFrame({"highway": classes} | columns)
    return gpd.GeoDataFrame(table, geometry=lines, crs=CRS)


def read(table, path, **settings):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        pyogrio.write_dataframe(table, path)
    return read_roads(Roads(source=str(path), **settings), crs=CRS)


def account(found, item="roads"):
    return {(e.status, e.reason): e.count for e in found.entries if e.item == item}


TOWN = ["residential", "primary", "footway", "footway", "steps", "proposed", "construction", "service"]


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp", "parquet"])
def test_of_openstreetmaps_values_roads_for_motor_traffic_are_kept_whatever_the_file(tmp_path, ending):
    found = read(rows(TOWN), tmp_path / f"osm.{ending}")
    assert found.kept["road_class"].tolist() == ["residential", "primary"]
    assert found.others.empty
    assert account(found) == {("done", ""): 2, ("skipped", "not a road for motor traffic"): 6}


def test_what_is_left_out_is_told_by_class_and_length(tmp_path):
    found = read(rows(TOWN), tmp_path / "osm.gpkg")
    told = account(found, "road classes")
    assert told["skipped", "footway: 0.2 km"] == 2
    assert told["skipped", "construction: 0.1 km"] == 1
    assert sum(told.values()) == 6


def test_classes_that_the_user_names_decide(tmp_path):
    kept = read(rows(TOWN), tmp_path / "osm.gpkg", keep=["footway", "primary"])
    assert kept.kept["road_class"].tolist() == ["primary", "footway", "footway"]
    assert set(kept.others["road_class"]) == {"residential", "steps", "proposed", "construction", "service"}
    dropped = read(rows(TOWN), tmp_path / "osm.gpkg", drop=["primary"])
    assert dropped.kept["road_class"].tolist() == ["residential"]
    assert dropped.others["road_class"].tolist() == ["primary"]


def test_a_citys_own_classes_are_no_values_of_openstreetmap(tmp_path):
    own = ["arterial", "collector", "local", "service", "path"]
    assert read(rows(own), tmp_path / "roads.gpkg").kept["road_class"].tolist() == own


def test_a_class_that_openstreetmap_does_not_know_stays(tmp_path):
    found = read(rows([*TOWN, "Ring road"]), tmp_path / "osm.gpkg")
    assert found.kept["road_class"].tolist() == ["residential", "primary", "Ring road"]


def test_lines_of_an_extract_that_are_no_highway_are_left_out(tmp_path):
    table = rows(["residential", None, None], other_tags=[None, '"power"=>"line"', None])
    found = read(table, tmp_path / "lines.gpkg")
    assert account(found) == {("done", ""): 1, ("skipped", "not a road for motor traffic"): 2}
    streets = rows(["residential", None, None], waterway=[None, "river", None])
    assert account(read(streets, tmp_path / "some.gpkg"))["done", ""] == 2


def test_no_value_is_both_a_road_and_none():
    assert not NOT_DRIVABLE & set(DRIVABLE)
    assert NOT_ROADS <= NOT_DRIVABLE


LISTS = {
    "as Python writes it": "['residential', 'tertiary']",
    "as JSON": '["residential", "tertiary"]',
    "as numpy prints it": "['residential' 'tertiary']",
    "as GDAL writes it": "(2:residential,tertiary)",
    "as PostgreSQL writes it": "{residential,tertiary}",
    "by semicolons": "residential;tertiary",
    "without quotes": "[residential, tertiary]",
    "with nothing among it": "['residential', nan, None, 'tertiary']",
    "a list": ["residential", "tertiary"],
    "an array": np.array(["residential", "tertiary"]),
}


@pytest.mark.parametrize("case", LISTS)
def test_of_several_classes_the_most_important_that_is_asked_for_counts(tmp_path, case):
    table = rows([LISTS[case], ["footway", "residential"] if isinstance(LISTS[case], list) else "primary"])
    path = tmp_path / "graph.parquet"
    table.highway = table.highway.map(lambda v: v if isinstance(v, str) else list(v))
    if not isinstance(LISTS[case], str):
        table.highway = [list(LISTS[case]), ["footway", "residential"]]
    found = read(table, path)
    assert found.kept["road_class"][0] == "tertiary"
    asked = read(table, path, keep=["residential", "primary"])
    assert asked.kept["road_class"][0] == "residential"
    assert asked.others.empty


def test_names_numbers_and_ids_of_joined_streets_are_all_told(tmp_path):
    table = rows(
        ["residential"] * 3,
        name=["['High Street', \"King's Road\"]", "[no name]", None],
        ref=['["A1", "A64"]', "A2;A3", "[]"],
        osmid=["[123, 456]", "789", "[1]"],
    )
    kept = read(table, tmp_path / "graph.gpkg", id_field="osmid").kept
    assert kept["name"].tolist() == ["High Street;King's Road", "[no name]", None]
    assert kept["ref"].tolist() == ["A1;A64", "A2;A3", None]
    assert kept["source_id"].tolist() == ["123;456", "789", "1"]


def test_words_in_brackets_are_no_list():
    for text in ("[no name]", "(unnamed road)", "Mill Lane", "(A1, A2)", "{'a': 1}", "[a b"):
        assert members(text) is None


def overture(names):
    return rows(
        ["residential"] * 3,
        names=names,
        subtype=["road", "road", "rail"],
        routes=[[{"ref": "A1", "network": "gb"}], None, None],
    ).rename(columns={"highway": "class"})


NAMES = [{"primary": "High Street", "common": {"cy": "Stryd Fawr"}}, {"primary": None, "common": None}, None]
FORMS = {
    "structures": NAMES,
    "JSON": ['{"primary": "High Street", "common": {"cy": "Stryd Fawr"}}', '{"primary": null}', None],
    "Python": ["{'primary': 'High Street', 'common': None}", "{'primary': None}", None],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_path_leads_into_structures(tmp_path, form):
    path = tmp_path / "segment.parquet"
    found = read(
        overture(FORMS[form]), path, class_field="class", name_field="names.primary", ref_field="routes.0.ref"
    )
    assert found.kept[["name", "ref"]].to_numpy().tolist() == [["High Street", "A1"], [None, None]]
    assert account(found) == {("done", ""): 2, ("skipped", "not a road for motor traffic"): 1}


@pytest.mark.parametrize("form", FORMS)
def test_a_structure_is_no_name_and_the_path_into_it_is_told(tmp_path, form):
    with pytest.raises(LayerError) as caught:
        read(overture(FORMS[form]), tmp_path / "s.parquet", class_field="class", name_field="names")
    for word in ("'names'", "structures", "High Street", "roads.name_field", "names.primary"):
        assert word in str(caught.value)


def test_a_path_that_leads_nowhere_is_refused(tmp_path):
    for path in ("name.primary", "Names.primary"):
        with pytest.raises(LayerError, match="no column"):
            read(overture(NAMES), tmp_path / "s.parquet", class_field="class", name_field=path)


def test_maps_of_parquet_are_followed_like_structures():
    pairs = pd.Series([[("en", "Mill Lane"), ("cy", "Lôn y Felin")], None, "Mill Lane"])
    assert at_path(pairs, ["cy"]).tolist() == ["Lôn y Felin", None, None]


# ---- what is told


def test_a_class_that_no_road_has_is_told_with_those_there_are(tmp_path):
    found = read(rows(TOWN), tmp_path / "osm.gpkg", keep=["primary", "motorway"], name_field=None)
    (told,) = found.warnings
    for word in ("roads.keep", "'motorway'", "residential", "footway"):
        assert word in told
    assert read(rows(TOWN), tmp_path / "osm.gpkg", keep=["primary"], name_field=None).warnings == []


@pytest.mark.parametrize("settings", [{"keep": ["primary", "residental"]}, {"drop": ["Footways"]}])
def test_a_slip_of_the_pen_in_a_class_is_refused_with_what_may_be_meant(tmp_path, settings):
    with pytest.raises(
        LayerError, match=rf"roads\.{next(iter(settings))}: (residential|footway) may be meant"
    ):
        read(rows(TOWN), tmp_path / "osm.gpkg", **settings)


def test_links_of_a_class_that_are_not_there_are_no_slip(tmp_path):
    found = read(rows(TOWN), tmp_path / "osm.gpkg", keep=["primary", "primary_link"], name_field=None)
    assert "'primary_link'" in found.warnings[0]


def test_lines_without_a_class_among_openstreetmaps_roads_are_none(tmp_path):
    found = read(rows(["residential"] * 9 + [None] * 3), tmp_path / "osm.gpkg")
    assert account(found) == {("done", ""): 9, ("skipped", "not a road for motor traffic"): 3}
    assert account(found, "road classes") == {("skipped", "without a class: 0.3 km"): 3}


@pytest.mark.parametrize("spelled", [str.upper, str.title])
def test_columns_that_are_not_named_are_found_whatever_their_case(tmp_path, spelled):
    table = rows(["primary"], name=["Mill Lane"], ref=["A1"]).rename(
        columns=lambda c: c if c == "geometry" else spelled(c)
    )
    found = read(table, tmp_path / "roads.gpkg")
    assert found.kept[["road_class", "name", "ref"]].to_numpy().tolist() == [["primary", "Mill Lane", "A1"]]
    assert found.warnings == []


def test_roads_without_a_column_of_names_are_told(tmp_path):
    found = read(rows(["primary"], NAME_1=["Mill Lane"]), tmp_path / "roads.gpkg")
    assert "'name'" in found.warnings[0]
    assert "NAME_1" in found.warnings[0]
    assert "roads.name_field" in found.warnings[0]
    assert read(rows(["primary"]), tmp_path / "roads.gpkg", name_field=None).warnings == []


def test_a_path_to_a_member_that_no_structure_has_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(LayerError, match=r"'names\.local'; there are names\.primary, names\.common\.cy"):
        read(overture(NAMES), tmp_path / "s.parquet", class_field="class", name_field="names.local")


def test_names_that_are_utf8_read_as_something_else_are_told(tmp_path):
    found = read(rows(["primary"] * 2, name=["Königstraße", "KÃ¶nig"]), tmp_path / "a.gpkg")
    assert found.warnings == []
    told = read(rows(["primary"] * 2, name=["KÃ¶nig", "Mill Lane"]), tmp_path / "b.gpkg").warnings
    assert "'KÃ¶nig'" in told[0]
    assert "'König'" in told[0]
    assert read(rows(["primary"], name=["König"]), tmp_path / "c.gpkg").warnings == []


def test_levels_of_joined_streets_are_those_farthest_from_the_ground(tmp_path):
    table = rows(
        ["primary"] * 4,
        layer=["['1', '2']", "[-1]", "1;2", None],
        bridge=["['yes', 'viaduct']", None, None, "['no']"],
    )
    assert read(table, tmp_path / "a.gpkg").kept["level"].tolist() == [2, -1, 0, 0]
    french = rows(["primary"] * 3, pos_sol=["1", "-1", "Gué ou radier"])
    assert read(french, tmp_path / "b.gpkg").kept["level"].tolist() == [1, -1, 0]
