"""How far risk is alike, against brute force and fields of known covariance."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from geo.safety.comparison.blocks import (
    FALLBACK_M,
    FURTHEST_M,
    likeness_reach,
    make_blocks,
    risk_correlogram,
    value_correlogram,
)


def scattered(n=700, size=3000.0, seed=1):
    return np.random.default_rng(seed).uniform(0, size, (n, 2))


def risky(places, variance, range_m, seed, mean=4.0):
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.exp(-cdist(places, places) / range_m) + 1e-8 * np.eye(len(places)))
    risk = np.exp(np.sqrt(variance) * root @ rng.standard_normal(len(places)) - variance / 2)
    return rng.poisson(mean * risk).astype(float)


def test_a_correlogram_is_the_sum_of_products_over_pairs():
    places, rng = scattered(60, 900.0), np.random.default_rng(2)
    mean = rng.uniform(0.5, 3, 60)
    counts = rng.poisson(mean).astype(float)
    table = risk_correlogram(counts, mean, places).set_index("from_m")
    one, other = np.triu_indices(60, 1)
    apart = cdist(places, places)[one, other]
    near = (apart >= 200) & (apart < 300)
    residual = counts - mean
    value = (residual[one] * residual[other])[near].sum() / (mean[one] * mean[other])[near].sum()
    assert table.loc[200, "value"] == pytest.approx(value)
    assert table.loc[200, "pairs"] == near.sum()
    variance = mean + max((residual**2 - mean).sum() / (mean**2).sum(), 0) * mean**2
    noise = 1.6448536 * np.sqrt((variance[one] * variance[other])[near].sum())
    noise /= (mean[one] * mean[other])[near].sum()
    assert table.loc[200, "noise"] == pytest.approx(noise, rel=1e-5)


def test_a_correlogram_tells_the_covariance_of_a_known_field():
    places = scattered()
    tables = [
        risk_correlogram(risky(places, 0.4, 300.0, seed), np.full(700, 4.0), places)["value"]
        for seed in range(25)
    ]
    found = pd.concat(tables, axis=1).mean(axis=1).to_numpy()[:4]
    truth = np.expm1(0.4 * np.exp(-np.array([60.0, 155, 252, 351]) / 300.0))
    assert found == pytest.approx(truth, abs=0.08)


def test_what_chance_alone_stays_below():
    places = scattered(300)
    rng = np.random.default_rng(3)
    above = [
        (table["value"] > table["noise"]).mean()
        for table in (
            risk_correlogram(rng.poisson(3.0, 300).astype(float), np.full(300, 3.0), places)
            for _ in range(60)
        )
    ]
    assert 0.02 < np.mean(above) < 0.09


def test_blocks_are_larger_where_risk_is_alike_further_away():
    places = scattered()
    drawn = [risky(places, 0.5, range_m, 5) for range_m in (40.0, 250.0)]
    near, far = (make_blocks(counts, np.full(700, counts.mean()), places) for counts in drawn)
    assert near.size_m < far.size_m
    assert near.known
    assert far.known
    assert near.count > far.count
    assert f"at {far.size_m:.0f} m" in far.words


def test_segments_of_one_block_are_within_its_size():
    places = scattered()
    blocks = make_blocks(risky(places, 0.5, 200.0, 5), np.full(700, 4.0), places)
    spread = pd.DataFrame(places).groupby(blocks.of).agg(np.ptp)
    assert (spread <= blocks.size_m).all(axis=None)
    assert blocks.count == blocks.of.max() + 1 == len(spread)


def test_independent_risk_gives_the_smallest_blocks():
    places = scattered()
    counts = np.random.default_rng(8).poisson(4.0, 700).astype(float)
    table = risk_correlogram(counts, np.full(700, 4.0), places)
    table.loc[0, "value"] = -0.01
    assert likeness_reach(table) == 0


@pytest.mark.parametrize(("n", "mean"), [(0, 1.0), (1, 5.0), (20, 5.0), (200, 0.02)])
def test_too_little_for_a_correlogram_is_said_and_a_size_assumed(n, mean):
    places = scattered(n)
    counts = np.random.default_rng(1).poisson(mean, n).astype(float)
    blocks = make_blocks(counts, np.full(n, mean), places)
    assert not blocks.known
    assert blocks.size_m == FALLBACK_M
    assert "too few for a correlogram" in blocks.words
    assert len(blocks.of) == n


def test_risk_that_never_falls_to_noise_is_said():
    places = scattered(400, 1400.0)
    counts = np.where(places[:, 0] < 5000, 9.0, 0.0)
    blocks = make_blocks(counts, np.full(400, 4.0), places)
    assert not blocks.known
    assert blocks.size_m == FURTHEST_M
    assert "does not fall to noise" in blocks.words


def test_labels_in_patches_are_alike_as_far_as_the_patches_reach():
    places = scattered()
    patches = (places // 500).astype(int) @ np.array([1, 6]) * 7 % 5
    table = value_correlogram(np.eye(5)[patches], places)
    assert table["value"].iloc[0] > 0.6
    assert 300 <= likeness_reach(table) <= 700
    one, other = np.triu_indices(700, 1)
    near = cdist(places, places)[one, other] < 100
    share = np.bincount(patches) / 700
    base = (share**2).sum()
    alike = (patches[one] == patches[other])[near].mean()
    assert table["value"].iloc[0] == pytest.approx((alike - base) / (1 - base), abs=0.05)


def test_labels_without_order_are_alike_by_chance():
    places = scattered(400)
    rng = np.random.default_rng(9)
    above = []
    for _ in range(40):
        table = value_correlogram(np.eye(4)[rng.integers(0, 4, 400)], places)
        above.append((table["value"] > table["noise"]).mean())
    assert 0.01 < np.mean(above) < 0.1


def test_one_label_alone_has_no_correlogram():
    table = value_correlogram(np.ones((50, 1)), scattered(50))
    assert table["value"].isna().all()
    assert likeness_reach(table) is None
