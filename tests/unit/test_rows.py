"""Which rows of a table are which collisions."""

import numpy as np
import pandas as pd
import pytest
from real_data import DATA, needs_real_data

from geo.collisions.read import read_collisions
from geo.config import collision_settings
from geo.errors import ConfigurationError, LayerError

SEVERITY = {"fatal": ["K"], "serious": ["A"], "slight": ["C"], "none": ["O"]}
N = 60


def collisions(n=N, year=2021, seed=1):
    """As many collisions, each at its place on its day."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp(f"{year}-01-01") + pd.to_timedelta(rng.integers(0, 360, n), "D")
    return pd.DataFrame(
        {
            "case": [f"k{i:04}" for i in range(n)],
            "date": days.strftime("%Y-%m-%d"),
            "lon": (-1.8 + rng.uniform(0, 0.1, n)).round(6),
            "lat": (52.3 + rng.uniform(0, 0.1, n)).round(6),
        }
    )


def persons(cases, seed=2):
    """Draw persons of the collisions: the first is unhurt in all of them, the second is hurt."""
    rng = np.random.default_rng(seed)
    rows = cases.loc[np.repeat(cases.index, rng.integers(2, 5, len(cases)))].reset_index(drop=True)
    nth = rows.groupby("case").cumcount()
    rows["harm"] = np.where(nth == 0, "O", rng.choice(["K", "A", "C", "C"], len(rows)))
    rows["kind"] = rng.choice(["car", "foot"], len(rows))
    rows.insert(0, "row", np.arange(1, len(rows) + 1))
    return rows


def settled(tmp_path, *tables, columns=None, **section):
    for number, table in enumerate(tables):
        table.to_csv(tmp_path / f"table{number}.csv", index=False)
    named = {"id": "case", "date": "date", "x": "lon", "y": "lat"}
    if "harm" in tables[0]:
        named["severity"] = "harm"
        section = {"severity_values": SEVERITY} | section
    named = {what: name for what, name in (named | (columns or {})).items() if name is not None}
    sources = [str(tmp_path / f"table{number}.csv") for number in range(len(tables))]
    return read_collisions(collision_settings(sources=sources, schema="columns", columns=named, **section))


def counting(source):
    return source.table[source.table["kept"] & ~source.table["repeats"]].reset_index(drop=True)


# persons and vehicles


@pytest.mark.parametrize("stated", [None, "persons"])
def test_persons_of_one_id_are_one_collision_of_the_worst_of_their_severities(tmp_path, stated):
    rows = persons(collisions())
    found = counting(settled(tmp_path, rows, rows=stated))
    rank = rows["harm"].map({"K": "1 fatal", "A": "2 serious", "C": "3 slight"})
    worst = rank.groupby(rows["case"]).min().str[2:]
    assert found["collision_id"].tolist() == worst.index.tolist()
    assert found["severity"].tolist() == worst.tolist()
    assert found["n_casualties"].tolist() == rank.notna().groupby(rows["case"]).sum().tolist()
    assert found["source_row"].tolist() == rows.index[~rows["case"].duplicated()].tolist()


def test_a_road_user_is_unknown_only_where_no_row_says_yes_and_one_does_not_know(tmp_path):
    rows = pd.DataFrame(
        {
            "case": ["yes", "yes", "no", "no", "open", "open"],
            "foot": ["", "1", "0", "0", "0", ""],
            "date": "2021-05-05",
            "lon": [-1.8, -1.8, -1.7, -1.7, -1.6, -1.6],
            "lat": 52.3,
        }
    )
    found = counting(settled(tmp_path, rows, columns={"pedestrian": "foot"}))
    assert found["pedestrian"].tolist() == [True, False, pd.NA]


def test_rows_and_collisions_of_persons_stand_in_the_account_and_are_told(tmp_path):
    rows = persons(collisions())
    source = settled(tmp_path, rows)
    (entry,) = [entry for entry in source.entries if entry.item == "rows"]
    assert (entry.status, entry.count) == ("done", len(rows))
    assert f"{len(rows)} are {N} collisions" in entry.reason
    assert any("collisions.rows" in told for told in source.warnings)
    assert not any("collisions.rows" in told for told in settled(tmp_path, rows, rows="persons").warnings)


@pytest.mark.parametrize(
    ("cells", "casualties"), [([2, 2], 2), ([1, 2], 3)], ids=["of the collision", "of each row"]
)
def test_casualties_of_vehicles_are_summed_where_rows_differ(tmp_path, cells, casualties):
    cases = collisions()
    rows = cases.loc[np.repeat(cases.index, 2)].assign(hurt=cells * N)
    found = counting(settled(tmp_path, rows, rows="vehicles", columns={"n_casualties": "hurt"}))
    assert found["n_casualties"].tolist() == [casualties] * N


def test_a_person_whose_severity_no_mapping_knows_may_be_worse_than_all_but_the_dead(tmp_path):
    rows = persons(collisions())
    rows["harm"] = rows["harm"].replace("A", "A+")
    found = counting(settled(tmp_path, rows))
    harm = rows["harm"].groupby(rows["case"]).agg(set)
    worst = ["fatal" if "K" in all_of else None if "A+" in all_of else "slight" for all_of in harm]
    assert found["severity"].tolist() == worst
    assert found["n_casualties"].isna().tolist() == ["A+" in all_of for all_of in harm]


def test_rows_that_hold_the_severity_of_their_collision_tell_no_casualties(tmp_path):
    rows = persons(collisions())
    rows["harm"] = rows.groupby("case")["harm"].transform("last")
    found = counting(settled(tmp_path, rows))
    assert len(found) == N
    assert found["n_casualties"].isna().all()


def test_persons_under_ids_of_their_own_are_refused_with_the_column_of_the_collision(tmp_path):
    rows = persons(collisions()).rename(columns={"case": "ACCNUM"})
    with pytest.raises(LayerError, match=r"ACCNUM") as refused:
        settled(tmp_path, rows, columns={"id": "row"})
    assert "collisions.columns.id" in refused.value.todo
    assert "collisions.rows" in refused.value.todo
    assert len(counting(settled(tmp_path, rows, columns={"id": "row"}, rows="collisions"))) == len(rows)


def test_persons_without_any_id_are_refused_and_brought_together_when_they_are_said_to_be_persons(tmp_path):
    rows = persons(collisions())[["date", "lon", "lat", "harm", "kind"]]
    with pytest.raises(LayerError, match="share the very place and time"):
        settled(tmp_path, rows, columns={"id": None})
    assert len(counting(settled(tmp_path, rows, columns={"id": None}, rows="persons"))) == N
    with pytest.raises(ConfigurationError, match="no dates"):
        settled(tmp_path, rows, columns={"id": None, "date": None}, rows="persons")


def test_persons_of_whom_no_date_is_mapped_are_found_by_the_date_in_the_file(tmp_path):
    rows = persons(collisions())
    with pytest.raises(LayerError, match="'case'"):
        settled(tmp_path, rows, columns={"id": "row", "date": None})


def test_persons_without_an_id_among_others_with_one_are_one_collision_by_place_and_time(tmp_path):
    rows = persons(collisions())
    rows.loc[rows["case"].isin(["k0003", "k0007"]), "case"] = ""
    assert len(counting(settled(tmp_path, rows))) == N


def test_collisions_at_one_crossing_on_other_days_are_collisions(tmp_path):
    cases = collisions().assign(lon=-1.8, lat=52.3, crossing="X1")
    cases["date"] = pd.date_range("2021-01-01", periods=N, freq="D").strftime("%Y-%m-%d")
    for columns in ({}, {"id": None}, {"date": None}, {"id": None, "date": None}):
        source = settled(tmp_path, cases, columns=columns)
        assert len(counting(source)) == N
        assert not [told for told in source.warnings if "one place" not in told and "rounded" not in told]


def test_the_id_of_a_place_is_not_taken_for_that_of_a_collision(tmp_path):
    cases = collisions()
    visits = pd.concat([cases, cases, cases]).assign(n=range(3 * N))
    for columns in ({"date": None}, {"date": None, "year": "year"}):
        with pytest.raises(LayerError, match="may be that of a place"):
            settled(tmp_path, visits.drop(columns="date").assign(year=2021), columns=columns)
    visits["hour"] = np.random.default_rng(5).integers(0, 24, len(visits)).astype(str)
    with pytest.raises(LayerError, match="may be that of a place"):
        settled(tmp_path, visits.drop(columns="date"), columns={"date": None})
    assert len(counting(settled(tmp_path, visits, columns={"date": None}))) == N


@pytest.mark.parametrize("clock", ["a column of its own", "in the date"])
def test_few_rows_of_one_place_and_minute_are_enough_where_no_id_is_there(tmp_path, clock):
    cases = collisions(200)
    times = pd.Series([f"{i % 24:02}:{i % 60:02}" for i in range(200)])
    if clock == "in the date":
        cases["date"] = cases["date"] + " " + times
    else:
        cases["at"] = times
    rows = pd.concat([cases, cases[:6]]).assign(n=range(206)).drop(columns="case")
    with pytest.raises(LayerError, match="6 of 206 rows share"):
        settled(tmp_path, rows, columns={"id": "n"})


def test_months_without_days_tell_rows_of_one_id_apart(tmp_path):
    cases = collisions()
    told = pd.to_datetime(cases["date"])
    cases = cases.drop(columns="date").assign(year=told.dt.year, month=told.dt.month)
    columns = {"date": None, "year": "year", "month": "month"}
    twice = pd.concat([cases, cases.assign(kind=2)])
    assert len(counting(settled(tmp_path, twice, columns=columns))) == N
    with pytest.raises(LayerError, match="'case'"):
        settled(tmp_path, twice.assign(n=range(2 * N)), columns=columns | {"id": "n"})
    other = pd.concat([cases, cases.assign(month=told.dt.month % 12 + 1)])
    with pytest.raises(LayerError, match="another date or place"):
        settled(tmp_path, other, columns=columns)


# rows that stand twice


def test_rows_of_files_that_overlap_count_once(tmp_path):
    rows = persons(collisions())
    source = settled(tmp_path, rows[:150], rows[100:], rows="persons")
    found = counting(source)
    alone = counting(settled(tmp_path, rows, rows="persons"))
    assert found[["collision_id", "severity", "n_casualties"]].equals(
        alone[["collision_id", "severity", "n_casualties"]]
    )
    assert source.table["repeats"].sum() == 50
    assert any("duplicates" in told for told in source.warnings)


def test_persons_who_are_alike_in_all_cells_are_persons_unless_whole_collisions_come_back(tmp_path):
    cases = collisions()
    driver, hurt = cases.assign(harm="O"), cases.assign(harm="C")
    alike = pd.concat([driver, hurt, hurt])
    assert counting(settled(tmp_path, alike))["n_casualties"].tolist() == [2] * N
    twice = pd.concat([driver, hurt, driver, hurt])
    assert counting(settled(tmp_path, twice))["n_casualties"].tolist() == [1] * N


def test_one_row_in_a_hundred_that_repeats_is_told(tmp_path):
    cases = collisions(300)
    few, more = (pd.concat([cases, cases[:n]]) for n in (3, 4))
    assert not settled(tmp_path, few).warnings
    source = settled(tmp_path, more)
    assert [told for told in source.warnings if "4 of 304 rows (1.3%)" in told]
    assert source.table["repeats"].sum() == 4


def test_rows_without_ids_or_times_that_are_the_same_in_all_cells_are_told(tmp_path):
    cases = collisions()[["lon", "lat"]]
    columns = {"id": None, "date": None}
    source = settled(tmp_path, pd.concat([cases, cases]), columns=columns)
    assert any("60 of 120 rows are the same as another one" in told for told in source.warnings)
    assert not settled(tmp_path, cases, columns=columns).warnings
    across = settled(tmp_path, cases, cases, columns=columns)
    assert len(counting(across)) == N
    assert any("60 of 120 rows (50.0%) repeat" in told for told in across.warnings)


def test_rows_that_the_filter_leaves_out_are_not_brought_together(tmp_path):
    rows = persons(collisions())
    source = settled(tmp_path, rows, keep={"kind": ["foot"]})
    on_foot = rows[rows["kind"] == "foot"]
    assert len(counting(source)) == on_foot["case"].nunique()
    assert (~source.table["kept"]).sum() == (rows["kind"] != "foot").sum()


# ids that come back


@pytest.mark.parametrize("apart", [{"date": None, "year": "year"}, {}], ids=["years", "dates"])
def test_ids_that_start_anew_each_year_are_told_apart_by_it(tmp_path, apart):
    years = [collisions(year=year, seed=year).assign(year=year) for year in (2019, 2020, 2021)]
    for tables in (years, [pd.concat(years)]):
        found = counting(settled(tmp_path, *tables, columns=apart))
        assert len(found) == 3 * N
        assert found["collision_id"].is_unique
        assert found["collision_id"].iloc[[0, -1]].tolist() == ["2019/k0000", "2021/k0059"]
    stated = settled(tmp_path, *years, columns=apart | {"id": ["year", "case"]})
    assert counting(stated)["collision_id"].tolist() == found["collision_id"].tolist()
    assert not stated.warnings


def test_ids_that_start_anew_with_each_file_are_told_apart_by_it(tmp_path):
    north, south = collisions(seed=3), collisions(seed=4)
    found = counting(settled(tmp_path, north, south))
    assert found["collision_id"].iloc[[0, -1]].tolist() == ["table0/k0000", "table1/k0059"]
    assert found["collision_id"].is_unique


def test_ids_that_start_anew_with_each_file_and_year_are_told_apart_by_both(tmp_path):
    files = [
        pd.concat([collisions(year=year, seed=year + number) for year in (2019, 2020)]) for number in (0, 50)
    ]
    found = counting(settled(tmp_path, *files))
    assert len(found) == 4 * N
    assert found["collision_id"].iloc[0] == "2019/table0/k0000"
    assert found["collision_id"].is_unique


def test_a_few_ids_that_come_back_in_another_year_are_other_collisions(tmp_path):
    years = [collisions(1000, year=year, seed=year) for year in (2020, 2021)]
    years[1]["case"] = "z" + years[1]["case"].str[1:]
    years[1].loc[:27, "case"] = years[0].loc[:27, "case"]
    assert len(counting(settled(tmp_path, *years))) == 2000


def test_persons_whose_ids_start_anew_each_year_are_brought_together_within_it(tmp_path):
    years = [persons(collisions(year=year, seed=year), seed=year) for year in (2019, 2020)]
    found = counting(settled(tmp_path, pd.concat(years)))
    assert len(found) == 2 * N
    assert found["collision_id"].is_unique


def test_ids_that_a_spreadsheet_rounded_are_refused_with_what_is_wrong(tmp_path):
    cases = collisions()
    cases["case"] = "2.01901E+11"
    with pytest.raises(LayerError, match=r"2\.01901E\+11.*row 1 of table0\.csv") as refused:
        settled(tmp_path, cases)
    assert "spreadsheet has rounded" in refused.value.todo
    cases["case"] = "201901000000"
    with pytest.raises(LayerError, match="spreadsheet has rounded"):
        settled(tmp_path, cases)


def test_a_column_of_few_values_is_no_id_unless_it_is_said_what_becomes_of_them(tmp_path):
    cases = collisions(200).assign(ward=[f"W{i % 7}" for i in range(200)])
    with pytest.raises(LayerError, match="different values: 7 in 200 rows") as refused:
        settled(tmp_path, cases, columns={"id": "ward"})
    assert refused.value.what.count("table0.csv") == 6
    assert "collisions.repeated_ids" in refused.value.todo
    first = settled(tmp_path, cases, columns={"id": "ward"}, repeated_ids="first")
    assert len(counting(first)) == 7
    assert any("193 of 200 rows" in told for told in first.warnings)
    each = counting(settled(tmp_path, cases, columns={"id": "ward"}, repeated_ids="each"))
    assert len(each) == 200
    assert each["collision_id"].is_unique
    assert each["collision_id"].iloc[[0, 7]].tolist() == ["W0", "W0 (2)"]


def test_the_columns_that_make_an_id_whole_are_told(tmp_path):
    districts = [collisions(seed=seed).assign(district=f"D{seed}") for seed in (3, 4)]
    table = pd.concat(districts).rename(columns={"case": "number"})
    with pytest.raises(LayerError, match="another date or place") as refused:
        settled(tmp_path, table, columns={"id": "number"})
    assert "collisions.columns.id: [district, number]" in refused.value.todo
    mended = counting(settled(tmp_path, table, columns={"id": ["district", "number"]}))
    assert mended["collision_id"].iloc[[0, -1]].tolist() == ["D3/k0000", "D4/k0059"]
    whole = table.assign(crash_id=range(2 * N))
    with pytest.raises(LayerError, match=r"collisions\.columns\.id: crash_id is"):
        settled(tmp_path, whole, columns={"id": "district"})


def test_an_id_with_another_place_on_the_same_day_is_refused_and_settled_by_what_a_row_is(tmp_path):
    cases = collisions()
    moved = pd.concat([cases, cases[:5].assign(lat=52.35)])
    with pytest.raises(LayerError, match="stands before with another date or place"):
        settled(tmp_path, moved)
    assert len(counting(settled(tmp_path, moved, rows="vehicles"))) == N


def test_rows_without_an_id_count_each_and_are_told(tmp_path):
    cases = collisions()
    cases.loc[[4, 5], "case"] = ""
    source = settled(tmp_path, cases)
    assert len(counting(source)) == N
    assert [(e.item, e.count) for e in source.entries] == [("rows", 2)]
    assert any("2 of 60 rows are without an id" in told for told in source.warnings)


@pytest.mark.parametrize("value", ["0", "999999", "unknown", "?"])
def test_what_is_written_in_place_of_an_id_is_none(tmp_path, value):
    cases = collisions()
    cases.loc[::6, "case"] = value
    source = settled(tmp_path, cases)
    assert len(counting(source)) == N
    assert source.table["collision_id"].is_unique
    assert [(e.item, e.count) for e in source.entries] == [("rows", 10)]
    number = cases.assign(case=[value if i == 9 else f"n{i}" for i in range(N)])
    assert not settled(tmp_path, number).warnings


def test_persons_whose_coordinates_differ_by_rounding_are_at_one_place(tmp_path):
    rows = persons(collisions())
    rows["lon"] += np.random.default_rng(1).uniform(-1, 1, len(rows)) * 1e-7
    assert len(counting(settled(tmp_path, rows))) == N
    with pytest.raises(LayerError, match="'case'"):
        settled(tmp_path, rows, columns={"id": "row"})


def test_rows_that_leave_out_what_the_first_of_their_id_says_are_of_its_collision(tmp_path):
    rows = persons(collisions())
    rows.loc[rows["case"].duplicated(), ["date", "lon", "lat"]] = None
    found = counting(settled(tmp_path, rows))
    assert len(found) == N
    assert found[["x", "y", "date"]].notna().all(axis=None)


def test_columns_of_one_name_that_nothing_is_read_from_do_no_harm(tmp_path):
    rows = persons(collisions()).assign(a=1, b=2).rename(columns={"b": "a"})
    assert len(counting(settled(tmp_path, rows))) == N
    with pytest.raises(LayerError, match="'case'"):
        settled(tmp_path, rows, columns={"id": "row"})


# real files


def west_yorkshire(folder, table):
    """A linked table of West Yorkshire with place and time of its collisions in every row, as many publish it."""
    there = DATA / "uk_west_yorkshire_2024"
    whole = pd.read_csv(there / "accidents.csv", dtype=str)
    wanted = ["collision_index", "date", "time", "longitude", "latitude", "number_of_casualties"]
    rows = pd.read_csv(there / f"{table}.csv", dtype=str).merge(whole[wanted], on="collision_index")
    rows.insert(0, "FID", range(len(rows)))
    rows.to_csv(folder / "rows.csv", index=False)
    return whole, rows


def published(folder, **columns):
    named = {"date": "date", "x": "longitude", "y": "latitude"} | columns
    asked = {"schema": "columns", "columns": named, "sources": [str(folder / "rows.csv")]}
    if "severity" in named:
        asked["severity_values"] = {"fatal": ["1"], "serious": ["2"], "slight": ["3"]}
    return read_collisions(collision_settings(**asked))


@needs_real_data
@pytest.mark.parametrize("table", ["casualties", "vehicles"])
def test_casualties_and_vehicles_of_west_yorkshire_are_its_collisions_or_refused(tmp_path, table):
    whole, rows = west_yorkshire(tmp_path, table)
    for columns in ({"id": "FID"}, {}):
        with pytest.raises(LayerError, match="'collision_index' repeats"):
            published(tmp_path, **columns)
    found = counting(published(tmp_path, id="collision_index", n_casualties="number_of_casualties"))
    assert set(found["collision_id"]) == set(whole["collision_index"])
    assert found["n_casualties"].sum() == len(pd.read_csv(DATA / "uk_west_yorkshire_2024/casualties.csv"))
    assert len(rows) > len(found)


@needs_real_data
def test_casualties_of_west_yorkshire_have_the_severity_that_their_collision_was_given(tmp_path):
    whole, rows = west_yorkshire(tmp_path, "casualties")
    found = counting(published(tmp_path, id="collision_index", severity="casualty_severity"))
    told = whole.set_index("collision_index").loc[found["collision_id"]]
    names = told["collision_severity"].map({"1": "fatal", "2": "serious", "3": "slight"})
    assert found["severity"].tolist() == names.tolist()
    assert found["n_casualties"].sum() == len(rows)


REAL = {
    "Massachusetts": ("boston/collisions/massdot_mapc_crashes_2024.csv", "id", "date", "lng", "lat"),
    "Cambridge": (
        *("boston/collisions/cambridge_pd_crashes_2010_2016.csv", "Crash Number"),
        *("Date Time", "Longitude", "Latitude"),
    ),
    "Boston": (
        *("boston/collisions/boston_massdot_crashes_2025_clean.csv", "CRASH_NUMB"),
        *("CRASH_DATE", "LON", "LAT"),
    ),
    "Berlin": ("berlin/berlin_2019.csv", "OBJECTID", None, "XGCSWGS84", "YGCSWGS84"),
    "West Yorkshire": (
        *("uk_west_yorkshire_2024/accidents.csv", "collision_index"),
        *("date", "longitude", "latitude"),
    ),
}


@needs_real_data
@pytest.mark.parametrize("place", REAL)
@pytest.mark.parametrize("left_out", [[], ["id"], ["date"], ["id", "date"]], ids=str)
def test_real_tables_of_collisions_pass_whatever_of_them_is_mapped(place, left_out):
    file, *names = REAL[place]
    columns = dict(zip(("id", "date", "x", "y"), names, strict=True))
    columns = {what: name for what, name in columns.items() if name is not None and what not in left_out}
    if place == "Berlin":
        columns |= {"decimal": ",", "encoding": "latin-1"}
    source = read_collisions(
        collision_settings(sources=[str(DATA / file)], schema="columns", columns=columns)
    )
    assert source.table["source_row"].tolist() == list(range(len(source.table)))
    assert not source.table["repeats"].any()
    assert not [told for told in source.warnings if "time_zone" not in told]
