"""Years of records: factors, a trend, and what they do to the function of all years together."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import binomtest, chisquare

from geo.safety.expected.performance import fit_performance
from geo.safety.expected.yearly import ONE_YEAR, count_years, year_factors, year_trend, yearly_rows

YEARS = pd.Index([2018, 2019, 2020, 2021], name="year")
EVENTS = pd.Series([40, 52, 30, 31], index=YEARS)
COVERED = pd.Series([1.0, 1.0, 1.0, 0.5], index=YEARS)


def test_collisions_are_counted_in_the_years_that_the_records_cover():
    records = pd.DataFrame(
        {
            "segment_id": ["a", "a", None, "b", "b"],
            "severity": ["fatal", "slight", "serious", "serious", "serious"],
            "date": pd.to_datetime(["2018-09-01", None, "2018-09-01", "2020-01-01", None], utc=True),
            "source_year": pd.array([2018, 2018, 2018, 2020, None], "Int64"),
        }
    )
    found = count_years(records, (date(2018, 7, 2), date(2020, 12, 31)), ["fatal", "serious", "slight"])
    assert found["collisions"].to_dict() == {2018: 2, 2019: 0, 2020: 1}
    assert found["ksi"].to_dict() == {2018: 1, 2019: 0, 2020: 1}
    assert found["covered"].tolist() == pytest.approx([183 / 365, 1.0, 1.0])
    assert count_years(records, (date(2018, 1, 1), date(2020, 12, 31)), ["slight"])["ksi"].isna().all()


def test_a_year_that_no_record_is_of_is_no_year_of_few_collisions():
    """Of 2020 nothing is recorded: rates leave it out, and so do factors and trend."""
    told = np.repeat([2018, 2019, 2021, 2022], [38, 42, 42, 38])
    records = pd.DataFrame({"segment_id": "a", "severity": "slight", "source_year": pd.array(told, "Int64")})
    records["date"] = pd.to_datetime(pd.Series([None] * len(told)), utc=True)
    period = date(2018, 1, 1), date(2022, 12, 31)
    found = count_years(records, period, ["slight"], 4.0)
    assert found.index.tolist() == [2018, 2019, 2021, 2022]
    assert year_factors(found["collisions"], found["covered"])["factor"].tolist() == pytest.approx(
        [0.95, 1.05, 1.05, 0.95]
    )
    assert year_trend(found["collisions"], found["covered"])["p_equal"] > 0.9
    # that nothing happened in it is believed where the records are said to cover it
    assert count_years(records, period, ["slight"], 5.0)["collisions"].tolist() == [38, 42, 0, 42, 38]


def test_limits_of_a_factor_are_those_of_the_exact_binomial_share_of_scipy():
    found = year_factors(EVENTS, COVERED)
    for year in YEARS:
        theirs = binomtest(int(EVENTS[year]), int(EVENTS.sum())).proportion_ci(method="exact")
        scale = 3.5 / COVERED[year]
        expected = [EVENTS[year] / EVENTS.sum() * scale, theirs.low * scale, theirs.high * scale]
        assert found.loc[year].tolist() == pytest.approx(expected)
    assert (found["factor"] * COVERED).sum() == pytest.approx(COVERED.sum())
    none = year_factors(pd.Series([25, 0], index=YEARS[:2]), COVERED[:2])
    assert none.loc[2019, ["factor", "low"]].tolist() == [0, 0]


def test_the_trend_is_that_of_statsmodels_with_its_dispersion():
    found = year_trend(EVENTS, COVERED)
    x = sm.add_constant(np.arange(4.0))
    theirs = sm.GLM(EVENTS, x, family=sm.families.Poisson(), exposure=COVERED).fit(scale="X2")
    assert theirs.scale > 1
    assert found["dispersion"] == pytest.approx(theirs.scale)
    assert found["ratio"] == pytest.approx(np.exp(theirs.params.iloc[1]))
    assert [found["low"], found["high"]] == pytest.approx(np.exp(theirs.conf_int().iloc[1]).tolist())
    assert found["p_value"] == pytest.approx(theirs.pvalues.iloc[1])
    even = EVENTS.sum() * COVERED / COVERED.sum()
    assert found["p_equal"] == pytest.approx(chisquare(EVENTS, even).pvalue)


@pytest.mark.filterwarnings("error")
def test_two_years_and_years_that_are_alike_have_a_trend_and_no_library_complains_of_it():
    two = year_trend(EVENTS[:2], COVERED[:2])
    assert two["ratio"] == pytest.approx(52 / 40)
    # the errors of both logarithms
    half = 1.959964 * np.sqrt(1 / 40 + 1 / 52)
    assert [two["low"], two["high"]] == pytest.approx((52 / 40 * np.exp([-half, half])).tolist(), rel=1e-4)
    assert year_trend(pd.Series([40.0] * 3, index=YEARS[:3]), COVERED[:3])["ratio"] == pytest.approx(1.0)


def test_a_trend_that_is_not_there_is_called_about_as_often_as_the_test_says():
    rng = np.random.default_rng(0)
    draws = [pd.Series(rng.poisson(40 * COVERED), index=YEARS) for _ in range(400)]
    p = np.array([year_trend(events, COVERED)["p_value"] for events in draws])
    assert 0.01 <= (p < 0.05).mean() <= 0.08
    steady = [pd.Series(rng.poisson(40 * COVERED * 0.8 ** np.arange(4)), index=YEARS) for _ in range(100)]
    held = [found["low"] <= 0.8 <= found["high"] for found in (year_trend(one, COVERED) for one in steady)]
    assert np.mean(held) >= 0.9


def test_the_panel_of_years_has_the_function_of_the_sums_and_these_factors():
    """The whole likelihood of counts by segment and year, maximised by scipy over all of its parameters."""
    rng = np.random.default_rng(3)
    n = 120
    km = rng.uniform(0.1, 0.5, n)
    factor = np.array([1.3, 1.0, 0.8, 0.7])
    w = COVERED.to_numpy()
    panel = rng.poisson(np.outer(4 * km * rng.gamma(2.0, 0.5, n), factor * w))

    def loss(at):
        mean, k = np.exp(at[0] + np.concatenate([[0.0], at[2:]])) * w, np.exp(at[1])
        y, m = panel.sum(axis=1), km * mean.sum()
        inside = gammaln(y + 1 / k) - gammaln(1 / k) - (y + 1 / k) * np.log(1 + k * m) + y * np.log(k)
        return -(inside + (panel * np.log(np.outer(km, mean))).sum(axis=1)).sum()

    theirs = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-6}).x
    index = pd.Index([f"{i:03d}" for i in range(n)])
    sums = pd.Series(panel.sum(axis=1), index=index)
    ours = fit_performance(sums, pd.Series(km * w.sum(), index=index), pd.Series("a", index=index))
    found = year_factors(pd.Series(panel.sum(axis=0), index=YEARS), COVERED)["factor"]
    assert ours.overdispersion == pytest.approx(np.exp(theirs[1]), rel=1e-3)
    assert (found / found.iloc[0]).iloc[1:].tolist() == pytest.approx(np.exp(theirs[2:]).tolist(), rel=1e-3)
    rate = np.exp(ours.coefficients["estimate"].iloc[0])
    assert rate * found.iloc[0] == pytest.approx(np.exp(theirs[0]), rel=1e-3)


def test_rows_say_what_is_told_and_why_nothing_is():
    rows = yearly_rows("ksi", EVENTS, COVERED)
    assert rows["name"].tolist() == ["2018", "2019", "2020", "2021", "trend", "equal years"]
    assert rows["says"].iloc[3].endswith("the records cover 50% of it")
    assert yearly_rows("ksi", EVENTS[:1], COVERED[:1])["says"].tolist() == [ONE_YEAR]
    for few in (EVENTS * np.nan, EVENTS // 10, EVENTS.where(YEARS == 2018, 0)):
        found = yearly_rows("ksi", few, COVERED)
        assert found["name"].tolist() == ["trend"]
        assert "no trend is told" in found["says"].iloc[0]
