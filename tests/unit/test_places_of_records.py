"""Coordinates are read in every form, or refused with cells as they stand, what was made of them, and the key."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from geo.collisions.cells.numbers import decimal_mark, numbers
from geo.collisions.cells.places.degrees import degrees
from geo.collisions.cells.places.doubts import doubtful
from geo.collisions.schemas.tabular import Tabular, read_tabular
from geo.errors import LayerError

LON, LAT = -71.05805555555556, 42.35847222222222


def cells(*values):
    return pd.Series(values, dtype="string")


def read(tmp_path, rows, columns, **section):
    pd.DataFrame(rows).reset_index(names="row").to_csv(tmp_path / "c.csv", index=False)
    given = {"schema": "columns", "sources": [str(tmp_path / "c.csv")], "columns": columns}
    return read_tabular(Tabular.model_validate(given | section))


def xy(tmp_path, x, y, **columns):
    table = read(tmp_path, {"x": x, "y": y}, {"x": "x", "y": "y"} | columns).table
    return table[["x", "y"]].to_numpy().tolist()


# numbers


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("1,234.5", ".", 1234.5),
        ("1.234,5", ",", 1234.5),
        ("5.835.083,823", ",", 5835083.823),
        ("2'600'000.5", ".", 2600000.5),
        ("2\N{NARROW NO-BREAK SPACE}600\N{NARROW NO-BREAK SPACE}000", ".", 2600000),
        ("\N{MINUS SIGN}71.1", ".", -71.1),
        ("13,34", ".", None),
        ("52.5145", ",", None),
        ("1,23,456", ".", None),
    ],
)
def test_a_mark_that_parts_thousands_does_so_by_three_digits_or_the_cell_is_no_number(cell, decimal, value):
    found = numbers(cells(cell), decimal).iloc[0]
    assert np.isnan(found) if value is None else found == value


@pytest.mark.parametrize(
    ("column", "in_degrees", "mark"),
    [
        (["13,34146"], True, ","),
        (["530,123"], True, ","),
        (["530,123.4"], False, "."),
        (["1,530,123"], False, "."),
        (["5.835.083"], False, ","),
        (["794062,283"], False, ","),
        (["530.123", "412.1"], False, "."),
        ([*(f"13.{i}" for i in range(1000, 1099)), "13,34"], True, "."),
    ],
)
def test_the_decimal_mark_is_told_by_the_cells(column, in_degrees, mark):
    assert decimal_mark([cells(*column)], degrees=in_degrees, where="c.csv") == mark


@pytest.mark.parametrize("column", [["530,123", "412,098"], ["530.123", "412.098"], ["13,34", "13.35"]])
def test_a_decimal_mark_that_stays_open_is_refused_with_its_key(column):
    with pytest.raises(LayerError, match=r"columns\.decimal"):
        decimal_mark([cells(*column)], degrees=False, where="c.csv")


# degrees


@pytest.mark.parametrize(
    "pair",
    [
        ("71°03'29\"W", "42°21'30.5\"N"),
        (
            "W 71\N{DEGREE SIGN} 03\N{PRIME} 29\N{DOUBLE PRIME}",
            "N 42\N{DEGREE SIGN} 21\N{PRIME} 30.5\N{DOUBLE PRIME}",
        ),
        ("-71 3 29", "42 21 30.5"),
        ("71:03:29 W", "42:21:30.5 N"),
        ("71-03-29 W", "42-21-30.5 N"),
        ("71° 3' 29'' W", "42° 21' 30,5'' N"),
    ],
)
def test_degrees_minutes_and_seconds_are_read(pair, tmp_path):
    assert xy(tmp_path, [pair[0]], [pair[1]]) == [pytest.approx([LON, LAT])]


def test_what_is_no_degree_is_none():
    found, _ = degrees(cells("42°71'", "O 13", "1 2 3 4", "N 42 S", "12°30'"), ".")
    assert found.tolist()[:4] == pytest.approx([np.nan] * 4, nan_ok=True)
    assert found.iloc[4] == 12.5


def test_a_letter_that_names_the_other_axis_is_refused(tmp_path):
    with pytest.raises(
        LayerError, match=r"a letter says that x holds a latitude.*\n.*collisions\.columns\.x"
    ):
        xy(tmp_path, ["42.36 N"], ["71.06 W"])


# both in one cell


@pytest.mark.parametrize(
    ("cell", "columns"),
    [
        ("POINT (-71.1 42.3)", {}),
        ("SRID=4326;POINT(-71.1 42.3)", {}),
        ("POINT Z (-71.1 42.3 7)", {}),
        (shapely.to_wkb(shapely.Point(-71.1, 42.3), hex=True), {}),
        ('{"type": "Point", "coordinates": [-71.1, 42.3]}', {}),
        ("{'latitude': '42.3', 'longitude': '-71.1'}", {}),
        ("42.3 N, 71.1 W", {}),
        ("(42.3, -71.1)", {"point_order": "yx"}),
        ("12 High Street\nSmalltown\n(42.3, -71.1)", {"point_order": "yx"}),
        ("-71,1 42,3", {"point_order": "xy"}),
        ("-71,1; 42,3", {"point_order": "xy"}),
    ],
)
def test_one_cell_holds_both_coordinates(cell, columns, tmp_path):
    table = read(tmp_path, {"place": [cell]}, {"point": "place"} | columns).table
    assert table.loc[0, ["x", "y"]].tolist() == pytest.approx([-71.1, 42.3])


def test_the_order_of_two_numbers_is_found_out_beyond_the_poles_and_else_refused(tmp_path):
    table = read(tmp_path, {"place": ["34.0, -118.2", "34.1, -80.5"]}, {"point": "place"}).table
    assert table["x"].tolist() == [-118.2, -80.5]
    with pytest.raises(LayerError, match=r"'42.3, -71.1'\n.*point_order"):
        read(tmp_path, {"place": ["42.3, -71.1"]}, {"point": "place"})


def test_a_geometry_that_states_another_crs_is_refused(tmp_path):
    with pytest.raises(LayerError, match=r"say EPSG:27700.*\n.*columns\.crs: EPSG:27700"):
        read(tmp_path, {"place": ["SRID=27700;POINT(412098 273034)"]}, {"point": "place"})


def test_what_is_no_point_has_no_place(tmp_path):
    rows = {"place": ["LINESTRING (0 0, 1 1)", "POINT EMPTY", "POINT (1 2)"]}
    table = read(tmp_path, rows, {"point": "place"}).table
    assert table[["x", "y"]].isna().all(axis=1).tolist() == [True, True, False]


# what cannot be meant


@pytest.mark.parametrize(
    ("x", "y", "columns", "message"),
    [
        (
            ["412098.2"],
            ["273034.7"],
            {},
            r"no degrees.*'412098.2' and '273034.7' read as x 412098.2.*\n.*columns\.crs",
        ),
        (
            ["-1.82"],
            ["52.35"],
            {"crs": "EPSG:27700"},
            r"look like degrees, and EPSG:27700 counts in metres.*\n.*crs",
        ),
        (["34.1"], ["-118.2"], {}, r"no degrees.*\n.*Exchange collisions\.columns\.x and \.y"),
        (
            ["5700000"],
            ["380000"],
            {"crs": "EPSG:27700"},
            r"no place lies where EPSG:27700 is used.*\n.*columns\.crs",
        ),
        (
            ["13,475"],
            ["52,514"],
            {"decimal": "."},
            r"no degrees.*'13,475' and '52,514'.*\n.*columns\.decimal",
        ),
        (
            ["near the"],
            ["church"],
            {},
            r"1 of 1 coordinates cannot be read: 'near the' and 'church' read as nothing",
        ),
    ],
)
def test_coordinates_that_cannot_be_meant_are_refused_with_the_key_that_mends_them(
    x, y, columns, message, tmp_path
):
    with pytest.raises(LayerError, match=message):
        xy(tmp_path, x, y, **columns)


def test_geometries_are_held_against_their_crs_too(tmp_path):
    points = gpd.GeoDataFrame(geometry=[shapely.Point(-1.8, 52.3)], crs=27700)
    points.to_file(tmp_path / "c.gpkg")
    given = {"schema": "columns", "sources": [str(tmp_path / "c.gpkg")], "columns": {}}
    with pytest.raises(LayerError, match="look like degrees"):
        read_tabular(Tabular.model_validate(given))


# what can be meant and is to be doubted


def test_rounded_coordinates_and_one_place_for_many_are_told():
    rng = np.random.default_rng(3)
    x, y = pd.Series(rng.uniform(1, 2, 100)), pd.Series(rng.uniform(50, 51, 100))
    degrees_, metres = pyproj.CRS.from_epsg(4326), pyproj.CRS.from_epsg(27700)
    assert doubtful(x, y, degrees_) == []
    assert "rounded to 3 decimals" in doubtful(x.round(3), y.round(3), degrees_)[0]
    assert "steps of 100" in doubtful((x * 1e5).round(-2), (y * 1e4).round(-2), metres)[0]
    assert (
        "20 of 100 rows are at one place"
        in doubtful(x.mask(x.index < 20, 1.5), y.mask(y.index < 20, 50.5), degrees_)[0]
    )
