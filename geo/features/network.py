"""Running a neural network over tiles: resize, normalise, turn, average."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import interpolate

from geo.config import Encoder as EncoderSettings
from geo.errors import ConfigurationError
from geo.features.encoder import Embeddings, EncoderCard, Pixels, Valid


def choose_device(asked: str) -> torch.device:
    """Find the device to run on: the one asked for, or the best there is.

    Raises
    ------
    ConfigurationError
        When the device asked for is not on this machine.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[asked]:
        raise ConfigurationError(
            f"the device {asked!r} is not on this machine",
            where="encoder.device",
            todo="Use auto or cpu; every encoder runs on a CPU.",
        )
    return torch.device(asked)


class NetworkEncoder:
    """A torch module as an encoder.

    Parameters
    ----------
    module
        Takes normalised images ``(n, bands, side, side)`` and gives ``(n, dimension)``.
    card
        What is known of it.
    settings
        Device, batch size, input side and rotations.
    tile_m
        Side of a tile (metres), from which the input side follows where the card leaves it open.
    """

    def __init__(
        self, module: torch.nn.Module, card: EncoderCard, settings: EncoderSettings, *, tile_m: float
    ) -> None:
        self.card = card
        self.side = card.input_side(tile_m, asked_px=settings.input_px)
        self.device = choose_device(settings.device)
        self.turns = range(settings.rotations)
        self.batch_size = settings.batch_size
        # channels_last halves the time of convolutions on a CPU; float32 throughout, since reduced precision is
        # slower than it on processors without units for it
        self.module = module.eval().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
        low, high = card.value_range
        shape = (1, len(card.bands), 1, 1)
        self._gain = torch.tensor([(high - low) / 255 / s for s in card.std]).reshape(shape)
        self._offset = torch.tensor(
            [(low - m) / s for m, s in zip(card.mean, card.std, strict=True)]
        ).reshape(shape)

    def encode(self, pixels: Sequence[Pixels], valid: Sequence[Valid]) -> Embeddings:
        """Encode tiles; see `geo.features.encoder.Encoder.encode`.

        Pixels without data enter the network as its mean, so that they are neither black nor bright. The
        embedding is the mean over quarter turns, which makes it indifferent to how a road lies.
        """
        parts = []
        for start in range(0, len(pixels), self.batch_size):
            images = [
                self._prepare(tile, mask)
                for tile, mask in zip(
                    pixels[start : start + self.batch_size],
                    valid[start : start + self.batch_size],
                    strict=True,
                )
            ]
            parts.append(self._embed(torch.cat(images)))
        if not parts:
            return np.zeros((0, self.card.dimension), dtype=np.float32)
        return np.concatenate(parts)

    def _prepare(self, tile: Pixels, mask: Valid) -> torch.Tensor:
        """Normalise one tile and resize it to the input side."""
        image = torch.from_numpy(np.ascontiguousarray(tile))[None].float() * self._gain + self._offset
        image = torch.where(torch.from_numpy(mask)[None, None], image, 0.0)
        if image.shape[-2:] == (self.side, self.side):
            return image
        return interpolate(image, size=(self.side, self.side), mode="bilinear", antialias=True)

    def _embed(self, batch: torch.Tensor) -> Embeddings:
        """Mean embedding of a batch over the turns."""
        batch = batch.to(self.device)
        with torch.inference_mode():
            total = sum(
                self.module(torch.rot90(batch, turn, (2, 3)).contiguous(memory_format=torch.channels_last))
                for turn in self.turns
            )
        assert isinstance(total, torch.Tensor)
        embeddings: Embeddings = (total / len(self.turns)).float().cpu().numpy()
        return embeddings
