"""Traffic: counts read as published, brought to roads, taken over along them, never made up."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import Exposure
from geo.errors import LayerError, SourceError
from geo.exposure.counts import ITEM, read_counts
from geo.exposure.points import OTHER_ROAD, OTHER_YEAR, TOO_FAR, TOO_OLD, place_points
from geo.exposure.segments import carriageways, coverage, same_road
from geo.exposure.traffic import coverage_sentences, measure_traffic
from geo.safety.rates import count_severities, traffic_rates

GRID = pyproj.CRS.from_epsg(27700)
PERIOD = (date(2019, 1, 1), date(2023, 12, 31))
DFT = "count_point_id,year,road_name,road_category,easting,northing,pedal_cycles,all_motor_vehicles"


def roads(*rows):
    """Segments as rows of ``(id, name, ref, class, coordinates)``."""
    frame = pd.DataFrame(
        [row[:4] for row in rows], columns=["segment_id", "name", "ref", "road_class"], dtype=object
    )
    lines = [shapely.LineString(row[4]) for row in rows]
    frame["length_m"] = shapely.length(lines)
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(lines, crs=GRID))


MAIN = roads(
    ("a1", "Main Street", "A58", "primary", [(0, 0), (200, 0)]),
    ("a2", "Main Street", "A58", "primary", [(200, 0), (400, 0)]),
    ("a3", "Main Street", "A58", "primary", [(3000, 0), (3200, 0)]),
    ("b1", "Side Street", None, "residential", [(100, 12), (100, 200)]),
    ("b2", None, None, "residential", [(300, 5), (300, 200)]),
)


def traffic(folder, *rows, header=DFT, period=PERIOD, segments=MAIN, **settings):
    path = folder / "traffic.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    how = Exposure.model_validate({"sources": [str(path)]} | settings)
    return measure_traffic(segments, how, read_counts(how, GRID), period)


def accounted(entries, item=ITEM):
    return {(e.status, e.reason): e.count for e in entries if e.item == item}


# the file of the Department for Transport


def test_a_count_stands_on_the_segment_beside_it_and_is_the_mean_over_the_years_of_the_records(tmp_path):
    table, entries = traffic(
        tmp_path,
        "7,2018,A58,PA,100,3,50,9000",
        "7,2019,A58,PA,100,3,50,10000",
        "7,2022,A58,PA,100,3,50,13000",
    )
    found = table.loc["a1"]
    assert (found["aadt"], found["traffic_source"], found["traffic_distance_m"]) == (11_500, "measured", 3.0)
    assert (found["traffic_years"], found["traffic_points"]) == ("2019-2022", "7")
    assert accounted(entries) == {("done", ""): 2, ("skipped", OTHER_YEAR): 1}


def test_the_nearest_count_on_the_same_road_is_taken_over_within_the_stated_distance_and_no_farther(tmp_path):
    table, entries = traffic(tmp_path, "7,2020,A58,PA,100,3,50,10000", inherit_m=150)
    assert table.loc["a2", ["aadt", "traffic_source"]].tolist() == [10_000, "inherited"]
    assert table.loc["a2", "traffic_distance_m"] == pytest.approx(np.hypot(100, 3), abs=0.06)
    for far in ("a3", "b1", "b2"):
        assert table.loc[far, ["aadt", "traffic_source", "traffic_distance_m", "traffic_years"]].isna().all()
    assert sum(accounted(entries, "segments").values()) == len(MAIN)
    assert traffic(tmp_path, "7,2020,A58,PA,100,3,50,10000", inherit_m=0)[0]["aadt"].notna().sum() == 1
    wide, _ = traffic(tmp_path, "7,2020,A58,PA,100,3,50,10000", inherit_m=5000)
    assert wide.loc["a3", "traffic_source"] == "inherited"


def test_a_street_is_never_given_the_traffic_of_a_street_of_another_name(tmp_path):
    table, _ = traffic(tmp_path, "8,2020,U,MCU,100,100,50,700", inherit_m=10_000)
    assert table.index[table["aadt"].notna()].tolist() == ["b1"]


def test_a_point_goes_to_the_road_of_its_number_before_a_nearer_one(tmp_path):
    table, _ = traffic(tmp_path, "7,2020,A58,PA,100,9,50,10000")
    assert table.loc["a1", "traffic_source"] == "measured"
    assert pd.isna(table.loc["b1", "aadt"])


def test_a_point_of_a_road_that_is_not_there_stands_on_no_other(tmp_path):
    table, entries = traffic(tmp_path, "7,2020,A61,PA,100,3,50,10000", "8,2020,M621,TM,100,3,50,90000")
    assert table["aadt"].isna().all()
    assert accounted(entries) == {("skipped", OTHER_ROAD): 2}


@pytest.mark.parametrize(
    ("row", "fate"),
    [
        ("7,2020,A58,PA,100,3,50,0", ("rejected", "zero or negative")),
        ("7,2020,A58,PA,100,3,50,-5", ("rejected", "zero or negative")),
        ("7,2020,A58,PA,100,3,50,n/a", ("rejected", "no number")),
        ("7,2020,A58,PA,100,3,50,inf", ("rejected", "no number")),
        ("7,2020,A58,PA,100,3,50,", ("rejected", "no number")),
        ("7,2020,A58,PA,,,50,10000", ("rejected", "no coordinates that can be used")),
        ("7,2020,A58,PA,0,0,50,10000", ("rejected", "no coordinates that can be used")),
        ("7,,A58,PA,100,3,50,10000", ("rejected", "no year")),
        ("7,2020,A58,PA,100,3,50,10000,x", ("rejected", "other number of fields than the header")),
        ("7,2001,A58,PA,100,3,50,10000", ("skipped", TOO_OLD)),
        ("7,2020,A58,PA,20,31,50,10000", ("skipped", TOO_FAR)),
    ],
)
def test_a_figure_that_cannot_be_used_has_its_reason_in_the_ledger(row, fate, tmp_path):
    table, entries = traffic(tmp_path, row, "9,2020,A58,PA,3100,0,1,2000", inherit_m=0)
    assert accounted(entries) == {("done", ""): 1, fate: 1}
    assert table["aadt"].dropna().to_dict() == {"a3": 2000.0}


def test_without_a_figure_of_the_period_the_nearest_year_is_taken_and_stated(tmp_path):
    rows = ("7,2012,A58,PA,100,3,50,8000", "7,2016,A58,PA,100,3,50,9000")
    table, entries = traffic(tmp_path, *rows)
    assert table.loc["a1", ["aadt", "traffic_years"]].tolist() == [9000, "2016"]
    assert accounted(entries) == {("done", ""): 1, ("skipped", OTHER_YEAR): 1}
    assert traffic(tmp_path, *rows, max_years_apart=2)[0]["aadt"].isna().all()
    latest, _ = traffic(tmp_path, *rows, period=None)
    assert latest.loc["a1", "traffic_years"] == "2016"


def test_figures_that_contradict_each_other_are_rejected_and_repeats_are_skipped(tmp_path):
    row = "7,2020,A58,PA,100,3,50,"
    _, entries = traffic(tmp_path, row + "10000", row + "10000")
    assert accounted(entries) == {("done", ""): 1, ("skipped", "repeats a row"): 1}
    table, entries = traffic(tmp_path, row + "10000", row + "12000", row + "12000")
    assert accounted(entries) == {("rejected", "several figures for its point and year"): 3}
    assert table["aadt"].isna().all()


def test_figures_by_direction_are_added_up(tmp_path):
    header = DFT + ",direction_of_travel"
    table, entries = traffic(
        tmp_path, "7,2020,A58,PA,100,3,50,4000,N", "7,2020,A58,PA,100,3,50,5000,S", header=header
    )
    assert table.loc["a1", "aadt"] == 9000
    assert sum(accounted(entries).values()) == 2


def test_the_names_of_earlier_files_are_known_and_places_in_degrees(tmp_path):
    lon, lat = pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(414100, 422803)
    shifted = MAIN.set_geometry(MAIN.geometry.translate(414000, 422800))
    header = "Count_point_id,Year,Road_name,Longitude,Latitude,All_motor_vehicles"
    row = f"7,2020,A58,{lon:.8f},{lat:.8f},10000"
    table, _ = traffic(tmp_path, row, header=header, segments=shifted)
    assert table.loc["a1", "traffic_distance_m"] == pytest.approx(3, abs=0.2)


def test_a_file_without_what_is_needed_is_refused_with_its_columns(tmp_path):
    with pytest.raises(LayerError, match=r"it lacks all_motor_vehicles; there are count_point_id, year"):
        traffic(tmp_path, "7,2020,A58,1,1", header="count_point_id,year,road_name,easting,northing")
    with pytest.raises(SourceError, match="section exposure"):
        read_counts(Exposure(sources=[str(tmp_path / "gone.csv")]), GRID)


# any table


def test_any_table_is_read_through_its_mapping(tmp_path):
    columns = {"x": "e", "y": "n", "crs": "EPSG:27700", "aadt": "dtv", "road_name": "street", "decimal": ","}
    table, entries = traffic(
        tmp_path,
        "100,5;50,0;1500,5;Side St",
        "300,5;50,0;700;Elsewhere Road",
        header="e;n;dtv;street",
        schema="columns",
        columns=columns,
    )
    assert table["aadt"].dropna().to_dict() == {"b1": 1500.5, "b2": 700.0}
    assert pd.isna(table.loc["b1", "traffic_years"])
    assert accounted(entries) == {("done", ""): 2}


def test_a_mapped_column_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LayerError, match=r"exposure\.columns\.aadt: 'dtv'"):
        traffic(tmp_path, "1;2", header="e;n", schema="columns", columns={"x": "e", "y": "n", "aadt": "dtv"})


def test_several_points_on_a_segment_give_their_mean(tmp_path):
    table, _ = traffic(tmp_path, "7,2020,A58,PA,50,1,0,10000", "8,2020,A58,PA,150,4,0,12000")
    assert table.loc["a1", ["aadt", "traffic_points", "traffic_distance_m"]].tolist() == [11_000, "7;8", 1.0]
    # the nearest of the two
    assert table.loc["a2", ["aadt", "traffic_points"]].tolist() == [12_000, "8"]


# a column of the roads


def test_a_column_of_the_roads_gives_each_segment_its_figure_or_a_reason():
    segments = MAIN.assign(src_aadt=["10000", "0", "-3", None, "many"])
    table, entries = measure_traffic(segments, Exposure(column="aadt"))
    assert table["aadt"].dropna().to_dict() == {"a1": 10_000.0}
    assert table["traffic_source"].dropna().to_dict() == {"a1": "column"}
    assert accounted(entries) == {
        ("done", ""): 1,
        ("skipped", "none recorded"): 1,
        ("rejected", "no number"): 1,
        ("rejected", "zero or negative"): 2,
    }
    with pytest.raises(LayerError, match="no column 'flow' for traffic; there are aadt"):
        measure_traffic(segments, Exposure(column="flow"))


def test_without_any_traffic_everything_is_null_and_nothing_is_said():
    table, entries = measure_traffic(MAIN, Exposure())
    assert table.isna().all(axis=None)
    assert entries == []
    assert coverage_sentences(Exposure(), {"known": 0.0}) == []


# carriageways

DUAL = roads(
    ("e1", None, "A1", "trunk", [(0, 0), (200, 0)]),
    ("e2", None, "A1", "trunk", [(200, 0), (400, 0)]),
    ("w1", None, "A1", "trunk", [(380, 15), (-20, 15)]),
    ("s1", None, "A1", "trunk", [(400, 0), (600, 0)]),
    ("p1", "Frontage", None, "residential", [(0, -15), (400, -15)]),
    ("x1", None, "A1", "trunk", [(100, 2), (100, 14)]),
)


def test_carriageways_of_one_road_that_are_drawn_apart_share_a_count_of_both_directions(tmp_path):
    row = "7,2020,A1,TA,100,1,0,30000"
    table, _ = traffic(tmp_path, row, segments=DUAL)
    assert table["aadt"].dropna().to_dict() == {"e1": 15e3, "e2": 15e3, "w1": 15e3, "s1": 30e3, "x1": 30e3}
    assert table.loc[["e1", "s1"], "carriageways"].tolist() == [2, 1]
    whole, _ = traffic(tmp_path, row, segments=DUAL, both_directions=False)
    assert (whole["aadt"].dropna() == 30e3).all()


def test_where_one_way_roads_are_told_only_they_are_carriageways():
    two_way = DUAL.assign(src_oneway=["no", "no", "no", "no", "no", "no"])
    assert (carriageways(two_way, same_road(two_way)) == 1).all()


# rates


@pytest.mark.parametrize(("aadt", "rate_"), [(4000, 17.1), (2500, 27.4)])
def test_rates_are_those_of_the_published_example(aadt, rate_):
    # FHWA-SA-11-09, appendix C: 15 roadway departure crashes in 5 years on 12 miles; per 100 million vehicle-miles
    counts = pd.DataFrame({"n_collisions": pd.array([15], "Int64"), "n_ksi": pd.array([pd.NA], "Int64")})
    found = traffic_rates(counts, pd.Series([12_000.0]), pd.Series([float(aadt)]), 5.0)
    assert round(found["collisions_per_100m_vkm"][0], 1) == rate_
    low, high = found.loc[0, ["collisions_per_100m_vkm_low", "collisions_per_100m_vkm_high"]]
    # Garwood 1936: 15 events, 8.395 to 24.740
    assert [low / rate_, high / rate_] == pytest.approx([8.395 / 15, 24.740 / 15], rel=2e-3)
    assert found[[c for c in found if c.startswith("ksi")]].isna().all(axis=None)


def test_a_rate_per_vehicle_is_null_without_traffic_or_years():
    records = pd.DataFrame({"segment_id": ["a"], "severity": ["slight"]})
    counts = count_severities(records, "segment_id", pd.Index(["a", "b"]), {"fatal", "serious", "slight"})
    length = pd.Series([100.0, 100.0], index=counts.index)
    aadt = pd.Series([np.nan, 1000.0], index=counts.index)
    found = traffic_rates(counts, length, aadt, 2.0)
    assert found.loc["a"].isna().all()
    assert found.loc["b", "million_vkm"] == pytest.approx(1000 * 365 * 2 * 0.1 / 1e6)
    assert found.loc["b", ["collisions_per_100m_vkm", "collisions_per_100m_vkm_low"]].tolist() == [0, 0]
    assert traffic_rates(counts, length, aadt, None).isna().all(axis=None)


def test_the_share_of_the_network_is_by_length(tmp_path):
    table, _ = traffic(tmp_path, "7,2020,A58,PA,100,3,50,10000", inherit_m=500)
    shares = coverage(table, MAIN.set_index("segment_id")["length_m"])
    total = MAIN["length_m"].sum()
    assert shares == pytest.approx({"known": 400 / total, "measured": 200 / total, "inherited": 200 / total})
    (said,) = coverage_sentences(Exposure(sources=["x"]), shares)
    assert said.startswith(f"traffic is known on {400 / total:.1%} of the network's length")


def test_count_points_are_read_from_a_layer_and_what_is_no_row_is_told(tmp_path):
    points = gpd.GeoDataFrame({"flow": [700]}, geometry=[shapely.Point(100, 100)], crs=GRID)
    points.to_file(tmp_path / "counts.gpkg", layer="counts")
    points.to_file(tmp_path / "counts.gpkg", layer="other")
    asked = {"sources": [str(tmp_path / "counts.gpkg")], "schema": "columns", "columns": {"aadt": "flow"}}
    with pytest.raises(LayerError, match=r"(?s)'counts' \(1 rows\); 'other' \(1 rows\).*exposure\.layer"):
        read_counts(Exposure.model_validate(asked), GRID)
    table = read_counts(Exposure.model_validate(asked | {"layer": "counts"}), GRID).table
    assert table[["x", "y", "aadt"]].to_numpy().tolist() == [[100, 100, 700]]
    _, entries = traffic(tmp_path, "7,2020,A58,PA,100,3,50,10000", "Total,,,,,,,10000")
    assert [(entry.status, entry.count) for entry in entries if entry.item == "lines"] == [("skipped", 1)]


def test_points_that_part_thousands_are_asked_about(tmp_path):
    columns = {"x": "x", "y": "y", "aadt": "flow", "crs": GRID.to_wkt()}
    rows = ["100,3,12.500", "300,3,4.200", "3100,3,900"]

    def read(**more):
        asked = {"schema": "columns", "columns": columns | more}
        return traffic(tmp_path, *rows, header="x,y,flow", **asked)[0]["aadt"]

    with pytest.raises(LayerError, match=r"(?s)'12\.500' may be thousands.*exposure\.columns\.decimal"):
        read()
    assert read(decimal=",").loc["a1"] == 12_500
    assert read(decimal=".").loc["a1"] == 12.5
    roads = MAIN.assign(src_flow=["12.500", "4.200", "900", None, None])
    with pytest.raises(LayerError, match="may be thousands"):
        measure_traffic(roads, Exposure(column="flow"))


def test_figures_too_small_for_vehicles_a_day_are_questioned(tmp_path):
    _, entries = traffic(tmp_path, "7,2020,A58,PA,100,3,50,4.2")
    (told,) = [entry for entry in entries if entry.item == "traffic"]
    assert "below 50 vehicles a day (4.2): are they in thousands?" in told.reason
    _, entries = traffic(tmp_path, "7,2020,A58,PA,100,3,50,4200")
    assert all(entry.item != "traffic" for entry in entries)


def test_of_rows_that_repeat_a_figure_the_one_that_names_its_road_stays(tmp_path):
    rows = ["3,2022,U,PA,195,-27,1,500", "3,2022,,PA,195,-27,1,500"]
    one, _ = traffic(tmp_path, *rows)
    other, entries = traffic(tmp_path, *rows[::-1])
    pd.testing.assert_frame_equal(one, other)
    assert accounted(entries)["skipped", "repeats a row"] == 1


# what must hold whatever the counts

point = st.tuples(
    st.integers(0, 3),
    st.integers(2015, 2025),
    st.sampled_from(["A58", "U", "B1", ""]),
    st.integers(-20, 420),
    st.integers(-40, 40),
    st.sampled_from(["0", "-1", "x", "", "500", "501", "9000"]),
)


@settings(max_examples=40)
@given(st.lists(point, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_every_row_is_accounted_for_once_and_their_order_does_not_matter(tmp_path_factory, rows, shuffle):
    folder = tmp_path_factory.mktemp("traffic")
    lines = [f"{i},{year},{road},PA,{x},{y},1,{flow}" for i, year, road, x, y, flow in rows]
    table, entries = traffic(folder, *lines)
    assert sum(accounted(entries).values()) == len(rows)
    assert sum(accounted(entries, "segments").values()) == len(MAIN)
    assert (table["aadt"].dropna() > 0).all()
    assert (table["aadt"].isna() == table["traffic_source"].isna()).all()
    again = lines.copy()
    shuffle.shuffle(again)
    other, _ = traffic(folder, *again)
    pd.testing.assert_frame_equal(table, other)


def test_points_without_rows_give_no_place():
    empty = pd.DataFrame(
        {
            name: pd.Series(dtype=object)
            for name in ("x", "y", "aadt", "years", "road_name", "road_ref", "road_class")
        }
    )
    assert len(place_points(empty, MAIN, Exposure())) == 0
