"""Which form a safety performance function takes: exponents of length and traffic, and k per length."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.stats import chi2, nbinom

from geo.safety.expected.empirical_bayes import expected_counts, predict, prior
from geo.safety.expected.performance import fit_performance


def streets(n=1500, *, exponent=1.0, per_length=False, seed=0, k=0.7):
    """Streets of one class, of 30 to 400 m, over five years."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"{i:04d}" for i in range(n)], name="segment_id")
    length = pd.Series(rng.gamma(2.0, 0.07, n).clip(0.03, 0.4), index=index)
    shape = length / 0.14 / k if per_length else np.full(n, 1 / k)
    mean = 5 * 1.5 * (length / 0.14) ** exponent * 0.14
    counts = pd.Series(rng.poisson(mean * rng.gamma(shape, 1 / np.asarray(shape))), index=index)
    return counts, length * 5, pd.Series("a", index=index), length


def fitted(counts, exposure, classes, length, **more):
    return fit_performance(counts, exposure, classes, length=length, **more)


def test_the_exponent_of_length_and_its_test_are_those_of_statsmodels():
    counts, exposure, classes, length = streets(400, exponent=0.6)
    found = fitted(counts, exposure, classes, length, exponent="free")
    row = found.exponents.set_index("of").loc["length"]
    x = sm.add_constant(np.log(length).to_numpy())
    five = np.full(len(x), 5.0)
    free = sm.NegativeBinomial(counts.to_numpy(), x, exposure=five).fit(disp=0, maxiter=500, gtol=1e-8)
    one = sm.NegativeBinomial(counts.to_numpy(), x[:, :1], exposure=exposure.to_numpy()).fit(
        disp=0, gtol=1e-8
    )
    assert row["value"] == pytest.approx(free.params[1], rel=1e-4)
    assert row["standard_error"] == pytest.approx(free.bse[1], rel=1e-3)
    assert row["p_value"] == pytest.approx(chi2.sf(2 * (free.llf - one.llf), 1), rel=1e-3)
    assert found.log_likelihood == pytest.approx(free.llf)
    assert found.predicted.tolist() == pytest.approx(free.predict(x, exposure=five).tolist(), rel=1e-4)


def test_length_keeps_its_exponent_of_one_until_it_is_rejected():
    usual = fitted(*streets())
    assert "log length" not in usual.matrix
    assert not usual.exponents["free"].any()
    bent = fitted(*streets(exponent=0.5))
    assert "log length" in bent.matrix
    row = bent.exponents.set_index("of").loc["length"]
    assert row["low"] < 0.5 < row["high"] < 1
    assert any("power of length that is not 1" in note for note in bent.notes)
    held = fitted(*streets(exponent=0.5), exponent="one")
    assert "log length" not in held.matrix
    assert held.exponents.set_index("of").loc["length", "p_value"] < 0.001
    pd.testing.assert_series_equal(held.predicted, fit_performance(*streets(exponent=0.5)[:3]).predicted)


def test_a_right_exponent_of_one_is_rejected_about_as_often_as_the_test_says():
    p = [fitted(*streets(300, seed=seed)).exponents["p_value"].iloc[0] for seed in range(100)]
    assert np.mean(np.array(p) < 0.05) <= 0.12
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.15)


def test_expected_counts_over_the_counted_length_stay_right_where_the_exponent_is_free():
    counts, exposure, classes, length = streets(exponent=0.5)
    free = fitted(counts, exposure, classes, length)
    found = expected_counts(prior(free, counts, exposure, classes), counts, exposure)
    assert (found["eb_per_km_year"] * exposure).tolist() == pytest.approx(found["eb_count"].tolist())
    # short streets have more per km than long ones, and the prediction follows
    short = length < 0.08
    assert free.predicted[short].sum() == pytest.approx(counts[short].sum(), rel=0.15)
    bound = fitted(counts, exposure, classes, length, exponent="one")
    assert bound.predicted[short].sum() < 0.75 * counts[short].sum()


def test_the_exponent_of_traffic_is_tested_against_one():
    counts, exposure, classes, length = streets(800)
    rng = np.random.default_rng(9)
    traffic = pd.Series(np.exp(rng.normal(8, 1, 800)), index=counts.index)
    counts = pd.Series(
        rng.poisson(exposure * (traffic / 3000) ** 0.6 * rng.gamma(2, 0.5, 800)), index=counts.index
    )
    found = fit_performance(counts, exposure, classes, None, traffic, length=length)
    row = found.exponents.set_index("of").loc["traffic"]
    assert row["value"] == pytest.approx(found.coefficients.set_index("term").loc["log traffic", "estimate"])
    full = sm.NegativeBinomial(counts, found.matrix, exposure=exposure).fit(disp=0, maxiter=500, gtol=1e-8)
    tied = sm.NegativeBinomial(counts, found.matrix[["intercept"]], exposure=exposure * traffic).fit(disp=0)
    assert row["p_value"] == pytest.approx(chi2.sf(2 * (full.llf - tied.llf), 1), rel=0.02)
    assert row["p_value"] < 0.001


def test_k_falls_with_length_where_the_counts_want_it_with_the_likelihood_of_scipy():
    counts, exposure, classes, length = streets(per_length=True)
    found = fitted(counts, exposure, classes, length)
    assert any("k falls with length" in note for note in found.notes)
    assert found.per_length.at == pytest.approx(length.mean())
    assert found.overdispersion_low < 0.7 * 0.14 / length.mean() < found.overdispersion_high
    y, e = counts.to_numpy(), exposure.to_numpy()

    def loss(at):
        k = np.exp(at[1]) / length.to_numpy()
        return -nbinom.logpmf(y, 1 / k, 1 / (1 + k * np.exp(at[0]) * e)).sum()

    theirs = minimize(loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-8})
    assert found.coefficients["estimate"].iloc[0] == pytest.approx(theirs.x[0], abs=1e-4)
    assert found.overdispersion * found.per_length.at == pytest.approx(np.exp(theirs.x[1]), rel=1e-3)
    assert found.log_likelihood == pytest.approx(-theirs.fun, abs=1e-4)
    before = prior(found, counts, exposure, classes)
    k = before.overdispersion * length
    assert k.tolist() == pytest.approx([k.iloc[0]] * len(k))
    again = predict(found, exposure, classes, length=length)
    pd.testing.assert_series_equal(again.overdispersion, before.overdispersion, check_names=False)
    assert fitted(*streets()).per_length is None


def test_intervals_hold_the_truth_where_k_falls_with_length():
    inside = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        _, exposure, classes, length = streets(1200, seed=seed)
        rate = 1.5 * rng.gamma(length / 0.1, 0.1 / length)
        counts = pd.Series(rng.poisson(rate * exposure), index=length.index)
        found = expected_counts(
            prior(fitted(counts, exposure, classes, length), counts, exposure, classes), counts, exposure
        )
        inside.append(((found["eb_per_km_year_low"] <= rate) & (rate <= found["eb_per_km_year_high"])).mean())
    assert 0.93 <= np.mean(inside) <= 0.97


def test_streets_of_one_length_have_no_exponent_to_find():
    counts, _, classes, length = streets()
    same = length * 0 + 0.1
    found = fitted(counts, same * 5, classes, same, exponent="free")
    assert found.model is not None
    assert "log length" not in found.matrix
    assert found.exponents.empty


def test_one_stub_does_not_decide_the_form():
    counts, _, classes, length = streets(400)
    length.iloc[0] = 0.0005
    stub = fitted(counts.where(length > 0.001, 2), length * 5, classes, length)
    assert "log length" not in stub.matrix
    assert stub.per_length is None
