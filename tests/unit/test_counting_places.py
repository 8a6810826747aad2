"""Counts, rates and expectations of a whole town's segments and junctions."""

import numpy as np
import pandas as pd
import pytest

from geo.config import ROAD_USERS
from geo.safety.expected.estimates import RANKS, estimate_outcomes, junction_ends_per_km
from geo.safety.places import count_places, rate_junctions, rate_segments
from geo.safety.rates import told_outcome
from tests.unit.networks import grid, network

ALL, USERS = ("fatal", "serious", "slight"), ("pedestrian", "cyclist")
AT = pd.Index(["a", "b"], name="segment_id")


def records():
    return pd.DataFrame(
        {
            "segment_id": ["a", "a", None],
            "junction_id": [None, None, "j"],
            "severity": ["fatal", "slight", "slight"],
            "ksi_adjusted": [1.0, 0.25, 0.5],
            **{user: [True, False, None] for user in ROAD_USERS},
        }
    )


def test_collisions_are_counted_at_their_place_in_every_way_that_records_tell():
    found = count_places(records(), "segment_id", AT, ALL, USERS)
    assert found["n_collisions"].tolist() == [2, 0]
    assert found["n_ksi"].tolist() == [1, 0]
    assert found["n_cyclist_collisions"].tolist() == [1, 0]
    assert found["n_car_occupant_collisions"].isna().all()
    assert found["n_ksi_adjusted"].tolist() == [1.25, 0]
    at_junction = count_places(records(), "junction_id", pd.Index(["j"]), ALL, USERS)
    assert at_junction["n_slight"].tolist() == [1]


def test_without_records_every_count_is_null_and_there_are_as_many():
    counted = count_places(records(), "segment_id", AT, ALL, USERS)
    nothing = count_places(None, "segment_id", AT, ALL, USERS)
    assert nothing.columns.tolist() == counted.columns.tolist()
    assert nothing.isna().all(axis=None)


def test_a_segment_whose_traffic_nobody_counted_has_a_rate_by_length_alone():
    counts = count_places(records(), "segment_id", AT, ALL, USERS)
    traffic = pd.DataFrame({"aadt": [1000.0]}, index=["b"])
    found = rate_segments(counts, pd.Series([500.0, 250.0], index=AT), traffic, 2.0)
    assert found["collisions_per_km_year"].tolist() == [2.0, 0.0]
    assert found["million_vkm"].isna().tolist() == [True, False]
    assert found.loc["b", "million_vkm"] == pytest.approx(1000 * 365 * 0.25 * 2 / 1e6)
    assert rate_junctions(counts, 4.0)["collisions_per_year"].tolist() == [0.5, 0.0]


def city(**counts):
    segments, junctions = network(*grid(4), max_length_m=150)
    segments = segments.set_index("segment_id").assign(road_class="minor")
    table = pd.DataFrame(
        {"years": 5.0, "aadt": np.nan, "counted_m": segments["length_m"], **counts}, index=segments.index
    )
    return segments, junctions.set_index("junction_id"), table


def test_a_street_has_an_end_at_each_junction_it_reaches():
    segments, junctions, _ = city()
    ends = junction_ends_per_km(segments, junctions)
    corners = {(0.0, 0.0), (0.0, 300.0), (300.0, 0.0), (300.0, 300.0)}
    at_corner = [bool(corners & {line.coords[0], line.coords[-1]}) for line in segments.geometry]
    # two streets meet at a corner of the grid, which is no junction, so they are one road with one end in each half
    expected = np.where(at_corner, 1, 2) / (segments["length_m"] / 1000)
    np.testing.assert_allclose(ends, expected)


@pytest.mark.parametrize("ksi_told", [True, False])
def test_segments_rank_by_ksi_where_it_is_told_and_by_all_collisions_elsewhere(ksi_told):
    segments, junctions, table = city()
    rng = np.random.default_rng(2)
    # of places that differ, or all ranks are drawn by lot
    risk = rng.gamma(2, 0.5, len(table))
    table["n_collisions"] = pd.array(rng.poisson(6 * risk) + 1, "Int64")
    table["n_ksi"] = pd.array(rng.poisson(2 * risk) if ksi_told else [None] * len(table), "Int64")
    found, models = estimate_outcomes(segments, junctions, table, seed=0, draws=200)
    outcome = "ksi" if ksi_told else "collisions"
    assert told_outcome(table) == outcome
    assert set(found["rank_of"]) == {outcome}
    assert set(models["outcome"]) == {"ksi", "collisions"}
    assert set(RANKS.values()) <= set(found.columns)
    worst = found[found["rank"] == 1]
    assert worst[f"{outcome}_eb"].max() == found[f"{outcome}_eb"].max()


def test_without_records_no_segment_has_a_rank():
    segments, junctions, table = city()
    nothing = pd.array([None] * len(table), "Int64")
    found, _ = estimate_outcomes(
        segments, junctions, table.assign(n_ksi=nothing, n_collisions=nothing), seed=0, draws=200
    )
    assert found["rank"].isna().all()
    assert found["rank_of"].isna().all()
