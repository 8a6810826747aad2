"""Stretches of road: cut from street to street, counted whole, and ranked with how sure that is."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from networks import network
from shapely import LineString, Point

from geo.config import Safety
from geo.outputs.layers.gather import with_types
from geo.outputs.qgis.classes import rate_bands
from geo.roads.graph import build_graph
from geo.roads.routes import chain
from geo.safety.expected.estimates import estimate_both, junction_ends_per_km, lay_out, ranked_by
from geo.safety.places import count_places
from geo.safety.stretches.laying import THE_END, lay_stretches
from geo.safety.stretches.ranking import rank_roads, worst_stretches
from tasks.results.worst import worst_of_kind
from tasks.tables import STRETCHES

CRS = 27700
STRETCHES_COLUMNS = [column.name for column in STRETCHES.columns]


def grid(n: int = 6, side: float = 100.0) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Streets from west to east ('Row 0' ...) that cross ways from south to north ('Column 0' ...)."""
    node = np.array([[f"j{x}-{y}" for y in range(n)] for x in range(n)])
    rows = [
        (node[x, y], node[x + 1, y], f"Row {y}", [(x * side, y * side), ((x + 1) * side, y * side)])
        for y in range(n)
        for x in range(n - 1)
    ]
    rows += [
        (node[x, y], node[x, y + 1], f"Column {x}", [(x * side, y * side), (x * side, (y + 1) * side)])
        for x in range(n)
        for y in range(n - 1)
    ]
    segments = gpd.GeoDataFrame(
        {
            "segment_id": [f"s{i:03d}" for i in range(len(rows))],
            "u": [row[0] for row in rows],
            "v": [row[1] for row in rows],
            "name": [row[2] for row in rows],
            "ref": None,
            "road_class": "primary",
            "length_m": side,
        },
        geometry=[LineString(row[3]) for row in rows],
        crs=CRS,
    )
    junctions = gpd.GeoDataFrame(
        {"junction_id": node.ravel()},
        geometry=[Point(x * side, y * side) for x in range(n) for y in range(n)],
        crs=CRS,
    )
    return segments, junctions


def counted_on(segments: gpd.GeoDataFrame, n_ksi: np.ndarray) -> pd.DataFrame:
    counts = pd.array(n_ksi, "Int64")
    nothing = count_places(None, "segment_id", pd.Index(segments["segment_id"], name="segment_id"), (), ())
    return nothing.assign(n_collisions=counts * 2, n_ksi=counts, counted_m=80.0, years=5.0, aadt=np.nan)


def ranked(n_ksi: np.ndarray, unknown: str | None = None) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    segments, junctions = grid()
    counted = counted_on(segments, n_ksi)
    by_id = segments.set_index("segment_id"), junctions.set_index("junction_id")
    ends = junction_ends_per_km(*by_id)
    estimates = estimate_both(by_id[0], ends, counted, seed=0, draws=500)
    at_junctions = pd.DataFrame({"n_collisions": 1, "n_ksi": 0}, index=by_id[1].index, dtype="Int64")
    if unknown is not None:
        at_junctions.loc[unknown, "n_ksi"] = pd.NA
    outcome = ranked_by(estimates)
    chosen = Safety(rank_draws=500, stretch_m=250)
    found, of = rank_roads(by_id, counted, at_junctions, estimates[outcome], outcome, chosen)
    return found, lay_out(counted, ends, estimates)[0].assign(stretch_id=of)


def test_a_road_is_cut_into_as_many_parts_as_come_nearest_and_they_are_named_by_the_streets_that_they_meet():
    segments, junctions = grid()
    laid = lay_stretches(chain(build_graph(segments, junctions), segments), 250)
    # twelve roads of 500 m, two parts each
    assert len(laid.table) == 24
    assert sorted(laid.table["length_m"].unique()) == [200, 300]
    assert laid.of_segment.notna().all()
    assert set(laid.of_segment.index) == set(segments["segment_id"])
    row = laid.table[laid.table["name"] == "Row 2"]
    assert row[["from_street", "to_street"]].to_numpy().tolist() == [
        ["Column 0", row["to_street"].iloc[0]],
        [row["to_street"].iloc[0], "Column 5"],
    ]
    assert row[["part", "parts"]].to_numpy().tolist() == [[1, 2], [2, 2]]
    assert np.allclose(laid.table.length, laid.table["length_m"])


def test_a_dead_end_an_unnamed_road_and_a_road_that_only_goes_on_are_told():
    lines = [[(0, 0), (100, 0)], [(100, 0), (200, 0)], [(100, 0), (100, 90)]]
    segments = gpd.GeoDataFrame(
        {
            "segment_id": ["a", "b", "c"],
            "u": [None, "j", "j"],
            "v": ["j", "n1", None],
            "name": ["Elm Road", "Elm Road", None],
            "ref": None,
            "road_class": ["residential", "residential", "service"],
            "length_m": [100.0, 100.0, 90.0],
        },
        geometry=[LineString(line) for line in lines],
        crs=CRS,
    )
    junctions = gpd.GeoDataFrame({"junction_id": ["j"]}, geometry=[Point(100, 0)], crs=CRS)
    laid = lay_stretches(chain(build_graph(segments, junctions), segments), 100)
    elm = laid.table[laid.table["name"] == "Elm Road"]
    assert elm["from_street"].tolist() == [THE_END, "unnamed service"]
    assert elm["to_street"].tolist() == ["unnamed service", THE_END]


def test_no_roads_make_no_stretches():
    segments, junctions = grid()
    laid = lay_stretches(chain(build_graph(segments[:0], junctions[:0]), segments[:0]), 250)
    assert len(laid.table) == len(laid.of_segment) == len(laid.nodes) == 0


def test_counts_of_segments_add_up_to_those_of_stretches_and_a_sum_of_the_unknown_is_unknown():
    n_ksi = np.arange(60) % 3
    found, _ = ranked(n_ksi)
    assert found["n_ksi"].sum() == n_ksi.sum()
    assert found["n_collisions"].sum() == 2 * n_ksi.sum()
    assert found["counted_m"].sum() == pytest.approx(80 * 60)
    part_unknown = pd.array(n_ksi, "Int64")
    part_unknown[7] = pd.NA
    found, of = ranked(part_unknown)
    mine = of["stretch_id"].iloc[7]
    assert found.set_index("stretch_id").loc[mine, ["n_ksi", "per_km_year"]].isna().all()
    assert found["n_ksi"].isna().sum() == 1


def test_junctions_that_roads_share_are_counted_beside_each_and_are_in_no_rate():
    found, _ = ranked(np.arange(60) % 3)
    # a stretch of two segments touches three junctions, of three four, each with one collision
    assert (found["n_collisions_at_junctions"] == found["n_segments"] + 1).all()
    rate = found["n_ksi"].astype(float) / (found["counted_m"] / 1000 * 5)
    assert np.allclose(found["per_km_year"], rate)


def test_what_is_not_known_of_a_junction_is_not_known_of_the_roads_that_touch_it():
    unknown = "j2-2"
    found, _ = ranked(np.arange(60) % 3, unknown=unknown)
    segments, _ = grid()
    laid = lay_stretches(chain(build_graph(*grid()), segments), 250)
    touching = set(laid.nodes.loc[laid.nodes["junction_id"] == unknown, "stretch_id"])
    silent = found["stretch_id"].isin(touching)
    assert silent.any()
    assert not silent.all()
    assert found.loc[silent, "n_ksi_at_junctions"].isna().all()
    assert (found.loc[~silent, "n_ksi_at_junctions"] == 0).all()
    assert (found["n_collisions_at_junctions"] == found["n_segments"] + 1).all()


def test_roads_that_meet_nowhere_have_no_collisions_at_junctions():
    segments, junctions = network(*((((0, 60 * i), (300, 60 * i)), f"road {i}") for i in range(4)))
    by_id = segments.set_index("segment_id"), junctions.set_index("junction_id")
    counted = counted_on(segments, np.arange(len(segments)))
    ends = junction_ends_per_km(*by_id)
    estimates = estimate_both(by_id[0], ends, counted, seed=0, draws=200)
    at = count_places(None, "junction_id", by_id[1].index, (), ())
    found, _ = rank_roads(by_id, counted, at, estimates["ksi"], "ksi", Safety(rank_draws=200))
    assert found["n_collisions_at_junctions"].tolist() == [0] * 4
    assert found["rank"].notna().all()


def test_what_is_expected_of_a_stretch_is_what_is_expected_of_its_segments_together():
    rng = np.random.default_rng(1)
    found, segments = ranked(rng.poisson(rng.gamma(1.0, 1.0, 60)))
    of = segments.groupby("stretch_id")
    expected = of["ksi_eb"].sum() / (of["counted_m"].sum() / 1000 * 5)
    told = found.set_index("stretch_id")["per_km_year_eb"]
    # by 500 draws of coefficients and k, where the estimates of segments take them as they are
    assert np.allclose(told, expected.reindex(told.index), rtol=0.12)
    assert (found["per_km_year_eb_low"] < found["per_km_year_eb"]).all()
    assert (found["per_km_year_eb"] < found["per_km_year_eb_high"]).all()


def test_the_road_with_the_collisions_ranks_first_and_the_interval_holds_its_rank():
    segments, _ = grid()
    n_ksi = np.where(segments["name"] == "Row 3", 12, np.arange(60) % 2)
    found, _ = ranked(n_ksi)
    worst = worst_stretches(found, 3)
    assert worst["name"].tolist()[:2] == ["Row 3", "Row 3"]
    assert worst["place"].tolist() == [1, 2, 3]
    assert (worst["p_worst_5_percent"][:2] > 0.4).all()
    assert (
        (found["rank_low"] <= found["expected_rank"]) & (found["expected_rank"] <= found["rank_high"])
    ).all()
    assert found["p_worst_5_percent"].sum() == pytest.approx(np.ceil(0.05 * len(found)))


def test_a_stub_is_rated_as_if_it_were_half_as_long_as_a_stretch_is_to_be():
    segments, _ = grid()
    counted = counted_on(segments, np.arange(60) % 3)
    by_id = segments.set_index("segment_id"), grid()[1].set_index("junction_id")
    ends = junction_ends_per_km(*by_id)
    estimates = estimate_both(by_id[0], ends, counted, seed=0, draws=500)
    at = pd.DataFrame({"n_collisions": 1, "n_ksi": 0}, index=by_id[1].index, dtype="Int64")
    whole, _ = rank_roads(by_id, counted, at, estimates["ksi"], "ksi", Safety(rank_draws=500, stretch_m=5000))
    # roads of 500 m, of which 400 m are counted on, are rated as if these were 2,500 m
    assert np.allclose(whole["per_km_year"], whole["n_ksi"].astype(float) / (2.5 * 5))


def test_without_records_stretches_have_no_rank_and_there_is_no_list():
    found, _ = ranked(np.array([None] * 60, dtype=object))
    assert found["rank"].isna().all()
    assert found["rank_of"].isna().all()
    with pytest.raises(Exception, match="no stretch has a rank"):
        worst_stretches(found)


def test_the_layer_is_as_it_is_declared_with_records_and_without():
    for n_ksi in (np.arange(60) % 3, np.array([None] * 60, dtype=object)):
        found, _ = ranked(n_ksi)
        STRETCHES.check(found)
        assert set(found) | {"cluster", "cluster_share"} == set(STRETCHES_COLUMNS) | {"geometry"}


def test_a_stretch_is_of_the_type_that_most_of_it_is_of():
    segments = pd.DataFrame(
        {
            "stretch_id": ["x", "x", "x", "y"],
            "cluster": pd.array([2, 1, 1, None], "Int64"),
            "length_m": [50.0, 30.0, 30.0, 10.0],
        }
    )
    stretches = pd.DataFrame({"stretch_id": ["x", "y"], "length_m": [110.0, 10.0]})
    found = with_types(stretches, segments)
    assert found["cluster"].tolist() == [1, pd.NA]
    assert found["cluster_share"].iloc[0] == pytest.approx(60 / 110)


def test_the_worst_of_a_map_of_rates_stand_apart_by_length():
    rates = pd.Series(np.arange(1.0, 5001.0), name="x")
    *bands, _ = rate_bands(rates, lengths=pd.Series(1.0, index=rates.index))
    told = [band.label.replace("\N{NO-BREAK SPACE}", " ") for band in bands]
    assert told[-2:] == ["4 951 to 4 995 (worst 1 % of length)", "4 996 to 5 000 (worst 0.1 % of length)"]
    plain = rate_bands(rates)
    assert len(bands) == len(plain) + 1
    assert [band.label for band in plain][:4] == [band.label for band in bands][:4]


def test_a_few_roads_have_no_worst_thousandth():
    rates = pd.Series([0.5, 1.0, 2.0, 4.0], name="x")
    lengths = pd.Series(100.0, index=rates.index)
    assert [band.label for band in rate_bands(rates, lengths=lengths)] == [
        band.label for band in rate_bands(rates)
    ]


def test_a_kind_of_place_that_is_not_known_is_told():
    with pytest.raises(ValueError, match="segments, junctions, roads can be asked for"):
        worst_of_kind("bridges")
