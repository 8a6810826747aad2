"""Ids of STATS19: what is linked by them, and what spreadsheets make of them."""

import pandas as pd
import pytest
from real_data import DATA, needs_real_data

from geo.collisions.read import read_collisions
from geo.config import collision_settings
from geo.errors import LayerError

N = 30


def table(year=2021, *, anew=False):
    """Give collisions of a year in the DfT's columns, each 200 m from the one before."""
    reference = [f"01{i:07}" for i in range(N)]
    return pd.DataFrame(
        {
            "collision_index": reference if anew else [f"{year}{one}" for one in reference],
            "collision_year": year,
            "collision_ref_no": reference,
            "location_easting_osgr": [400000 + 200 * i + year % 10 * 50 for i in range(N)],
            "location_northing_osgr": 300000,
            "collision_severity": "3",
            "date": [f"{i % 28 + 1:02}/05/{year}" for i in range(N)],
        }
    )


def people(collisions, kinds="09"):
    """Give two casualties a collision: a pedestrian and a car occupant."""
    rows = collisions.loc[collisions.index.repeat(len(kinds))]
    rows = rows[["collision_index", "collision_year", "collision_ref_no"]].reset_index(drop=True)
    number = rows.groupby(["collision_index", "collision_year"]).cumcount()
    return rows.assign(casualty_reference=number + 1, casualty_type=number.map(dict(enumerate(kinds))))


def read(folder, collisions, casualties=(), **section):
    for name, tables in (("collision", collisions), ("casualty", casualties)):
        for number, one in enumerate(tables):
            one.to_csv(folder / f"{name}-{number}.csv", index=False)
    if len(casualties):
        section["casualties"] = str(folder / "casualty-*.csv")
    source = read_collisions(collision_settings(sources=[str(folder / "collision-*.csv")], **section))
    return source, source.table[source.table["kept"] & ~source.table["repeats"]]


def test_casualties_are_linked_within_the_year_where_ids_start_anew_with_it(tmp_path):
    years = [table(year, anew=True) for year in (2020, 2021)]
    hurt = [people(years[0], "00"), people(years[1], "9")]
    _, found = read(tmp_path, years, hurt)
    assert len(found) == 2 * N
    assert found["collision_id"].is_unique
    assert found["n_casualties"].tolist() == [2] * N + [1] * N
    assert found["pedestrian"].tolist() == [True] * N + [False] * N
    with pytest.raises(LayerError, match="start anew each year"):
        read(tmp_path, years, [one.drop(columns="collision_year") for one in hurt])


def test_an_index_that_a_spreadsheet_rounded_is_made_anew_from_year_and_reference(tmp_path):
    whole, rounded = table(), table()
    rounded["collision_index"] = "2.02101E+12"
    hurt = people(rounded)
    _, found = read(tmp_path, [rounded], [hurt])
    assert found["collision_id"].tolist() == whole["collision_index"].tolist()
    assert found["n_casualties"].tolist() == [2] * N


@pytest.mark.parametrize("written", ["2.02101E+12", "2.02101e+12", "2021010000000"])
def test_a_rounded_index_without_a_reference_is_refused_with_what_is_wrong(tmp_path, written):
    rounded = table().drop(columns="collision_ref_no").assign(collision_index=written)
    with pytest.raises(
        LayerError, match="29 of 30 rows have an id in the column 'collision_index'"
    ) as refused:
        read(tmp_path, [rounded])
    assert "spreadsheet has rounded" in refused.value.todo


def test_casualties_whose_tables_overlap_count_once(tmp_path):
    hurt = people(table())
    source, found = read(tmp_path, [table()], [hurt[:40], hurt[20:]])
    assert found["n_casualties"].tolist() == [2] * N
    assert [e.count for e in source.entries if "another table" in e.reason] == [20]


def test_linked_tables_of_other_collisions_are_refused(tmp_path):
    with pytest.raises(LayerError, match="not one of its 60 rows is of a collision") as refused:
        read(tmp_path, [table(2021)], [people(table(2020))])
    assert "collisions.casualties" in refused.value.todo


def test_collisions_joined_with_their_casualties_are_collisions(tmp_path):
    joined = people(table()).merge(table(), on=["collision_index", "collision_year", "collision_ref_no"])
    joined = joined.assign(number_of_casualties=2)
    _, found = read(tmp_path, [joined])
    assert found["collision_id"].tolist() == table()["collision_index"].tolist()
    assert found["n_casualties"].tolist() == [2] * N


def test_a_table_of_casualties_alone_is_refused_with_the_key_that_it_belongs_to(tmp_path):
    with pytest.raises(LayerError, match="casualties") as refused:
        read(tmp_path, [people(table()).assign(casualty_severity=3)])
    assert "collisions.casualties" in refused.value.todo


@needs_real_data
def test_west_yorkshire_joined_with_its_casualties_is_west_yorkshire(tmp_path):
    there = DATA / "uk_west_yorkshire_2024"
    whole = pd.read_csv(there / "accidents.csv", dtype=str)
    people_of = pd.read_csv(there / "casualties.csv", dtype=str)
    joined = people_of.merge(whole, on=["collision_index", "collision_year", "collision_ref_no"])
    _, found = read(tmp_path, [joined])
    assert set(found["collision_id"]) == set(whole["collision_index"])
    assert found["n_casualties"].sum() == len(people_of)
    severity = whole["collision_severity"].map({"1": "fatal", "2": "serious", "3": "slight"})
    assert found["severity"].value_counts().to_dict() == severity.value_counts().to_dict()
