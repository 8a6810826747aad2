"""A part of the city that comes with the project, on its real imagery, streets and records."""

import csv
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
from real_data import DATA, needs_real_data

RECORDS = DATA / "boston" / "collisions" / "massdot_mapc_crashes_2024.csv"

pytestmark = needs_real_data


@pytest.fixture(scope="module")
def segments(real):
    return gpd.read_file(real["geopackage"], layer="segments")


def test_every_row_of_the_records_has_one_fate(real):
    collisions = pyogrio.read_dataframe(real["geopackage"], layer="collisions")
    with RECORDS.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(collisions) == len(rows)
    status = collisions["snap_status"].value_counts()
    assert status["excluded_class"] == sum(row["source"] != "MDOT" for row in rows)
    assert status["matched"] > 50


def test_streets_under_imagery_have_a_type_and_tiles_say_their_image(real, segments):
    assert len(segments) > 150
    assert segments["cluster"].notna().mean() > 0.95
    assert (segments["highway" if "highway" in segments else "road_class"].notna()).all()
    tiles = pyogrio.read_dataframe(real["geopackage"], layer="tiles", read_geometry=False)
    assert set(tiles["image_id"].dropna()) == {"23429020"}


def test_severity_that_the_source_does_not_tell_apart_leaves_ksi_unknown(real, segments):
    assert segments[["n_ksi", "n_serious", "ksi_per_km_year", "ksi_per_km_year_eb"]].isna().all(axis=None)
    assert segments["n_collisions"].sum() > 20
    clusters = pyogrio.read_dataframe(real["geopackage"], layer="clusters")
    assert clusters["n_ksi"].isna().all()
    assert clusters["rate_ratio"].notna().any()


def test_the_report_says_where_the_data_are_from(real):
    page = Path(real["report"]).read_text(encoding="utf-8")
    for owner in ("MassGIS", "OpenStreetMap contributors", "MassDOT"):
        assert owner in page
    assert "KSI (killed or seriously injured) is not known here" in page
