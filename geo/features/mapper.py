"""A model as a maker of feature maps: its last layer before it averages over the image."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from geo.config import Tiles
from geo.features.dense import Lattice, Maps, no_map
from geo.features.encoder import EncoderCard, Pixels
from geo.features.model import Normalised, fill_gaps, quarter_turns, resize, trial_images
from geo.features.runtime import AGREEMENT, choose_runtime
from geo.imagery.reading.reader import TileImage

if TYPE_CHECKING:
    from geo.features.encoders.kind import ModelKind

LEAST_CELLS, CELLS_PER_RIM = 6, 5
"""Cells of a chip along each side without its rim, and how many more for each cell of rim: larger chips have less rim
for their area, but show more ground that no tile needs."""
TRIAL_CELLS = 3
"""A model is tried on an image of so many cells of its feature map a side."""


class FeatureMap(torch.nn.Module):
    """The feature map of a model, ``(n, bands, h, w)`` to ``(n, dimension, rows, columns)``.

    Parameters
    ----------
    model
        Has ``forward_features`` (timm, torchgeo) or ``features`` (torchvision).
    """

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map normalised images."""
        model: Any = self.model
        features: torch.Tensor = (getattr(model, "forward_features", None) or model.features)(images)
        return features


def feature_map(model: torch.nn.Module, card: EncoderCard, side: int) -> tuple[FeatureMap, int]:
    """Find the map that a model's embedding is the mean of.

    Returns
    -------
    The map and its stride: pixels of the input a cell.

    Raises
    ------
    EncoderError
        When there is none: the model is not convolutional to the end, or does more than average.
    """
    if not callable(getattr(model, "forward_features", None) or getattr(model, "features", None)):
        raise no_map(card.name, getattr(model, "why_no_map", "it does not show one"))
    mapped = FeatureMap(model).eval()
    stride = _stride(mapped, card, side)
    rng = torch.Generator().manual_seed(0)
    trial = torch.rand(2, len(card.bands), TRIAL_CELLS * stride, TRIAL_CELLS * stride, generator=rng)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ours, theirs = mapped(trial).mean(dim=(2, 3)), model.eval()(trial)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise no_map(card.name, f"it takes images of {side} pixels alone") from error
    if ours.shape != theirs.shape or torch.cosine_similarity(ours, theirs).min() < AGREEMENT:
        raise no_map(card.name, "its embedding is not the mean of its last one")
    return mapped, stride


def _stride(mapped: FeatureMap, card: EncoderCard, side: int) -> int:
    """Measure the stride on one image."""
    with torch.inference_mode():
        shape = mapped(torch.zeros(1, len(card.bands), side, side)).shape
    if len(shape) != 4 or shape[1] != card.dimension or shape[2] != shape[3] or side % shape[2]:
        raise no_map(card.name, f"its last layer has the shape {tuple(shape)}")
    return side // int(shape[2])


class ModelMapper:
    """Maps chips of imagery with a model; see `geo.features.dense.Mapper`.

    Parameters
    ----------
    model
        Torch module with a feature map (`FeatureMap`).
    card
        What is known of the encoder, its normalisation above all.
    settings
        Device, runtime, input side and rotations.
    tiles
        ``tile_m``, from which the ground of an input pixel follows as it does for single tiles, and ``context_m``.
    pixel_m
        Ground that a pixel of the imagery shows (metres), where it is coarse: see `EncoderCard.input_side`.

    Raises
    ------
    EncoderError
        See `feature_map`.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        card: EncoderCard,
        settings: ModelKind,
        tiles: Tiles,
        *,
        pixel_m: float | None = None,
    ) -> None:
        if settings.centre_crop:
            raise no_map(card.name, "encoder.centre_crop asks for the middle of single tiles")
        self.card = card
        tile_side = card.input_side(tiles.tile_m, asked_px=settings.input_px, pixel_m=pixel_m)
        mapped, stride = feature_map(model, card, tile_side)
        self.ground_m = tiles.tile_m / tile_side
        rim = math.ceil(round(tiles.context_m / (self.ground_m * stride), 6))
        cells = LEAST_CELLS + CELLS_PER_RIM * rim
        self.lattice = Lattice(cell_m=self.ground_m * stride, cells=cells, rim=rim)
        self.stride = stride
        self.side = (cells + 2 * rim) * stride
        self.turns = settings.rotations
        self.kept_turns: int = settings.rotations if settings.keep_turns else 0
        self._runtime = choose_runtime(Normalised(mapped, card), trial_images(card, self.side), settings)

    @property
    def runtime(self) -> str:
        """What executes it, for the run's record."""
        return self._runtime.name

    def fit(self, chip: TileImage) -> TileImage:
        """Bring a chip to the model's resolution, filled where it has no data."""
        whole = bool(chip.valid.all())
        filled = fill_gaps(chip.pixels, chip.valid, self.card)
        valid = np.ones((self.side, self.side), dtype=np.bool_)
        if not whole:
            valid = resize(chip.valid[None].astype(np.uint8) * 255, self.side)[0] >= 128
        return replace(chip, pixels=resize(filled, self.side), valid=valid)

    def map(self, images: Pixels) -> Maps:
        """Map chips; the map is the mean over quarter turns, turned back."""
        mean: Maps = np.asarray(np.mean(self.map_turns(images), axis=0, dtype=np.float32))
        return mean

    def map_turns(self, images: Pixels) -> Maps:
        """Map chips by each quarter turn, turned back: ``(turns, chips, dimension, cells, cells)``."""
        turned = quarter_turns(images, self.turns)
        found = self._runtime.embed(turned.reshape(-1, *images.shape[1:]))
        found = found.reshape(len(images), self.turns, *found.shape[1:])
        back = [np.rot90(found[:, turn], -turn, (2, 3)) for turn in range(self.turns)]
        inside = slice(self.lattice.rim, self.lattice.rim + self.lattice.cells)
        return np.stack(back)[:, :, :, inside, inside]
