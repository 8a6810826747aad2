"""Whole runs in QGIS: every layer, style and project of the demo town and of the real case."""

import pytest
from qgis_client import complaints, needs_qgis, needs_validator, probe
from real_data import needs_real_data

from geo.outputs.layers.layers import ALWAYS, LAYERS

CITIES = ["demo", pytest.param("real", marks=needs_real_data)]
MAPS = [name for name, layer in ALWAYS.items() if layer.geometry is not None]


@pytest.fixture(scope="module")
def seen(request, tmp_path_factory):
    """What QGIS makes of a city's GeoPackage."""
    return probe(request.getfixturevalue(request.param)["geopackage"], tmp_path_factory.mktemp("pictures"))


@needs_qgis
@pytest.mark.parametrize("seen", CITIES, indirect=True)
def test_every_layer_is_read_whole_and_drawn_in_every_style(seen):
    assert set(ALWAYS) <= set(seen["layers"])
    assert list(seen["layers"]) == [name for name in LAYERS if name in seen["layers"]]
    for name, layer in seen["layers"].items():
        assert layer["valid"]
        assert layer["rows"] == layer["read"]
        if name in MAPS and layer["rows"]:
            for style in (layer["default"], *layer["styles"].values()):
                assert style["painted"] > 0
            for name_, style in layer["styles"].items():
                assert style["accepted"], name_


@needs_qgis
@pytest.mark.parametrize("seen", CITIES, indirect=True)
def test_the_project_opens_over_its_imagery(seen):
    project = seen["projects"]["overview"]
    assert all(layer["valid"] for layer in project["layers"].values())
    assert all(project["relations"].values())
    assert project["order"][-1] == "Imagery"
    assert project["painted"] > 1000
    tips = [tip for layer in project["layers"].values() for tip in layer["tips"]]
    assert tips
    assert not any("[%" in tip for tip in tips)


@needs_validator
@pytest.mark.parametrize("city", CITIES)
def test_the_validator_has_nothing_to_say(city, request):
    assert complaints(request.getfixturevalue(city)["geopackage"]) == ""
