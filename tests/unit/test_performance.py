"""The safety performance function, against MASS, statsmodels, theory, and data that cannot be fitted."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from geo.safety.expected import overdispersion, residuals
from geo.safety.expected.design import design, pool_classes
from geo.safety.expected.performance import COLUMNS, Performance, fit_performance

# counts, lengths (m), classes and a covariate of ninety segments over five years
COUNTS = """
7 6 2 11 3 5 0 0 11 1 10 7 47 1 0 17 0 2 3 0 2 2 12 0 6 2 2 1 0 0 4 4 4 5 0 1 1 1 21 1 0 0 5 2 0 0 0 1 4 13 4 0 0 1 2 7
0 0 5 2 8 2 4 1 2 9 2 0 1 0 3 8 0 2 1 1 1 6 1 0 9 6 3 3 0 7 3 8 5 4
"""
LENGTHS = """
126 170 110 99 185 105 141 131 185 86 228 70 147 135 65 156 91 49 169 34 57 109 184 162 124 24 68 80 47 20 113 166 75
182 30 44 111 70 157 140 74 33 68 142 161 71 20 29 134 73 75 44 43 180 138 61 106 119 282 40 118 180 262 58 73 158 24
126 348 136 20 49 60 207 88 20 96 110 66 42 372 180 191 88 57 69 30 279 91 239
"""
CLASSES = "baabacaacaabcaabcbaaaababbbacbbaacaaabcacabbaaacbccabaacbabbcbaaabcaaabcaabacaacaaaaaaaabb"
COVARIATE = """
13.0 10.9 16.1 26.5 25.8 3.2 7.1 8.6 9.0 18.0 13.7 3.4 12.5 16.7 4.8 25.3 3.5 27.9 4.8 25.6 27.3 29.4 24.5 23.8 20.0
23.8 5.8 17.0 16.4 26.0 15.0 12.8 19.9 9.5 5.9 15.4 13.7 8.5 12.3 12.3 11.2 12.6 21.2 10.3 28.6 27.7 15.5 11.2 17.0
25.8 20.3 24.5 16.9 19.7 10.1 22.6 7.7 21.5 26.1 5.7 19.2 4.7 22.3 4.4 28.2 5.8 28.8 24.4 18.6 23.9 24.3 28.5 9.1 18.5
4.7 19.3 6.8 17.8 18.0 15.0 16.6 23.4 24.4 15.8 18.8 28.1 5.4 5.3 4.5 20.4
"""


def ids(n):
    return pd.Index([f"{i:016x}" for i in range(n)], name="segment_id")


def ninety():
    index = ids(90)
    counts = pd.Series([int(v) for v in COUNTS.split()], index=index)
    exposure = pd.Series([float(v) for v in LENGTHS.split()], index=index) / 1000 * 5
    return (
        counts,
        exposure,
        pd.Series(list(CLASSES), index=index),
        pd.DataFrame({"d": [float(v) for v in COVARIATE.split()]}, index=index),
    )


def network(n, *, k=1.0, seed=0, rates=(0.3, 2.0), level=1.0):
    """Segments of two classes, with counts of overdispersion k."""
    rng = np.random.default_rng(seed)
    index = ids(n)
    classes = pd.Series(rng.choice(["residential", "primary"], n), index=index)
    exposure = pd.Series(rng.uniform(0.05, 1.0, n), index=index)
    mean = level * exposure * classes.map(dict(zip(("residential", "primary"), rates, strict=True)))
    frailty = rng.gamma(1 / k, k, n) if k else 1.0
    return pd.Series(rng.poisson(mean * frailty), index=index), exposure, classes


def by_term(found: Performance) -> pd.DataFrame:
    return found.coefficients.set_index("term")


def test_the_fit_is_that_of_mass_glm_nb():
    """R 4.2.2, MASS 7.3-58.2.

    d <- data.frame(y, L, c = relevel(factor(c), "c"), d)   # the figures at the top of this file
    m <- glm.nb(y ~ c + d + offset(log(L / 1000 * 5)), data = d, control = glm.control(epsilon = 1e-12, maxit = 100))
    summary(m)$coefficients; m$theta; m$SE.theta; logLik(m); AIC(m); fitted(m)
    """
    found = fit_performance(*ninety())
    table = by_term(found)
    assert found.model == "negative binomial"
    assert list(table.index) == ["intercept", "class a", "class b", "d"]
    assert table["estimate"].tolist() == pytest.approx(
        [2.36735150346, -1.50874300921, -0.54181155998, 0.02302997091], rel=1e-6
    )
    assert 1 / found.overdispersion == pytest.approx(1.533176788, rel=1e-6)
    assert found.log_likelihood == pytest.approx(-198.6847457, rel=1e-9)
    assert found.aic == pytest.approx(407.3694914, rel=1e-9)
    assert found.predicted.iloc[:3].tolist() == pytest.approx(
        [5.274553893, 2.578263854, 1.880530702], rel=1e-6
    )
    # MASS takes the expected information and k as known: its errors differ a little
    assert table.loc["class a", "standard_error"] == pytest.approx(0.27695886096, rel=0.03)
    assert table.loc["d", "standard_error"] == pytest.approx(0.01404173193, rel=0.03)
    assert found.converged
    assert found.reason is None
    assert (found.n_units, found.n_events) == (90, 348)


def test_the_fit_and_its_errors_are_those_of_statsmodels():
    counts, exposure, classes, numeric = ninety()
    found = fit_performance(counts, exposure, classes, numeric)
    x = found.matrix.to_numpy()
    theirs = sm.NegativeBinomial(counts.to_numpy(), x, exposure=exposure.to_numpy()).fit(
        disp=0, maxiter=2000, gtol=1e-7
    )
    assert found.coefficients["estimate"].tolist() == pytest.approx(theirs.params[:-1].tolist(), rel=1e-5)
    assert found.coefficients["standard_error"].tolist() == pytest.approx(theirs.bse[:-1].tolist(), rel=1e-4)
    assert found.coefficients["p_value"].tolist() == pytest.approx(theirs.pvalues[:-1].tolist(), rel=1e-3)
    assert found.overdispersion == pytest.approx(theirs.params[-1], rel=1e-5)
    # the profile of k, with the coefficients fitted anew at each limit, is lower by half of 3.84 there
    for limit in (found.overdispersion_low, found.overdispersion_high):
        family = sm.families.NegativeBinomial(alpha=limit)
        profile = sm.GLM(counts.to_numpy(), x, family=family, exposure=exposure.to_numpy()).fit().llf
        assert theirs.llf - profile == pytest.approx(3.841 / 2, rel=0.05)


def test_the_likelihood_is_that_of_scipy():
    counts, _, _, _ = ninety()
    y = counts.to_numpy(dtype=float)
    m = np.linspace(0.5, 9, 90)
    for k in (0.01, 0.3, 2.0):
        theirs = (
            nbinom.logpmf(y, 1 / k, 1 / (1 + k * m)).sum()
            - nbinom.logpmf(y, 1 / 0.7, 1 / (1 + 0.7 * m)).sum()
        )
        ours = overdispersion.log_likelihood(y, m, k) - overdispersion.log_likelihood(y, m, 0.7)
        assert ours == pytest.approx(theirs)
    to_poisson = poisson.logpmf(y, m).sum() - nbinom.logpmf(y, 1 / 0.7, 1 / (1 + 0.7 * m)).sum()
    assert overdispersion.log_likelihood(y, m, 0.0) - overdispersion.log_likelihood(
        y, m, 0.7
    ) == pytest.approx(to_poisson)


def test_the_order_of_rows_changes_nothing():
    counts, exposure, classes, numeric = ninety()
    traffic = pd.Series(np.where(np.arange(90) % 3, np.nan, 1000.0 + np.arange(90)), index=counts.index)
    there = fit_performance(counts, exposure, classes, numeric, traffic)
    mixed = np.random.default_rng(1).permutation(90)
    back = fit_performance(
        counts.iloc[mixed], exposure, classes.iloc[mixed[::-1]], numeric.iloc[mixed], traffic
    )
    pd.testing.assert_frame_equal(there.coefficients, back.coefficients, check_exact=True)
    pd.testing.assert_series_equal(there.predicted, back.predicted, check_exact=True)
    assert there.overdispersion_nodes.tolist() == back.overdispersion_nodes.tolist()


def test_the_interval_of_k_covers_it():
    found = [fit_performance(*network(300, k=0.8, seed=seed)) for seed in range(60)]
    covered = [one.overdispersion_low <= 0.8 <= one.overdispersion_high for one in found]
    assert 0.88 <= np.mean(covered) <= 1


def test_counts_that_chance_alone_explains_have_no_overdispersion():
    counts, exposure, classes = network(400, k=0.0, seed=3)
    found = fit_performance(counts, exposure, classes)
    assert found.model == "poisson"
    assert found.overdispersion == found.overdispersion_low == 0
    assert 0 < found.overdispersion_high < 1
    assert any("Poisson" in note for note in found.notes)
    theirs = sm.GLM(
        counts.to_numpy(),
        found.matrix.to_numpy(),
        family=sm.families.Poisson(),
        exposure=exposure.to_numpy(),
    ).fit()
    assert found.coefficients["estimate"].tolist() == pytest.approx(theirs.params.tolist(), rel=1e-6)
    assert found.log_likelihood == pytest.approx(theirs.llf)
    assert (found.overdispersion_nodes > 0).all()
    assert found.overdispersion_weights.sum() == pytest.approx(1)


def test_predictions_of_a_poisson_fit_add_up_to_the_events_of_each_class():
    counts, exposure, classes = network(400, k=0.0, seed=3)
    predicted = fit_performance(counts, exposure, classes).predicted
    assert predicted.groupby(classes).sum().tolist() == pytest.approx(
        counts.groupby(classes).sum().tolist(), rel=1e-6
    )


def test_how_possible_values_of_k_are_is_that_of_the_adjusted_likelihood_and_the_prior():
    found = fit_performance(*ninety())
    k, m = found.overdispersion_nodes, found.predicted.to_numpy()
    y = ninety()[0].to_numpy()
    x = found.matrix.to_numpy()

    def log_weight(one):
        # of Cox and Reid; of Christiansen and Morris, times the step of k, which is even in its root
        likelihood = nbinom.logpmf(y, 1 / one, 1 / (1 + one * m)).sum()
        adjustment = np.linalg.slogdet((x.T * (m / (1 + one * m))) @ x)[1] / 2
        return likelihood - adjustment + np.log(np.sqrt(one)) - 2 * np.log(1 + one * m.mean())

    logs = np.array([log_weight(one) for one in k])
    theirs = np.exp(logs - logs.max())
    assert found.overdispersion_weights.tolist() == pytest.approx((theirs / theirs.sum()).tolist(), rel=1e-6)
    assert np.diff(np.sqrt(k)).tolist() == pytest.approx([np.diff(np.sqrt(k))[0]] * 8)
    assert found.overdispersion_weights[[0, -1]].max() < 0.01


# terms


def test_rare_classes_are_pooled():
    classes = pd.Series(["a"] * 50 + ["b"] * 40 + ["c"] * 9 + ["d"] * 30 + [None] * 12)
    counts = pd.Series([1] * 90 + [2] * 9 + [0] * 30 + [1] * 12)
    pooled, notes = pool_classes(classes, counts)
    assert pooled.value_counts().to_dict() == {"a": 50, "b": 40, "other": 39, "unknown": 12}
    assert notes == ["pooled into class other (fewer than 10 segments or 5 events): c, d"]


def test_a_pool_too_small_to_stand_takes_the_class_with_fewest_events_in():
    classes = pd.Series(["a"] * 50 + ["b"] * 40 + ["c"] * 1)
    pooled, notes = pool_classes(classes, pd.Series([2] * 50 + [1] * 40 + [0]))
    assert pooled.value_counts().to_dict() == {"a": 50, "other": 41}
    assert notes[0].endswith(": b, c")


def test_no_class_without_events_is_left_alone():
    classes = pd.Series(["a"] * 500 + ["quiet"] * 3000)
    pooled, _ = pool_classes(classes, pd.Series([1] * 500 + [0] * 3000))
    assert set(pooled) == {"other"}


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", "d", "other", None]), st.integers(0, 6)),
        min_size=1,
        max_size=120,
    )
)
def test_every_pool_but_a_lonely_one_has_segments_and_events_enough(rows):
    classes = pd.Series([name for name, _ in rows], dtype=object)
    counts = pd.Series([count for _, count in rows])
    pooled, _ = pool_classes(classes, counts)
    by = counts.groupby(pooled).agg(["size", "sum"])
    assert len(by) == 1 or ((by["size"] >= 10) & (by["sum"] >= 5)).all()
    assert by["sum"].sum() == counts.sum()


def test_the_fill_value_of_a_covariate_known_in_part_does_not_matter():
    counts, exposure, classes, numeric = ninety()
    some = numeric["d"].where(np.arange(90) % 3 > 0)
    found = fit_performance(counts, exposure, classes, some.to_frame())
    by_hand = found.matrix.copy()
    by_hand["d"] = some.fillna(-77.0)
    theirs = sm.GLM(
        counts.to_numpy(),
        by_hand.to_numpy(),
        family=sm.families.NegativeBinomial(alpha=found.overdispersion),
        exposure=exposure.to_numpy(),
    ).fit()
    assert list(by_hand.columns) == ["intercept", "class a", "class b", "d", "d unknown"]
    assert found.predicted.tolist() == pytest.approx(theirs.fittedvalues.tolist(), rel=1e-4)
    assert any("d known for 67% of segments" in note for note in found.notes)


def test_traffic_enters_as_logarithm_and_zero_is_not_known():
    counts, _, classes, _ = ninety()
    traffic = pd.Series([1000.0, 0.0, -5.0, np.nan, np.inf, 10_000.0] * 15, index=counts.index)
    laid = design(counts, classes, None, traffic)
    assert laid.matrix["log traffic unknown"].tolist() == [0, 1, 1, 1, 1, 0] * 15
    assert laid.matrix["log traffic"].iloc[[0, 5]].tolist() == pytest.approx(np.log([1e3, 1e4]).tolist())


def test_the_elasticity_of_traffic_is_found_again():
    rng = np.random.default_rng(5)
    n, index = 4000, ids(4000)
    traffic = pd.Series(np.exp(rng.normal(8, 1, n)), index=index)
    exposure = pd.Series(rng.uniform(0.2, 1.0, n), index=index)
    counts = pd.Series(rng.poisson(exposure * (traffic / 3000) ** 0.6 * rng.gamma(2, 0.5, n)), index=index)
    known = traffic.where(rng.random(n) < 0.5)
    table = by_term(fit_performance(counts, exposure, pd.Series("a", index=index), None, known))
    assert table.loc["log traffic", "low"] < 0.6 < table.loc["log traffic", "high"]
    assert table.loc["log traffic", "estimate"] == pytest.approx(0.6, abs=0.1)


def test_a_covariate_that_says_nothing_of_its_own_is_left_out():
    counts, exposure, classes, numeric = ninety()
    more = numeric.assign(
        constant=3.0, twice=numeric["d"] * 2 + 1, never=np.nan, a=(classes == "a").astype(float)
    )
    found = fit_performance(counts, exposure, classes, more)
    assert list(found.matrix.columns) == ["intercept", "class a", "class b", "d"]
    for name in ("constant", "twice", "never", "a"):
        assert any(note.startswith(f"{name} left out") for note in found.notes)


def test_values_far_out_do_not_decide_the_slope():
    counts, exposure, classes, numeric = ninety()
    wild = numeric.copy()
    wild.iloc[3] = 5000.0
    found = fit_performance(counts, exposure, classes, wild)
    plain = by_term(fit_performance(counts, exposure, classes, numeric)).loc["d"]
    assert found.matrix["d"].max() == pytest.approx(
        4 * np.quantile(wild["d"], 0.75) - 3 * np.quantile(wild["d"], 0.25)
    )
    assert (
        found.matrix["d"].drop(found.matrix.index[3]).tolist() == numeric["d"].drop(numeric.index[3]).tolist()
    )
    assert any(note.startswith("d: 1 values far out drawn in to between") for note in found.notes)
    assert abs(by_term(found).loc["d", "estimate"] - plain["estimate"]) < plain["standard_error"]


# what cannot be fitted


def nothing_is_said(found: Performance, reason: str, n: int) -> None:
    assert found.model is None
    assert reason in (found.reason or "")
    assert not found.converged
    assert found.coefficients.empty
    assert list(found.coefficients.columns) == COLUMNS
    assert np.isnan(found.overdispersion)
    assert len(found.predicted) == n
    assert found.predicted.isna().all()
    assert found.checks.empty


def test_what_cannot_be_fitted_says_why():
    counts, exposure, classes, _ = ninety()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing_is_said(fit_performance(counts * 0, exposure, classes), "no collisions", 90)
        few = (counts > 8).astype(int)
        nothing_is_said(fit_performance(few, exposure, classes), f"{few.sum()} collisions, fewer than 20", 90)
        short = fit_performance(counts[:20], exposure[:20], classes[:20])
        nothing_is_said(short, "20 segments, fewer than 30", 20)
        unknown = pd.Series(pd.array([pd.NA] * 90, "Int64"), index=counts.index)
        nothing_is_said(fit_performance(unknown, exposure, classes), "no segment has both", 90)
        nothing_is_said(fit_performance(counts, exposure * np.nan, classes), "no segment has both", 90)
        none = fit_performance(counts[:0], exposure[:0], classes[:0])
        nothing_is_said(none, "no segment has both", 0)
        nothing_is_said(fit_performance(counts[:1], exposure[:1], classes[:1]), "fewer than 20", 1)


def test_separation_is_said_and_not_fitted():
    counts, exposure, classes, _ = ninety()
    where = (np.arange(90) % 5 == 0).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit_performance(
            counts.where(where == 0, 0), exposure, classes, pd.DataFrame({"ramp": where}, index=counts.index)
        )
    nothing_is_said(found, "separation: the data do not bound the effect of ramp", 90)


def test_one_class_alone_is_one_rate():
    counts, exposure, _, _ = ninety()
    found = fit_performance(counts, exposure, pd.Series("a", index=counts.index))
    assert found.coefficients["term"].tolist() == ["intercept"]
    rate = found.predicted / exposure
    assert rate.tolist() == pytest.approx([rate.iloc[0]] * 90)


def test_segments_without_count_or_exposure_take_no_part():
    counts, exposure, classes, numeric = ninety()
    more = pd.Series([5, 3, pd.NA], index=["x", "y", "z"], dtype="Int64")
    found = fit_performance(
        pd.concat([counts.astype("Int64"), more]),
        pd.concat([exposure, pd.Series([0.0, np.nan, 1.0], index=more.index)]),
        pd.concat([classes, pd.Series(["a", "b", "c"], index=more.index)]),
        pd.concat([numeric, pd.DataFrame({"d": 1.0}, index=more.index)]),
    )
    alone = fit_performance(counts, exposure, classes, numeric)
    pd.testing.assert_frame_equal(found.coefficients, alone.coefficients)
    assert found.predicted[more.index].isna().all()
    assert found.n_units == 90


@given(st.integers(0, 10_000), st.integers(1, 90), st.floats(0.01, 30.0), st.sampled_from([0.0, 0.3, 4.0]))
def test_anything_is_fitted_or_refused_without_a_warning(seed, n, level, k):
    counts, exposure, classes = network(n, k=k, seed=seed, level=level)
    rng = np.random.default_rng(seed)
    numeric = pd.DataFrame(
        {"d": np.where(rng.random(n) < 0.3, np.nan, rng.normal(0, 1, n))}, index=counts.index
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit_performance(counts, exposure, classes, numeric, exposure * 1e4)
    assert (found.model is None) == (found.reason is not None)
    if found.model is not None:
        assert np.isfinite(found.predicted).all()
        assert (found.predicted > 0).all()
        assert found.overdispersion_low <= found.overdispersion <= found.overdispersion_high
        assert np.isfinite(found.coefficients[COLUMNS[1:]].to_numpy()).all()


# checks


def checked(found: Performance) -> pd.DataFrame:
    return found.checks.set_index(["check", "of"])


def test_right_functions_pass_their_checks_about_as_often_as_they_say():
    failed = []
    for seed in range(40):
        checks = checked(fit_performance(*network(400, k=0.7, seed=seed)))
        told = checks["passed"].dropna()
        failed.append((~told.astype(bool)).groupby(level="check").any())
    share = pd.DataFrame(failed).mean()
    assert set(share.index) == {"dispersion", "zeros", "k per length", "cumulated residuals"}
    assert (share <= 0.12).all()


def test_a_function_that_takes_counts_for_proportional_to_length_when_they_are_not_fails():
    rng = np.random.default_rng(2)
    index = ids(3000)
    exposure = pd.Series(rng.uniform(0.05, 1.0, 3000), index=index)
    counts = pd.Series(rng.poisson(0.5 * exposure**0.3), index=index)
    found = checked(fit_performance(counts, exposure, pd.Series("a", index=index)))
    assert not found.loc[("cumulated residuals", "exposure"), "passed"]
    assert found.loc[("cure", "exposure"), "value"] > 0.5
    assert pd.isna(found.loc[("cure", "exposure"), "passed"])


def test_overdispersion_that_belongs_to_a_length_of_road_is_noticed():
    rng = np.random.default_rng(4)
    index = ids(3000)
    exposure = pd.Series(rng.uniform(0.02, 1.0, 3000), index=index)
    frailty = rng.gamma(exposure * 2, 1 / (exposure * 2))
    counts = pd.Series(rng.poisson(2 * exposure * frailty), index=index)
    found = checked(fit_performance(counts, exposure, pd.Series("a", index=index)))
    assert not found.loc[("k per length", "exposure"), "passed"]


def test_cumulated_residuals_of_a_small_table_worked_by_hand():
    # in the order of the variable, ties together: 1, then -2 + 0, then 1: sums 1, -1, 0; squares 1, 5, 6
    farthest, outside = residuals.cumulated(np.array([1.0, -2.0, 0.0, 1.0]), np.array([1.0, 2.0, 2.0, 3.0]))
    assert farthest == pytest.approx(1 / np.sqrt(6))
    assert outside == 0.0
    # sums 1 2 3 4 3 2 1 0, and the band at 3, 4 and 3 is 2.74, 2.83 and 2.74 wide
    farthest, outside = residuals.cumulated(np.repeat([1.0, -1.0], 4), np.arange(8.0))
    assert farthest == pytest.approx(4 / np.sqrt(8))
    assert outside == 3 / 8
    assert residuals.cumulated(np.zeros(3), np.arange(3.0)) == (0.0, 0.0)
