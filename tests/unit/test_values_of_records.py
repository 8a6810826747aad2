"""What no mapping knows is unknown, and told; what is absurd is questioned."""

import numpy as np
import pandas as pd
import pytest

from geo.collisions.cells.severities import BLANK, KNOWN, UNHURT, UNMAPPED
from geo.collisions.rows.merge import merge_rows
from geo.collisions.schemas.stats19 import Stats19, read_stats19
from geo.collisions.schemas.tabular import Tabular, read_tabular
from geo.collisions.told import countable, countable_users, untold_sentences
from geo.config import ROAD_USERS, collision_settings
from geo.errors import ConfigurationError, LayerError

VALUES = {"fatal": ["fatal"], "serious": ["serious"], "slight": ["slight"]}


def town(n=200, **columns):
    """Draw collisions in published proportions: 2 % fatal, 20 % serious."""
    harm = np.select([np.arange(n) % 50 == 0, np.arange(n) % 5 == 1], ["fatal", "serious"], "slight")
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"lon": rng.uniform(1, 1.1, n), "lat": rng.uniform(2, 2.1, n), "harm": harm})
    return frame.assign(**columns)


def read(tmp_path, frame, columns=None, **section):
    frame.to_csv(tmp_path / "c.csv", index=False)
    named = {"x": "lon", "y": "lat"} | (columns or {})
    given = {"schema": "columns", "sources": [str(tmp_path / "c.csv")], "columns": named}
    return read_tabular(Tabular.model_validate(given | section))


def severity_of(tmp_path, frame, values=VALUES, **section):
    return read(tmp_path, frame, {"severity": "harm"}, severity_values=values, **section)


# severities


def test_a_misspelt_severity_is_unknown_told_with_its_count_and_ksi_is_not_known(tmp_path):
    source = severity_of(tmp_path, town(), VALUES | {"serious": ["serius"]})
    assert source.table["severity"].isna().sum() == (town()["harm"] == "serious").sum() == 40
    assert any("40 of 200" in told and "'serious' 40" in told for told in source.warnings)
    assert any("'serius'" in told and "no row" in told for told in source.warnings)
    severities, told = countable(source.table, source.severities)
    assert severities == frozenset()
    assert "KSI is not known" in told[0]


def test_right_severities_are_counted_without_a_word(tmp_path):
    source = severity_of(tmp_path, town())
    assert source.warnings == ()
    assert countable(source.table, source.severities) == ({"fatal", "serious", "slight"}, [])


@pytest.mark.parametrize(("every", "known"), [(10, False), (50, True)])
def test_severities_of_which_more_than_one_in_twenty_is_empty_are_not_counted(every, known, tmp_path):
    frame = town()
    frame.loc[frame.index % every == 3, "harm"] = ""
    source = severity_of(tmp_path, frame)
    assert bool(countable(source.table, source.severities)[0]) == known


def test_an_empty_cell_means_no_injury_where_the_mapping_says_so(tmp_path):
    frame = town()
    frame.loc[frame.index % 5 == 3, "harm"] = ""
    source = severity_of(tmp_path, frame, VALUES | {"none": [""]})
    assert source.table["severity_state"].value_counts().to_dict() == {KNOWN: 160, UNHURT: 40}
    assert countable(source.table, source.severities)[0] == {"fatal", "serious", "slight"}
    assert [(e.item, e.status, e.count) for e in source.entries] == [("severities", "skipped", 40)]


def test_a_source_that_tells_no_ksi_counts_the_dead_though_most_cells_are_empty(tmp_path):
    frame = town().replace({"harm": {"serious": "", "slight": "hurt"}})
    source = severity_of(tmp_path, frame, {"fatal": ["fatal"], "serious": [], "slight": ["hurt"]})
    assert countable(source.table, source.severities) == ({"fatal", "slight"}, [])


def test_a_value_is_listed_under_one_meaning(tmp_path):
    with pytest.raises(ConfigurationError, match="'serious' is listed twice"):
        severity_of(tmp_path, town(), VALUES | {"none": ["serious"]})


@pytest.mark.parametrize(
    "label", ["SERIOUS ", "\N{NO-BREAK SPACE}serious", "".join(chr(ord(c) + 0xFEE0) for c in "serious")]
)
def test_values_that_look_alike_are_alike(label, tmp_path):
    source = severity_of(tmp_path, town().replace({"harm": {"serious": label}}))
    assert (source.table["severity"] == "serious").sum() == 40


def test_a_published_scheme_with_absurd_shares_is_questioned_by_name(tmp_path):
    codes = town().replace({"harm": {"fatal": "3", "serious": "2", "slight": "1"}})
    source = read(tmp_path, codes, {"severity": "harm"}, severity_scheme="german")
    assert any(
        "78% of the collisions with injury are fatal" in told and "german" in told for told in source.warnings
    )


def test_a_published_scheme_that_lists_hardly_a_value_is_refused_with_the_values(tmp_path):
    with pytest.raises(LayerError, match=r"severity_scheme: swiss.*'slight' 156"):
        read(tmp_path, town(), {"severity": "harm"}, severity_scheme="swiss")


# numbers of people hurt


def test_the_worst_of_the_numbers_of_people_hurt_is_the_severity(tmp_path):
    frame = town(6).assign(dead=[1, 0, 0, 0, "", 0], hurt=[2, 1, 0, 0, 1, ""], light=[0, 5, 1, 0, 0, 0])
    columns = {"fatal": "dead", "serious": "hurt", "slight": "light"}
    source = read(tmp_path, frame, columns)
    assert source.table["severity"].tolist() == ["fatal", "serious", "slight", None, None, None]
    assert source.table["severity_state"].tolist() == [KNOWN, KNOWN, KNOWN, UNHURT, BLANK, BLANK]
    assert source.table["n_casualties"].tolist() == [3, 6, 1, 0, pd.NA, pd.NA]
    filled = read(tmp_path, frame, columns | {"empty_is_none": True})
    assert filled.table["severity"].tolist() == ["fatal", "serious", "slight", None, "serious", None]
    assert filled.table["severity_state"].tolist()[-1] == UNHURT


def test_numbers_of_several_columns_add_up_and_without_serious_ones_ksi_is_not_told(tmp_path):
    frame = town(3).assign(dead=[1, 0, 0], walkers=[0, 2, 0], riders=[1, 0, 0])
    source = read(tmp_path, frame, {"fatal": "dead", "slight": ["walkers", "riders"]})
    assert source.table["severity"].tolist() == ["fatal", "slight", None]
    assert source.table["n_casualties"].tolist() == [2, 2, 0]
    assert source.severities == {"fatal", "slight"}


# road users


def test_a_road_user_is_told_by_the_value_of_a_category(tmp_path):
    frame = town(4).assign(kind=["Bicycle ", "car", "", "E-Bike"])
    source = read(tmp_path, frame, {"cyclist": {"column": "kind", "values": ["bicycle", "e-bike"]}})
    assert source.table["cyclist"].tolist() == [True, False, pd.NA, True]


def test_a_category_without_one_of_its_values_tells_nothing_of_that_road_user(tmp_path):
    frame = town(4).assign(kind=["bicycle", "car", "car", "car"])
    source = read(tmp_path, frame, {"cyclist": {"column": "kind", "values": ["Fahrrad"]}})
    assert source.table["cyclist"].isna().all()
    assert "'Fahrrad'" in source.warnings[0]
    assert "'car' 3" in source.warnings[0]


def test_any_of_several_columns_tells_a_road_user(tmp_path):
    frame = town(4).assign(a=[1, 0, 0, ""], b=["", 0, 2, 0])
    assert read(tmp_path, frame, {"motorcyclist": ["a", "b"]}).table["motorcyclist"].tolist() == [
        *(True, False, True, pd.NA)
    ]


@pytest.mark.parametrize(
    ("yes", "no", "told"),
    [
        ("involved", "none of them", "say neither yes nor no"),
        ("Yes", "", "empty_is_none"),
        ("1", "2", "say yes: '2' 150, '1' 50"),
        ("-1", "0", "'-1' 50"),
    ],
)
def test_flags_that_say_little_else_than_yes_are_told(yes, no, told, tmp_path):
    frame = town().assign(bike=np.where(np.arange(200) % 4 == 0, yes, no))
    source = read(tmp_path, frame, {"cyclist": "bike"})
    assert any(told in warning for warning in source.warnings)


# the filter


def test_a_filter_that_keeps_nothing_is_refused_with_the_values_that_there_are(tmp_path):
    frame = town(6).assign(source=["MDOT"] * 4 + ["MAPC"] * 2)
    with pytest.raises(
        LayerError, match=r"collisions\.keep\.source wants 'MDT', and there are 'MDOT' 4, 'MAPC' 2"
    ):
        read(tmp_path, frame, keep={"source": ["MDT"]})
    with pytest.raises(LayerError, match="no row has all that is wanted at once"):
        read(tmp_path, frame, keep={"source": ["MDOT"], "lon": [f"{frame['lon'][5]}"]})


def test_a_wanted_value_that_no_row_has_is_told(tmp_path):
    frame = town(6).assign(source=["MDOT"] * 4 + ["MAPC"] * 2)
    source = read(tmp_path, frame, keep={"source": ["MDOT", "MAPCC"]})
    assert source.table["kept"].sum() == 4
    assert "'MAPCC', which no row has" in source.warnings[0]


# STATS19

ROW = {
    "Acc_Index": "1",
    "Accident_Severity": "3",
    "Location_Easting_OSGR": "414393",
    "Location_Northing_OSGR": "422878",
    "Date": "21/05/2024 15:30",
    "1st_Road_Class": "3",
    "Junction_Detail": "0",
}


def stats19(tmp_path, *rows, casualties=None):
    pd.DataFrame(list(rows)).to_csv(tmp_path / "c.csv", index=False)
    named = {}
    if casualties is not None:
        pd.DataFrame(casualties).to_csv(tmp_path / "casualties.csv", index=False)
        named["casualties"] = str(tmp_path / "casualties.csv")
    return read_stats19(Stats19(sources=[str(tmp_path / "c.csv")], **named))


def test_stats19_has_times_in_its_dates_and_an_index_of_another_name(tmp_path):
    found = stats19(tmp_path, ROW).table.iloc[0]
    assert found["collision_id"] == "1"
    assert found["date"] == pd.Timestamp("2024-05-21 15:30", tz="UTC")


def test_british_summer_days_written_as_utc_are_the_days_that_they_were(tmp_path):
    rows = [
        ROW | {"Acc_Index": str(i), "Date": cell}
        for i, cell in enumerate(["2018-04-18T23:00:00Z", "2018-12-09T00:00:00Z"])
    ]
    assert stats19(tmp_path, *rows).table["date"].dt.strftime("%Y-%m-%d").tolist() == [
        "2018-04-19",
        "2018-12-09",
    ]


def test_labels_that_stats19_does_not_know_are_null_and_told(tmp_path):
    source = stats19(
        tmp_path, ROW | {"1st_Road_Class": "Trunk", "Junction_Detail": "Carrefour"}, ROW | {"Acc_Index": "2"}
    )
    assert source.table["road_class"].isna().tolist() == [True, False]
    assert source.table["at_junction"].isna().tolist() == [True, False]
    told = {entry.item: entry.reason for entry in source.entries}
    assert "'Trunk'" in told["road classes"]
    assert "'Carrefour'" in told["junction details"]


def test_casualties_of_another_label_set_leave_open_who_was_hurt(tmp_path):
    casualties = [{"Acc_Index": "1", "Casualty_Type": "Fahrrad", "Casualty_Class": "Fahrer"}] * 2
    source = stats19(tmp_path, ROW, casualties=casualties)
    assert source.table[["pedestrian", "cyclist", "motorcyclist", "car_occupant"]].isna().all(axis=None)
    assert any("'Fahrrad' 2" in told for told in source.warnings)
    assert any("'Fahrer' 2" in told for told in source.warnings)


def test_a_casualty_of_a_kind_that_is_known_and_not_told_apart_is_none_of_those(tmp_path):
    casualties = [{"Acc_Index": "1", "Casualty_Type": "Horse rider", "Casualty_Class": "1"}]
    source = stats19(tmp_path, ROW, casualties=casualties)
    assert not source.table[["pedestrian", "cyclist", "motorcyclist", "car_occupant"]].any(axis=None)
    assert source.warnings == ()


def test_the_number_of_a_road_is_read_by_its_key(tmp_path):
    found = read(tmp_path, town(2).assign(road=["A 647", ""]), {"road_ref": "road"}).table["road_ref"]
    assert found.tolist() == ["A 647", None]


def test_settings_of_records_are_checked_as_a_whole():
    for columns, message in (
        ({"severity": "a", "fatal": "b"}, "not both"),
        ({"point": "a", "x": "b", "y": "c"}, "not both"),
        ({"month": "a"}, "month needs year"),
        ({"year": "a", "day": "b"}, "day needs year and month"),
    ):
        with pytest.raises(ValueError, match=message):
            collision_settings(sources=["c.csv"], schema="columns", columns=columns)


def test_rows_of_a_collision_with_one_unknown_severity_and_nobody_hurt_are_unknown(tmp_path):
    frame = town(2).assign(id="1", lon=1.0, lat=2.0, harm=["", "odd"], date="2020-01-01")
    source = severity_of(tmp_path, frame)
    merged = merge_rows(source.table, pd.Series([0, 0]), units=True, persons=True)
    assert merged["severity_state"].tolist() == [UNMAPPED]


@pytest.mark.parametrize(("untold", "counted"), [(5, True), (6, False)])
def test_a_road_user_is_counted_where_no_more_than_one_collision_in_twenty_does_not_tell(untold, counted):
    told = pd.array([None] * untold + [True] * (100 - untold), "boolean")
    table = pd.DataFrame({user: pd.array([None] * 100, "boolean") for user in ROAD_USERS} | {"cyclist": told})
    users, shares = countable_users(table, np.ones(100, dtype=bool))
    assert users == (("cyclist",) if counted else ())
    assert shares == {"cyclist": untold / 100}
    # of those that lie elsewhere nothing is asked
    placed = np.arange(100) >= untold
    assert countable_users(table, placed) == (("cyclist",), {"cyclist": 0.0})


def test_the_share_that_is_not_known_is_told_only_where_there_is_one():
    everything = {"fatal", "serious", "slight"}
    assert untold_sentences({"severity": 0.0, "cyclist": 0.0}, everything, ["cyclist"]) == []
    one, two = untold_sentences(
        {"severity": 0.0001, "cyclist": 0.04, "pedestrian": 0.5}, everything, ["cyclist"]
    )
    assert one.startswith("the severity of under 0.1 % of placed collisions is not known")
    assert "a cyclist 4.0 %" in two
    assert "pedestrian" not in two
    # where KSI is not told, there is no figure that could be too low
    assert untold_sentences({"severity": 0.4}, {"fatal"}, []) == []
