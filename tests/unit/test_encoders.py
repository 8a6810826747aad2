"""Encoders: the contract, the bundled default, and what is said when weights cannot be had."""

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import rasterio
import timm
import torch
from once import TOP
from pydantic import TypeAdapter, ValidationError
from rasterio.windows import Window
from safetensors.torch import save_file
from torch.nn.functional import interpolate

from geo.config import encoder_settings
from geo.config.kinds import one_of
from geo.errors import ConfigurationError, EncoderError
from geo.features import registry
from geo.features import runtime as runtime_module
from geo.features.bands import BandStatistics
from geo.features.encoder import EncoderCard, limiting_pixel
from geo.features.encoders import bundled, hub, last_stage
from geo.features.encoders.kind import EncoderKind
from geo.features.registry import KINDS, load_encoder
from geo.features.runtime import choose_runtime

SIDE = 64


def card(**changes):
    plain = {
        "name": "x",
        "dimension": 2,
        "input_px": None,
        "pixel_m": None,
        "bands": ("red", "green", "blue"),
        "value_range": (0.0, 1.0),
        "mean": (0.5, 0.5, 0.5),
        "std": (0.2, 0.2, 0.2),
        "licence": "",
        "source": "",
    }
    return EncoderCard(**plain | changes)


@pytest.fixture
def scene():
    """Two quarters of an image that differ, so that a turn changes it."""
    pixels = np.random.default_rng(0).integers(0, 255, (3, SIDE, SIDE), dtype=np.uint8)
    pixels[:, : SIDE // 2] //= 4
    return pixels, np.ones((SIDE, SIDE), dtype=bool)


@pytest.fixture
def no_internet(tmp_path, monkeypatch):
    """No weights on this machine, and no name that can be looked up."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(hub, "getproxies", dict)

    def refuse(*_):
        raise OSError("Name or service not known")

    monkeypatch.setattr(hub.socket, "getaddrinfo", refuse)
    return tmp_path / "checkpoints"


@pytest.mark.parametrize(
    "change",
    [{"mean": ()}, {"std": ()}, {"std": (1.0, 1.0)}, {"std": (1, 0, 1)}, {"mean": (0, float("nan"), 0)}],
)
def test_no_encoder_runs_without_normalisation(change):
    with pytest.raises(EncoderError, match="normalisation"):
        card(**change)


def test_the_input_shows_half_a_metre_a_pixel_unless_the_encoder_or_the_user_says_otherwise():
    assert card().input_side(100) == 192
    assert card(input_px=224).input_side(100) == 224
    assert card(input_px=224).input_side(100, asked_px=128) == 128
    assert card(pixel_m=10.0).input_side(2240) == 224


def test_pixels_of_coarse_imagery_are_tripled_at_most():
    # 64 pixels of 4 m
    assert card().input_side(256, pixel_m=4) == 192
    assert card().input_side(640, pixel_m=10) == 192
    assert card().input_side(256, pixel_m=4, asked_px=512) == 512
    # of 1 m, and finer, half a metre is seen as ever
    assert limiting_pixel(1.0, None) is limiting_pixel(0.1, None) is None
    assert card().input_side(100, pixel_m=1) == card().input_side(100) == 192
    # what is brought to finer pixels shows no more, to coarser ones less
    assert limiting_pixel(4.0, 0.5) == 4.0
    assert limiting_pixel(0.1, 2.0) == 2.0


def test_the_bundled_encoder_gives_the_same_for_a_tile_turned_by_a_quarter(scene):
    pixels, valid = scene
    encoder = load_encoder(encoder_settings(input_px=SIDE), tile_m=32)
    once, turned = encoder.encode([pixels, np.rot90(pixels, axes=(1, 2))], [valid, valid])
    assert once.shape == (320,)
    np.testing.assert_allclose(once, turned, rtol=1e-3, atol=1e-4)


def test_one_rotation_alone_does_not(scene):
    pixels, valid = scene
    encoder = load_encoder(encoder_settings(input_px=SIDE, rotations=1), tile_m=32)
    once, turned = encoder.encode([pixels, np.rot90(pixels, axes=(1, 2))], [valid, valid])
    assert np.abs(once - turned).max() > 0.05


def test_a_tile_is_encoded_alike_alone_and_in_a_batch_of_other_sizes(scene):
    pixels, valid = scene
    encoder = load_encoder(encoder_settings(input_px=SIDE, batch_size=2), tile_m=32)
    large = np.zeros((3, 100, 90), dtype=np.uint8)
    together = encoder.encode([large, pixels, large], [np.ones((100, 90), dtype=bool), valid, large[0] == 0])
    np.testing.assert_allclose(encoder.encode([pixels], [valid])[0], together[1], rtol=1e-3, atol=1e-4)


def test_pixels_without_data_do_not_speak(scene):
    pixels, valid = scene
    valid = valid.copy()
    valid[:, 40:] = False
    noise = pixels.copy()
    noise[:, :, 40:] = 255 - noise[:, :, 40:]
    encoder = load_encoder(encoder_settings(input_px=SIDE), tile_m=32)
    first, second = encoder.encode([pixels, noise], [valid, valid])
    np.testing.assert_array_equal(first, second)


def test_the_bundled_model_is_the_one_that_was_trained():
    """With its head on, the model knows a picture whose class is beyond doubt: a plain traffic-light red disc."""
    model = timm.create_model(last_stage.ARCHITECTURE, pretrained=False)
    theirs = torch.load(bundled.weights_path(), weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), theirs.values(), strict=True)))
    rows, columns = np.mgrid[0:224, 0:224]
    image = np.full((3, 224, 224), 40.0, dtype=np.float32)
    for row, colour in ((60, (230, 30, 20)), (112, (90, 70, 20)), (164, (20, 60, 40))):
        disc = (rows - row) ** 2 + (columns - 112) ** 2 < 20**2
        image[:, disc] = np.array(colour, dtype=np.float32)[:, None]
    with torch.inference_mode():
        scores = model.eval()(torch.from_numpy((image[None] - 127) / 128))[0]
        stage = last_stage.LastStage(bundled.weights_path()).eval()(
            torch.from_numpy((image[None] - 127) / 128)
        )[0]
    traffic_light = 920  # of ImageNet's 1,000 classes
    assert int(scores.argmax()) == traffic_light
    assert stage.shape == (bundled.CARD.dimension,)


def test_band_statistics_are_those_of_the_valid_pixels():
    pixels = np.zeros((3, 2, 4), dtype=np.uint8)
    pixels[0] = [[10, 20, 30, 40], [255, 255, 255, 255]]
    valid = np.array([[True] * 4, [False] * 4])
    red = BandStatistics().encode([pixels], [valid])[0, :7] * 255
    np.testing.assert_allclose(
        red, [25, np.std([10, 20, 30, 40]), *np.percentile([10, 20, 30, 40], [5, 25, 50, 75, 95])]
    )


def test_band_statistics_of_a_tile_without_data_are_zero():
    nothing = BandStatistics().encode([np.ones((3, 4, 4), dtype=np.uint8)], [np.zeros((4, 4), dtype=bool)])
    assert not nothing.any()


@pytest.mark.parametrize("name", ["resnet", "TIMM:resnet18", ""])
def test_a_name_that_no_provider_knows_lists_the_providers(name):
    with pytest.raises(ValidationError, match="one of bundled, bands, torchgeo:NAME"):
        encoder_settings(name=name)


@pytest.mark.parametrize("name", ["bundled:large", "timm:", "bands:3"])
def test_a_name_that_its_provider_cannot_take_is_refused(name):
    with pytest.raises(ValidationError, match="name"):
        encoder_settings(name=name)


def test_every_kind_of_encoder_is_found_by_its_name():
    wanted = {
        "file": {"architecture": "x", "mean": [1.0], "std": [1.0]},
        "raster": {"product": "clay", "sources": ["chips.parquet"]},
    }
    for kind in KINDS:
        settings = encoder_settings(name=kind.form, **wanted.get(kind.tag, {}))
        assert type(settings) is kind
        assert encoder_settings(**settings.model_dump()) == settings


def test_a_kind_that_is_added_to_the_registry_is_chosen_by_its_name_and_loads_itself(monkeypatch):
    class Grey(EncoderKind):
        """Statistics of one grey band."""

        tag: ClassVar[str] = "grey"
        form: ClassVar[str] = "grey:NAME"
        name: str
        gamma: float = 1.0

        def load(self, **_):
            return BandStatistics((self.name,))

        def load_mapper(self, *_, **__):
            raise NotImplementedError

    monkeypatch.setattr(registry, "KINDS", (*KINDS, Grey))
    one = TypeAdapter(one_of("geo.features.registry", key="name"))
    settings = one.validate_python({"name": "grey:panchromatic", "gamma": 2})
    assert load_encoder(settings, tile_m=100, bands=[1]).card.bands == ("grey:panchromatic",)
    with pytest.raises(ValidationError, match="gamma"):
        one.validate_python({"name": "bands", "gamma": 2})


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("timm:resnet18.a1_in1k", "resnet18.a1_in1k.safetensors"),
        ("torchvision:resnet18", "resnet18-f37072fd.pth"),
        ("torchgeo:ResNet50_Weights.SENTINEL2_RGB_MOCO", "resnet50_sentinel2_rgb_moco-2b57ba8b.pth"),
        ("torchgeo:Swin_V2_B_Weights.NAIP_RGB_MI_SATLAS", "aerial_swinb_mi-326d69e1.pth"),
    ],
)
def test_weights_that_cannot_be_had_say_which_file_belongs_where_and_what_works_without(
    name, file, no_internet
):
    with pytest.raises(EncoderError) as caught:
        load_encoder(encoder_settings(name=name), tile_m=100)
    assert str(no_internet / file) in str(caught.value)
    assert "'bundled'" in str(caught.value)


def test_a_timm_model_is_taken_from_its_file_on_this_machine(no_internet):
    no_internet.mkdir()
    model = timm.create_model("resnet18", pretrained=False)
    save_file(model.state_dict(), no_internet / "resnet18.a1_in1k.safetensors")
    encoder = load_encoder(encoder_settings(name="timm:resnet18.a1_in1k"), tile_m=100)
    assert encoder.card.dimension == 512
    assert encoder.card.mean == (0.485, 0.456, 0.406)


@pytest.mark.parametrize(
    ("name", "file", "make", "white"),
    [
        ("torchvision:resnet18", "resnet18-f37072fd.pth", "torchvision", 1.0),
        (
            "torchgeo:ResNet18_Weights.SENTINEL2_RGB_MOCO",
            "resnet18_sentinel2_rgb_moco-e3a335e3.pth",
            "timm",
            3558.0,
        ),
        ("torchgeo:ResNet50_Weights.FMOW_RGB_GASSL", None, "timm", 255.0),
    ],
)
def test_weights_in_torchs_cache_are_loaded(name, file, make, white, no_internet):
    from torchgeo.models import get_weight
    from torchvision.models import resnet18

    no_internet.mkdir()
    short = name.partition(":")[2]
    if name.startswith("torchgeo"):
        file = get_weight(short).url.rsplit("/", maxsplit=1)[-1]
    model = (
        resnet18() if make == "torchvision" else timm.create_model(short.split("_")[0].lower(), num_classes=0)
    )
    torch.save(model.state_dict(), no_internet / file)
    encoder = load_encoder(encoder_settings(name=name, input_px=SIDE, rotations=1), tile_m=100)
    assert encoder.card.value_range == (0.0, white)
    grey = np.full((3, SIDE, SIDE), 90, dtype=np.uint8)
    assert encoder.encode([grey], [grey[0] > 0]).shape == (1, encoder.card.dimension)


def test_normalisations_in_a_row_are_folded_into_one():
    from torchvision.transforms.v2 import Normalize

    chain = torch.nn.Sequential(
        Normalize([3, 2, 0], [85, 101, 129]), Normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4])
    )
    mean, std = hub.compose_normalisation(chain, "x")
    image = torch.rand(3, 4, 4) * 255
    folded = (image - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    torch.testing.assert_close(chain(image), folded, rtol=1e-4, atol=1e-4)


def test_weights_without_a_stated_normalisation_are_refused():
    with pytest.raises(EncoderError, match="no normalisation"):
        hub.compose_normalisation(torch.nn.Sequential(torch.nn.Identity()), "x")


def in_cache(name, folder, bands):
    """Put random weights of a torchgeo name where torch keeps fetched ones."""
    from torchgeo.models import get_weight

    folder.mkdir()
    model = timm.create_model("resnet18", num_classes=0, in_chans=bands)
    torch.save(model.state_dict(), folder / get_weight(name).url.rsplit("/", maxsplit=1)[-1])
    return model


def test_weights_of_thirteen_bands_say_so_where_imagery_gives_three(no_internet):
    name = "ResNet18_Weights.SENTINEL2_ALL_MOCO"
    in_cache(name, no_internet, 13)
    with pytest.raises(EncoderError) as caught:
        load_encoder(encoder_settings(name=f"torchgeo:{name}"), tile_m=100)
    assert "needs 13 bands (B1, B2, B3, B4, B5, B6, B7, B8, B8a, B9, B10, B11, B12)" in str(caught.value)
    assert "imagery.bands gives 3 bands (1, 2, 3)" in str(caught.value)


def test_weights_of_thirteen_bands_see_the_rasters_own_values(no_internet):
    name = "ResNet18_Weights.SENTINEL2_ALL_MOCO"
    model = in_cache(name, no_internet, 13)
    settings = encoder_settings(
        name=f"torchgeo:{name}", input_px=SIDE, rotations=1, runtime="torch", device="cpu"
    )
    encoder = load_encoder(settings, tile_m=100, bands=range(1, 14))
    assert encoder.card.own_values
    numbers = np.random.default_rng(0).integers(0, 6000, (13, SIDE, SIDE), dtype=np.uint16)
    with torch.inference_mode():
        # the model divides reflectance x 10,000 by 10,000
        expected = model.eval()(torch.from_numpy(numbers[None] / np.float32(10_000)))
    found = encoder.encode([numbers], [np.ones((SIDE, SIDE), dtype=bool)])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_digital_numbers_are_not_sought_in_imagery_of_8_bit(no_internet):
    name = "ResNet18_Weights.SENTINEL2_ALL_MOCO"
    in_cache(name, no_internet, 13)
    its = load_encoder(encoder_settings(name=f"torchgeo:{name}"), tile_m=100, bands=range(1, 14)).card
    its.check_imagery(range(1, 14), ["uint16"])
    with pytest.raises(EncoderError, match="10000 in training, and the rasters are 8 bit"):
        its.check_imagery(range(1, 14), ["uint8"])


def test_the_default_encoder_says_that_four_bands_are_one_too_many():
    with pytest.raises(EncoderError, match=r"needs 3 bands \(red, green, blue\), and imagery.bands gives 4"):
        load_encoder(encoder_settings(), tile_m=100, bands=[1, 2, 3, 4])


FOUR = {
    "architecture": "test_resnet",
    "mean": [90.0, 100.0, 80.0, 120.0],
    "std": [50.0, 45.0, 40.0, 60.0],
    "input_px": SIDE,
    "rotations": 1,
}


@pytest.fixture(scope="module")
def four_bands(tmp_path_factory):
    """A small model of red, green, blue and near-infrared, and the file of its weights."""
    torch.manual_seed(0)
    model = timm.create_model("test_resnet", num_classes=0, in_chans=4).eval()
    path = tmp_path_factory.mktemp("weights") / "rgbn.safetensors"
    save_file(model.state_dict(), path)
    return model, f"file:{path}"


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
@pytest.mark.parametrize(
    ("values", "dtype", "factor"),
    [("8bit", "uint8", 1), ("raster", "uint16", 40), ("raster", "float32", 1e-3)],
)
def test_a_model_of_four_bands_sees_them_normalised_as_it_says(four_bands, runtime, values, dtype, factor):
    model, name = four_bands
    scaled = {key: [factor * value for value in FOUR[key]] for key in ("mean", "std")}
    settings = encoder_settings(name=name, **FOUR | scaled, values=values, runtime=runtime, device="cpu")
    encoder = load_encoder(settings, tile_m=32, bands=[1, 2, 3, 4])
    assert encoder.card.bands == ("red", "green", "blue", "nir")
    rng = np.random.default_rng(1)
    pixels = (rng.integers(0, 255, (4, SIDE, SIDE)) * factor).astype(dtype)
    # what a hole holds does not speak, not even where it is no number
    valid = np.ones((SIDE, SIDE), dtype=bool)
    valid[:9, :9] = False
    pixels[:, :9, :9] = np.nan if dtype == "float32" else 7
    mean, std = (np.array(scaled[key])[:, None, None] for key in ("mean", "std"))
    # 8-bit values of a hole are the mean rounded to a whole one
    filled = np.where(valid, pixels.astype(float), np.rint(mean) if values == "8bit" else mean)
    with torch.inference_mode():
        expected = model(torch.from_numpy(((filled - mean) / std).astype(np.float32)[None])).numpy()
    found = encoder.encode([pixels], [valid])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-3)
    darker = pixels.copy()
    darker[3] //= 2
    assert np.abs(encoder.encode([darker], [valid]) - found).max() > 0.01


def test_a_file_may_name_its_bands(four_bands):
    settings = encoder_settings(name=four_bands[1], **FOUR, bands=["nir", "red", "green", "blue"])
    assert load_encoder(settings, tile_m=32, bands=[4, 1, 2, 3]).card.bands[0] == "nir"
    with pytest.raises(ValidationError, match="mean has 3 figures for the bands a, b, c, d"):
        encoder_settings(name=four_bands[1], **FOUR | {"mean": [1.0] * 3}, bands=["a", "b", "c", "d"])


def test_band_statistics_are_of_as_many_bands_as_there_are():
    pixels = np.random.default_rng(0).integers(0, 255, (5, 6, 6), dtype=np.uint8)
    valid = np.ones((6, 6), dtype=bool)
    encoder = load_encoder(encoder_settings(name="bands"), tile_m=100, bands=[1, 2, 3, 4, 7])
    found = encoder.encode([pixels], [valid]).reshape(5, 7)
    np.testing.assert_allclose(found[:, 0] * 255, pixels.mean(axis=(1, 2)), rtol=1e-5)
    assert encoder.card.bands[-1] == "band 7"


LOCAL = {"architecture": "resnet18", "mean": [127.0] * 3, "std": [60.0] * 3}


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_a_local_file_is_loaded_into_the_architecture_that_is_named(tmp_path, ending):
    path = tmp_path / f"mine.{ending}"
    state = timm.create_model("resnet18", num_classes=0).state_dict()
    (save_file if ending == "safetensors" else torch.save)(state, path)
    encoder = load_encoder(encoder_settings(name=f"file:{path}", **LOCAL), tile_m=100)
    assert encoder.card.dimension == 512


@pytest.mark.parametrize("left_out", ["architecture", "mean", "std"])
def test_a_local_file_needs_its_architecture_and_normalisation(tmp_path, left_out):
    with pytest.raises(ValidationError, match=rf"{left_out}\n +Field required"):
        encoder_settings(
            name=f"file:{tmp_path / 'x.pth'}", **{k: v for k, v in LOCAL.items() if k != left_out}
        )


def test_a_file_with_code_in_it_is_not_run(tmp_path):
    path = tmp_path / "evil.pth"
    trace = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (Path.touch, (trace,))

    torch.save({"fc.weight": Evil()}, path)
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_encoder(encoder_settings(name=f"file:{path}", **LOCAL), tile_m=100)
    assert not trace.exists()


def test_a_file_that_fills_half_a_model_is_refused(tmp_path):
    state = timm.create_model("resnet18", num_classes=0).state_dict()
    del state["layer4.1.conv2.weight"]
    save_file(state, tmp_path / "half.safetensors")
    with pytest.raises(EncoderError, match=r"layer4\.1\.conv2\.weight"):
        load_encoder(encoder_settings(name=f"file:{tmp_path / 'half.safetensors'}", **LOCAL), tile_m=100)


@pytest.mark.skipif(
    torch.cuda.is_available(), reason="this machine has the device that the test asks for in vain"
)
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match="cuda"):
        load_encoder(encoder_settings(device="cuda"), tile_m=100)


@pytest.fixture(scope="module")
def real_tiles(town):
    """Tiles of the demo town, one of each form."""
    tiles = []
    for file in sorted((town.folder / "imagery").glob("*.tif"))[:6]:
        with rasterio.open(file) as raster:
            tiles += [raster.read(window=Window(at, at, 200, 200)) for at in (200, 500)]
    return tiles, [np.ones((200, 200), dtype=bool)] * len(tiles)


def cosine(first, second):
    return (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)


def test_the_runtime_of_a_processor_agrees_with_torch_on_tiles(real_tiles):
    fast, plain = (
        load_encoder(encoder_settings(runtime=name, device="cpu"), tile_m=100) for name in ("auto", "torch")
    )
    assert fast.runtime.startswith("openvino")
    assert plain.runtime.startswith("torch")
    assert "float32" in fast.runtime
    assert "float32" in plain.runtime
    assert cosine(fast.encode(*real_tiles), plain.encode(*real_tiles)).min() > 0.9999


def test_resizing_bytes_agrees_with_resizing_numbers(real_tiles):
    """Tiles are resized as bytes, as in the training of such models; rounding to whole levels changes little."""
    encoder = load_encoder(encoder_settings(rotations=1), tile_m=100)
    module, its = bundled.Bundled().load_model()
    tiles = torch.from_numpy(np.stack(real_tiles[0])).float()
    numbers = (tiles - torch.tensor(its.mean).reshape(1, 3, 1, 1)) / torch.tensor(its.std).reshape(1, 3, 1, 1)
    with torch.inference_mode():
        small = interpolate(numbers, size=(encoder.side,) * 2, mode="bilinear", antialias=True)
        expected = module.eval()(small).numpy()
    assert cosine(encoder.encode(*real_tiles), expected).min() > 0.999


TRIAL = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16), dtype=np.uint8)


class Squares(torch.nn.Module):
    """Two figures of an image."""

    def forward(self, images):
        x = images.float()
        return torch.stack([x.mean((1, 2, 3)), x.square().mean((1, 2, 3)).sqrt()], dim=1)


def test_a_runtime_embeds_any_number_of_images_in_their_order():
    runtime = choose_runtime(Squares(), TRIAL, encoder_settings(device="cpu"))
    images = np.random.default_rng(0).integers(0, 255, (11, 3, 16, 16), dtype=np.uint8)
    expected = np.stack([images.mean((1, 2, 3)), np.sqrt(np.square(images.astype(float)).mean((1, 2, 3)))], 1)
    np.testing.assert_allclose(runtime.embed(images), expected, rtol=1e-4)
    np.testing.assert_array_equal(runtime.embed(images[4:5])[0], runtime.embed(images)[4])


def test_a_runtime_that_disagrees_is_not_used(monkeypatch):
    monkeypatch.setattr(
        runtime_module.OpenVinoRuntime, "embed", lambda _, images: np.eye(2, dtype=np.float32)[: len(images)]
    )
    runtime = choose_runtime(Squares(), TRIAL, encoder_settings(device="cpu"))
    assert runtime.name.startswith("torch")
    assert "agree with torch's to a cosine of" in runtime.name
    with pytest.raises(EncoderError, match="OpenVINO cannot execute it"):
        choose_runtime(Squares(), TRIAL, encoder_settings(device="cpu", runtime="openvino"))


def test_without_openvino_torch_runs_and_says_why(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert "since OpenVINO cannot" in choose_runtime(Squares(), TRIAL, encoder_settings(device="cpu")).name


def test_openvino_tells_nobody_that_it_is_used(tmp_path):
    """Its makers are told when it is imported, by a thread that outlasts the import and a folder in the user's home."""
    use = (
        "import sys, threading; import numpy as np, torch; from geo.features.runtime import OpenVinoRuntime\n"
        "model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2))\n"
        "OpenVinoRuntime(model, np.zeros((1, 3, 2, 2), np.float32)).embed(np.ones((1, 3, 2, 2), np.float32))\n"
        "print('openvino' in sys.modules, 'openvino_telemetry' in sys.modules, threading.active_count())"
    )
    at_home = os.environ | {"HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", use], cwd=TOP, env=at_home, check=True, capture_output=True, text=True
    )
    assert told.stdout == "True False 1\n"
    assert list(tmp_path.iterdir()) == []
