"""Networks that take any bands, and are told the wavelength of each: DOFA, Copernicus-FM, Panopticon; and CROMA.

Xiong et al. 2024 (DOFA), Wang et al. 2025 (Copernicus-FM), Waldmann et al. 2025 (Panopticon), Fuller et al. 2023
(CROMA), as torchgeo has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from geo.features.encoders.bandnames import Band

METADATA = 4
"""Longitude, latitude, time and area, of which Copernicus-FM is told nothing."""


class Dofa(torch.nn.Module):
    """DOFA, told the wavelengths (micrometres there)."""

    def __init__(self, model: torch.nn.Module, bands: Sequence[Band]) -> None:
        super().__init__()
        self.model = model
        self.waves = [middle / 1000 for middle, _ in bands]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images: the mean of the tokens of patches."""
        model: Any = self.model
        found: torch.Tensor = model.forward_features(images, self.waves)
        return found


class Copernicus(torch.nn.Module):
    """Copernicus-FM, told wavelengths and widths, and nothing of place, time and area."""

    def __init__(self, model: torch.nn.Module, bands: Sequence[Band]) -> None:
        super().__init__()
        self.model = model
        self.waves, self.widths = ([band[i] for band in bands] for i in (0, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images: the mean of the tokens of patches."""
        model: Any = self.model
        unknown = torch.full((len(images), METADATA), torch.nan, device=images.device)
        found: torch.Tensor = model.forward_features(images, unknown, self.waves, self.widths)
        return found


class Panopticon(torch.nn.Module):
    """Panopticon, told the wavelengths."""

    def __init__(self, model: torch.nn.Module, bands: Sequence[Band]) -> None:
        super().__init__()
        self.model = model
        self.waves: torch.Tensor
        self.register_buffer("waves", torch.tensor([middle for middle, _ in bands]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images: the class token."""
        # the model writes into what it is told
        told = self.waves.expand(len(images), -1).clone()
        found: torch.Tensor = self.model({"imgs": images, "chn_ids": told})
        return found


class Croma(torch.nn.Module):
    """CROMA's optical half: twelve bands of Sentinel-2."""

    def __init__(self, model: torch.nn.Module, bands: Sequence[Band]) -> None:  # noqa: ARG002 - they are always those
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed normalised images: the mean of the tokens of patches, through its last layers."""
        found: torch.Tensor = self.model(x_optical=images)["optical_GAP"]
        return found


SPECTRAL: dict[str, tuple[type[torch.nn.Module], dict[str, Any], int]] = {
    "DOFA": (Dofa, {"num_classes": 0}, 224),
    "CopernicusFM": (Copernicus, {}, 224),
    "Panopticon": (Panopticon, {}, 224),
    "CROMA": (Croma, {"modalities": ["optical"]}, 120),
}
"""By what torchgeo's weights are called: how it is told of bands, how it is made, side of its images (pixels)."""


def spectral_of(weights: str) -> str | None:
    """Tell which of `SPECTRAL` weights belong to, by their name; None: to a network of bands of its own."""
    return next((name for name in SPECTRAL if weights.startswith(name)), None)
