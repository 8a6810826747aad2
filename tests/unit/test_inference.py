"""The tests of clusters, against statsmodels, dense algebra, and draws whose truth is known."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import binom, binomtest

from geo.safety.comparison import moves
from geo.safety.comparison.contrast import Contrast, add_up, common_ratio, moved_scores, ratio_interval, score
from geo.safety.comparison.covariance import (
    RiskCovariance,
    correlation,
    fit_covariance,
    make_cells,
    restricted_loss,
)
from geo.safety.comparison.effects import cluster_table, with_tests
from geo.safety.comparison.heldout import Periods
from geo.safety.comparison.inference import COLUMNS, TEXTS, cluster_tests
from geo.safety.comparison.moves import find_areas, move_labels

NONE = RiskCovariance(0.0, 0.0, np.nan, 100)
SOME = RiskCovariance(0.4, 0.3, 150.0, 100)


def contrast(n=120, k=3, strata=4, covariance=NONE, seed=1, outcomes=1):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 1500, (n, 2))
    exposure = rng.uniform(0.05, 1.0, n)
    counts = rng.poisson(exposure[:, None] * 6.0, (n, outcomes)).astype(float)
    cells = make_cells(places)
    labels, groups = rng.integers(0, k, n), rng.integers(0, strata, n)
    plain = Contrast(counts, exposure, groups, labels, k, cells, np.eye(n), covariance)
    return plain.under(covariance), places


def regression(one, label, extra=None):
    """The Poisson regression on strata and one label, by statsmodels."""
    strata = (one.strata[:, None] == np.unique(one.strata)).astype(float)
    inside = (one.labels == label).astype(float)
    columns = [inside[:, None], strata] + ([] if extra is None else [extra])
    model = sm.GLM(
        one.counts[:, 0], np.column_stack(columns), family=sm.families.Poisson(), exposure=one.exposure
    )
    return model.fit(tol=1e-12)


# ratio, score and interval


@pytest.mark.parametrize("seed", range(3))
def test_a_common_ratio_is_the_coefficient_of_a_poisson_regression(seed):
    one, _ = contrast(seed=seed)
    observed, expected, ratio = common_ratio(add_up(one))
    for label in range(one.k):
        assert ratio[label, 0] == pytest.approx(np.exp(regression(one, label).params[0]), rel=1e-7)
    assert observed / expected == pytest.approx(ratio)


def test_without_strata_the_ratio_is_that_of_two_rates():
    one, _ = contrast(strata=1)
    ratio = common_ratio(add_up(one))[2][0, 0]
    inside = one.labels == 0
    totals = [np.array([part.sum()]) for part in (one.counts[inside, 0], one.exposure[inside])]
    others = [np.array([part.sum()]) for part in (one.counts[~inside, 0], one.exposure[~inside])]
    assert ratio == pytest.approx(totals[0][0] / totals[1][0] / (others[0][0] / others[1][0]))


def test_the_score_is_that_of_statsmodels_when_risk_does_not_vary():
    one, _ = contrast()
    sums = add_up(one)
    ours = score(one, sums, np.ones((one.k, 1))).studentised[:, 0]
    strata = (one.strata[:, None] == np.arange(4)).astype(float)
    model = sm.GLM(one.counts[:, 0], strata, family=sm.families.Poisson(), exposure=one.exposure)
    null = model.fit(tol=1e-12)
    for label in range(one.k):
        inside = (one.labels == label).astype(float)[:, None]
        theirs = model.score_test(null.params, exog_extra=inside)[0]
        assert ours[label] ** 2 == pytest.approx(float(np.squeeze(theirs)), rel=1e-6)


def dense(one, places, label, ratio):
    """Score and its variance written out with the full covariance matrix."""
    inside = one.labels == label
    p, base = np.zeros(len(inside)), np.zeros(len(inside))
    for stratum in np.unique(one.strata):
        mine = one.strata == stratum
        weighted = one.exposure[mine] * np.where(inside[mine], ratio, 1.0)
        p[mine] = weighted[inside[mine]].sum() / weighted.sum()
        base[mine] = one.counts[mine, 0].sum() / weighted.sum()
    mu = one.exposure * base * np.where(inside, ratio, 1.0)
    covariance = one.covariance.shared * np.outer(mu, mu) * np.exp(
        -cdist(places, places) / one.covariance.range_m
    ) + np.diag(mu + one.covariance.own * mu**2)
    weight = inside - p
    return weight @ (one.counts[:, 0] - mu), weight @ covariance @ weight


@pytest.mark.parametrize("ratio", [0.3, 1.0, 2.5])
def test_the_variance_of_a_score_is_the_full_quadratic_form(ratio):
    one, places = contrast(covariance=SOME)
    found = score(one, add_up(one), np.full((one.k, 1), ratio))
    for label in range(one.k):
        value, variance = dense(one, places, label, ratio)
        assert found.value[label, 0] == pytest.approx(value, abs=1e-9)
        assert found.variance[label, 0] == pytest.approx(variance)


@pytest.mark.parametrize("strata", [1, 4])
def test_labels_that_were_not_moved_have_the_score_of_the_data(strata):
    one, _ = contrast(covariance=SOME, strata=strata, outcomes=3)
    still = moved_scores(one, np.arange(120)[None])[0]
    assert still == pytest.approx(score(one, add_up(one), np.ones((3, 3))).studentised, rel=1e-5)


def test_moved_labels_are_scored_as_if_they_were_the_clusters():
    one, _ = contrast(covariance=SOME, outcomes=2)
    source = np.random.default_rng(3).permutation(120)
    moved = moved_scores(one, source[None])[0]
    other = Contrast(
        one.counts,
        one.exposure,
        one.strata,
        one.labels[source],
        one.k,
        one.cells,
        one.correlation,
        one.covariance,
    )
    assert moved == pytest.approx(score(other, add_up(other), np.ones((3, 2))).studentised, rel=1e-5)


def test_at_its_limits_an_interval_has_the_critical_score():
    one, _ = contrast(covariance=SOME)
    sums = add_up(one)
    ratio = common_ratio(sums)[2]
    critical = np.full(ratio.shape, 2.2)
    low, high = ratio_interval(one, sums, ratio, critical)
    assert (low < ratio).all()
    assert (ratio < high).all()
    assert score(one, sums, low).studentised == pytest.approx(critical, abs=1e-6)
    assert score(one, sums, high).studentised == pytest.approx(-critical, abs=1e-6)


def test_squares_of_a_large_network_give_nearly_the_variance_of_single_segments():
    one, places = contrast(n=600, covariance=SOME)
    cells = make_cells(places, cells=150)
    assert cells.side_m > 0
    assert len(cells.centre) <= 150
    rough = Contrast(
        one.counts,
        one.exposure,
        one.strata,
        one.labels,
        one.k,
        cells,
        correlation(cells, 150.0),
        one.covariance,
    )
    ones = np.ones((3, 1))
    fine = score(one, add_up(one), ones).variance
    assert score(rough, add_up(rough), ones).variance == pytest.approx(fine, rel=0.1)
    still = moved_scores(rough, np.arange(600)[None])[0]
    assert still == pytest.approx(score(rough, add_up(rough), ones).studentised, rel=1e-5)


# covariance of risk


def test_the_covariance_is_that_of_a_mixed_model_where_only_groups_share_risk():
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(40), 6)
    places = np.column_stack([groups * 1e5, np.zeros(240)])
    counts = 20 + rng.normal(0, 8, 40)[groups] + rng.normal(0, 7, 240)
    mean = np.full(240, counts.mean())
    ours = fit_covariance(counts, mean, np.ones((240, 1)), places)
    theirs = sm.MixedLM(counts, np.ones((240, 1)), groups).fit(reml=True)
    assert ours.shared * mean[0] ** 2 == pytest.approx(float(theirs.cov_re.squeeze()), rel=0.05)
    assert mean[0] + ours.own * mean[0] ** 2 == pytest.approx(float(theirs.scale), rel=0.05)


def test_redundant_columns_of_the_design_change_nothing():
    one, places = contrast()
    strata = (one.strata[:, None] == np.arange(4)).astype(float)
    counts = one.counts[:, 0]
    mean = one.exposure * counts.sum() / one.exposure.sum()
    alone = fit_covariance(counts, mean, strata, places)
    twice = fit_covariance(counts, mean, np.column_stack([strata, strata.sum(axis=1)]), places)
    assert twice.own == pytest.approx(alone.own, rel=1e-6)


@pytest.mark.parametrize(("n", "events"), [(10, 500), (100, 12)])
def test_too_little_for_a_covariance_is_said(n, events):
    found = fit_covariance(
        np.full(n, events / n),
        np.full(n, events / n),
        np.ones((n, 1)),
        np.random.default_rng(0).random((n, 2)),
    )
    assert (found.own, found.shared) == (0.0, 0.0)
    assert f"{n} segments and" in found.reason


# moving the map


def test_neighbours_stay_together_when_the_map_is_moved():
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 2000, (500, 2))
    labels = (places // 500).astype(int) @ [1, 4] % 4
    pairs = np.argwhere(np.triu(cdist(places, places) < 60, 1))

    def alike(values):
        return (values[pairs[:, 0]] == values[pairs[:, 1]]).mean()

    moved = labels[move_labels(places, np.zeros(500, int), 50, seed=1)]
    together = np.mean([alike(one) for one in moved])
    assert alike(labels) - 0.1 < together < alike(labels) + 0.1
    assert alike(rng.permutation(labels)) < 0.4


def test_each_move_is_another_and_the_seed_gives_them_again():
    places = np.random.default_rng(5).uniform(0, 2000, (80, 2))
    areas = find_areas(places)
    first, again, other = (move_labels(places, areas, 20, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert len(np.unique(first, axis=0)) == 20


def test_areas_that_lie_apart_exchange_maps_and_small_ones_only_receive():
    rng = np.random.default_rng(6)
    west, east = rng.uniform(0, 800, (60, 2)), rng.uniform([5000, 0], [5800, 800], (60, 2))
    stray = np.array([[20000.0, 0.0]])
    places = np.vstack([east, stray, west])
    areas = find_areas(places)
    assert (areas[120], areas[0], areas[60]) == (0, 1, 2)
    moves = move_labels(places, areas, 200, seed=1)
    given = areas[moves]
    assert set(np.unique(given)) == {0, 1}
    from_west = (given[:, 0] == 0).mean()
    assert 0.35 < from_west < 0.65
    assert (given[:, 0] != given[:, 120]).all()


# the table


def town(seed=1, side=17, effect=1.0, total=600.0, variance=0.3, range_m=150.0, clusters=4):
    """Segments on a lattice of streets; clusters and risk are smooth fields that know nothing of each other."""
    rng = np.random.default_rng(seed)
    grid = np.arange(side) * 120.0
    places = np.column_stack([axis.ravel() for axis in np.meshgrid(grid, grid)]) + rng.uniform(
        -20, 20, (side**2, 2)
    )
    root = np.linalg.cholesky(np.exp(-cdist(places, places) / range_m) + 1e-8 * np.eye(len(places)))
    cluster = np.argmax(root @ rng.standard_normal((len(places), clusters)), axis=1) + 1
    risk = np.exp(np.sqrt(variance) * (root @ rng.standard_normal(len(places))) - variance / 2)
    length = rng.uniform(50, 200, len(places))
    mean = total * length / length.sum() * risk * np.where(cluster == 1, effect, 1.0)
    collisions = rng.poisson(mean)
    ksi = rng.binomial(collisions, 0.2)
    return pd.DataFrame(
        {
            "cluster": pd.array(cluster, "Int64"),
            "road_class": rng.choice(["residential", "tertiary"], len(places)),
            "length_m": length,
            "counted_m": length,
            "years": 5.0,
            "x": places[:, 0],
            "y": places[:, 1],
            "n_collisions": pd.array(collisions, "Int64"),
            "n_ksi": pd.array(ksi, "Int64"),
        },
        index=pd.Index([f"s{i:04d}" for i in range(len(places))], name="segment_id"),
    )


def compare(frame, outcomes=("n_collisions", "n_ksi"), *comparisons, permutations, seed=0, **more):
    """Test clusters by all collisions and by KSI, unless others are asked for."""
    return cluster_tests(frame, outcomes, *comparisons, permutations=permutations, seed=seed, **more)


@pytest.fixture(scope="module")
def tested():
    return compare(town(effect=2.5), permutations=199)


def test_there_is_a_row_for_each_cluster_outcome_and_comparison(tested):
    assert list(tested.columns) == list(COLUMNS)
    assert len(tested) == 4 * 2 * 2
    assert not tested.duplicated(["cluster", "outcome", "comparison"]).any()
    assert tested["reason"].isna().all()
    assert tested["method"].str.contains("199 times").all()
    assert (tested["n"].groupby([tested["outcome"], tested["comparison"]]).sum() == 17**2).all()
    assert (tested["observed"] / tested["expected"]).to_numpy(float) == pytest.approx(tested["ratio"])


def test_what_is_there_is_found(tested):
    mine = tested[(tested["cluster"] == 1) & (tested["outcome"] == "n_collisions")]
    assert (mine["ratio"] > 1.5).all()
    assert (mine["q_value"] < 0.05).all()
    assert (mine["low"] > 1).all()


def test_p_is_never_zero_and_a_count_of_maps(tested):
    counted = tested["p_value"] * 200
    assert counted.to_numpy() == pytest.approx(np.round(counted))
    assert (tested["p_value"] >= 1 / 200).all()


def test_an_interval_leaves_out_one_where_p_is_at_most_five_percent():
    for seed in range(4):
        table = compare(town(seed=seed, effect=1.4), permutations=99)
        outside = (table["low"] > 1) | (table["high"] < 1)
        assert (outside == (table["p_value"] <= 0.05)).all()


def test_the_order_of_segments_changes_nothing(tested):
    frame = town(effect=2.5).sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(compare(frame, permutations=199), tested)


def test_the_adjusted_ratio_within_class_is_near_the_ratio_within_class_where_town_has_no_centre(tested):
    same = tested[tested["comparison"] == "same class"]
    assert np.log(same["ratio_adjusted"]).to_numpy() == pytest.approx(
        np.log(same["ratio"]).to_numpy(), abs=0.4
    )
    assert (same["adjusted_for"] == "road_class, part of town").all()


def test_a_covariate_that_explains_the_difference_takes_it_away():
    frame, rng = town(), np.random.default_rng(1)
    traffic = rng.normal(0, 0.5, len(frame)) + 0.8 * (frame["cluster"] == 1)
    frame["log_traffic"] = traffic
    frame["n_collisions"] = rng.poisson(3 * np.exp(traffic) * frame["counted_m"] / 125)
    table = compare(frame, ["n_collisions"], covariates=["log_traffic"], permutations=99)
    mine = table[(table["cluster"] == 1) & (table["comparison"] == "same class")].iloc[0]
    assert mine["ratio"] > 1.8
    assert mine["ratio_adjusted_low"] < 1 < mine["ratio_adjusted_high"]
    assert mine["ratio_adjusted"] == pytest.approx(1, abs=0.25)
    assert mine["adjusted_for"] == "road_class, log_traffic, part of town"


def test_traffic_bands_are_strata_of_their_own():
    frame = town(effect=2.0)
    frame["traffic_band"] = np.where(frame["cluster"] == 1, "busy", "quiet")
    frame.loc[frame.index[::9], "traffic_band"] = None
    bands = {"same class and traffic": ("road_class", "traffic_band")}
    table = compare(frame, ["n_collisions"], bands, permutations=99)
    mine = table[table["cluster"] == 1].iloc[0]
    inside = frame["cluster"] == 1
    assert mine["n"] == (inside & frame["traffic_band"].isna()).sum()
    assert 0 < mine["share_compared"] < 0.3


def test_neighbouring_risk_does_not_pass_for_an_effect_of_clusters():
    draws, naive, ours = 60, 0, 0
    for seed in range(draws):
        frame = town(seed=1000 + seed, side=13, total=500.0, variance=0.5, range_m=250.0)
        table = compare(frame, ["n_collisions"], {"all": ()}, permutations=99, seed=seed)
        ours += (table["p_value"] <= 0.05).sum() / len(table)
        inside = (frame["cluster"] == table["cluster"].iloc[0]).to_numpy()
        events, length = frame["n_collisions"].to_numpy(float), frame["counted_m"].to_numpy()
        share = binomtest(int(events[inside].sum()), int(events.sum())).proportion_ci(0.95, method="exact")
        part = length[inside].sum() / length.sum()
        naive += int(not share.low <= part <= share.high)
    assert naive > draws * 0.3
    assert ours <= binom.ppf(0.999, draws, 0.05)


# bad input


def rows(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    return table


def test_no_collision_at_all_is_said():
    table = compare(town().assign(n_collisions=0, n_ksi=0), permutations=19)
    assert len(table) == 16
    assert table[["ratio", "low", "high", "p_value", "q_value", "ratio_adjusted"]].isna().all(axis=None)
    assert (table["observed"] == 0).all()
    assert (table["reason"] == "no collisions of this kind").all()


def test_one_cluster_has_nothing_to_be_compared_with():
    table = compare(town().assign(cluster=1), permutations=19)
    assert len(table) == 4
    assert table[["ratio", "p_value"]].isna().all(axis=None)
    assert (table["reason"] == "one cluster only: no other roads to compare with").all()


def test_a_cluster_without_collisions_has_ratio_zero_and_an_upper_limit():
    frame = town(total=1500.0)
    frame.loc[frame["cluster"] == 2, ["n_collisions", "n_ksi"]] = 0
    row = rows(compare(frame, permutations=99), cluster=2, outcome="n_collisions").iloc[0]
    assert (row["ratio"], row["low"]) == (0.0, 0.0)
    assert 0 < row["high"] < 1
    assert row["p_value"] <= 0.05
    assert (row["ratio_adjusted"], row["ratio_adjusted_low"]) == (0.0, 0.0)
    assert 0 < row["ratio_adjusted_high"] < 1
    assert row["q_value"] < 0.05


def test_collisions_on_one_cluster_alone_leave_no_ratio():
    frame = town()
    frame.loc[frame["cluster"] != 1, ["n_collisions", "n_ksi"]] = 0
    table = compare(frame, ["n_collisions"], permutations=19)
    mine = rows(table, cluster=1)
    assert mine[["ratio", "p_value"]].isna().all(axis=None)
    assert (mine["reason"] == "no collisions on the roads compared with").all()


def test_a_class_with_one_segment_is_left_out_of_comparisons_within_class():
    frame = town()
    frame.loc[frame.index[7], "road_class"] = "trunk"
    cluster = frame["cluster"].iloc[7]
    row = rows(compare(frame, permutations=19), cluster=cluster, comparison="same class").iloc[0]
    assert row["n"] == (frame["cluster"] == cluster).sum() - 1
    assert row["share_compared"] < 1
    assert np.isfinite(row["p_value"])


def test_a_cluster_that_is_all_of_its_class_is_compared_with_all_roads_only():
    frame = town()
    frame.loc[frame["cluster"] == 3, "road_class"] = "trunk"
    table = rows(compare(frame, permutations=19), cluster=3, outcome="n_collisions").set_index("comparison")
    assert np.isfinite(table.loc["all clustered roads", "p_value"])
    assert np.isnan(table.loc["same class", "p_value"])
    assert table.loc["same class", "reason"] == "no other clustered roads are of its classes"
    assert table.loc["same class", "n"] == 0


def test_fewer_than_twenty_collisions_are_not_tested():
    frame = town(total=600.0)
    frame["n_fatal"] = 0
    frame.loc[frame.index[:12], "n_fatal"] = 1
    table = rows(compare(frame, ("n_collisions", "n_fatal"), permutations=19), outcome="n_fatal")
    assert table["p_value"].isna().all()
    assert table["reason"].str.startswith("12 collisions of this kind").any()
    assert table["observed"].sum() == 24


def test_outcomes_that_records_do_not_tell_are_null_with_a_reason():
    frame = town().assign(n_ksi=pd.array([pd.NA] * 17**2, "Int64"))
    table = compare(frame, permutations=19)
    untold = rows(table, outcome="n_ksi")
    assert len(untold) == 8
    assert untold[["observed", "ratio", "p_value"]].isna().all(axis=None)
    assert (untold["reason"] == "not known on every segment").all()
    assert rows(table, outcome="n_collisions")["p_value"].notna().all()


def test_an_outcome_without_a_column_is_no_outcome_that_is_left_out():
    with pytest.raises(KeyError, match="n_pedestrian_collisions"):
        compare(town(), ("n_collisions", "n_pedestrian_collisions"), permutations=19)


def test_segments_without_cluster_years_length_or_place_are_in_no_comparison():
    frame = town()
    frame.loc[frame.index[:5], "cluster"] = pd.NA
    frame.loc[frame.index[5:8], "years"] = np.nan
    frame.loc[frame.index[8:10], "counted_m"] = 0.0
    frame.loc[frame.index[10:12], "x"] = np.nan
    table = compare(frame, permutations=19)
    pd.testing.assert_frame_equal(table, compare(frame.iloc[12:], permutations=19))
    assert rows(table, comparison="all clustered roads", outcome="n_ksi")["n"].sum() == 17**2 - 12


@pytest.mark.parametrize("n", [0, 1, 2, 12])
def test_hardly_any_rows_give_a_table_with_reasons(n):
    table = compare(town().iloc[:n], permutations=19)
    assert list(table.columns) == list(COLUMNS)
    assert table["p_value"].isna().all()
    assert table["reason"].notna().all()
    assert (len(table) == 0) == (n == 0)


def test_years_that_are_not_known_leave_no_row():
    assert compare(town().assign(years=np.nan), permutations=19).empty


def test_all_segments_at_one_place_are_no_reason_to_fail():
    table = compare(town().assign(x=0.0, y=0.0), permutations=19)
    assert table["p_value"].notna().any()


def test_too_few_maps_for_an_interval_leave_it_open():
    table = compare(town(), ["n_collisions"], permutations=9)
    assert (table["low"] == 0).all()
    assert np.isinf(table["high"]).all()


def test_no_maps_at_all_leave_no_test():
    table = compare(town(), ["n_collisions"], permutations=0)
    assert table["p_value"].isna().all()
    assert table["ratio"].notna().all()
    assert (table["reason"] == "no permutations asked for").all()


def test_texts_are_text_or_null(tested):
    for name in TEXTS:
        assert tested[name].map(lambda value: value is None or isinstance(value, str)).all()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_small_table_gives_values_that_hang_together(data):
    n = data.draw(st.integers(1, 60))
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    frame = town().iloc[:n].copy()
    frame["cluster"] = pd.array(rng.integers(1, data.draw(st.integers(2, 5)), n), "Int64")
    frame["n_collisions"] = rng.poisson(data.draw(st.floats(0, 8)), n)
    table = compare(frame, ["n_collisions"], permutations=19)
    known = table[table["p_value"].notna()]
    assert known["p_value"].between(1 / 20, 1).all()
    judged = table[table["q_value"].notna()]
    assert (judged["q_value"] >= judged["p_value_adjusted"] - 1e-12).all()
    assert (known["low"] <= known["ratio"] + 1e-9).all()
    assert (known["ratio"] <= known["high"] + 1e-9).all()
    assert table.loc[table["p_value"].isna(), "reason"].notna().all()


# regression and held-out years


def periods(frame, rng, effect=None):
    first = frame[["n_collisions"]].copy()
    first["n_collisions"] = rng.binomial(frame["n_collisions"].astype(int), 0.6)
    last = frame[["n_collisions"]] - first
    if effect is not None:
        last.loc[frame["cluster"] == 1, "n_collisions"] *= effect
    return Periods(first, last, 3.0, 2.0)


def test_an_effect_that_lasts_holds_in_the_last_years():
    frame = town(effect=2.5, total=1500.0)
    table = compare(
        frame, ["n_collisions"], permutations=99, periods=periods(frame, np.random.default_rng(1))
    )
    mine = rows(table, cluster=1)
    assert (mine["held_out_low"] < 1).all()
    assert (mine["held_out_high"] > 1).all()
    assert (mine["held_out_result"] == "same direction, size as the first years predict").all()
    assert (mine["observed_last"] / mine["expected_last"]).to_numpy(float) == pytest.approx(mine["held_out"])
    assert (mine["ratio_last"] / mine["ratio_first"]).to_numpy() == pytest.approx(mine["held_out"])


def test_an_effect_that_grows_is_told_from_one_that_lasts():
    frame = town(effect=1.5, total=3000.0)
    table = compare(
        frame, ["n_collisions"], permutations=99, periods=periods(frame, np.random.default_rng(1), effect=4)
    )
    mine = rows(table, cluster=1)
    assert (mine["held_out_low"] > 1).all()
    assert (mine["held_out_result"] == "same direction, another size").all()


def test_one_period_is_not_checked_and_says_so(tested):
    assert tested["held_out"].isna().all()
    assert (tested["held_out_result"] == "not checked: the records are of one period").all()


def test_a_period_without_collisions_is_not_checked():
    frame = town()
    none = frame[["n_collisions"]] * 0
    for first, last in ((frame, none), (none, frame)):
        table = compare(frame, ["n_collisions"], permutations=19, periods=Periods(first, last, 3.0, 2.0))
        assert table["held_out"].isna().all()
        assert table["held_out_result"].str.startswith("not checked").all()


def test_cells_of_few_segments_are_the_segments():
    places = np.random.default_rng(0).random((20, 2))
    cells = make_cells(places)
    assert cells.side_m == 0
    assert (cells.centre == places).all()
    assert (correlation(cells, np.nan) == np.eye(20)).all()


# the table of clusters


def test_clusters_get_ratios_p_and_intervals_of_the_tests_and_none_where_there_was_none():
    frame = town(effect=2.5)
    frame.loc[frame["cluster"] == 3, "road_class"] = "trunk"
    tests = compare(frame, permutations=99)
    plain = cluster_table(frame)
    found = with_tests(plain, tests).set_index("cluster")
    for comparison, part in (("all clustered roads", ""), ("same class", "_in_class")):
        theirs = rows(tests, outcome="n_ksi", comparison=comparison).set_index("cluster")
        for ours, name in (
            (f"p_value{part}", "p_value_adjusted"),
            (f"q_value{part}", "q_value"),
            (f"rate_ratio{part}", "ratio"),
            (f"rate_ratio{part}_adjusted", "ratio_adjusted"),
            (f"rate_ratio{part}_adjusted_low", "ratio_adjusted_low"),
        ):
            assert found[ours].to_numpy() == pytest.approx(theirs[name].to_numpy(), nan_ok=True)
    assert found["rate_ratio"].to_numpy() == pytest.approx(plain["rate_ratio"])
    # a class of its own is compared with nothing: no ratio, and no interval that would claim one
    assert found.loc[3, [name for name in found if "in_class" in name]].isna().all()
    assert found.loc[3, "interval"].endswith(
        "in class: not tested: no other clustered roads are of its classes"
    )


def test_types_say_whether_their_ratios_are_at_like_traffic():
    frame = town().assign(log_aadt=8.0)
    frame["log_aadt"] += np.arange(len(frame)) % 7 / 3
    plain = with_tests(cluster_table(frame), compare(frame, permutations=0))["interval"]
    like = with_tests(cluster_table(frame), compare(frame, permutations=0, covariates=["log_aadt"]))[
        "interval"
    ]
    assert not plain.str.contains("traffic").any()
    assert like.str.count("with like traffic where it is known").eq(2).all()


def test_a_table_of_no_clusters_stays_empty():
    none = town().iloc[:0]
    assert with_tests(cluster_table(none), compare(none, permutations=19)).empty


def test_in_a_large_town_labels_come_from_the_nearest_place_of_a_fine_square(monkeypatch):
    rng = np.random.default_rng(2)
    places = rng.uniform(0, 5000, (3000, 2))
    areas = np.zeros(len(places), dtype=np.int64)
    exact = move_labels(places, areas, 5, seed=1)
    monkeypatch.setattr(moves, "MANY", 0)
    found = move_labels(places, areas, 5, seed=1)
    apart = np.hypot(*(places[found] - places[exact]).transpose(2, 0, 1))
    assert (found == exact).mean() > 0.9
    assert np.quantile(apart, 0.99) < 200


# 40 counts, whole metres, drawn once
NLME = np.loadtxt(
    StringIO(
        """
    1417 937 0 1026 1345 3 867 1163 0 1250 337 1 83 450 1 427 1310 3 1368 7 1 749 1231 2
    197 1195 3 178 701 9 1224 454 3 512 417 1 1079 382 0 1485 667 0 717 756 3 873 830 1
    764 1493 4 1211 1188 1 1050 933 1 511 1483 2 699 322 0 1267 240 5 1286 918 0 172 65 0
    667 53 3 212 772 0 1455 699 1 1212 1375 0 1235 943 0 662 771 2 399 745 3 569 371 1
    1489 17 3 145 288 1 1453 1038 0 1322 300 2 1081 554 2 733 5 8 926 1245 2 995 231 3
    """
    )
).reshape(40, 3)


def test_the_covariance_of_risk_is_that_of_rs_nlme():
    # R 4.2, nlme 3.1-162: gls(n ~ 1, d, correlation = corExp(c(200, .5), form = ~x + y, nugget = TRUE),
    #                          method = "REML"): range 622.96, nugget 0.77237544, sigma 2.1046917
    places, counts = NLME[:, :2], NLME[:, 2]
    one = np.ones(40)
    found = fit_covariance(counts, one, one[:, None], places)
    sigma, nugget, range_m = 2.1046917, 0.77237544, 622.96
    # likelihoods near the maximum differ by less than the search can tell
    assert found.shared == pytest.approx((1 - nugget) * sigma**2, rel=0.05)
    assert found.own + 1 == pytest.approx(nugget * sigma**2, rel=0.05)
    assert found.range_m == pytest.approx(range_m, rel=0.15)


def test_restricted_likelihoods_differ_as_those_of_rs_nlme():
    # gls(..., corExp(c(range, nugget), nugget = TRUE, fixed = TRUE), method = "REML") with nugget 5.7 / 10.2:
    # logLik and sigma^2 at ranges of 100, 200 and 400 m
    theirs = {
        100: (-84.74702, 4.211275022),
        200: (-84.75456145, 4.439657447),
        400: (-84.66027568, 4.857488852),
    }
    places, residual, one = NLME[:, :2], NLME[:, 2] - 1, np.ones(40)
    tile = [(one, residual, one[:, None], cdist(places, places))]
    nugget = 5.7 / 10.2
    ours = {
        at: restricted_loss(tile, nugget * sigma2 - 1, (1 - nugget) * sigma2, float(at))
        for at, (_, sigma2) in theirs.items()
    }
    for at in (200, 400):
        assert ours[at] - ours[100] == pytest.approx(-2 * (theirs[at][0] - theirs[100][0]), abs=1e-4)
