"""What is guessed of real files, held against the files that were written by hand."""

from pathlib import Path

import pytest
from real_data import DATA, needs_real_data

from geo.config import load
from geo.errors import LayerError
from tasks.starting import first
from tasks.starting.draft import draw_up

pytestmark = needs_real_data
BY_HAND = Path(__file__).resolve().parents[2] / "data" / "cities" / "cambridge-ma.yaml"


def values(draft):
    return {guess.key: guess.value for guess in draft.guesses if not guess.left_out}


@pytest.fixture(scope="module")
def boston(tmp_path_factory):
    return draw_up([DATA.resolve() / "boston"], tmp_path_factory.mktemp("first") / "city.yaml")


def test_boston_is_guessed_as_it_was_written_by_hand(boston, monkeypatch):
    monkeypatch.setenv("ROADPRINT_DATA", str(DATA.resolve()))
    first.write(boston)
    guessed, by_hand = load(boston.file), load(BY_HAND)
    assert guessed.crs == by_hand.crs
    assert guessed.imagery.sources == by_hand.imagery.sources
    for key in ("source", "class_field", "name_field", "licence"):
        assert getattr(guessed.roads, key) == getattr(by_hand.roads, key)
    mine, theirs = guessed.collisions, by_hand.collisions
    for key in ("sources", "schema_", "severity_values", "keep", "period"):
        assert getattr(mine, key) == getattr(theirs, key), key
    # road users are beyond what was written by hand
    told = theirs.columns.model_dump(exclude_defaults=True)
    assert mine.columns.model_dump(exclude_defaults=True) | {"crs": "EPSG:4326"} == told | {
        "crs": "EPSG:4326",
        "pedestrian": "pedestrian",
        "cyclist": "cyclist",
        "empty_is_none": True,
    }


def test_what_only_somebody_who_knows_boston_can_say_is_asked(boston):
    assert {guess.key for guess in boston.open} == {
        "roads.source",
        "collisions.sources",
        "collisions.severity_values",
        "collisions.columns.empty_is_none",
        "collisions.keep",
    }


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("berlin", {"collisions.schema": "unfallatlas"}),
        ("helsinki_roads", {"roads.class_field": "highway"}),
        ("leeds_osm", {"roads.class_field": "highway"}),
        ("roads_misc/bubenec.gpkg", {"roads.class_field": None, "roads.name_field": None}),
        ("uk_isle_of_wight_2018", {"collisions.schema": "stats19", "roads.class_field": "highway"}),
        ("uk_stats19_schema", {"collisions.schema": "stats19"}),
    ],
)
def test_each_set_is_known_for_what_it_is(folder, found, tmp_path):
    draft = draw_up([DATA / folder], tmp_path / "city.yaml")
    assert {key: values(draft).get(key, "not there") for key in found} == found
    # none has imagery, which is asked for
    assert "imagery.sources" in {guess.key for guess in draft.open}


def test_stats19_is_read_with_its_casualties_and_vehicles(tmp_path):
    draft = draw_up([DATA / "uk_west_yorkshire_2024"], tmp_path / "city.yaml")
    found = values(draft)
    names = {key: Path(found[f"collisions.{key}"]).name for key in ("casualties", "vehicles")}
    assert names == {"casualties": "casualties.csv", "vehicles": "vehicles.csv"}
    assert found["collisions.period"] == ["2024-01-01", "2024-12-31"]
    (schema,) = (guess for guess in draft.guesses if guess.key == "collisions.schema")
    assert "4,060 collisions" in " ".join(schema.why)


def test_scenes_without_a_place_are_no_city(tmp_path):
    with pytest.raises(LayerError, match="without a place on the ground"):
        draw_up([DATA / "scenes_ucmerced"], tmp_path / "city.yaml")
