"""A type is compared with roads like its own in the same part of town: score, ratio, limits, and what is found."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.spatial.distance import cdist
from scipy.stats import binom, norm
from statsmodels.stats.multitest import multipletests

from geo.safety.comparison.adjusted import adjusted_ratios, design_of, fit_poisson, independent, trend_of
from geo.safety.comparison.contrast import Contrast
from geo.safety.comparison.covariance import RiskCovariance, make_cells
from geo.safety.comparison.discovery import gated
from geo.safety.comparison.field import Field, judged_score
from geo.safety.comparison.inference import cluster_tests

SOME = RiskCovariance(0.4, 0.3, 150.0, 100)
POISSON = RiskCovariance(0.0, 0.0, np.nan, 100)


def drawn(n=150, k=3, strata=3, seed=0, effect=1.0):
    """Segments at random with counts; gives what a comparison stands on, places, and the design with its trend."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 1500, (n, 2))
    labels, exposure = rng.integers(0, k, n), rng.uniform(0.2, 2.0, n)
    group = rng.integers(0, strata, n)
    fall = np.exp(-places[:, 0] / 1500)
    counts = rng.poisson(2 * exposure * fall * np.where(labels == 0, effect, 1.0))[:, None].astype(float)
    one = Contrast(counts, exposure, group, labels, k, make_cells(places), np.eye(n), POISSON)
    return one, places, design_of(group, pd.DataFrame(index=range(n)), trend_of(places))


def test_without_shared_risk_score_and_ratio_are_those_of_statsmodels():
    one, places, design = drawn(effect=1.4)
    found = adjusted_ratios(one, design, places, POISSON)
    model = sm.GLM(one.counts[:, 0], design, family=sm.families.Poisson(), exposure=one.exposure)
    null = model.fit(tol=1e-12)
    for label in range(one.k):
        inside = (one.labels == label).astype(float)[:, None]
        square, _, _ = model.score_test(null.params, exog_extra=inside)
        whole = sm.GLM(
            one.counts[:, 0],
            np.column_stack([inside, design]),
            family=sm.families.Poisson(),
            exposure=one.exposure,
        ).fit(tol=1e-12)
        assert np.log(found.ratio[label, 0]) == pytest.approx(whole.params[0], abs=1e-5)
        score = float(np.sqrt(np.squeeze(square))) * np.sign(whole.params[0])
        assert found.p_value[label, 0] == pytest.approx(
            2 * norm.sf(abs(score + whole.tvalues[0]) / 2), rel=1e-4
        )
        away = found.high if found.ratio[label, 0] > 1 else found.low
        reach = abs(np.log(away[label, 0] / found.ratio[label, 0]))
        assert reach == pytest.approx(norm.ppf(0.975) * whole.bse[0], rel=1e-4)


def scored(one, design, places, covariance=SOME):
    """Mean at the null, and scores of all clusters there."""
    mu, _ = fit_poisson(one.counts[:, 0], design, one.exposure)
    inside = (one.labels[:, None] == np.arange(one.k)).astype(float)
    weights = Field.of_places(covariance, places).weights(mu)
    return mu, judged_score(mu, inside, design, one.counts[:, 0], weights)


def test_the_score_is_that_of_dense_algebra():
    one, places, design = drawn()
    mu, found = scored(one, design, places)
    covariance = 0.3 * np.outer(mu, mu) * np.exp(-cdist(places, places) / 150.0) + np.diag(mu + 0.4 * mu**2)
    inverse = np.linalg.inv(covariance)
    basis = design * mu[:, None]
    taken = inverse - inverse @ basis @ np.linalg.solve(basis.T @ inverse @ basis, basis.T @ inverse)
    for label in range(one.k):
        mine = (one.labels == label) * mu
        studentised = mine @ taken @ (one.counts[:, 0] - mu) / np.sqrt(mine @ taken @ mine)
        assert found.studentised[label] == pytest.approx(studentised, rel=1e-6)


def test_the_score_and_its_variance_are_those_of_least_squares_with_a_known_covariance_in_statsmodels():
    one, places, design = drawn(effect=1.3)
    mu, found = scored(one, design, places)
    covariance = 0.3 * np.outer(mu, mu) * np.exp(-cdist(places, places) / 150.0) + np.diag(mu + 0.4 * mu**2)
    for label in range(one.k):
        columns = np.column_stack([one.labels == label, design]) * mu[:, None]
        theirs = sm.GLS(one.counts[:, 0] - mu, columns, sigma=covariance).fit()
        variance = theirs.normalized_cov_params[0, 0]
        assert found.information[label] == pytest.approx(1 / variance, rel=1e-6)
        assert found.value[label] == pytest.approx(theirs.params[0] / variance, rel=1e-5)


def test_many_segments_are_taken_by_cells_with_little_loss():
    one, places, design = drawn(n=900, seed=3)
    exact = one.counts[:, 0]
    mu, found = scored(one, design, places)
    covariance = 0.3 * np.outer(mu, mu) * np.exp(-cdist(places, places) / 150.0) + np.diag(mu + 0.4 * mu**2)
    inverse = np.linalg.inv(covariance)
    basis = design * mu[:, None]
    taken = inverse - inverse @ basis @ np.linalg.solve(basis.T @ inverse @ basis, basis.T @ inverse)
    mine = (one.labels == 0) * mu
    studentised = mine @ taken @ (exact - mu) / np.sqrt(mine @ taken @ mine)
    assert abs(found.studentised[0] - studentised) < 0.15


def test_what_near_segments_share_is_in_the_variance_where_cells_are_coarse():
    one, places, design = drawn(n=900, seed=4)
    short = RiskCovariance(0.2, 1.0, 20.0, 100)
    mu, found = scored(one, design, places, short)
    field = Field.of_places(short, places)
    assert field.near is not None
    basis, inside = design * mu[:, None], (one.labels == 0).astype(float)[:, None] * mu[:, None]
    weights = field.weights(mu)
    solved = weights @ np.column_stack([basis, inside])
    pull = solved[:, [-1]] - solved[:, :-1] @ np.linalg.solve(
        basis.T @ solved[:, :-1], basis.T @ solved[:, [-1]]
    )
    exact = np.outer(mu, mu) * np.exp(-cdist(places, places) / 20.0) + np.diag(mu + 0.2 * mu**2)
    assert found.variance[0] == pytest.approx(float(pull[:, 0] @ exact @ pull[:, 0]), rel=0.02)
    some = np.arange(900) % 3 > 0
    part = field.at(some).shared((pull * some[:, None])[some])
    assert part == pytest.approx(field.shared(pull * some[:, None]))


def test_limits_leave_out_1_where_p_is_below_5_percent():
    outside, below = [], []
    for seed in range(40):
        one, places, design = drawn(seed=seed, effect=1.3)
        found = adjusted_ratios(one, design, places, SOME)
        outside.append((found.low > 1) | (found.high < 1))
        below.append(found.p_value < 0.05)
    assert np.mean(np.array(outside) == np.array(below)) > 0.98


def test_a_side_without_collisions_has_one_limit():
    one, places, design = drawn(n=300)
    one.counts[one.labels == 1] = 0
    found = adjusted_ratios(one, design, places, POISSON)
    assert (found.ratio[1, 0], found.low[1, 0]) == (0, 0)
    assert 0 < found.high[1, 0] < 0.2
    assert found.p_value[1, 0] < 1e-6


def test_what_cannot_be_told_from_class_and_place_is_not_estimated():
    one, places, _ = drawn()
    design = design_of(one.labels, pd.DataFrame(index=range(len(places))), trend_of(places))
    found = adjusted_ratios(one, design, places, SOME)
    assert np.isnan(found.ratio).all()
    assert set(found.reason[:, 0]) == {"the cluster cannot be told from class, covariates and place"}


def test_redundant_columns_are_left_out():
    columns = np.column_stack([np.ones(9), np.arange(9), 2 * np.arange(9) + 1, np.arange(9) ** 2])
    assert independent(columns).shape == (9, 3)


def town_with_a_centre(seed, effect=1.0):
    """Risk falls ninefold a kilometre from the centre, and a type of road is mostly found there."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-900, 900, (260, 2))
    out = np.hypot(*places.T) / 1000
    central = rng.random(len(places)) < np.exp(-3 * out)
    other = rng.integers(2, 4, len(places))
    length = rng.uniform(50, 200, len(places))
    risk = 9.0**-out * rng.gamma(4, 0.25, len(places))
    mean = 500 * length * risk / (length * risk).sum() * np.where(central, effect, 1.0)
    return pd.DataFrame(
        {
            "cluster": np.where(central, 1, other),
            "road_class": "street",
            "counted_m": length,
            "years": 5.0,
            "x": places[:, 0],
            "y": places[:, 1],
            "n_collisions": rng.poisson(mean),
        }
    )


def test_a_centre_does_not_pass_for_an_effect_of_the_roads_that_are_there():
    draws, crude, claimed = 40, 0, 0
    for seed in range(draws):
        table = cluster_tests(
            town_with_a_centre(seed), ["n_collisions"], {"all": ()}, permutations=0, seed=seed
        )
        first = table[table["cluster"] == 1].iloc[0]
        crude += first["ratio"] > 1.2
        claimed += bool((table["q_value"] <= 0.05).any())
    assert crude > draws * 0.9
    assert claimed <= binom.ppf(0.999, draws, 0.05)


def test_what_is_there_is_found_beside_a_centre():
    found = 0
    for seed in range(20):
        frame = town_with_a_centre(seed, effect=2.2)
        table = cluster_tests(frame, ["n_collisions"], {"all": ()}, permutations=0, seed=seed)
        first = table[table["cluster"] == 1].iloc[0]
        found += first["q_value"] <= 0.05 and first["ratio_adjusted"] > 1
    assert found >= 15


def rows(p_by_outcome):
    """A table of tests: p-values by outcome, a cluster each."""
    table = [(k + 1, outcome, p) for outcome, values in p_by_outcome.items() for k, p in enumerate(values)]
    return pd.DataFrame(table, columns=["cluster", "outcome", "p_value_adjusted"])


def test_nothing_is_found_of_a_type_whose_collisions_as_a_whole_do_not_differ():
    found = gated(rows({"n_collisions": [0.6, 0.001], "n_ksi": [1e-9, 0.01]}))
    assert found[0] == found[2] == pytest.approx(0.6)
    assert found[1] == pytest.approx(0.002)
    assert found[3] == pytest.approx(0.02)


def test_types_not_tested_and_outcomes_without_a_gate_have_no_q():
    found = gated(rows({"n_collisions": [np.nan, 0.01], "n_ksi": [0.001, np.nan]}))
    assert np.isnan(found[[0, 2, 3]]).all()
    assert found[1] == pytest.approx(0.01)
    assert np.isnan(gated(rows({"n_ksi": [0.001, 0.2]}))).all()


def test_false_claims_within_types_that_are_found_are_held():
    rng = np.random.default_rng(0)
    wrong = []
    for _ in range(400):
        p = {"n_collisions": [1e-6, 1e-6, *rng.random(5)]}
        p |= {f"n_{i}": [1e-6 if i == 0 else rng.random(), *rng.random(6)] for i in range(6)}
        table = rows(p)
        claimed = gated(table) <= 0.05
        true = (table["outcome"] == "n_collisions") & (table["cluster"] <= 2)
        true |= (table["outcome"] == "n_0") & (table["cluster"] == 1)
        wrong.append((claimed & ~true).sum() / max(claimed.sum(), 1))
    assert np.mean(wrong) < 0.05


def test_degrees_of_freedom_are_those_of_students_test_where_all_segments_are_alike():
    rng = np.random.default_rng(5)
    n, own = 24, 9.0
    places, mu = rng.uniform(0, 1000, (n, 2)), np.ones(n)
    # of n - 2 residuals: the variance's logarithm has variance 2 / (n - 2), and own is nine tenths of it
    unsure = np.diag([2 / (n - 2) / (own / (1 + own)) ** 2, 1.0, 1.0])
    covariance = RiskCovariance(own, 0.0, 100.0, n, unsure=tuple(map(tuple, unsure)))
    inside = (np.arange(n) < 10).astype(float)[:, None]
    y = rng.normal(1.0, np.sqrt(1 + own), n)
    found = judged_score(mu, inside, np.ones((n, 1)), y, Field.of_places(covariance, places).weights(mu))
    assert found.freedom[0] == pytest.approx(n - 2)
    spread = sm.OLS(y, np.column_stack([inside, np.ones(n)])).fit()
    assert found.studentised[0] == pytest.approx(spread.tvalues[0] * np.sqrt(spread.scale / (1 + own)))


def test_the_gate_of_a_type_is_that_of_statsmodels():
    rng = np.random.default_rng(3)
    p = rng.random((6, 3)) ** 2
    table = pd.DataFrame(
        {"cluster": np.repeat(range(6), 3), "outcome": "n_collisions", "p_value_adjusted": p.ravel()}
    )
    # Simes' p-value of a family is the least that Benjamini and Hochberg give in it
    simes = [multipletests(row, method="fdr_bh")[1].min() for row in p]
    gates = multipletests(simes, method="fdr_bh")[1]
    found = gated(table).reshape(6, 3).min(axis=1)
    price = 6 / max((gates <= 0.05).sum(), 1)
    assert found == pytest.approx(np.where(gates <= 0.05, np.maximum(np.array(simes) * price, gates), gates))


def test_with_one_comparison_a_type_q_is_that_of_r():
    # R 4.2: p.adjust(c(.004, .03, .0001, .5, .2, .6, .9, .04, .011), "BH")
    p = [0.004, 0.03, 0.0001, 0.5, 0.2, 0.6, 0.9, 0.04, 0.011]
    theirs = [0.018, 0.0675, 0.0009, 0.64285714, 0.3, 0.675, 0.9, 0.072, 0.033]
    table = rows({"n_collisions": p})
    found = gated(table)
    known = np.array(theirs) > 0.05
    assert found[known] == pytest.approx(np.array(theirs)[known], rel=1e-6)
    assert (found[~known] <= 0.05 * 9 / 3).all()
