"""A check and a run say the same of their inputs: what the one refuses the other refuses, in the same words."""

import numpy as np
import pandas as pd
import pytest
import yaml
from quick import run_stages

from geo.config import load
from geo.errors import RoadprintError
from tasks.ahead.forecast import forecast
from tasks.ending.publish import warnings_of_inputs

COLUMNS = {"id": "id", "date": "date", "x": "lon", "y": "lat", "severity": "severity"}
CODES = {"fatal": ["1"], "serious": ["2"], "slight": ["3"]}
OF_A_CHECK = "lie outside the imagery's footprints", "and only"
"""What a check says of itself, or of what is found later."""


@pytest.fixture(scope="module")
def records(town):
    """The town's collisions with longitude and latitude alone."""
    read = pd.read_csv(town.folder / "collisions.csv", dtype=str).dropna(subset=["longitude", "latitude"])
    read = read.drop_duplicates("collision_index")
    names = {"collision_index": "id", "collision_severity": "severity", "longitude": "lon", "latitude": "lat"}
    return read.rename(columns=names)[["id", "date", "lon", "lat", "severity"]].reset_index(drop=True)


@pytest.fixture
def city(town, records, tmp_path):
    """Write a city's file with records that are changed, and sections with other keys."""

    def write(changed=None, counts=None, **sections):
        (records if changed is None else changed(records.copy())).to_csv(
            tmp_path / "records.csv", index=False
        )
        raw = yaml.safe_load(town.city.read_text())
        raw["imagery"]["sources"] = [str(town.folder / "imagery" / "*.tif")]
        raw["roads"]["source"] = str(town.folder / "roads.gpkg")
        raw["exposure"]["sources"] = [str(counts or town.folder / "traffic.csv")]
        raw |= {"encoder": {"name": "bands"}, "clusters": {"k": 4}}
        raw["collisions"] = {
            "sources": ["records.csv"],
            "schema": "columns",
            "columns": COLUMNS,
            "severity_values": CODES,
        }
        for name, values in sections.items():
            raw[name] = raw.get(name, {}) | values
        (tmp_path / "city.yaml").write_text(yaml.safe_dump(raw))
        return tmp_path / "city.yaml"

    return write


def by_run(city):
    """Run the stages that read inputs; gives what would be told at the end."""
    return warnings_of_inputs(run_stages(city, {}, city.parent / "runs", last="exposure"))


def exchanged(table, rows=None):
    rows = table.index if rows is None else rows
    table.loc[rows, ["lon", "lat"]] = table.loc[rows, ["lat", "lon"]].to_numpy()
    return table


def with_commas(table):
    for axis in ("lon", "lat"):
        table[axis] = table[axis].str.replace(".", ",", regex=False)
    return table


def named(value):
    """Name a case alike in every process: functions by their names."""
    return getattr(value, "__name__", None) if callable(value) else str(value)


@pytest.mark.parametrize(
    ("changed", "sections", "words"),
    [
        (exchanged, {}, ["collisions.columns.x and .y"]),
        (
            None,
            {"collisions": {"columns": COLUMNS | {"crs": "EPSG:27700"}}},
            ["collisions.columns.crs", "EPSG:4326"],
        ),
        (None, {"collisions": {"columns": COLUMNS | {"x": "long"}}}, ["collisions.columns.x", "long", "lon"]),
        (None, {"collisions": {"keep": {"severity": ["7"]}}}, ["collisions.keep", "'3'"]),
        (None, {"collisions": {"period": [1990, 1991]}}, ["collisions.period"]),
        (lambda table: table.assign(lon="", lat=""), {}, ["no_geometry"]),
        (lambda table: table.assign(date="soon"), {}, ["soon", "date_format"]),
        (None, {"roads": {"keep": ["motorway"]}}, ["residential"]),
        (None, {"imagery": {"bands": [1, 2, 9]}}, ["band 9"]),
        (None, {"imagery": {"picture_bands": [1, 2, 9]}}, ["picture_bands"]),
    ],
    ids=named,
)
def test_what_a_check_refuses_a_run_refuses_in_the_same_words(changed, sections, words, city):
    file = city(changed, **sections)
    with pytest.raises(RoadprintError) as checked:
        forecast(load(file))
    with pytest.raises(RoadprintError) as run:
        by_run(file) if "picture_bands" not in words else whole(file)
    assert str(checked.value) == str(run.value)
    for word in words:
        assert word in str(run.value)


def whole(file):
    """Run what comes before encoding, as the flow does."""
    from tasks.ahead.refusals import refuse_before_encoding

    refuse_before_encoding(run_stages(file, {}, file.parent / "runs", last="exposure"))


@pytest.mark.parametrize(
    ("changed", "sections", "words"),
    [
        (None, {}, []),
        (with_commas, {}, []),
        (lambda table: exchanged(table, table.index[::5]), {}, ["about", "collisions.columns.x and .y"]),
        (lambda table: table.assign(lon=table["lon"].where(table.index % 4 > 0, "")), {}, ["no coordinates"]),
        (lambda table: table.assign(severity=table["severity"].replace("2", "two")), {}, ["'two'"]),
        (lambda table: pd.concat([table, table[::10]]), {}, ["duplicates"]),
        (None, {"collisions": {"period": [2000, 2030]}}, ["configured period"]),
    ],
    ids=named,
)
def test_what_a_run_tells_of_its_inputs_a_check_tells_before(changed, sections, words, city):
    file = city(changed, **sections)
    told = by_run(file)
    checked = [one for one in forecast(load(file))["warnings"] if not any(word in one for word in OF_A_CHECK)]
    assert checked == told
    for word in words:
        assert any(word in warning for warning in told)


def test_traffic_that_is_known_on_no_road_is_told_by_both(town, city, tmp_path):
    counts = pd.read_csv(town.folder / "traffic.csv")
    counts["easting"] += 50_000
    counts.to_csv(tmp_path / "counts.csv", index=False)
    file = city(counts=tmp_path / "counts.csv")
    told = [one for one in by_run(file) if one.startswith("traffic is known on no road (")]
    assert len(told) == 1
    assert told[0] in forecast(load(file))["warnings"]


def test_a_check_places_the_collisions_as_a_run_does(city):
    file = city()
    found = forecast(load(file))
    plan = run_stages(file, {}, file.parent / "runs", last="collisions")
    placed = pd.read_parquet(plan.stage_folder("collisions") / "collisions.parquet", columns=["snap_status"])
    counts = placed["snap_status"].value_counts()
    assert found["forecast"]["collision_rows"] == len(placed)
    assert found["forecast"]["collisions_placed"] == counts["matched"]
    by_status = {
        entry["reason"].split(":")[0]: entry["count"]
        for entry in found["ledger"]
        if entry["item"] == "collisions"
    }
    assert sum(by_status.values()) == len(placed)
    assert np.isclose(by_status[""], counts["matched"])


def test_a_check_counts_the_treatments_that_a_run_can_study(town, city, tmp_path):
    truth = town.truth().segments
    middle = truth[truth["counted_m"] > 50].geometry.interpolate(0.5, normalized=True).iloc[:4]
    table = pd.DataFrame({"x": middle.x, "y": middle.y, "kind": "humps"})
    table["date"] = ["2021-06-01", "2021-06-01", "2030-01-01", "soon"]
    table.to_csv(tmp_path / "treated.csv", index=False)
    told = {"source": str(tmp_path / "treated.csv"), "x": "x", "y": "y", "crs": "EPSG:27700", "kind": "kind"}
    found = forecast(load(city(interventions=told)))
    assert found["forecast"]["treatments"] == 4
    assert found["forecast"]["treatments_to_study"] == 2
    fates = [one for one in found["ledger"] if one["item"] == "treatments"]
    assert sum(one["count"] for one in fates) == 4
    assert not any("treatments can be studied" in one for one in found["warnings"])
    table.assign(date="2030-01-01").to_csv(tmp_path / "treated.csv", index=False)
    late = forecast(load(city(interventions=told)))
    assert late["forecast"]["treatments_to_study"] == 0
    assert any(
        "none of the 4 treatments can be studied: 4 its works began after" in one for one in late["warnings"]
    )


@pytest.mark.parametrize(
    ("ground", "told"),
    [
        ({"labels": "nowhere.gpkg"}, "nowhere.gpkg: no such file"),
        ({"tags": "records.csv"}, "records.csv"),
        ({"method": "unsupervised", "words_from": "nowhere.osm.pbf"}, "nowhere.osm.pbf: no such file"),
    ],
    ids=named,
)
def test_a_check_reads_what_the_ground_is_learned_from(ground, told, city):
    with pytest.raises(RoadprintError, match=told):
        forecast(load(city(ground=ground)))
