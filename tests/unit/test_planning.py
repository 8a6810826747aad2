"""A key of a city's file redoes the stages that it changes, those after them, and nothing else."""

import json
import struct
from functools import cache

import pytest
import yaml

from geo.clusters.registry import KINDS
from geo.clusters.typology.head import KEY
from geo.config import CityConfig, load
from geo.config.section import effective, leaf_keys, marked
from geo.errors import ConfigurationError, SourceError
from geo.features.encoders import bundled
from tasks.planning import make_plan, runs_of
from tasks.sensitivity import STAGES_OF_VARIANT
from tasks.stages.ground import mapping
from tasks.stages.imagery import features
from tasks.stages.order import STAGES
from tasks.stages.types import clusters
from tasks.store.stage import ALL_BEFORE
from tasks.typology.looks import STAGES_OF_LOOKS

CITY = {
    "city": "somewhere",
    "imagery": {"sources": ["imagery/*.tif"]},
    "roads": {"source": "roads.gpkg"},
    "collisions": {
        "sources": ["collisions.csv"],
        "schema": "columns",
        "columns": {"id": "id", "date": "date", "x": "x", "y": "y", "severity": "s"},
        "severity_values": {"fatal": ["1"], "serious": [], "slight": ["2"]},
    },
    "exposure": {
        "sources": ["counts.csv"],
        "schema": "columns",
        "columns": {"x": "x", "y": "y", "aadt": "n"},
    },
}
EACH = {"roads", "collisions", "exposure"}

# key: another value, and the stages that read it
CHANGES = {
    "city": ("elsewhere", "package"),
    "crs": ("EPSG:27700", "roads"),
    "area": ([1.0, 50.0, 2.0, 51.0], "roads"),
    "imagery.sources": (["imagery/one.tif"], "tiles"),
    "imagery.crs": ("EPSG:27700", "tiles"),
    "imagery.prefer": ("newest", "tiles"),
    "imagery.bands": ([3, 2, 1], "tiles"),
    "imagery.scale": ([0, 3000], "tiles"),
    "imagery.nodata": (0, "tiles"),
    "imagery.collars": ("keep", "tiles"),
    "imagery.picture_bands": ([3, 2, 1], "backdrop pictures"),
    "roads.source": ("other.gpkg", "roads"),
    "roads.layer": ("lines", "roads"),
    "roads.crs": ("EPSG:27700", "roads"),
    "roads.encoding": ("windows-1251", "roads"),
    "roads.class_field": ("class", "roads"),
    "roads.name_field": ("title", "roads"),
    "roads.ref_field": ("number", "roads"),
    "roads.id_field": ("fid", "roads"),
    "roads.keep": (["primary"], "roads"),
    "roads.drop": (["service"], "roads"),
    "segments.max_length_m": (150, "roads"),
    "segments.min_length_m": (5, "roads"),
    "segments.crossings": ("all", "roads"),
    "segments.roundabout_max_diameter_m": (60, "roads"),
    "tiles.tile_m": (80, "tiles"),
    "tiles.spacing_m": (40, "tiles"),
    "tiles.pixel_m": (1, "tiles"),
    "tiles.align": ("road", "tiles"),
    "tiles.mode": ("dense", "tiles"),
    "tiles.min_coverage": (0.9, "features"),
    "imagery.flight": ("file", "flights"),
    "imagery.match": ("histogram", "matching"),
    "imagery.centre": (True, "fingerprints"),
    "encoder.name": ("bands", "features"),
    "encoder.runtime": ("torch", "features"),
    "encoder.input_px": (96, "features"),
    "encoder.rotations": (1, "features"),
    "encoder.keep_turns": (True, "features"),
    "encoder.stages": ([6, 7], "features"),
    "encoder.centre_crop": (True, "features"),
    "clusters.method": ("ward", "clusters junction_clusters"),
    "clusters.k": (5, "clusters"),
    "clusters.k_range": ([2, 5], "clusters"),
    "clusters.seed": (1, "clusters junction_clusters"),
    "clusters.neighbours": (8, "clusters junction_clusters"),
    "clusters.smoothing": (2, "clusters junction_clusters"),
    "clusters.resamples": (20, "clusters junction_clusters"),
    "clusters.groupings": (10, "clusters junction_clusters"),
    "clusters.typology": ("types.safetensors", "clusters"),
    "clusters.junctions.types": (False, "tiles"),
    "clusters.junctions.k": (4, "junction_clusters"),
    "clusters.junctions.k_range": ([2, 5], "junction_clusters"),
    "clusters.components": (32, "clusters junction_clusters concentration interventions"),
    "clusters.whitening": (0, "clusters junction_clusters concentration interventions"),
    "collisions.sources": (["other.csv"], "collisions"),
    "collisions.layer": ("points", "collisions"),
    "collisions.sheet": (["2019", "2020"], "collisions"),
    "collisions.columns.skip_lines": (3, "collisions"),
    "collisions.columns.empty_is_none": (True, "collisions"),
    "collisions.columns.decimal": (",", "collisions"),
    **{
        f"collisions.columns.{name}": ("another", "collisions")
        for name in [
            "id",
            "date",
            "date_format",
            "year",
            "x",
            "y",
            "crs",
            "severity",
            "n_casualties",
            "time_zone",
            "road_ref",
            "road_name",
            "road_class",
            "pedestrian",
            "cyclist",
            "motorcyclist",
            "car_occupant",
            "delimiter",
            "encoding",
        ]
    },
    "collisions.severity_values": ({"fatal": ["0"], "serious": [], "slight": ["9"]}, "collisions"),
    "collisions.keep": ({"source": ["a"]}, "collisions"),
    "collisions.carry": (["light", "weather"], "carried"),
    "collisions.rows": ("persons", "collisions"),
    "collisions.repeated_ids": ("each", "collisions"),
    "collisions.period": (["2019-01-01", "2020-12-31"], "collisions exposure"),
    "collisions.max_distance_m": (20, "collisions"),
    "collisions.junction_reach_m": (10, "collisions"),
    "collisions.ambiguity_m": (1, "collisions"),
    "exposure.sources": (["other_counts.csv"], "exposure"),
    "exposure.layer": ("points", "exposure"),
    "exposure.sheet": (["2019", "2020"], "exposure"),
    "exposure.columns.skip_lines": (3, "exposure"),
    "exposure.columns.decimal": (",", "exposure"),
    **{
        f"exposure.columns.{name}": ("another", "exposure")
        for name in [
            "x",
            "y",
            "crs",
            "aadt",
            "id",
            "year",
            "road_name",
            "road_ref",
            "road_class",
            "delimiter",
            "encoding",
        ]
    },
    "exposure.max_distance_m": (20, "exposure"),
    "exposure.inherit_m": (100, "exposure"),
    "exposure.max_years_apart": (1, "exposure"),
    "exposure.both_directions": (False, "exposure"),
    **{
        f"exposure.{many}.{name}": (value, "exposure")
        for many in ("pedestrians", "cyclists")
        for name, value in {
            "column": "people",
            "sources": ["other.csv"],
            "layer": "points",
            "sheet": "2024",
            "count": "n",
            "x": "e",
            "y": "n",
            "crs": "EPSG:27700",
            "id": "id",
            "year": "year",
            "road_name": "name",
            "decimal": ",",
            "max_distance_m": 50,
            "inherit_m": 100,
            "max_years_apart": 1,
        }.items()
    },
    "safety.seed": (1, "safety inference ground_types junction_tests concentration"),
    "safety.permutations": (99, "inference junction_tests"),
    "safety.block_m": (300, "words inference ground_types"),
    "safety.rank_draws": (200, "safety"),
    "safety.length_exponent": ("one", "safety"),
    "safety.stretch_m": (200, "safety"),
    "safety.functions": ([{"name": "one", "source": "a book", "intercept": -1.0}], "safety"),
    "safety.reported.source": ("a study", "safety"),
    **{
        f"safety.concentration.{name}": (value, "concentration")
        for name, value in {
            "window_m": 600,
            "step_m": 50,
            "min_window_m": 300,
            "weights.fatal": 5,
            "weights.serious": 5,
            "weights.slight": 2,
            "weights.unhurt": 1,
            "weights.unknown": 0,
            "share_of_outcome": 0.4,
            "share_of_length": 0.1,
            "block_m": 500,
            "hot_spot_m": 300,
            "hot_spot_permutations": 99,
            "lixel_m": 25,
            "bandwidth_m": 100,
            "bandwidths_m": [50],
            "worst_segments": 5,
            "look_alikes": 2,
        }.items()
    },
    **{
        f"interventions.{name}": (value, "interventions")
        for name, value in {
            "source": "treated.csv",
            "layer": "works",
            "sheet": "2020",
            "date": "began",
            "end": "ended",
            "kind": "measure",
            "id": "number",
            "point": "place",
            "point_order": "yx",
            "crs": "EPSG:27700",
            "segment_id": "segment",
            "junction_id": "junction",
            "date_format": "%d %B %Y",
            "delimiter": ";",
            "decimal": ",",
            "encoding": "cp1252",
            "skip_lines": 2,
            "max_distance_m": 15,
            "margin_days": 0,
            "min_years": 2,
            "look_alikes": 5,
            "traffic_band": 2,
        }.items()
    },
    **{
        f"ground.{name}": (value, "ground_classes")
        for name, value in {
            "method": "unsupervised",
            "reach_m": 20,
            "cell_m": 4,
            "pixel_m": 0.5,
            "strides": [16],
            "rotations": 4,
            "seed": 1,
        }.items()
    },
    "ground.ndvi": ([1, 4], "vegetation"),
    "ground.ndvi_threshold": (0.3, "vegetation"),
    "concepts.source": ("roads.gpkg", "concepts"),
    "concepts.layer": ("points", "concepts"),
    "concepts.column": ("kind", "concepts"),
    "concepts.roads": (["surface"], "concepts"),
    "concepts.most": (5, "concepts"),
    "output.thumbnails": ("all", "pictures package"),
    "report.imagery_mb": (0, "backdrop"),
    # what is quoted in the outputs is written there anew, and nothing else
    "imagery.licence": ("mine", "package"),
    "roads.licence": ("mine", "package"),
    "collisions.licence": ("mine", "package"),
    "exposure.licence": ("mine", "package"),
    # without an earlier run there are no numbers to keep; what becomes of them otherwise is tried with whole runs
    "clusters.keep_numbers": (False, "package"),
    "imagery.cache_mb": (512, ""),
    "encoder.device": ("cpu", ""),
    "encoder.batch_size": (8, ""),
    # a run reads none of it, but for a table that was made by it
    "sensitivity.k": ([3], ""),
    "sensitivity.seeds": ([7], ""),
    "sensitivity.encoders": (["bands"], ""),
    "sensitivity.max_length_m": ([150], ""),
    "sensitivity.junction_reach_m": ([0], ""),
    "sensitivity.block_m": ([300], ""),
    "output.folder": ("elsewhere", ""),
    "output.when_busy": ("refuse", ""),
    "run.runner": ("dask", ""),
    "run.scheduler": ("tcp://127.0.0.1:8786", ""),
    "run.shared": ("shared", ""),
}
OWN = {
    "encoder.name": "file:weights.pt",
    "encoder.architecture": "resnet18",
    "encoder.mean": [9.0, 9.0, 9.0],
    "encoder.std": [9.0, 9.0, 9.0],
}
DOFA = {
    "encoder.name": "torchgeo:DOFABase16_Weights.DOFA_MAE",
    "encoder.wavelengths": [665.0, 560.0, 490.0],
}
RASTER = {
    "imagery": None,
    "encoder": {"name": "raster", "product": "alphaearth", "sources": ["imagery/one.tif"]},
}
BESIDE = {"encoder.beside": {"product": "alphaearth", "sources": ["imagery/one.tif"]}}
OF_OTHERS = {
    "sources": (["imagery/two.tif"], "tiles"),
    "product": ("tessera", "tiles"),
    "year": (2023, "tiles"),
    "version": ("v1", "tiles"),
    "corridor_m": (50, "tiles"),
    "column": ("vector", "tiles"),
    "chip_m": (256, "tiles"),
    "pool": (["mean", "max"], "features"),
}
LABELLED = {"ground.labels": "roads.gpkg"}
TAGGED, LYING_IN = {"ground.tags.table": "roads.gpkg"}, {"ground.tags.features": "roads.gpkg"}
OF_TEXT = {"encoder.name": "open_clip:ViT-B-32", "encoder.weights": "collisions.csv"}
BAAC = {"collisions": {"sources": ["collisions.csv"], "schema": "baac"}}
STATS19 = {"collisions": {"sources": ["collisions.csv"], "schema": "stats19"}}
# keys that stand only together with another: what is set before, in both plans
TOGETHER = {
    "tiles.pool": ("corridor", "features", {"tiles.mode": "dense"}),
    "tiles.corridor_m": (20, "features", {"tiles.mode": "dense", "tiles.pool": "corridor"}),
    "imagery.footprints": (
        "roads.gpkg",
        "flights",
        {"imagery.footprints": "collisions.csv", "imagery.flight_field": "day"},
    ),
    "imagery.flight_field": (
        "other",
        "flights",
        {"imagery.footprints": "roads.gpkg", "imagery.flight_field": "day"},
    ),
    "tiles.context_m": (8, "features", {"tiles.mode": "dense"}),
    "clusters.turn_whitening": (
        True,
        "fingerprints",
        {"encoder.keep_turns": True},
    ),
    "clusters.heads": (3, "clusters junction_clusters", {"clusters.method": "scan"}),
    "clusters.entropy": (2.0, "clusters junction_clusters", {"clusters.method": "scan"}),
    "clusters.self_labelling": (0.99, "clusters junction_clusters", {"clusters.method": "scan"}),
    "clusters.beta": (0.8, "clusters junction_clusters", {"clusters.method": "temi"}),
    "ground.clusters": (12, "ground_classes", {"ground.method": "unsupervised"}),
    "ground.classes": (5, "ground_classes", {"ground.method": "unsupervised"}),
    "ground.words_from": ("roads.gpkg", "ground_classes", {"ground.method": "unsupervised"}),
    "ground.words_classes": (
        {"trees": "natural=tree"},
        "ground_classes",
        {"ground.method": "unsupervised", "ground.words_from": "roads.gpkg"},
    ),
    "ground.prior": ("superpixels", "ground_classes", {"ground.method": "unsupervised"}),
    "ground.proposal_m": (
        20,
        "ground_classes",
        {"ground.method": "unsupervised", "ground.prior": "contrast"},
    ),
    **{
        f"ground.{name}": (value, "ground_classes", LABELLED)
        for name, value in {
            "labels": "collisions.csv",
            "layer": "drawn",
            "class_field": "what",
            "crs": "EPSG:27700",
            "scorer": "logistic",
            "place_m": 50,
            "min_places": 4,
            "min_cells": 80,
            "count": ["car"],
        }.items()
    },
    **{
        f"ground.{name}": (value, "ground_classes", TAGGED)
        for name, value in {
            "tags.table": "collisions.csv",
            "tags.columns": ["trees"],
            "tags.layer": "tags",
            "tags.sheet": "tags",
            "truth": "collisions.csv",
        }.items()
    },
    **{
        f"ground.{name}": (value, "ground_classes", LYING_IN)
        for name, value in {
            "tags.features": "collisions.csv",
            "tags.classes": {"trees": "natural=tree"},
            "tags.tile_m": 60,
        }.items()
    },
    "ground.sam": ("sam2.1", "ground_classes", {"ground.method": "sam"}),
    "ground.points": ("roads.gpkg", "ground_classes", {"ground.sam": "mobile_sam"}),
    "ground.truth_names": ({1: "trees"}, "ground_classes", TAGGED | {"ground.truth": "collisions.csv"}),
    "ground.truth_column": ("what", "ground_classes", TAGGED | {"ground.truth": "collisions.csv"}),
    "encoder.weights": ("roads.gpkg", "features", OF_TEXT),
    "encoder.pooling": ("mean", "features", OWN),
    "encoder.wavelengths": ([665.0, 842.0, 490.0], "features", DOFA),
    "encoder.bandwidths": ([30.0, 115.0, 65.0], "features", DOFA),
    "encoder.architecture": ("resnet34", "features", OWN),
    "encoder.bands": (["nir", "red", "green"], "features", OWN),
    "encoder.values": ("raster", "features", OWN),
    "encoder.mean": ([1.0, 2.0, 3.0], "features", OWN),
    "encoder.std": ([1.0, 2.0, 3.0], "features", OWN),
    **{f"encoder.{key}": (*change, RASTER) for key, change in OF_OTHERS.items()},
    **{f"encoder.beside.{key}": (*change, BESIDE) for key, change in OF_OTHERS.items()},
    "encoder.beside.weight": (2, "fingerprints", BESIDE),
    "interventions.x": ("e", "interventions", {"interventions.y": "n", "interventions.x": "x"}),
    "interventions.y": ("n", "interventions", {"interventions.x": "e", "interventions.y": "y"}),
    **{
        f"safety.reported.{name}": ([0.5, 0.8], "safety", {"safety.reported.source": "a study"})
        for name in ("fatal", "serious", "slight", "pedestrian", "cyclist", "motorcyclist", "car_occupant")
    },
    "exposure.schema": ("dft_aadf", "exposure", {}),
    "exposure.column": ("aadt", "exposure", {"exposure.sources": []}),
    "collisions.schema": ("columns", "collisions", {"collisions": {}}),
    "collisions.casualties": ("casualties.csv", "collisions", STATS19),
    "collisions.vehicles": ("vehicles.csv", "collisions", STATS19),
    "collisions.places": ("places.csv", "collisions", BAAC),
    "collisions.columns.month": ("m", "collisions", {"collisions.columns.year": "y"}),
    "collisions.columns.day": (
        "d",
        "collisions",
        {"collisions.columns.year": "y", "collisions.columns.month": "m"},
    ),
    "collisions.columns.point": (
        "p",
        "collisions",
        {"collisions.columns.x": None, "collisions.columns.y": None},
    ),
    "collisions.columns.point_order": (
        "yx",
        "collisions",
        {"collisions.columns.x": None, "collisions.columns.y": None, "collisions.columns.point": "p"},
    ),
    **{
        f"collisions.columns.{name}": ("n", "collisions", {"collisions.columns.severity": None})
        for name in ("fatal", "serious", "slight")
    },
    "collisions.severity_scheme": ("kabco", "collisions", {"collisions.severity_values": None}),
}
# keys of which some stand in for others
ELSEWHERE = {"exposure.column", "collisions.severity_scheme"}


def write_city(folder):
    (folder / "imagery").mkdir()
    for name in ("imagery/one.tif", "imagery/two.tif", "roads.gpkg", "collisions.csv", "counts.csv"):
        (folder / name).write_text(name)
    # of a typology the plan reads the head alone
    head = json.dumps({"digest": "", "card": {"format": 1, "types": []}})
    raw = json.dumps({"__metadata__": {KEY: head}}).encode()
    (folder / "types.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw)
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(CITY))
    return path


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """A city that no test changes, and what plans it; a plan that was made is given again."""
    path = write_city(tmp_path_factory.mktemp("unchanged"))

    @cache
    def planned(settings):
        return plan_of(path, json.loads(settings))

    return lambda settings: planned(json.dumps(settings))


def plan_of(city, settings, out=None):
    return make_plan(
        city, {key: json.dumps(value) for key, value in settings.items()}, out or city.parent / "runs"
    )


def and_all_after(first):
    """Add the stages that read the files of those before, directly or not."""
    found = set(first)
    for stage in STAGES:
        if found if stage.after == ALL_BEFORE else found & set(stage.after):
            found.add(stage.name)
    return found


CASES = {key: (value, first, {}) for key, (value, first) in CHANGES.items()} | TOGETHER


def test_every_key_of_the_configuration_is_tried():
    assert set(CASES) == set(leaf_keys(CityConfig))


def test_a_key_that_is_marked_as_without_effect_redoes_no_science():
    quoted = {key for key in marked(CityConfig) if key.endswith(".licence")}
    assert {key for key, (_, first, _) in CASES.items() if not first} == marked(CityConfig) - quoted


@pytest.mark.parametrize("key", CASES)
def test_a_key_redoes_what_it_changes_and_nothing_else(key, unchanged):
    value, first, together = CASES[key]
    before = unchanged(together)
    after = unchanged(together | {key: value})
    # every setting of a run stands in its GeoPackage
    written = {"package"} if first else set()
    redone = {name for name in before.keys if before.keys[name] != after.keys[name]}
    assert redone == and_all_after({*first.split(), *written})


def test_the_same_configuration_names_the_same_stages(city):
    assert plan_of(city, {}).keys == plan_of(city, {}).keys


def test_keys_that_change_no_result_are_not_written_down(city):
    plain = plan_of(city, {}).written
    told = plan_of(
        city, {key: CASES[key][0] for key in marked(CityConfig) if not key.endswith(".licence")}
    ).written
    assert told == plain
    assert plan_of(city, {"roads.licence": "mine"}).written["roads"]["licence"] == "mine"


@pytest.mark.parametrize(
    ("name", "first"),
    {
        "imagery/one.tif": "tiles features pictures",
        "roads.gpkg": "roads",
        "collisions.csv": "collisions",
        "counts.csv": "exposure",
    }.items(),
)
def test_an_input_that_changed_redoes_those_who_read_it(name, first, city):
    before = plan_of(city, {})
    (city.parent / name).write_text("changed")
    after = plan_of(city, {})
    redone = {stage for stage in before.keys if before.keys[stage] != after.keys[stage]}
    assert redone == and_all_after(first.split())
    with pytest.raises(Exception, match="changed or removed"):
        before.check_inputs()


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("corrections.csv", "segment_id,says,value\nab,is,3\n", "clusters"),
        # a type that is merged keeps its name as well, for when it is not any more
        ("clusters.csv", "cluster,merged_into\n3,2\n", "clusters package"),
    ],
)
def test_what_analysts_say_of_types_redoes_them_and_the_same_said_otherwise_nothing(name, text, first, city):
    before = plan_of(city, {})
    (before.folder / name).write_text(text)
    after = plan_of(city, {})
    redone = {stage for stage in before.keys if before.keys[stage] != after.keys[stage]}
    assert redone == and_all_after(first.split())
    (before.folder / name).write_text(text.replace(",", ";"), encoding="utf-8-sig")
    assert plan_of(city, {}).keys == after.keys
    # types of a typology are not those that were meant
    types = {"clusters.typology": "types.safetensors"}
    there = plan_of(city, types).keys["clusters"]
    (before.folder / name).unlink()
    assert plan_of(city, types).keys["clusters"] == there


FOUND = {"ground.method": "unsupervised"}


def test_a_name_of_a_class_of_ground_redoes_the_package_alone(city):
    before = plan_of(city, FOUND)
    (before.folder / "ground.csv").write_text("class,name,colour\n3,car parks,#abcdef\n")
    after = plan_of(city, FOUND)
    assert {name for name in before.keys if before.keys[name] != after.keys[name]} == {"package", "report"}
    assert after.ground.names[3].name == "car parks"


def test_classes_of_ground_that_are_made_one_redo_the_cheap_end_of_the_map(city):
    before = plan_of(city, FOUND)
    (before.folder / "ground.csv").write_text("class,merged_into\n3,2\n")
    after = plan_of(city, FOUND)
    redone = {name for name in before.keys if before.keys[name] != after.keys[name]}
    assert redone == and_all_after({"ground", "package"})
    assert mapping._seen_as(before) == mapping._seen_as(after)
    assert after.ground.merges == {3: 2}


def test_names_of_found_classes_are_told_where_none_are_found(city):
    before = plan_of(city, {})
    (before.folder / "ground.csv").write_text("class,name\n3,car parks\n4,\n")
    after = plan_of(city, {})
    assert (after.ground.names, after.ground.unused) == ({}, (3,))
    assert before.keys["package"] != after.keys["package"]


def test_a_faulty_table_of_classes_is_refused_before_anything_runs(city):
    folder = plan_of(city, FOUND).folder
    (folder / "ground.csv").write_text("class,name\nthree,car parks\n")
    with pytest.raises(SourceError, match=r"ground\.csv.*line 2"):
        plan_of(city, FOUND)


def test_two_cities_whose_names_give_one_folder_are_told_apart(city):
    """Whichever comes first: the folder is called as the one, and says that it is the other's."""
    runs = city.parent / "runs"
    first = plan_of(city, {"city": "Zürich"})
    assert first.geopackage == runs / "Zurich" / first.run_id / "Zurich.gpkg"
    assert plan_of(city, {"city": "Zürich"}).folder == first.folder
    for other in ("Zurich", "Zúrich"):
        with pytest.raises(ConfigurationError, match=f"holds the runs of 'Zürich', and '{other}' would"):
            runs_of(city, {"city": other}, runs)
    plain = plan_of(city, {"city": "Malaga"})
    plain.stages.mkdir(exist_ok=True)
    with pytest.raises(ConfigurationError, match="holds the runs of 'Malaga', and 'Málaga' would"):
        runs_of(city, {"city": "Málaga"}, runs)


def test_stages_stand_in_an_order_in_which_each_finds_what_it_reads():
    names = [stage.name for stage in STAGES]
    assert len(set(names)) == len(names)
    for place, stage in enumerate(STAGES):
        assert stage.after == ALL_BEFORE or set(stage.after) <= set(names[:place])


@pytest.mark.parametrize("some", [STAGES_OF_LOOKS, STAGES_OF_VARIANT])
def test_where_some_stages_are_made_so_are_those_that_they_read(some):
    by_name = {stage.name: stage for stage in STAGES}
    assert {before for name in some for before in by_name[name].after} <= set(some)
    assert list(some) == [name for name in by_name if name in some]


def test_every_key_of_every_way_of_clustering_names_the_types(city):
    """A new way of clustering has its own keys named by the section, not by a list."""
    named = {
        key
        for way in KINDS
        for key in effective(load(city, {"clusters.method": way.tag}), clusters.STAGE.settings)
    }
    keys = {key for key in leaf_keys(CityConfig) if key.startswith("clusters.")}
    of_junctions = {key for key in keys if key.startswith("clusters.junctions.")}
    # of the typology its bytes count, wherever it lies
    assert keys - named == {"clusters.keep_numbers", "clusters.typology"} | of_junctions
    with pytest.raises(KeyError):
        effective(load(city), ("clusters", "-clusters.nothing"))


def test_the_weights_of_the_default_encoder_are_an_input(city, monkeypatch, tmp_path):
    mine = tmp_path / "models" / "weights.pth"
    mine.parent.mkdir()
    mine.write_bytes(b"one")
    monkeypatch.setattr(bundled, "weights_path", lambda: mine)
    before = plan_of(city, {})
    mine.write_bytes(b"another")
    after = plan_of(city, {})
    redone = {stage for stage in before.keys if before.keys[stage] != after.keys[stage]}
    assert redone == and_all_after({"features"})
    assert features.encoder_key(before) != features.encoder_key(after)
    assert before.inputs["models/weights.pth"] != after.inputs["models/weights.pth"]


def test_what_is_written_down_names_the_file_that_holds_it(city):
    before = plan_of(city, {})
    city.write_text(city.read_text().replace("roads.gpkg", "./roads.gpkg"))
    after = plan_of(city, {})
    assert {name for name in before.keys if before.keys[name] != after.keys[name]} == {"package", "report"}


def test_inputs_of_one_name_in_two_folders_are_told_apart(city, tmp_path_factory):
    places = [tmp_path_factory.mktemp(name) / "img" for name in ("a", "b")]
    for place in places:
        place.mkdir()
        (place / "t.tif").write_bytes(place.parent.name.encode())
    plan = plan_of(city, {"imagery.sources": [str(place / "t.tif") for place in places]})
    assert len([name for name in plan.inputs if name.endswith("img/t.tif")]) == 2
