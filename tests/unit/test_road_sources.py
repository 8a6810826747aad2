"""Roads of several files, layers, reference systems and encodings."""

import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geo.config import Roads, load
from geo.errors import ConfigurationError, LayerError, SourceError
from geo.roads.read import metric_crs, read_area, read_roads
from geo.roads.segments import build_network

CRS = "EPSG:27700"


def streets(numbers, crs=CRS, **columns):
    """Parallel streets of 300 m, one for each number, which is its id too."""
    lines = [shapely.LineString([(412_000, 273_000 + 50 * i), (412_300, 273_000 + 50 * i)]) for i in numbers]
    table = {"highway": "residential", "name": [f"Street {i}" for i in numbers], "way": [*numbers]}
    return gpd.GeoDataFrame(
        pd.DataFrame(table | columns, index=range(len(lines))), geometry=lines, crs=CRS
    ).to_crs(crs)


def write(table, path, **options):
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        pyogrio.write_dataframe(table, path, **options)
    return str(path)


def read(source, **settings):
    return read_roads(Roads(source=source, **settings), crs=CRS)


def account(found, item="roads"):
    return {(e.status, e.reason): e.count for e in found.entries if e.item == item}


AGAIN = ("skipped", "repeats a road of another file: one id, one place")


@pytest.mark.parametrize("ending", ["gpkg", "shp", "geojson", "parquet"])
def test_tiles_that_overlap_make_one_network(tmp_path, ending):
    whole = read(write(streets(range(8)), tmp_path / f"whole.{ending}"), id_field="way")
    write(streets(range(5)), tmp_path / f"tile_1.{ending}")
    write(streets(range(3, 8)), tmp_path / f"tile_2.{ending}")
    found = read(str(tmp_path / f"tile_*.{ending}"), id_field="way")
    assert account(found) == {("done", ""): 8, AGAIN: 2}
    pd.testing.assert_frame_equal(
        build_network(found.kept).segments, build_network(whole.kept).segments, check_dtype=False
    )


def test_files_that_spell_their_columns_in_another_case_are_one_table(tmp_path):
    first = write(streets(range(3)), tmp_path / "a.gpkg")
    second = write(
        streets(range(3, 6)).rename(columns={"highway": "HIGHWAY", "name": "Name"}), tmp_path / "b.shp"
    )
    found = read([first, second], id_field=None).kept
    assert found["road_class"].tolist() == ["residential"] * 6
    assert found["name"].tolist() == [f"Street {i}" for i in range(6)]


def test_files_in_different_reference_systems_lie_where_they_are(tmp_path):
    tiles = [
        write(streets(range(5)), tmp_path / "a.gpkg"),
        write(streets(range(4, 8), crs=4326), tmp_path / "b.geojson"),
        write(streets(range(7, 9), crs=3857), tmp_path / "c.parquet"),
    ]
    found = read(tiles, id_field="way")
    assert account(found) == {("done", ""): 9, AGAIN: 2}
    by_id = found.kept.set_index("source_id")
    for i in range(9):
        assert by_id.geometry[str(i)].hausdorff_distance(streets([i]).geometry[0]) < 0.01


def test_without_ids_roads_drawn_twice_are_one_road(tmp_path):
    write(streets(range(5)), tmp_path / "a.gpkg")
    write(streets(range(3, 8)), tmp_path / "b.gpkg")
    network = build_network(read(str(tmp_path / "?.gpkg")).kept)
    assert network.segments["name"].nunique() == 8
    assert [e.count for e in network.entries if e.reason == "duplicate geometry"] == [2]


def test_ids_that_start_anew_in_each_file_are_told_apart(tmp_path):
    write(streets(range(5)), tmp_path / "north.gpkg")
    write(streets(range(10, 15), way=[*range(5)]), tmp_path / "south.gpkg")
    for key in ("way", "fid"):
        found = read([str(tmp_path / "north.gpkg"), str(tmp_path / "south.gpkg")], id_field=key)
        assert account(found) == {("done", ""): 10}
        first = 0 if key == "way" else 1
        expected = [f"{name}:{i + first}" for name in ("north", "south") for i in range(5)]
        assert found.kept["source_id"].tolist() == expected
        assert ("done", "they start anew in each file, and are told apart by its name") in account(
            found, "ids of roads"
        )


def test_a_road_that_goes_on_in_the_next_tile_keeps_its_id(tmp_path):
    write(streets(range(5)), tmp_path / "a.gpkg")
    rest = streets(range(4, 9))
    rest.loc[0, "geometry"] = shapely.LineString([(412_300, 273_200), (412_600, 273_200)])
    write(rest, tmp_path / "b.gpkg")
    found = read(str(tmp_path / "?.gpkg"), id_field="way").kept
    assert found.loc[found["source_id"] == "4"].length.tolist() == [300, 300]


def test_an_empty_tile_among_others_does_no_harm(tmp_path):
    write(streets(range(2)), tmp_path / "a.gpkg")
    write(streets([]), tmp_path / "b.gpkg", geometry_type="LineString")
    assert account(read(str(tmp_path / "?.gpkg"))) == {("done", ""): 2}


def test_a_file_among_several_is_refused_by_its_name(tmp_path):
    good = write(streets(range(2)), tmp_path / "a.gpkg")
    other = write(streets(range(2)).rename(columns={"highway": "class"}), tmp_path / "b.gpkg")
    with pytest.raises(LayerError, match=r"b\.gpkg: it has no column 'highway'"):
        read([good, other])
    with pytest.raises(SourceError, match=r"c\.gpkg: no such file"):
        read([good, str(tmp_path / "c.gpkg")])
    with pytest.raises(SourceError, match=r"d\*\.gpkg: no file matches"):
        read([good, str(tmp_path / "d*.gpkg")])


def test_sources_of_a_citys_file_start_at_its_folder(tmp_path):
    (tmp_path / "city.yaml").write_text(
        "{city: town, imagery: {sources: [a.tif]}, roads: {source: [one.gpkg, tiles/*.gpkg]}}"
    )
    config = load(tmp_path / "city.yaml")
    assert config.roads.sources == [str(tmp_path / "one.gpkg"), str(tmp_path / "tiles" / "*.gpkg")]


# ---- reference systems


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
@pytest.mark.parametrize("ending", ["gpkg", "shp", "fgb", "parquet"])
def test_a_crs_that_no_file_states_is_named(tmp_path, ending):
    table = streets(range(2)).set_crs(None, allow_override=True)
    source = write(table, tmp_path / f"roads.{ending}")
    with pytest.raises(LayerError, match=r"roads\.crs"):
        read(source)
    found = read(source, crs=CRS)
    assert sorted(found.kept.length) == [300, 300]
    assert [*account(found, "places of roads").values()] == [2]


def test_a_crs_that_is_named_stands_for_one_that_is_wrong(tmp_path):
    table = streets(range(2)).set_crs(2154, allow_override=True)
    found = read(write(table, tmp_path / "roads.gpkg"), crs=CRS)
    assert found.kept.length.tolist() == [300, 300]
    (told,) = account(found, "places of roads")
    assert "it states RGF93" in told[1]
    assert "OSGB36" in told[1]


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_crs_that_is_named_is_that_of_files_that_state_none(tmp_path):
    stated = write(streets(range(2), crs=4326), tmp_path / "a.gpkg")
    silent = write(streets(range(2, 4)).set_crs(None, allow_override=True), tmp_path / "b.gpkg")
    found = read([stated, silent], crs=CRS)
    np.testing.assert_allclose(found.kept.length, 300, atol=0.01)
    assert found.kept.total_bounds[2] < 412_301


def test_a_crs_that_is_none_is_refused_by_its_key(tmp_path):
    with pytest.raises(ConfigurationError, match=r"roads\.crs: 'EPSG:1' is no CRS"):
        read(write(streets(range(2)), tmp_path / "roads.gpkg"), crs="EPSG:1")


# ---- ids and numbers


def test_the_number_of_a_row_in_its_file_is_an_id(tmp_path):
    source = write(streets(range(3)), tmp_path / "roads.gpkg")
    found = read(source, id_field="fid").kept
    assert found["source_id"].tolist() == ["1", "2", "3"]
    assert "src_fid" not in found
    named = write(streets(range(3)), tmp_path / "named.gpkg", layer_options={"FID": "ogc_fid"})
    assert read(named, id_field="ogc_fid").kept["source_id"].tolist() == ["1", "2", "3"]
    base = write(streets(range(3)), tmp_path / "roads.gdb", driver="OpenFileGDB", layer="roads")
    assert read(base, id_field="OBJECTID").kept["source_id"].tolist() == ["1", "2", "3"]


def test_cells_of_s2_keep_their_digits(tmp_path):
    cells = pd.array([2**63 + 1, 2**64 - 1, None], "UInt64")
    found = read(write(streets(range(3), cell=cells), tmp_path / "r.parquet"), id_field="cell").kept
    assert found["source_id"].tolist() == [str(2**63 + 1), str(2**64 - 1), "2"]
    as_column = read(write(streets(range(3), cell=cells), tmp_path / "r.parquet")).kept
    assert as_column["src_cell"].tolist() == [str(2**63 + 1), str(2**64 - 1), None]


@pytest.mark.parametrize("ending", ["gpkg", "parquet", "geojson", "fgb"])
def test_long_numbers_beside_none_keep_their_digits(tmp_path, ending):
    ids = pd.array([2**53 + 1, 2**62 + 1, None], "Int64")
    options = {} if ending == "parquet" else {"use_arrow": True}
    source = write(streets(range(3), toid=ids), tmp_path / f"r.{ending}", **options)
    found = read(source, id_field="toid").kept
    assert sorted(found["source_id"])[-2:] == sorted([str(2**53 + 1), str(2**62 + 1)])[-2:]
    kept = read(str(tmp_path / f"r.{ending}")).kept
    assert {int(each) for each in kept["src_toid"].dropna()} == {2**53 + 1, 2**62 + 1}


# ---- encodings


def shapefile(path, names, encoding, *, stated=False):
    write(streets(range(len(names)), name=names), path, encoding=encoding)
    if not stated:
        path.with_suffix(".cpg").unlink()
    return str(path)


def test_text_in_utf8_that_no_file_states_is_found_out_and_told(tmp_path):
    found = read(shapefile(tmp_path / "r.shp", ["Straße", "Rue de l'Église", "Plain"], "UTF-8"))
    assert found.kept["name"].tolist() == ["Straße", "Rue de l'Église", "Plain"]
    (warning,) = found.warnings
    for word in ("r.shp", "UTF-8", "roads.encoding", "2 rows"):
        assert word in warning


@pytest.mark.parametrize("encoding", ["windows-1252", "ISO-8859-1"])
def test_other_text_is_taken_for_western_and_told(tmp_path, encoding):
    found = read(shapefile(tmp_path / "r.shp", ["Straße", "Plain"], encoding))
    assert found.kept["name"].tolist() == ["Straße", "Plain"]
    assert "windows-1252" in found.warnings[0]


@pytest.mark.parametrize("stated", [True, False])
def test_text_of_a_shapefile_in_an_archive_or_a_folder_is_found_out_likewise(tmp_path, stated):
    (tmp_path / "roads").mkdir()
    shapefile(tmp_path / "roads" / "r.shp", ["Straße", "Plain"], "UTF-8", stated=stated)
    shutil.make_archive(str(tmp_path / "roads"), "zip", tmp_path / "roads")
    for source in (tmp_path / "roads", tmp_path / "roads.zip"):
        found = read(str(source))
        assert found.kept["name"].tolist() == ["Straße", "Plain"]
        assert len(found.warnings) == (0 if stated else 1)


def test_text_in_plain_letters_needs_no_word(tmp_path):
    assert read(shapefile(tmp_path / "r.shp", ["Mill Lane", "Plain"], "UTF-8")).warnings == []
    stated = read(shapefile(tmp_path / "s.shp", ["Straße", "Plain"], "ISO-8859-1", stated=True))
    assert (stated.kept["name"].tolist(), stated.warnings) == (["Straße", "Plain"], [])


@pytest.mark.parametrize("ending", ["shp", "tab"])
def test_an_encoding_that_is_named_is_used(tmp_path, ending):
    path = tmp_path / f"r.{ending}"
    write(streets(range(2), name=["улица Мира", "Plain"]), path, encoding="windows-1251")
    if ending == "shp":
        path.with_suffix(".cpg").unlink()
    found = read(str(path), encoding="windows-1251")
    assert (found.kept["name"].tolist(), found.warnings) == (["улица Мира", "Plain"], [])
    with pytest.raises(ConfigurationError, match=r"roads\.encoding"):
        read(str(path), encoding="latin-77")


@pytest.mark.parametrize("stated", [True, False])
def test_a_letter_that_its_column_cuts_in_two_is_left_out(tmp_path, stated):
    path = tmp_path / "r.shp"
    shapefile(path, ["ä" * 40, "x"], "UTF-8", stated=stated)
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    at = table.find("ä".encode() * 40)
    table[at + 79 : at + 80] = b" "
    path.with_suffix(".dbf").write_bytes(table)
    assert read(str(path)).kept["name"].tolist() == ["ä" * 39, "x"]


# ---- the area


def polygon(x, y, crs=CRS):
    return gpd.GeoDataFrame(geometry=[shapely.box(x, y, x + 100, y + 100)], crs=crs)


def test_of_several_layers_of_an_area_the_only_one_with_polygons_is_read(tmp_path):
    path = tmp_path / "area.gpkg"
    write(streets(range(2)), path, layer="streets")
    write(polygon(412_000, 273_000), path, layer="city", append=True)
    assert read_area(str(path), metric_crs(CRS)).area == 10_000
    write(polygon(0, 0), path, layer="county", append=True)
    with pytest.raises(LayerError, match=r"2 layers of polygons: 'city' \(1 rows\), 'county'"):
        read_area(str(path), metric_crs(CRS))


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_an_area_of_lines_or_without_a_crs_is_refused_with_what_mends_it(tmp_path):
    with pytest.raises(LayerError, match=r"no polygon \(LineString\)"):
        read_area(write(streets(range(2)), tmp_path / "lines.gpkg"), metric_crs(CRS))
    silent = polygon(0, 0).set_crs(None, allow_override=True)
    with pytest.raises(LayerError, match=r"no CRS[^$]*key area as \[west"):
        read_area(write(silent, tmp_path / "silent.gpkg"), metric_crs(CRS))
