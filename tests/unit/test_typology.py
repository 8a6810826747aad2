"""Types of several cities: fitted together, kept in a file, given to the segments of another city."""

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from shapely import LineString
from sklearn.metrics import adjusted_rand_score

from geo.clusters.evidence.choose import EVIDENCE
from geo.clusters.typology.assign import assign
from geo.clusters.typology.file import read_typology, write_typology
from geo.clusters.typology.fit import CityLooks, draw_evenly, fit_typology
from geo.clusters.typology.made_by import differences, made_by, refuse_other
from geo.clusters.typology.names import named
from geo.clusters.typology.types import assign_types
from geo.config import Clusters
from geo.errors import ConfigurationError, EncoderError, LayerError, SourceError
from geo.features.fingerprints import Fingerprints
from geo.outputs.names import Named
from tasks.typology.fitting import fit_cities, read_earlier, settings_of
from tasks.typology.looks import not_in, spread

MADE_BY = {
    "emb:model.name": "bundled",
    "emb:postprocessing": "mean over 4 quarter turns",
    "emb:chip_layout.chip_size_m": 100.0,
    "gsd": 0.52,
}
FORMS = np.random.default_rng(0).normal(size=(4, 32))
"""What four forms of road look like."""


def city(name, counts, seed, **more):
    """Draw a city with so many roads of each form, 300 m apart."""
    rng = np.random.default_rng(seed)
    forms = np.repeat(np.arange(len(counts)), counts)
    vectors = (FORMS[forms] + rng.normal(scale=0.5, size=(len(forms), 32))).astype(np.float32)
    lines = [LineString([(300 * i, 0), (300 * i + 90, 0)]) for i in range(len(forms))]
    ids = [f"{name}{i:03d}" for i in range(len(forms))]
    roads = gpd.GeoDataFrame({"segment_id": ids}, geometry=lines, crs=more.pop("crs", 27700))
    return CityLooks(name, vectors, roads, more.pop("made_by", MADE_BY), name, **more), forms


@pytest.fixture(scope="module")
def fitted():
    cities = [city("a", (40, 30, 20, 0), 1)[0], city("b", (10, 10, 40, 30), 2, crs=32618)[0]]
    return fit_typology(cities, Clusters(k_range=(2, 6), groupings=5)), cities


def test_a_city_that_was_not_there_is_given_the_types_of_its_forms(fitted):
    typology = fitted[0].typology
    new, forms = city("c", (25, 25, 25, 25), 3)
    found = assign(typology, new.vectors)
    alike = found.numbers != 0
    assert len(typology.card.types) == 4
    assert alike.mean() > 0.9
    assert adjusted_rand_score(forms[alike], found.numbers[alike]) > 0.99
    assert np.nanmin(found.probability) >= 0
    assert np.nanmean(found.probability) > 0.9


def test_a_segment_that_is_like_none_is_of_no_type(fitted):
    other = np.random.default_rng(9).normal(size=(20, 32)).astype(np.float32) * 3
    found = assign(fitted[0].typology, other)
    assert (found.numbers == 0).mean() > 0.8
    assert np.isnan(found.probability[found.numbers == 0]).all()
    assert (found.groupings[found.numbers == 0] == 0).all()


def test_the_file_holds_all_of_it_and_has_the_same_bytes_again(fitted, tmp_path):
    typology = fitted[0].typology
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    write_typology(one, typology)
    again = fit_typology(fitted[1], Clusters(k_range=(2, 6), groupings=5)).typology
    write_typology(other, again)
    assert one.read_bytes() == other.read_bytes()
    read = read_typology(one)
    assert read.digest == typology.digest
    new = city("c", (9, 9, 9, 9), 4)[0].vectors
    assert (assign(read, new).numbers == assign(typology, new).numbers).all()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda raw: raw[:-100], "it is not whole"),
        (lambda raw: raw[:40], "no typology, or not whole"),
        (lambda raw: raw[:0], "no typology, or not whole"),
        (lambda raw: b"PK\x03\x04" + raw[4:], "no typology"),
        (lambda raw: raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:], "not as it was written"),
        (lambda raw: raw.replace(b'\\"version\\": 1', b'\\"version\\": 7'), "not as it was written"),
        (lambda raw: raw.replace(b'\\"format\\": 1', b'\\"format\\": 2'), "a newer roadprint wrote it"),
    ],
)
def test_a_file_that_is_no_whole_typology_is_refused(fitted, tmp_path, damage, told):
    file = tmp_path / "types.safetensors"
    write_typology(file, fitted[0].typology)
    raw = file.read_bytes()
    file.write_bytes(damage(raw))
    assert file.read_bytes() != raw
    with pytest.raises(SourceError, match=told):
        read_typology(file)


def test_arrays_of_something_else_are_no_typology(tmp_path):
    from safetensors.numpy import save_file

    save_file({"weight": np.ones(3)}, tmp_path / "weights.safetensors")
    with pytest.raises(SourceError, match="it is no typology"):
        read_typology(tmp_path / "weights.safetensors")
    with pytest.raises(SourceError, match="cannot be read"):
        read_typology(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("emb:model.name", "bands", "encoder bands in place of bundled"),
        ("emb:postprocessing", "mean over 1 quarter turns", "Set encoder.rotations"),
        ("emb:chip_layout.chip_size_m", 80.0, "side of a tile .m. 80 in place of 100"),
        ("gsd", 0.3, "ground per pixel"),
        ("emb:weights", "ab", "digest of the encoder's weights ab in place of none"),
    ],
)
def test_looks_that_were_made_otherwise_are_refused_by_name(key, value, told):
    with pytest.raises(EncoderError, match=told):
        refuse_other(MADE_BY | {key: value}, MADE_BY, where="clusters.typology", what="the typology")
    cities = [city("a", (5, 5), 1)[0], city("b", (5, 5), 2, made_by=MADE_BY | {key: value})[0]]
    with pytest.raises(EncoderError, match="b: its looks cannot be held against those of a"):
        fit_typology(cities, Clusters(k=2))


def test_who_computed_and_which_imagery_was_seen_makes_no_difference():
    told = {
        b"emb:model": json.dumps({"name": "bundled", "license": "x"}).encode(),
        b"emb:runtime": b"openvino",
        b"emb:source-data": b'["one"]',
        b"emb:chip_layout": b'{"chip_size_m": 100.0, "stride_m": 50.0}',
    }
    other = told | {
        b"emb:runtime": b"torch",
        b"emb:source-data": b'["two"]',
        b"emb:chip_layout": b'{"chip_size_m": 100.0, "stride_m": 25.0}',
    }
    assert differences(made_by(told), made_by(other)) == []


def test_what_no_types_can_be_found_of_is_refused():
    with pytest.raises(LayerError, match="there is no city"):
        fit_typology([], Clusters())
    some = city("a", (5, 5), 1)[0]
    with pytest.raises(ConfigurationError, match="50 types are asked for, and only 10 segments"):
        fit_typology([some], Clusters(k=50))
    flat = CityLooks("flat", np.ones_like(some.vectors), some.roads, MADE_BY, "flat")
    with pytest.raises(LayerError, match="all segments look exactly the same"):
        fit_typology([flat], Clusters())


def test_cities_count_alike_however_large_they_are():
    """Nine tenths of the large city are of one form; weighed alike, the small one has as much to say of the space."""
    large, small = city("a", (360, 40), 1)[0], city("b", (0, 0, 20, 20), 2)[0]
    alike, by_size = (
        fit_typology([large, small], Clusters(k=4, groupings=2), weight=weight).typology
        for weight in ("city", "segment")
    )
    middle = {
        name: np.concatenate([c.vectors for c in cities]).mean(axis=0)
        for name, cities in {"large": [large], "small": [small], "all": [large, small]}.items()
    }
    np.testing.assert_allclose(alike.arrays.mean, (middle["large"] + middle["small"]) / 2, atol=1e-2)
    np.testing.assert_allclose(by_size.arrays.mean, middle["all"], atol=1e-5)


def test_rows_are_drawn_as_often_as_they_weigh():
    weights = np.random.default_rng(0).uniform(0.1, 2, 50)
    drawn = np.bincount(draw_evenly(weights, 1000), minlength=50)
    assert np.abs(drawn - 1000 * weights / weights.sum()).max() < 1
    assert draw_evenly(np.ones(7)).tolist() == list(range(7))


def test_of_large_cities_as_many_segments_as_there_is_room_for_take_part():
    cities = [city("a", (60, 60), 1)[0], city("b", (5, 5), 2)[0]]
    fitted = fit_typology(cities, Clusters(k=2, groupings=2), most=50)
    assert [len(rows) for rows in fitted.kept] == [40, 10]
    assert [one.kept for one in fitted.typology.card.cities] == [40, 10]


def test_names_that_an_analyst_gave_in_a_city_are_carried_into_the_typology():
    one, forms = city("a", (30, 20, 10), 1)
    # the city's own numbers are others than those by size
    own = CityLooks(
        one.city,
        one.vectors,
        one.roads,
        MADE_BY,
        "a",
        types=pd.Series(np.array([3, 1, 2])[forms], dtype="Int64"),
        names={3: Named(cluster=3, name="Terraces", colour="#112233")},
    )
    fitted = fit_typology([own], Clusters(k=3, groupings=2))
    types = named(fitted, [own]).card.types
    assert [(t.number, t.name, t.segments) for t in types] == [(1, "Terraces", 30), (2, "", 20), (3, "", 10)]
    assert types[0].colour == "#112233"


def test_a_typology_that_follows_another_keeps_its_numbers_and_gives_none_again():
    first, _ = city("a", (30, 20, 10), 1)
    fitted = fit_typology([first], Clusters(k=3, groupings=2))
    called = [t.model_copy(update={"name": f"form {t.number}"}) for t in fitted.typology.card.types]
    before = fitted.typology
    before = type(before)(before.card.model_copy(update={"types": called}), before.arrays)
    # the form that was the largest is gone, and there is a fourth
    second, _ = city("b", (0, 10, 20, 30), 2)
    after = named(fit_typology([second], Clusters(k=3, groupings=2)), [second], before).card
    assert {t.segments: (t.number, t.name) for t in after.types} == {
        30: (4, ""),
        20: (3, "form 3"),
        10: (2, "form 2"),
    }
    assert (after.version, after.earlier) == (2, before.digest)


def segments_of(one):
    tiles = pd.DataFrame(
        {"tile_id": one.roads["segment_id"], "segment_id": one.roads["segment_id"], "position_m": 45.0}
    )
    n = len(one.vectors)
    found = Fingerprints(
        pd.Index(one.roads["segment_id"], name="segment_id"),
        one.vectors,
        one.vectors[:, :5],
        np.ones(n, dtype=np.int64),
        np.ones(n),
    )
    return found, tiles


def test_a_city_all_of_one_kind_has_the_number_of_that_kind(fitted):
    typology = fitted[0].typology
    new, _ = city("c", (0, 0, 30), 5)
    found, tiles = segments_of(new)
    types = assign_types(found, tiles, new.roads, typology, Clusters(), tile_m=100)
    numbers = types.segments["cluster"].dropna().unique().tolist()
    assert len(numbers) == 1
    assert types.quality["k"] == 1
    assert set(types.quality["typology"]["lacking"]) == {1, 2, 3, 4} - set(numbers)
    assert set(types.picks["cluster"]) == set(numbers)


def test_a_city_that_is_like_nothing_in_the_typology_is_refused(fitted):
    new, _ = city("c", (10, 10), 5)
    strange = CityLooks(
        "d", np.random.default_rng(1).normal(size=(20, 32)).astype(np.float32), new.roads, MADE_BY, "d"
    )
    found, tiles = segments_of(strange)
    typology = fitted[0].typology
    narrow = type(typology)(
        typology.card,
        type(typology.arrays)(**typology.arrays.by_name() | {"limits": typology.arrays.limits / 10}),
    )
    with pytest.raises(LayerError, match="not one of 20 segments looks like any type"):
        assign_types(found, tiles, strange.roads, narrow, Clusters(), tile_m=100)


def test_what_is_like_none_is_told_with_its_share(fitted):
    new, _ = city("c", (20, 20), 5)
    vectors = new.vectors.copy()
    vectors[:10] = np.random.default_rng(3).normal(size=(10, 32)) * 3
    mixed = CityLooks("c", vectors, new.roads, MADE_BY, "c")
    found, tiles = segments_of(mixed)
    types = assign_types(found, tiles, mixed.roads, fitted[0].typology, Clusters(), tile_m=100)
    missing = types.segments["cluster"].isna()
    used = types.quality["typology"]
    assert used["like_none"] == missing.sum() >= 8
    assert used["like_none_share"] == pytest.approx(missing.mean())
    assert any(
        "is like none of the typology's types" in text for text in types.quality["encoder"]["warnings"]
    )
    assert (
        types.segments.loc[missing, ["cluster_margin", "cluster_probability", "looks_like"]]
        .isna()
        .all(axis=None)
    )
    assert types.segments["cluster_baseline"].notna().all()


def blank(one, seed, count=15):
    """Let some roads of a city lie where imagery is black: all look the same, but for rounding."""
    vectors = one.vectors.copy()
    vectors[-count:] = 0.1 * (1 + np.random.default_rng(seed).uniform(-1, 1, (count, 1)) * 1e-7)
    return replace(one, vectors=vectors)


@pytest.mark.parametrize("cities", [1, 2])
def test_a_type_of_one_look_is_given_to_roads_of_that_look(cities):
    seen = [blank(city(name, (40, 30, 20), seed)[0], seed) for seed, name in enumerate("ab"[:cities])]
    typology = fit_typology(seen, Clusters(k=4, groupings=2)).typology
    for one in [*seen, blank(city("c", (20, 20, 20), 7)[0], 7)]:
        numbers = assign(typology, one.vectors).numbers
        assert len(set(numbers[-15:])) == 1
        assert (numbers == 0).mean() < 0.1
    # what is far from everything is like none all the same
    other = np.random.default_rng(9).normal(size=(20, 32)).astype(np.float32) * 3
    assert (assign(typology, other).numbers == 0).mean() > 0.8


def test_a_type_of_a_single_road_is_given_to_that_road():
    one, _ = city("a", (30, 30, 1), 1)
    found = assign(fit_typology([one], Clusters(k=3, groupings=2)).typology, one.vectors)
    assert found.numbers[-1] == 3
    few, _ = city("b", (3, 3), 1)
    found = assign(fit_typology([few], Clusters(k=6, groupings=2)).typology, few.vectors)
    assert (found.numbers != 0).all()


@pytest.mark.parametrize(
    ("again", "told"),
    [
        ({}, "there are two cities of one name"),
        ({"city": "york"}, r"there are two cities of the same fingerprints \(a\)"),
        ({"digest": "anew"}, "there are two cities of one name"),
    ],
)
def test_a_city_that_is_there_twice_is_refused(again, told):
    """It would count double, and what lies beyond its types would be measured with itself."""
    one, _ = city("a", (10, 10), 1)
    other, _ = city("b", (10, 10), 2)
    with pytest.raises(LayerError, match=told):
        fit_typology([one, other, replace(one, **again)], Clusters(k=2))


def test_a_folder_of_results_stands_for_the_cities_in_it(tmp_path):
    for name in ("york", "hull"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "latest").write_text("0123456789ab")
    (tmp_path / "runs" / "town-1").mkdir()
    file = tmp_path / "leeds.yaml"
    assert spread([file, tmp_path / "runs"]) == [file, tmp_path / "runs" / "hull", tmp_path / "runs" / "york"]
    assert spread([tmp_path / "runs" / "york"]) == [tmp_path / "runs" / "york"]


def test_cities_that_a_typology_does_not_know_are_new(fitted):
    cities = [city(name, (5, 5), 1)[0] for name in ("b", "c", "d")]
    assert not_in(fitted[0].typology, cities) == ["c", "d"]
    assert not_in(None, cities) == ["b", "c", "d"]


def test_a_typology_is_not_written_over_without_its_names(fitted, tmp_path):
    file = tmp_path / "types.safetensors"
    write_typology(file, fitted[0].typology)
    with pytest.raises(ConfigurationError, match="names and numbers would be lost"):
        read_earlier(file, None)
    told = fit_cities(
        fitted[1], file, Clusters(k=3, groupings=2), weight="city", earlier=read_earlier(file, file)
    )
    assert told["version"] == 2
    assert read_typology(tmp_path / "types-v1.safetensors").digest == fitted[0].typology.digest
    assert read_typology(file).card.earlier == fitted[0].typology.digest


@pytest.mark.parametrize(
    ("key", "value"),
    [("clusters.k", "0"), ("clusters.kk", "3"), ("tiles.tile_m", "80"), ("clusters.typology", "x")],
)
def test_settings_that_have_no_say_are_refused_by_name(key, value):
    with pytest.raises(ConfigurationError, match=key):
        settings_of({key: value})
    assert settings_of({"clusters.k": "6"}).k == 6


def test_a_typology_and_a_number_of_types_contradict_each_other():
    with pytest.raises(ValidationError, match="the typology has its own number of types"):
        Clusters(typology="types.safetensors", k=6)


def test_the_evidence_for_the_number_of_types_is_kept_as_it_was_found(fitted):
    """A city that is given the types shows why there are so many of them."""
    new, _ = city("c", (10, 10, 10, 10), 6)
    found, tiles = segments_of(new)
    choice = assign_types(found, tiles, new.roads, fitted[0].typology, Clusters(), tile_m=100).choice
    assert choice["k"].tolist() == [2, 3, 4, 5, 6]
    assert choice[list(EVIDENCE)].notna().all(axis=None)
    assert choice.loc[choice["chosen"], "k"].tolist() == [4]
