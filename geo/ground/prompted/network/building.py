"""A network from tensors: its sizes are read from their shapes, and every tensor must have its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import Sam2Config, Sam2Model, SamConfig, SamModel

from geo.ground.prompted.network.mobile import TinyEncoder
from geo.ground.prompted.network.naming import Family, as_published, family_of, rename, unused
from geo.ground.prompted.network.reading import State

Loaded = tuple[torch.nn.Module, Family]
_FAULTS = (
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    ZeroDivisionError,
    AttributeError,
    RuntimeError,
    StrictDataclassError,
)
"""What sizes that do not fit together end in, of transformers' settings and of torch."""
_PATCH = 16
_HIERA: dict[tuple[int, int], dict[str, Any]] = {
    (96, 12): {"stages": [1, 2, 7, 2], "heads": 1, "all": [5, 7, 9], "windows": [8, 4, 14, 7]},
    (96, 16): {"stages": [1, 2, 11, 2], "heads": 1, "all": [7, 10, 13], "windows": [8, 4, 14, 7]},
    (112, 24): {"stages": [2, 3, 16, 3], "heads": 2, "all": [12, 16, 20], "windows": [8, 4, 14, 7]},
    (144, 48): {"stages": [2, 6, 36, 4], "heads": 2, "all": [23, 33, 43], "windows": [8, 4, 16, 8]},
}
"""Width and number of blocks of the four published sizes of SAM 2.1 (tiny, small, base plus, large), and what shapes of
tensors do not tell of them: blocks of each stage, heads, blocks that see all, sides of windows (Ravi et al. 2024, the
configurations published with the weights)."""
_TRANSFORMERS: dict[str, Family] = {"sam": "sam", "sam2": "sam2.1", "sam2_video": "sam2.1"}
"""``model_type`` of a folder of transformers."""


class OtherModelError(ValueError):
    """Tensors, or a description, that are not of a network known here; its words say why."""


def build(state: State, config: Mapping[str, Any] | None = None) -> Loaded:
    """Build the network that tensors are of, and fill it.

    Parameters
    ----------
    state
        Tensors by name, as published or as transformers names them.
    config
        ``config.json`` of a folder of transformers; None: the sizes follow from the tensors.

    Raises
    ------
    OtherModelError
        When they are of another network, some are missing or over, or one has another shape.
    """
    family: Family | None = (
        family_of(state) if config is None else _TRANSFORMERS.get(str(config.get("model_type")))
    )
    if family is None:
        shown = ", ".join(sorted(state)[:2]) if config is None else f"model_type {config.get('model_type')!r}"
        raise OtherModelError(f"they are of none of sam, sam2.1 and mobile_sam, but hold {shown}")
    used = {name: value for name, value in state.items() if not unused(name, family)}
    if as_published(used):
        used = {rename(name, family): value for name, value in used.items()}
    try:
        model: torch.nn.Module = _EMPTY[family](used, config)
        _fill(model, _completed(used, family))
    except OtherModelError:
        raise
    except _FAULTS as error:
        raise OtherModelError(f"they are no whole {family}: {str(error).splitlines()[0]:.160}") from error
    return model.eval(), family


def _completed(state: State, family: Family) -> State:
    """Add what transformers keeps twice, and join what it keeps as one."""
    found = dict(state)
    shared, own = (
        "shared_image_embedding.positional_embedding",
        "prompt_encoder.shared_embedding.positional_embedding",
    )
    for one, other in ((shared, own), (own, shared)):
        if one not in found and other in found:
            found[one] = found[other]
    if family == "sam2.1" and "prompt_encoder.point_embed.0.weight" in found:
        points = [found.pop(f"prompt_encoder.point_embed.{i}.weight") for i in range(4)]
        found["prompt_encoder.point_embed.weight"] = torch.cat(points)
    return found


def _fill(model: torch.nn.Module, state: State) -> None:
    """Fill all of a network; nothing may be left out or over."""
    needed = model.state_dict()
    left_out = [name for name in needed if name not in state and not name.endswith("num_batches_tracked")]
    over = [name for name in state if name not in needed]
    for names, what in ((left_out, "of its tensors are not there"), (over, "tensors are not of it")):
        if names:
            raise OtherModelError(f"{len(names)} {what}, {names[0]} among them")
    for name, value in state.items():
        if needed[name].shape != value.shape:
            raise OtherModelError(
                f"{name} is {tuple(value.shape)}, where {tuple(needed[name].shape)} is expected"
            )
    model.load_state_dict(state, strict=False)


def _count(state: State, head: str) -> int:
    """Count numbered parts whose names begin with `head`."""
    return len({name[len(head) :].split(".")[0] for name in state if name.startswith(head)})


def _decoder(state: State) -> dict[str, Any]:
    """Read the sizes of the decoder of masks."""
    hidden = state["mask_decoder.iou_token.weight"].shape[1]
    inner = state["mask_decoder.transformer.layers.0.cross_attn_token_to_image.q_proj.weight"].shape[0]
    return {
        "hidden_size": hidden,
        "attention_downsample_rate": hidden // inner,
        "num_hidden_layers": _count(state, "mask_decoder.transformer.layers."),
        "num_multimask_outputs": state["mask_decoder.mask_tokens.weight"].shape[0] - 1,
        "iou_head_hidden_dim": state["mask_decoder.iou_prediction_head.proj_in.weight"].shape[0],
        "iou_head_depth": _count(state, "mask_decoder.iou_prediction_head.layers.") + 2,
    }


def _prompts(state: State, side: int) -> dict[str, Any]:
    """Read the sizes of the encoder of prompts."""
    channels = state["prompt_encoder.mask_embed.conv2.weight"].shape[0]
    return {
        "hidden_size": state["prompt_encoder.no_mask_embed.weight"].shape[1],
        "image_size": side,
        "patch_size": _PATCH,
        "mask_input_channels": channels,
    }


def _empty_sam(state: State, config: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - a model of transformers
    """Make a SAM of the sizes of its tensors (Kirillov et al. 2023)."""
    if config is not None:
        return SamModel(SamConfig.from_dict(dict(config)))
    hidden, _, patch, _ = state["vision_encoder.patch_embed.projection.weight"].shape
    cells = state["vision_encoder.pos_embed"].shape[1]
    blocks = _count(state, "vision_encoder.layers.")
    across = [state[f"vision_encoder.layers.{i}.attn.rel_pos_h"].shape for i in range(blocks)]
    everywhere = [i for i, (length, _) in enumerate(across) if length == 2 * cells - 1]
    windows = {(length + 1) // 2 for length, _ in across} - {cells}
    vision = {
        "hidden_size": hidden,
        "patch_size": patch,
        "image_size": cells * patch,
        "num_hidden_layers": blocks,
        "num_attention_heads": hidden // across[0][1],
        "mlp_dim": state["vision_encoder.layers.0.mlp.lin1.weight"].shape[0],
        "output_channels": state["vision_encoder.neck.conv1.weight"].shape[0],
        "window_size": windows.pop() if windows else 0,
        "global_attn_indexes": everywhere,
        "num_pos_feats": _wave_lengths(state),
    }
    decoder = _decoder(state) | {
        "mlp_dim": state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0]
    }
    prompts = _prompts(state, cells * patch) | {"patch_size": patch}
    return _sam(vision, prompts, decoder)


def _empty_mobile(state: State, config: Mapping[str, Any] | None) -> Any:  # noqa: ANN401, ARG001 - none has one
    """Make a MobileSAM: SAM's decoder behind a TinyViT (Zhang et al. 2023)."""
    encoder = TinyEncoder()
    neck = state["vision_encoder.neck.conv1.weight"]
    vision = {
        "hidden_size": encoder.width,
        "num_hidden_layers": 0,
        "output_channels": neck.shape[0],
        "image_size": TinyEncoder.side,
        "use_abs_pos": False,
        "global_attn_indexes": [],
        "num_pos_feats": _wave_lengths(state),
    }
    decoder = _decoder(state) | {
        "mlp_dim": state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0]
    }
    prompts = _prompts(state, TinyEncoder.side)
    model = _sam(vision, prompts, decoder)
    encoder.neck = model.vision_encoder.neck
    model.vision_encoder = encoder
    return model


def _empty_sam2(state: State, config: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - as above
    """Make a SAM 2.1 of one of its published sizes, or of those that a folder names (Ravi et al. 2024)."""
    if config is not None:
        parts = ("vision_config", "prompt_encoder_config", "mask_decoder_config")
        return _sam2({name: config[name] for name in parts if name in config})
    width = state["vision_encoder.backbone.patch_embed.projection.weight"].shape[0]
    blocks = _count(state, "vision_encoder.backbone.blocks.")
    if (width, blocks) not in _HIERA:
        raise OtherModelError(
            f"they are a SAM 2 of {blocks} blocks that begin {width} wide, which is no published size: save the model "
            "with transformers, whose folder says its sizes"
        )
    told = _HIERA[width, blocks]
    ground = state["vision_encoder.backbone.pos_embed"].shape[-1]
    widths = [width * 2**i for i in range(4)]
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": width,
        "num_attention_heads": told["heads"],
        "blocks_per_stage": told["stages"],
        "embed_dim_per_stage": widths,
        "num_attention_heads_per_stage": [told["heads"] * 2**i for i in range(4)],
        "window_size_per_stage": told["windows"],
        "global_attention_blocks": told["all"],
        "window_positional_embedding_background_size": [ground, ground],
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": widths[::-1],
    }
    return _sam2({"vision_config": vision})


def _sam(vision: dict[str, Any], prompts: dict[str, Any], decoder: dict[str, Any]) -> Any:  # noqa: ANN401 - of transformers
    return SamModel(
        SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    )


def _sam2(parts: dict[str, Any]) -> Any:  # noqa: ANN401 - of transformers
    return Sam2Model(Sam2Config(**parts))


def _wave_lengths(state: State) -> int:
    """Read how many waves places are told by."""
    return int(state["prompt_encoder.shared_embedding.positional_embedding"].shape[1])


_EMPTY: dict[Family, Callable[[State, Mapping[str, Any] | None], Any]] = {
    "sam": _empty_sam,
    "mobile_sam": _empty_mobile,
    "sam2.1": _empty_sam2,
}
