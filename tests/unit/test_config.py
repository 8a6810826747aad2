"""A city's file: every fault is named at once, before anything runs."""

import pickle
from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import Field

from geo.config import CityConfig, load
from geo.config.reference import reference
from geo.config.section import NO_EFFECT, Section, leaf_keys, marked, sections
from geo.errors import ConfigurationError, EncoderError
from geo.imagery.sources import expand_sources

TOP = Path(__file__).resolve().parents[2]
SMALL = {"city": "x", "imagery": {"sources": ["a.tif"]}, "roads": {"source": "r.gpkg"}}


def write(folder, content):
    path = folder / "city.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("encoder", "words"),
    [
        ({"name": "resnet"}, "encoder.name: one of bundled, bands, .* is expected \\(found 'resnet'\\)"),
        ({"name": 5}, "encoder.name: .* \\(found '5'\\)"),
        ({"mean": [1.0]}, "encoder.mean: no such key for bundled, only for torchgeo and file"),
        (
            {"name": "timm:x", "values": "raster"},
            "encoder.values: no such key for timm, only for torchgeo and file",
        ),
        ({"name": "timm:x", "depth": 3}, "encoder.depth: no such key \\(found 3\\)"),
        ({"name": "file:x", "mean": [1.0], "std": [1.0]}, "encoder.architecture: it is missing"),
        ({"name": "bands", "device": "tpu"}, "encoder.device: auto"),
        ("bundled", "encoder: one of bundled, bands"),
    ],
)
def test_an_encoder_is_checked_by_the_rules_of_its_kind(tmp_path, encoder, words):
    with pytest.raises(ConfigurationError, match=words):
        load(write(tmp_path, SMALL | {"encoder": encoder}))


@pytest.mark.parametrize(
    ("collisions", "words"),
    [
        ({"schema": "dft"}, "collisions.schema: one of stats19, .*, columns is expected \\(found 'dft'\\)"),
        ({"schema": None}, "collisions.schema: .* \\(found None\\)"),
        (
            {"columns": {"x": "lon"}},
            "collisions.columns: no such key for stats19, only for .*unfallatlas.* and columns",
        ),
        ({"severity_values": {}}, "collisions.severity_values: no such key for stats19, only for columns"),
        (
            {"severity_scheme": "german"},
            "collisions.severity_scheme: no such key for stats19, only for columns",
        ),
        (
            {"schema": "columns", "casualties": "people.csv", "vehicles": "cars.csv"},
            "(?s)collisions.casualties: no such key for columns, only for stats19.*collisions.vehicles: no such key",
        ),
        (
            {"schema": "columns", "columns": {"lon": "x"}},
            "collisions.columns.lon: no such key \\(found 'x'\\)",
        ),
        (
            {"schema": "columns", "sources": ["c.csv"]},
            "collisions: schema: columns needs the mapping 'columns'",
        ),
        ({"sources": ["c.csv"], "whatever": "x"}, "collisions.whatever: no such key \\(found 'x'\\)"),
        ("c.csv", "collisions: one of stats19, .*, columns"),
    ],
)
def test_records_are_checked_by_the_rules_of_their_schema(tmp_path, collisions, words):
    with pytest.raises(ConfigurationError, match=words):
        load(write(tmp_path, SMALL | {"collisions": collisions}))


def test_records_are_of_stats19_unless_another_schema_is_named(tmp_path):
    plain, linked, other = (
        load(write(tmp_path, SMALL | {"collisions": section})).collisions
        for section in (
            {},
            {"sources": ["c.csv"], "casualties": "people.csv", "vehicles": "https://example.org/cars.csv"},
            {"schema": "columns", "sources": ["c.csv"], "columns": {"x": "lon"}},
        )
    )
    assert (plain.schema_, plain.sources, plain.linked()) == ("stats19", [], [])
    assert (linked.schema_, linked.sources) == ("stats19", [str(tmp_path / "c.csv")])
    assert linked.linked() == [str(tmp_path / "people.csv"), "https://example.org/cars.csv"]
    assert (other.schema_, other.columns.x, other.linked()) == ("columns", "lon", [])


def test_bands_that_an_encoder_cannot_take_are_refused_before_anything_runs(tmp_path):
    imagery = {"imagery": SMALL["imagery"] | {"bands": [1, 2, 3, 4]}}
    with pytest.raises(EncoderError, match=r"needs 3 bands .* imagery\.bands gives 4"):
        load(write(tmp_path, SMALL | imagery))
    own = {"name": "file:mine.pth", "architecture": "resnet18", "mean": [9.0] * 4, "std": [3.0] * 4}
    config = load(write(tmp_path, SMALL | imagery | {"encoder": own}))
    assert config.encoder.name == f"file:{tmp_path / 'mine.pth'}"
    assert load(write(tmp_path, SMALL | imagery | {"encoder": {"name": "bands"}})).encoder.name == "bands"


def test_a_configuration_arrives_whole_in_another_process(tmp_path):
    own = {"name": "file:mine.pth", "architecture": "resnet18", "mean": [9.0] * 3, "std": [3.0] * 3}
    config = load(write(tmp_path, SMALL | {"encoder": own}))
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - our own bytes
    assert CityConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config


def test_paths_start_at_the_folder_of_the_file(tmp_path):
    config = load(write(tmp_path, SMALL))
    assert config.roads.source == str(tmp_path / "r.gpkg")
    assert config.imagery.sources == [str(tmp_path / "a.tif")]
    assert config.output.folder == str(tmp_path / "runs")


def test_urls_are_left_as_they_are(tmp_path):
    url = "https://example.org/a.tif"
    assert load(write(tmp_path, SMALL | {"imagery": {"sources": [url]}})).imagery.sources == [url]


def test_a_variable_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("CITY_DATA", "/data")
    path = write(tmp_path, SMALL | {"roads": {"source": "${CITY_DATA}/r.gpkg"}})
    assert load(path).roads.source == "/data/r.gpkg"


def test_a_variable_that_is_not_set_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("CITY_DATA", raising=False)
    with pytest.raises(ConfigurationError, match="CITY_DATA"):
        load(write(tmp_path, SMALL | {"roads": {"source": "${CITY_DATA}/r.gpkg"}}))


def test_all_faults_come_in_one_message(tmp_path):
    faulty = SMALL | {"tiles": {"tile_m": "wide", "tilem": 3}, "clusters": {"k": 0}, "city": "../.."}
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, faulty))
    for key in ("tiles.tile_m", "tiles.tilem: no such key", "clusters.k", "city"):
        assert key in str(caught.value)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"tiles": {"spacing_m": -5}}, "tiles.spacing_m"),
        ({"tiles": {"spacing_m": float("inf")}}, "tiles.spacing_m"),
        ({"segments": {"min_length_m": 300}}, "segments"),
        ({"tiles": {"pixel_m": 50, "tile_m": 100}}, "from 4 to 8192 are possible"),
        ({"clusters": {"k_range": [9, 3]}}, "clusters.k_range"),
        ({"area": [2, 0, 1, 1]}, "area"),
        ({"collisions": {"period": ["2024-12-31", "2024-01-01"]}}, "collisions"),
        ({"collisions": {"sources": ["c.csv"], "schema": "columns"}}, "columns"),
        ({"imagery": {"sources": []}}, "imagery.sources"),
        ({"roads": {"source": "r", "keep": ["a"], "drop": ["b"]}}, "keep or drop"),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_key(tmp_path, change, key):
    with pytest.raises(ConfigurationError, match=key):
        load(write(tmp_path, SMALL | change))


@pytest.mark.parametrize("content", ["city: [unclosed", "- a list", ""])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, content):
    with pytest.raises(ConfigurationError, match=r"city\.yaml"):
        load(write(tmp_path, content))


def test_a_key_that_stands_twice_is_refused(tmp_path):
    text = "city: one\nimagery: {sources: [a.tif]}\nroads: {source: r.gpkg}\nclusters:\n  k: 3\n  seed: 1\n  k: 4\n"
    with pytest.raises(ConfigurationError, match="'k' stands there twice"):
        load(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"no\.yaml"):
        load(tmp_path / "no.yaml")


def test_a_key_can_be_set_from_outside(tmp_path):
    config = load(write(tmp_path, SMALL), {"clusters.k": "5", "roads.keep": "[primary, trunk]"})
    assert config.clusters.k == 5
    assert config.roads.keep == ["primary", "trunk"]


def test_every_key_says_what_it_means():
    def fields(model):
        for name, field in model.model_fields.items():
            below = sections(field)
            for kind in below:
                yield from fields(kind)
            if not below:
                yield name, field.description

    undescribed = [name for name, text in fields(CityConfig) if not text]
    assert undescribed == []


def test_the_keys_that_hold_values_are_those_of_a_file_that_states_them_all(tmp_path):
    whole = SMALL | {
        "exposure": {"schema": "columns", "columns": {"x": "e", "y": "n", "aadt": "flow"}},
        # the kind of encoder that has all keys of the others, and its own
        "encoder": {"name": "file:x", "architecture": "resnet18", "mean": [9.0] * 3, "std": [3.0] * 3},
    }
    whole["encoder"]["beside"] = {"product": "clay", "sources": ["chips.parquet"]}

    def stated(values, above=""):
        for key, value in values.items():
            if isinstance(value, dict):
                yield from stated(value, f"{above}{key}.")
            else:
                yield above + key

    # no kind of records has all keys of the others
    kinds = {"schema": "stats19"}, {"schema": "baac"}, {"schema": "columns", "columns": {}}
    plain = [
        load(write(tmp_path, whole | {"collisions": kind})).model_dump(mode="json", by_alias=True)
        for kind in kinds
    ]
    dofa = {"name": "torchgeo:DOFABase16_Weights.DOFA_MAE", "wavelengths": [665.0, 560.0, 490.0]}
    plain.append(load(write(tmp_path, whole | {"encoder": dofa})).model_dump(mode="json", by_alias=True))
    plain.append(
        load(write(tmp_path, whole | {"encoder": {"name": "open_clip:ViT-B-32"}})).model_dump(
            mode="json", by_alias=True
        )
    )
    others = {"encoder": {"name": "raster", "product": "clay", "sources": ["chips.parquet"]}, "imagery": None}
    plain.append(load(write(tmp_path, whole | others)).model_dump(mode="json", by_alias=True))
    for way in ("scan", "temi"):
        clusters = {"clusters": {"method": way}}
        plain.append(load(write(tmp_path, whole | clusters)).model_dump(mode="json", by_alias=True))
    grounds = "unsupervised", {"labels": "labels.gpkg"}, {"tags": "tags.csv"}, "sam"
    plain += [
        load(write(tmp_path, whole | {"ground": ground})).model_dump(mode="json", by_alias=True)
        for ground in grounds
    ]
    assert set(leaf_keys(CityConfig)) == {key for one in plain for key in stated(one)} - {"encoder.beside"}


def test_keys_of_machines_texts_and_places_change_no_result():
    machine = {"encoder.device", "encoder.batch_size", "imagery.cache_mb"}
    texts = {f"{section}.licence" for section in ("imagery", "roads", "collisions", "exposure")}
    places = {"output.folder", "output.when_busy", "run.runner", "run.scheduler", "run.shared"}
    others = {key for key in leaf_keys(CityConfig) if key.startswith("sensitivity.")}
    assert marked(CityConfig) == machine | texts | places | others


def test_keys_of_a_section_of_several_kinds_are_those_of_all_kinds():
    class Wide(Section):
        kind: Literal["wide"] = "wide"
        width_m: float = 1.0

    class Deep(Section):
        kind: Literal["deep"] = "deep"
        depth_m: float = 1.0
        threads: Annotated[int, NO_EFFECT] = 1

    class Hole(Section):
        shape: Annotated[Wide | Deep, Field(discriminator="kind")] = Wide()
        note: Annotated[Wide | None, NO_EFFECT] = None

    shape = ("shape.kind", "shape.width_m", "shape.depth_m", "shape.threads")
    assert leaf_keys(Hole) == (*shape, "note.kind", "note.width_m")
    assert marked(Hole) == {"shape.threads", "note.kind", "note.width_m"}


@pytest.mark.parametrize("path", sorted((TOP / "data" / "cities").glob("*.yaml")), ids=lambda p: p.stem)
def test_the_cities_that_come_with_the_project_are_valid(path, monkeypatch):
    monkeypatch.setenv("ROADPRINT_DATA", "/data")
    assert load(path).city == path.stem


def test_the_reference_of_the_keys_is_up_to_date():
    assert (TOP / "docs" / "city-file.md").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize(
    "text", ["a: &a [*a]\n", "city: x\ncollisions: {period: [2020-02-30, 2020-03-01]}\n"]
)
def test_yaml_that_cannot_be_meant_is_refused(tmp_path, text):
    with pytest.raises(ConfigurationError):
        load(write(tmp_path, text))


def test_marks_of_a_pattern_in_a_folders_name_mean_themselves(tmp_path):
    folder = tmp_path / "city [2020]"
    (folder / "imagery").mkdir(parents=True)
    (folder / "imagery" / "a.tif").write_bytes(b"")
    config = load(write(folder, SMALL | {"imagery": {"sources": ["imagery/*.tif"]}}))
    assert expand_sources(config.imagery.sources) == [str(folder / "imagery" / "a.tif")]


def test_a_bare_word_for_a_section_is_its_method_for_further_keys_too(tmp_path):
    file = write(tmp_path, SMALL | {"ground": "unsupervised"})
    assert load(file, {"ground.pixel_m": "0.5"}).ground.pixel_m == 0.5
    assert load(file, {"ground": "none", "ground.reach_m": "20"}).ground.method == "none"
    with pytest.raises(ConfigurationError, match="'city' is not a section"):
        load(file, {"city.name": "x"})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("clusters.k", "banana", "clusters.k: auto or a whole number is expected (found 'banana')"),
        ("clusters.k", "2.5", "clusters.k: auto or a whole number is expected (found 2.5)"),
        ("clusters.k", "-3", "clusters.k: auto or a number of at least 1 is expected (found -3)"),
        ("tiles.tile_m", "wide", "tiles.tile_m: a number is expected (found 'wide')"),
        ("tiles.tile_m", "-1", "tiles.tile_m: a number above 0 is expected (found -1)"),
        ("tiles.mode", "dnse", "tiles.mode: tile or dense is expected; did you mean dense? (found 'dnse')"),
        ("imagery.bands", "[1, 2, x]", "imagery.bands.2: a whole number is expected (found 'x')"),
        ("area", "[1, 2, 3]", "area.3: it is missing"),
        ("city", "{a: 1}", "city: text is expected (found {'a': 1})"),
        (
            "clusters.turn_whitening",
            "maybe",
            "clusters.turn_whitening: true or false is expected (found 'maybe')",
        ),
        ("ground.rotations", "2", "ground.rotations: 1 or 4 is expected (found 2)"),
    ],
)
def test_a_value_that_cannot_be_is_told_in_one_line_of_plain_words(tmp_path, key, value, said):
    (tmp_path / "city.yaml").write_text("{city: x, imagery: {sources: [a.tif]}, roads: {source: a.gpkg}}")
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path / "city.yaml", {key: value})
    assert refused.value.what.splitlines() == ["one fault in the configuration", f"  {said}"]


def test_a_kind_that_is_not_known_is_told_with_the_one_that_is_like_it(tmp_path):
    (tmp_path / "city.yaml").write_text("{city: x, imagery: {sources: [a.tif]}, roads: {source: a.gpkg}}")
    with pytest.raises(ConfigurationError, match=r"did you mean kmeans\? \(found 'kmens'\)"):
        load(tmp_path / "city.yaml", {"clusters.method": "kmens"})
