"""Every row of every real file is accounted for."""

import csv
from pathlib import Path

import pyogrio
import pytest
from geopandas import GeoDataFrame
from real_data import DATA, needs_real_data

from geo.collisions.assign import place_collisions
from geo.collisions.read import read_collisions
from geo.config import Roads, Segments, collision_settings
from geo.roads.read import read_roads
from geo.roads.segments import build_network

pytestmark = needs_real_data

BOSTON = ("boston/roads/osm_streets_4towns.gpkg", "EPSG:26986")
WIGHT = ("uk_isle_of_wight_2018/iow_main_highways.gpkg", "EPSG:27700")
LEEDS = ("leeds_osm/its-example.osm.pbf", "EPSG:27700")
BERLIN = {
    "id": "OBJECTID",
    "year": "UJAHR",
    "x": "XGCSWGS84",
    "y": "YGCSWGS84",
    "severity": "UKATEGORIE",
    "decimal": ",",
    "encoding": "latin-1",
}
CASES = {
    "boston/collisions/massdot_mapc_crashes_2024.csv": (
        BOSTON,
        {
            "schema": "columns",
            "columns": {"id": "id", "date": "date", "x": "lng", "y": "lat", "severity": "severity"},
            "severity_values": {"fatal": ["1"], "serious": [], "slight": ["2"]},
            "keep": {"source": ["MDOT"]},
            "period": ["2024-01-01", "2024-12-31"],
        },
    ),
    "boston/collisions/boston_massdot_crashes_2025_clean.csv": (
        BOSTON,
        {
            "schema": "columns",
            "columns": {
                "id": "CRASH_NUMB",
                "date": "CRASH_DATE",
                "x": "LON",
                "y": "LAT",
                "severity": "CRASH_SEVERITY_DESCR",
            },
            "severity_values": {"fatal": ["Fatal injury"], "slight": ["Non-fatal injury"]},
        },
    ),
    "boston/collisions/cambridge_pd_crashes_2010_2017_points.geojson": (
        BOSTON,
        {"schema": "columns", "columns": {"year": "Year"}, "period": ["2012-01-01", "2016-12-31"]},
    ),
    "boston/collisions/cambridge_pd_crashes_2010_2016.csv": (
        BOSTON,
        {
            "schema": "columns",
            "columns": {
                "id": "Crash Number",
                "date": "Date Time",
                "x": "Longitude",
                "y": "Latitude",
                "road_name": "Steet Name",
            },
        },
    ),
    "uk_isle_of_wight_2018/car_crashes_2018_iow.gpkg": (WIGHT, {"schema": "stats19"}),
    "uk_west_yorkshire_2024/accidents.csv": (LEEDS, {"schema": "stats19"}),
    "uk_stats19_schema/dft-collision-2022_first1048rows_London.csv": (LEEDS, {"schema": "stats19"}),
} | {
    f"berlin/berlin_{year}.csv": (
        WIGHT,
        {
            "schema": "columns",
            "columns": BERLIN,
            "severity_values": {"fatal": ["1"], "serious": ["2"], "slight": ["3"]},
        },
    )
    for year in (2019, 2020, 2021)
}


def rows_of(path: Path, encoding: str) -> int:
    """Count the rows of a file by other means than ours."""
    if path.suffix != ".csv":
        return int(pyogrio.read_info(path)["features"])
    with path.open(encoding=encoding, newline="") as file:
        return sum(1 for row in csv.reader(file) if row) - 1


@pytest.fixture(scope="module")
def networks():
    known = {}

    def of(place):
        if place not in known:
            source = read_roads(Roads(source=str(DATA / place[0])), crs=place[1], area=None)
            known[place] = source, build_network(source.kept, Segments())
        return known[place]

    return of


@pytest.mark.parametrize("file", CASES)
def test_the_statuses_add_up_to_the_rows_of_the_file(file, networks):
    place, section = CASES[file]
    settings = collision_settings(**{"sources": [str(DATA / file)]} | section)
    roads, network = networks(place)
    placed = place_collisions(
        read_collisions(settings),
        network.segments,
        network.junctions,
        roads.others,
        crs=roads.crs,
        area=None,
        settings=settings,
    )
    found: GeoDataFrame = placed.collisions
    encoding = section.get("columns", {}).get("encoding", "utf-8-sig")
    assert len(found) == rows_of(DATA / file, encoding)
    assert sum(e.count for e in placed.entries if e.item == "collisions") == len(found)
    somewhere = found["segment_id"].notna().astype(int) + found["junction_id"].notna()
    assert (somewhere == (found["snap_status"] == "matched")).all()
    if file.startswith(("boston", "uk_isle")):
        assert (found["snap_status"] == "matched").sum() > 0.02 * len(found)


def test_other_sources_that_repeat_the_state_records_are_left_out():
    file = "boston/collisions/massdot_mapc_crashes_2024.csv"
    settings = collision_settings(**{"sources": [str(DATA / file)]} | CASES[file][1])
    source = read_collisions(settings)
    assert int(source.table["kept"].sum()) == 52_478
    assert source.severities == {"fatal", "slight"}


def test_casualties_of_west_yorkshire_join_their_collisions():
    folder = DATA / "uk_west_yorkshire_2024"
    settings = collision_settings(
        sources=[str(folder / "accidents.csv")],
        casualties=str(folder / "casualties.csv"),
        vehicles=str(folder / "vehicles.csv"),
    )
    source = read_collisions(settings)
    assert int(source.table["n_casualties"].sum()) == rows_of(folder / "casualties.csv", "utf-8-sig")
    assert int(source.table["n_vehicles"].sum()) == rows_of(folder / "vehicles.csv", "utf-8-sig")
    assert [e for e in source.entries if e.item == "casualties"] == []
    users = source.table[["n_pedestrian", "n_cyclist", "n_motorcyclist", "n_car_occupant"]].sum(axis=1)
    assert (users <= source.table["n_casualties"]).all()
    assert users.sum() > 0.9 * source.table["n_casualties"].sum()
