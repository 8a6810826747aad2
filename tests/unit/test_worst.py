"""The list of the worst roads: by what is to be expected, not by what chance has piled up."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geo.config import Safety
from geo.errors import LayerError
from geo.safety.expected.estimates import estimate
from geo.safety.expected.ranking import worst_segments


@pytest.fixture
def ranked(grid_city):
    segments = grid_city.layers["segments"]
    order = np.random.default_rng(3).permutation(len(segments)) + 1.0
    order[::7] = np.nan
    return segments.assign(
        ref=None, expected_rank=order, rank_of=pd.Series("ksi", index=segments.index).where(order > 0)
    )


def test_the_worst_come_first_by_expected_rank_whatever_their_counts(ranked):
    worst = worst_segments(ranked, 10)
    assert worst["place"].tolist() == list(range(1, 11))
    assert worst["expected_rank"].is_monotonic_increasing
    best_left_out = ranked.loc[~ranked["segment_id"].isin(worst["segment_id"]), "expected_rank"].min()
    assert worst["expected_rank"].max() < best_left_out
    raised = ranked.assign(n_ksi=1000, ksi_per_km_year=1e6)
    assert worst_segments(raised, 10)["segment_id"].tolist() == worst["segment_id"].tolist()


def test_each_rate_stands_between_its_limits_and_the_road_can_be_found(ranked):
    worst = worst_segments(ranked, 40)
    assert len(worst) == ranked["expected_rank"].notna().sum()
    assert (worst["ksi_per_km_year_low"] <= worst["ksi_per_km_year"]).all()
    assert (worst["ksi_per_km_year"] <= worst["ksi_per_km_year_high"]).all()
    assert worst.crs == ranked.crs
    lines = ranked.set_index("segment_id").geometry
    assert (worst.geometry.to_wkb() == lines.loc[worst["segment_id"]].to_wkb().to_numpy()).all()


def test_a_short_road_with_one_collision_is_not_the_worst():
    """The rate of a stub with one collision is the highest, and tells least (Hauer 1997)."""
    n = 60
    index = pd.Index([f"s{i:02d}" for i in range(n)], name="segment_id")
    length = pd.Series(1.0, index=index)
    counts = pd.Series(np.random.default_rng(1).poisson(2.0, n), index=index)
    length["s00"], counts["s00"] = 0.01, 1
    counts["s01"] = 30
    known = pd.DataFrame({"road_class": "primary", "junction_ends_per_km": 10.0, "aadt": np.nan}, index=index)
    known["counted_km"] = length
    found = estimate("ksi", counts, length, known, seed=0, draws=Safety().rank_draws)
    segments = gpd.GeoDataFrame(
        found.ranks.rename(columns={"mean_rank": "expected_rank"}).assign(
            n_ksi=counts, rate=counts / length, rank_of="ksi"
        ),
        geometry=gpd.points_from_xy(np.arange(n), np.zeros(n)),
        crs=27700,
    ).reset_index()
    assert segments.loc[segments["rate"].idxmax(), "segment_id"] == "s00"
    worst = worst_segments(segments, 5)["segment_id"].tolist()
    assert worst[0] == "s01"


def test_without_records_there_is_no_list(ranked):
    with pytest.raises(LayerError, match="no segment has a rank"):
        worst_segments(ranked.assign(expected_rank=np.nan))
