"""Whoever writes a name that is not there is told the one that is like it, wherever names are asked for."""

import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
import shapely

from geo.clusters.registry import KINDS
from geo.config import Clusters, Imagery, load
from geo.config.kinds import as_kind
from geo.demo.plans.registry import plan_of
from geo.errors import ConfigurationError, RoadprintError, alike, meant, meant_file
from geo.ground.labels.counting import asked_for
from geo.ground.truth import read_truth
from geo.imagery.catalogue import open_catalogue
from geo.outputs.files.reading import read_layer
from geo.search.conditions import meets, read_condition
from geo.search.filters import wanted
from geo.search.words.mapped import words_of_roads
from geo.sources.by_hand import rows_by_hand
from tasks.results.called import place_called
from tasks.typology.fitting import settings_of

TOP = Path(__file__).resolve().parents[2]
BNG = pyproj.CRS(27700)


def test_names_are_compared_in_one_place():
    own = [file for floor in ("geo", "tasks", "flows") for file in (TOP / floor).rglob("*.py")]
    using = [file for file in own if re.search(r"^(import|from) difflib", file.read_text(), re.MULTILINE)]
    named = [file.relative_to(TOP).as_posix() for file in using]
    assert named == ["geo/errors.py"]


def test_the_likest_comes_first_whatever_its_case():
    assert alike("TILE_M", ["tile_px", "tile_m"], first=2) == ["tile_m", "tile_px"]
    assert meant("Speed-Limit", ["speed_limit", "surface"]) == "; did you mean speed_limit?"
    assert meant("zzz", ["speed_limit"]) == ""
    assert meant("x", []) == ""


def test_a_folder_that_is_not_there_has_no_file_that_is_meant(tmp_path):
    assert meant_file(tmp_path / "nowhere" / "roads.gpkg") == ""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Some files that may be meant."""
    for name in ("leeds.yaml", "photo.tif"):
        (tmp_path / name).write_text("city: leeds\n")
    (tmp_path / "runs" / "leeds" / "latest").mkdir(parents=True)
    (tmp_path / "clusters.csv").write_text("clsuter,name\n1,Lanes\n")
    squares = gpd.GeoDataFrame({"kind": ["tree"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=27700)
    squares.to_file(tmp_path / "truth.gpkg", layer="segments")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROADPRINT_DATA", "/data")
    return tmp_path


SEGMENTS = gpd.GeoDataFrame(
    {"road_class": ["primary"], "length_m": [50.0], "src_surface": ["asphalt"], "segment_id": ["a"]},
    geometry=[shapely.LineString([(0, 0), (50, 0)])],
    crs=27700,
)


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda _: load(Path("leds.yaml")), "leeds.yaml"),
        (lambda _: place_called(Path("leds")), "leeds"),
        (lambda _: open_catalogue(Imagery(sources=["phto.tif"]), BNG), "photo.tif"),
        (lambda _: plan_of("grdi"), "grid"),
        (lambda _: read_truth("trth.gpkg", BNG, column="kind"), "truth.gpkg"),
        (lambda _: read_truth("truth.gpkg", BNG, column="kidn"), "kind"),
        (lambda _: read_layer(Path("truth.gpkg"), "segmnts"), "segments"),
        (lambda _: rows_by_hand(Path("clusters.csv"), ["cluster"], ["cluster"]), "clsuter"),
        (lambda _: asked_for(["tre"], ["tree", "grass"], "labels"), "tree"),
        (lambda _: wanted(SEGMENTS, road_classes=["primry"]), "primary"),
        (lambda _: words_of_roads(["surfce"], SEGMENTS, pd.Series(["a"])), "surface"),
        (lambda _: settings_of({"cluster.k": "4"}), "clusters.k"),
        (lambda _: as_kind(Clusters(), KINDS, where="clusters.method", tag="kmens"), "kmeans"),
    ],
)
def test_what_may_be_meant_is_named(folder, ask, named):
    with pytest.raises(RoadprintError) as refused:
        ask(folder)
    assert f"; did you mean {named}?" in str(refused.value)


def test_a_variable_that_is_not_set_is_told_with_one_that_is(folder):
    (folder / "leeds.yaml").write_text("city: leeds\nroads: {source: '${ROADPRNT_DATA}/roads.gpkg'}\n")
    with pytest.raises(ConfigurationError, match=r"ROADPRNT_DATA is not set; did you mean ROADPRINT_DATA\?"):
        load(folder / "leeds.yaml")


def test_a_condition_on_a_column_that_is_not_there_names_the_nearest():
    with pytest.raises(RoadprintError, match="Nearest are: length_m"):
        meets(pd.DataFrame({"length_m": [1.0]}), read_condition("lenght_m > 1"))
    with pytest.raises(RoadprintError, match="Nearest are: asphalt"):
        meets(pd.DataFrame({"surface": ["asphalt"]}), read_condition("surface = asphlat"))
