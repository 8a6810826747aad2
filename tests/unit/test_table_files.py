"""Records in whatever file people have them: the same rows, or a refusal that says what is there and what mends it."""

import gzip
import json

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from record_files import ROWS, TEXT, cells, points, written, zipped

from geo.collisions.read import read_collisions
from geo.collisions.tables.places import expand_globs, expand_tables, files_of
from geo.collisions.tables.reading import read_all, read_rows, read_tables
from geo.collisions.tables.table import Form
from geo.config import collision_settings
from geo.errors import LayerError, SourceError
from geo.sources.digest import digest_source

# ---- archives


def test_the_only_table_of_an_archive_is_taken(tmp_path):
    path = zipped(
        tmp_path / "c.zip",
        {"data/c.csv": TEXT, "README.txt": "read me", "__MACOSX/data/._c.csv": "x", "meta.xml": "<m/>"},
    )
    assert cells(path) == ROWS


def test_several_tables_of_an_archive_are_listed_and_named_after_it(tmp_path):
    years = {
        f"{year}.csv": "\n".join([TEXT.splitlines()[0], TEXT.splitlines()[i]])
        for i, year in ((1, 2019), (2, 2020))
    }
    path = zipped(tmp_path / "c.zip", years)
    with pytest.raises(
        LayerError, match=r"(?s)more than one table in it: 2019\.csv, 2020\.csv.*c\.zip/2019\.csv"
    ):
        read_rows(str(path))
    assert cells(f"{path}/2020.csv") == [ROWS[0], ROWS[2]]
    assert [rows.frame["id"].tolist() for rows in read_tables(f"{path}/*.csv")] == [["1"], ["2"]]
    with pytest.raises(LayerError, match=r"no '2021\.csv' in it, only 2019\.csv, 2020\.csv"):
        read_rows(f"{path}/2021.csv")


def test_an_archive_is_an_input_whatever_of_it_is_asked_for(tmp_path):
    path = zipped(tmp_path / "c.zip", {"2019.csv": TEXT})
    settings = collision_settings(sources=[f"{path}/2019.csv"], schema="columns", columns={"id": "id"})
    assert files_of(expand_tables(settings)) == [str(path)]
    before = digest_source(str(path))
    zipped(path, {"2019.csv": TEXT + "4;2022-01-01;-1,53;52,43;Platz\n"})
    assert digest_source(str(path)) != before


def test_a_shapefile_in_an_archive_is_one_table(tmp_path):
    (tmp_path / "s").mkdir()
    pyogrio.write_dataframe(points(), tmp_path / "s" / "c.shp")
    path = zipped(tmp_path / "c.zip", {f"in/{f.name}": f.read_bytes() for f in (tmp_path / "s").iterdir()})
    rows = read_rows(str(path))
    assert rows.frame["id"].tolist() == ["k0", "k1", "k2"]
    assert rows.points[:, 0].tolist() == [-1.5, -1.51, -1.52]
    assert rows.crs.to_epsg() == 4326


@pytest.mark.parametrize("name", ["c.csv.gz", "c.zip"])
def test_a_damaged_archive_is_refused(tmp_path, name):
    whole = (
        gzip.compress(TEXT.encode() * 100)
        if name.endswith("gz")
        else zipped(tmp_path / "w.zip", {"c.csv": TEXT * 99}).read_bytes()
    )
    with pytest.raises(SourceError, match="it cannot be"):
        read_rows(str(written(tmp_path, name, whole[: len(whole) // 2])))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"%PDF-1.7 ...", "a PDF"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    ],
)
def test_what_holds_no_table_is_called_by_its_name(tmp_path, data, found):
    with pytest.raises(SourceError, match=found):
        read_rows(str(written(tmp_path, "c.csv", data)))


def test_a_folder_and_an_address_are_no_files(tmp_path):
    with pytest.raises(SourceError, match=r"(?s)it is a folder.*\*\.csv"):
        read_rows(str(tmp_path))
    with pytest.raises(SourceError, match=r"(?s)not from an address.*name the file"):
        read_rows("https://data.example/c.csv")


# ---- patterns


def test_a_pattern_lists_no_part_of_a_file_that_it_lists(tmp_path):
    pyogrio.write_dataframe(points(), tmp_path / "c.shp")
    for name in ("~$c.xlsx", "c.gpkg", "c.gpkg-wal", "d.dbf"):
        written(tmp_path, name, b"x")
    found = expand_globs([str(tmp_path / "*")])
    assert [path.rpartition("/")[2] for path in found] == ["c.gpkg", "c.shp", "d.dbf"]


def test_a_file_with_brackets_in_its_name_is_a_file(tmp_path):
    path = written(tmp_path, "c[1].csv", TEXT)
    assert expand_globs([str(path)]) == [str(path)]


# ---- layers


def test_of_several_layers_one_is_named(tmp_path):
    path = tmp_path / "c.gpkg"
    pyogrio.write_dataframe(points(3), path, layer="all")
    pyogrio.write_dataframe(points(1), path, layer="of_2018", append=True)
    with pytest.raises(LayerError, match=r"(?s)'all' \(3 rows\); 'of_2018' \(1 rows\).*collisions\.layer"):
        read_rows(str(path))
    assert len(read_rows(str(path), Form(parts=("all",))).frame) == 3
    assert len(read_rows(f"{path}/of_2018").frame) == 1
    assert [len(rows.frame) for rows in read_tables(str(path), Form(parts=("all", "of_2018")))] == [3, 1]
    with pytest.raises(LayerError, match=r"no layer 'none'; there are 'all' \(3 rows\)"):
        read_rows(str(path), Form(parts=("none",)))


def test_layers_without_rows_and_those_of_programs_do_not_count(tmp_path):
    path = tmp_path / "c.gpkg"
    pyogrio.write_dataframe(points(2), path, layer="all")
    pyogrio.write_dataframe(points(2).head(0), path, layer="empty", append=True)
    styles = pd.DataFrame({"styleName": ["a"]})
    pyogrio.write_dataframe(styles, path, layer="layer_styles", append=True)
    assert len(read_rows(str(path)).frame) == 2


def test_a_layer_without_geometry_is_a_table(tmp_path):
    path = tmp_path / "c.gpkg"
    pyogrio.write_dataframe(pd.DataFrame({"id": ["a"], "lng": [-1.5]}), path)
    rows = read_rows(str(path))
    assert rows.points is None
    assert rows.frame[["id", "lng"]].to_numpy().tolist() == [["a", "-1.5"]]


@pytest.mark.parametrize(
    "ending", ["gpkg", "shp", "SHP", "fgb", "geojson", "gdb", "parquet", "gml", "sqlite", "dat"]
)
def test_points_of_every_form_are_the_same_records(tmp_path, ending):
    path = tmp_path / f"c.{ending}"
    if ending == "parquet":
        points().to_parquet(path)
    elif ending == "dat":
        pyogrio.write_dataframe(points(), tmp_path / "c.fgb")
        (tmp_path / "c.fgb").rename(path)
    else:
        driver = {"gdb": "OpenFileGDB", "gml": "GML", "SHP": "ESRI Shapefile", "sqlite": "SQLite"}.get(ending)
        pyogrio.write_dataframe(points(), path, driver=driver)
    if ending == "SHP":
        for part in tmp_path.iterdir():
            part.rename(part.with_suffix(part.suffix.upper()))
    rows = read_rows(str(path))
    found = sorted(zip(rows.frame["id"], rows.points.round(9).tolist(), strict=True))
    assert found == [("k0", [-1.5, 52.4]), ("k1", [-1.51, 52.4]), ("k2", [-1.52, 52.4])]
    assert rows.crs.equals("EPSG:4326", ignore_axis_order=True)
    assert rows.notes == []


def test_a_geometry_that_is_no_point_is_told(tmp_path):
    lines = points().set_geometry([shapely.LineString([(0, i), (2, i)]) for i in range(3)])
    pyogrio.write_dataframe(lines, tmp_path / "c.gpkg")
    rows = read_rows(str(tmp_path / "c.gpkg"))
    assert rows.points.tolist() == [[1, 0], [1, 1], [1, 2]]
    assert [(note.item, note.count) for note in rows.notes] == [("geometries", 3)]


@pytest.mark.parametrize(("ending", "name"), [("gpkg", "fid"), ("gdb", "OBJECTID"), ("fgb", "fid")])
def test_the_number_that_a_file_gives_each_row_is_a_column_where_it_is_asked_for(tmp_path, ending, name):
    path = tmp_path / f"c.{ending}"
    pyogrio.write_dataframe(points(), path, driver={"gdb": "OpenFileGDB"}.get(ending))
    assert name not in read_rows(str(path)).frame
    assert len(set(read_rows(str(path), Form(numbered=(name,))).frame[name])) == 3
    settings = {"sources": [str(path)], "schema": "columns", "columns": {"id": name}}
    assert read_collisions(collision_settings(**settings)).table["collision_id"].nunique() == 3


# ---- workbooks


def workbook(path, **sheets):
    for i, (sheet, frame) in enumerate(sheets.items()):
        driver = {"xlsx": "XLSX", "ods": "ODS"}[path.suffix[1:]]
        pyogrio.write_dataframe(frame, path, driver=driver, layer=sheet, append=bool(i))
    return path


SHEET = pd.DataFrame(
    {
        "id": ["a", "b"],
        "number": [20190123456, 2**53],
        "lng": [-1.5, 0.25],
        "day": pd.to_datetime(["2019-03-01", "2020-04-02"]).date,
        "at": pd.to_datetime(["2019-03-01 10:30:00", "2020-04-02 00:00:00"]),
        "hurt": [True, False],
    }
)


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_cells_of_a_workbook_become_text_that_says_the_same(tmp_path, ending):
    rows = cells(workbook(tmp_path / f"c.{ending}", crashes=SHEET))
    assert rows[0] == list(SHEET.columns)
    assert rows[1][:2] + rows[1][3:5] == ["a", "20190123456", "2019-03-01", "2019-03-01T10:30:00"]
    assert [rows[2][0], rows[2][3]] == ["b", "2020-04-02"]
    assert [float(row[2]) for row in rows[1:]] == [-1.5, 0.25]
    assert float(rows[2][1]) == 2**53


def test_of_several_sheets_one_is_named(tmp_path):
    path = workbook(tmp_path / "c.xlsx", first=SHEET, second=SHEET.tail(1), notes=pd.DataFrame({"note": []}))
    with pytest.raises(LayerError, match=r"(?s)'first' \(2 rows\); 'second' \(1 rows\).*collisions\.sheet"):
        read_rows(str(path))
    assert cells(path, parts=("second",))[1][0] == "b"
    assert [len(rows.frame) for rows in read_tables(str(path), Form(parts=("*",)))] == [2, 1]


def test_titles_and_totals_of_a_sheet_are_no_rows(tmp_path):
    lines = [
        ["Collisions in Town", "", "", ""],
        ["", "", "", ""],
        ["id", "when", "lng", "lat"],
        ["1", "2019-01-02", "2", "3"],
    ]
    lines += [["2", "2019-01-02", "2", "3"], ["Total", "", "", "2"]]
    frame = pd.DataFrame(lines[1:], columns=["Collisions in Town", " ", "  ", "   "])
    rows = read_rows(str(workbook(tmp_path / "c.xlsx", crashes=frame)))
    assert rows.frame["id"].tolist() == ["1", "2"]
    assert sum(note.count for note in rows.notes) == 2


# ---- numbers of many digits


def test_ids_keep_every_digit(tmp_path):
    long = [2**64 - 1, 2**63 + 1, 9_007_199_254_740_993]
    texts = [str(one) for one in long]
    frame = pd.DataFrame(
        {
            "id": pd.array([*long, None], dtype="UInt64"),
            "signed": pd.array([2**53 + 1, None, 1, 2], dtype="Int64"),
        }
    )
    frame.to_parquet(tmp_path / "c.parquet")
    found = read_rows(str(tmp_path / "c.parquet")).frame
    assert found["id"].tolist()[:3] == texts
    assert found["signed"].tolist()[0] == str(2**53 + 1)
    records = [{"id": one, "at": 1.50} for one in long]
    path = written(tmp_path, "c.json", json.dumps(records).replace("1.5}", "1.50}"))
    assert cells(path) == [["id", "at"], *([one, "1.50"] for one in texts)]
    located = gpd.GeoDataFrame(
        {"id": [2**53 + 1, None]}, geometry=shapely.points([[0, 0], [1, 1]]), crs=4326
    ).astype({"id": "object"})
    located["id"] = pd.array([2**53 + 1, None], dtype="Int64")
    pyogrio.write_dataframe(located, tmp_path / "c.gpkg")
    assert read_rows(str(tmp_path / "c.gpkg")).frame["id"].tolist()[0] == str(2**53 + 1)


def test_a_float_that_cannot_tell_its_last_digits_shows_it(tmp_path):
    pd.DataFrame({"id": [2.0**64, 20190123456.0]}).to_parquet(tmp_path / "c.parquet")
    assert read_rows(str(tmp_path / "c.parquet")).frame["id"].tolist() == [
        "1.8446744073709552e+19",
        "20190123456",
    ]


# ---- JSON


def feature(i, **more):
    return {
        "type": "Feature",
        "properties": {"id": f"k{i}"},
        "geometry": {"type": "Point", "coordinates": [i, 50]},
    } | more


FEATURES = [feature(0), feature(1, geometry=None), feature(2)]
PLAIN = [{"id": "k0", "lng": 0}, {"id": "k1", "lng": None}, {"id": "k2", "lng": 2}]
ANSWERS = {
    "GeoJSON": {"type": "FeatureCollection", "features": FEATURES},
    "features in lines": "\n".join(map(json.dumps, FEATURES)),
    "records": PLAIN,
    "records in lines": "\n".join(map(json.dumps, PLAIN)),
    "records below a key": {"success": True, "result": {"records": PLAIN, "fields": ["id", "lng"]}},
    "rows of Socrata": {
        "meta": {"view": {"columns": [{"name": "id"}, {"name": "lng"}]}},
        "data": [[row["id"], row["lng"]] for row in PLAIN],
    },
    "lists": [["id", "lng"], *([row["id"], row["lng"]] for row in PLAIN)],
    "columns": {"id": {"0": "k0", "1": "k1", "2": "k2"}, "lng": {"0": 0, "1": None, "2": 2}},
    "ArcGIS": {
        "spatialReference": {"wkid": 102100, "latestWkid": 3857},
        "features": [{"attributes": {"id": f"k{i}"}, "geometry": {"x": i, "y": 50}} for i in range(3)],
    },
}


@pytest.mark.parametrize("form", ANSWERS)
def test_records_in_json_are_read_in_every_form(tmp_path, form):
    answer = ANSWERS[form]
    text = answer if isinstance(answer, str) else json.dumps(answer)
    rows = read_rows(str(written(tmp_path, "c.txt", text)))
    assert rows.frame["id"].tolist() == ["k0", "k1", "k2"]
    if form in {"GeoJSON", "features in lines", "ArcGIS"}:
        assert rows.crs.to_epsg() == (3857 if form == "ArcGIS" else 4326)
        assert rows.points[[0, 2]].tolist() == [[0, 50], [2, 50]]
    else:
        assert rows.points is None
        assert rows.frame["lng"].iloc[[0, 2]].tolist() == ["0", "2"]


def test_a_record_within_a_record_has_a_dotted_name_and_its_place_is_a_place(tmp_path):
    records = [
        {
            "id": "a",
            "at": {"lat": "50.5", "deep": {"n": 1}},
            "point": {"type": "Point", "coordinates": [7, 50.5]},
        }
    ]
    rows = read_rows(str(written(tmp_path, "c.json", json.dumps(records))))
    assert rows.frame[["at.lat", "at.deep.n"]].iloc[0].tolist() == ["50.5", "1"]
    assert rows.points.tolist() == [[7, 50.5]]


def test_an_answer_that_a_server_cut_is_refused_unless_the_rest_is_there(tmp_path):
    first = written(tmp_path, "a.json", json.dumps(ANSWERS["ArcGIS"] | {"exceededTransferLimit": True}))
    last = written(tmp_path, "b.json", json.dumps(ANSWERS["ArcGIS"]))
    for sources in ([str(first)], [str(first), str(first)]):
        with pytest.raises(
            LayerError, match=r"(?s)only the first 3 records.*name all files in collisions\.sources"
        ):
            read_all(sources)
    assert len(read_all([str(first), str(last)])) == 2
    page = written(
        tmp_path, "c.json", json.dumps({"result": {"total": 6, "fields": [{"a": 1}], "records": PLAIN}})
    )
    with pytest.raises(LayerError, match="only the first 3 of 6 records"):
        read_all([str(page)])
    assert len(read_all([str(page), str(page)])) == 2


def test_geojson_in_metres_without_a_crs_states_none(tmp_path):
    there = [feature(i, geometry={"type": "Point", "coordinates": [412000 + i, 273000]}) for i in range(3)]
    answer = {"type": "FeatureCollection", "features": there}
    assert read_rows(str(written(tmp_path, "c.geojson", json.dumps(answer)))).crs is None
    named = answer | {"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}}
    assert read_rows(str(written(tmp_path, "d.geojson", json.dumps(named)))).crs.to_epsg() == 27700


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ('{"error": true, "message": "no"}', "no list of records"),
        (
            '{"a": [{"x": 1}], "b": [{"y": 1}, {"y": 2}]}',
            r"more than one list.*a \(1 records\); b \(2 records\)",
        ),
        ('[{"id": 1}, {"id"', "no JSON"),
    ],
)
def test_json_without_one_list_of_records_is_refused(tmp_path, data, found):
    with pytest.raises((LayerError, SourceError), match=found):
        read_rows(str(written(tmp_path, "c.json", data)))


# ---- the text of Shapefiles


def shapefile(folder, names, *, encoding, page=0, said=None):
    """Write a Shapefile whose table has text in an encoding, and says of it what is asked for."""
    folder.mkdir()
    pyogrio.write_dataframe(points(len(names), road=names), folder / "c.shp", encoding=encoding)
    (folder / "c.cpg").unlink(missing_ok=True)
    table = bytearray((folder / "c.dbf").read_bytes())
    table[29] = page
    (folder / "c.dbf").write_bytes(table)
    if said is not None:
        (folder / "c.cpg").write_text(said)
    return str(folder / "c.shp")


STREETS = ["Königstraße", "Allée", "High Street"]


@pytest.mark.parametrize(
    ("encoding", "page", "said", "key"),
    [
        ("utf-8", 0, None, None),
        ("utf-8", 0x57, None, None),
        ("utf-8", 0, "UTF-8", None),
        ("utf-8", 0, "ISO-8859-1", "utf-8"),
        ("cp1252", 0x57, None, None),
        ("cp1252", 0, "1252", None),
        ("cp1252", 0, None, "latin-1"),
        ("cp1252", 0, "UTF-8", "cp1252"),
        ("cp850", 0, None, "cp850"),
        ("cp850", 0, "850", None),
    ],
)
def test_the_text_of_a_shapefile_is_what_was_written(tmp_path, encoding, page, said, key):
    source = shapefile(tmp_path / "s", STREETS, encoding=encoding, page=page, said=said)
    form = Form() if key is None else Form(encoding=key)
    assert read_rows(source, form).frame["road"].tolist() == STREETS


@pytest.mark.parametrize(
    ("encoding", "said", "key", "found"),
    [
        ("cp1252", None, None, "does not say which encoding.*'Königstraße' as cp1252"),
        ("cp1252", "UTF-8", None, "said to be in UTF-8, and is not"),
        ("utf-8", "ISO-8859-1", None, "ISO-8859-1 is stated for its text, which is in UTF-8: 'Königstraße'"),
        ("utf-8", None, "latin-1", "latin-1 is stated"),
    ],
)
def test_the_text_of_a_shapefile_in_an_encoding_that_is_not_sure_is_refused(
    tmp_path, encoding, said, key, found
):
    source = shapefile(tmp_path / "s", STREETS, encoding=encoding, said=said)
    with pytest.raises(SourceError, match=rf"(?s){found}.*collisions\.columns\.encoding"):
        read_rows(source, Form() if key is None else Form(encoding=key))


def test_a_shapefile_whose_table_was_cut_is_refused(tmp_path):
    source = shapefile(tmp_path / "s", STREETS, encoding="utf-8")
    table = tmp_path / "s" / "c.dbf"
    table.write_bytes(table.read_bytes()[:-200])
    with pytest.raises(SourceError, match="says that it has 3 rows, and holds"):
        read_rows(source)


# ---- the schemas


def test_casualties_of_several_years_are_one_table(tmp_path):
    for year in (2019, 2020):
        written(
            tmp_path,
            f"collision-{year}.csv",
            "collision_index,collision_year,collision_severity,date,longitude,latitude\n"
            f"{year}A,{year},3,01/02/{year},-1.5,52.4\n{year}B,{year},2,03/04/{year},-1.5,52.4\n",
        )
        written(
            tmp_path,
            f"casualty-{year}.csv",
            f"collision_index,casualty_reference,casualty_class,casualty_type\n{year}A,1,3,0\n{year}B,1,1,1\n",
        )
    named = [str(tmp_path / f"casualty-{year}.csv") for year in (2019, 2020)]
    for casualties in (str(tmp_path / "casualty-*.csv"), named):
        settings = collision_settings(sources=[str(tmp_path / "collision-*.csv")], casualties=casualties)
        table = read_collisions(settings).table
        assert table["pedestrian"].tolist() == [True, False, True, False]
        assert table["cyclist"].tolist() == [False, True, False, True]
        assert set(named) < set(files_of(expand_tables(settings)))


def test_a_casualty_that_stands_twice_counts_once_and_collisions_without_any_are_told(tmp_path):
    head = "collision_index,collision_year,collision_severity,date,longitude,latitude"
    rows = [f"{year}A,{year},3,01/02/{year},-1.5,52.4" for year in (2019, 2020)]
    collisions = written(tmp_path, "collision.csv", "\n".join([head, *rows]))
    head = "collision_index,vehicle_reference,casualty_reference,casualty_class,casualty_type"
    people = ["2019A,1,1,3,0", "2019A,1,2,3,0", "2019A,1,1,3,0"]
    casualties = written(tmp_path, "casualty.csv", "\n".join([head, *people]))
    source = read_collisions(collision_settings(sources=[str(collisions)], casualties=str(casualties)))
    assert source.table["n_casualties"].tolist() == [2, pd.NA]
    told = {(entry.item, entry.count) for entry in source.entries}
    assert {("casualties", 1), ("road users", 1)} <= told
    assert "1 of 2 collisions have no casualty in the tables, among them all of 2020" in source.warnings


def test_points_without_a_crs_are_in_the_one_that_the_key_says(tmp_path):
    pyogrio.write_dataframe(points().to_crs(27700), tmp_path / "c.shp")
    (tmp_path / "c.prj").unlink()
    columns = {"id": "id"}
    asked = {"sources": [str(tmp_path / "c.shp")], "schema": "columns"}
    with pytest.raises(LayerError, match=r"(?s)states no CRS.*collisions\.columns\.crs"):
        read_collisions(collision_settings(**asked, columns=columns))
    found = read_collisions(collision_settings(**asked, columns=columns | {"crs": "EPSG:27700"}))
    assert found.crs.to_epsg() == 27700
    assert found.table["x"].tolist() == points().to_crs(27700).geometry.x.tolist()
