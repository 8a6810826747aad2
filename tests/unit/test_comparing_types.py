"""What types are compared by: road users that records tell of, traffic where it is known, and what is not tested."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.config import ROAD_USERS
from geo.safety.comparison.compared import (
    BY_TRAFFIC,
    compare_types,
    count_tests,
    known_of_segments,
    told_counts,
    traffic_bands,
)
from geo.safety.comparison.inference import OUTCOMES

USERS = [f"n_{user}_collisions" for user in ROAD_USERS]


def roads(n=90, seed=4):
    """Segments of three types on a grid, one kilometre and five years each."""
    rng = np.random.default_rng(seed)
    cluster = np.arange(n) % 3 + 1
    frame = pd.DataFrame(
        {
            "cluster": pd.array(cluster, "Int64"),
            "road_class": np.where(np.arange(n) % 2, "primary", "minor"),
            "counted_m": 1000.0,
            "years": 5.0,
            "x": np.arange(n) % 10 * 400.0,
            "y": np.arange(n) // 10 * 400.0,
            "aadt": np.nan,
            "n_collisions": rng.poisson(4 * cluster),
            "n_ksi": rng.poisson(cluster),
        },
        index=pd.Index([f"s{i:03d}" for i in range(n)], name="segment_id"),
    )
    frame[["n_fatal", "n_serious", "n_slight"]] = frame[["n_ksi"] * 3].to_numpy()
    return frame.assign(**{name: pd.array(frame["n_ksi"], "Int64") for name in USERS})


@pytest.mark.parametrize(("untold", "known"), [(5, True), (6, False)])
def test_a_road_user_is_tested_where_no_more_than_one_collision_in_twenty_does_not_tell(untold, known):
    frame = roads(100).assign(n_collisions=1)
    frame.loc[frame.index[:untold], "n_cyclist_collisions"] = pd.NA
    told = told_counts(frame)["n_cyclist_collisions"]
    assert told.iloc[:untold].eq(0).all() if known else told.iloc[:untold].isna().all()
    pd.testing.assert_series_equal(told.iloc[untold:], frame["n_cyclist_collisions"].iloc[untold:])


def test_what_holds_for_road_users_holds_for_severities():
    frame = roads(100).assign(n_collisions=1)
    frame["n_ksi"] = frame["n_ksi"].astype("Int64")
    frame.loc[frame.index[:5], "n_ksi"] = pd.NA
    assert told_counts(frame)["n_ksi"].iloc[:5].eq(0).all()
    frame.loc[frame.index[:6], "n_ksi"] = pd.NA
    assert told_counts(frame)["n_ksi"].iloc[:6].isna().all()


def test_a_road_user_of_whom_no_record_tells_stays_unknown():
    frame = roads(30)
    frame["n_pedestrian_collisions"] = pd.array([pd.NA] * len(frame), "Int64")
    assert told_counts(frame)["n_pedestrian_collisions"].isna().all()


def test_traffic_bands_are_thirds_of_the_clustered_segments_with_traffic():
    frame = roads(12).assign(aadt=[*range(100, 1000, 100), 0, np.nan, 5000])
    frame.loc["s011", "cluster"] = pd.NA
    found = traffic_bands(frame)
    assert found["traffic_band"].tolist()[:9] == ["low"] * 3 + ["middle"] * 3 + ["high"] * 3
    # none counted, none known, and no type
    assert found["traffic_band"].iloc[9:].isna().all()
    assert found["log_aadt"].iloc[0] == pytest.approx(np.log(100))
    assert found["log_aadt"].iloc[9:11].isna().all()


def test_traffic_is_no_ground_for_comparison_where_it_is_known_of_too_little_length():
    frame = roads(10).assign(aadt=[500.0, 900.0, *[np.nan] * 8])
    assert traffic_bands(frame) is not None
    assert traffic_bands(frame.assign(counted_m=[900.0, *[1000.0] * 9])) is None
    assert traffic_bands(frame.assign(cluster=pd.array([None] * 10, "Int64"))) is None


def test_every_outcome_is_compared_within_traffic_bands_only_where_traffic_is_known():
    plain = compare_types(roads(), None, permutations=99, seed=0)
    with_traffic = compare_types(
        roads().assign(aadt=np.arange(90) * 100.0 + 100), None, permutations=99, seed=0
    )
    assert set(plain["outcome"]) == set(OUTCOMES) <= set(roads().columns)
    assert set(with_traffic["comparison"]) - set(plain["comparison"]) == {BY_TRAFFIC}


def test_the_account_has_every_row_of_the_table_of_tests():
    rare = roads(30).assign(cluster=pd.array([1] * 14 + [2] * 15 + [3], "Int64"))
    tests = compare_types(rare, None, permutations=99, seed=0)
    entries = count_tests(tests)
    assert sum(entry.count for entry in entries) == len(tests)
    skipped = [entry for entry in entries if entry.status == "skipped"]
    assert skipped
    assert all(entry.reason for entry in skipped)


def test_a_segment_lies_at_the_middle_of_its_line_and_one_without_imagery_has_no_type():
    lines = [shapely.LineString([(0, 0), (100, 0), (100, 300)]), shapely.LineString([(0, 0), (0, 50)])]
    segments = gpd.GeoDataFrame(
        {"segment_id": ["b", "a"], "road_class": ["primary", None], "length_m": [400.0, 50.0]},
        geometry=lines,
        crs=27700,
    )
    types = pd.DataFrame({"cluster": pd.array([2], "Int64")}, index=["b"])
    found = known_of_segments(segments, types, pd.DataFrame({"n_collisions": [3, 4]}, index=["a", "b"]))
    assert found[["x", "y"]].to_numpy().tolist() == [[100, 100], [0, 25]]
    assert found["n_collisions"].tolist() == [4, 3]
    assert found["cluster"].isna().tolist() == [False, True]
