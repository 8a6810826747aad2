"""Counts, rates, intervals, shrinkage and the comparison of clusters, against tables, theory and other libraries."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import poisson

from geo.safety.comparison.effects import cluster_table
from geo.safety.expected.shrinkage import fit_prior, shrink
from geo.safety.rates import (
    count_severities,
    junction_rates,
    poisson_interval,
    segment_rates,
    years_of,
)

ALL = frozenset({"fatal", "serious", "slight"})


def collisions(*rows):
    return pd.DataFrame(rows, columns=["segment_id", "severity"])


def roads(**columns):
    """Segments as the comparison of clusters takes them: one kilometre and one year each, unless said."""
    frame = pd.DataFrame(columns)
    given = {"cluster": 1, "road_class": "residential", "length_m": 1000.0, "years": 1.0, "n_collisions": 0}
    frame = frame.assign(**{name: value for name, value in given.items() if name not in frame})
    if "counted_m" not in frame:
        frame["counted_m"] = frame["length_m"]
    for name in ("cluster", "n_collisions", "n_ksi"):
        frame[name] = (
            frame[name].astype("Int64") if name in frame else pd.array([pd.NA] * len(frame), "Int64")
        )
    return frame


# years


@pytest.mark.parametrize(
    ("first", "last", "years"),
    [
        (date(2023, 1, 1), date(2023, 12, 31), 1.0),
        (date(2024, 1, 1), date(2024, 12, 31), 1.0),
        (date(2020, 1, 1), date(2024, 12, 31), 5.0),
        (date(2024, 2, 1), date(2024, 2, 29), 29 / 366),
        (date(2023, 12, 31), date(2024, 1, 1), 1 / 365 + 1 / 366),
        (date(2023, 6, 1), date(2023, 6, 1), 1 / 365),
    ],
)
def test_a_calendar_year_is_one_year_whether_leap_or_not(first, last, years):
    assert years_of(first, last) == pytest.approx(years, abs=1e-12)


# intervals

GARWOOD = {  # Garwood 1936, table of the 95 % limits of a Poisson mean
    0: (0.0, 3.689),
    1: (0.0253, 5.572),
    2: (0.242, 7.225),
    3: (0.619, 8.767),
    5: (1.623, 11.668),
    10: (4.795, 18.390),
    50: (37.11, 65.92),
    100: (81.36, 121.63),
}


def test_intervals_are_those_of_the_published_table():
    low, high = poisson_interval(list(GARWOOD))
    assert low == pytest.approx([limits[0] for limits in GARWOOD.values()], abs=0.006)
    assert high == pytest.approx([limits[1] for limits in GARWOOD.values()], abs=0.006)


def test_limits_leave_half_of_the_rest_in_each_tail():
    count = np.arange(1, 300)
    low, high = poisson_interval(count, level=0.9)
    assert poisson.sf(count - 1, low) == pytest.approx(0.05)
    assert poisson.cdf(count, high) == pytest.approx(0.05)


@pytest.mark.parametrize("mean", [0.05, 0.3, 1.0, 2.7, 9.0, 40.0])
def test_intervals_cover_the_true_rate_at_least_as_often_as_they_say(mean):
    count = np.arange(400)
    low, high = poisson_interval(count)
    covered = poisson.pmf(count, mean)[(low <= mean) & (mean <= high)].sum()
    assert covered >= 0.95


def test_intervals_of_drawn_counts_cover_the_rate_they_were_drawn_from():
    rng = np.random.default_rng(11)
    exposure = rng.uniform(0.05, 2.0, 20_000)
    low, high = poisson_interval(rng.poisson(1.3 * exposure), exposure)
    assert ((low <= 1.3) & (high >= 1.3)).mean() >= 0.95


def test_an_interval_without_exposure_or_count_is_null():
    low, high = poisson_interval([3.0, np.nan, 3.0], [0.0, 1.0, np.nan])
    assert np.isnan(low).all()
    assert np.isnan(high).all()


# counts and rates


def test_collisions_count_once_each_by_severity():
    records = collisions(
        ("a", "fatal"), ("a", "serious"), ("a", "slight"), ("a", None), ("b", "slight"), (None, "fatal")
    )
    counts = count_severities(records, "segment_id", pd.Index(["a", "b", "c"]), ALL)
    assert counts.loc["a"].to_dict() == {
        "n_collisions": 4,
        "n_fatal": 1,
        "n_serious": 1,
        "n_slight": 1,
        "n_ksi": 2,
        "n_severity_unknown": 1,
    }
    assert counts.loc["b", ["n_collisions", "n_ksi"]].tolist() == [1, 0]
    assert counts.loc["c"].tolist() == [0] * 6


@pytest.mark.parametrize("told", [{"fatal", "slight"}, {"serious", "slight"}, set()])
def test_ksi_is_null_not_zero_when_the_source_cannot_tell_it(told):
    counts = count_severities(collisions(("a", "slight")), "segment_id", pd.Index(["a", "b"]), told)
    assert counts["n_ksi"].isna().all()
    for severity in ALL - told:
        assert counts[f"n_{severity}"].isna().all()
    assert counts["n_collisions"].tolist() == [1, 0]
    rates = segment_rates(counts, pd.Series([100.0, 100.0], index=["a", "b"]), 1.0)
    assert rates.filter(like="ksi").isna().all(axis=None)
    assert rates["collisions_per_km_year"].tolist() == [10.0, 0.0]


def test_no_collision_at_all_is_zero_everywhere():
    counts = count_severities(collisions(), "segment_id", pd.Index(["a", "b"]), ALL)
    assert (counts == 0).all(axis=None)


def test_a_collision_on_a_segment_that_does_not_exist_is_no_silent_loss():
    with pytest.raises(AssertionError, match="not in the index"):
        count_severities(collisions(("gone", "slight")), "segment_id", pd.Index(["a"]), ALL)


def test_a_rate_is_per_kilometre_and_year():
    counts = count_severities(collisions(("a", "fatal"), ("a", "slight")), "segment_id", pd.Index(["a"]), ALL)
    rates = segment_rates(counts, pd.Series([250.0], index=["a"]), 4.0).loc["a"]
    assert rates["years"] == 4.0
    assert rates["collisions_per_km_year"] == 2.0
    assert rates["ksi_per_km_year"] == 1.0
    assert rates["ksi_per_km_year_low"] == pytest.approx(GARWOOD[1][0], abs=1e-4)
    assert rates["ksi_per_km_year_high"] == pytest.approx(GARWOOD[1][1], abs=1e-3)


def test_junctions_have_rates_per_year():
    records = pd.DataFrame({"junction_id": ["j"] * 10, "severity": ["slight"] * 10})
    counts = count_severities(records, "junction_id", pd.Index(["j", "k"]), ALL)
    rates = junction_rates(counts, 5.0)
    assert rates["collisions_per_year"].tolist() == [2.0, 0.0]
    assert rates.loc["j", "collisions_per_year_high"] == pytest.approx(GARWOOD[10][1] / 5, abs=1e-3)
    assert rates["ksi_per_year"].tolist() == [0.0, 0.0]


def test_years_that_are_not_known_leave_no_rate():
    counts = count_severities(collisions(("a", "fatal")), "segment_id", pd.Index(["a"]), ALL)
    assert segment_rates(counts, pd.Series([100.0], index=["a"]), None).isna().all(axis=None)
    assert junction_rates(counts, None).isna().all(axis=None)


# shrinkage


def drawn(n, mean, shape, seed):
    """Counts and exposure of roads whose rates are drawn from a gamma distribution."""
    rng = np.random.default_rng(seed)
    exposure = rng.gamma(2.0, 0.4, n) + 0.02
    rates = rng.gamma(shape, mean / shape, n) if np.isfinite(shape) else np.full(n, mean)
    return pd.Series(rng.poisson(rates * exposure)), pd.Series(exposure), rates


@pytest.mark.parametrize(("n", "mean", "shape"), [(400, 0.8, 1.5), (2000, 0.2, 0.5), (200, 3.0, 5.0)])
def test_the_prior_is_that_of_a_negative_binomial_regression(n, mean, shape):
    counts, exposure, _ = drawn(n, mean, shape, seed=3)
    ours = fit_prior(counts.to_numpy(float), exposure.to_numpy())
    model = sm.NegativeBinomial(counts, np.ones((n, 1)), exposure=exposure)
    theirs = model.fit(disp=0, maxiter=2000, gtol=1e-8).params.to_numpy()
    assert ours[0] == pytest.approx(np.exp(theirs[0]), rel=1e-4)
    assert ours[1] == pytest.approx(1 / theirs[1], rel=1e-3)


def test_estimates_add_up_to_the_events():
    counts, exposure, _ = drawn(500, 1.2, 0.8, seed=5)
    found = shrink(counts, exposure, pd.Series(["primary"] * 500))
    assert (found["estimate"] * exposure).sum() == pytest.approx(counts.sum(), rel=1e-6)


def test_shrunk_rates_are_nearer_to_the_truth_and_their_limits_cover_it():
    counts, exposure, truth = drawn(4000, 1.0, 1.2, seed=7)
    found = shrink(counts, exposure, pd.Series(["primary"] * 4000))
    raw = counts / exposure
    assert ((found["estimate"] - truth) ** 2).mean() < 0.5 * ((raw - truth) ** 2).mean()
    covered = ((found["low"] <= truth) & (truth <= found["high"])).mean()
    assert covered == pytest.approx(0.95, abs=0.012)


def test_a_short_segment_is_shrunk_more_than_a_long_one_of_the_same_rate():
    counts, exposure, _ = drawn(300, 1.0, 1.0, seed=9)
    counts.iloc[:2], exposure.iloc[:2] = [1, 20], [0.1, 2.0]
    found = shrink(counts, exposure, pd.Series(["primary"] * 300))
    short, long = found["estimate"].iloc[:2]
    mean = found["prior_mean"].iloc[0]
    assert mean < short < long < 10.0


def test_classes_have_their_own_prior_and_small_ones_that_of_the_network():
    busy, exposure, _ = drawn(300, 1.0, 2.0, seed=13)
    quiet, _, _ = drawn(300, 0.1, 2.0, seed=13)
    few_roads, few_events = pd.Series([9] * 10), pd.Series([0] * 46 + [1] * 4)
    counts = pd.concat([busy, quiet, few_roads, few_events], ignore_index=True)
    groups = pd.Series(["primary"] * 300 + ["residential"] * 300 + ["trunk"] * 10 + ["service"] * 50)
    lengths = pd.concat([exposure, exposure, exposure[:10], exposure[:50]], ignore_index=True)
    found = shrink(counts, lengths, groups)
    by = found.groupby(groups)[["prior_mean", "prior_shape", "prior"]]
    assert (by.first() == by.last()).all(axis=None)
    prior = by.first()
    assert prior["prior"].to_dict() == {
        "primary": "group",
        "residential": "group",
        "service": "network",
        "trunk": "network",
    }
    network = fit_prior(counts.to_numpy(float), lengths.to_numpy())
    assert prior.loc["trunk", ["prior_mean", "prior_shape"]].tolist() == list(network)
    mean = prior["prior_mean"]
    assert mean["residential"] < mean["service"] < mean["primary"]


def test_roads_that_differ_by_chance_alone_all_get_the_mean_of_their_class():
    exposure = pd.Series(np.full(100, 0.5))
    counts = pd.Series([1, 2] * 50)
    found = shrink(counts, exposure, pd.Series(["primary"] * 100))
    assert found["estimate"].to_numpy() == pytest.approx(3.0, rel=1e-3)


def test_without_any_event_the_estimate_is_zero_and_its_limits_are_not_known():
    found = shrink(pd.Series([0] * 30), pd.Series([1.0] * 30), pd.Series(["primary"] * 30))
    assert (found["estimate"] == 0).all()
    assert found[["low", "high"]].isna().all(axis=None)


def test_unknown_counts_and_missing_exposure_are_left_null_and_change_nothing_else():
    counts, exposure, _ = drawn(60, 1.0, 1.0, seed=15)
    groups = pd.Series(["primary"] * 60)
    alone = shrink(counts, exposure, groups)
    more = shrink(
        pd.concat([counts.astype("Int64"), pd.Series([pd.NA, 5], dtype="Int64")], ignore_index=True),
        pd.concat([exposure, pd.Series([1.0, 0.0])], ignore_index=True),
        pd.Series(["primary"] * 62),
    )
    pd.testing.assert_frame_equal(more.iloc[:60], alone)
    assert more.iloc[60:].isna().all(axis=None)
    unknown = shrink(pd.Series([pd.NA] * 3, dtype="Int64"), exposure.iloc[:3], groups.iloc[:3])
    assert unknown.isna().all(axis=None)


def test_estimates_do_not_depend_on_the_order_of_segments():
    counts, exposure, _ = drawn(200, 0.7, 1.0, seed=17)
    groups = pd.Series(["primary", "residential"] * 100)
    order = np.random.default_rng(0).permutation(200)
    there = shrink(counts, exposure, groups)
    back = shrink(counts.iloc[order], exposure.iloc[order], groups.iloc[order]).sort_index()
    pd.testing.assert_frame_equal(back, there, rtol=1e-5)


# comparison of clusters


def test_a_cluster_is_compared_with_all_other_clustered_roads():
    table = cluster_table(
        roads(cluster=[1, 1, 2, None], length_m=[500.0, 1500.0, 1000.0, 1e6], years=5.0, n_ksi=[4, 6, 10, 99],
              n_collisions=[8, 12, 30, 999])
    ).set_index("cluster")  # fmt: skip
    assert table["n_segments"].tolist() == [2, 1]
    assert table["length_km"].tolist() == [2.0, 1.0]
    assert table["n_ksi"].tolist() == [10, 10]
    assert table["n_collisions"].tolist() == [20, 30]
    assert table["ksi_per_km_year"].tolist() == [1.0, 2.0]
    assert table["low"].tolist() == pytest.approx([GARWOOD[10][0] / 10, GARWOOD[10][0] / 5], abs=1e-3)
    assert table["rate_ratio"].tolist() == [0.5, 2.0]
    # what is not tested has no interval, and no ratio within class
    assert table[["rate_ratio_low", "rate_ratio_high", "rate_ratio_in_class"]].isna().all(axis=None)
    assert set(table["outcome"]) == {"ksi"}
    assert table[["p_value", "q_value"]].isna().all(axis=None)


def test_where_ksi_is_not_known_all_collisions_are_compared():
    table = cluster_table(roads(cluster=[1, 2], n_collisions=[5, 10]))
    assert set(table["outcome"]) == {"collisions"}
    assert table["rate_ratio"].tolist() == [0.5, 2.0]
    assert table[["n_ksi", "ksi_per_km_year", "low", "high"]].isna().all(axis=None)


def test_a_cluster_without_collisions_has_a_rate_of_zero_and_an_upper_limit():
    table = cluster_table(roads(cluster=[1, 2], n_ksi=[0, 8])).set_index("cluster")
    assert table.loc[1, ["ksi_per_km_year", "low", "rate_ratio"]].tolist() == [0.0] * 3
    assert table.loc[1, "high"] == pytest.approx(GARWOOD[0][1], abs=1e-3)


RATIOS = ["rate_ratio", "rate_ratio_low", "rate_ratio_high"]


def test_one_cluster_alone_is_compared_with_nothing():
    table = cluster_table(roads(cluster=[1, 1], n_ksi=[3, 4]))
    assert table[RATIOS].isna().all(axis=None)


def test_without_any_event_or_any_years_no_ratio_is_given():
    quiet = cluster_table(roads(cluster=[1, 2], n_ksi=[0, 0]))
    assert quiet[[*RATIOS, "rate_ratio_in_class", "rate_ratio_in_class_high"]].isna().all(axis=None)
    assert (quiet["ksi_per_km_year"] == 0).all()
    timeless = cluster_table(roads(cluster=[1, 2], n_ksi=[3, 4], years=np.nan))
    assert timeless[[*RATIOS, "ksi_per_km_year", "low", "high", "rate_ratio_in_class"]].isna().all(axis=None)
    assert timeless["n_ksi"].tolist() == [3, 4]


def test_without_collision_records_everything_but_the_roads_is_null():
    none = roads(cluster=[1, 2], n_collisions=pd.array([pd.NA, pd.NA], "Int64"), years=np.nan)
    table = cluster_table(none)
    assert table["n_segments"].tolist() == [1, 1]
    assert table.drop(columns=["cluster", "n_segments", "length_km", "outcome"]).isna().all(axis=None)


def test_without_clusters_the_table_is_empty():
    table = cluster_table(roads(cluster=[None, None], n_ksi=[3, 4]))
    assert table.empty
    assert {"cluster", "rate_ratio", "p_value"} <= set(table.columns)
