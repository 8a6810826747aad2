"""What imagery adds: nothing where there is nothing, something where there is, as other software finds it."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_poisson_deviance

from geo.safety.picture import imagery_value
from geo.safety.picture.crossvalidation import blocks_of, folds_of, poisson_deviance
from geo.safety.picture.imagery_value import (
    BANDS,
    CLASS,
    CLUSTER,
    CLUSTER_AND_GROUND,
    EMBEDDINGS,
    GROUND,
    NOTHING,
    value_of_imagery,
)
from geo.safety.picture.terms import ground_terms

FIGURES = ["deviance", "explained", "explained_low", "explained_high", "explained_beyond_class"]


def town(n, *, effect, seed=0, level=4.0):
    """Segments over four square kilometres, of five types that multiply their rates, and embeddings that tell them."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 5, n)
    embeddings = rng.normal(0, 1, (n, 12))
    embeddings[:, :5] += 4 * np.eye(5)[kind]
    classes = rng.choice(["residential", "primary", "service"], n, p=[0.6, 0.2, 0.2])
    length = rng.uniform(20, 200, n)
    rate = level * pd.Series(classes).map({"residential": 0.6, "primary": 2.0, "service": 0.3}).to_numpy()
    frame = pd.DataFrame(
        {
            "count": rng.poisson(
                rate * length / 1000 * 5 * np.exp(effect * (kind - 2)) * rng.gamma(3, 1 / 3, n)
            ),
            "counted_m": length,
            "years": 5.0,
            "road_class": classes,
            "cluster": pd.array(kind + 1, dtype="Int64"),
            "x": rng.uniform(0, 2000, n),
            "y": rng.uniform(0, 2000, n),
        },
        index=pd.Index([f"{i:016x}" for i in rng.permutation(n)], name="segment_id"),
    )
    return frame, embeddings, embeddings[:, :6]


def test_deviance_is_that_of_scikit_learn():
    y, m = np.array([0.0, 1.0, 7.0, 2.0]), np.array([0.3, 1.0, 4.0, 3.5])
    assert poisson_deviance(y, m).mean() == pytest.approx(mean_poisson_deviance(y, m))


def test_types_that_differ_are_seen():
    found = value_of_imagery(*town(1500, effect=0.4), block_m=250, seed=0)
    table = found.table.set_index("model")
    assert list(table.index) == [NOTHING, CLASS, CLUSTER, EMBEDDINGS, BANDS]
    for model in (CLUSTER, EMBEDDINGS, BANDS):
        assert table.loc[model, "explained_beyond_class_low"] > 0.02
        assert table.loc[model, "penalty"] < 1000
    assert table.loc[CLASS, "explained"] > 0.1
    assert table.loc[NOTHING, "explained"] == table.loc[CLASS, "explained_beyond_class"] == 0
    assert table["n_blocks"].tolist() == [64] * 5
    share = 100 * table.loc[CLUSTER, "explained_beyond_class"]
    assert found.sentence.startswith(
        "Of out-of-sample deviance beyond road class, knowing what roads look like explains "
    )
    assert f"{share:.1f} % (" in found.sentence


def test_a_picture_that_says_nothing_is_told_as_nothing():
    claims = [
        value_of_imagery(*town(500, effect=0.0, seed=seed), block_m=300, seed=seed).sentence
        for seed in range(8)
    ]
    assert sum(claim.startswith("The picture adds nothing that can be seen here") for claim in claims) >= 7
    assert not any("-0.0" in claim for claim in claims)


def test_a_useless_picture_costs_little():
    frame, embeddings, _ = town(600, effect=0.0)
    noise = np.random.default_rng(1).normal(0, 1, (600, 200))
    table = value_of_imagery(frame, noise, embeddings * 0, block_m=300, seed=0).table.set_index("model")
    assert table.loc[EMBEDDINGS, "explained_beyond_class"] > -0.02
    # constant columns leave the class alone
    assert table.loc[BANDS, "deviance"] == pytest.approx(table.loc[CLASS, "deviance"], rel=1e-3)


def test_the_class_model_is_a_poisson_regression_out_of_sample():
    frame, _, _ = town(900, effect=0.0)
    table = value_of_imagery(frame, block_m=250, seed=0).table.set_index("model")
    frame = frame.sort_index()
    x = pd.get_dummies(frame["road_class"]).to_numpy(float)
    exposure = (frame["counted_m"] / 1000 * frame["years"]).to_numpy()
    y = frame["count"].to_numpy(float)
    total = pd.DataFrame(0.0, index=range(imagery_value.GRIDS), columns=[NOTHING, CLASS])
    for grid in range(imagery_value.GRIDS):
        # the same blocks as of a city that lies elsewhere
        moved = frame.assign(x=frame["x"] - 250 * grid / 8, y=frame["y"] - 250 * (3 * grid % 8) / 8)
        folds = folds_of(blocks_of(moved, 250), y, [0, grid])
        for fold in range(5):
            for model, terms in ((NOTHING, x.sum(axis=1, keepdims=True)), (CLASS, x)):
                train = folds != fold
                fit = sm.GLM(
                    y[train], terms[train], family=sm.families.Poisson(), exposure=exposure[train]
                ).fit()
                total.loc[grid, model] += poisson_deviance(
                    y[~train], fit.predict(terms[~train], exposure=exposure[~train])
                ).sum()
    assert table.loc[NOTHING, "deviance"] * 900 == pytest.approx(total[NOTHING].mean())
    # the weak prior on the classes moves it a little
    assert table.loc[CLASS, "deviance"] * 900 == pytest.approx(total[CLASS].mean(), rel=1e-3)
    share = (1 - total[CLASS] / total[NOTHING]).mean()
    assert table.loc[CLASS, "explained"] == pytest.approx(share, abs=1e-3)


def test_blocks_stay_together_and_folds_are_of_about_equal_events():
    frame, _, _ = town(2000, effect=0.0)
    blocks = blocks_of(frame, 250)
    y = frame["count"].to_numpy(float)
    folds = folds_of(blocks, y, 3)
    assert pd.Series(folds).groupby(blocks).nunique().max() == 1
    cell = (
        frame["x"].floordiv(250).astype(int).astype(str)
        + "_"
        + frame["y"].floordiv(250).astype(int).astype(str)
    )
    assert pd.Series(blocks).groupby(cell.to_numpy()).nunique().max() == 1
    assert len(np.unique(blocks)) == cell.nunique()
    events = np.bincount(folds, weights=y)
    assert len(events) == 5
    assert events.max() < 1.25 * events.min()


def test_an_interval_is_that_of_resampled_blocks():
    rng = np.random.default_rng(0)
    sums = pd.DataFrame({NOTHING: rng.gamma(5, 1, 400), CLASS: rng.gamma(4.5, 1, 400)})
    row = imagery_value._compare([sums] * imagery_value.GRIDS, 0).iloc[1]
    # of a ratio of means, by the delta method (Cochran 1977, Sampling Techniques, section 2.11)
    ratio = sums[CLASS].sum() / sums[NOTHING].sum()
    error = (sums[CLASS] - ratio * sums[NOTHING]).std() / np.sqrt(400) / sums[NOTHING].mean()
    assert row["explained"] == pytest.approx(1 - ratio)
    assert row["explained_low"] == pytest.approx(1 - ratio - 1.96 * error, abs=0.15 * error)
    assert row["explained_high"] == pytest.approx(1 - ratio + 1.96 * error, abs=0.15 * error)


def test_an_interval_takes_in_how_far_grids_are_apart():
    rng = np.random.default_rng(0)
    grids = [
        pd.DataFrame({NOTHING: rng.gamma(50, 1, 400), CLASS: rng.gamma(50 * share, 1, 400)})
        for share in (0.8, 0.9, 1.0)
    ]
    row = imagery_value._compare(grids, 0).iloc[1]
    alone = [imagery_value._compare([grid], 0).iloc[1] for grid in grids]
    shares = np.array([one["explained"] for one in alone])
    # Chernozhukov et al. 2018, Econometrics Journal 21:C1-C68, definition 3.3 (mean)
    within = np.array([(one["explained_high"] - one["explained_low"]) / 3.92 for one in alone]) ** 2
    deviation = np.sqrt((within + (shares - shares.mean()) ** 2).mean())
    assert row["explained"] == pytest.approx(shares.mean())
    # of three grids far apart the mixture is of three peaks: its limits are those of the outermost
    assert row["explained_low"] < alone[2]["explained_high"]
    assert row["explained_high"] > alone[0]["explained_low"]
    assert (row["explained_high"] - row["explained_low"]) / 2 == pytest.approx(1.3 * deviation, rel=0.1)


def test_where_a_grid_begins_no_longer_decides():
    """One grid of few blocks tells a share that another one contradicts; the mean over grids moves less."""
    frame, embeddings, bands = town(500, effect=0.15, seed=4)
    frame = frame.sort_index()
    shifted = [
        value_of_imagery(frame.assign(x=frame["x"] + east), embeddings, bands, block_m=400, seed=seed)
        .table.set_index("model")
        .loc[EMBEDDINGS]
        for seed, east in enumerate((0.0, 130.0, 270.0))
    ]
    found = pd.DataFrame(shifted)
    assert found["explained_beyond_class"].std() < 0.6 * found["grid_spread"].mean()
    assert (found["n_grids"] == imagery_value.GRIDS).all()


def test_the_order_of_rows_changes_nothing():
    frame, embeddings, bands = town(400, effect=0.3)
    there = value_of_imagery(frame, embeddings, bands, block_m=300, seed=0)
    mixed = np.random.default_rng(0).permutation(400)
    back = value_of_imagery(frame.iloc[mixed], embeddings[mixed], bands[mixed], block_m=300, seed=0)
    pd.testing.assert_frame_equal(there.table, back.table, check_exact=True)
    assert there.sentence == back.sentence


def test_only_segments_with_imagery_and_a_count_take_part():
    frame, embeddings, bands = town(600, effect=0.3)
    keep = np.arange(600) % 4 > 0
    spoilt = frame.copy()
    spoilt["count"] = spoilt["count"].astype("Int64")
    holes = embeddings.copy()
    where = np.flatnonzero(~keep)
    spoilt.loc[spoilt.index[where[::4]], "cluster"] = pd.NA
    spoilt.loc[spoilt.index[where[1::4]], "count"] = pd.NA
    spoilt.loc[spoilt.index[where[2::4]], "counted_m"] = 0.0
    holes[where[3::4]] = np.nan
    found = value_of_imagery(spoilt, holes, bands, block_m=300, seed=0)
    alone = value_of_imagery(frame[keep], embeddings[keep], bands[keep], block_m=300, seed=0)
    pd.testing.assert_frame_equal(found.table, alone.table)
    assert (found.table["n_segments"] == 450).all()


def nothing_is_told(frame, reason, *sides, block_m=300):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = value_of_imagery(frame, *sides, block_m=block_m, seed=0)
    assert found.table[FIGURES].isna().all(axis=None)
    assert (found.table["reason"] == reason).all()
    assert found.sentence == f"Whether the picture adds anything cannot be told here: {reason}"


def test_too_little_to_tell_is_said():
    frame, embeddings, bands = town(300, effect=0.0)
    nothing_is_told(frame.assign(count=0), "0 collisions on segments with imagery, fewer than 50", embeddings)
    nothing_is_told(
        frame.assign(cluster=pd.NA), "no segment has imagery, exposure and a count", embeddings, bands
    )
    nothing_is_told(frame.assign(years=np.nan), "no segment has imagery, exposure and a count")
    nothing_is_told(frame[:0], "no segment has imagery, exposure and a count", embeddings[:0])
    nothing_is_told(frame, "4 blocks with collisions, fewer than 10", embeddings, block_m=1000)


def test_one_cluster_or_one_class_adds_nothing():
    frame, embeddings, _ = town(400, effect=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = value_of_imagery(frame.assign(cluster=1), embeddings, block_m=300, seed=0).table.set_index(
            "model"
        )
        same = value_of_imagery(frame.assign(road_class=None), block_m=300, seed=0).table.set_index("model")
    assert one.loc[CLUSTER, "explained_beyond_class"] == pytest.approx(0, abs=1e-3)
    assert same.loc[CLASS, "explained"] == pytest.approx(0, abs=1e-6)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(60, 150), st.floats(0.3, 20))
def test_rare_classes_and_empty_clusters_give_finite_figures_without_a_warning(seed, n, level):
    frame, embeddings, _ = town(n, effect=0.0, seed=seed, level=level)
    frame["road_class"] = [f"class {i % 7}" if i % 3 else "alone" for i in range(n - 1)] + ["single"]
    frame.loc[frame["cluster"] == 2, "count"] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = value_of_imagery(frame, embeddings, block_m=400, seed=seed)
    told = found.table["reason"].isna()
    assert told.all() or not told.any()
    assert np.isfinite(found.table.loc[told, FIGURES].to_numpy(float)).all()


def with_ground(n, *, effect, seed=0):
    """A town whose rates follow the share of class 2 within 6 m, or do not; types know nothing of it."""
    rng = np.random.default_rng([seed, 9])
    frame, _, _ = town(n, effect=0.0, seed=seed)
    shares = rng.dirichlet([2.0, 1.0, 0.3], (n, 2))
    frame["count"] = rng.poisson(frame["count"] * np.exp(effect * (shares[:, 0, 1] - 1 / 3)))
    for place, band in enumerate(("0_6m", "6_15m")):
        for number in range(3):
            frame[f"ground_{number + 1}_{band}"] = shares[:, place, number]
        frame[f"ground_unknown_{band}"] = 0.0
    return frame


def test_ground_that_tells_is_seen_and_types_that_know_nothing_of_it_are_not():
    frame = with_ground(800, effect=2.5)
    found = value_of_imagery(frame, ground=ground_terms(frame), block_m=250, seed=0)
    table = found.table.set_index("model")
    assert list(table.index) == [NOTHING, CLASS, CLUSTER, GROUND, CLUSTER_AND_GROUND]
    for model in (GROUND, CLUSTER_AND_GROUND):
        assert table.loc[model, "explained_beyond_class_low"] > 0.02
    assert table.loc[CLUSTER, "explained_beyond_class_low"] <= 0
    assert "with the ground beside roads" in found.sentence
    assert "nothing that can be seen: " in found.sentence


def test_ground_that_says_nothing_costs_little_and_is_told_as_nothing():
    claims = []
    for seed in range(2):
        frame = with_ground(500, effect=0.0, seed=seed)
        found = value_of_imagery(frame, ground=ground_terms(frame), block_m=300, seed=seed)
        assert found.table.set_index("model").loc[GROUND, "explained_beyond_class"] > -0.02
        claims.append(found.sentence.startswith("The picture adds nothing that can be seen here"))
    assert claims == [True, True]


def test_ground_changes_no_other_row_and_a_segment_without_it_still_takes_part():
    frame = with_ground(400, effect=1.0)
    holes = frame.copy()
    ground = [name for name in holes if name.startswith("ground_")]
    holes.loc[holes.index[::3], ground] = np.nan
    without = value_of_imagery(frame.drop(columns=ground), block_m=300, seed=0).table
    found = value_of_imagery(holes, ground=ground_terms(holes), block_m=300, seed=0).table
    pd.testing.assert_frame_equal(found[:3], without, check_exact=True)
    assert (found["n_segments"] == 400).all()
    assert found["deviance"].notna().all()


def test_terms_are_shares_of_what_is_known_and_their_means_where_little_is():
    frame = with_ground(200, effect=0.0)
    ground = [name for name in frame if name.startswith("ground_") and "unknown" not in name]
    half = frame.copy()
    half[ground] *= 0.6
    assert ground_terms(half) == pytest.approx(ground_terms(frame))
    half.loc[half.index[0], ground] = [0.1, 0.1, 0.1, 0.3, 0.3, 0.2]
    terms = ground_terms(half)
    assert (terms[0, :3] == 0).all()
    assert (terms[0, 3:] != 0).all()
    assert terms.std(axis=0).max() == pytest.approx(1)
    assert terms.mean(axis=0) == pytest.approx(0)
    assert ground_terms(frame.drop(columns=[*ground])) is None
    # one class alone tells nothing
    alone = frame.drop(columns=ground).assign(ground_1_0_6m=1.0)
    assert (ground_terms(alone) == 0).all()
