"""What a safety performance function expects of other units, of other times, and of junctions, against statsmodels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import loggamma

from geo.safety.expected.draws import draw_expected
from geo.safety.expected.empirical_bayes import expected_counts, log_variance, predict, prior
from geo.safety.expected.performance import fit_performance


def crossings(n=500, seed=0):
    """Junctions of two forms with traffic on both roads, which their five years' counts follow."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"{i:04d}" for i in range(n)], name="junction_id")
    form = pd.Series(rng.choice(["crossing, 3 arms", "crossing, 4 arms"], n), index=index)
    traffic = pd.DataFrame(
        {"major traffic": np.exp(rng.normal(9, 0.7, n)), "minor traffic": np.exp(rng.normal(7, 0.9, n))},
        index,
    )
    mean = 0.3 * (1 + 0.6 * (form == "crossing, 4 arms")) * (traffic["major traffic"] / 8000) ** 0.7
    mean *= (traffic["minor traffic"] / 1000) ** 0.3
    counts = pd.Series(rng.poisson(5 * mean * rng.gamma(2.0, 0.5, n)), index=index)
    return counts, pd.Series(5.0, index=index), form, traffic


def test_the_function_of_junctions_is_that_of_statsmodels():
    counts, years, form, traffic = crossings()
    found = fit_performance(counts, years, form, None, traffic, units="junctions")
    x = pd.DataFrame(
        {
            "intercept": 1.0,
            "class crossing, 3 arms": (form == "crossing, 3 arms").astype(float),
            "log major traffic": np.log(traffic["major traffic"]),
            "log minor traffic": np.log(traffic["minor traffic"]),
        }
    )
    theirs = sm.NegativeBinomial(counts, x, exposure=years).fit(disp=0, maxiter=2000, gtol=1e-7)
    table = found.coefficients.set_index("term")
    assert set(table.index) == set(x.columns)
    assert table.loc[list(x.columns), "estimate"].tolist() == pytest.approx(
        theirs.params.iloc[:-1].tolist(), rel=1e-4
    )
    assert found.overdispersion == pytest.approx(theirs.params.iloc[-1], rel=1e-4)
    short = fit_performance(counts[:20], years, form, None, traffic, units="junctions")
    assert short.reason == "20 junctions, fewer than 30"


def test_other_units_are_predicted_as_statsmodels_does_with_the_same_error():
    counts, years, form, traffic = crossings()
    some, rest = counts.index[:400], counts.index[400:]
    fitted = fit_performance(counts[some], years, form, None, traffic)
    there = predict(fitted, years[rest] / 5 * 2, form, None, traffic)
    x = fitted.matrix
    family = sm.families.NegativeBinomial(alpha=fitted.overdispersion)
    theirs = sm.GLM(counts[some], x, family=family, exposure=years[some]).fit()
    new = pd.DataFrame(
        {
            name: {
                "intercept": pd.Series(1.0, index=rest),
                "class crossing, 3 arms": (form[rest] == "crossing, 3 arms").astype(float),
                "class crossing, 4 arms": (form[rest] == "crossing, 4 arms").astype(float),
                "log major traffic": np.log(traffic.loc[rest, "major traffic"]),
                "log minor traffic": np.log(traffic.loc[rest, "minor traffic"]),
            }[name]
            for name in x.columns
        }
    )
    mean = theirs.get_prediction(new, exposure=np.full(len(rest), 2.0), which="mean")
    linear = theirs.get_prediction(new, exposure=np.full(len(rest), 2.0), which="linear")
    assert there.predicted.tolist() == pytest.approx(mean.predicted.tolist(), rel=1e-4)
    assert np.sqrt(log_variance(there)).tolist() == pytest.approx(linear.se.tolist(), rel=0.05)
    assert there.nodes.tolist() == fitted.overdispersion_nodes.tolist()


def test_units_of_the_fit_are_predicted_as_they_were():
    counts, years, form, traffic = crossings(200)
    partly = traffic.assign(**{"minor traffic": traffic["minor traffic"].where(np.arange(200) % 3 > 0)})
    fitted = fit_performance(counts, years, form, None, partly)
    again = predict(fitted, years, form, None, partly)
    before = prior(fitted, counts, years, form)
    pd.testing.assert_series_equal(again.predicted, before.predicted, check_names=False)
    pd.testing.assert_frame_equal(again.matrix, before.matrix)
    pd.testing.assert_frame_equal(
        expected_counts(again, counts, years), expected_counts(before, counts, years)
    )


def test_of_a_group_that_was_never_seen_nothing_is_predicted():
    counts, years, form, traffic = crossings(200)
    new = form.where(np.arange(200) > 14, "roundabout")
    there = predict(fit_performance(counts[15:], years, form, None, traffic), years, new, None, traffic)
    assert there.predicted.isna().tolist() == (new == "roundabout").tolist()
    found = expected_counts(there, counts, years)
    assert found["eb_count"].isna().tolist() == (new == "roundabout").tolist()


def test_a_rare_group_has_a_level_of_its_own_within_the_pool_with_the_width_of_its_few_events():
    """The posterior of a gamma prior of one event, by scipy: 4 and 1 events where the pool predicts 2.5 each."""
    rng = np.random.default_rng(3)
    index = pd.Index([f"{i:03d}" for i in range(260)])
    groups = pd.Series(["main"] * 200 + ["lane"] * 30 + ["track"] * 30, index=index)
    exposure = pd.Series(1.0, index=index)
    counts = pd.Series(rng.poisson(2.0, 260), index=index)
    counts[200:] = 0
    counts.iloc[[200, 201, 202, 203]] = 1
    counts.iloc[230] = 1
    fitted = fit_performance(counts, exposure, groups)
    assert set(fitted.coefficients["term"].iloc[-2:]) == {
        "class lane within other",
        "class track within other",
    }
    pool = fitted.coefficients.set_index("term")["estimate"]
    assert pool.index[:2].tolist() == ["intercept", "class other"]
    # five events in sixty units of the pool: 2.5 are predicted of each group
    table = fitted.coefficients.set_index("term").loc[["class lane within other", "class track within other"]]
    theirs = [loggamma(1 + events) for events in (4, 1)]
    assert (table["standard_error"] ** 2).tolist() == pytest.approx([one.var() for one in theirs], rel=1e-6)
    assert table["estimate"].tolist() == pytest.approx(
        [one.mean() - np.log(1 + 2.5) for one in theirs], abs=1e-6
    )
    assert fitted.predicted["200"] > 2 * fitted.predicted["230"]
    found = expected_counts(prior(fitted, counts, exposure, groups), counts, exposure)
    wide = found["eb_per_km_year_high"] / found["eb_per_km_year_low"]
    assert wide["259"] > 2 * wide.iloc[:200].median()


def test_where_there_is_no_function_nothing_is_predicted():
    counts, years, form, _ = crossings(20)
    there = predict(fit_performance(counts, years, form), years, form)
    assert there.predicted.isna().all()
    assert there.reason is not None


def test_draws_have_the_mean_and_the_spread_of_the_estimates():
    counts, years, form, traffic = crossings()
    before = prior(fit_performance(counts, years, form, None, traffic), counts, years, form)
    known = np.ones(len(counts), dtype=bool)
    m, expected = draw_expected(before, counts.to_numpy(float), known, 4000, np.random.default_rng(0))
    found = expected_counts(before, counts, years)
    assert m.mean(axis=0).tolist() == pytest.approx(found["predicted"].tolist(), rel=0.02)
    assert expected.mean(axis=0).tolist() == pytest.approx(found["eb_count"].tolist(), rel=0.05)
    low, high = (np.quantile(expected, q, axis=0) / 5 for q in (0.025, 0.975))
    assert high.tolist() == pytest.approx(found["eb_per_km_year_high"].tolist(), rel=0.08)
    assert low.tolist() == pytest.approx(found["eb_per_km_year_low"].tolist(), rel=0.35)
