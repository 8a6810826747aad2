"""Junctions and the roads between them are counted and rated apart; who was hurt, and how adjusted."""

import numpy as np
import pandas as pd
import pytest

from geo.safety.places import junction_types, places
from geo.safety.rates import count_adjusted, count_severities, count_users, poisson_interval

ALL = frozenset({"fatal", "serious", "slight"})


def nodes(*rows):
    frame = pd.DataFrame(rows, columns=["arms", "form", "n_collisions", "n_ksi"])
    return frame.astype({"n_collisions": "Int64", "n_ksi": "Int64"})


TOWN = nodes(
    (3, "crossing", 4, 1),
    (3, "crossing", 0, 0),
    (4, "crossing", 6, 2),
    (6, "crossing", 1, 0),
    (5, "crossing", 2, 1),
    (4, "roundabout", 9, 0),
)


def test_junctions_are_rated_per_junction_and_year_by_form_and_arms():
    table = junction_types(TOWN, 2.0).set_index("junction_type")
    assert table["n"].to_dict() == {
        "T or Y (3 arms)": 2,
        "crossing of 5 or more arms": 2,
        "crossroads (4 arms)": 1,
        "roundabout of 4 arms": 1,
        "all junctions": 6,
    }
    tee = table.loc["T or Y (3 arms)"]
    assert tee[["junction_years", "n_collisions", "n_ksi", "collisions_per_junction_year"]].tolist() == [
        4,
        4,
        1,
        1,
    ]
    # Garwood 1936: 4 events, 1.090 to 10.242
    limits = tee[["collisions_per_junction_year_low", "collisions_per_junction_year_high"]]
    assert limits.tolist() == pytest.approx([1.090 / 4, 10.242 / 4], abs=2e-3)
    whole = table.loc["all junctions"]
    types = table.drop(index="all junctions")
    for name in ("n", "n_collisions", "n_ksi", "junction_years"):
        assert types[name].sum() == whole[name]


def test_signals_part_the_types_only_where_they_are_known_of_every_junction():
    known = junction_types(TOWN.assign(signalised=[True, False, False, True, True, False]), 1.0)
    assert {"T or Y (3 arms), signals", "T or Y (3 arms), no signals"} <= set(known["junction_type"])
    partly = junction_types(TOWN.assign(signalised=[True, None, False, True, True, False]), 1.0)
    assert not partly["junction_type"].str.contains("signals").any()


@pytest.mark.parametrize("years", [None, 3.0])
def test_a_city_without_junctions_or_years_has_a_defined_answer(years):
    table = junction_types(TOWN.iloc[:0], years)
    assert table["junction_type"].tolist() == ["all junctions"]
    assert table[["n", "n_collisions"]].iloc[0].tolist() == [0, 0]
    assert table["collisions_per_junction_year"].isna().all()
    both = places(
        counted(0, 0, 0).iloc[:0].assign(length_m=[], counted_m=[]), counted(0, 0, 0).iloc[:0], years
    )
    assert both["n_collisions"].tolist() == [0, 0, 0]
    assert both[["share_of_collisions", "collisions_per_km_year"]].isna().all(axis=None)


def test_what_is_not_told_stays_null():
    table = junction_types(TOWN.assign(n_ksi=pd.array([pd.NA] * 6, "Int64")), 2.0)
    assert table["n_ksi"].isna().all()
    assert table["ksi_per_junction_year_high"].isna().all()
    assert table["n_collisions"].notna().all()


def counted(fatal, serious, slight):
    counts = pd.DataFrame({"n_fatal": [fatal], "n_serious": [serious], "n_slight": [slight]}, dtype="Int64")
    counts["n_ksi"] = counts["n_fatal"] + counts["n_serious"]
    return counts.assign(n_collisions=counts["n_ksi"] + counts["n_slight"])


def test_between_junctions_and_at_them_make_the_whole():
    roads = counted(1, 3, 6).assign(length_m=500.0, counted_m=500.0)
    table = places(roads, counted(0, 2, 8), 4.0).set_index("place")
    assert table["n_collisions"].tolist() == [10, 10, 20]
    assert table["n_ksi"].tolist() == [4, 2, 6]
    assert table["share_of_ksi"].tolist() == pytest.approx([4 / 6, 2 / 6, 1])
    assert table.loc["between junctions", "ksi_per_km_year"] == pytest.approx(4 / 2.0)
    assert table.loc["at junctions", "ksi_per_junction_year"] == pytest.approx(2 / 4.0)
    low, high = poisson_interval([6.0], [2.0])
    assert table.loc["together", ["ksi_per_km_year_low", "ksi_per_km_year_high"]].tolist() == [
        low[0],
        high[0],
    ]
    assert np.isnan(table.loc["at junctions", "ksi_per_km_year"])
    assert np.isnan(table.loc["together", "ksi_per_junction_year"])


# road users

RECORDS = pd.DataFrame(
    {
        "segment_id": ["a", "a", "a", "b", None],
        "severity": ["fatal", "slight", "slight", "slight", "slight"],
        "pedestrian": pd.array([True, False, None, None, True], "boolean"),
        "cyclist": pd.array([None] * 5, "boolean"),
        "motorcyclist": pd.array([False] * 5, "boolean"),
        "car_occupant": pd.array([True] * 5, "boolean"),
        "ksi_adjusted": [1.0, 0.25, 0.1, np.nan, 0.5],
    }
)
PLACES = pd.Index(["a", "b", "c"])


def test_collisions_count_by_road_user_and_null_is_not_zero():
    counts = count_users(RECORDS, "segment_id", PLACES, {"pedestrian", "motorcyclist", "car_occupant"})
    assert counts["n_pedestrian_collisions"].tolist() == [1, pd.NA, 0]
    assert counts["n_car_occupant_collisions"].tolist() == [3, 1, 0]
    assert counts["n_motorcyclist_collisions"].tolist() == [0, 0, 0]
    assert counts["n_cyclist_collisions"].isna().all()


def test_severities_and_road_users_that_are_not_told_are_counted_by_one_rule():
    """Two of three tell: those are counted. None tells: null. And how many do not tell stands beside both."""
    severity = RECORDS.assign(severity=["fatal", "slight", None, None, "slight"])
    by_severity = count_severities(severity, "segment_id", PLACES, ALL)
    by_user = count_users(RECORDS, "segment_id", PLACES, {"pedestrian"})
    for counts, unknown in (
        (by_severity["n_ksi"], by_severity["n_severity_unknown"]),
        (
            by_user["n_pedestrian_collisions"],
            by_user["n_users_unknown"],
        ),
    ):
        assert counts.tolist() == [1, pd.NA, 0]
        assert unknown.tolist() == [1, 1, 0]
    assert by_severity["n_collisions"].tolist() == [3, 1, 0]


def test_a_collision_in_which_nobody_was_hurt_is_known_not_to_be_ksi():
    unhurt = RECORDS.assign(severity=["fatal", "slight", None, None, "slight"], severity_known=True)
    counts = count_severities(unhurt, "segment_id", PLACES, ALL)
    assert counts["n_ksi"].tolist() == [1, 0, 0]
    assert counts["n_severity_unknown"].tolist() == [0, 0, 0]


def test_of_records_that_know_the_dead_alone_nothing_else_is_unknown():
    dead = RECORDS.assign(severity=["fatal", None, None, None, None])
    counts = count_severities(dead, "segment_id", PLACES, {"fatal"})
    assert counts["n_fatal"].tolist() == [1, 0, 0]
    assert counts[["n_ksi", "n_severity_unknown"]].isna().all(axis=None)


def test_a_place_has_no_more_collisions_with_a_user_than_collisions():
    counts = count_severities(RECORDS, "segment_id", PLACES, ALL)
    users = count_users(RECORDS, "segment_id", PLACES, {"car_occupant"})
    assert (users["n_car_occupant_collisions"] <= counts["n_collisions"]).all()


def test_adjusted_ksi_adds_up_beside_the_counts_and_is_null_where_one_is_not_adjusted():
    adjusted = count_adjusted(RECORDS, "segment_id", PLACES)
    assert adjusted["a"] == pytest.approx(1.35)
    assert np.isnan(adjusted["b"])
    assert adjusted["c"] == 0
    assert count_severities(RECORDS, "segment_id", PLACES, ALL)["n_ksi"].tolist() == [1, 0, 0]
    assert count_adjusted(RECORDS.assign(ksi_adjusted=np.nan), "segment_id", PLACES).isna().all()
