"""People on foot and on bicycles as exposure: counts beside roads, rates per kilometre walked, null where unknown."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from scipy.stats import poisson
from statsmodels.stats.rates import confint_poisson

from geo.config import Exposure
from geo.errors import LayerError
from geo.exposure.people import measure_people, people_doubts, people_sentences
from geo.safety.places import count_places, rate_segments

GRID = pyproj.CRS.from_epsg(27700)
PERIOD = (date(2019, 1, 1), date(2023, 12, 31))
LINES = [[(0, 0), (200, 0)], [(200, 0), (400, 0)], [(3000, 0), (3200, 0)], [(100, 12), (100, 212)]]


@pytest.fixture
def segments():
    frame = pd.DataFrame({"segment_id": ["a1", "a2", "a3", "b1"], "length_m": 200.0, "ref": None})
    frame["name"] = ["Main Street"] * 3 + ["Side Street"]
    frame["road_class"] = "primary"
    return gpd.GeoDataFrame(frame, geometry=[shapely.LineString(line) for line in LINES], crs=GRID)


def counted(folder, *rows, name="people.csv", header="e,n,people,year", **keys):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    columns = {
        "sources": [str(path)],
        "count": "people",
        "x": "e",
        "y": "n",
        "crs": "EPSG:27700",
        "year": "year",
    }
    return columns | keys


def test_a_count_of_people_stands_on_its_segment_alone_and_every_row_is_accounted_for(tmp_path, segments):
    rows = ["100,4,1200,2021", "100,4,1400,2022", "100,60,800,2021", "900,900,50,2021", "300,3,none,2021"]
    settings = Exposure.model_validate({"pedestrians": counted(tmp_path, *rows)})
    table, entries = measure_people(segments, settings, GRID, PERIOD)
    assert table["pedestrians_per_day"].dropna().to_dict() == {"a1": 1300.0, "b1": 800.0}
    assert table["pedestrians_source"].dropna().to_dict() == {"a1": "measured", "b1": "measured"}
    assert table["cyclists_per_day"].isna().all()
    assert sum(one.count for one in entries if one.item == "counts of pedestrians") == len(rows)
    told = {(one.status, one.reason): one.count for one in entries if one.item == "segments, pedestrians"}
    assert sum(told.values()) == len(segments)
    assert any("exposure.pedestrians.inherit_m" in reason for _, reason in told)
    said = people_sentences(settings, table, segments.set_index("segment_id")["length_m"])
    assert len(said) == 1
    assert "how many pedestrians there are is known on 50.0% of the network's length" in said[0]
    assert people_doubts(settings, table, entries) == []


def test_on_the_same_road_a_figure_goes_as_far_as_is_asked_for(tmp_path, segments):
    asked = counted(tmp_path, "100,4,1200,2021", inherit_m=500)
    table, _ = measure_people(segments, Exposure.model_validate({"cyclists": asked}), GRID, PERIOD)
    assert table["cyclists_per_day"].dropna().to_dict() == {"a1": 1200.0, "a2": 1200.0}
    assert table["cyclists_source"].dropna().to_dict() == {"a1": "measured", "a2": "inherited"}


def test_bicycles_of_the_count_points_of_the_department_for_transport_can_be_taken(tmp_path, segments):
    header = "count_point_id,year,road_name,easting,northing,pedal_cycles,all_motor_vehicles"
    asked = counted(
        tmp_path, "7,2021,Main Street,300,4,315,9000", header=header,
        count="pedal_cycles", x="easting", y="northing", id="count_point_id",
    )  # fmt: skip
    table, _ = measure_people(segments, Exposure.model_validate({"cyclists": asked}), GRID, PERIOD)
    assert table["cyclists_per_day"].dropna().to_dict() == {"a2": 315.0}


def test_a_column_of_the_roads_or_estimates_by_segment_will_do(segments):
    told = segments.assign(src_footfall=[500, 0, None, "n/a"])
    settings = Exposure.model_validate({"pedestrians": {"column": "footfall"}})
    table, _ = measure_people(told, settings, GRID, None)
    assert table["pedestrians_per_day"].dropna().to_dict() == {"a1": 500.0}
    with pytest.raises(LayerError) as raised:
        measure_people(segments, settings, GRID, None)
    assert "exposure.pedestrians" in str(raised.value)


def test_a_column_that_a_table_lacks_is_named_by_its_key(tmp_path, segments):
    asked = counted(tmp_path, "100,4,1200,2021", count="walkers")
    with pytest.raises(LayerError, match=r"exposure\.pedestrians\.count"):
        measure_people(segments, Exposure.model_validate({"pedestrians": asked}), GRID, PERIOD)


def test_where_no_figure_comes_to_a_road_the_run_warns(tmp_path, segments):
    settings = Exposure.model_validate({"pedestrians": counted(tmp_path, "9000,9000,10,2021")})
    table, entries = measure_people(segments, settings, GRID, PERIOD)
    assert table["pedestrians_per_day"].isna().all()
    (warning,) = people_doubts(settings, table, entries)
    assert "no road has a count of pedestrians" in warning
    assert "exposure.pedestrians" in warning


def test_rates_per_kilometre_walked_are_those_of_statsmodels_and_null_where_nobody_counted(segments):
    index = pd.Index(segments["segment_id"])
    records = pd.DataFrame({"segment_id": ["a1"] * 4 + ["a2"], "severity": "slight", "ksi_adjusted": np.nan})
    records["pedestrian"] = [True, True, True, False, True]
    counts = count_places(records, "segment_id", index, {"fatal", "serious", "slight"}, {"pedestrian"})
    people = pd.DataFrame(
        {"aadt": np.nan, "pedestrians_per_day": [1000.0, np.nan, 10.0, np.nan], "cyclists_per_day": np.nan},
        index=index,
    )
    rates = rate_segments(counts, pd.Series(200.0, index=index), people, 5.0)
    km = 1000 * 365 * 0.2 * 5 / 1e6
    name = "pedestrian_collisions_per_million_km"
    assert rates.loc["a1", "million_pedestrian_km"] == pytest.approx(km)
    assert rates.loc["a1", name] == pytest.approx(3 / km)
    low, high = confint_poisson(3, km, method="exact-c")
    assert rates.loc["a1", [f"{name}_low", f"{name}_high"]].tolist() == pytest.approx([low, high])
    none = rates.loc["a3"]
    assert none[name] == 0
    assert poisson.pmf(0, none[f"{name}_high"] * none["million_pedestrian_km"]) == pytest.approx(0.025)
    assert rates.loc[["a2", "b1"], [name, f"{name}_low", f"{name}_high"]].isna().all(axis=None)
    assert rates["cyclist_collisions_per_million_km"].isna().all()
