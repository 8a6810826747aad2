"""Any table of collisions is read through the mapping of the city's file, or refused with what to mend."""

import csv

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
import shapely
from real_data import DATA, needs_real_data

from geo.collisions.cells.days.dates import dates
from geo.collisions.schemas.tabular import Tabular, read_tabular
from geo.collisions.tables.reading import read_rows
from geo.errors import ConfigurationError, LayerError, SourceError

PLACE = {"x": "lon", "y": "lat"}


def read(path, text=None, *, columns=None, **section):
    if text is not None:
        path.write_text(text, encoding=(columns or {}).get("encoding", "utf-8"))
    given = {"schema": "columns", "sources": [str(path)], "columns": PLACE if columns is None else columns}
    return read_tabular(Tabular.model_validate(given | section))


# the forms that tables come in


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_from_the_header(separator, tmp_path):
    lines = ["id,lon,lat", "7,-71.1,42.3"]
    source = read(tmp_path / "c.csv", "\n".join(lines).replace(",", separator), columns=PLACE | {"id": "id"})
    assert source.table.loc[0, ["collision_id", "x", "y"]].tolist() == ["7", -71.1, 42.3]


def test_decimal_commas_and_latin_letters_are_read(tmp_path):
    columns = PLACE | {"decimal": ",", "encoding": "latin-1", "road_name": "straße"}
    source = read(tmp_path / "c.csv", "lon;lat;straße\n13,475;52,51;Köpenicker Str.\n", columns=columns)
    assert source.table.loc[0, ["x", "y", "road_name"]].tolist() == [13.475, 52.51, "Köpenicker Str."]


def test_a_shifted_row_loses_its_place_and_nothing_else_is_lost(tmp_path):
    source = read(tmp_path / "c.csv", "lon,lat\n1.5,50\n13,1.5,50\n1.6,50\n")
    assert source.table["x"].isna().tolist() == [False, True, False]
    assert [(e.item, e.status, e.count) for e in source.entries] == [("rows", "rejected", 1)]


def test_coordinates_that_are_no_numbers_leave_a_row_without_place(tmp_path):
    source = read(tmp_path / "c.csv", "lon,lat\n1.5,50\nunknown,50\n1.5,\n")
    assert source.table[["x", "y"]].isna().any(axis=1).tolist() == [False, True, True]


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "shp", "parquet"])
def test_geometry_serves_where_no_columns_are_mapped(ending, tmp_path):
    points = gpd.GeoDataFrame(
        {"sev": [1, 2, 2]},
        geometry=[shapely.Point(530000, 180000), shapely.Point(531000, 181000), None],
        crs="EPSG:27700",
    )
    if ending == "geojson":
        points = points.to_crs("EPSG:4326")
    path = tmp_path / f"c.{ending}"
    points.to_parquet(path) if ending == "parquet" else points.to_file(path)
    source = read(
        path,
        columns={"crs": "EPSG:27700", "severity": "sev"},
        severity_values={"fatal": ["1"], "slight": ["2"]},
    )
    assert source.table["x"].round(0).tolist()[:2] == [530000, 531000]
    assert source.table["y"].round(0).tolist()[:2] == [180000, 181000]
    assert source.table[["x", "y"]].iloc[2].isna().all()
    assert source.table["severity"].tolist() == ["fatal", "slight", "slight"]


def test_a_parquet_table_without_geometry_is_read_by_its_columns(tmp_path):
    pd.DataFrame({"lon": [1.5], "lat": [50.0], "id": [12.0]}).to_parquet(tmp_path / "c.parquet")
    source = read(tmp_path / "c.parquet", columns=PLACE | {"id": "id"})
    assert source.table.loc[0, ["collision_id", "x", "y"]].tolist() == ["12", 1.5, 50.0]


def test_several_files_follow_each_other(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.csv").write_text(f"id,lon,lat\n{name},1,2\n")
    section = {"schema": "columns", "sources": [str(tmp_path / "*.csv")], "columns": PLACE | {"id": "id"}}
    table = read_tabular(Tabular.model_validate(section)).table
    assert table["collision_id"].tolist() == ["a", "b"]
    assert table["source_row"].tolist() == [0, 1]


def test_rows_without_id_are_named_by_their_place_in_the_source(tmp_path):
    without = read(tmp_path / "c.csv", "lon,lat\n1,2\n1,2\n")
    assert not without.has_ids
    assert without.table["collision_id"].tolist() == ["row 0", "row 1"]
    partly = read(tmp_path / "c.csv", "id,lon,lat\n,1,2\n7,1,2\n", columns=PLACE | {"id": "id"})
    assert partly.has_ids
    assert partly.table["collision_id"].tolist() == ["row 0", "7"]


# values


@pytest.mark.parametrize("cell", ["1", " 1 ", "1.0", "1.00"])
def test_a_severity_is_compared_as_stripped_text(cell, tmp_path):
    for value in ("1", "1.0", " 1"):
        source = read(
            tmp_path / "c.csv",
            f"lon,lat,sev\n1,2,{cell}\n",
            columns=PLACE | {"severity": "sev"},
            severity_values={"serious": [value]},
        )
        assert source.table["severity"].tolist() == ["serious"]


def test_a_severity_that_is_not_told_apart_is_not_among_those_of_the_source(tmp_path):
    text, columns = "lon,lat,sev\n1,2,1\n1,2,2\n1,2,\n1,2,9\n", PLACE | {"severity": "sev"}
    source = read(
        tmp_path / "c.csv",
        text,
        columns=columns,
        severity_values={"fatal": ["1"], "serious": [], "slight": ["2"]},
    )
    assert source.severities == {"fatal", "slight"}
    assert source.table["severity"].tolist() == ["fatal", "slight", None, None]
    notes = [(e.item, e.status, e.reason, e.count) for e in source.entries]
    assert notes == [
        ("severities", "rejected", "the value '9' is not mapped; counted without severity", 1),
        ("severities", "skipped", "none recorded; counted without severity", 1),
    ]
    assert read(tmp_path / "c.csv", text, columns=columns, severity_values={"fatal": ["1"]}).severities == {
        "fatal"
    }
    assert read(tmp_path / "c.csv", text, columns=columns).severities == set()
    assert read(tmp_path / "c.csv", text, severity_values={"fatal": ["1"]}).severities == set()


def test_a_value_that_often_means_nothing_is_a_severity_when_it_is_mapped(tmp_path):
    source = read(
        tmp_path / "c.csv",
        "lon,lat,hurt\n1,2,None\n1,2,Killed\n",
        columns=PLACE | {"severity": "hurt"},
        severity_values={"fatal": ["killed"], "slight": ["none"]},
    )
    assert source.table["severity"].tolist() == ["slight", "fatal"]


def test_rows_are_kept_by_the_values_of_every_named_column(tmp_path):
    text = "lon,lat,source,injury\n1,2,MDOT,1\n1,2, mdot ,1.0\n1,2,MAPC,1\n1,2,MDOT,0\n1,2,,1\n"
    source = read(tmp_path / "c.csv", text, keep={"source": ["MDOT"], "injury": ["1"]})
    assert source.table["kept"].tolist() == [True, True, False, False, False]


def test_a_wanted_value_that_reads_like_nothing_does_not_keep_empty_cells(tmp_path):
    source = read(tmp_path / "c.csv", "lon,lat,state\n1,2,NA\n1,2,\n1,2,ZA\n", keep={"state": ["NA"]})
    assert source.table["kept"].tolist() == [True, False, False]


def test_casualty_counts_that_are_no_counts_are_null_and_accounted_for(tmp_path):
    source = read(
        tmp_path / "c.csv",
        "lon,lat,n\n1,2,3\n1,2,some\n1,2,\n1,2,-2\n1,2,1.5\n",
        columns=PLACE | {"n_casualties": "n"},
    )
    assert source.table["n_casualties"].tolist() == [3, pd.NA, pd.NA, pd.NA, pd.NA]
    assert [(e.item, e.status, e.count) for e in source.entries] == [("casualty counts", "rejected", 3)]


# dates


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2024-03-05", "2024-12-31"], "2024-03-05"),
        (["2024-03-05T17:30:00", "2024-12-31T00:00:00"], "2024-03-05T17:30"),
        (["05/03/2024", "31/12/2024"], "2024-03-05"),
        (["03/05/2024", "12/31/2024"], "2024-03-05"),
        (["03/05/2024 05:30:00 PM", "12/31/2024 01:00:00 AM"], "2024-03-05T17:30"),
        (["3/5/24", "12/31/24"], "2024-03-05"),
        (["05.03.2024 17:30", "31.12.2024 17:30"], "2024-03-05T17:30"),
        (["2024/03/05", "2024/12/31"], "2024-03-05"),
        (["05 Mar 2024", "31 Dec 2024"], "2024-03-05"),
    ],
)
def test_the_usual_forms_of_dates_are_told_by_the_cells_themselves(cells, expected, tmp_path):
    text = "lon,lat,when\n" + "".join(f"1,2,{cell}\n" for cell in cells)
    source = read(tmp_path / "c.csv", text, columns=PLACE | {"date": "when"})
    assert source.table["date"].iloc[0] == pd.Timestamp(expected, tz="UTC")
    assert source.table["date"].notna().all()


def test_dates_that_can_be_read_two_ways_are_not_guessed(tmp_path):
    text, columns = "lon,lat,when\n1,2,03/05/2024\n", PLACE | {"date": "when"}
    with pytest.raises(LayerError, match="date_format"):
        read(tmp_path / "c.csv", text, columns=columns)
    told = read(tmp_path / "c.csv", text, columns=columns | {"date_format": "%m/%d/%Y"})
    assert told.table["date"].iloc[0] == pd.Timestamp("2024-03-05", tz="UTC")


def test_the_same_day_and_month_is_no_doubt(tmp_path):
    source = read(tmp_path / "c.csv", "lon,lat,when\n1,2,03/03/2024\n", columns=PLACE | {"date": "when"})
    assert source.table["date"].iloc[0] == pd.Timestamp("2024-03-03", tz="UTC")


def test_one_date_that_cannot_be_read_is_null_and_accounted_for(tmp_path):
    text = "lon,lat,when\n1,2,2024-03-05\n1,2,soon\n1,2,\n"
    source = read(tmp_path / "c.csv", text, columns=PLACE | {"date": "when"})
    assert source.table["date"].isna().tolist() == [False, True, True]
    told = [(e.item, e.status, e.count) for e in source.entries]
    assert told == [("dates", "rejected", 1), ("dates", "skipped", 1)]


@pytest.mark.parametrize(
    ("cell", "more", "message"),
    [
        ("spring", {}, r"column when: no date can be read, such as 'spring'"),
        ("2024-03-05", {"date_format": "%d/%m/%Y"}, "no date can be read, such as '2024-03-05' as %d/%m/%Y"),
        ("2024", {}, "years alone"),
    ],
)
def test_a_column_without_any_date_is_refused(cell, more, message, tmp_path):
    with pytest.raises(LayerError, match=message):
        read(tmp_path / "c.csv", f"lon,lat,when\n1,2,{cell}\n", columns=PLACE | {"date": "when"} | more)


def test_years_alone_are_kept_as_years(tmp_path):
    source = read(tmp_path / "c.csv", "lon,lat,y\n1,2,2016\n1,2,\n", columns=PLACE | {"year": "y"})
    assert source.table["year"].tolist() == [2016, pd.NA]
    assert source.table["date"].isna().all()


# faults


@pytest.mark.parametrize(
    ("columns", "section", "message"),
    [
        ({"x": "lng", "y": "lat"}, {}, r"collisions\.columns\.x: 'lng'; there are lon, lat"),
        (PLACE | {"severity": "sev"}, {}, r"collisions\.columns\.severity: 'sev'"),
        (PLACE, {"keep": {"source": ["MDOT"]}}, r"collisions\.keep\.source"),
        ({"id": "lon"}, {}, r"collisions\.columns\.x and \.y name no columns; there are lon, lat"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_its_key(columns, section, message, tmp_path):
    with pytest.raises(LayerError, match=message):
        read(tmp_path / "c.csv", "lon,lat\n1,2\n", columns=columns, **section)


def test_two_columns_of_one_name_are_refused_when_it_is_mapped(tmp_path):
    with pytest.raises(LayerError, match=r"more than one column for collisions\.columns\.x: 'lon'"):
        read(tmp_path / "c.csv", "lon,lat,lon\n1,2,3\n")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"columns": PLACE | {"crs": "EPSG:0"}}, r"collisions\.columns\.crs: 'EPSG:0'"),
        ({"severity_values": {"fatal": ["1"], "slight": ["1.0"]}}, "'1.0' is listed twice"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(section, message, tmp_path):
    columns = {"columns": PLACE | {"severity": "sev"}} | section
    with pytest.raises(ConfigurationError, match=message):
        read(tmp_path / "c.csv", "lon,lat,sev\n1,2,1\n", **columns)


def test_a_file_in_another_encoding_is_refused_by_name(tmp_path):
    (tmp_path / "c.csv").write_bytes("lon,lat,straße\n1,2,ü\n".encode("latin-1"))
    with pytest.raises(SourceError, match=r"c\.csv: it is not text in the encoding utf-8-sig"):
        read(tmp_path / "c.csv")


@pytest.mark.parametrize("text", ["", "lon,lat\n"])
def test_a_table_without_rows_is_refused(text, tmp_path):
    with pytest.raises(LayerError, match="no rows"):
        read(tmp_path / "c.csv", text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.csv: no such file"):
        read(tmp_path / "gone.csv")


def test_geometry_without_crs_is_refused(tmp_path):
    gpd.GeoDataFrame(geometry=[shapely.Point(1, 2)]).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(LayerError, match="states no CRS"):
        read(tmp_path / "c.parquet", columns={})


# real files


def cells(path, encoding="utf-8-sig", delimiter=","):
    with path.open(encoding=encoding, newline="") as file:
        header, *rows = (row for row in csv.reader(file, delimiter=delimiter) if row)
    return header, rows


@needs_real_data
def test_massdot_keeps_the_state_records_alone():
    file = DATA / "boston/collisions/massdot_mapc_crashes_2024.csv"
    header, rows = cells(file)
    columns = {"id": "id", "date": "date", "x": "lng", "y": "lat", "severity": "severity"}
    values = {"fatal": ["1"], "serious": [], "slight": ["2"]}
    source = read(file, columns=columns, severity_values=values, keep={"source": ["MDOT"]})
    state = [row for row in rows if row[header.index("source")] == "MDOT"]
    assert len(source.table) == len(rows)
    assert int(source.table["kept"].sum()) == len(state) == 52_478
    kept = source.table[source.table["kept"]]
    told = [row[header.index("severity")] for row in state]
    assert (kept["severity"] == "fatal").sum() == told.count("1")
    assert (kept["severity"] == "slight").sum() == told.count("2")
    assert source.severities == {"fatal", "slight"}
    assert kept["date"].dt.year.eq(2024).all()


@needs_real_data
@pytest.mark.parametrize("year", [2019, 2020, 2021])
def test_berlin_is_read_with_its_commas_and_its_shifted_row(year):
    file = DATA / f"berlin/berlin_{year}.csv"
    columns = {
        "id": "OBJECTID",
        "year": "UJAHR",
        "x": "XGCSWGS84",
        "y": "YGCSWGS84",
        "severity": "UKATEGORIE",
    }
    source = read(
        file,
        columns=columns | {"decimal": ",", "encoding": "latin-1"},
        severity_values={"fatal": ["1"], "serious": ["2"], "slight": ["3"]},
    )
    header, rows = cells(file, "latin-1", ";")
    assert len(source.table) == len(rows)
    found = source.table["severity"].value_counts()
    told = [row[header.index("UKATEGORIE")] for row in rows]
    assert found.to_dict() == {
        s: told.count(c) for c, s in zip("123", ("fatal", "serious", "slight"), strict=True)
    }
    berlin = source.table["x"].between(13.0, 13.8) & source.table["y"].between(52.3, 52.7)
    assert source.table.loc[~berlin, "collision_id"].tolist() == (["201196"] if year == 2019 else [])


@needs_real_data
def test_cambridge_dates_are_month_first():
    file = DATA / "boston/collisions/cambridge_pd_crashes_2010_2016.csv"
    columns = {"id": "Crash Number", "date": "Date Time", "x": "Longitude", "y": "Latitude"}
    table = read(file, columns=columns).table
    header, rows = cells(file)
    assert len(table) == len(rows)
    month_first = [row[header.index("Date Time")][:2] for row in rows]
    assert table["date"].dt.month.tolist() == [int(month) for month in month_first]
    located = sum(bool(row[header.index("Longitude")].strip()) for row in rows)
    assert table["x"].notna().sum() == located


@needs_real_data
def test_cambridge_points_have_a_place_and_a_year_and_no_severity():
    file = DATA / "boston/collisions/cambridge_pd_crashes_2010_2017_points.geojson"
    source = read(file, columns={"year": "Year"})
    assert source.table["year"].between(2010, 2017).all()
    assert source.table["x"].between(-71.2, -71.0).mean() > 0.95
    assert source.severities == set()
    assert not source.has_ids
    assert source.crs == pyproj.CRS.from_epsg(4326)


QUOTES = {
    "two far apart": ({3, 9}, 2),
    "one": ({5}, 1),
    "in the first row": ({0}, 1),
    "in the last row": ({11}, 1),
}


@pytest.mark.parametrize("case", QUOTES)
def test_a_stray_quote_costs_its_own_row_alone(tmp_path, case):
    rows, lost = QUOTES[case]
    lines = ["id,when,lng,lat"]
    lines += [f"{i},{chr(34) if i in rows else ''}2024-01-02,-71.1,42.3" for i in range(12)]
    (tmp_path / "c.csv").write_text("\n".join(lines) + "\n")
    frame = read_rows(str(tmp_path / "c.csv")).frame
    assert len(frame) == 12
    assert frame["id"].tolist() == [str(i) for i in range(12)]
    assert frame["_broken"].sum() == lost


def test_a_cell_with_line_breaks_is_one_cell(tmp_path):
    (tmp_path / "c.csv").write_text('id,note,lng\n1,"two\nlines, and ""quotes""",3\n2,plain,4\n')
    frame = read_rows(str(tmp_path / "c.csv")).frame
    assert frame["note"].tolist() == ['two\nlines, and "quotes"', "plain"]
    assert not frame["_broken"].any()


def test_dates_of_which_many_cannot_be_read_are_refused():
    cells = pd.Series(["2024-01-02"] * 40 + ["2 of May"] * 20, dtype="string")
    with pytest.raises(LayerError, match="only 40 of 60 dates"):
        dates(cells, where="c.csv")


def test_a_date_beyond_all_calendars_is_null():
    found = dates(pd.Series(["2024-01-02", "2999-01-01"], dtype="string"), where="c.csv").date
    assert found.isna().tolist() == [False, True]
