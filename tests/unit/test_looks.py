"""What an encoder may look at besides its last layer: stages, tokens, the middle of a tile, bands of any wavelength."""

import numpy as np
import pytest
import timm
import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from torchgeo import models
from torchgeo.models import CROMA, DOFA, CopernicusFM, ScaleMAE

from geo.clusters.typology.made_by import differences, expected, made_by
from geo.config import CityConfig, Tiles, encoder_settings
from geo.errors import EncoderError
from geo.features.encoders import hub
from geo.features.encoders.bandnames import KNOWN
from geo.features.encoders.tokens import fit_side, pool_tokens
from geo.features.model import middle
from geo.features.registry import load_encoder, load_mapper
from geo.features.runtime import TorchRuntime
from geo.features.store import postprocessing

SIDE = 64
PLAIN = {"rotations": 1, "device": "cpu", "runtime": "torch"}


@pytest.fixture
def scene():
    return np.random.default_rng(0).integers(0, 255, (3, SIDE, SIDE), dtype=np.uint8)


ALL = np.ones((SIDE, SIDE), dtype=bool)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def of_file(tmp_path, architecture, model=None, **keys):
    """Settings of a small model of timm with random weights, in a file."""
    torch.manual_seed(0)
    model = model or timm.create_model(architecture, num_classes=0)
    path = tmp_path / f"{architecture}.safetensors"
    save_file(model.state_dict(), path)
    own = {"architecture": architecture, "mean": [127.0] * 3, "std": [60.0] * 3}
    return encoder_settings(name=f"file:{path}", **own, **PLAIN, **keys), model.eval()


def normalised(pixels):
    return torch.from_numpy((pixels.astype(np.float32) - 127) / 60)[None]


def test_the_last_stage_of_the_bundled_encoder_is_its_embedding(scene):
    plain = load_encoder(encoder_settings(input_px=SIDE, **PLAIN), tile_m=32)
    named = load_encoder(encoder_settings(input_px=SIDE, stages=[7], **PLAIN), tile_m=32)
    np.testing.assert_allclose(named.encode([scene], [ALL]), plain.encode([scene], [ALL]), rtol=1e-5)
    assert named.card.source.endswith(", stage 7")


def test_joined_stages_are_each_one_at_length_one_side_by_side(scene):
    alone = [
        load_encoder(encoder_settings(input_px=SIDE, stages=[n], **PLAIN), tile_m=32).encode([scene], [ALL])
        for n in (6, 7)
    ]
    both = load_encoder(encoder_settings(input_px=SIDE, stages=[6, 7], **PLAIN), tile_m=32)
    assert both.card.dimension == 192 + 320
    expected = np.concatenate([unit(one) for one in alone], axis=1)
    np.testing.assert_allclose(both.encode([scene], [ALL]), expected, rtol=1e-4, atol=1e-5)


def test_stages_of_a_model_of_timm_are_those_of_its_own_feature_extractor(tmp_path, scene):
    settings, model = of_file(tmp_path, "test_resnet", input_px=SIDE, stages=[4, 5])
    encoder = load_encoder(settings, tile_m=32)
    # another road of timm's to the same maps
    extractor = timm.create_model("test_resnet", features_only=True)
    extractor.load_state_dict(model.state_dict(), strict=False)
    with torch.inference_mode():
        maps = extractor.eval()(normalised(scene))[-2:]
    expected = np.concatenate([unit(one.mean(dim=(2, 3)).numpy()) for one in maps], axis=1)
    np.testing.assert_allclose(encoder.encode([scene], [ALL]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("stages", "what"), [([8], "asks for 8"), ([7, 9], "asks for 9")])
def test_stages_that_are_not_there_are_named(stages, what):
    with pytest.raises(EncoderError, match=f"it has stages 1 to 7, and encoder.stages {what}"):
        load_encoder(encoder_settings(stages=stages), tile_m=32)


@pytest.mark.parametrize("stages", [[], [0], [7, 6], [6, 6]])
def test_stages_are_numbers_from_one_up_each_once(stages):
    with pytest.raises(ValidationError, match="stages"):
        encoder_settings(stages=stages)


def test_a_network_that_shows_no_stages_says_so(tmp_path, monkeypatch):
    settings, model = of_file(tmp_path, "test_resnet", stages=[1])
    monkeypatch.delattr(type(model), "forward_intermediates")
    with pytest.raises(EncoderError, match="it shows no stages, one vector alone"):
        load_encoder(settings, tile_m=32)


def test_one_stage_has_a_map_and_joined_ones_have_none():
    tiles = Tiles(mode="dense", tile_m=32)
    assert load_mapper(encoder_settings(input_px=SIDE, stages=[6], **PLAIN), tiles).card.dimension == 192
    with pytest.raises(EncoderError, match=r"stages are joined(.|\n)*tiles\.mode: tile"):
        load_mapper(encoder_settings(input_px=SIDE, stages=[6, 7], **PLAIN), tiles)


def test_the_middle_of_a_tile_counts_half_as_much_as_the_whole(scene):
    side = {"input_px": SIDE, **PLAIN}
    whole = load_encoder(encoder_settings(**side), tile_m=32).encode([scene], [ALL])
    # half as wide, and half as many pixels of input
    inner = load_encoder(encoder_settings(**side | {"input_px": SIDE // 2}), tile_m=16)
    part = inner.encode([middle(scene)], [middle(ALL)])
    assert middle(scene).shape == (3, SIDE // 2, SIDE // 2)
    found = load_encoder(encoder_settings(**side, centre_crop=True), tile_m=32).encode([scene], [ALL])
    np.testing.assert_allclose(found, (whole + 0.5 * part) / 1.5, rtol=1e-3, atol=1e-4)


def test_a_middle_without_data_says_nothing(scene):
    gap = ALL.copy()
    gap[16:48, 16:48] = False
    side = {"input_px": SIDE, **PLAIN}
    found = [
        load_encoder(encoder_settings(**side, centre_crop=on), tile_m=32).encode([scene], [gap])
        for on in (False, True)
    ]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


def test_the_middle_of_tiles_is_not_asked_of_ground_mapped_once():
    with pytest.raises(
        EncoderError, match=r"centre_crop asks for the middle of single tiles(.|\n)*tiles\.mode: tile"
    ):
        load_mapper(encoder_settings(centre_crop=True), Tiles(mode="dense"))
    with pytest.raises(ValidationError, match="centre_crop"):
        encoder_settings(name="bands", centre_crop=True)


def small_dinov3():
    """A transformer with a class token and four registers, as DINOv3's, one block deep."""
    torch.manual_seed(0)
    model = timm.create_model("vit_small_patch16_dinov3", num_classes=0, depth=1, embed_dim=48, num_heads=2)
    return model.eval()


@pytest.mark.parametrize("pooling", ["class", "mean"])
def test_class_and_register_tokens_are_left_out_of_the_mean_of_patches(pooling):
    model, images = small_dinov3(), torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        tokens = model.forward_features(images)
        assert tokens.shape == (2, 1 + 4 + 16, 48)
        expected = tokens[:, 0] if pooling == "class" else tokens[:, 5:].mean(dim=1)
        pool_tokens(model, pooling, "x")
        torch.testing.assert_close(model(images), expected)


def test_blocks_of_a_transformer_are_means_of_patches_alone(tmp_path, scene):
    settings, model = of_file(tmp_path, "test_vit", input_px=160, stages=[5, 6])
    encoder = load_encoder(settings, tile_m=32)
    image = np.kron(scene[:, :32, :32], np.ones((1, 5, 5), np.uint8))
    with torch.inference_mode():
        inner = model.get_intermediate_layers(normalised(image), n=2, norm=True)
    expected = np.concatenate([unit(one.mean(dim=1).numpy()) for one in inner], axis=1)
    found = encoder.encode([image], [np.ones((160, 160), dtype=bool)])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("architecture", "pooling", "words"),
    [
        ("test_resnet", "mean", "no tokens to pool"),
        ("test_resnet", "class", "no tokens to pool"),
        # its one token before the patches is a register
        ("test_vit2", "class", "no class token"),
    ],
)
def test_tokens_that_are_not_there_cannot_be_pooled(tmp_path, architecture, pooling, words):
    settings, _ = of_file(tmp_path, architecture, pooling=pooling)
    with pytest.raises(EncoderError, match=words):
        load_encoder(settings, tile_m=32)


def test_a_stage_has_no_class_token():
    with pytest.raises(ValidationError, match="of stages the mean is taken"):
        encoder_settings(name="timm:x", stages=[1], pooling="class")


@pytest.mark.parametrize("runtime", ["torch", "auto"])
def test_a_transformer_takes_images_of_any_multiple_of_its_patches(tmp_path, runtime):
    settings, model = of_file(tmp_path, "test_vit", input_px=96)
    settings = settings.model_copy(update={"runtime": runtime})
    encoder = load_encoder(settings, tile_m=32)
    assert encoder.side == 96
    image = np.random.default_rng(1).integers(0, 255, (3, 96, 96), dtype=np.uint8)
    fit_side(model, 96, "x")
    with torch.inference_mode():
        expected = model(normalised(image)).numpy()
    np.testing.assert_allclose(encoder.encode([image], [image[0] >= 0]), expected, rtol=1e-2, atol=1e-2)


def test_an_input_that_would_lose_its_edge_is_refused_with_those_that_do_not(tmp_path):
    settings, _ = of_file(tmp_path, "test_vit", input_px=100)
    with pytest.raises(EncoderError, match=r"is 100, and its patches are 16(.|\n)*such as 96 or 112"):
        load_encoder(settings, tile_m=32)


def test_a_model_that_takes_one_side_alone_says_which_it_was_not(tmp_path):
    settings, _ = of_file(tmp_path, "test_maxvit", input_px=100)
    with pytest.raises(
        EncoderError, match=r"does not take images of 100 pixels a side(.|\n)*encoder\.input_px"
    ):
        load_encoder(settings, tile_m=32)


def test_weights_of_dinov3_that_cannot_be_had_say_where_they_belong(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(hub, "getproxies", dict)

    def refuse(*_):
        raise OSError("Name or service not known")

    monkeypatch.setattr(hub.socket, "getaddrinfo", refuse)
    name = "vit_small_patch16_dinov3.lvd1689m"
    with pytest.raises(EncoderError) as caught:
        load_encoder(encoder_settings(name=f"timm:{name}"), tile_m=100)
    assert str(tmp_path / "checkpoints" / f"{name}.safetensors") in str(caught.value)
    assert "'bundled'" in str(caught.value)


STATED = {"values": "raster", "mean": [900.0] * 4, "std": [500.0] * 4}
DOFA_MAE = "torchgeo:DOFABase16_Weights.DOFA_MAE"
FM = "torchgeo:CopernicusFM_Base_Weights.CopernicusFM_ViT"
CROMA_VIT = "torchgeo:CROMABase_Weights.CROMA_VIT"
SMALL = {
    "dofa_base_patch16_224": lambda **_: DOFA(img_size=64, embed_dim=32, depth=1, num_heads=2, num_classes=0),
    "copernicusfm_base": lambda **_: CopernicusFM(img_size=64, embed_dim=32, depth=1, num_heads=2),
    "scalemae_large_patch16": lambda **keys: ScaleMAE(
        **keys, img_size=64, patch_size=16, embed_dim=32, depth=1, num_heads=2
    ),
    "croma_base": lambda **keys: CROMA(
        **keys, encoder_dim=32, encoder_depth=2, num_heads=16, patch_size=8, image_size=64
    ),
}


@pytest.fixture
def random_weights(monkeypatch):
    """Networks of torchgeo as small ones with random weights, which nothing is fetched for."""
    made = {}

    def make(name, weights, **options):  # noqa: ARG001 - as torchgeo calls it
        torch.manual_seed(0)
        made[name] = SMALL[name](**options).eval()
        return made[name]

    monkeypatch.setattr(models, "get_model", make)
    monkeypatch.setattr(hub, "fetch_url", lambda *_: None)
    return made


def deep(bands):
    return np.random.default_rng(2).integers(0, 4000, (bands, SIDE, SIDE), dtype=np.uint16)


@pytest.mark.parametrize("runtime", ["torch", "auto"])
def test_dofa_is_told_the_wavelengths_of_bands_by_their_names(random_weights, runtime):
    names = ["red", "green", "blue", "nir"]
    plain = PLAIN | {"runtime": runtime}
    settings = encoder_settings(name=DOFA_MAE, bands=names, input_px=SIDE, **STATED, **plain)
    encoder = load_encoder(settings, tile_m=640, bands=[1, 2, 3, 4])
    assert encoder.card.bands == tuple(names)
    assert encoder.card.own_values
    pixels = deep(4)
    (model,) = random_weights.values()
    images = torch.from_numpy((pixels.astype(np.float32) - 900) / 500)[None]
    with torch.inference_mode():
        # micrometres of Sentinel-2's B4, B3, B2 and B8
        expected = model.forward_features(images, [0.665, 0.56, 0.49, 0.842]).numpy()
    found = encoder.encode([pixels], [ALL])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    by_hand = settings.model_copy(update={"bands": None, "wavelengths": (665.0, 560.0, 490.0, 842.0)})
    same = load_encoder(by_hand, tile_m=640, bands=[1, 2, 3, 4])
    np.testing.assert_allclose(same.encode([pixels], [ALL]), found, rtol=1e-6)
    other = settings.model_copy(update={"bands": None, "wavelengths": (665.0, 560.0, 490.0, 1610.0)})
    changed = load_encoder(other, tile_m=640, bands=[1, 2, 3, 4]).encode([pixels], [ALL])
    assert np.abs(changed - found).max() > 1e-3


def test_copernicus_fm_is_told_how_much_each_band_sees(random_weights):
    settings = encoder_settings(
        name=FM, bands=["blue", "green", "red", "nir"], input_px=SIDE, **STATED, **PLAIN
    )
    encoder = load_encoder(settings, tile_m=640, bands=[1, 2, 3, 4])
    pixels = deep(4)
    (model,) = random_weights.values()
    images = torch.from_numpy((pixels.astype(np.float32) - 900) / 500)[None]
    with torch.inference_mode():
        # the wavelengths and bandwidths of Sentinel-2 in the docstring of torchgeo's model
        told = {"wavelengths": [490, 560, 665, 842], "bandwidths": [65, 35, 30, 115]}
        expected = model(images, torch.full((1, 4), torch.nan), **told).numpy()
    np.testing.assert_allclose(encoder.encode([pixels], [ALL]), expected, rtol=1e-4, atol=1e-5)
    bare = settings.model_copy(update={"bands": None, "wavelengths": (490.0, 560.0, 665.0, 842.0)})
    with pytest.raises(EncoderError, match=r"how much each band sees(.|\n)*encoder\.bandwidths"):
        load_encoder(bare, tile_m=640, bands=[1, 2, 3, 4])


def test_croma_takes_the_twelve_bands_of_sentinel_2(random_weights):
    stated = {"values": "raster", "mean": [900.0] * 12, "std": [500.0] * 12}
    settings = encoder_settings(name=CROMA_VIT, input_px=SIDE, **stated, **PLAIN)
    encoder = load_encoder(settings, tile_m=640, bands=range(1, 13))
    assert encoder.card.bands[-1] == "sentinel2:B12"
    assert encoder.encode([deep(12)], [ALL]).shape == (1, 32)
    with pytest.raises(EncoderError, match="needs 12 bands"):
        load_encoder(settings, tile_m=640, bands=[1, 2, 3])
    assert list(random_weights) == ["croma_base"] * 1


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"bands": ["red", "B5"], "values": None}, "no wavelength is known of B5"),
        ({"bands": ["red"], "wavelengths": [665], "values": None}, "bands or wavelengths, not both"),
        ({"bands": ["red"], "values": "8bit"}, "mean and std are missing"),
        (
            {"wavelengths": [665, 560], "values": "8bit", "mean": [1.0], "std": [1.0]},
            "wavelengths 2, mean 1, std 1",
        ),
        ({"bandwidths": [30]}, "bandwidths go with wavelengths"),
        ({"wavelengths": [-1]}, "greater than 0"),
    ],
)
def test_bands_that_are_not_told_apart_are_refused(keys, words):
    with pytest.raises(ValidationError, match=words):
        encoder_settings(name=DOFA_MAE, **keys)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"name": DOFA_MAE, **STATED}, "must be told their wavelengths"),
        (
            {"name": DOFA_MAE, "bands": ["red", "green", "blue", "nir"]},
            "no normalisation(.|\n)*encoder.values, mean",
        ),
        ({"name": "torchgeo:ResNet18_Weights.SENTINEL2_RGB_MOCO", "bands": ["red"]}, "its bands are known"),
        (
            {
                "name": "torchgeo:ResNet18_Weights.SENTINEL2_RGB_MOCO",
                "values": "8bit",
                "mean": [1.0] * 3,
                "std": [1.0] * 3,
            },
            "its weights state how imagery is normalised",
        ),
    ],
)
def test_what_a_network_of_torchgeo_needs_or_does_not_is_said_before_it_is_fetched(keys, words, monkeypatch):
    monkeypatch.setattr(hub, "fetch_url", lambda *_: pytest.fail("nothing is fetched"))
    settings = encoder_settings(**keys)
    bands = range(1, 1 + len(settings.look_up_bands())) if "no normalisation" in words else [1, 2, 3]
    if "told" in words or "known" in words:
        bands = [1, 2, 3, 4]
    with pytest.raises(EncoderError, match=words):
        load_encoder(settings, tile_m=640, bands=bands)


def test_scale_mae_is_told_how_much_ground_a_pixel_shows(random_weights, scene):
    name = "torchgeo:ScaleMAELarge16_Weights.FMOW_RGB"
    settings = encoder_settings(name=name, input_px=SIDE, **PLAIN)
    found = load_encoder(settings, tile_m=32).encode([scene], [ALL])
    (model,) = random_weights.values()
    mean, std = (torch.tensor(one)[:, None, None] for one in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    images = (torch.from_numpy(scene / np.float32(255)) - mean) / std
    model.res = 0.5
    with torch.inference_mode():
        expected = model(images[None]).numpy()
        model.res = 1.0
        other = model(images[None]).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    assert np.abs(found - other).max() > 1e-3
    with pytest.raises(EncoderError, match="one resolution"):
        load_encoder(settings.model_copy(update={"centre_crop": True}), tile_m=32)


def test_a_name_without_its_sensor_means_nothing():
    assert KNOWN["sentinel2:B5"] == (705, 15)
    assert KNOWN["landsat8:B5"] == (865, 28)
    assert "B5" not in KNOWN


class OfThree(torch.nn.Module):
    """A convolution of three dimensions, as Panopticon's, whose weights have five."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Conv3d(1, 4, (1, 16, 16), (1, 16, 16))

    def forward(self, images):
        return self.inner(images.float()[:, None]).mean(dim=(2, 3, 4))


def test_networks_with_convolutions_of_three_dimensions_run():
    runtime = TorchRuntime(OfThree(), torch.device("cpu"))
    images = np.zeros((2, 3, 32, 32), dtype=np.uint8)
    assert runtime.embed(images).shape == (2, 4)


def test_embeddings_with_the_middle_are_not_those_without_and_turns_beside_them_change_nothing():
    city = {"city": "x", "imagery": {"sources": ["a.tif"]}, "roads": {"source": "r.gpkg"}}
    plain, centred = (
        CityConfig.model_validate(city | {"encoder": {"centre_crop": on}}) for on in (False, True)
    )
    # what is written with embeddings, and what is known of them before they are made
    told = {b"emb:postprocessing": postprocessing(centred.encoder).encode(), b"emb:turns": b"4 quarter turns"}
    assert differences({"emb:postprocessing": expected(centred)["emb:postprocessing"]}, made_by(told)) == []
    assert differences({"emb:postprocessing": expected(plain)["emb:postprocessing"]}, made_by(told))


def test_which_tokens_were_pooled_stands_in_the_source(tmp_path):
    found = {
        pooling: load_encoder(of_file(tmp_path, "test_vit", pooling=pooling)[0], tile_m=32).card.source
        for pooling in ("model", "class", "mean")
    }
    assert len(set(found.values())) == 3
    assert found["mean"] == f"{found['model']}, mean of patches"
