"""Columns of records that analysts filter by are carried into the layer of collisions as they stand, or in words."""

import pandas as pd
import pytest

from geo.collisions.cells.carried import carried_columns, typed
from geo.collisions.read import read_collisions
from geo.collisions.schemas.stats19_codes import LABELS
from geo.config import collision_settings
from geo.errors import LayerError
from tests.real_data import DATA, needs_real_data

MAPPED = {
    "schema": "columns",
    "columns": {"id": "id", "date": "date", "x": "x", "y": "y", "severity": "harm"},
    "severity_values": {"fatal": ["dead"], "slight": ["hurt"]},
}


def rows(n=4, **more):
    """Make rows of a table of records, half a kilometre apart."""
    table = {
        "id": [f"k{i}" for i in range(n)],
        "date": [f"2024-03-{i + 1:02d}" for i in range(n)],
        "x": [-1.5 + i / 200 for i in range(n)],
        "y": [52.4] * n,
        "harm": ["hurt"] * n,
    }
    return pd.DataFrame(table | more)


def read(folder, *tables, carry, **settings):
    """Write tables as CSV, and read them."""
    files = []
    for number, table in enumerate(tables):
        files.append(folder / f"year{number}.csv")
        table.to_csv(files[-1], index=False)
    return read_collisions(
        collision_settings(sources=[str(file) for file in files], carry=carry, **(settings or MAPPED))
    )


def test_cells_are_carried_as_they_stand_and_numbers_as_numbers(tmp_path):
    given = rows(
        light=["day", " dark ", "", "-1"],
        speed=["30", "40.0", "", "60"],
        code=["01", "02", "10", "01"],
        share=["0.5", "1", "2.25", ""],
    )
    table = read(tmp_path, given, carry=["light", "speed", "code", "share"]).table
    assert table["src_light"].tolist()[:2] == ["day", "dark"]
    assert table["src_light"].isna().tolist() == [False, False, True, False], "-1 is what the file says"
    assert (table["src_speed"].dtype, table["src_speed"].tolist()[:2]) == ("Int64", [30, 40])
    assert table["src_code"].tolist() == ["01", "02", "10", "01"]
    assert table["src_share"].dropna().tolist() == [0.5, 1.0, 2.25]
    assert carried_columns(read(tmp_path, given, carry=[]).table) == []


def test_a_column_that_no_file_has_is_refused_with_the_one_that_is_meant(tmp_path):
    with pytest.raises(LayerError, match=r"'light', 'wether'.*mean light_conditions.*mean weather") as fault:
        read(tmp_path, rows(light_conditions="1", weather="2"), carry=["light", "wether"])
    assert "Mend collisions.carry" in str(fault.value)


def test_a_column_that_some_files_lack_is_null_there_and_told(tmp_path):
    early, late = rows(), rows().assign(id=["n1", "n2", "n3", "n4"], x=rows()["x"] + 0.002, Light="day")
    source = read(tmp_path, early, late, carry=["light"])
    assert source.table["src_light"].isna().tolist() == [True] * 4 + [False] * 4
    assert source.carried.warnings == [
        "collisions.carry: year0.csv has no column 'light': not known there (4 rows)"
    ]
    assert [(entry.status, entry.count) for entry in source.carried.entries] == [("skipped", 4)]


def test_what_persons_of_one_collision_say_differently_stands_there_in_full(tmp_path):
    persons = pd.concat([rows(30).assign(age="40", light="day"), rows(30).assign(age="7", light="day")])
    source = read(tmp_path, persons, carry=["age", "light"], rows="persons", **MAPPED)
    assert len(source.table) == 30
    assert set(source.table["src_age"]) == {"40;7"}
    assert set(source.table["src_light"]) == {"day"}
    assert any("src_age differs" in warning for warning in source.carried.warnings)


def test_broken_rows_carry_nothing(tmp_path):
    file = tmp_path / "broken.csv"
    text = rows(light=["day"] * 4).to_csv(index=False).splitlines()
    file.write_text("\n".join([*text[:-1], text[-1] + ",one,too,many"]) + "\n")
    table = read_collisions(collision_settings(sources=[str(file)], carry=["light"], **MAPPED)).table
    assert table["src_light"].isna().tolist() == [False, False, False, True]


def stats19(n=4, **more):
    """Make rows as the Department for Transport publishes them."""
    table = {
        "collision_index": [f"2024{i:04d}" for i in range(n)],
        "date": [f"0{i + 1}/03/2024" for i in range(n)],
        "time": ["07:05", "17:45", "00:10", ""],
        "longitude": [-1.5 + i / 200 for i in range(n)],
        "latitude": [52.4] * n,
        "collision_severity": ["3"] * n,
    }
    return pd.DataFrame(table | more)


def test_codes_of_stats19_are_carried_in_words_whatever_their_generation(tmp_path):
    new = stats19(
        light_conditions=["1", "4", "-1", "77"],
        speed_limit=["30", "99", "-1", "20"],
        special_conditions_at_site=["0", "4", "9", "0"],
    )
    old = stats19().assign(collision_index=["a", "b", "c", "d"], longitude=new["longitude"] + 0.002)
    old = old.rename(columns={"collision_index": "Accident_Index"})
    old["Light_Conditions"] = ["Daylight", "1.0", "Data missing or out of range", "darkness - lights lit"]
    source = read(
        tmp_path,
        new,
        old,
        carry=["light_conditions", "speed_limit", "special_conditions_at_site", "hour"],
        schema="stats19",
    )
    table = source.table
    assert table["src_light_conditions"].fillna("?").tolist() == [
        *("Daylight", "Darkness - lights lit", "?", "77"),
        *("Daylight", "Daylight", "?", "Darkness - lights lit"),
    ]
    assert table["src_speed_limit"].fillna(0).tolist() == [30, 0, 0, 20, 0, 0, 0, 0]
    assert table["src_special_conditions_at_site"].dropna().tolist() == [
        "None",
        "Roadworks",
        "unknown (self reported)",
        "None",
    ]
    assert table["src_hour"].fillna(-1).tolist() == [7, 17, 0, -1] * 2
    assert any("codes that are not listed" in entry.reason for entry in source.carried.entries)


@needs_real_data
def test_the_codes_are_those_that_the_department_publishes():
    guide = pd.read_csv(DATA / "uk_stats19_schema" / "stats19_schema.csv", dtype=str)
    guide = guide[(guide["table"] == "collision") & guide["variable"].isin(LABELS) & (guide["code"] != "-1")]
    assert guide["variable"].nunique() == len(set(LABELS) & set(guide["variable"])) >= 20
    plain = guide["label"].str.strip().str.replace(r"\s+", " ", regex=True)
    ours = [LABELS[of].get(code) for of, code in zip(guide["variable"], guide["code"], strict=True)]
    assert ours == plain.fillna("None").tolist()


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2"], "Int64"),
        (["-3", "0"], "Int64"),
        (["123456789012345678"], "Int64"),
        (["12345678901234567890"], "string"),
        (["0.5", "12345678901234567"], "string"),
        (["1e5", "2"], "string"),
        (["3,5"], "string"),
        (["007"], "string"),
        ([None], "string"),
    ],
)
def test_a_type_is_given_only_where_nothing_is_lost(cells, kind):
    found, _ = typed(pd.Series(cells, dtype="string"))
    assert found.dtype == kind


def test_a_column_of_numbers_with_a_word_among_them_is_told():
    _, doubt = typed(pd.Series(["30"] * 9 + ["unknown"], dtype="string"))
    assert "1 of 10 cells are not ('unknown' 1)" in doubt
