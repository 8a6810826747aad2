"""The project inside the GeoPackage, in QGIS."""

import shlex
import shutil
import sqlite3
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyproj
import pytest
from qgis_client import complaints, needs_qgis, needs_validator, probe
from rasters import write_raster

from geo.config import Imagery
from geo.imagery.catalogue import open_catalogue
from geo.imagery.mosaic import plan_mosaics, write_mosaic
from geo.outputs.files.geopackage import write_geopackage
from geo.outputs.layers.ground_words import tell_apart
from geo.outputs.layers.layers import LAYERS
from geo.outputs.qgis.ground import ground_map
from geo.outputs.qgis.project import Mosaic, city_project
from geo.outputs.qgis.styles import city_styles
from geo.outputs.qgis.tables import About, layer_metadata

NAME = "grid & city ü.gpkg"
HOSTILE = "x') OR ('1'='1' [% 1 + 1 %] \"); raise SystemExit #"
"""A cell with quotes and code, which no action may run or take for its own."""
LICENCES = {"imagery": "<b>aerial</b> & free", "roads": "ODbL", "collisions": "open", "exposure": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_grid):
    """A run's folder: the GeoPackage with its project, and imagery that lies elsewhere; it is only read."""
    tmp_path, grid_city = tmp_path_factory.mktemp("project"), make_grid()
    photo = tmp_path / "photos" / "photo.tif"
    photo.parent.mkdir()
    pixels = np.full((3, 600, 400), 200, dtype=np.uint8)
    write_raster(photo, pixels, west=411950, north=273450, crs="EPSG:27700")
    place = tmp_path / "runs" / "one"
    place.mkdir(parents=True)
    imagery = Imagery(sources=[str(photo)])
    catalogue = open_catalogue(imagery, pyproj.CRS.from_user_input(grid_city.crs))
    (mosaic,) = plan_mosaics(catalogue.images)
    write_mosaic(place, mosaic, imagery, seen_from=place)
    layers = grid_city.layers
    segments, collisions = layers["segments"], layers["collisions"]
    alike = segments["looks_like"].where(segments.index > 0, f"0000000000000003;0000000000000001;{HOSTILE}")
    here = np.where(collisions.index < 3, segments["segment_id"][0], HOSTILE)
    walkers = pd.array([True, False, None] * 20, dtype="boolean")
    layers["segments"] = segments.assign(looks_like=alike, n_pedestrian_collisions=segments["n_ksi"])
    layers["collisions"] = collisions.assign(segment_id=here, pedestrian=walkers, src_light="day")
    styles = city_styles(layers)
    shown = Mosaic(mosaic.file, "Imagery", mosaic.crs, mosaic.quick)
    period = (date(2019, 1, 1), date(2023, 12, 31))
    write_geopackage(
        place / NAME,
        layers,
        crs=grid_city.crs,
        styles=styles,
        date=datetime(2024, 1, 2, tzinfo=UTC),
        projects={"overview": city_project(NAME, "grid", layers, styles, grid_city.crs, [shown])},
        about=About(layer_metadata("grid", grid_city.crs, LICENCES, period), {"city": "grid"}),
    )
    (place / "report.html").write_text("<!doctype html>")
    return place


@pytest.fixture(scope="module")
def opened(folder):
    """What QGIS sees of it: its layers, and its projects."""
    return probe(folder / NAME)


@pytest.fixture(scope="module")
def project(opened):
    """What QGIS sees of the project."""
    return opened["projects"]["overview"]


@needs_qgis
def test_the_project_opens_with_every_layer_in_order_related_and_on_the_city(folder, project):
    seen = project
    assert (seen["title"], seen["crs"]) == ("Roads of grid", "EPSG:27700")
    assert all(layer["valid"] for layer in seen["layers"].values())
    assert all(str(folder) in layer["source"] for layer in seen["layers"].values())
    assert seen["groups"] == [
        "Road segments",
        "Collisions",
        "Where collisions gather",
        "Junctions",
        "Imagery",
        "Tables",
    ]
    assert seen["order"][0] == "Collisions"
    assert seen["order"][-2:] == ["Imagery tiles", "Imagery"]
    shown = [
        layer["name"] for layer in seen["layers"].values() if layer["shown"] and "ables" not in layer["name"]
    ]
    assert {"Collisions", "Road types", "Imagery"} <= set(shown)
    assert not {"Junctions", "Potential for improvement"} & set(shown)
    assert len(seen["relations"]) == 5
    assert all(seen["relations"].values())
    west, south, east, north = seen["view"]
    assert (west, south, east, north) == (411988, 272988, 412412, 273412)
    assert seen["painted"] > 0.5 * (700 / 3) ** 2


@needs_qgis
def test_a_layer_of_the_project_tells_at_once_and_themes_show_what_they_are_named_after(project):
    seen = project
    # QGIS makes the first layer of its list active, and shows tips of no other
    assert seen["first"] == "roadprint_segments"
    assert seen["themes"] == {
        "Types": ["Road types", "Imagery"],
        "Rates": ["KSI per km and year, shrunk", "Imagery"],
        "Worst": ["Worst roads", "Worst junctions", "Imagery"],
        "On foot": ["Collisions with a pedestrian", "Collisions on foot", "Imagery"],
        "Doubtful": ["How sure the type is", "Imagery tiles", "Imagery"],
    }
    layers = seen["layers"]
    assert layers["roadprint_imagery_0"]["opacity"] == pytest.approx(0.6)
    names = layers["roadprint_segments"]["names"]
    assert names == ['left(coalesce("name", "ref"), 80)', 10_000, True]
    assert layers["roadprint_collisions"]["names"] is None
    assert layers["roadprint_collisions_on_foot"]["temporal"]


@needs_qgis
def test_tables_show_few_columns_and_none_is_gone(project):
    layers = project["layers"]
    segments, collisions = (layers[f"roadprint_{name}"]["table"] for name in ("segments", "collisions"))
    assert len(segments["shown"]) < 15 < len(segments["hidden"])
    assert segments["sort"].startswith('coalesce("expected_rank"')
    assert {"src_lanes", "fid"} <= set(segments["hidden"])
    assert "src_light" in collisions["shown"]
    # what is shown rounded is never written back
    assert {"length_m", "ksi_per_km_year_eb"} <= set(segments["fixed"])
    assert not {"name", "n_ksi", "cluster"} & set(segments["fixed"])


@needs_qgis
def test_actions_select_what_belongs_to_a_row_and_run_nothing_that_cells_hold(folder, project):
    layers = project["layers"]
    told = layers["roadprint_segments"]["actions"]["did"]
    assert told["Select its look-alikes"] == [
        ["2 selected in Road types"],
        {"roadprint_segments": ["0000000000000001", "0000000000000003"]},
    ]
    assert told["Select its collisions"] == [
        ["3 selected in Collisions"],
        {"roadprint_collisions": ["20230000", "20230001", "20230002"]},
    ]
    (said,), _ = told["Copy the command that opens it in the explorer"]
    assert said.endswith(f"roadprint explore {shlex.quote(str(folder))} --segment 0000000000000000")
    (address,) = layers["roadprint_segments"]["actions"]["opened"]
    assert address.startswith("file:///")
    assert address.endswith("/report.html#segment=0000000000000000")


@needs_qgis
def test_collisions_play_by_month(project):
    seen = project
    assert seen["layers"]["roadprint_collisions"]["temporal"]
    assert seen["time"] == ["2019-03-01", "2024-04-01"]


@needs_qgis
def test_tips_show_pictures_and_look_alikes_of_other_layers(project):
    layers = project["layers"]
    first, second, _, fourth = layers["roadprint_segments"]["tips"]
    assert "Looks most like: 0000000000000003, &lt;b>Bold &amp; Sons&lt;/b> Road, x') OR" in first
    assert '<img width="160" src="data:image/jpeg;base64,/9j/' in first
    assert "Typical" not in second
    assert 'Typical of its type:<br><img width="160" src="data:image/jpeg;base64,/9j/' in fourth
    assert '<img width="200" src="data:image/jpeg;base64,/9j/' in layers["roadprint_tiles"]["tips"][0]
    # but for the expression that stands in a cell, and stays what it is
    said = "".join(tip for layer in layers.values() for tip in layer["tips"])
    assert "[%" not in said.replace("[% 1 + 1 %]", "")


@needs_qgis
def test_the_folder_may_move(folder):
    moved = folder.with_name("elsewhere")
    shutil.copytree(folder, moved, ignore=shutil.ignore_patterns("report.html"))
    seen = probe(moved / NAME)["projects"]["overview"]
    assert all(layer["valid"] and str(moved) in layer["source"] for layer in seen["layers"].values())
    assert seen["painted"] > 0.5 * (700 / 3) ** 2
    told = seen["layers"]["roadprint_segments"]["actions"]["did"]
    assert told["Open in the report"] == [["there is no report.html beside the GeoPackage"], {}]


@needs_qgis
def test_qgis_shows_what_a_layer_is_and_whose_data_it_holds(opened):
    layers = opened["layers"]
    assert layers["segments"]["metadata"]["title"] == "Road segments of grid"
    assert layers["segments"]["metadata"]["licenses"] == [
        "imagery: <b>aerial</b> & free",
        "roads: ODbL",
        "collisions: open",
    ]
    assert layers["collisions"]["metadata"]["licenses"] == ["collisions: open"]
    assert "Association, not cause" in layers["segments"]["metadata"]["abstract"]


CLASSES = pd.DataFrame(
    {
        "class": [1, 2],
        "key": ["1", "2"],
        "name": ["roof & <wall>", None],
        "colour": ["#CC6677", "#332288"],
        "source": "found",
        "share": [0.4, 0.6],
        **dict.fromkeys(("score", "spread", "baseline"), np.nan),
        "words": "",
    }
)


@pytest.fixture
def mapped(tmp_path, grid_city):
    """A run's folder with a map of the ground: shares of two classes, what differs, and the raster."""
    rng = np.random.default_rng(0)
    segments = grid_city.layers["segments"]
    for band in ("0_6m", "6_15m"):
        first = rng.uniform(0, 1, len(segments))
        segments = segments.assign(
            **{f"ground_1_{band}": first, f"ground_2_{band}": 1 - first, f"ground_known_{band}": 1.0}
        )
    pairs = segments[["segment_id"]].assign(similar_segment_id=segments["segment_id"].shift(-1)).dropna()
    pairs = pairs.assign(**{c.name: None for c in LAYERS["look_alikes"].columns if c.name not in pairs})
    grid_city.layers |= {"segments": segments, "ground_classes": CLASSES, "look_alikes": pairs}
    layers = tell_apart(grid_city.layers)
    everywhere = np.ones((1, 40, 40), dtype=np.uint8)
    write_raster(tmp_path / "ground.tif", everywhere, west=412000, north=273400, pixel=10, crs="EPSG:27700")
    styles = city_styles(layers)
    ground = ground_map("ground.tif", CLASSES)
    project = city_project(NAME, "grid", layers, styles, grid_city.crs, ground=ground)
    date = datetime(2024, 1, 2, tzinfo=UTC)
    write_geopackage(
        tmp_path / NAME,
        layers,
        crs=grid_city.crs,
        styles=styles,
        date=date,
        projects={"overview": project},
        about=About(layer_metadata("grid", grid_city.crs, LICENCES, None), {}),
    )
    return tmp_path


@needs_qgis
def test_a_map_of_the_ground_lies_over_the_imagery_by_its_classes_switched_off(mapped):
    project = probe(mapped / NAME)["projects"]["overview"]
    ground = project["layers"]["roadprint_ground"]
    assert ground["valid"]
    assert not ground["shown"]
    assert ground["classes"] == [[1, "roof & <wall>", "#cc6677"], [2, "class 2", "#332288"]]
    assert project["order"][-2:] == ["Imagery tiles", "Ground (classes)"]


@needs_qgis
def test_shares_of_ground_have_titles_and_a_tab_of_the_form_with_all_other_columns_in_another(mapped):
    layers = probe(mapped / NAME)["layers"]
    segments = layers["segments"]
    assert segments["aliases"]["ground_1_6_15m"] == "Roof & <wall>, 6 to 15 m"
    assert segments["aliases"]["ground_2_0_6m"] == "Class 2, 0 to 6 m"
    (ground,) = [tab for tab in segments["form"] if "Ground beside it" in tab]
    assert [next(iter(box)) for box in ground["Ground beside it"]] == [
        "0 to 6 m from the centreline",
        "6 to 15 m from the centreline",
        "In words, and what else is known",
    ]
    told = [name for box in ground["Ground beside it"] for names in box.values() for name in names]
    assert {"ground_1_0_6m", "ground_known_6_15m", "looks_like_differs"} <= set(told)
    tabs = {title: boxes for tab in segments["form"] for title, boxes in tab.items()}
    assert next(iter(tabs)) == "In short"
    assert [*tabs][-1] == "All other columns"
    boxes = [box for tab in tabs.values() for box in tab if isinstance(box, dict)]
    assert {name for box in boxes for names in box.values() for name in names} == {*segments["fields"]} - {
        "fid"
    }
    assert "Ground beside it" not in {title for tab in layers["collisions"]["form"] for title in tab}
    assert layers["look_alikes"]["aliases"]["differs"].startswith("Ground: what differs")


@needs_qgis
def test_the_tip_says_what_differs_on_the_ground(mapped):
    tips = probe(mapped / NAME)["projects"]["overview"]["layers"]["roadprint_segments"]["tips"]
    said = [tip for tip in tips if "On the ground, from the first of them: " in tip]
    assert said
    assert any("roof &amp; &lt;wall>" in tip or "class 2" in tip or "no class" in tip for tip in said)
    assert "[%" not in "".join(tips)


@needs_validator
def test_a_file_with_project_metadata_and_pictures_is_a_valid_geopackage(folder):
    assert complaints(folder / NAME) == ""


def test_pictures_are_bytes_and_the_manifest_is_json(folder):
    with sqlite3.connect(folder / NAME) as connection:
        kinds = connection.execute(
            "SELECT typeof(thumbnail), count(*) FROM tiles GROUP BY 1 ORDER BY 1"
        ).fetchall()
        (text,) = connection.execute(
            "SELECT metadata FROM gpkg_metadata WHERE mime_type = 'application/json'"
        ).fetchone()
    assert kinds == [("blob", 3), ("null", 33)]
    assert text == '{"city": "grid"}'
