"""Transformers of timm: which of their tokens an embedding is made of, and which images they take."""

from __future__ import annotations

from typing import Any

import torch

from geo.errors import EncoderError

POOLINGS = {"class": "token", "mean": "avg"}
"""What timm calls each way."""


def pool_tokens(model: torch.nn.Module, pooling: str, name: str) -> None:
    """Tell a transformer which of its tokens make the embedding.

    The class token, or the mean of the tokens of patches, to which neither the class token nor registers belong
    (Darcet et al. 2024, ICLR: registers hold what is of no place).

    Parameters
    ----------
    model
        A model of timm without its classifier; it is changed.
    pooling
        ``model``, ``class`` or ``mean``: ``encoder.pooling``.
    name
        Of the encoder, for messages.

    Raises
    ------
    EncoderError
        When it has no tokens, or no class token.
    """
    if pooling == "model":
        return
    made: Any = model
    if not hasattr(made, "num_prefix_tokens") or not hasattr(made, "reset_classifier"):
        raise EncoderError(
            "it has no tokens to pool: it is no transformer of patches",
            where=f"encoder {name}",
            todo="Leave encoder.pooling out: it has a way of its own.",
        )
    if pooling == "class" and getattr(made, "cls_token", None) is None:
        raise EncoderError(
            "it has no class token",
            where=f"encoder {name}",
            todo="Set encoder.pooling: mean, or leave it out.",
        )
    made.reset_classifier(0, global_pool=POOLINGS[pooling])


def fit_side(model: torch.nn.Module, side: int, name: str) -> None:
    """Make a model take images of another side than it was trained on; its positions are interpolated.

    Parameters
    ----------
    model
        A model of timm; it is changed where it has patches.
    side
        Side of the images (pixels).
    name
        Of the encoder, for messages.

    Raises
    ------
    EncoderError
        When the side is no multiple of that of a patch: what is over would not be seen.
    """
    made: Any = model
    patches: Any = getattr(made, "patch_embed", None)
    if not hasattr(patches, "patch_size"):
        return
    patch = int(patches.patch_size[0])
    if side % patch:
        below = side // patch * patch
        near = f"{below} or {below + patch}" if below >= patch else str(patch)
        raise EncoderError(
            f"encoder.input_px is {side}, and its patches are {patch} pixels a side",
            where=f"encoder {name}",
            todo=f"Set encoder.input_px to a multiple of {patch}, such as {near}.",
        )
    its = getattr(patches, "img_size", None)
    if its is not None and tuple(its) != (side, side) and hasattr(made, "set_input_size"):
        made.set_input_size(img_size=(side, side))
