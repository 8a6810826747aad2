"""How unsure a grouping is goes into the ratios of its types."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from geo.clusters.evidence.choose import choose_k
from geo.clusters.evidence.groupings import found_again, match, membership
from geo.clusters.evidence.merging import what_merging_loses
from geo.clusters.evidence.regrouping import regroup
from geo.clusters.graph.smoothing import smooth
from geo.clusters.methods.kmeans import KMeans
from geo.clusters.registry import method_of
from geo.config import Clusters
from geo.outputs.wording import verdict
from geo.safety.comparison.adjusted import adjusted_ratios, covariance_of, design_of, trend_of
from geo.safety.comparison.contrast import Contrast
from geo.safety.comparison.covariance import RiskCovariance, make_cells
from geo.safety.comparison.groupings import pool_groupings, rubin
from geo.safety.comparison.inference import cluster_tests

POISSON = RiskCovariance(0.0, 0.0, np.nan, 100)
SOME = RiskCovariance(0.3, 0.3, 150.0, 100)


def looks(apart, n=240, seed=0):
    """Segments that look one of three ways, more or less far apart; gives their points and what they are."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([0, 1, 2], [n // 2, n // 3, n // 6])
    return apart * np.eye(3)[truth] + rng.normal(size=(len(truth), 3)), truth + 1


def town(labels, seed=0, effect=2.0):
    """Roads of three types, of which the second has more collisions; gives a comparison, its design, and places."""
    rng = np.random.default_rng(seed)
    n = len(labels)
    places, exposure, strata = rng.uniform(0, 2000, (n, 2)), rng.uniform(0.3, 2.0, n), rng.integers(0, 2, n)
    mean = 3 * exposure * np.where(labels == 2, effect, 1.0) * rng.gamma(4, 0.25, n)
    counts = rng.poisson(mean)[:, None].astype(float)
    one = Contrast(counts, exposure, strata, labels - 1, 3, make_cells(places), np.eye(n), POISSON)
    return one, design_of(strata, pd.DataFrame(index=range(n)), trend_of(places)), places


def test_estimates_are_brought_together_as_by_rs_mice():
    # R's mice 3.15: r <- pool.scalar(q, u, n=60, k=3); c(r$qbar, r$t, 1.2*r$b/r$t, qt(0.975, r$df))
    q, u = np.array([0.30, 0.45, 0.62, 0.28, 0.51]), np.array([0.040, 0.052, 0.047, 0.061, 0.050])
    assert rubin(q, u, complete=57) == pytest.approx((0.432, 0.074684, 0.33051256, 2.09784319), rel=1e-6)


def test_a_grouping_has_the_numbers_of_the_types_that_it_overlaps_with():
    points, _ = looks(6)
    method = KMeans(seed=1)
    labels = np.array([2, 3, 1])[method.fit(points, 3).labels]
    for (groups,) in regroup(points, [3], method, 4):
        assert (match(labels, groups) == labels).mean() > 0.97
    # a type that is split keeps its larger half; the other half is of none
    assert match(np.array([1, 1, 1, 2, 2]), np.array([0, 0, 5, 9, 9])).tolist() == [1, 1, 0, 2, 2]


def test_the_groupings_behind_the_stability_of_k_are_the_first_that_are_kept():
    points, _ = looks(3)
    settings = KMeans(k=3, resamples=6)
    labels = settings.fit(points, 3).labels
    kept = [groups for (groups,) in regroup(points, [3], settings, 20)][:6]
    scores = [adjusted_rand_score(labels, groups) for groups in kept]
    assert choose_k(points, settings)["stability"].iloc[0] == pytest.approx(np.mean(scores))


def test_a_type_that_half_its_roads_leave_is_found_again_by_half():
    types = pd.Series([1, 1, 1, 1, 2, 2, None], index=list("abcdefg"))
    same, other = [1, 1, 1, 1, 2, 2], [1, 1, 2, 2, 2, 2]
    again = found_again(types, pd.DataFrame({0: same, 1: other}, index=list("abcdef")))
    assert again.to_dict() == {1: 0.75, 2: 0.75}


@pytest.mark.parametrize("covariance", [POISSON, SOME])
def test_when_the_grouping_is_certain_nothing_changes(covariance):
    one, design, places = town(looks(6)[1])
    found = adjusted_ratios(one, design, places, covariance)
    same = np.column_stack([one.labels] * 20)
    pooled = pool_groupings(one, found, same, design, places, covariance, [0])
    assert (pooled.share[:, 0] < 1e-12).all()
    np.testing.assert_allclose(pooled.ratio, found.ratio, rtol=1e-9)
    # by Student's distribution with as many degrees of freedom as there are roads
    for mine, theirs in ((pooled.low, found.low), (pooled.high, found.high)):
        np.testing.assert_allclose(np.log(mine / found.ratio), np.log(theirs / found.ratio), rtol=0.01)


def test_limits_widen_as_looks_come_closer_and_say_how_much():
    widths, shares = [], []
    for apart in (6.0, 2.5, 1.0, 0.0):
        points, truth = looks(apart)
        method = KMeans()
        labels = method.fit(points, 3).labels + 1
        one, design, places = town(truth)
        one = Contrast(
            one.counts, one.exposure, one.strata, labels - 1, 3, one.cells, one.correlation, POISSON
        )
        found = adjusted_ratios(one, design, places, POISSON)
        others = (
            np.column_stack([match(labels, groups) for (groups,) in regroup(points, [3], method, 20)]) - 1
        )
        pooled = pool_groupings(one, found, others, design, places, POISSON, [0])
        widths.append(np.mean(np.log(pooled.high / pooled.low) / np.log(found.high / found.low)))
        shares.append(pooled.share.mean())
    assert widths[0] < 1.03
    assert widths[-1] > 1.5
    assert shares[0] < 0.05 < shares[1] < 0.5 < min(shares[2:])


def test_one_step_is_the_ratio_that_the_whole_model_gives_for_each_grouping():
    _, truth = looks(2.0, n=600)
    one, design, places = town(truth, effect=2.5)
    covariance = covariance_of(one, design, places)
    found = adjusted_ratios(one, design, places, covariance)
    rng = np.random.default_rng(1)
    others = np.stack(
        [np.where(rng.random(len(truth)) < 0.15, rng.permutation(truth), truth) for _ in range(12)]
    )
    exact = [
        np.log(adjusted_ratios(_relabelled(one, labels - 1), design, places, covariance).ratio[:, 0])
        for labels in others
    ]
    pooled = pool_groupings(one, found, others.T - 1, design, places, covariance, [0])
    np.testing.assert_allclose(np.log(pooled.ratio[:, 0]), np.mean(exact, axis=0), atol=0.015)


def _relabelled(one, labels):
    return Contrast(
        one.counts, one.exposure, one.strata, labels, 3, one.cells, one.correlation, one.covariance
    )


def test_a_type_that_another_grouping_does_not_have_has_no_pooled_ratio_and_says_why():
    one, design, places = town(looks(6)[1])
    found = adjusted_ratios(one, design, places, POISSON)
    others = np.column_stack([one.labels] * 20)
    others[others[:, 3] == 2, 3] = -1
    pooled = pool_groupings(one, found, others, design, places, POISSON, [0])
    assert np.isnan([pooled.ratio[2, 0], pooled.low[2, 0], pooled.high[2, 0], pooled.share[2, 0]]).all()
    assert pooled.reason[:, 0].tolist() == ["", "", "the cluster has no counterpart in 1 of 20 groupings"]


def test_the_table_of_tests_has_them_where_groupings_are_given():
    one, _, places = town(looks(6)[1])
    index = pd.Index([f"s{i:03}" for i in range(len(places))])
    frame = pd.DataFrame(
        {
            "cluster": pd.array((one.labels + 1) * 2, dtype="Int64"),
            "counted_m": 200.0,
            "years": 5.0,
            "x": places[:, 0],
            "y": places[:, 1],
            "n_collisions": one.counts[:, 0],
            "n_slight": one.counts[:, 0],
        },
        index=index,
    )
    frame.loc[index[:5], "cluster"] = pd.NA
    others = pd.DataFrame(np.column_stack([(one.labels + 1) * 2] * 3), index=index).iloc[5:]
    outcomes, all_roads = ["n_collisions", "n_slight"], {"all": ()}
    plain = cluster_tests(frame, outcomes, all_roads, permutations=0, seed=0)
    table = cluster_tests(
        frame.sample(frac=1, random_state=1), outcomes, all_roads, groupings=others, permutations=0, seed=0
    )
    pooled = [name for name in table if "pooled" in name or name in {"groupings", "share_from_grouping"}]
    pd.testing.assert_frame_equal(plain.drop(columns=pooled), table.drop(columns=pooled))
    mine = table[table["outcome"] == "n_collisions"]
    np.testing.assert_allclose(mine["ratio_pooled"], mine["ratio_adjusted"])
    assert (mine["ratio_pooled_low"] < mine["ratio_adjusted_low"]).all()
    assert (mine["ratio_pooled_high"] > mine["ratio_adjusted_high"]).all()
    assert mine["reason_pooled"].isna().all()
    assert plain["ratio_pooled"].isna().all()
    assert (
        table.loc[table["outcome"] == "n_slight", "reason_pooled"].eq("only for all collisions and KSI").all()
    )


@pytest.mark.parametrize(
    ("limits", "regrouped", "unsure"),
    [
        ((1.2, 2.0), (1.1, 2.1), False),
        ((1.2, 2.0), (0.9, 2.2), True),
        ((1.2, 2.0), (0.5, 0.9), True),
        ((0.4, 0.9), (0.3, 1.1), True),
        ((0.4, 0.9), (0.3, 0.95), False),
        ((1.2, 2.0), (np.nan, np.nan), False),
        ((0.8, 1.4), (0.6, 1.6), False),
    ],
)
def test_a_claim_says_where_it_depends_on_the_grouping(limits, regrouped, unsure):
    said = verdict(*limits, 0.01, "ksi", regrouped=regrouped)
    assert ("depends on which roads are taken as this type" in said) == unsure


def test_what_merging_loses_is_what_ward_adds_to_the_squares_within():
    rng = np.random.default_rng(4)
    points, labels = rng.normal(size=(60, 5)), rng.permutation(np.repeat([1, 2, 3], 20))
    groupings = rng.integers(0, 4, (60, 7))
    table = what_merging_loses(points, labels, groupings).set_index(["cluster", "other"])

    def within(groups):
        return sum(
            ((points[groups == one] - points[groups == one].mean(axis=0)) ** 2).sum() for one in set(groups)
        )

    total = ((points - points.mean(axis=0)) ** 2).sum()
    for one, other in ((1, 2), (1, 3), (2, 3)):
        merged = np.where(labels == other, one, labels)
        lost = (within(merged) - within(labels)) / (total - within(labels))
        assert table.loc[(one, other), "lost"] == pytest.approx(lost)
        either = np.isin(labels, [one, other])
        swapped = (
            np.isin(groupings[either], [one, other]) & (groupings[either] != labels[either, None])
        ).mean()
        assert table.loc[(one, other), "mixed"] == pytest.approx(swapped)


def test_one_type_has_no_other_to_be_merged_with():
    assert what_merging_loses(np.zeros((3, 2)), np.ones(3, dtype=int), np.ones((3, 2), dtype=int)).empty


def test_samples_are_smoothed_anew_or_noise_would_look_sure():
    settings = method_of(Clusters(method="average", neighbours=5))
    points = np.random.default_rng(8).normal(size=(300, 30))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    smoothed = smooth(points, settings)
    labels = settings.fit(smoothed, 4).labels + 1

    def sure(groupings):
        return membership(
            labels, np.column_stack([match(labels, one) for (one,) in groupings])
        ).probability.mean()

    anew = sure(regroup(points, [4], settings, 10, smoothed=smoothed))
    assert anew < sure(regroup(smoothed, [4], settings, 10)) - 0.1
