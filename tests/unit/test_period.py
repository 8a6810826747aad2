"""How long the records run: every rate is divided by it."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.collisions.period import period_covered


def records(*days, years=None):
    year = pd.array(years if years is not None else [None] * len(days), dtype="Int64")
    return pd.DataFrame({"date": pd.to_datetime(list(days), utc=True), "year": year})


def each_month(*years):
    return [f"{y}-{m:02d}-15" for y in years for m in range(1, 13)]


def test_the_records_own_range_is_taken_without_a_period():
    found = period_covered(records("2022-01-01", None, "2023-12-31"), None)
    assert (found.first, found.last, found.years) == (date(2022, 1, 1), date(2023, 12, 31), 2.0)
    assert found.warnings == ()


def test_years_alone_count_as_a_whole():
    found = period_covered(records(None, None, years=[2021, 2022]), None)
    assert (found.first, found.last, found.years) == (date(2021, 1, 1), date(2022, 12, 31), 2.0)


def test_records_without_any_time_have_no_period():
    assert period_covered(records(None, None), None).years is None


def test_a_configured_period_counts_in_full_where_records_run_through_it():
    found = period_covered(records(*each_month(2022, 2023)), (date(2022, 1, 1), date(2023, 12, 31)))
    assert (found.first, found.last, found.years) == (date(2022, 1, 1), date(2023, 12, 31), 2.0)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("given", "first", "last", "years", "said"),
    [
        ((2022, 2023), date(2022, 1, 15), date(2023, 12, 31), 1.96, "begin on 2022-01-15"),
        ((2020, 2021), date(2020, 1, 1), date(2021, 12, 15), 1.96, "end on 2021-12-15"),
        ((2020, 2022, 2023), date(2020, 1, 1), date(2023, 12, 31), 3.0, "no record is of 2021"),
    ],
)
def test_records_of_a_part_of_the_period_are_rated_over_that_part(given, first, last, years, said):
    found = period_covered(records(*each_month(*given)), (date(2020, 1, 1), date(2023, 12, 31)))
    assert (found.first, found.last) == (first, last)
    assert found.years == pytest.approx(years, abs=0.005)
    (told,) = found.warnings
    assert said in told
    assert f"{found.years:.3g} years that are covered" in told


@pytest.mark.parametrize("days", [0, 1, 20])
def test_many_records_that_begin_a_little_late_cover_the_whole_period(days):
    every = pd.date_range("2023-01-01", "2023-12-31", freq="2h")[12 * days :]
    found = period_covered(records(*every), (date(2023, 1, 1), date(2023, 12, 31)))
    assert (found.years, found.warnings) == (1.0, ())


def test_few_records_do_not_say_that_a_quiet_time_is_not_covered():
    sparse = records("2021-03-01", "2021-11-20", "2023-02-01")
    found = period_covered(sparse, (date(2020, 1, 1), date(2023, 12, 31)))
    assert (found.years, found.warnings) == (4.0, ())


def test_a_steady_stream_is_cut_short_only_as_often_as_stated():
    rng = np.random.default_rng(3)
    first = pd.Timestamp("2020-01-01", tz="UTC")
    cut = 0
    for _ in range(400):
        days = pd.to_timedelta(rng.integers(0, 1461, rng.poisson(60)), unit="D")
        found = period_covered(
            pd.DataFrame({"date": first + days, "year": pd.array([None] * len(days), dtype="Int64")}),
            (date(2020, 1, 1), date(2023, 12, 31)),
        )
        cut += found.years != 4.0
    assert cut <= 4


def test_a_period_without_any_record_keeps_its_length_and_says_so():
    found = period_covered(records("2010-05-05"), (date(2020, 1, 1), date(2021, 12, 31)))
    assert found.years == 2.0
    assert "holds no record" in found.warnings[0]


@pytest.mark.parametrize("slip", ["1900-01-01", "2199-05-05"])
def test_one_mistyped_year_does_not_stretch_the_period(slip):
    found = period_covered(records(slip, *each_month(2019, 2020, 2021)), None)
    assert found.years == pytest.approx(3, abs=0.1)
    assert (found.first, found.last) == (date(2019, 1, 15), date(2021, 12, 15))
    assert "1 records of" in found.warnings[0]


def test_a_gap_of_years_is_left_out_and_told():
    found = period_covered(records(*each_month(2010, 2019, 2020)), None)
    assert found.years == pytest.approx(3, abs=0.2)
    assert found.first == date(2010, 1, 15)
    assert "2011 to 2018 (8 years)" in found.warnings[0]


def test_a_few_days_of_records_are_told():
    found = period_covered(records("2023-05-01", "2023-05-09"), None)
    assert "2023-05-01 to 2023-05-09 only" in found.warnings[0]
