"""How long the records run: every rate is divided by it."""

from datetime import date

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


def test_a_configured_period_counts_in_full_and_empty_years_are_told():
    found = period_covered(records(*each_month(2022, 2023)), (date(2020, 1, 1), date(2023, 12, 31)))
    assert found.years == 4
    assert found.warnings == (
        "the configured period holds no record of 2020, 2021: rates count these years as empty",
    )
    assert period_covered(records(*each_month(2022)), (date(2022, 1, 1), date(2022, 12, 31))).warnings == ()


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
