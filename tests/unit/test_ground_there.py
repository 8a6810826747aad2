"""What lies beside roads: of a type against others with limits that hold, and what differs between two roads."""

import numpy as np
import pandas as pd
import pytest

from geo.ground.there.columns import Band, ground_of, told_by
from geo.ground.there.compared import COLUMNS, FEW, WHOLE, compare_ground, share_within
from geo.ground.there.different import (
    NO_DIFFERENCE,
    NOT_KNOWN,
    differences_of_named,
    differences_of_pairs,
    say_both,
)

BANDS = (Band(0, 6), Band(6, 15), Band(15, 30))


def shares(values, keys=("1", "2"), known=1.0):
    """Columns of shares ``(segments, bands, classes)`` with what is known and what is not."""
    columns = {}
    for place, band in enumerate(BANDS):
        for number, key in enumerate(keys):
            columns[f"ground_{key}_{band.column}"] = values[:, place, number] * known
        columns[f"ground_unknown_{band.column}"] = 1 - known
        columns[f"ground_known_{band.column}"] = known
    return pd.DataFrame(columns)


def town(n, rng, *, effect=0.0, patch_m=250, size_m=4000):
    """Segments whose ground is alike in patches; type 2 has more of the first class by `effect`."""
    x, y = rng.uniform(0, size_m, (2, n))
    side = int(size_m / patch_m) + 1
    patches = rng.normal(0, 0.1, (side, side))
    types_of = rng.integers(1, 3, (side, side))
    at = (x // patch_m).astype(int), (y // patch_m).astype(int)
    cluster = types_of[at]
    first = np.clip(0.4 + patches[at] + effect * (cluster == 2) + rng.normal(0, 0.05, n), 0, 1)
    values = np.repeat(np.stack([first, 1 - first], axis=1)[:, None], len(BANDS), axis=1)
    frame = pd.DataFrame(
        {
            "cluster": pd.array(cluster, dtype="Int64"),
            "length_m": rng.uniform(50, 150, n),
            "x": x,
            "y": y,
        }
    )
    return frame.join(shares(values)).set_index(pd.Index([f"{i:04x}" for i in range(n)], name="segment_id"))


def row(table, cluster, key="1", band=WHOLE):
    found = table[(table["cluster"] == cluster) & (table["key"] == key) & (table["band"] == band)]
    assert len(found) == 1
    return found.iloc[0]


def test_columns_tell_their_class_and_band_whatever_the_class_is_called():
    assert told_by("ground_12_0_6m") == ("12", Band(0, 6))
    assert told_by("ground_car_park_6_15m") == ("car_park", Band(6, 15))
    assert told_by("ground_road_2_0_6m") == ("road_2", Band(0, 6))
    assert told_by("src_ground_3_0_6m") is told_by("ground_cars_per_100m") is None
    frame = shares(np.ones((1, 3, 3)) / 3, keys=("10", "9", "tree"))
    ground = ground_of(frame[sorted(frame)])
    assert (ground.keys, ground.bands) == (("9", "10", "tree"), BANDS)
    assert ground_of(pd.DataFrame({"length_m": [1.0], "ground_known_0_6m": [0.0]})) is None


def test_shares_are_of_the_ground_that_is_known_and_none_where_little_is():
    values = np.tile([0.75, 0.25], (3, 3, 1))
    frame = shares(values, known=np.array([1.0, 0.6, 0.3]))
    frame.loc[3] = np.nan
    ground = ground_of(frame)
    assert ground.known[:, 0] == pytest.approx([1, 0.6, 0.3, 0])
    assert ground.of_known[:2, 1, 0] == pytest.approx([0.75, 0.75])
    assert np.isnan(ground.of_known[2:]).all()


def test_a_share_is_of_ground_so_long_roads_and_wide_bands_count_for_more():
    """Worked by hand: 100 m with all of the first class to 6 m, 300 m with none of it."""
    values = np.zeros((4, 3, 2))
    values[..., 1] = 1
    values[0, 0] = [1, 0]
    frame = shares(values).assign(
        cluster=pd.array([1, 1, 2, None], dtype="Int64"),
        length_m=[100.0, 300.0, 50.0, 1000.0],
        x=[0.0, 10, 20, 30],
        y=0.0,
    )
    table = compare_ground(frame, seed=0)
    assert row(table, 1, band="0_6m")["share"] == pytest.approx(100 / 400)
    assert row(table, 1)["share"] == pytest.approx(100 * 12 / (400 * 60))
    assert row(table, 2)["share"] == 0
    assert row(table, 2)["share_others"] == pytest.approx(row(table, 1)["share"])
    assert table["low"].isna().all()
    assert set(table["reason"]) == {FEW.format(table["block_m"].iloc[0])}


def test_the_others_and_what_is_not_known_are_left_out_of_a_share():
    rng = np.random.default_rng(0)
    frame = town(400, rng, effect=0.2)
    names = [name for name in frame if name.startswith("ground_")]
    half = frame.copy()
    half[[name for name in names if "known" not in name]] *= 0.6
    whole, part = (compare_ground(each, seed=0) for each in (frame, half))
    assert part["share"].to_numpy() == pytest.approx(whole["share"].to_numpy())
    assert part["known"].to_numpy() == pytest.approx(0.6)
    assert whole["known"].to_numpy() == pytest.approx(1.0)
    both = whole.groupby(["cluster", "band"])["share"].sum()
    assert both.to_numpy() == pytest.approx(1)


def test_limits_are_those_of_a_ratio_of_sums_where_every_road_is_a_block_of_its_own():
    """Cochran 1977, Sampling Techniques, sections 2.11 and 6.4: two ratios of sums over independent units."""
    rng = np.random.default_rng(3)
    frame = town(1500, rng, effect=0.0, patch_m=4000)
    frame["cluster"] = pd.array(rng.integers(1, 3, 1500), dtype="Int64")
    frame = frame.assign(x=np.arange(1500) * 1000.0, y=0.0)
    found = row(compare_ground(frame, seed=0), 1)
    variance, difference = 0.0, 0.0
    for sign, cluster in ((1, 1), (-1, 2)):
        part = frame[frame["cluster"] == cluster]
        length = part["length_m"]
        ratio = (part["ground_1_0_6m"] * length).sum() / length.sum()
        residual = part["ground_1_0_6m"] * length - ratio * length
        variance += residual.var() / len(part) / length.mean() ** 2
        difference += sign * ratio
    assert found["difference"] == pytest.approx(difference)
    # one difference is told, of two types and two classes with the same standardised value
    assert (found["high"] - found["low"]) / 2 == pytest.approx(1.96 * np.sqrt(variance), rel=0.08)


def test_limits_by_blocks_hold_where_neighbours_are_alike_and_those_of_roads_would_not():
    """In 40 towns without any difference the limits leave out 0 in about one of twenty."""
    out = roads = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        frame = town(500, rng, effect=0.0)
        found = row(compare_ground(frame, seed=seed), 1)
        assert 200 <= found["block_m"] <= 1000
        out += not found["low"] <= 0 <= found["high"]
        apart = frame.assign(x=np.arange(500) * 1000.0, y=0.0)
        alone = row(compare_ground(apart, seed=seed), 1)
        roads += not alone["low"] <= 0 <= alone["high"]
    assert out <= 5
    assert roads >= 10


def test_pairs_lie_in_one_square_as_often_as_needles_thrown_at_a_grid_show():
    rng = np.random.default_rng(0)
    start, angle = rng.uniform(0, 300, (20000, 2)), rng.uniform(0, 2 * np.pi, 20000)
    ends = start + 150 * np.column_stack([np.cos(angle), np.sin(angle)])
    together = (np.floor(ends / 300) == 0).all(axis=1).mean()
    # so many pairs at that distance that what a segment shares with itself is nothing beside
    one = pd.DataFrame({"from_m": [100.0], "to_m": [200.0], "value": [0.4], "pairs": [1e9]})
    assert share_within(one, 300) == pytest.approx(together, abs=0.01)
    assert share_within(one.assign(value=np.nan), 300) == 1
    assert share_within(one[:0], 300) == 1


def test_a_difference_that_is_there_is_found_and_the_order_of_rows_changes_nothing():
    frame = town(500, np.random.default_rng(1), effect=0.2)
    table = compare_ground(frame, seed=0)
    assert row(table, 2)["low"] > 0.05
    assert row(table, 1)["high"] < -0.05
    assert row(table, 2, key="2")["high"] < 0
    mixed = compare_ground(frame.sample(frac=1, random_state=0), seed=0)
    pd.testing.assert_frame_equal(mixed, table, check_exact=True)


def test_without_types_or_ground_there_is_nothing_to_tell():
    frame = town(50, np.random.default_rng(0))
    for nothing in (
        frame.assign(cluster=pd.NA),
        frame[["cluster", "length_m", "x", "y"]],
        frame[:0],
    ):
        found = compare_ground(nothing, seed=0)
        assert found.empty
        assert list(found.columns) == COLUMNS
    one = compare_ground(frame.assign(cluster=1), seed=0)
    assert one["share"].notna().all()
    assert one[["share_others", "low", "high"]].isna().all(axis=None)


def test_pairs_are_told_the_class_and_band_that_differ_most():
    values = np.tile([0.2, 0.8], (5, 3, 1))
    values[1, 2] = [0.61, 0.39]
    values[2, 0] = [0.25, 0.75]
    frame = shares(values).assign(segment_id=list("abcde"))
    frame.loc[4, [name for name in frame if name.startswith("ground_")]] = np.nan
    pairs = pd.DataFrame(
        {"segment_id": list("aabda"), "similar_segment_id": list("bcade")}, index=[7, 3, 9, 1, 5]
    )
    said = differences_of_pairs(pairs, frame, {"1": "roof", "2": "grass"})
    assert said.to_dict() == {
        7: "less roof 15 to 30 m from the centreline (20 % against 61 %)",
        3: NO_DIFFERENCE,
        9: "more roof 15 to 30 m from the centreline (61 % against 20 %)",
        1: NO_DIFFERENCE,
        5: NOT_KNOWN,
    }
    assert differences_of_pairs(pairs, frame[["segment_id"]], {}) is None
    assert differences_of_pairs(pairs[:0], frame, {}).empty
    assert say_both(pairs[:1], frame, {"1": "roof"}, ["Mill Road"], ["High Street"]).tolist() == [
        "roof 15 to 30 m from the centreline: Mill Road 20 %, High Street 61 %"
    ]


def test_of_several_that_look_like_it_a_segment_is_held_against_the_first():
    values = np.tile([0.2, 0.8], (3, 3, 1))
    values[1, 2] = [0.61, 0.39]
    frame = shares(values).assign(segment_id=list("abc"), looks_like=["b;c", None, "a"])
    said = differences_of_named(frame, {"1": "roof"})
    assert said[0] == "less roof 15 to 30 m from the centreline (20 % against 61 %)"
    assert said[2] == NO_DIFFERENCE
    assert pd.isna(said[1])
    assert differences_of_named(frame.assign(looks_like=None), {}).isna().all()
    assert differences_of_named(frame.drop(columns="looks_like"), {}) is None
