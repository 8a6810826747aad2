"""What tensors are called: each project's own names, brought to those of transformers.

The published files keep the names of the code that they were trained with. Which network a file holds is told by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Family = Literal["sam", "sam2.1", "mobile_sam"]
Rules = tuple[tuple[str, str], ...]

_TELLING: tuple[tuple[str, Family], ...] = (
    ("image_encoder.trunk.", "sam2.1"),
    ("vision_encoder.backbone.", "sam2.1"),
    ("image_encoder.layers.", "mobile_sam"),
    ("vision_encoder.trunk.", "mobile_sam"),
    ("image_encoder.blocks.", "sam"),
    ("vision_encoder.layers.", "sam"),
)
"""How names begin that one family alone has."""
_UNUSED: dict[Family, str] = {
    "sam": r"pixel_(mean|std)$",
    "mobile_sam": r"pixel_(mean|std)$|image_encoder\.(norm_head|head)\.|.*attention_bias_idxs$",
    # what follows things through films, which no aerial picture needs
    "sam2.1": r"(memory_|maskmem_|mask_downsample|no_obj_|obj_ptr_|no_mem_pos_enc|occlusion_spatial_embed"
    r"|object_pointer_proj|no_memory_positional_encoding|no_object_pointer|memory_temporal|temporal_pos)",
}
_DECODER: Rules = (
    (
        r"(iou_prediction_head|output_hypernetworks_mlps\.\d+|pred_obj_score_head)\.layers\.0\.",
        r"\1.proj_in.",
    ),
    (
        r"(iou_prediction_head|output_hypernetworks_mlps\.\d+|pred_obj_score_head)\.layers\.2\.",
        r"\1.proj_out.",
    ),
    (
        r"(iou_prediction_head|output_hypernetworks_mlps\.\d+|pred_obj_score_head)\.layers\.1\.",
        r"\1.layers.0.",
    ),
    (r"output_upscaling\.0\.", "upscale_conv1."),
    (r"output_upscaling\.1\.", "upscale_layer_norm."),
    (r"output_upscaling\.3\.", "upscale_conv2."),
    (r"mask_downscaling\.0\.", "mask_embed.conv1."),
    (r"mask_downscaling\.1\.", "mask_embed.layer_norm1."),
    (r"mask_downscaling\.3\.", "mask_embed.conv2."),
    (r"mask_downscaling\.4\.", "mask_embed.layer_norm2."),
    (r"mask_downscaling\.6\.", "mask_embed.conv3."),
    (r"point_embeddings\.", "point_embed."),
    (r"pe_layer\.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
    (r"^(mask_decoder\.transformer.*)\.norm(\d|_final_attn)\.", r"\1.layer_norm\2."),
)
_NECK: Rules = (
    (r"neck\.0\.", "neck.conv1."),
    (r"neck\.1\.", "neck.layer_norm1."),
    (r"neck\.2\.", "neck.conv2."),
    (r"neck\.3\.", "neck.layer_norm2."),
)
RULES: dict[Family, Rules] = {
    "sam": (
        *_DECODER,
        *_NECK,
        (r"^image_encoder\.blocks\.(\d+)\.norm", r"vision_encoder.layers.\1.layer_norm"),
        (r"^image_encoder\.blocks\.", "vision_encoder.layers."),
        (r"^image_encoder\.patch_embed\.proj\.", "vision_encoder.patch_embed.projection."),
        (r"^image_encoder\.", "vision_encoder."),
    ),
    "mobile_sam": (
        *_DECODER,
        *_NECK,
        (r"^image_encoder\.neck\.", "vision_encoder.neck."),
        (r"^image_encoder\.patch_embed\.seq\.0\.", "vision_encoder.trunk.patch_embed.conv1."),
        (r"^image_encoder\.patch_embed\.seq\.2\.", "vision_encoder.trunk.patch_embed.conv2."),
        # there a stage ends with what timm has at the beginning of the next
        *(
            (
                rf"^image_encoder\.layers\.{i}\.downsample\.",
                f"vision_encoder.trunk.stages.{i + 1}.downsample.",
            )
            for i in range(3)
        ),
        (r"^image_encoder\.layers\.", "vision_encoder.trunk.stages."),
        (r"(^vision_encoder\.trunk\..*)\.c\.", r"\1.conv."),
    ),
    "sam2.1": (
        (r"^sam_mask_decoder\.", "mask_decoder."),
        (r"^sam_prompt_encoder\.", "prompt_encoder."),
        *_DECODER,
        (r"^(mask_decoder\.transformer\..*)\.out_proj\.", r"\1.o_proj."),
        (r"^(mask_decoder\.transformer\.layers\.\d+\.mlp)\.layers\.0\.", r"\1.proj_in."),
        (r"^(mask_decoder\.transformer\.layers\.\d+\.mlp)\.layers\.1\.", r"\1.proj_out."),
        (r"^image_encoder\.trunk\.blocks\.(\d+)\.norm", r"vision_encoder.backbone.blocks.\1.layer_norm"),
        (r"^image_encoder\.trunk\.(blocks\.\d+\.mlp)\.layers\.0\.", r"vision_encoder.backbone.\1.proj_in."),
        (r"^image_encoder\.trunk\.(blocks\.\d+\.mlp)\.layers\.1\.", r"vision_encoder.backbone.\1.proj_out."),
        (r"^image_encoder\.trunk\.patch_embed\.proj\.", "vision_encoder.backbone.patch_embed.projection."),
        (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
        (r"^image_encoder\.neck\.convs\.(\d+)\.conv\.", r"vision_encoder.neck.convs.\1."),
        (r"^no_mem_embed$", "no_memory_embedding"),
    ),
}
"""Patterns and what they become, one after another (Kirillov et al. 2023; Zhang et al. 2023; Ravi et al. 2024, each
with its published code). On the right stand the names of transformers, and of timm under ``vision_encoder.trunk``."""


def family_of(names: Iterable[str]) -> Family | None:
    """Tell which network tensors of such names belong to; None: none that is known here."""
    known = set(names)
    for head, family in _TELLING:
        if any(name.startswith(head) for name in known):
            return family
    return None


def as_published(names: Iterable[str]) -> bool:
    """Tell whether names are those of the published code, not of transformers."""
    return any(name.startswith("image_encoder.") for name in names)


def unused(name: str, family: Family) -> bool:
    """Tell whether a tensor is of a part that no prompt by points makes use of."""
    return re.match(_UNUSED[family], name) is not None


def rename(name: str, family: Family) -> str:
    """Bring a tensor's published name to that of transformers.

    Examples
    --------
    >>> rename("image_encoder.blocks.3.norm1.bias", "sam")
    'vision_encoder.layers.3.layer_norm1.bias'
    >>> rename("image_encoder.layers.0.downsample.conv1.c.weight", "mobile_sam")
    'vision_encoder.trunk.stages.1.downsample.conv1.conv.weight'
    """
    for pattern, becomes in RULES[family]:
        name = re.sub(pattern, becomes, name)
    return name
