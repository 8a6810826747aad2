"""Stages of a network in place of its output: each pooled, brought to length 1, and joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import normalize

from geo.errors import EncoderError


class OneStage(torch.nn.Module):
    """The map of one stage, and its mean: ``(n, bands, h, w)`` to ``(n, channels)``.

    Parameters
    ----------
    maps
        Gives the maps of stages, a list of one.
    """

    def __init__(self, maps: torch.nn.Module) -> None:
        super().__init__()
        self.maps = maps

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Map normalised images: ``(n, channels, rows, columns)``."""
        found: torch.Tensor = self.maps(images)[0]
        return found

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images."""
        return self.forward_features(images).mean(dim=(2, 3))


class Joined(torch.nn.Module):
    """Several stages: the mean of each one's map, brought to length 1 so that none outweighs the others, side by side.

    Parameters
    ----------
    maps
        Gives the maps of stages.
    """

    why_no_map = "its stages are joined after each was averaged"

    def __init__(self, maps: torch.nn.Module) -> None:
        super().__init__()
        self.maps = maps

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images ``(n, bands, h, w)``: ``(n, channels of all stages)``."""
        return torch.cat([normalize(one.mean(dim=(2, 3)), dim=1) for one in self.maps(images)], dim=1)


class TimmMaps(torch.nn.Module):
    """Maps of some stages of a model of timm; of a transformer its blocks, without class and register tokens.

    Parameters
    ----------
    model
        The model.
    numbers
        Of the stages, counted from 1.
    """

    def __init__(self, model: torch.nn.Module, numbers: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self.indices = [number - 1 for number in numbers]

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Map normalised images, ``(n, channels, rows, columns)`` a stage."""
        model: Any = self.model
        found: list[torch.Tensor] = model.forward_intermediates(
            images, indices=self.indices, norm=True, intermediates_only=True
        )
        return found


def join(maps: torch.nn.Module, numbers: Sequence[int]) -> torch.nn.Module:
    """Make the module that pools stages: of one alone, or of several side by side."""
    return OneStage(maps) if len(numbers) == 1 else Joined(maps)


def timm_stages(
    model: torch.nn.Module, numbers: Sequence[int], name: str, bands: int, side: int
) -> torch.nn.Module:
    """Take stages of a model of timm.

    Parameters
    ----------
    model
        The model, with its weights.
    numbers
        ``encoder.stages``.
    name
        Of the encoder, for messages.
    bands, side
        Of an image to count the stages on.

    Raises
    ------
    EncoderError
        When the model shows no stages, or has fewer.
    """
    shows: Any = getattr(model, "forward_intermediates", None)
    if shows is None:
        raise EncoderError(
            "it shows no stages, one vector alone",
            where=f"encoder {name}",
            todo="Leave encoder.stages out, or choose another model.",
        )
    with torch.inference_mode():
        count = len(shows(torch.zeros(1, bands, side, side), intermediates_only=True))
    check_stages(numbers, count, name)
    return join(TimmMaps(model, numbers), numbers)


def check_stages(numbers: Sequence[int], count: int, name: str) -> None:
    """Refuse stages that a network of so many does not have.

    Raises
    ------
    EncoderError
        Naming them.
    """
    beyond = [number for number in numbers if number > count]
    if beyond:
        raise EncoderError(
            f"it has stages 1 to {count}, and encoder.stages asks for {', '.join(map(str, beyond))}",
            where=f"encoder {name}",
            todo=f"List numbers from 1 to {count} in encoder.stages, or leave it out.",
        )
