"""EfficientNet-Lite0 up to its last stage, as a module of torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import timm
import torch

from geo.errors import EncoderError

ARCHITECTURE = "tf_efficientnet_lite0"  # 'SAME' padding, as in training


class LastStage(torch.nn.Module):
    """The model without its head: ``(n, 3, h, w)`` to ``(n, 320)``, the mean of its last feature map.

    Parameters
    ----------
    weights
        Weights of the whole model, by their names.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        model = timm.create_model(ARCHITECTURE, pretrained=False)
        theirs = torch.load(weights, map_location="cpu", weights_only=True)
        ours = model.state_dict()
        if [v.shape for v in theirs.values()] != [v.shape for v in ours.values()]:
            raise EncoderError(
                f"the weights do not fit timm's {ARCHITECTURE}",
                where="encoder bundled",
                todo="Install the versions that pyproject.toml names.",
            )
        # the package names its tensors otherwise, but lists the same ones in the same order
        model.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
        self.stem = torch.nn.Sequential(model.conv_stem, model.bn1)
        self.blocks = model.blocks

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Map normalised images: ``(n, 320, h / 32, w / 32)``."""
        features: torch.Tensor = self.blocks(self.stem(images))
        return features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images."""
        return self.forward_features(images).mean(dim=(2, 3))


class LiteMaps(torch.nn.Module):
    """Maps of some of its stages.

    Parameters
    ----------
    network
        The model.
    numbers
        Of the stages, counted from 1.
    """

    def __init__(self, network: LastStage, numbers: Sequence[int]) -> None:
        super().__init__()
        self.stem = network.stem
        self.blocks = network.blocks[: max(numbers)]
        self.numbers = tuple(numbers)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Map normalised images, ``(n, channels, rows, columns)`` a stage."""
        features = self.stem(images)
        found = []
        for number, block in enumerate(self.blocks, start=1):
            features = block(features)
            if number in self.numbers:
                found.append(features)
        return found
