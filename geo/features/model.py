"""Running a neural model over tiles: fill, resize, turn, normalise, average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from geo.features.encoder import Embeddings, EncoderCard, Pixels, Valid
from geo.features.runtime import Runtime, choose_runtime

if TYPE_CHECKING:
    from geo.features.encoders.kind import ModelKind

MIDDLE_WEIGHT = 0.5
"""What the middle of a tile counts beside the whole."""
LEAST_MIDDLE_PX = 32


def neutral(card: EncoderCard) -> Pixels:
    """Give the pixel ``(bands, 1, 1)`` that is the mean of the model's training, for where there is no data."""
    if card.value_range is None:
        return np.array(card.mean, dtype=np.float32)[:, None, None]
    low, high = card.value_range
    grey = (np.array(card.mean) - low) / (high - low) * 255
    pixel: Pixels = np.rint(np.clip(grey, 0, 255)).astype(np.uint8)[:, None, None]
    return pixel


def fill_gaps(pixels: Pixels, valid: Valid, card: EncoderCard) -> Pixels:
    """Give an image as a model takes it: what has no data is `neutral`, the rasters' own values are float32."""
    numbers = pixels.astype(np.float32, copy=False) if card.own_values else pixels
    return numbers if valid.all() else np.where(valid, numbers, neutral(card))


def trial_images(card: EncoderCard, side: int) -> Pixels:
    """Make two images of noise ``(2, bands, side, side)``, within what the model was trained on."""
    rng = np.random.default_rng(0)
    small = (2, len(card.bands), 8, 8)
    if card.own_values:
        spread = rng.uniform(-2, 2, small) * np.array(card.std)[:, None, None]
        noise = (np.array(card.mean)[:, None, None] + spread).astype(np.float32)
    else:
        noise = rng.integers(0, 256, small, dtype=np.uint8)
    images = noise.repeat(-(-side // 8), 2).repeat(-(-side // 8), 3)
    return np.ascontiguousarray(images[..., :side, :side])


def quarter_turns(images: NDArray[Any], turns: int) -> NDArray[Any]:
    """Turn images ``(n, bands, side, side)`` by quarters: ``(n, turns, bands, side, side)``."""
    return np.stack([np.rot90(images, turn, (2, 3)) for turn in range(turns)], axis=1)


def resize(image: Pixels, side: int) -> Pixels:
    """Bring an image ``(bands, height, width)`` to ``(bands, side, side)``, bilinear and antialiased."""
    if image.shape[1:] == (side, side):
        return image
    # torch has a fast path for bytes that lie band by band within a pixel
    tensor = torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, 0, -1))).permute(2, 0, 1)[None]
    resized: Pixels = interpolate(tensor, size=(side, side), mode="bilinear", antialias=True)[0].numpy()
    return resized


def middle(image: NDArray[Any]) -> NDArray[Any]:
    """Take the middle of an image ``(..., height, width)``, half as high and wide."""
    height, width = image.shape[-2:]
    return image[..., height // 4 : height - height // 4, width // 4 : width - width // 4]


def middle_side(
    card: EncoderCard, side: int, tile_m: float, asked_px: int | None, pixel_m: float | None
) -> int:
    """Side of the input for the middle of a tile (pixels).

    As large as that of the tile where the model was made for one side, else by the rule for ground half as wide.
    """
    if card.input_px is not None:
        return side
    if asked_px is not None:
        return max(LEAST_MIDDLE_PX, round(asked_px / 2 / LEAST_MIDDLE_PX) * LEAST_MIDDLE_PX)
    return card.input_side(tile_m / 2, pixel_m=pixel_m)


class Normalised(torch.nn.Module):
    """A model that takes images of 0 to 255, or of the rasters' own values, and normalises them as in its training.

    Parameters
    ----------
    module
        Takes normalised images ``(n, bands, side, side)`` and gives ``(n, dimension)``.
    card
        What is known of the encoder: range, mean and deviation of its input.
    """

    def __init__(self, module: torch.nn.Module, card: EncoderCard) -> None:
        super().__init__()
        self.module = module
        self.gain: torch.Tensor
        self.offset: torch.Tensor
        low, high = (0.0, 255.0) if card.value_range is None else card.value_range
        shape = (1, len(card.bands), 1, 1)
        gain = torch.tensor([(high - low) / 255 / s for s in card.std])
        offset = torch.tensor([(low - m) / s for m, s in zip(card.mean, card.std, strict=True)])
        self.register_buffer("gain", gain.reshape(shape))
        self.register_buffer("offset", offset.reshape(shape))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Normalise and embed."""
        embeddings: torch.Tensor = self.module(images.float() * self.gain + self.offset)
        return embeddings


class ModelEncoder:
    """A torch module as an encoder.

    Parameters
    ----------
    module
        Takes normalised images ``(n, bands, side, side)`` and gives ``(n, dimension)``.
    card
        What is known of it.
    settings
        Device, runtime, input side and rotations.
    tile_m
        Side of a tile (metres), from which the input side follows where the card leaves it open.
    pixel_m
        Ground that a pixel of the imagery shows (metres), where it is coarse: see `EncoderCard.input_side`.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        card: EncoderCard,
        settings: ModelKind,
        *,
        tile_m: float,
        pixel_m: float | None = None,
    ) -> None:
        self.card = card
        self.side = card.input_side(tile_m, asked_px=settings.input_px, pixel_m=pixel_m)
        self.ground_m = tile_m / self.side
        self.turns = settings.rotations
        self.kept_turns: int = settings.rotations if settings.keep_turns else 0
        normalised = Normalised(module, card)
        self._runtime = choose_runtime(normalised, trial_images(card, self.side), settings)
        self._of_middle: Runtime | None = None
        if settings.centre_crop:
            self._middle_side = middle_side(card, self.side, tile_m, settings.input_px, pixel_m)
            trial = trial_images(card, self._middle_side)
            self._of_middle = choose_runtime(normalised, trial, settings)

    @property
    def runtime(self) -> str:
        """What executes it, for the run's record."""
        return self._runtime.name

    def encode(self, pixels: Sequence[Pixels], valid: Sequence[Valid]) -> Embeddings:
        """Encode tiles; see `geo.features.encoder.Encoder.encode`.

        Pixels without data enter the model as its mean, so that they are neither black nor bright. The
        embedding is the mean over quarter turns, which makes it indifferent to how a road lies.
        """
        mean: Embeddings = self.encode_turns(pixels, valid).mean(axis=1)
        return mean

    def encode_turns(self, pixels: Sequence[Pixels], valid: Sequence[Valid]) -> Embeddings:
        """Encode each turn; see `geo.features.encoder.TurningEncoder.encode_turns`."""
        if not pixels:
            return np.zeros((0, self.turns, self.card.dimension), dtype=np.float32)
        whole = self._turned(pixels, valid, self.side, self._runtime)
        if self._of_middle is None:
            return whole
        seen = [middle(mask) for mask in valid]
        inner = self._turned([middle(tile) for tile in pixels], seen, self._middle_side, self._of_middle)
        # a middle without any data says nothing
        weight = np.array([MIDDLE_WEIGHT * mask.any() for mask in seen], dtype=np.float32)[:, None, None]
        together: Embeddings = ((whole + weight * inner) / (1 + weight)).astype(np.float32)
        return together

    def _turned(
        self, pixels: Sequence[Pixels], valid: Sequence[Valid], side: int, runtime: Runtime
    ) -> Embeddings:
        """Fill images where they have no data, resize them, and embed each turn: ``(images, turns, dimension)``."""
        images = np.stack(
            [resize(fill_gaps(one, mask, self.card), side) for one, mask in zip(pixels, valid, strict=True)]
        )
        turned = quarter_turns(images, self.turns)
        embeddings = runtime.embed(turned.reshape(-1, *images.shape[1:]))
        return embeddings.reshape(len(images), self.turns, -1)
