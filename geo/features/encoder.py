"""The contract of an encoder: pixels in, one embedding a tile out, normalisation stated.

An encoder that does not say how its input was normalised in training gives embeddings that look fine and mean
nothing, so a `EncoderCard` cannot be made without those figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geo.errors import EncoderError

Pixels = NDArray[np.uint8]
Valid = NDArray[np.bool_]
Embeddings = NDArray[np.float32]

GROUND_PER_NETWORK_PIXEL_M = 0.5
"""Metres of ground per network pixel at which ImageNet-trained encoders told aerial scenes apart best (between
0.3 and 0.6, on the UC Merced land use scenes of Yang and Newsam 2010)."""


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What must be known of an encoder before it may run.

    Attributes
    ----------
    name
        The name it is configured by.
    dimension
        Length of an embedding.
    input_px
        Side of its input (pixels); None: any multiple of 32, chosen from the ground that a tile shows.
    pixel_m
        Ground that one input pixel showed in training (metres); None: it was not trained for one.
    bands
        What its input bands are, in order.
    value_range
        What 0 and 255 of the imagery become before normalisation: ``(0, 1)`` for most networks.
    mean, std
        Of each band in training, in units of ``value_range``.
    licence, source
        Of the weights, quoted in every output.

    Raises
    ------
    EncoderError
        Without usable normalisation statistics.
    """

    name: str
    dimension: int
    input_px: int | None
    pixel_m: float | None
    bands: tuple[str, ...]
    value_range: tuple[float, float]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    licence: str
    source: str

    def __post_init__(self) -> None:
        for what, values in (("mean", self.mean), ("std", self.std)):
            if not values or len(values) != len(self.bands) or not np.isfinite(values).all():
                raise EncoderError(
                    f"normalisation {what} is {list(values)!r} for the bands {list(self.bands)}",
                    where=f"encoder {self.name}",
                    todo="State one finite figure for each band; without them embeddings mean nothing.",
                )
        if min(self.std) <= 0:
            raise EncoderError(
                f"normalisation std is {list(self.std)}; it must be above 0",
                where=f"encoder {self.name}",
                todo="State the deviation of each band in training.",
            )

    def input_side(self, tile_m: float, *, asked_px: int | None = None) -> int:
        """Side of the network's input for a tile of `tile_m` metres (pixels)."""
        if asked_px is not None:
            return asked_px
        if self.input_px is not None:
            return self.input_px
        ground = self.pixel_m or GROUND_PER_NETWORK_PIXEL_M
        return int(np.clip(round(tile_m / ground / 32) * 32, 96, 512))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the run's record."""
        return asdict(self)


class Encoder(Protocol):
    """Anything that turns tiles into embeddings."""

    @property
    def card(self) -> EncoderCard:
        """What is known of it."""

    @property
    def side(self) -> int | None:
        """Side of the image that it sees (pixels); None: that of the tile."""

    @property
    def ground_m(self) -> float | None:
        """Ground that a pixel of its input shows (metres); None: as of the tile."""

    @property
    def runtime(self) -> str:
        """What executes it, for the run's record."""

    def encode(self, pixels: Sequence[Pixels], valid: Sequence[Valid]) -> Embeddings:
        """Encode tiles.

        Parameters
        ----------
        pixels
            One array ``(bands, height, width)`` a tile, uint8; sizes may differ.
        valid
            One array ``(height, width)`` a tile: False where there is no data.

        Returns
        -------
        Array ``(tiles, dimension)``, float32, one row a tile in the given order.
        """
