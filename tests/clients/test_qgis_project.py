"""The project inside the GeoPackage, in QGIS."""

import shutil
import sqlite3
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
from qgis_client import complaints, needs_qgis, needs_validator, probe
from rasterio.transform import from_origin

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
LICENCES = {"imagery": "<b>aerial</b> & free", "roads": "ODbL", "collisions": "open", "exposure": None}


@pytest.fixture
def folder(tmp_path, grid_city):
    """A run's folder: the GeoPackage with its project, and imagery that lies elsewhere."""
    photo = tmp_path / "photos" / "photo.tif"
    photo.parent.mkdir()
    pixels = np.full((3, 600, 400), 200, dtype=np.uint8)
    with rasterio.open(
        photo,
        "w",
        driver="GTiff",
        width=400,
        height=600,
        count=3,
        dtype="uint8",
        crs="EPSG:27700",
        transform=from_origin(411950, 273450, 1, 1),
    ) as raster:
        raster.write(pixels)
    place = tmp_path / "runs" / "one"
    place.mkdir(parents=True)
    imagery = Imagery(sources=[str(photo)])
    catalogue = open_catalogue(imagery, pyproj.CRS.from_user_input(grid_city.crs))
    (mosaic,) = plan_mosaics(catalogue.images)
    write_mosaic(place, mosaic, imagery, seen_from=place)
    layers = grid_city.layers
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
    return place


@needs_qgis
def test_the_project_opens_with_every_layer_in_order_related_and_on_the_city(folder):
    seen = probe(folder / NAME)["projects"]["overview"]
    assert (seen["title"], seen["crs"]) == ("Roads of grid", "EPSG:27700")
    assert all(layer["valid"] for layer in seen["layers"].values())
    assert all(str(folder) in layer["source"] for layer in seen["layers"].values())
    assert seen["groups"] == [
        "Collisions",
        "Where collisions gather",
        "Junctions",
        "Road segments",
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
def test_collisions_play_by_month(folder):
    seen = probe(folder / NAME)["projects"]["overview"]
    assert seen["layers"]["roadprint_collisions"]["temporal"]
    assert seen["time"] == ["2019-03-01", "2024-04-01"]


@needs_qgis
def test_tips_show_pictures_and_look_alikes_of_other_layers(folder):
    layers = probe(folder / NAME)["projects"]["overview"]["layers"]
    first, second, _, fourth = layers["roadprint_segments"]["tips"]
    assert "Looks most like: 0000000000000003, &lt;b>Bold &amp; Sons&lt;/b> Road<br>" in first
    assert '<img width="160" src="data:image/jpeg;base64,/9j/' in first
    assert "Typical" not in second
    assert 'Typical of its type:<br><img width="160" src="data:image/jpeg;base64,/9j/' in fourth
    assert '<img width="200" src="data:image/jpeg;base64,/9j/' in layers["roadprint_tiles"]["tips"][0]
    assert "[%" not in "".join(tip for layer in layers.values() for tip in layer["tips"])


@needs_qgis
def test_the_folder_may_move(folder, tmp_path):
    moved = shutil.move(folder, tmp_path / "runs" / "elsewhere")
    seen = probe(moved / NAME)["projects"]["overview"]
    assert all(layer["valid"] for layer in seen["layers"].values())
    assert seen["painted"] > 0.5 * (700 / 3) ** 2


@needs_qgis
def test_qgis_shows_what_a_layer_is_and_whose_data_it_holds(folder):
    layers = probe(folder / NAME)["layers"]
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
    with rasterio.open(
        tmp_path / "ground.tif",
        "w",
        driver="GTiff",
        width=40,
        height=40,
        count=1,
        dtype="uint8",
        crs="EPSG:27700",
        transform=from_origin(412000, 273400, 10, 10),
    ) as raster:
        raster.write(np.ones((1, 40, 40), dtype=np.uint8))
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
    assert (
        segments["aliases"]["ground_1_6_15m"] == "Ground 6 to 15 m from the centreline: roof & <wall> (share)"
    )
    assert segments["aliases"]["ground_2_0_6m"] == "Ground 0 to 6 m from the centreline: class 2 (share)"
    road, ground = segments["form"]
    assert [next(iter(box)) for box in ground["Ground beside it"]] == [
        "0 to 6 m from the centreline",
        "6 to 15 m from the centreline",
        "In words, and what else is known",
    ]
    told = [name for box in ground["Ground beside it"] for names in box.values() for name in names]
    assert {"ground_1_0_6m", "ground_known_6_15m", "looks_like_differs"} <= set(told)
    assert {*road["Road"], *told} == set(segments["fields"]) - {"fid"}
    assert not any(isinstance(one, dict) for one in layers["collisions"]["form"])
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
