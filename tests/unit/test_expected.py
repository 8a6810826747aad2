"""Expected counts and ranks, against the literature's worked example, scipy, and networks whose truth is known."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import gamma, norm, rankdata, spearmanr

from geo.outputs.report.parts.methods import methods
from geo.outputs.wording import predictions_only
from geo.safety.expected.draws import GammaQuantiles, draw_expected, draw_in_turn
from geo.safety.expected.empirical_bayes import (
    SHRINKAGE,
    Prior,
    empirical_bayes,
    expected_counts,
    log_variance,
    mixture_quantile,
    normal_slices,
    prior,
)
from geo.safety.expected.estimates import WORDS, models_table, spread_words
from geo.safety.expected.overdispersion import NO_SPREAD
from geo.safety.expected.performance import fit_performance
from geo.safety.expected.ranking import false_among_worst, rank_segments
from geo.safety.expected.shrinkage import shrink

RATES = ["eb_per_km_year", "eb_per_km_year_low", "eb_per_km_year_high"]


def network(n, *, k=1.0, seed=0, level=1.0):
    """Segments of two classes with true rates, exposure, and counts of overdispersion k."""
    rng = np.random.default_rng(seed)
    index = pd.Index([f"{i:016x}" for i in rng.permutation(n)], name="segment_id")
    classes = pd.Series(rng.choice(["residential", "primary"], n), index=index)
    exposure = pd.Series(rng.uniform(0.05, 1.0, n), index=index)
    rate = level * classes.map({"residential": 0.8, "primary": 2.5}) * (rng.gamma(1 / k, k, n) if k else 1.0)
    return pd.Series(rng.poisson(rate * exposure), index=index), exposure, classes, rate


def estimated(counts, exposure, classes):
    before = prior(fit_performance(counts, exposure, classes), counts, exposure, classes)
    return before, expected_counts(before, counts, exposure)


def known(predicted, k):
    """A prior that is taken as known."""
    index = pd.Index([f"{i:03d}" for i in range(len(predicted))])
    nothing = np.empty(0)
    return Prior(
        "negative binomial",
        None,
        pd.Series(predicted, index=index, dtype=float),
        pd.Series(k, index=index, dtype=float),
        pd.DataFrame(index=index),
        np.empty((0, 0)),
        nothing,
        nothing,
    )


# the formula


def test_the_worked_examples_of_the_tutorial():
    """Hauer, Harwood, Council and Griffith 2002, TRR 1784:126-131, numerical examples 1 and 2.

    A road of 1.8 km with 4,000 vehicles a day; 0.0224 x ADT^0.564 a km and year are predicted, with an overdispersion
    of 2.05 per km. With 12 in one year the estimate is 4.71 +- 1.19 a km and year; with 12, 7 and 8 in three years it
    is 7.97 +- 1.44 a year on the section, 4.43 a km and year.
    """
    per_km_year = 0.0224 * 4000**0.564
    assert per_km_year == pytest.approx(2.41, abs=0.005)
    k = 1 / (2.05 * 1.8)
    weight, count, variance = empirical_bayes(12, per_km_year * 1.8, k)
    assert weight == pytest.approx(0.460, abs=0.0005)
    assert count / 1.8 == pytest.approx(4.71, abs=0.005)
    assert np.sqrt(variance) / 1.8 == pytest.approx(1.19, abs=0.005)
    _, count, variance = empirical_bayes(12 + 7 + 8, per_km_year * 1.8 * 3, k)
    assert count / 3 == pytest.approx(7.97, abs=0.005)
    assert np.sqrt(variance) / 3 == pytest.approx(1.44, abs=0.005)
    assert count / 3 / 1.8 == pytest.approx(4.43, abs=0.005)


@given(st.integers(0, 200), st.floats(1e-3, 100), st.floats(1e-6, 50))
def test_the_estimate_is_the_mean_of_the_posterior_and_lies_between_record_and_prediction(y, m, k):
    weight, count, variance = empirical_bayes(y, m, k)
    posterior = gamma(y + 1 / k, scale=k * m / (1 + k * m))
    assert count == pytest.approx(posterior.mean(), rel=1e-6)
    assert variance == pytest.approx(posterior.var(), rel=1e-6)
    assert min(y, m) * (1 - 1e-12) <= count <= max(y, m) * (1 + 1e-12)
    assert 0 < weight < 1


def test_without_overdispersion_the_prediction_is_the_estimate():
    weight, count, variance = empirical_bayes([0, 9], [2.0, 2.0], 0.0)
    assert weight.tolist() == [1, 1]
    assert count.tolist() == [2, 2]
    assert variance.tolist() == [0, 0]


@given(
    st.floats(0.01, 20),
    st.floats(0.01, 20),
    st.floats(1e-3, 10),
    st.floats(0.02, 0.98),
    st.floats(0.01, 0.99),
)
def test_quantiles_of_mixtures_are_those_that_scipy_finds(m1, m2, v, share, probability):
    weights = np.array([share, 1 - share])
    mean, variance = np.array([[m1], [m2]]), np.array([[v], [v / 3]])
    found = mixture_quantile(mean, variance, weights, probability)[0]
    parts = [gamma(m * m / v, scale=v / m) for m, v in zip(mean[:, 0], variance[:, 0], strict=True)]

    def below(log_x):
        return share * parts[0].cdf(np.exp(log_x)) + (1 - share) * parts[1].cdf(np.exp(log_x)) - probability

    ends = [part.ppf(probability) for part in parts]
    assume(min(ends) > 1e-250)  # below, scipy's own limits are zero
    theirs = brentq(below, np.log(min(ends)) - 1e-6, np.log(max(ends)) + 1e-6, xtol=1e-12)
    assert below(np.log(found)) == pytest.approx(below(theirs), abs=1e-6)


def test_a_mixture_of_what_is_not_known_is_null():
    found = mixture_quantile(np.array([[1.0, np.nan, 1.0]]), np.array([[1.0, 1.0, 0.0]]), np.ones(1), 0.5)
    assert found[0] == pytest.approx(gamma(1).ppf(0.5))
    assert np.isnan(found[1:]).all()


# segments


def test_a_known_prior_gives_the_gamma_posterior():
    before = known([0.5, 2.0, 1.0], [0.5, 0.5, 2.0])
    counts = pd.Series([0, 7, 1], index=before.predicted.index)
    exposure = pd.Series([0.5, 1.0, 2.0], index=counts.index)
    found = expected_counts(before, counts, exposure)
    m, k = before.predicted, before.overdispersion
    posterior = gamma(counts + 1 / k, scale=k * m / (1 + k * m))
    for column, values in zip(
        RATES, (posterior.mean(), posterior.ppf(0.025), posterior.ppf(0.975)), strict=True
    ):
        assert found[column].tolist() == pytest.approx((values / exposure).tolist(), rel=1e-6)
    assert found["predicted_per_km_year"].tolist() == [1.0, 2.0, 0.5]
    assert found["potential_per_km_year"].tolist() == pytest.approx(
        (found["eb_per_km_year"] - found["predicted_per_km_year"]).tolist()
    )
    assert (found["potential_per_km_year"] > 0).tolist() == [False, True, False]


def test_weights_are_those_of_the_manual():
    counts, exposure, classes, _ = network(400)
    before, found = estimated(counts, exposure, classes)
    k = before.overdispersion.iloc[0]
    assert (found["weight"] * (1 + k * found["predicted"])).tolist() == pytest.approx([1] * 400)
    assert found["eb_count"].tolist() == pytest.approx(
        (found["weight"] * found["predicted"] + (1 - found["weight"]) * counts).tolist()
    )
    assert set(found["method"]) == {"negative binomial"}


def test_what_the_coefficients_leave_open_is_that_of_draws():
    counts, exposure, classes, _ = network(60, seed=2)
    before, _ = estimated(counts, exposure, classes)
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(2), before.covariance, 40_000)
    spread = (draws @ before.matrix.to_numpy().T).var(axis=0)
    assert log_variance(before).tolist() == pytest.approx(spread.tolist(), rel=0.05)


def test_limits_are_those_of_draws_of_coefficients_k_and_rates():
    counts, exposure, classes, _ = network(100, seed=2)
    before, found = estimated(counts, exposure, classes)
    rng = np.random.default_rng(0)
    k = rng.choice(before.nodes, (20_000, 1), p=before.weights)
    shift = rng.multivariate_normal(np.zeros(2), before.covariance, 20_000) @ before.matrix.to_numpy().T
    m = before.predicted.to_numpy() * np.exp(shift)
    index = before.predicted.index
    rate = rng.gamma(counts[index].to_numpy() + 1 / k, k * m / (1 + k * m)) / exposure[index].to_numpy()
    found = found.loc[index]
    ratio = np.quantile(rate, 0.975, axis=0) / found[RATES[2]]
    assert ratio.between(0.95, 1.05).all()
    assert ratio.mean() == pytest.approx(1, abs=0.01)
    low = np.quantile(rate, 0.025, axis=0)
    assert ((low - found[RATES[1]]).abs() < 0.04 * found[RATES[0]]).all()


def test_an_interval_is_wider_than_with_the_prior_taken_as_known():
    counts, exposure, classes, _ = network(80, seed=1)
    before, found = estimated(counts, exposure, classes)
    width = found[RATES[2]] - found[RATES[1]]
    posterior = gamma(
        counts + 1 / before.overdispersion,
        scale=found["predicted"] * (1 - found["weight"]) / found["predicted"],
    )
    plain = (posterior.ppf(0.975) - posterior.ppf(0.025)) / exposure
    assert width.sum() > plain.sum()
    assert ((found[RATES[1]] < found[RATES[0]]) & (found[RATES[0]] < found[RATES[2]])).all()


@pytest.mark.parametrize(("n", "k", "level"), [(300, 1.0, 1.0), (300, 0.25, 1.0), (1000, 0.5, 0.3)])
def test_intervals_cover_the_true_rates_as_often_as_they_say(n, k, level):
    covered = []
    for seed in range(25):
        counts, exposure, classes, rate = network(n, k=k, seed=seed, level=level)
        _, found = estimated(counts, exposure, classes)
        covered.append(((found[RATES[1]] <= rate) & (rate <= found[RATES[2]])).mean())
    assert 0.93 <= np.mean(covered) <= 0.98


def test_estimates_predict_the_next_period_better_than_raw_rates():
    raw, eb = [], []
    for seed in range(20):
        counts, exposure, classes, rate = network(500, seed=seed)
        _, found = estimated(counts, exposure, classes)
        later = np.random.default_rng([seed, 9]).poisson(rate * exposure)
        raw.append(((counts - later) ** 2).mean())
        eb.append(((found["eb_count"] - later) ** 2).mean())
    assert np.mean(eb) < 0.8 * np.mean(raw)


def test_where_no_function_can_be_fitted_it_is_the_shrinkage_within_classes_and_says_so():
    counts, exposure, classes, _ = network(25, seed=4)
    counts.iloc[0] += 10
    before, found = estimated(counts, exposure, classes)
    theirs = shrink(counts, exposure, classes)
    assert before.method == SHRINKAGE
    assert before.reason == "25 segments, fewer than 30"
    assert set(found["method"]) == {SHRINKAGE}
    for column, name in zip(RATES, ("estimate", "low", "high"), strict=True):
        assert found[column].tolist() == pytest.approx(theirs[name].tolist(), rel=1e-6)
    assert found["predicted_per_km_year"].tolist() == pytest.approx(theirs["prior_mean"].tolist())


def test_the_order_of_rows_changes_nothing():
    counts, exposure, classes, _ = network(120, seed=5)
    before, there = estimated(counts, exposure, classes)
    mixed = np.random.default_rng(0).permutation(120)
    again, back = estimated(counts.iloc[mixed], exposure, classes.iloc[mixed[::-1]])
    assert back.index.equals(counts.index[mixed])
    pd.testing.assert_frame_equal(there, back.reindex(there.index), check_exact=True)
    ranks = rank_segments(before, counts, exposure, seed=3, draws=50)
    others = rank_segments(again, counts.iloc[mixed], exposure.iloc[mixed], seed=3, draws=50)
    pd.testing.assert_frame_equal(ranks, others.reindex(ranks.index), check_exact=True)


@pytest.mark.parametrize("many", [0, 1, 50])
def test_without_events_nothing_is_known(many):
    counts, exposure, classes, _ = network(50)
    counts, exposure, classes = counts[:many] * 0, exposure[:many], classes[:many]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before, found = estimated(counts, exposure, classes)
        ranks = rank_segments(before, counts, exposure, seed=0, draws=10)
    assert found.drop(columns="method").isna().all(axis=None)
    assert ranks.isna().all(axis=None)
    assert len(found) == len(ranks) == many
    assert before.reason in {"no collisions", "no segment has both a count and an exposure"}


@pytest.mark.parametrize("n", [20, 100])
def test_a_segment_of_which_something_is_not_known_is_null_and_the_others_are_not(n):
    counts, exposure, classes, _ = network(n, seed=6)
    counts = counts.astype("Int64")
    counts.iloc[3] = pd.NA
    exposure.iloc[5] = np.nan
    exposure.iloc[7] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before, found = estimated(counts, exposure, classes)
        ranks = rank_segments(before, counts, exposure, seed=0, draws=20)
    unknown = found.index[[3, 5, 7]]
    assert found.loc[unknown, ["eb_count", *RATES, "potential_per_km_year"]].isna().all(axis=None)
    assert found.drop(index=unknown).notna().all(axis=None)
    assert ranks.loc[unknown].isna().all(axis=None)
    assert ranks["rank"].notna().sum() == n - 3


# ranks


def test_the_better_of_two_is_as_probable_as_theory_says():
    before = known([4.0, 4.0], [0.5, 0.5])
    counts = pd.Series([9, 4], index=before.predicted.index)
    found = rank_segments(before, counts, pd.Series(1.0, index=counts.index), seed=1, worst=0.5, draws=20_000)
    # X / (X + Y) of gammas of one scale is beta
    from scipy.stats import beta

    chance = beta(9 + 2, 4 + 2).sf(0.5)
    assert found["p_worst"].tolist() == pytest.approx([chance, 1 - chance], abs=0.012)
    assert found["mean_rank"].tolist() == pytest.approx([2 - chance, 1 + chance], abs=0.012)
    assert found["rank_deviation"].tolist() == pytest.approx([np.sqrt(chance * (1 - chance))] * 2, abs=0.01)
    assert found["rank"].tolist() == [1, 2]


def test_the_chance_that_more_is_to_be_expected_than_predicted_is_that_of_the_posterior():
    before = known([4.0, 2.0, 0.5], [0.5, 0.5, 1.0])
    counts = pd.Series([9, 1, 0], index=before.predicted.index)
    found = rank_segments(before, counts, pd.Series(1.0, index=counts.index), seed=1, draws=20_000)
    k, m = before.overdispersion, before.predicted
    theirs = gamma(counts + 1 / k, scale=k * m / (1 + k * m)).sf(m)
    assert found["p_above"].tolist() == pytest.approx(theirs.tolist(), abs=0.015)


def test_the_expected_share_of_false_ones_among_the_worst_is_the_true_one():
    """On networks whose truth is known: share of the listed that are not among as many truly worst, and not above."""
    said, true = [], []
    for seed in range(30):
        counts, exposure, classes, rate = network(600, seed=seed)
        before, _ = estimated(counts, exposure, classes)
        ranks = rank_segments(before, counts, exposure, seed=0, draws=300)
        shares = false_among_worst(ranks).set_index("worst")
        assert shares["n"].to_dict() == {"20": 20, "1 %": 6, "5 %": 30}
        listed = ranks["mean_rank"].nsmallest(30).index
        mean_of_class = classes.map({"residential": 0.8, "primary": 2.5})
        worst = rate.nlargest(30).index
        said.append(shares.loc["5 %", ["not_among", "not_above"]].tolist())
        true.append([(~listed.isin(worst)).mean(), (rate[listed] <= mean_of_class[listed]).mean()])
    difference = np.array(true) - np.array(said, dtype=float)
    assert np.abs(difference.mean(axis=0)).max() < 3 * (difference.std(axis=0) / np.sqrt(30)).max() + 0.01
    assert np.mean(said, axis=0)[0] > 0.2


def test_probabilities_add_up_to_the_number_of_the_worst():
    counts, exposure, classes, _ = network(410, seed=2)
    before, found = estimated(counts, exposure, classes)
    ranks = rank_segments(before, counts, exposure, seed=0, draws=200)
    assert ranks["p_worst"].sum() == pytest.approx(21)
    assert ranks["mean_rank"].mean() == pytest.approx(411 / 2)
    assert spearmanr(ranks["mean_rank"], -found["eb_per_km_year"]).statistic > 0.9
    # equal ranks are of segments that the draws do not tell apart; the next one follows after as many
    tied = ranks.groupby("rank")["mean_rank"].agg(["min", "max", "size"])
    assert (tied["max"] - tied["min"]).max() < 4 * ranks["rank_deviation"].max() / np.sqrt(200)
    assert tied.index.tolist() == [1, *(1 + tied["size"].cumsum().iloc[:-1])]


def test_many_draws_at_once_are_as_few_at_a_time(monkeypatch):
    counts, exposure, classes, _ = network(100, seed=2)
    before, _ = estimated(counts, exposure, classes)
    at_once = rank_segments(before, counts, exposure, seed=0, draws=2000)
    monkeypatch.setattr("geo.safety.expected.ranking.CELLS", 1000)
    in_parts = rank_segments(before, counts, exposure, seed=0, draws=2000)
    pd.testing.assert_frame_equal(at_once, in_parts)


def test_draws_in_turn_say_what_plain_draws_say():
    """Means of 1,000 in turn lie nearer those of 40,000 plain ones than those of 1,000 plain ones do."""
    counts, exposure, classes, _ = network(300, seed=7)
    before, _ = estimated(counts, exposure, classes)
    y, known_all = counts.to_numpy(dtype=float), np.ones(300, dtype=bool)

    def plain(draws, seed):
        _, drawn = draw_expected(before, y, known_all, draws, np.random.default_rng(seed))
        return ranked(drawn)

    def in_turn(draws, seed):
        parts = draw_in_turn(before, y, known_all, draws, np.random.default_rng(seed), 100_000)
        return ranked(np.vstack([drawn for _, _, drawn in parts]))

    def ranked(drawn):
        ranks = rankdata(-drawn, axis=1)
        return np.array([ranks.mean(axis=0), ranks.std(axis=0), 300 * (ranks <= 15).mean(axis=0)])

    best = np.mean([plain(10_000, seed) for seed in range(4)], axis=0)
    few = np.sqrt(((in_turn(1000, 10) - best) ** 2).mean(axis=1))
    many = np.sqrt(((plain(1000, 11) - best) ** 2).mean(axis=1))
    assert (few[:2] < many[:2]).all()
    assert few[2] < 1.3 * many[2]


@pytest.mark.parametrize("most", [1, 400])
def test_quantiles_by_the_table_are_those_of_scipy(most):
    """By a row a shape, and, of more shapes than it has rows, between rows."""
    rng = np.random.default_rng(0)
    shapes = np.exp(rng.uniform(np.log(0.05), np.log(300), (3, 10 * most)))
    probability = rng.random((300, 10 * most))
    sets = rng.integers(0, 3, 300)
    found = GammaQuantiles(shapes).at(sets, probability)
    theirs = gamma.ppf(probability, shapes[sets])
    told = theirs > 1e-12
    assert np.abs(np.log(found[told] / theirs[told])).max() < 0.005
    assert np.abs(np.log(found[told] / theirs[told])).mean() < 2e-4


def test_limits_are_those_of_the_integral_over_what_is_not_known_of_the_prediction():
    rng = np.random.default_rng(3)
    k, m = np.exp(rng.uniform(-4, 3, 40)), np.exp(rng.uniform(-3, 4, 40))
    counts = rng.poisson(m)
    deviation = 0.2
    before = known(m, k)
    before = replace(
        before,
        matrix=pd.DataFrame({"term": 1.0}, index=before.predicted.index),
        covariance=np.array([[deviation**2]]),
    )
    y = pd.Series(counts, index=before.predicted.index)
    found = expected_counts(before, y, pd.Series(1.0, index=y.index))
    points = norm.ppf((np.arange(4000) + 0.5) / 4000)
    for end, chance in (("low", 0.025), ("high", 0.975)):
        at = found[f"eb_per_km_year_{end}"].to_numpy()
        shifted = m * np.exp(deviation * points[:, None])
        below = gamma.cdf(at, counts + 1 / k, scale=k * shifted / (1 + k * shifted)).mean(axis=0)
        assert below == pytest.approx(np.full(40, chance), abs=0.0015)


def test_probabilities_of_being_among_the_worst_are_about_right():
    said, true = [], []
    for seed in range(20):
        counts, exposure, classes, rate = network(400, seed=seed, level=3.0)
        before, _ = estimated(counts, exposure, classes)
        said.append(rank_segments(before, counts, exposure, seed=0, draws=200)["p_worst"].to_numpy())
        true.append((rate.rank(ascending=False) <= 20).to_numpy())
    chance, is_so = np.concatenate(said), np.concatenate(true)
    for low, high in ((0.02, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        which = (chance >= low) & (chance < high)
        error = norm.ppf(0.999) * np.sqrt((chance[which] * (1 - chance[which])).sum()) / which.sum()
        assert is_so[which].mean() == pytest.approx(chance[which].mean(), abs=error + 0.03)


def test_potential_ranks_what_is_worse_than_its_like():
    before = known([10.0, 1.0] * 20, 0.3)
    counts = pd.Series([10, 8] + [10, 1] * 19, index=before.predicted.index)
    exposure = pd.Series(1.0, index=counts.index)
    by_rate = rank_segments(before, counts, exposure, seed=0, draws=300)
    by_potential = rank_segments(before, counts, exposure, seed=0, draws=300, measure="potential")
    assert by_potential["rank"].iloc[1] == 1
    assert by_rate["rank"].iloc[1] > 20


@pytest.mark.parametrize("deviation", [0.4, 0.9, 1.4])
def test_limits_are_those_of_draws_where_little_is_known_of_a_prediction(deviation):
    """As of KSI on a class of few collisions: its coefficient may be off by a factor of two and more."""
    before = known([0.05, 0.6, 3.0], [0.5, 0.5, 0.5])
    before = replace(
        before,
        matrix=pd.DataFrame({"term": 1.0}, index=before.predicted.index),
        covariance=np.array([[deviation**2]]),
        nodes=np.array([0.01, 0.3, 1.2]),
        weights=np.array([0.4, 0.3, 0.3]),
    )
    counts = pd.Series([0, 2, 3], index=before.predicted.index)
    found = expected_counts(before, counts, pd.Series(1.0, index=counts.index))
    rng = np.random.default_rng(0)
    k = rng.choice(before.nodes, (400_000, 1), p=before.weights)
    m = before.predicted.to_numpy() * np.exp(rng.normal(0, deviation, (400_000, 1)))
    drawn = rng.standard_gamma(counts.to_numpy() + 1 / k) / (1 / m + k) * k
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    assert found["eb_per_km_year_low"].to_numpy() == pytest.approx(low, rel=0.12)
    assert found["eb_per_km_year_high"].to_numpy() == pytest.approx(high, rel=0.04)


def test_slices_of_the_normal_distribution_have_its_moments():
    middle, within, share = normal_slices(11)
    assert share.sum() == pytest.approx(1)
    assert share @ middle == pytest.approx(0, abs=1e-12)
    assert share @ (within + middle**2) == pytest.approx(1)
    assert (within[1:-1] < 0.06).all()


@pytest.mark.parametrize(("k", "said"), [(0.0, True), (1.0, False)])
def test_where_k_does_not_differ_from_0_it_is_said_that_estimates_are_predictions(k, said):
    """Counts are Poisson about their means: the likelihood has no lower limit of k above 0."""
    counts, exposure, classes, _ = network(500, k=k, seed=3, level=6.0)
    fitted = fit_performance(counts, exposure, classes)
    assert (fitted.overdispersion_low == 0) == said
    words = spread_words(fitted)
    assert (NO_SPREAD in words) == said
    table = models_table("ksi", fitted, estimated=True)
    row = table[(table["part"] == "model") & (table["name"] == "overdispersion")].iloc[0]
    assert (NO_SPREAD in row["says"]) == said
    places = pd.DataFrame({"ksi_eb_method": [WORDS["poisson"] + words, None]})
    assert list(predictions_only(places)) == (["ksi"] if said else [])
    rule = methods("k-means", predictions_only(places))["Shrunk rate"]
    assert (NO_SPREAD in rule) == said
