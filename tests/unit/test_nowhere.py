"""Records that lie off the roads are refused or questioned, with cells as they stand in the file and the key."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from geo.collisions.read import read_collisions
from geo.collisions.told import place_records
from geo.config import collision_settings
from geo.errors import LayerError

LEEDS = (430_000.0, 434_000.0)
N = 120


@pytest.fixture(scope="module")
def segments():
    """Nine streets that run north, 250 m apart."""
    lines = [shapely.LineString([(x, 0), (x, 2000)]) for x in range(0, 2001, 250)]
    ids = [f"s{n}" for n in range(len(lines))]
    columns = {"segment_id": ids, "source_ids": ids, "name": None, "ref": None, "road_class": "primary"}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(lines).translate(*LEEDS), crs=27700)


@pytest.fixture(scope="module")
def spots():
    """Longitude and latitude of places within 4 m of a street, and of a day each."""
    chance = np.random.default_rng(5)
    x = LEEDS[0] + chance.choice(np.arange(0, 2001, 250), N) + chance.uniform(-4, 4, N)
    y = LEEDS[1] + chance.uniform(10, 1990, N)
    lon, lat = pyproj.Transformer.from_crs(27700, 4326, always_xy=True).transform(x, y)
    days = pd.date_range("2022-01-01", "2023-12-31", periods=N).strftime("%Y-%m-%d")
    return pd.DataFrame({"id": [f"c{n}" for n in range(N)], "day": days, "lon": lon, "lat": lat})


def told(records, segments, folder, *, columns=None, **settings):
    records.to_csv(folder / "records.csv", index=False)
    columns = {"id": "id", "date": "day", "x": "lon", "y": "lat"} | (columns or {})
    asked = collision_settings(
        sources=[str(folder / "records.csv")], schema="columns", columns=columns, **settings
    )
    none = segments.iloc[:0].assign(junction_id=None, radius_m=0.0)
    return place_records(
        read_collisions(asked), segments, none, segments.iloc[:0], crs=segments.crs, area=None, settings=asked
    )


def test_records_at_their_roads_are_not_questioned(spots, segments, tmp_path):
    found = told(spots, segments, tmp_path)
    assert (found.assigned.collisions["snap_status"] == "matched").all()
    assert list(found.warnings) == []


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        (
            {"x": "lat", "y": "lon"},
            "100% of them would lie on roads with x and y exchanged: exchange collisions.columns.x",
        ),
        ({"crs": "EPSG:3857"}, "EPSG:4326"),
    ],
)
def test_records_elsewhere_are_refused_with_their_cells_and_the_key(columns, key, spots, segments, tmp_path):
    with pytest.raises(LayerError) as refused:
        told(spots, segments, tmp_path, columns=columns)
    assert key in str(refused.value)
    assert repr(str(spots["lon"].iloc[0]))[:12] in str(refused.value)


def test_a_few_that_are_exchanged_among_others_are_questioned(spots, segments, tmp_path):
    some = spots.index % 4 == 0
    spots = spots.assign(
        lon=spots["lon"].where(~some, spots["lat"]), lat=spots["lat"].where(~some, spots["lon"])
    )
    found = told(spots, segments, tmp_path)
    assert (found.assigned.collisions["snap_status"] == "matched").sum() == N - some.sum()
    (warning,) = found.warnings
    assert f"about {some.sum()} of {some.sum()} collisions that lie off the roads" in warning
    assert "collisions.columns.x and .y" in warning
    assert repr(str(spots["lon"].iloc[0])) in warning


def test_records_with_another_datum_are_questioned_with_it(spots, segments, tmp_path):
    change = pyproj.Transformer.from_crs(4326, 4277, always_xy=True)
    lon, lat = change.transform(spots["lon"].to_numpy(), spots["lat"].to_numpy())
    found = told(spots.assign(lon=lon, lat=lat), segments, tmp_path, max_distance_m=130)
    assert any("EPSG:4277" in warning for warning in found.warnings)
    assert any("half of the collisions" in warning for warning in found.warnings)


def test_records_of_another_time_are_refused_with_theirs(spots, segments, tmp_path):
    with pytest.raises(LayerError, match=r"collisions\.period.*2022-01-01 to 2023-12-31"):
        told(spots, segments, tmp_path, period=["2010-01-01", "2011-12-31"])


def test_records_of_another_city_are_refused_without_a_guess(spots, segments, tmp_path):
    away = spots.assign(lon=spots["lon"] + 3, lat=spots["lat"] - 1)
    with pytest.raises(
        LayerError, match=r"(?s)120 outside_area.*the roads lie at longitude -1\.5.*leave collisions\.sources"
    ):
        told(away, segments, tmp_path)


def test_many_without_a_place_or_a_little_off_the_roads_are_told(spots, segments, tmp_path):
    without = spots.assign(lon=spots["lon"].where(spots.index % 5 > 0).astype(str).replace("nan", ""))
    (warning,) = told(without, segments, tmp_path).warnings
    assert "24 of 120 collisions (20.0%) have no coordinates that can be used" in warning
    off = spots.assign(lon=spots["lon"] + np.where(spots.index % 3 == 0, 0.0009, 0.0))
    (warning,) = told(off, segments, tmp_path).warnings
    assert "collisions (31.0%) are a little farther" in warning


def test_records_of_a_county_around_the_city_are_not_questioned(spots, segments, tmp_path):
    chance = np.random.default_rng(8)
    around = pd.DataFrame({"id": [f"d{n}" for n in range(900)], "day": "2022-05-05"})
    around["lon"], around["lat"] = chance.uniform(-2.5, -0.5, 900), chance.uniform(53, 54.5, 900)
    found = told(pd.concat([spots, around], ignore_index=True), segments, tmp_path)
    assert (found.assigned.collisions["snap_status"] == "matched").sum() >= N
    assert list(found.warnings) == []
