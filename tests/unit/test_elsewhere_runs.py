"""A city whose looks are embeddings that others have computed, alone or beside its imagery, through the whole chain."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
import yaml
from made_vectors import CRS, X, Y, chips, codes, write
from quick import run_stages

from geo.config import load
from geo.errors import ConfigurationError, LayerError
from geo.features.elsewhere.others import join
from tasks.ahead.forecast import forecast
from tasks.planning import make_plan
from tasks.stages.imagery import features, fingerprints
from tasks.stages.outputs.package import gather
from tasks.store.stage import account_of
from tasks.tables import EMBEDDINGS

ALONE = {"name": "raster", "product": "alphaearth", "sources": ["aef/v1/annual/2024"]}
TWO = {"name": "bands", "beside": {"product": "alphaearth", "sources": ["aef/v1/annual/2024"], "weight": 3}}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Five streets and five avenues on 400 m, with an orthophoto and vectors that lack the northernmost street."""
    folder = tmp_path_factory.mktemp("others")
    ends = [40.0, 120.0, 200.0, 280.0, 360.0]
    lines = [shapely.LineString([(X + 40, Y + e), (X + 360, Y + e)]) for e in ends]
    lines += [shapely.LineString([(X + e, Y + 40), (X + e, Y + 360)]) for e in ends]
    gpd.GeoDataFrame(
        {"highway": "residential", "name": [f"Road {i}" for i in range(10)]}, geometry=lines, crs=CRS
    ).to_file(folder / "roads.gpkg")
    values = codes()
    values[:, :7] = -128
    write(folder / "aef" / "v1" / "annual" / "2024" / "31N" / "x.tiff", values, south_up=True, nodata=-128)
    pixels = np.random.default_rng(0).integers(0, 255, (3, 400, 400)).astype(np.uint8)
    write(folder / "photo.tif", pixels, transform=rasterio.Affine(1, 0, X, 0, -1, Y + 400))
    chips().to_parquet(folder / "chips.parquet")
    return folder


def city(town, encoder, *, imagery=False, **sections):
    path = town / f"{abs(hash(json.dumps([encoder, imagery, sections])))}.yaml"
    keys = {"city": "others", "crs": "EPSG:32631", "roads": {"source": "roads.gpkg"}, "encoder": encoder}
    keys |= {"imagery": {"sources": ["photo.tif"]}} if imagery else {}
    path.write_text(yaml.safe_dump(keys | {"clusters": {"k": 2}, "tiles": {"tile_m": 60}} | sections))
    return path


@pytest.fixture(scope="module")
def alone(town):
    return run_stages(city(town, ALONE), {}, town / "alone", last="report")


@pytest.fixture(scope="module")
def joined(town):
    return run_stages(city(town, TWO, imagery=True), {}, town / "joined", last="fingerprints")


def entries(plan, stage, item):
    told = account_of(plan.stage_folder(stage)).entries
    return {(one.status, one.reason): one.count for one in told if one.item == item and one.count}


def test_types_are_those_of_the_vectors_where_no_imagery_is_read(alone):
    segments = gather(alone)["segments"].set_index("segment_id")
    middle = segments.geometry.interpolate(0.5, normalized=True)
    seen = segments[segments["cluster"].notna()]
    east = middle.x[seen.index] > X + 215
    west = middle.x[seen.index] < X + 185
    assert seen.loc[east, "cluster"].nunique() == seen.loc[west, "cluster"].nunique() == 1
    assert seen.loc[east, "cluster"].iloc[0] != seen.loc[west, "cluster"].iloc[0]
    # the northernmost street has no data, and no type
    assert segments.loc[middle.y > Y + 350, "cluster"].isna().all()


def test_fingerprints_of_others_have_length_1_and_say_what_they_are(alone):
    found = fingerprints.load_fingerprints(alone)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1, abs=1e-6)
    told = pq.read_schema(alone.stage_folder("fingerprints") / "fingerprints.parquet").metadata
    model, quantized = (json.loads(told[key]) for key in (b"emb:model", b"emb:quantization"))
    assert (model["product"], model["year"], model["version"]) == ("alphaearth", "2024", "1")
    assert quantized == {"method": "((v / 127.5) ** 2) * sign(v)", "original_dtype": "int8"}
    run = gather(alone)["run"].set_index("key")["value"]
    assert "year 2024, version 1; stored as int8, decoding: ((v / 127.5) ** 2)" in run["encoder"]
    digests = json.loads(run["encoder"])["digests"]
    assert list(digests) == ["x"]
    assert digests["x"] in run[[key for key in run.index if key.startswith("input aef")]].tolist()


def test_a_run_without_imagery_says_that_there_are_no_pictures(alone):
    assert entries(alone, "pictures", "thumbnails") == {
        ("skipped", "there is no imagery: embeddings of others are no pictures"): 1
    }
    assert not gather(alone)["clusters"]["prototype_tiles"].isna().all()
    shown = json.loads((alone.stage_folder("tiles") / "imagery.json").read_text())
    assert "no imagery is read" in shown["warnings"][0]
    assert (alone.stage_folder("report") / alone.report.name).stat().st_size > 10_000


def test_the_files_of_embeddings_are_told_as_they_are_declared(alone, joined):
    for plan in (alone, joined):
        table = gpd.read_parquet(plan.stage_folder("tiles") / "embeddings.parquet")
        EMBEDDINGS.check(table)
        assert table[["image_id", "dimension", "year", "version"]].to_numpy().tolist() == [
            ["x", 64, "2024", "1"]
        ]


def test_both_parts_have_their_weight_and_length_1(joined):
    found = fingerprints.load_fingerprints(joined)
    own, others = found.vectors[:, :21], found.vectors[:, 21:]
    assert others.shape[1] == 64
    assert np.linalg.norm(own, axis=1) == pytest.approx(np.sqrt(1 / 4), abs=1e-6)
    assert np.linalg.norm(others, axis=1) == pytest.approx(np.sqrt(3 / 4), abs=1e-6)
    # who learns from tiles sees them in the space of the roads
    (looks,) = fingerprints.load_looks_of_tiles(joined)
    assert looks[1].shape[1] == found.vectors.shape[1]
    assert set(looks[0]) == set(found.segment_ids)


def test_the_likeness_of_joined_vectors_is_the_weighted_mean_of_both():
    rng = np.random.default_rng(0)
    own, others = rng.normal(size=(2, 5)), rng.normal(size=(2, 9))

    def cosine(pair):
        return float(pair[0] @ pair[1] / np.linalg.norm(pair[0]) / np.linalg.norm(pair[1]))

    both = join(own, others, 0.5)
    assert both[0] @ both[1] == pytest.approx((cosine(own) + 0.5 * cosine(others)) / 1.5, abs=1e-6)


def test_a_road_that_lacks_one_part_has_no_vector_and_is_told(joined):
    told = entries(joined, "fingerprints", "segments")
    assert told["skipped", fingerprints.LACKING] == 4
    roads = gpd.read_parquet(joined.stage_folder("roads") / "segments.parquet")
    assert sum(told.values()) == len(roads)
    assert len(fingerprints.load_fingerprints(joined)) == told["done", ""]
    tiles = pd.read_parquet(joined.stage_folder("fingerprints") / "tiles.parquet")
    north = roads.loc[roads.geometry.bounds["miny"] > Y + 350, "segment_id"]
    assert not tiles.loc[tiles["segment_id"].isin(north), "encoded"].any()


def test_imagery_is_not_encoded_again_when_what_is_beside_it_changes(town, joined):
    plan = make_plan(city(town, TWO, imagery=True), {"encoder.beside.weight": "1"}, town / "joined")
    assert plan.keys["features"] == joined.keys["features"]
    assert plan.keys["fingerprints"] != joined.keys["fingerprints"]
    other = run_stages(
        city(town, TWO, imagery=True),
        {"encoder.beside.pool": "[mean, max]"},
        town / "joined",
        last="features",
    )
    mine, theirs = (
        {job.out.name for job in features.plan_shards(one) if not job.pooled} for one in (joined, other)
    )
    assert mine == theirs
    assert {job.out.name for job in features.plan_shards(other) if job.pooled}.isdisjoint(
        job.out.name for job in features.plan_shards(joined) if job.pooled
    )


def test_a_check_says_what_a_run_would(town, alone):
    config = load(city(town, ALONE))
    found = forecast(config, town / "check")
    assert found["forecast"]["tiles"] == len(gather(alone)["tiles"])
    assert any("no imagery is read" in one for one in found["warnings"])


def test_chips_go_through_the_chain_too(town):
    encoder = {
        "name": "raster",
        "product": "clay",
        "sources": ["chips.parquet"],
        "pool": ["mean", "deviation"],
    }
    plan = run_stages(city(town, encoder), {}, town / "chips", last="clusters")
    assert fingerprints.load_fingerprints(plan).vectors.shape[1] == 6
    assert pd.read_parquet(plan.stage_folder("clusters") / "segments.parquet")["cluster"].nunique() == 2


@pytest.mark.parametrize(
    ("encoder", "imagery", "more", "words"),
    [
        (ALONE, True, {}, "encoder raster reads no imagery"),
        (ALONE, False, {"tiles": {"mode": "dense"}}, "tiles.mode: dense maps imagery"),
        (ALONE | {"beside": TWO["beside"]}, False, {}, "raster is none"),
        (ALONE | {"product": "alphaeart"}, False, {}, "encoder.product"),
        ({"name": "raster"}, False, {}, "encoder.sources: it is missing"),
        ({"name": "bands"}, False, {}, "imagery: it is missing"),
        (
            {"name": "bundled", "keep_turns": True, "beside": TWO["beside"]},
            True,
            {},
            "keep_turns is of imagery",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_refused_in_words(town, encoder, imagery, more, words):
    with pytest.raises(ConfigurationError, match=words):
        load(city(town, encoder, imagery=imagery, **more))


def test_a_check_refuses_codes_that_were_not_decoded(town):
    path = town / "wrong" / "a.tif"
    write(path, codes().astype(np.int16))
    encoder = {"name": "raster", "product": "alphaearth", "sources": [str(path)]}
    with pytest.raises(LayerError, match="whole numbers"):
        forecast(load(city(town, encoder)), town / "check")
