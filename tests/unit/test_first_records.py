"""What is guessed of records: words are read, numbers are weighed, and what nothing tells is asked."""

import numpy as np
import pandas as pd
import pyproj
import pytest

from geo.collisions.tables.table import BROKEN, Rows
from geo.starting.records.mapping import Surroundings, guess_mapping
from geo.starting.records.repeats import guess_keep, repeated
from geo.starting.records.severity import guess_severity, meaning
from geo.starting.records.when import guess_time
from geo.starting.records.where import guess_place

LEEDS = (-1.60, 53.76, -1.50, 53.84)
"""Where the roads of these tests are, in degrees."""


def cells(**columns):
    return pd.DataFrame({name: pd.Series(list(values), dtype="string") for name, values in columns.items()})


def rows(**columns):
    return Rows(cells(**columns).assign(**{BROKEN: False}))


def by_key(guesses):
    return {guess.key.removeprefix("collisions."): guess for guess in guesses}


def places(n=300, seed=1):
    draw = np.random.default_rng(seed)
    return draw.uniform(-1.58, -1.52, n), draw.uniform(53.78, 53.82, n)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Fatal", "fatal"),
        ("Non-fatal injury", "injury"),
        ("Suspected serious injury (A)", "serious"),
        ("NONINCAPACITATING INJURY", "slight"),
        ("Property damage only (none injured)", "none"),
        ("No apparent injury", "none"),
        ("Unfall mit Getöteten", "fatal"),
        ("Leichtverletzt", "slight"),
        ("Unknown", "unknown"),
        ("Daylight", None),
    ],
)
def test_words_of_severity_are_read(word, meant):
    assert meaning(word) == meant


def test_words_tell_severity_in_a_column_that_is_not_called_so():
    found = guess_severity(
        cells(lighting=["dark", "day", "day"], result=["Killed", "Minor injury", "Serious injury"]),
        ["lighting", "result"],
    )
    assert [guess.value for guess in found.guesses] == [
        "result",
        {"fatal": ["Killed"], "serious": ["Serious injury"], "slight": ["Minor injury"]},
    ]
    assert found.rank
    # nobody says that anybody was killed
    assert not guess_severity(cells(result=["Minor damage", "Serious", "None"]), ["result"]).rank


def test_words_that_do_not_tell_serious_from_slight_leave_serious_empty():
    told = ["Property damage only"] * 60 + ["Non-fatal injury"] * 35 + ["Fatal injury"] * 5
    found = by_key(guess_severity(cells(CRASH_SEVERITY=told), ["CRASH_SEVERITY"]).guesses)
    assert found["severity_values"].value == {
        "fatal": ["Fatal injury"],
        "serious": [],
        "slight": ["Non-fatal injury"],
        "none": ["Property damage only"],
    }
    assert not found["severity_values"].doubt


def test_numbers_of_severity_are_always_asked_about_and_taken_by_how_rare_they_are():
    rising = ["1"] * 5 + ["2"] * 60 + ["3"] * 400
    found = by_key(guess_severity(cells(severity=rising), ["severity"]).guesses)["severity_values"]
    assert found.value == {"fatal": ["1"], "serious": ["2"], "slight": ["3"]}
    assert found.doubt
    falling = ["3"] * 5 + ["2"] * 60 + ["1"] * 400
    found = by_key(guess_severity(cells(severity=falling), ["severity"]).guesses)["severity_values"]
    # 1 may be damage alone as well
    assert found.left_out
    assert found.doubt


@pytest.mark.parametrize("told", [["1"] * 200 + ["2"] * 200, ["1", "2", "3"] * 5, [*"01234"] * 50])
def test_numbers_that_tell_nothing_are_not_read_until_somebody_says_what_they_mean(told):
    found = by_key(guess_severity(cells(severity=told), ["severity"]).guesses)
    assert found["columns.severity"].left_out
    assert found["severity_values"].left_out
    assert found["severity_values"].doubt


def test_letters_of_the_united_states_are_known():
    found = by_key(guess_severity(cells(sev_kabco=[*"KABCO"] * 9), ["sev_kabco"]).guesses)
    assert found["severity_scheme"].value == "kabco"


def test_numbers_of_people_hurt_tell_severity_where_no_column_does():
    found = by_key(
        guess_severity(
            cells(n_killed=["0", "1", "0"], n_serious=["1", "0", "0"], n_slight=["0", "2", "1"]),
            ["n_killed", "n_serious", "n_slight"],
        ).guesses
    )
    assert {key: guess.value for key, guess in found.items()} == {
        "columns.fatal": "n_killed",
        "columns.serious": "n_serious",
        "columns.slight": "n_slight",
    }


def test_days_that_may_be_months_are_asked_about_and_those_that_may_not_are_read():
    open_ = by_key(guess_time(cells(date=["01/02/2024", "03/04/2024"] * 9), ["date"], whole=True).guesses)
    assert open_["columns.date_format"].left_out
    assert {option.value for option in open_["columns.date_format"].options} == {"%d/%m/%Y", "%m/%d/%Y"}
    told = guess_time(cells(date=["01/02/2024", "31/03/2024", "30/04/2024"] * 9), ["date"], whole=True)
    assert "columns.date_format" not in by_key(told.guesses)
    assert str(told.last) == "2024-04-30"


def test_records_that_fill_a_year_are_of_that_year_and_a_sample_of_them_tells_no_period():
    days = pd.date_range("2023-01-02", "2023-12-30").strftime("%Y-%m-%d")
    whole = by_key(guess_time(cells(date=days), ["date"], whole=True).guesses)["period"]
    assert (whole.value, whole.left_out) == (["2023-01-01", "2023-12-31"], False)
    assert by_key(guess_time(cells(date=days), ["date"], whole=False).guesses)["period"].left_out


def test_an_edit_is_no_collision_and_years_months_and_days_do_for_a_date():
    frame = cells(last_edited_date=["2024-01-05"] * 30, an=["19", "20"] * 15, mois=["2", "11"] * 15)
    found = by_key(guess_time(frame, [*frame], whole=True).guesses)
    assert (found["columns.year"].value, found["columns.month"].value) == ("an", "mois")
    assert "columns.date" not in found


def test_x_is_an_easting_or_a_longitude_by_its_numbers_and_the_roads():
    lon, lat = places()
    east, north = pyproj.Transformer.from_crs(4326, 27700, always_xy=True).transform(lon, lat)
    crss = [pyproj.CRS(3857), pyproj.CRS(27700)]
    degrees = by_key(guess_place(rows(X=map(str, lon), Y=map(str, lat)), ["X", "Y"], crss, LEEDS).guesses)
    assert degrees["columns.crs"].value == "EPSG:4326"
    assert not degrees["columns.crs"].doubt
    grid = by_key(guess_place(rows(X=map(str, east), Y=map(str, north)), ["X", "Y"], crss, LEEDS).guesses)
    assert grid["columns.crs"].value == "EPSG:27700"


def test_small_numbers_without_roads_to_hold_them_against_are_asked_about():
    lon, lat = places()
    found = by_key(guess_place(rows(X=map(str, lon), Y=map(str, lat)), ["X", "Y"], [], None).guesses)
    assert found["columns.crs"].doubt
    named = by_key(guess_place(rows(lon=map(str, lon), lat=map(str, lat)), ["lon", "lat"], [], None).guesses)
    assert not named["columns.crs"].doubt


def test_exchanged_coordinates_are_named_as_they_lie_by_the_roads_and_asked_about():
    lon, lat = places()
    found = by_key(guess_place(rows(x=map(str, lat), y=map(str, lon)), ["x", "y"], [], LEEDS).guesses)
    assert (found["columns.x"].value, found["columns.y"].value) == ("y", "x")
    assert found["columns.x"].doubt


def test_a_grid_that_no_crs_brings_to_the_roads_is_not_guessed():
    found = by_key(guess_place(rows(x=["812345", "812999"], y=["99", "120"]), ["x", "y"], [], LEEDS).guesses)
    assert found["columns.crs"].left_out
    assert found["columns.crs"].doubt


def test_a_mapping_is_put_together_and_flags_without_a_no_are_asked_about():
    lon, lat = places()
    n = len(lon)
    table = rows(
        crash_number=map(str, range(n)),
        crash_date=pd.date_range("2022-01-01", periods=n).strftime("%Y-%m-%d"),
        lng=map(str, lon),
        lat=map(str, lat),
        severity=["Fatal"] * 3 + ["Serious"] * 40 + ["Slight"] * (n - 43),
        pedestrian=["1"] * 9 + [""] * (n - 9),
        street=["Mill Lane"] * n,
        cross_street=["High Street"] * n,
    )
    around = Surroundings((), LEEDS, pd.Series(["Mill Lane", "High Street"], dtype="string"))
    columns = [name for name in table.frame if name != BROKEN]
    found = by_key(guess_mapping(table, columns, around, whole=True).guesses)
    assert {
        key.removeprefix("columns."): guess.value for key, guess in found.items() if "columns." in key
    } == {
        "id": "crash_number",
        "date": "crash_date",
        "x": "lng",
        "y": "lat",
        "crs": "EPSG:4326",
        "severity": "severity",
        "road_name": "street",
        "pedestrian": "pedestrian",
        "empty_is_none": True,
    }
    assert found["columns.empty_is_none"].doubt


def test_a_column_that_says_that_there_was_no_pedestrian_flags_none():
    table = rows(
        date=["2024-01-01"] * 9, lon=["1"] * 9, lat=["2"] * 9, **{"No Bike or Pedestrian": ["true"] * 9}
    )
    found = by_key(guess_mapping(table, [*table.frame][:-1], Surroundings(), whole=True).guesses)
    assert "columns.pedestrian" not in found


def test_an_id_that_several_rows_share_is_asked_about():
    table = rows(
        objectid=map(str, range(30)),
        accident_no=[str(i // 3) for i in range(30)],
        date=["2024-01-01"] * 30,
    )
    found = by_key(guess_mapping(table, [*table.frame][:-1], Surroundings(), whole=True).guesses)
    assert found["columns.id"].value == "accident_no"
    assert found["columns.id"].doubt


def test_a_source_that_repeats_another_one_is_told_from_one_that_does_not():
    lon, lat = places(600)
    draw = np.random.default_rng(3)
    day = pd.Series(pd.date_range("2024-01-01", periods=300)).sample(600, replace=True, random_state=1)
    again = slice(0, 60)
    frame = cells(
        source=["STATE"] * 600 + ["TOWN"] * 60 + ["OTHER"] * 60,
        date=[*day.dt.strftime("%Y-%m-%d"), *day.dt.strftime("%Y-%m-%d")[again], *["2024-05-01"] * 60],
        lon=map(str, [*lon, *(lon[again] + 0.0002), *draw.uniform(-1.58, -1.52, 60)]),
        lat=map(str, [*lat, *lat[again], *draw.uniform(53.78, 53.82, 60)]),
    )
    mapping = guess_mapping(rows(**frame), ["date", "lon", "lat"], Surroundings(), whole=True)
    shares = repeated(frame, "source", "STATE", mapping)
    assert shares["TOWN"][0] == pytest.approx(1.0)
    assert shares["TOWN"][1] < 0.1
    assert shares["OTHER"][0] < 0.1
    (keep,) = guess_keep(frame, [*frame], mapping)
    assert (keep.value, keep.left_out) == ({"source": ["STATE"]}, False)
    assert "TOWN" in keep.doubt


def test_numbers_of_a_road_user_that_may_be_codes_are_left_out_and_asked_about():
    table = rows(pedestrian=["0", "1", "4", "9"] * 9, n_cyclists=["0", "1", "2", "0"] * 9)
    found = by_key(guess_mapping(table, [*table.frame][:-1], Surroundings(), whole=True).guesses)
    assert (found["columns.pedestrian"].left_out, bool(found["columns.pedestrian"].doubt)) == (True, True)
    assert (found["columns.cyclist"].left_out, found["columns.cyclist"].value) == (False, "n_cyclists")


def test_a_crossing_for_pedestrians_is_none():
    table = rows(pedestrian_crossing=["0", "1"] * 9)
    found = by_key(guess_mapping(table, [*table.frame][:-1], Surroundings(), whole=True).guesses)
    assert "columns.pedestrian" not in found
