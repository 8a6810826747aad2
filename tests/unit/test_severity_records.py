"""Severities of several countries, how Great Britain's were recorded, and who was hurt."""

import csv

import pandas as pd
import pytest
from csv_rows import write
from pydantic import ValidationError
from real_data import DATA, needs_real_data

from geo.collisions.cells.users import flags
from geo.collisions.read import read_collisions
from geo.collisions.recording import severity_breaks
from geo.collisions.schemas.schemes import SCHEMES
from geo.collisions.schemas.stats19 import Stats19, read_stats19
from geo.collisions.schemas.tabular import Tabular
from geo.config import ROAD_USERS, collision_settings

PLACE = {"x": "lon", "y": "lat", "severity": "s"}
BERLIN = {
    "id": "OBJECTID",
    "year": "UJAHR",
    "x": "XGCSWGS84",
    "y": "YGCSWGS84",
    "severity": "UKATEGORIE",
    "pedestrian": "IstFuss",
    "cyclist": "IstRad",
    "motorcyclist": "IstKrad",
    "car_occupant": "IstPKW",
    "decimal": ",",
    "encoding": "latin-1",
}


def read(folder, values, **section):
    path = folder / "c.csv"
    path.write_text("lon,lat,s\n" + "".join(f"1.5,50,{value}\n" for value in values), encoding="utf-8")
    given = {"schema": "columns", "sources": [str(path)], "columns": PLACE}
    return read_collisions(collision_settings(**given | section))


# schemes


@pytest.mark.parametrize(
    ("scheme", "codes", "told"),
    [
        ("kabco", ["K", "A", "b", "C"], ["fatal", "serious", "slight", "slight"]),
        ("kabco", ["Fatal injury", "Suspected Serious Injury"], ["fatal", "serious"]),
        ("german", ["1", "2", "3"], ["fatal", "serious", "slight"]),
        ("swiss", ["as1", "as2", "as3"], ["fatal", "serious", "slight"]),
        ("finnish", ["1", "2", "Kuolemaan johtanut"], ["fatal", "slight", "fatal"]),
        ("irish", ["Fatal", "Serious", "Minor"], ["fatal", "serious", "slight"]),
    ],
)
def test_published_codes_are_read_by_the_name_of_their_scheme(scheme, codes, told, tmp_path):
    source = read(tmp_path, codes, severity_scheme=scheme)
    assert source.table["severity"].tolist() == told
    assert source.entries == []


@pytest.mark.parametrize(
    ("scheme", "none", "unknown"),
    [("kabco", "O", "7"), ("german", "5", "8"), ("swiss", "as4", "as5"), ("irish", "Material damage", "2")],
)
def test_no_injury_is_told_from_codes_that_nobody_published(scheme, none, unknown, tmp_path):
    source = read(tmp_path, [none, unknown, unknown, ""], severity_scheme=scheme)
    assert source.table["severity"].isna().all()
    assert [(e.status, e.reason, e.count) for e in source.entries] == [
        ("skipped", "no injury by its code; counted without severity", 1),
        ("rejected", f"the value {unknown!r} is not mapped; counted without severity", 2),
        ("skipped", "none recorded; counted without severity", 1),
    ]


def test_records_that_do_not_tell_serious_injuries_have_no_ksi(tmp_path):
    assert read(tmp_path, ["1", "2"], severity_scheme="finnish").severities == {"fatal", "slight"}
    assert read(tmp_path, ["K", "A", "B"], severity_scheme="kabco").severities == {
        "fatal",
        "serious",
        "slight",
    }


def test_a_scheme_and_values_of_ones_own_exclude_each_other():
    with pytest.raises(ValidationError, match="not both"):
        Tabular(severity_scheme="german", severity_values={"fatal": ["1"]})
    with pytest.raises(ValidationError, match="severity_scheme"):
        Stats19(severity_scheme="german")


def test_every_scheme_names_its_source_and_no_code_twice():
    for scheme in SCHEMES.values():
        assert scheme.source
        codes = [c.casefold() for values in scheme.codes.values() for c in values]
        codes += [c.casefold() for c in (*scheme.no_injury, *scheme.not_known)]
        assert len(codes) == len(set(codes))


# road users by mapping


def test_flags_and_counts_of_road_users_are_read_and_an_empty_cell_is_not_known():
    cells = pd.Series(["1", "0", "3", "yes", "No", "true", "", None, "-1", "perhaps", "2.0"], dtype="string")
    told = flags(cells, empty_is_none=False)
    assert told[:6].tolist() == [True, False, True, True, False, True]
    assert told[6:10].isna().all()
    assert told[10]
    assert flags(cells, empty_is_none=True)[6:8].tolist() == [False, False]


def test_a_cell_on_road_users_that_cannot_be_read_is_accounted_for(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("lon,lat,ped\n1,50,1\n1,50,perhaps\n1,50,\n")
    columns = {"x": "lon", "y": "lat", "pedestrian": "ped"}
    source = read_collisions(Tabular(sources=[str(path)], columns=columns))
    assert source.table["pedestrian"].tolist() == [True, pd.NA, pd.NA]
    assert source.table[list(ROAD_USERS[1:])].isna().all(axis=None)
    assert [(e.item, e.status, e.count) for e in source.entries] == [("cells on pedestrians", "rejected", 1)]


# STATS19: who was hurt

ROW = {
    "collision_index": "2024010000001",
    "location_easting_osgr": "414393",
    "location_northing_osgr": "422878",
    "collision_severity": "2",
    "date": "03/04/2024",
    "police_force": "13",
}


def hurt(folder, *people, vehicles=()):
    one = ROW["collision_index"]
    names = ("vehicle_reference", "casualty_class", "casualty_type")
    rows = [{"collision_index": one} | dict(zip(names, person, strict=True)) for person in people]
    linked = {"casualties": write(folder / "p.csv", *rows)}
    if vehicles:
        kinds = [{"collision_index": one, "vehicle_reference": v, "vehicle_type": k} for v, k in vehicles]
        linked["vehicles"] = write(folder / "v.csv", *kinds)
    return read_stats19(Stats19(sources=[write(folder / "c.csv", ROW)], **linked))


def test_a_collision_tells_which_users_it_hurt(tmp_path):
    source = hurt(tmp_path, ("1", "3", "0"), ("1", "1", "9"), ("2", "2", "9"))
    assert source.table.loc[0, list(ROAD_USERS)].tolist() == [True, False, False, True]
    assert source.table.loc[0, [f"n_{user}" for user in ROAD_USERS]].tolist() == [1, 0, 0, 2]


def test_an_unknown_kind_leaves_open_what_it_could_be(tmp_path):
    source = hurt(tmp_path, ("1", "1", "-1"), ("2", "2", "9"))
    told = source.table.loc[0, list(ROAD_USERS)]
    # a rider or driver is no pedestrian, whatever rode
    assert told.tolist() == [False, pd.NA, pd.NA, True]
    assert [(e.item, e.count) for e in source.entries] == [("road users", 1)]
    assert hurt(tmp_path, ("1", "3", "-1")).table.loc[0, "pedestrian"]
    unknown = hurt(tmp_path, ("1", "-1", "-1")).table.loc[0, list(ROAD_USERS)]
    assert unknown.isna().all()


@pytest.mark.parametrize(
    ("kind", "user"),
    [
        ("1", "cyclist"),
        ("Pedal cycle", "cyclist"),
        ("5", "motorcyclist"),
        ("9", "car_occupant"),
        ("Car", "car_occupant"),
    ],
)
def test_the_vehicle_tells_the_kind_of_those_who_were_in_it(kind, user, tmp_path):
    source = hurt(tmp_path, ("2", "1", "-1"), vehicles=(("1", "11"), ("2", kind)))
    told = source.table.loc[0, list(ROAD_USERS)]
    assert told[told == True].index.tolist() == [user]  # noqa: E712
    assert told.notna().all()
    assert [e for e in source.entries if e.item == "road users"] == []


def test_without_a_casualty_table_nobody_knows_who_was_hurt(tmp_path):
    source = read_stats19(Stats19(sources=[write(tmp_path / "c.csv", ROW)]))
    assert source.table[list(ROAD_USERS)].isna().all(axis=None)


# STATS19: adjusted severity, and the break


def adjusted(folder, *rows):
    return read_stats19(Stats19(sources=[write(folder / "c.csv", *(ROW | row for row in rows))]))


def row(severity, serious, based="0", index="1", force="13", year="2015"):
    return {
        "collision_index": year + index,
        "collision_severity": severity,
        "collision_injury_based": based,
        "collision_adjusted_severity_serious": serious,
        "police_force": force,
        "date": f"01/06/{year}",
    }


def test_the_adjustment_stands_beside_the_severity_and_a_fatal_collision_is_certain(tmp_path):
    source = adjusted(tmp_path, row("1", "0.0"), row("3", "0.21", index="2"), row("2", "", index="3"))
    assert source.table["ksi_adjusted"].tolist()[:2] == [1.0, 0.21]
    assert source.table["ksi_adjusted"].isna().tolist() == [False, False, True]
    assert source.table["severity"].tolist() == ["fatal", "slight", "serious"]


def test_an_adjustment_that_is_no_probability_is_rejected(tmp_path):
    source = adjusted(tmp_path, row("3", "1.7"), row("3", "0.2", index="2"))
    assert source.table["ksi_adjusted"].isna().tolist() == [True, False]
    assert [(e.item, e.status, e.count) for e in source.entries] == [("adjusted severities", "rejected", 1)]


def seen(source):
    table = source.table
    return table.assign(source_year=table["date"].dt.year.astype("Int64"))


def test_a_period_that_crosses_the_change_of_recording_is_told_by_force_and_year(tmp_path):
    source = adjusted(
        tmp_path,
        row("3", "0.2", "0", "1", year="2019"),
        row("3", "0.2", "0", "2", year="2020"),
        row("2", "1.0", "1", "3", year="2021"),
        row("2", "1.0", "1", "4", year="2019", force="1"),
    )
    (told,) = severity_breaks(seen(source))
    assert "West Yorkshire by judgement from 2019 to 2020 (2 collisions)" in told
    assert "West Yorkshire by injuries in 2021 (1 collisions)" in told
    assert "Metropolitan Police by injuries in 2019 (1 collisions)" in told
    assert "n_ksi_adjusted" in told
    without = seen(source).assign(ksi_adjusted=float("nan"))
    assert severity_breaks(without)[0].endswith("the source has no adjusted severity")


def test_records_of_one_way_of_recording_have_no_break(tmp_path):
    assert (
        severity_breaks(seen(adjusted(tmp_path, row("2", "1", "1"), row("3", "0", "1", "2", year="2020"))))
        == []
    )


def test_a_source_that_does_not_say_is_told_only_where_it_matters(tmp_path):
    source = seen(read_stats19(Stats19(sources=[write(tmp_path / "c.csv", ROW)])))
    assert severity_breaks(source) == []
    years = pd.concat([source.assign(source_year=year) for year in (2017, 2018)], ignore_index=True)
    assert "it has no collision_injury_based" in severity_breaks(years)[0]
    old = pd.concat([source.assign(source_year=year) for year in (2008, 2009)], ignore_index=True)
    assert severity_breaks(old) == []
    assert severity_breaks(source.iloc[:0]) == []


# real files


@needs_real_data
def test_west_yorkshire_was_recorded_by_injuries_and_needs_no_adjustment():
    folder = DATA / "uk_west_yorkshire_2024"
    source = read_collisions(
        Stats19(sources=[str(folder / "accidents.csv")], casualties=str(folder / "casualties.csv"))
    )
    table = source.table
    assert severity_breaks(seen(source)) == []
    # 1,164 serious and 35 fatal ones, counted in the file by other means
    assert table["ksi_adjusted"].sum() == 1199
    with (folder / "casualties.csv").open(encoding="utf-8-sig", newline="") as file:
        people = list(csv.DictReader(file))
    for user, kinds in (("pedestrian", {"0"}), ("cyclist", {"1"}), ("car_occupant", {"8", "9"})):
        expected = {p["collision_index"] for p in people if p["casualty_type"] in kinds}
        assert set(table.loc[table[user].fillna(value=False), "collision_id"]) == expected


@needs_real_data
@pytest.mark.parametrize("year", [2019, 2020])
def test_berlin_tells_severity_and_road_users_as_counted_in_the_file(year):
    path = DATA / f"berlin/berlin_{year}.csv"
    source = read_collisions(Tabular(sources=[str(path)], columns=BERLIN, severity_scheme="german"))
    with path.open(encoding="latin-1", newline="") as file:
        rows = [r for r in csv.DictReader(file, delimiter=";") if None not in r and None not in r.values()]
    found = source.table["severity"].value_counts()
    for code, severity in (("1", "fatal"), ("2", "serious"), ("3", "slight")):
        assert abs(found[severity] - sum(r["UKATEGORIE"] == code for r in rows)) <= 1
    for user, column in (("pedestrian", "IstFuss"), ("cyclist", "IstRad"), ("motorcyclist", "IstKrad")):
        assert source.table[user].sum() == sum(r[column] == "1" for r in rows)


@needs_real_data
def test_massachusetts_flags_road_users_by_leaving_the_rest_empty():
    path = DATA / "boston/collisions/massdot_mapc_crashes_2024.csv"
    columns = {
        "id": "id",
        "date": "date",
        "x": "lng",
        "y": "lat",
        "pedestrian": "pedestrian",
        "cyclist": "cyclist",
    }
    given = {"schema": "columns", "sources": [str(path)], "keep": {"source": ["MDOT"]}}
    plain = read_collisions(collision_settings(**given | {"columns": columns})).table
    told = read_collisions(collision_settings(**given | {"columns": columns | {"empty_is_none": True}})).table
    kept = told["kept"]
    assert (int(told.loc[kept, "pedestrian"].sum()), int(told.loc[kept, "cyclist"].sum())) == (1053, 752)
    assert told.loc[kept, "pedestrian"].notna().all()
    assert plain.loc[kept, "pedestrian"].notna().sum() == 1053
    assert told["car_occupant"].isna().all()
