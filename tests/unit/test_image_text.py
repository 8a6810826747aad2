"""Networks of pictures and text: roads are encoded by the one tower, and asked for by the other."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics.pairwise import cosine_similarity

from geo.config import encoder_settings
from geo.errors import EncoderError
from geo.features.registry import load_encoder
from geo.search.words.prompts import PLAIN, TEMPLATES, text_fit
from tests.tiny_clip import TINY, write_tiny

open_clip = pytest.importorskip("open_clip")
NAME = "open_clip:tiny"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def theirs(folder):
    """The same network, as open_clip itself loads it and prepares pictures for it."""
    network, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    return network.eval(), prepare, open_clip.get_tokenizer(f"local-dir:{folder}")


@pytest.fixture(scope="module")
def kind(folder):
    return encoder_settings(name=NAME, weights=str(folder), device="cpu", runtime="torch", rotations=1)


def test_a_tile_is_embedded_as_open_clip_embeds_a_picture(kind, theirs):
    network, prepare, _ = theirs
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)
    encoder = load_encoder(kind, tile_m=100)
    assert (encoder.side, encoder.card.dimension) == (64, 24)
    found = encoder.encode([pixels], [np.ones((64, 64), dtype=bool)])
    with torch.inference_mode():
        picture = prepare(Image.fromarray(np.moveaxis(pixels, 0, 2)))
        expected = network.encode_image(picture[None], normalize=True).numpy()
    assert found == pytest.approx(expected, abs=1e-5)


def test_words_are_embedded_as_open_clip_embeds_them(kind, theirs):
    network, _, tokenizer = theirs
    with torch.inference_mode():
        expected = network.encode_text(tokenizer(["a roundabout with trees"]), normalize=True).numpy()
    assert kind.embed_text(["a roundabout with trees"]) == pytest.approx(expected, abs=1e-5)


def test_words_are_held_against_roads_without_what_all_words_and_all_roads_share():
    rng = np.random.default_rng(0)
    gap = 5 * np.eye(12)[0]
    meaning = {word: rng.normal(size=12) for word in ("trees", *PLAIN)}

    def embed(sentences):
        of = [next(word for word in meaning if f"{word}" in text) for text in sentences]
        assert len(sentences) == len(TEMPLATES) * (1 + len(PLAIN))
        return np.stack([gap + meaning[word] for word in of]).astype(np.float32)

    roads = -gap + rng.normal(size=(50, 12))
    roads[7] = -gap + 2 * meaning["trees"]
    unit = roads / np.linalg.norm(roads, axis=1, keepdims=True)
    fit = text_fit(" trees ", embed, unit.mean(axis=0))
    scores = fit.score(roads * 3)
    assert scores.argmax() == 7
    assert scores[7] > 0.5
    assert abs(scores.mean()) < 0.2, "in the middle of all roads no words are"
    text = np.stack([one / np.linalg.norm(one) for one in (gap + meaning[word] for word in meaning)])
    wanted = text[0] - text[1:].mean(axis=0)
    assert scores == pytest.approx(cosine_similarity(unit - unit.mean(axis=0), wanted[None])[:, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ({"name": "open_clip:ViT-B-33"}, "knows no network 'ViT-B-33'"),
        ({"name": "open_clip:ViT-B-32"}, "a network without them is random"),
        ({"name": "open_clip:ViT-B-32/mine"}, "names no weights that open_clip knows"),
        ({"name": "open_clip:ViT-B-32", "weights": "nowhere.pt"}, "no such file"),
    ],
)
def test_what_is_no_network_with_weights_is_refused(section, why):
    with pytest.raises(EncoderError, match=why):
        encoder_settings(**section).load_model()


def test_a_folder_or_file_that_is_none_of_it_is_refused(tmp_path):
    with pytest.raises(EncoderError, match=r"holds no open_clip_config\.json"):
        encoder_settings(name=NAME, weights=str(tmp_path)).load_model()
    (tmp_path / "open_clip_config.json").write_text(json.dumps(TINY))
    with pytest.raises(EncoderError, match="cannot be loaded"):
        encoder_settings(name=NAME, weights=str(tmp_path)).load_model()
    (tmp_path / "a.pt").write_bytes(b"no weights")
    with pytest.raises(EncoderError, match="cannot be loaded into the network"):
        encoder_settings(name="open_clip:ViT-B-32", weights=str(tmp_path / "a.pt")).load_model()


def test_weights_that_cannot_be_had_are_named_with_what_works_without(monkeypatch):
    def nowhere(*_, **__):
        raise OSError("no network here")

    monkeypatch.setattr("socket.getaddrinfo", nowhere)
    monkeypatch.setattr("geo.features.encoders.hub.getproxies", dict)
    with pytest.raises(EncoderError, match="could not be fetched") as raised:
        encoder_settings(name="open_clip:ViT-B-32/laion2b_s34b_b79k").load_model()
    assert "laion/CLIP-ViT-B-32-laion2B-s34B-b79K" in str(raised.value)
    with pytest.raises(EncoderError, match=r"open_clip_model\.safetensors") as raised:
        encoder_settings(name="open_clip:hf-hub:timm/ViT-B-16-SigLIP").load_model()
    assert "timm/ViT-B-16-SigLIP" in str(raised.value)
    assert "encoder.weights" in str(raised.value)
    assert "'bundled'" in str(raised.value)
