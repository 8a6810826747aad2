"""Comparisons of types where there is next to nothing to compare: a defined answer with its reason, and no warning."""

import numpy as np
import pandas as pd
import pytest

from geo.safety.comparison.inference import cluster_tests

ASKED = ["n_collisions", "n_ksi"]


def town(n=160, k=3, seed=0, total=400.0):
    """Segments of types and classes at random over 2 km."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "cluster": rng.integers(1, k + 1, n),
            "road_class": rng.choice(["street", "lane"], n),
            "counted_m": rng.uniform(50, 200, n),
            "years": 5.0,
            "x": rng.uniform(0, 2000, n),
            "y": rng.uniform(0, 2000, n),
        }
    )
    frame["n_collisions"] = rng.poisson(total * frame["counted_m"] / frame["counted_m"].sum())
    return frame.assign(n_ksi=rng.binomial(frame["n_collisions"], 0.2))


def where_not(**columns):
    return town().assign(**columns)


def on_one_segment():
    frame = where_not(n_collisions=0, n_ksi=0)
    frame.loc[5, "n_collisions"] = 300
    return frame


def in_one_place():
    frame = where_not(n_ksi=0)
    near = np.hypot(frame["x"] - 500, frame["y"] - 500) < 200
    return frame.assign(n_collisions=np.where(near, 40, 0))


def two_towns():
    return pd.concat(
        [town(90), town(90, seed=1).assign(x=lambda frame: frame["x"] + 50_000)], ignore_index=True
    )


ODD = {
    "two types": lambda: town(k=2),
    "one type": lambda: town(k=1),
    "a type is all of its class": lambda: where_not(
        road_class=town()["cluster"].map({1: "a", 2: "b", 3: "c"})
    ),
    "a type is half of the town": lambda: where_not(cluster=1 + (town()["x"] > 1000)),
    "a type of a few segments at the rim": lambda: where_not(cluster=1 + (town()["x"] > 1950)),
    "all collisions on one segment": on_one_segment,
    "all collisions in one place": in_one_place,
    "two towns": two_towns,
    "two towns, a type each": lambda: two_towns().assign(cluster=lambda frame: 1 + (frame["x"] > 20_000)),
    "no collisions": lambda: where_not(n_collisions=0, n_ksi=0),
    "ten segments": lambda: town(10),
    "thirty segments": lambda: town(30),
    "all in one place": lambda: where_not(x=5.0, y=5.0),
    "on a line": lambda: where_not(y=5.0),
    "on a slanting line": lambda: where_not(y=2 * town()["x"]),
    "in two places": lambda: where_not(x=np.where(np.arange(160) % 2, 0.0, 1000.0), y=0.0),
    "hardly any collisions": lambda: town(total=22.0),
    "millions of collisions": lambda: town(total=4e6),
    "segments of no length to speak of": lambda: where_not(
        counted_m=np.where(np.arange(160) % 7 == 0, 1e-6, town()["counted_m"])
    ),
    "a town of two metres": lambda: where_not(x=town()["x"] / 1000, y=town()["y"] / 1000),
    "a town of a thousand kilometres": lambda: where_not(x=town()["x"] * 500, y=town()["y"] * 500),
}


def compare(frame, permutations=19):
    return cluster_tests(frame, ASKED, permutations=permutations, seed=0)


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_has_an_answer_or_a_reason(case):
    table = compare(ODD[case]())
    for value, why in (("p_value", "reason"), ("p_value_adjusted", "reason_adjusted")):
        known = table[value].notna()
        assert (known ^ table[why].notna()).all()
        assert table.loc[known, value].between(0, 1).all()
    tested = table[table["p_value_adjusted"].notna()]
    assert (tested["ratio_adjusted_low"] <= tested["ratio_adjusted"]).all()
    assert (tested["ratio_adjusted"] <= tested["ratio_adjusted_high"]).all()
    assert tested["q_value"].notna().all() or table.loc[table["outcome"] == ASKED[0], "q_value"].isna().any()


@pytest.mark.parametrize("case", ["two towns", "all collisions in one place", "on a line", "thirty segments"])
def test_what_is_odd_does_not_hang_on_the_order_of_rows(case):
    frame = ODD[case]()
    pd.testing.assert_frame_equal(compare(frame.sample(frac=1, random_state=1)), compare(frame))


@pytest.mark.parametrize("segments", [160, 700])
def test_where_a_map_has_its_origin_changes_nothing(segments):
    here = compare(town(segments, total=900.0), permutations=0)
    there = compare(town(segments, total=900.0).assign(x=lambda f: f["x"] + 4e5, y=lambda f: f["y"] + 6e6), 0)
    columns = ["ratio_adjusted", "ratio_adjusted_low", "ratio_adjusted_high", "p_value_adjusted"]
    np.testing.assert_allclose(here[columns].to_numpy(), there[columns].to_numpy(), rtol=1e-3)


def test_a_type_that_is_all_of_its_class_is_told_apart_from_one_that_is_tested():
    table = compare(ODD["a type is all of its class"](), 0)
    same = table[table["comparison"] == "same class"]
    assert same["p_value_adjusted"].isna().all()
    assert same["reason_adjusted"].notna().all()


def test_two_towns_with_a_type_each_tell_nothing_of_the_types():
    table = compare(ODD["two towns, a type each"](), 0)
    assert (table["q_value"].isna() | (table["q_value"] > 0.05)).all()
