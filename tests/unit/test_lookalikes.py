"""Look-alikes of the worst segments: of a class, apart on the ground, with the share of the difference that is luck."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.config.sections.safety import Gathering
from geo.safety.expected.overdispersion import NO_SPREAD
from geo.safety.picture.lookalikes import (
    NO_RECORD,
    SAME_FORM,
    LookAlikes,
    count_look_alikes,
    how_alike,
    look_alikes,
)

# whatever is nearest, alike or not
FEW = LookAlikes(worst=1, neighbours=2, unrecorded=3, apart_m=150, more_alike_than=0.0)


def town(**columns):
    """Segments 100 m long, 1 km apart, named a, b, c ...; rates are counts over half a kilometre-year."""
    n = len(columns["n_ksi"])
    table = {"road_class": "primary", "length_m": 100.0, **columns}
    x = np.asarray(table.pop("x", np.arange(n) * 1000.0), dtype=float)
    frame = gpd.GeoDataFrame(
        {"segment_id": [chr(ord("a") + i) for i in range(n)], **table},
        geometry=list(
            shapely.linestrings(np.stack([np.column_stack([x, x * 0]), np.column_stack([x + 100, x * 0])], 1))
        ),
        crs=27700,
    )
    frame["n_ksi"] = frame["n_ksi"].astype("Int64")
    frame["ksi_per_km_year"] = frame["n_ksi"].astype("float64") / 0.5
    frame["ksi_per_km_year_eb"] = 2 + (frame["ksi_per_km_year"] - 2) / 4
    for each in ("_low", "_high", "_eb_low", "_eb_high"):
        frame[f"ksi_per_km_year{each}"] = frame["ksi_per_km_year"]
    return frame


def angles(*degrees):
    return np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def found(frame, space, how=FEW):
    table = look_alikes(frame, space, frame["ksi_per_km_year_eb"], "ksi", how)
    return {kind: table[table["kind"] == kind].reset_index(drop=True) for kind in (SAME_FORM, NO_RECORD)}


def test_the_nearest_of_the_same_class_with_few_collisions():
    frame = town(n_ksi=[9, 0, 1, 0, 8, 0], road_class=["primary"] * 5 + ["minor"])
    pairs = found(frame, angles(0, 40, 10, 60, 5, 0))[SAME_FORM]
    # e is as bad, f of another class
    assert pairs["similar_segment_id"].tolist() == ["c", "b"]
    assert pairs["place"].tolist() == [1, 2]
    assert pairs["distance"].tolist() == pytest.approx(1 - np.cos(np.radians([10, 40])), abs=1e-8)
    # of b, c, d and e two are less like a than c is, and one less than b
    assert pairs["nearer_than"].tolist() == [0.5, 0.25]


def test_the_reverse_starts_from_segments_without_a_record():
    frame = town(n_ksi=[9, 0, 1, 0, 8, 0], road_class=["primary"] * 5 + ["minor"])
    pairs = found(frame, angles(0, 40, 10, 60, 5, 0))[NO_RECORD]
    assert pairs["segment_id"].tolist() == ["b", "d"]
    assert pairs["similar_segment_id"].tolist() == ["a", "a"]
    assert pairs["similar_n_ksi"].tolist() == [9, 9]
    assert pairs["rank"].tolist() == [1, 2]


def test_segments_that_share_the_ground_are_no_look_alikes():
    frame = town(n_ksi=[9, 0, 0], x=[0, 200, 260])
    assert found(frame, angles(0, 0, 30))[SAME_FORM]["similar_segment_id"].tolist() == ["c"]
    assert found(frame, angles(0, 0, 30))[SAME_FORM]["metres_apart"].tolist() == [160]


def test_on_a_much_shorter_segment_no_collisions_say_nothing():
    frame = town(n_ksi=[9, 0, 0], length_m=[100.0, 49.0, 51.0])
    assert found(frame, angles(0, 1, 30))[SAME_FORM]["similar_segment_id"].tolist() == ["c"]


def test_what_is_expected_to_vanish_is_what_shrinking_takes_away():
    both = found(town(n_ksi=[9, 0, 0]), angles(0, 10, 20))
    # rates 18 and 0; shrunk by three quarters towards 2: 6 and 1.5
    first = both[SAME_FORM].iloc[0]
    assert (first["difference"], first["difference_eb"], first["expected_to_vanish"]) == (18, 4.5, 0.75)
    assert "75 % is expected to vanish" in first["remark"]
    reverse = both[NO_RECORD].iloc[0]
    assert (reverse["difference"], reverse["expected_to_vanish"]) == (-18, 0.75)
    assert both[NO_RECORD]["remark"].str.contains("regression to the mean").all()


def test_where_the_record_has_no_weight_the_remark_says_so():
    frame = town(n_ksi=[9, 0, 0]).assign(ksi_eb_method=f"safety performance function (Poisson); {NO_SPREAD}")
    remarks = found(frame, angles(0, 10, 20))[SAME_FORM]["remark"]
    assert remarks.str.contains(f"Here {NO_SPREAD}: shrunk rates are predictions").all()
    assert not remarks.str.contains("75 % is expected").any()


def test_likeness_is_that_of_scikit_learns_neighbours():
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    frame = town(n_ksi=rng.integers(0, 2, 26))
    space = rng.normal(size=(26, 8))
    score = pd.Series(np.arange(26.0))
    how = LookAlikes(worst=3, neighbours=4, apart_m=150, more_alike_than=0.0)
    table = look_alikes(frame, space, score, "ksi", how)
    few = (frame["ksi_per_km_year_eb"] <= frame["ksi_per_km_year_eb"].median()) & (frame.index < 23)
    near = NearestNeighbors(n_neighbors=4, metric="cosine").fit(space[few])
    distance, row = near.kneighbors(space[[25, 24, 23]])
    pairs = table[table["kind"] == SAME_FORM]
    assert pairs["similar_segment_id"].tolist() == frame["segment_id"].to_numpy()[few][row.ravel()].tolist()
    assert pairs["distance"].to_numpy() == pytest.approx(distance.ravel(), abs=1e-6)


def test_the_order_of_rows_changes_nothing():
    rng = np.random.default_rng(1)
    frame, space = town(n_ksi=rng.integers(0, 4, 26)), rng.normal(size=(26, 4))
    order = rng.permutation(26)
    how = LookAlikes(worst=5, neighbours=5, apart_m=150, more_alike_than=0.0)
    one = look_alikes(frame, space, frame["ksi_per_km_year_eb"], "ksi", how)
    shuffled = frame.iloc[order]
    two = look_alikes(shuffled, space[order], shuffled["ksi_per_km_year_eb"], "ksi", how)
    pd.testing.assert_frame_equal(one, two)
    assert len(one) > 20


def two_looks():
    """Twenty-five roads: the worst looks like none, the second worst like the four of its own look."""
    frame = town(n_ksi=[9, 8] + [0] * 23)
    return frame, angles(180, 90, *[91, 92, 93, 94], *np.linspace(-20, 20, 19))


def test_a_segment_that_looks_like_no_other_has_no_look_alikes():
    frame, space = two_looks()
    how = LookAlikes(worst=2, neighbours=5, apart_m=150)
    pairs = found(frame, space, how)[SAME_FORM]
    # a's nearest, at 86 degrees, is less alike than most pairs are
    assert set(pairs["segment_id"]) == {"b"}
    # five were asked for
    assert pairs["similar_segment_id"].tolist() == ["c", "d", "e", "f"]
    assert (pairs["alike_than_pairs"] >= 0.9).all()
    assert set(found(frame, space, FEW)[SAME_FORM]["segment_id"]) == {"a"}


def test_what_was_looked_at_and_what_was_found_is_accounted_for():
    frame, space = two_looks()
    frame = frame.assign(ksi_per_km_year_potential=frame["ksi_per_km_year_eb"] - 2)
    pairs = look_alikes(
        frame, space, frame["ksi_per_km_year_potential"], "ksi", LookAlikes(25, 5, apart_m=150)
    )
    entries = count_look_alikes(pairs, frame, space, "ksi", Gathering())
    assert [(each.item, each.status, each.count) for each in entries] == [
        ("worst segments", "done", 1),
        ("worst segments", "skipped", 1),
    ]
    # of twenty-five, two have a potential above 0
    assert sum(each.count for each in entries) == 2


def test_the_share_of_pairs_is_that_of_scipys_percentile():
    from scipy.spatial.distance import pdist
    from scipy.stats import percentileofscore

    rng = np.random.default_rng(3)
    frame, space = town(n_ksi=rng.integers(0, 3, 26)), rng.normal(size=(26, 4))
    pairs = found(frame, space, LookAlikes(worst=5, neighbours=5, apart_m=150, more_alike_than=0.5))[
        SAME_FORM
    ]
    usual = 1 - pdist(space, "cosine")
    expected = [percentileofscore(usual, 1 - each + 1e-9, "strict") / 100 for each in pairs["distance"]]
    assert pairs["alike_than_pairs"].to_numpy() == pytest.approx(expected, abs=0.004)
    assert pairs["distance"].max() <= 1 - np.quantile(usual, 0.5)


def test_a_remark_says_how_alike_and_never_more_than_all():
    words = how_alike(pd.Series([0.5, 1 - 1e-9]), pd.Series([0.9, 0.99999])).tolist()
    assert words == [
        "More like it than 50 % of its class, and more alike than 90 % of random pairs.",
        "More like it than 99.9 % of its class, and more alike than 99.9 % of random pairs.",
    ]


@pytest.mark.parametrize(
    ("frame", "space"),
    [
        (town(n_ksi=[0, 0, 0]).assign(ksi_per_km_year_eb=0.0), angles(0, 1, 2)),
        (town(n_ksi=[3]), angles(0)),
        (town(n_ksi=[9, 0]), np.array([[1.0, 0], [np.nan, np.nan]])),
        (town(n_ksi=[9, 0]), np.array([[0.0, 0], [1, 0]])),
        (town(n_ksi=[9, 0], road_class=["primary", None]), angles(0, 0)),
        (town(n_ksi=[pd.NA, pd.NA]), angles(0, 0)),
    ],
    ids=["no collisions", "one segment", "no look", "worst has no look", "class not known", "KSI not known"],
)
def test_where_there_is_nothing_to_compare_the_table_is_empty(frame, space):
    table = look_alikes(frame, space, frame["ksi_per_km_year_eb"], "ksi", FEW)
    assert len(table) == 0
    assert {"kind", "similar_ksi_per_km_year_eb", "remark"} <= set(table.columns)
