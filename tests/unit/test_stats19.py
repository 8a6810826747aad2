"""STATS19 in all its generations gives one and the same table."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import shapely
from csv_rows import write
from real_data import DATA, needs_real_data

from geo.collisions.schemas.stats19 import OSGR, Stats19, read_stats19
from geo.config import SEVERITIES
from geo.errors import LayerError, SourceError

NEW = {
    "collision_index": "2024010000001",
    "collision_year": "2024",
    "collision_ref_no": "010000001",
    "location_easting_osgr": "414393",
    "location_northing_osgr": "422878",
    "longitude": "-1.78346",
    "latitude": "53.70214",
    "collision_severity": "2",
    "number_of_casualties": "3",
    "date": "03/04/2024",
    "first_road_class": "3",
    "first_road_number": "647",
    "junction_detail_historic": "-1",
    "junction_detail": "0",
}
OLD = {
    name.replace("collision_ref_no", "accident_reference").replace("collision_", "accident_"): value
    for name, value in NEW.items()
    if name != "junction_detail_historic"
}
SPELLED = OLD | {
    "accident_severity": "Serious",
    "first_road_class": "A",
    "junction_detail": "Not at junction or within 20 metres",
    "date": "2024-04-03",
}


def read(folder, *rows, **more):
    return read_stats19(Stats19(sources=[write(folder / "collisions.csv", *rows)], **more))


@pytest.mark.parametrize("row", [NEW, OLD, SPELLED], ids=["codes-2024", "codes-2022", "spelled-out"])
def test_every_generation_of_names_and_values_says_the_same(row, tmp_path):
    source = read(tmp_path, row)
    found = source.table.iloc[0]
    assert source.crs == OSGR
    assert source.severities == {"fatal", "serious", "slight"}
    assert source.has_ids
    assert source.entries == []
    told = found[["collision_id", "year", "severity", "n_casualties", "x", "y", "road_class", "road_ref"]]
    assert told.tolist() == ["2024010000001", 2024, "serious", 3, 414393.0, 422878.0, "A", "A647"]
    assert found["date"] == pd.Timestamp("2024-04-03", tz="UTC")
    assert found["at_junction"] == False  # noqa: E712
    assert found["kept"]


def test_dates_are_never_month_first(tmp_path):
    table = read(tmp_path, NEW | {"date": "01/02/2024"}, NEW | {"date": "02/02/2024"}).table
    assert table["date"].dt.month.tolist() == [2, 2]


@pytest.mark.parametrize("nothing", ["", "-1", "NULL", " null ", "-1.0"])
def test_what_is_not_recorded_is_null(nothing, tmp_path):
    row = NEW | dict.fromkeys(
        [
            *("location_easting_osgr", "location_northing_osgr", "longitude", "latitude", "date"),
            *("collision_severity", "number_of_casualties", "first_road_class", "junction_detail"),
        ],
        nothing,
    )
    source = read(tmp_path, row, NEW)
    found = source.table.iloc[0]
    assert found[["x", "y", "date", "n_casualties", "road_class", "road_ref", "at_junction"]].isna().all()
    assert found["severity"] is None
    assert [(e.item, e.status, e.count) for e in source.entries] == [("severities", "skipped", 1)]


@pytest.mark.parametrize(
    ("code", "number", "road_class", "ref"),
    [
        ("1", "62", "Motorway", "M62"),
        ("2", "1", "A(M)", "A1(M)"),
        ("3", "58", "A", "A58"),
        ("4", "6144", "B", "B6144"),
        ("5", "0", "C", None),
        ("6", "0", "Unclassified", None),
        ("A", "0", "A", None),
        ("-1", "58", None, None),
    ],
)
def test_a_road_is_named_as_on_its_signs(code, number, road_class, ref, tmp_path):
    found = read(tmp_path, NEW | {"first_road_class": code, "first_road_number": number}).table.iloc[0]
    assert (found["road_class"], found["road_ref"]) == (road_class, ref)


@pytest.mark.parametrize(
    ("detail", "before", "at_junction"),
    [
        ("0", "-1", False),
        ("13", "-1", True),
        ("18", "-1", True),
        ("99", "-1", None),
        ("-1", "-1", None),
        ("-1", "0", False),
        ("-1", "1", True),
        ("13", "0", True),
        ("Roundabout", "-1", True),
        ("Not at junction or within 20 metres", "-1", False),
        ("unknown (self reported)", "-1", None),
        ("Data missing or out of range", "-1", None),
    ],
)
def test_the_junction_is_what_the_record_says(detail, before, at_junction, tmp_path):
    row = NEW | {"junction_detail": detail, "junction_detail_historic": before}
    told = read(tmp_path, row).table["at_junction"].iloc[0]
    assert (None if pd.isna(told) else bool(told)) is at_junction


def test_a_place_without_grid_reference_is_taken_from_its_longitude_and_latitude(tmp_path):
    gap = NEW | {"location_easting_osgr": "-1", "location_northing_osgr": ""}
    table = read(tmp_path, NEW, gap).table
    assert table["x"].iloc[0] == 414393.0
    assert np.hypot(*(table.loc[1, ["x", "y"]] - table.loc[0, ["x", "y"]])) < 5


def test_files_with_and_without_grid_references_are_read_together(tmp_path):
    only_degrees = {name: value for name, value in OLD.items() if "osgr" not in name}
    files = [write(tmp_path / "a.csv", NEW), write(tmp_path / "b.csv", only_degrees)]
    source = read_stats19(Stats19(sources=files))
    to_grid = pyproj.Transformer.from_crs(source.crs, OSGR, always_xy=True)
    east, north = to_grid.transform(source.table["x"].to_numpy(), source.table["y"].to_numpy())
    assert np.hypot(east - 414393, north - 422878).max() < 5


def test_a_glob_reads_every_file_once_in_the_order_of_names(tmp_path):
    write(tmp_path / "b.csv", NEW | {"collision_index": "second"})
    write(tmp_path / "a.csv", NEW | {"collision_index": "first"})
    source = read_stats19(Stats19(sources=[str(tmp_path / "*.csv"), str(tmp_path / "a.csv")]))
    assert source.table["collision_id"].tolist() == ["first", "second"]
    assert source.table["source_row"].tolist() == [0, 1]


def test_an_index_that_was_left_out_is_made_of_year_and_reference(tmp_path):
    rows = [
        {name: value for name, value in (NEW | {"collision_year": year}).items() if name != "collision_index"}
        for year in ("2023", "2024")
    ]
    assert read(tmp_path, *rows).table["collision_id"].tolist() == ["2023010000001", "2024010000001"]


def test_values_that_cannot_be_read_are_accounted_for_and_their_rows_stay(tmp_path):
    source = read(tmp_path, NEW, NEW | {"collision_severity": "7"}, NEW | {"date": "soon"})
    assert source.table["severity"].tolist() == ["serious", None, "serious"]
    assert source.table["date"].isna().tolist() == [False, False, True]
    found = {(e.item, e.status): (e.reason, e.count) for e in source.entries}
    assert found["severities", "rejected"] == ("the value '7' is not mapped; counted without severity", 1)
    assert found["dates", "rejected"][1] == 1


def test_a_row_with_shifted_fields_has_no_place(tmp_path):
    path = Path(write(tmp_path / "c.csv", NEW, NEW))
    path.write_text(path.read_text() + ",".join(["x", *NEW.values()]) + "\n")
    source = read_stats19(Stats19(sources=[str(path)]))
    assert source.table["x"].isna().tolist() == [False, False, True]
    assert [(e.item, e.count) for e in source.entries if e.item == "rows"] == [("rows", 1)]


# casualties and vehicles


def people(folder, key, *kinds):
    return write(folder / "casualties.csv", *({key: index, "casualty_type": kind} for index, kind in kinds))


@pytest.mark.parametrize(("row", "key"), [(NEW, "collision_index"), (OLD, "accident_index")])
def test_casualties_count_by_road_user(row, key, tmp_path):
    one, two = NEW["collision_index"], "2024010000002"
    kinds = ["0", "0", "1", "5", "97", "9", "19"]
    linked = people(tmp_path, key, *((one, kind) for kind in kinds), ("elsewhere", "0"))
    source = read(tmp_path, row, row | {key: two}, casualties=linked)
    users = ["n_pedestrian", "n_cyclist", "n_motorcyclist", "n_car_occupant", "n_casualties"]
    assert source.table.loc[0, users].tolist() == [2, 1, 2, 1, 7]
    assert source.table.loc[1, users[:-1]].isna().all()
    assert source.table.loc[1, "n_casualties"] == 3
    assert [(e.item, e.status, e.count) for e in source.entries] == [
        ("road users", "skipped", 1),
        ("casualties", "skipped", 1),
    ]


@pytest.mark.parametrize(
    ("kind", "user"),
    [
        ("Pedestrian", "n_pedestrian"),
        ("Cyclist", "n_cyclist"),
        ("Motorcycle over 500cc rider or passenger", "n_motorcyclist"),
        ("Electric motorcycle rider or passenger", "n_motorcyclist"),
        ("Taxi/Private hire car occupant", "n_car_occupant"),
        ("104", "n_motorcyclist"),
        ("109", "n_car_occupant"),
        ("16", None),
    ],
)
def test_road_users_are_known_by_label_and_in_earlier_codes(kind, user, tmp_path):
    linked = people(tmp_path, "collision_index", (NEW["collision_index"], kind))
    table = read(tmp_path, NEW, casualties=linked).table
    users = ["n_pedestrian", "n_cyclist", "n_motorcyclist", "n_car_occupant"]
    assert [name for name in users if table.loc[0, name] == 1] == ([] if user is None else [user])


# faults


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"gone\.csv: no such file"):
        read_stats19(Stats19(sources=[str(tmp_path / "gone.csv")]))


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(LayerError, match=r"empty\.csv: it has no rows"):
        read_stats19(Stats19(sources=[str(tmp_path / "empty.csv")]))


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        (
            ["collision_severity"],
            "none of the columns collision_severity, accident_severity; there are collision_index",
        ),
        (["collision_index", "collision_ref_no"], "none of the columns collision_index, accident_index"),
        (["longitude", "location_easting_osgr"], "no coordinates"),
    ],
)
def test_a_table_without_what_is_needed_is_refused_with_its_columns(absent, message, tmp_path):
    row = {name: value for name, value in NEW.items() if name not in absent}
    with pytest.raises(LayerError, match=message):
        read(tmp_path, row)


def test_a_column_of_dates_that_nothing_reads_is_refused(tmp_path):
    with pytest.raises(LayerError, match="no date can be read"):
        read(tmp_path, NEW | {"date": "31 of March"})


# real files


def counted(path, column):
    with path.open(encoding="utf-8-sig", newline="") as file:
        values = [row[column] for row in csv.DictReader(file)]
    return {code: values.count(code) for code in "123"}


@needs_real_data
@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("uk_west_yorkshire_2024/accidents.csv", "collision_severity"),
        ("uk_stats19_schema/dft-collision-2022_first1048rows_London.csv", "accident_severity"),
    ],
)
def test_real_severities_are_all_read(file, column):
    source = read_stats19(Stats19(sources=[str(DATA / file)]))
    found = source.table["severity"].value_counts().to_dict()
    expected = counted(DATA / file, column)
    assert found == {
        s: expected[c] for c, s in zip("123", ("fatal", "serious", "slight"), strict=True) if expected[c]
    }
    assert source.entries == []
    assert source.table[["date", "x", "y", "road_class"]].notna().all(axis=None)


@needs_real_data
def test_isle_of_wight_records_lie_where_their_own_geometry_is():
    file = DATA / "uk_isle_of_wight_2018/car_crashes_2018_iow.gpkg"
    source = read_stats19(Stats19(sources=[str(file)]))
    there = pyogrio.read_dataframe(file)
    to_grid = pyproj.Transformer.from_crs(source.crs, OSGR, always_xy=True)
    east, north = to_grid.transform(source.table["x"].to_numpy(), source.table["y"].to_numpy())
    geometry = there.geometry.to_numpy()
    assert np.hypot(east - shapely.get_x(geometry), north - shapely.get_y(geometry)).max() < 5
    assert source.table["severity"].str.capitalize().tolist() == there["accident_severity"].tolist()
    assert set(source.table["year"].dropna()) <= {2018}
    assert set(source.table["date"].dt.year) == {2018}
    apart = there["junction_detail"] == "Not at junction or within 20 metres"
    assert (
        source.table["at_junction"].eq(other=False).fillna(value=False).to_numpy() == apart.to_numpy()
    ).all()


def test_rows_are_kept_by_the_configured_values(tmp_path):
    write(tmp_path / "c.csv", NEW | {"police_force": "1"}, NEW | {"police_force": "2"})
    settings = {"sources": [str(tmp_path / "c.csv")], "keep": {"police_force": ["2"]}}
    assert read_stats19(Stats19(**settings)).table["kept"].tolist() == [False, True]
    with pytest.raises(LayerError, match=r"collisions\.keep\.nope"):
        read_stats19(Stats19(**settings | {"keep": {"nope": ["1"]}}))


def test_records_without_any_known_severity_tell_none_apart(tmp_path):
    assert read(tmp_path, NEW | {"collision_severity": "9"}).severities == frozenset()
    assert read(tmp_path, NEW, NEW | {"collision_severity": "9"}).severities == set(SEVERITIES)


def test_a_table_with_years_alone_has_no_dates(tmp_path):
    table = read(tmp_path, {k: v for k, v in NEW.items() if k != "date"} | {"collision_year": "2024"}).table
    assert table["date"].isna().all()
    assert table["year"].tolist() == [2024]


def test_a_column_that_stands_twice_is_refused(tmp_path):
    (tmp_path / "c.csv").write_text(
        "collision_index,collision_severity,longitude,latitude,latitude\n1,2,-1.5,53.8,53.9\n"
    )
    with pytest.raises(LayerError, match="more than one column for STATS19: latitude"):
        read_stats19(Stats19(sources=[str(tmp_path / "c.csv")]))
