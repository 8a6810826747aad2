"""Windows, spots and density of a whole town by its settings, with records and without."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo.config.sections.safety import Gathering
from geo.safety.along.recorded import COUNTS, find_spots, recorded_roads, smooth, sweep_windows
from tests.unit.networks import collisions, grid, network

SETTINGS = Gathering(window_m=200, step_m=100, min_window_m=200, hot_spot_m=150, hot_spot_permutations=9999)
ALL = ("fatal", "serious", "slight")
SLIGHT, FATAL = [(x, 0) for x in range(10, 130, 5)], [(x, 500) for x in range(15, 45, 5)]


def town(places=(), severity=(), *, records=True, severities=ALL, ksi=None, predicted=None):
    """Streets of 6 x 6 nodes, 100 m apart, and collisions on them."""
    segments, junctions = network(*grid(6), max_length_m=150)
    n = len(segments)
    known = pd.DataFrame(
        {
            "n_ksi": pd.array(
                [0 if "fatal" in severities else None] * n if ksi is None else ksi(segments), "Int64"
            ),
            "n_collisions": 1,
            "ksi_predicted": 1.0 if predicted is None else predicted(segments),
            "ksi_eb_weight": 0.5,
            "collisions_predicted": 1.0,
            "collisions_eb_weight": 0.5,
        },
        index=pd.Index(segments["segment_id"], name="segment_id"),
    )
    placed = collisions(segments, junctions, *places).assign(severity=pd.Series(severity, dtype=object))
    return recorded_roads(segments, junctions, known, placed if records else None, severities, 2.0)


def on_row(layer, y):
    return layer[(layer.bounds["miny"] == y) & (layer.bounds["maxy"] == y)]


def test_the_high_injury_network_holds_a_share_of_ksi_where_severity_is_told():
    severity = ["slight"] * len(SLIGHT) + ["fatal"] * len(FATAL)
    layer, headline = sweep_windows(town(SLIGHT + FATAL, severity), SETTINGS, seed=0)
    # 24 slight collisions within 200 m outscore 6 fatal ones, yet hold none of the KSI
    chosen = layer[layer["in_high_injury_network"].astype(bool)]
    assert len(on_row(chosen, 500)) > 0
    assert chosen["n_ksi"].max() == len(FATAL)
    assert headline["n"].tolist() == [len(FATAL)] * 2


def test_the_high_injury_network_holds_a_share_of_all_collisions_where_severity_is_not_told():
    layer, headline = sweep_windows(
        town(SLIGHT + FATAL, [None] * (len(SLIGHT) + len(FATAL)), severities=()), SETTINGS, seed=0
    )
    chosen = layer[layer["in_high_injury_network"].astype(bool)]
    assert set(chosen.bounds["maxy"]) == {0.0}
    assert layer["n_ksi"].isna().all()
    assert headline["n"].tolist() == [len(SLIGHT) + len(FATAL)] * 2


def test_collisions_that_hurt_nobody_make_no_high_injury_network_but_are_counted():
    severity = [None] * len(SLIGHT) + ["slight"] * len(FATAL)
    roads = town(
        SLIGHT + FATAL, severity, severities=("fatal", "slight"), ksi=lambda segments: [None] * len(segments)
    )
    known = roads.records.assign(severity_known=True)
    layer, headline = sweep_windows(replace(roads, records=known), SETTINGS, seed=0)
    chosen = layer[layer["in_high_injury_network"].astype(bool)]
    assert set(chosen.bounds["maxy"]) == {500.0}
    assert on_row(layer, 0)["n_collisions"].max() > on_row(layer, 500)["n_collisions"].max()
    assert on_row(layer, 0)["score_per_km"].eq(0).all()
    assert headline["n"].tolist() == [len(severity)] * 2
    # what is not known may have hurt somebody
    layer, _ = sweep_windows(replace(roads, records=known.assign(severity_known=False)), SETTINGS, seed=0)
    assert set(layer[layer["in_high_injury_network"].astype(bool)].bounds["maxy"]) == {0.0}


def test_where_nothing_counts_there_is_no_high_injury_network():
    roads = town(SLIGHT, [None] * len(SLIGHT), severities=(), ksi=lambda segments: [None] * len(segments))
    layer, _ = sweep_windows(
        replace(roads, records=roads.records.assign(severity_known=True)), SETTINGS, seed=0
    )
    assert layer["in_high_injury_network"].isna().all()


def test_without_records_nothing_is_counted_and_nothing_is_dense():
    roads = town(records=False)
    layer, headline = sweep_windows(roads, SETTINGS, seed=0)
    assert layer[list(COUNTS)].isna().all(axis=None)
    assert headline["n"].isna().all()
    assert set(headline["reason"]) == {"no collision records"}
    lixels, chosen = smooth(roads, SETTINGS)
    assert lixels["kernel_collisions_per_km"].isna().all()
    assert chosen.how == "no collisions"


def test_records_without_a_collision_on_these_roads_are_zeros_and_no_nulls():
    roads = town()
    layer, _ = sweep_windows(roads, SETTINGS, seed=0)
    assert layer["n_collisions"].eq(0).all()
    lixels, _ = smooth(roads, SETTINGS)
    assert lixels["kernel_collisions_per_km"].eq(0).all()


def test_density_holds_all_collisions_and_says_which_bandwidth_made_it():
    roads = town(SLIGHT, ["slight"] * len(SLIGHT))
    lixels, chosen = smooth(roads, SETTINGS)
    length_km = (lixels["to_m"] - lixels["from_m"]) / 1000
    assert (lixels["kernel_collisions_per_km"] * length_km).sum() == pytest.approx(len(SLIGHT))
    assert chosen.bandwidth_m in SETTINGS.bandwidths_m
    assert set(lixels["bandwidth_m"]) == {chosen.bandwidth_m}
    np.testing.assert_allclose(
        lixels["kernel_collisions_per_km_year"], lixels["kernel_collisions_per_km"] / 2.0
    )
    _, by_setting = smooth(roads, SETTINGS.model_copy(update={"bandwidth_m": 55.0}))
    assert (by_setting.bandwidth_m, by_setting.how) == (55.0, "by setting")


def corner(segments, there=9, elsewhere=1):
    middle = segments.geometry.interpolate(0.5, normalized=True)
    return np.where((middle.x <= 250) & (middle.y <= 250), there, elsewhere)


def test_a_corner_with_more_collisions_than_predicted_is_a_hot_spot():
    roads = town(ksi=corner)
    found = find_spots(roads, SETTINGS, seed=0).set_index("segment_id")
    assert found.index.tolist() == roads.segments["segment_id"].tolist()
    hot = roads.segments.set_index("segment_id").geometry[found["gi_star_spot"] == "hot"]
    assert len(hot) > 0
    assert hot.bounds[["minx", "miny"]].to_numpy().max() <= 300


def test_a_corner_of_which_as_many_are_predicted_is_none():
    rng = np.random.default_rng(2)
    roads = town(ksi=lambda segments: rng.poisson(corner(segments)), predicted=corner)
    found = find_spots(roads, SETTINGS, seed=0)
    assert (found["gi_star_spot"] == "none").all()
