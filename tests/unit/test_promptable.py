"""Promptable networks from local weights: what is loaded is what was published, and what cannot be is told."""

from __future__ import annotations

import os
import pickle
import re
import zlib
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import Sam2Config, Sam2Model, SamConfig, SamModel

from geo.errors import ConfigurationError, EncoderError
from geo.ground.prompted.network import network as door
from geo.ground.prompted.network.building import OtherModelError, build
from geo.ground.prompted.network.mobile import TinyEncoder
from geo.ground.prompted.network.naming import family_of, rename, unused
from geo.ground.prompted.network.network import MEAN, STRIDE, load_network
from geo.ground.prompted.network.published import PUBLISHED

# names and shapes of tensors as segment-anything (a small network), MobileSAM and sam2 (tiny) name and shape them
TENSORS = Path(__file__).parent / "published_tensors.txt"
PICTURE = np.stack(
    [
        np.broadcast_to(np.arange(256), (256, 256)),
        (np.arange(256) + 2 * np.arange(256)[:, None]) % 256,
        (np.arange(256) * np.arange(256)[:, None]) // 256,
    ]
).astype(np.uint8)
SHOWN = np.ones((256, 256), dtype=bool)
POINTS = np.array([[[30, 40], [100, 50], [200, 128]], [[250, 10], [17, 255], [128, 70]]], dtype=np.float64)
LABELS = np.array([[1, 1, 0], [1, 0, 0]])


def published(family: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of one network."""
    part = TENSORS.read_text().split(f"[{family}]\n")[1].split("\n[")[0]
    found = {}
    for line in part.strip("\n").splitlines():
        stem, *tails = line.split(" ")
        numbers = re.search(r"\{(.*?)\}", stem)
        stems = [stem.replace(numbers[0], one) for one in numbers[1].split(",")] if numbers else [stem]
        for head, tail in product(stems, tails):
            names, _, shape = tail.partition(":")
            size = tuple(map(int, shape.split("x"))) if shape != "-" else ()
            found.update({f"{head}.{name}".lstrip("."): size for name in names.split(",")})
    return found


def formula(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Weights by formula, the same wherever they are made."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = rng.standard_normal(shape)
    if name.endswith("running_var"):
        values = 0.5 + rng.random(shape)
    elif len(shape) <= 1:
        values = 0.2 * values + name.endswith("weight")
    elif "gaussian" not in name:
        values = values / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def small() -> dict[str, torch.Tensor]:
    return {name: formula(name, shape) for name, shape in published("sam").items()}


def test_a_sam_as_published_gives_what_its_own_code_gives(tmp_path: Path) -> None:
    torch.save(small(), tmp_path / "small.pth")
    network = load_network(str(tmp_path / "small.pth"))
    assert (network.family, network.side) == ("sam", 256)
    found = network.masks(network.encode(PICTURE, SHOWN), POINTS, LABELS)
    # of segment-anything 1.0 with these weights, this picture and these points
    assert found.iou == pytest.approx(
        np.array([[0.22788, 0.76571, 0.13861], [0.19776, 1.05586, -0.02604]]), abs=2e-4
    )
    some = [[-0.42693, 0.04148], [0.13914, 0.04379], [-0.04553, -0.01885]]
    assert found.fields.shape == (2, 3, 256 // STRIDE, 256 // STRIDE)
    assert found.fields[0][:, [5, 40], [9, 33]] == pytest.approx(np.array(some), abs=2e-4)


def test_mobile_sams_encoder_as_published_gives_what_its_own_code_gives() -> None:
    shapes = published("mobile_sam")
    state = {name: formula(name, shape) for name, shape in shapes.items() if not unused(name, "mobile_sam")}
    model, family = build(state)
    assert family == "mobile_sam"
    shown = torch.from_numpy(PICTURE.astype(np.float32)) - torch.tensor(MEAN).view(3, 1, 1)
    with torch.inference_mode():
        cells = model.vision_encoder((shown / torch.tensor(door.DEVIATION).view(3, 1, 1))[None])[0]
    # of MobileSAM's code with these weights and this picture
    assert cells.shape == (1, 256, 16, 16)
    assert cells[0, [0, 100, 255], [3, 8, 15], [7, 0, 12]].numpy() == pytest.approx(
        np.array([-0.47387, -0.31698, 0.2461]), abs=5e-4
    )
    assert TinyEncoder.side == 1024


def test_every_published_tensor_of_sam_2_1_has_its_place_and_those_of_films_have_none() -> None:
    shapes = {name: shape for name, shape in published("sam2.1").items() if not unused(name, "sam2.1")}
    assert family_of(shapes) == "sam2.1"
    with torch.device("meta"):
        needed = {name: tuple(one.shape) for name, one in Sam2Model(Sam2Config()).state_dict().items()}
    named = {rename(name, "sam2.1"): shape for name, shape in shapes.items()}
    points = [named.pop(f"prompt_encoder.point_embed.{i}.weight") for i in range(4)]
    named["prompt_encoder.point_embed.weight"] = (4, points[0][1])
    named["shared_image_embedding.positional_embedding"] = named[
        "prompt_encoder.shared_embedding.positional_embedding"
    ]
    assert named == needed


def _small_sam() -> SamModel:
    torch.manual_seed(3)
    decoder = {"hidden_size": 32, "mlp_dim": 64, "iou_head_hidden_dim": 32}
    vision = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "global_attn_indexes": [1]}
    vision |= {"image_size": 256, "output_channels": 32, "num_pos_feats": 16, "window_size": 7}
    prompts = {"hidden_size": 32, "image_size": 256}
    return SamModel(
        SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    )


def _small_sam2() -> Sam2Model:
    torch.manual_seed(3)
    backbone = {"model_type": "sam2_hiera_det_model", "hidden_size": 16, "blocks_per_stage": [1, 1, 2, 1]}
    backbone |= {
        "embed_dim_per_stage": [16, 32, 64, 128],
        "global_attention_blocks": [3],
        "image_size": [256, 256],
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": [128, 64, 32, 16],
    }
    vision |= {"fpn_hidden_size": 32, "backbone_feature_sizes": [[64, 64], [32, 32], [16, 16]]}
    decoder = {"hidden_size": 32, "mlp_dim": 64, "iou_head_hidden_dim": 32}
    prompts = {"hidden_size": 32, "image_size": 256}
    return Sam2Model(
        Sam2Config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    )


@pytest.mark.parametrize("made", [_small_sam, _small_sam2], ids=["sam", "sam2.1"])
def test_a_folder_of_transformers_gives_what_transformers_gives(made, tmp_path: Path) -> None:
    model = made().eval()
    model.save_pretrained(tmp_path / "net")
    network = load_network(str(tmp_path / "net"))
    found = network.masks(network.encode(PICTURE, SHOWN), POINTS, LABELS)
    scale = torch.tensor(door.DEVIATION).view(3, 1, 1)
    normal = (torch.from_numpy(PICTURE.astype(np.float32)) - torch.tensor(MEAN).view(3, 1, 1)) / scale
    with torch.inference_mode():
        own = model(
            pixel_values=normal[None],
            input_points=torch.from_numpy(POINTS[None] - 0.5).float(),
            input_labels=torch.from_numpy(LABELS[None]).int(),
        )
    assert found.iou == pytest.approx(own.iou_scores[0].numpy(), abs=1e-5)
    assert found.fields == pytest.approx(own.pred_masks[0].numpy(), abs=1e-4)


def test_many_prompts_give_what_each_gives_alone(tmp_path: Path) -> None:
    torch.save(small(), tmp_path / "small.pth")
    network = load_network(str(tmp_path / "small.pth"))
    seen = network.encode(PICTURE, SHOWN)
    rng = np.random.default_rng(1)
    points, labels = rng.uniform(0, 256, (20, 4, 2)), rng.integers(0, 2, (20, 4))
    together = network.masks(seen, points, labels)
    alone = network.masks(seen, points[17:18], labels[17:18])
    assert together.fields.shape[0] == 20
    assert together.fields[17] == pytest.approx(alone.fields[0], abs=1e-4)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_weights_that_are_not_there_are_named_with_file_project_size_licence_digest_and_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    one = PUBLISHED[name]
    with pytest.raises(EncoderError) as told:
        load_network(name)
    words = str(told.value)
    for expected in (
        one.file,
        "MB",
        one.licence,
        one.project,
        one.sha256,
        str(tmp_path / "checkpoints"),
        "ground.sam",
    ):
        assert expected in words
    assert "://" not in words


def test_a_published_name_takes_the_published_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    place = PUBLISHED["mobile_sam"].place
    place.parent.mkdir()
    place.write_bytes(b"PK\3\4" + b"\0" * 1000)
    with pytest.raises(EncoderError, match="truncated: 1004 of 40728226 bytes"):
        load_network("mobile_sam")
    with place.open("wb") as stream:
        stream.truncate(PUBLISHED["mobile_sam"].size)
    with pytest.raises(EncoderError, match=r"not the published mobile_sam\.pt"):
        load_network("mobile_sam")


class _Code:
    def __reduce__(self):
        return (os.mkdir, (os.environ["ROADPRINT_TEST_RAN"],))


def _with_code(path: Path) -> None:
    torch.save({"weights": _Code()}, path)


def _plain_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weights": _Code()}, protocol=2))


def _cut(path: Path) -> None:
    torch.save(small(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html>Sign in</html>")


def _stand_in(path: Path) -> None:
    path.write_text("version https://git-lfs spec 1\noid sha256:0\nsize 1\n")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _a_list(path: Path) -> None:
    torch.save([torch.zeros(3)], path)


def _not_numbers(path: Path) -> None:
    torch.save(small() | {"image_encoder.pos_embed": torch.full((1, 16, 16, 32), torch.nan)}, path)


def _another_model(path: Path) -> None:
    import timm

    torch.save(timm.create_model("resnet18").state_dict(), path)


def _one_missing(path: Path) -> None:
    state = small()
    del state["mask_decoder.iou_token.weight"]
    torch.save(state, path)


def _one_over(path: Path) -> None:
    torch.save(small() | {"mask_decoder.hf_token.weight": torch.zeros(1, 32)}, path)


def _another_shape(path: Path) -> None:
    torch.save(small() | {"image_encoder.blocks.0.mlp.lin1.bias": torch.zeros(7)}, path)


def _odd_sam2(path: Path) -> None:
    state = {f"image_encoder.trunk.blocks.{i}.norm1.weight": torch.zeros(8) for i in range(3)}
    torch.save(state | {"image_encoder.trunk.patch_embed.proj.weight": torch.zeros(8, 3, 7, 7)}, path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_with_code, "holds code"),
        (_plain_pickle, "holds code|no file of torch"),
        (_cut, "truncated"),
        (_page, "page of the web"),
        (_stand_in, "stand-in of Git LFS"),
        (_empty, "empty"),
        (_a_list, "something else than tensors"),
        (_not_numbers, "NaN"),
        (_another_model, "none of sam, sam2.1 and mobile_sam"),
        (_one_missing, "no whole sam|not there"),
        (_one_over, "hf_token"),
        (_another_shape, "lin1.bias is"),
        (_odd_sam2, "no published size"),
    ],
)
def test_a_file_that_is_no_such_network_is_one_clear_message_and_nothing_of_it_runs(
    make, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    monkeypatch.setenv("ROADPRINT_TEST_RAN", str(ran))
    make(tmp_path / "net.pth")
    with pytest.raises(EncoderError, match=words) as told:
        load_network(str(tmp_path / "net.pth"))
    assert told.value.where.startswith("ground.sam")
    assert told.value.todo
    assert not ran.exists()


def test_a_cut_or_wrong_safetensors_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file(small(), path)
    assert load_network(str(path)).family == "sam"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(EncoderError, match="truncated"):
        load_network(str(path))


def test_a_folder_that_is_none_of_transformers_is_told(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"config\.json cannot be read"):
        load_network(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "resnet"}')
    with pytest.raises(EncoderError, match="no such file"):
        load_network(str(tmp_path))
    save_file(small(), tmp_path / "model.safetensors")
    with pytest.raises(EncoderError, match="model_type 'resnet'"):
        load_network(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "sam", "vision_config": {"hidden_size": "wide"}}')
    with pytest.raises(EncoderError, match="cannot be used"):
        load_network(str(tmp_path))


def test_no_such_file_and_no_such_package_are_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EncoderError, match=r"none of mobile_sam, sam, sam2\.1"):
        load_network(str(tmp_path / "nowhere.pt"))
    monkeypatch.setattr(door, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"roadprint\[sam\]"):
        load_network("sam")


def test_no_tensors_are_of_no_network() -> None:
    with pytest.raises(OtherModelError):
        build({"a": torch.zeros(1)})
