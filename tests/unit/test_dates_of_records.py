"""A date is the day on the clock of the place, as precise as it is written, or it is refused."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.collisions.cells.days.calendar import days_of, months_of_year, years
from geo.collisions.cells.days.dates import dates
from geo.collisions.period import in_period, period_covered
from geo.collisions.schemas.tabular import Tabular, read_tabular
from geo.errors import ConfigurationError, LayerError

DAYS = pd.date_range("2018-01-01", "2020-12-31", freq="9D")


def cells(*values):
    return pd.Series(values, dtype="string")


def day(*values, **how):
    return dates(cells(*values), where="c.csv", **how).date.dt.strftime("%Y-%m-%d %H:%M").tolist()


def read(tmp_path, text, columns, **section):
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    given = {"schema": "columns", "sources": [str(tmp_path / "c.csv")]}
    return read_tabular(
        Tabular.model_validate(given | {"columns": {"x": "lon", "y": "lat"} | columns} | section)
    )


# the clock of the place


def test_new_years_eve_west_of_greenwich_stays_in_its_year():
    assert day("2019-12-31T22:15:00-05:00", "2019-07-01T01:00:00-04:00") == [
        "2019-12-31 22:15",
        "2019-07-01 01:00",
    ]


@pytest.mark.parametrize("offset", ["-05:00", "-0500", "-05", " -05:00", "\N{MINUS SIGN}05:00"])
def test_an_offset_is_left_out_however_it_is_written(offset):
    assert day(f"2019-12-31 22:15:00{offset}") == ["2019-12-31 22:15"]


@pytest.mark.parametrize(
    ("cell", "zone", "expected"),
    [
        ("2020-01-01T04:30:00Z", "America/Toronto", "2019-12-31 23:30"),
        ("2020-01-01 04:30:00", "America/Toronto", "2019-12-31 23:30"),
        ("2020-01-01T09:00:00+05:00", "America/Toronto", "2019-12-31 23:00"),
        ("2019-12-31T16:00:00Z", "Asia/Tokyo", "2020-01-01 01:00"),
        ("1577853000000", "America/Toronto", "2019-12-31 23:30"),
    ],
)
def test_a_time_zone_brings_moments_to_its_clock(cell, zone, expected):
    assert day(cell, time_zone=zone) == [expected]


@pytest.mark.parametrize("cell", ["2020-01-01", "2020-01-01T00:00:00Z", "1577836800000"])
def test_days_without_a_time_stay_in_any_time_zone(cell):
    assert day(cell, time_zone="America/Toronto") == ["2020-01-01 00:00"]


def test_moments_in_utc_without_a_time_zone_are_told():
    found = dates(cells("2020-01-01T04:30:00Z"), where="c.csv")
    assert "time_zone" in found.warnings[0]
    assert not dates(cells("2020-01-01T04:30:00+00:00", "2020-07-01T04:30:00+01:00"), where="c.csv").warnings


def test_a_time_zone_that_there_is_not_is_refused():
    with pytest.raises(ConfigurationError, match="'Moon/Base' is no time zone"):
        day("2020-01-01T04:30:00Z", time_zone="Moon/Base")


def test_twenty_four_o_clock_is_of_the_day_that_it_ends():
    assert day("31.12.2019 24:00") == ["2019-12-31 23:59"]


# the forms


@pytest.mark.parametrize(
    "form",
    [
        *("%Y%m%d", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%SZ", "%Y.%m.%d"),
        *("%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y"),
        *("%m/%d/%y", "%y%m%d", "%y-%m-%d", "%d %b %Y", "%d-%b-%y", "%A, %B %d, %Y", "%d/%m/%Y, %H:%M:%S"),
    ],
)
def test_forms_are_found_out_by_the_days_of_many_cells(form):
    assert day(*DAYS.strftime(form)) == DAYS.strftime("%Y-%m-%d %H:%M").tolist()


def test_days_of_a_spreadsheet_and_time_since_1970_are_read_and_told():
    serial = dates(cells("43477", "43478.75"), where="c.csv")
    assert serial.date.dt.strftime("%Y-%m-%d %H").tolist() == ["2019-01-12 00", "2019-01-13 18"]
    assert "excel" in serial.entries[0].reason
    assert day("1547251200", "1613088000") == ["2019-01-12 00:00", "2021-02-12 00:00"]
    assert day("1547251200000", "1613088000000") == ["2019-01-12 00:00", "2021-02-12 00:00"]
    assert day("42015", date_format="excel_1904") == ["2019-01-12 00:00"]


@pytest.mark.parametrize(
    "values",
    [
        ("03/05/2024", "04/06/2024"),
        ("03-05-2024",),
        ("05/03/24",),
        ("201012",),
        # one cell in twenty settles nothing: it may be mistyped
        ("03/05/2024",) * 20 + ("13/05/2024",),
    ],
)
def test_cells_that_can_be_read_two_ways_are_not_guessed(values):
    with pytest.raises(LayerError, match=r"can be read as .* and as .*\n.*date_format"):
        day(*values)


def test_a_format_of_days_reads_the_days_of_cells_with_times_and_offsets():
    assert day("03/05/2024 22:10", date_format="%m/%d/%Y") == ["2024-03-05 22:10"]
    assert day("31/12/2019 22:00 -0500", date_format="%d/%m/%Y %H:%M %z") == ["2019-12-31 22:00"]


def test_a_message_shows_cells_as_they_stand():
    with pytest.raises(LayerError, match=r"no date can be read.*'early spring', 'late autumn'"):
        day("early spring", "late autumn")


# no more precise than it is written


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2019-03", (2019, 3)),
        ("03/2019", (2019, 3)),
        ("March 2019", (2019, 3)),
        ("2019-03-00", (2019, 3)),
        ("00/03/2019", (2019, 3)),
        ("2019", (2019, None)),
        ("2019-00-00", (2019, None)),
    ],
)
def test_a_month_or_a_year_among_dates_stays_one(cell, expected):
    found = dates(cells(cell, "2019-05-06"), where="c.csv")
    assert found.date.isna().tolist() == [True, False]
    assert (found.year[0], None if pd.isna(found.month[0]) else found.month[0]) == expected
    assert pd.isna(found.year[1])


def test_years_of_two_digits_are_years():
    assert years(cells("19", "69", "2019", "2019.0", "3", "", "x", "300")).tolist() == [
        *(2019, 1969, 2019, 2019, 2003),
        *(pd.NA, pd.NA, pd.NA),
    ]


def test_year_month_and_day_make_a_day_where_there_is_one():
    month = months_of_year(cells("2", "February", "Feb", "13"))
    assert month.tolist() == [2, 2, 2, pd.NA]
    found = days_of(years(cells("19", "19", "20", "19")), month, pd.Series([28, 29, 29, 1], dtype="Int64"))
    assert found.dt.strftime("%Y-%m-%d").tolist()[::2] == ["2019-02-28", "2020-02-29"]
    assert found.isna().tolist() == [False, True, False, True]


def test_columns_of_year_month_and_day_are_read_as_far_as_they_go(tmp_path):
    text = "lon,lat,an,mois,jour\n1,2,19,12,31\n1,2,19,2,30\n1,2,19,2,\n1,2,19,,\n1,2,,,\n"
    source = read(tmp_path, text, {"year": "an", "month": "mois", "day": "jour"})
    assert source.table["date"].dt.strftime("%Y-%m-%d").tolist()[0] == "2019-12-31"
    assert source.table["date"].isna().tolist() == [False, True, True, True, True]
    assert source.table["year"].tolist() == [2019, 2019, 2019, 2019, pd.NA]
    assert source.table["month"].tolist() == [12, 2, 2, pd.NA, pd.NA]
    told = {(entry.item, entry.reason): entry.count for entry in source.entries}
    assert told["dates", "the month has no such day; taken for the month"] == 1
    assert told["dates", "no date is recorded"] == 1


@pytest.mark.parametrize(
    ("columns", "cell", "message"),
    [
        ({"year": "t"}, "2019-05-06", r"no cell can be read as years: '2019-05-06' 70"),
        ({"year": "y", "month": "t"}, "31", "no cell can be read as months"),
        ({"year": "y", "month": "y2", "day": "t"}, "7", None),
    ],
)
def test_a_column_that_holds_something_else_is_refused(columns, cell, message, tmp_path):
    rows = "".join(f"1,2,2019,5,{cell}\n" for _ in range(70))
    if message is None:
        rows = "".join(f"1,2,2019,5,{1 + i % 7}\n" for i in range(70))
        message = "days of the week"
    with pytest.raises(LayerError, match=message):
        read(tmp_path, f"lon,lat,y,y2,t\n{rows}", columns)


# periods


def undated(year, month):
    return pd.DataFrame(
        {
            "date": pd.Series(pd.NaT, index=range(len(year)), dtype="datetime64[ns, UTC]"),
            "year": pd.array(year, dtype="Int64"),
            "month": pd.array(month, dtype="Int64"),
        }
    )


def test_a_month_is_in_the_period_when_the_whole_of_it_is():
    records = undated([2019, 2019, 2019, 2020, 2019], [1, 2, 12, 1, None])
    inside = in_period(records, (date(2019, 1, 15), date(2020, 1, 31)))
    assert inside.tolist() == [False, True, True, True, False]
    assert in_period(records, (date(2019, 1, 1), date(2019, 12, 31))).tolist() == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_months_cover_the_time_to_their_last_day():
    found = period_covered(undated([2019, 2021], [3, 2]), None)
    assert (found.first, found.last) == (date(2019, 3, 1), date(2021, 2, 28))


@pytest.mark.parametrize("nowhere", ["1900-01-01", "2099-12-31"])
def test_a_day_that_stands_for_none_is_left_out_and_told(nowhere):
    days = pd.to_datetime([*DAYS, *[nowhere] * (len(DAYS) // 10)], utc=True)
    records = pd.DataFrame({"date": days, "year": pd.array([pd.NA] * len(days), dtype="Int64")})
    found = period_covered(records, None)
    assert (found.first.year, found.last.year) == (2018, 2020)
    assert nowhere[:4] in found.warnings[0]


def test_a_year_of_many_days_apart_from_others_is_not_left_out():
    days = pd.to_datetime([*DAYS, *pd.date_range("2010-01-01", periods=20, freq="11D")], utc=True)
    records = pd.DataFrame({"date": days, "year": pd.array([pd.NA] * len(days), dtype="Int64")})
    assert period_covered(records, None).first == date(2010, 1, 1)
    assert np.all(in_period(records, (date(2010, 1, 1), date(2020, 12, 31))))


@pytest.mark.parametrize("form", ["%Q", "%", "%Y %Y", "%-d/%m/%Y", "%U %Y"])
def test_a_form_of_dates_that_is_none_is_refused_by_its_key(form):
    with pytest.raises(ConfigurationError, match=r"collisions\.columns\.date_format"):
        day("2019-01-02", date_format=form)
