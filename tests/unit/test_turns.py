"""Quarter turns kept apart: what they are, what is measured of them, and what it brings."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import timm
import torch
from pydantic import ValidationError
from rasters import NORTH, WEST, catalogue, noise, tiles_at, write_raster
from sklearn.covariance import empirical_covariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from geo.clusters.whitening.scatter import Scatter, scatter_of_looks
from geo.clusters.whitening.whiten import SHRINK, Whitening, even_out
from geo.config import CityConfig, Clusters, encoder_settings
from geo.errors import LayerError
from geo.features.embed import embed_ground, embed_parts
from geo.features.registry import load_encoder, load_mapper
from geo.features.store import read_turns, rows
from geo.imagery.cover import cover_tiles

PLAIN = {"name": "bundled", "input_px": 64, "device": "cpu", "runtime": "torch"}


@pytest.fixture
def scenes():
    pixels = list(np.random.default_rng(0).integers(0, 255, (3, 3, 64, 64), dtype=np.uint8))
    return pixels, [np.ones((64, 64), dtype=bool)] * 3


def test_turns_that_are_kept_are_those_of_turned_tiles_and_their_mean_is_the_embedding(scenes):
    pixels, valid = scenes
    keeping = load_encoder(encoder_settings(**PLAIN, keep_turns=True), tile_m=32)
    one = load_encoder(encoder_settings(**PLAIN, rotations=1), tile_m=32)
    turns = keeping.encode_turns(pixels, valid)
    for turn in range(4):
        turned = [np.ascontiguousarray(np.rot90(image, turn, (1, 2))) for image in pixels]
        np.testing.assert_allclose(turns[:, turn], one.encode(turned, valid), rtol=1e-3, atol=1e-4)
    plain = load_encoder(encoder_settings(**PLAIN), tile_m=32)
    np.testing.assert_array_equal(turns.mean(axis=1), plain.encode(pixels, valid))
    np.testing.assert_array_equal(keeping.encode(pixels, valid), plain.encode(pixels, valid))


@pytest.mark.parametrize("mode", ["tile", "dense"])
def test_embeddings_are_the_same_to_the_bit_with_turns_and_without(tmp_path, mode):
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=0)
    torch.save(network.state_dict(), tmp_path / "w.pth")
    own = {"architecture": "test_resnet", "mean": [127] * 3, "std": [60] * 3, "input_px": 64, "batch_size": 1}
    images = catalogue(write_raster(tmp_path / "a.tif", noise(200, 200))).images
    found = {}
    for keep in (False, True):
        config = CityConfig.model_validate(
            {
                "city": "x",
                "imagery": {"sources": ["a.tif"]},
                "roads": {"source": "r.gpkg"},
                "tiles": {"tile_m": 64, "mode": mode, "min_coverage": 0.9},
                "encoder": {"name": f"file:{tmp_path / 'w.pth'}", "keep_turns": keep, **own},
            }
        )
        # the last one hangs over the edge
        places = [(WEST + 100, NORTH - 100), (WEST + 60, NORTH - 130), (WEST + 190, NORTH - 100)]
        tiles = tiles_at(places, config.tiles)
        tiles = tiles.join(cover_tiles(tiles, images))
        if mode == "dense":
            mapper = load_mapper(config.encoder, config.tiles)
            parts, made = embed_ground(tiles, images, mapper, config), mapper
        else:
            made = load_encoder(config.encoder, tile_m=64)
            parts = embed_parts(tiles, images, made, config.imagery, config.tiles, batch_size=2)
        found[keep] = pa.concat_tables([rows([], made), *(part for part, _ in parts)]).sort_by("tile_id")
    assert found[False]["embedding"].null_count == 1
    assert found[True].drop_columns("turns").equals(found[False])
    pq.write_table(found[True], tmp_path / "with.parquet")
    pq.write_table(found[False], tmp_path / "without.parquet")
    assert read_turns(tmp_path / "without.parquet", 64) is None
    dimension = found[True].schema.field("embedding").type.list_size
    turns = read_turns(tmp_path / "with.parquet", dimension)
    assert turns.shape == (2, 4, dimension)
    assert turns.dtype == np.float16
    lengths = np.linalg.norm(turns.astype(float), axis=2)
    np.testing.assert_allclose(lengths, 1, atol=1e-3)
    # a tile that is square to the lattice is turned about its centre: the turns differ, and are alike
    mean = np.stack(found[True]["embedding"].drop_null().to_pylist())
    cosine = (turns.mean(axis=1) * mean).sum(1) / np.linalg.norm(turns.mean(axis=1), axis=1)
    assert (cosine / np.linalg.norm(mean, axis=1)).min() > 0.99


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"rotations": 1, "keep_turns": True}, "keep_turns needs rotations: 4"),
        ({"name": "bands", "keep_turns": True}, "bands sees no turned images"),
    ],
)
def test_turns_that_are_not_there_cannot_be_kept(keys, words):
    with pytest.raises(ValidationError, match=words):
        encoder_settings(**keys)


def test_a_city_that_whitens_by_turns_keeps_them():
    city = {"city": "x", "imagery": {"sources": ["a.tif"]}, "roads": {"source": "r.gpkg"}}
    with pytest.raises(ValidationError, match=r"set encoder\.keep_turns: true"):
        CityConfig.model_validate(city | {"clusters": {"turn_whitening": True}})
    CityConfig.model_validate(city | {"clusters": {"turn_whitening": True}, "encoder": {"keep_turns": True}})
    with pytest.raises(LayerError, match="each quarter turn was not kept"):
        even_out(np.ones((4, 8)), Clusters(turn_whitening=True), None)


def looks(n=200, turns=4, dimension=12, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(dimension, dimension))
    places = rng.normal(size=(n, 1, dimension))
    return places + 0.5 * rng.normal(size=(n, turns, dimension)) @ mixing


def test_scatter_is_the_covariance_within_places_of_discriminant_analysis():
    seen = looks()
    n, turns, dimension = seen.shape
    labels = np.repeat(np.arange(n), turns)
    flat = seen.reshape(-1, dimension)
    model = LinearDiscriminantAnalysis(solver="eigen", store_covariance=True)
    # of a class for each place, each as likely as others: the mean of their covariances
    theirs = model.fit(flat, labels).covariance_
    ours = scatter_of_looks(seen)
    np.testing.assert_allclose(ours.mean, theirs, rtol=1e-6, atol=1e-9)
    assert ours.n == n * turns


def test_scatter_of_two_parts_is_that_of_the_whole_and_is_written_and_read():
    seen = looks()
    whole, parts = scatter_of_looks(seen), scatter_of_looks(seen[:50]) + scatter_of_looks(seen[50:])
    np.testing.assert_allclose(parts.matrix, whole.matrix, rtol=1e-9)
    again = Scatter.of_frame(whole.as_frame().sample(frac=1, random_state=0))
    np.testing.assert_array_equal(again.matrix, whole.matrix)
    assert again.n == whole.n
    with pytest.raises(ValueError, match="12 numbers and of 3"):
        _ = whole + Scatter.none(3)


def test_after_whitening_turns_scatter_alike_in_all_directions():
    seen = looks()
    means = seen.mean(axis=1)
    fitted = Whitening.fit(means, scatter_of_looks(seen))
    apart = fitted.transform((seen - seen.mean(axis=1, keepdims=True)).reshape(-1, 12) + fitted.middle)
    within = empirical_covariance(apart, assume_centered=True)
    np.testing.assert_allclose(within - np.diag(np.diag(within)), 0, atol=1e-9)
    raw = np.linalg.eigvalsh(scatter_of_looks(seen).mean)
    shares = raw / raw.mean()
    # e / (e + shrink), of eigenvalues whose mean is 1
    np.testing.assert_allclose(np.sort(np.diag(within)), raw.mean() * shares / (shares + SHRINK), rtol=1e-6)


def test_without_any_scatter_distances_stay_as_they_are():
    vectors = np.random.default_rng(1).normal(size=(30, 6))
    same = Whitening.fit(vectors, Scatter.none(6)).transform(vectors)
    ours, theirs = (np.linalg.norm(x[:, None] - x[None], axis=2) for x in (same, vectors))
    np.testing.assert_allclose(ours / ours.max(), theirs / theirs.max(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_segments_and_constant_ones_are_points_all_the_same(n):
    scatter = scatter_of_looks(looks())
    constant = even_out(np.ones((n, 12), np.float32), Clusters(turn_whitening=True), scatter)
    assert constant.shape[0] == n
    assert np.isfinite(constant).all()
    some = even_out(np.random.default_rng(0).normal(size=(n, 12)), Clusters(turn_whitening=True), scatter)
    assert some.shape == (n, n - 1)


def test_scatter_of_another_encoder_is_refused():
    with pytest.raises(LayerError, match="12 numbers, and what turns change is known of 3"):
        even_out(np.ones((4, 12)), Clusters(turn_whitening=True), Scatter.none(3))
