"""The GeoPackage in the programs that analysts open it with."""

from datetime import UTC, datetime
from functools import cache

import pytest
from qgis_client import complaints, needs_qgis, needs_validator, probe

from geo.outputs.files.geopackage import write_geopackage
from geo.outputs.layers.arrange import empty_layer
from geo.outputs.layers.layers import ALWAYS, LAYERS
from geo.outputs.qgis.forms.writing import titles_of_columns
from geo.outputs.qgis.styles import city_styles


def write(path, city, layers):
    write_geopackage(
        path, layers, crs=city.crs, styles=city_styles(layers), date=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    )
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory, make_grid):
    city = make_grid()
    sure = city.layers["stretches"]["p_worst_5_percent"].where(city.layers["stretches"].index > 0, 0.9999)
    city.layers["stretches"] = city.layers["stretches"].assign(p_worst_5_percent=sure)
    city.layers["junctions"] = city.layers["junctions"].assign(expected_rank=3.0, rank_of="ksi")
    return write(tmp_path_factory.mktemp("grid") / "grid & city.gpkg", city, city.layers)


@pytest.fixture(scope="module")
def bare(tmp_path_factory, make_grid):
    """A city without collision records and without a type."""
    tmp_path, grid_city = tmp_path_factory.mktemp("bare"), make_grid()
    unknown = dict.fromkeys(["cluster", "n_ksi", "ksi_per_km_year_eb", "collisions_per_km_year"])
    segments = grid_city.layers["segments"].assign(**unknown)
    layers = grid_city.layers | {
        name: empty_layer(name, grid_city.crs) for name in ("collisions", "clusters")
    }
    return write(tmp_path / "bare.gpkg", grid_city, layers | {"segments": segments})


@cache
def look(path):
    """What QGIS sees of the layers of a file, which stays as it is."""
    return probe(path)["layers"]


@needs_qgis
def test_qgis_opens_every_layer_with_its_place_and_all_its_rows(written, grid_city):
    seen = look(written)
    assert list(seen) == list(ALWAYS)
    for name, layer in seen.items():
        assert layer["valid"]
        assert layer["rows"] == layer["read"] == len(grid_city.layers[name])
        assert layer["crs"] == ("" if LAYERS[name].geometry is None else "EPSG:27700")
        titles = titles_of_columns(name, grid_city.layers)
        assert layer["aliases"] == {column: short for column, (short, _) in titles.items()}
    assert seen["collisions"]["fields"]["date"] == "DateTime"
    assert [p.name for p in written.parent.iterdir()] == [written.name]


@needs_qgis
def test_a_form_says_yes_no_or_not_known_of_what_is_one_or_the_other(written):
    seen = look(written)
    told = {(name, field): said for name, layer in seen.items() for field, said in layer["yes_no"].items()}
    assert ("windows", "in_high_injury_network") in told
    assert ("collisions", "pedestrian") in told
    assert set(map(tuple, told.values())) == {("yes", "no", "not known")}


LEFT_OUT = "left out of all counts (the column 'Placed' says why)"
WORST = "Probability of being among the worst 5 % of roads"
SURE = ("0.95 or more", "0.5 to 0.95", "0.05 to 0.5", "under 0.05", "not known")
WINDOWS = "Windows in the high-injury network (collisions per km, weighted by severity)"


@needs_qgis
def test_qgis_applies_the_default_styles_and_draws_every_value(written):
    seen = look(written)
    legends = {name: layer["default"]["legend"] for name, layer in seen.items() if "default" in layer}
    assert legends == {
        "segments": ["Type 1", "Type 2", "Type 3", "no imagery"],
        "junctions": [
            f"KSI collisions / {n}"
            for n in ("0", "1", "2 to 3", "4 to 7", "8 to 15", "16 or more", "not known")
        ],
        "tiles": ["tile that the encoder saw", "tile with its picture", "ground that the encoder saw"],
        "junction_tiles": [
            "tile that the encoder saw",
            "tile with its picture",
            "ground that the encoder saw",
        ],
        "collisions": ["fatal", "serious", "slight", LEFT_OUT, "severity not known"],
        "stretches": [f"{WORST} / {said}" for said in SURE],
        "windows": [f"{WINDOWS} / {said}" for said in ("In the high-injury network", "not known")],
        "lixels": [
            f"Collisions per km and year, smoothed / {said}"
            for said in (
                "0",
                "0.05 to 0.37",
                "0.42 to 0.74",
                "0.78 to 1.11",
                "1.15 to 1.48",
                "1.52 to 1.80",
                "not known",
            )
        ],
    }
    # windows outside the high-injury network would cover those within
    undrawn = {"windows": 32}
    for name in legends:
        assert seen[name]["default"]["undrawn"] == undrawn.get(name, 0)
        assert seen[name]["default"]["painted"] > 0


@needs_qgis
def test_segments_have_further_styles_whose_legend_names_the_denominator(written):
    styles = look(written)["segments"]["styles"]
    assert set(styles) == {
        "road types",
        "ksi rate (EB)",
        "collision rate (EB)",
        "collision rate",
        "potential",
        "margin",
        "hot spots",
        "risk factors",
    }
    for style in styles.values():
        assert style["accepted"]
        assert style["undrawn"] == 0
        assert style["painted"] > 0
    for name, heading in (
        ("ksi rate (EB)", "KSI per km and year, shrunk"),
        ("collision rate", "Collisions per km and year"),
        ("potential", "Potential for improvement: KSI per km and year more (+)"),
        ("margin", "How sure the type is (margin"),
    ):
        assert all(entry.startswith(heading) for entry in styles[name]["legend"])


@needs_qgis
def test_a_map_tip_shows_a_name_as_text_and_a_null_as_not_known(written):
    tips = look(written)["segments"]["default"]["tips"]
    assert tips[0].startswith("<b>O'Hara's \"Way\"</b>, primary<br>\nType 1, 100 m, 2 tiles<br>")
    assert tips[1].startswith("<b>&lt;b>Bold &amp; Sons&lt;/b> Road</b>")
    assert tips[3].startswith("<b>unnamed road</b>")


@needs_qgis
def test_a_map_tip_tells_the_risk_factors_of_a_road_and_claims_no_cause(written):
    tips = look(written)["segments"]["default"]["tips"]
    told = "Risk factors (association, not cause): bends: &lt;5 &amp; more; 1.9 times (1.2 to 3.0) roads without them"
    assert told in tips[0]
    assert "no such collision yet" in tips[1]
    assert "no such collision yet" not in tips[0]


@needs_qgis
def test_a_map_tip_never_calls_a_place_surely_one_of_the_worst_nor_surely_none(written):
    stretches, junctions = (look(written)[name]["default"]["tips"] for name in ("stretches", "junctions"))
    assert "probability of being among the worst 5 %:\nover 0.99<br>" in stretches[0]
    assert "probability of being among the worst 5 %:\n0.88<br>" in stretches[1]
    assert "among the worst 5 % with a probability of under 0.01<br>" in junctions[0]


@needs_qgis
def test_a_city_without_collisions_and_types_opens_as_well(bare):
    seen = look(bare)
    assert seen["segments"]["default"]["legend"] == ["no imagery"]
    rate = seen["segments"]["styles"]["ksi rate (EB)"]
    assert (rate["legend"], rate["undrawn"]) == (["KSI per km and year, shrunk / not known"], 0)
    assert (seen["collisions"]["valid"], seen["collisions"]["rows"]) == (True, 0)
    assert "KSI: not known" in seen["segments"]["default"]["tips"][0]


@needs_validator
@pytest.mark.parametrize("city", ["written", "bare"])
def test_the_osgeo_validator_has_nothing_to_say(city, request):
    assert complaints(request.getfixturevalue(city)) == ""
