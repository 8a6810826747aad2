"""The contract of an encoder: pixels in, one embedding a tile out, normalisation stated.

An encoder that does not say how its input was normalised in training gives embeddings that look fine and mean
nothing, so a `EncoderCard` cannot be made without those figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geo.errors import EncoderError

Pixels = NDArray[Any]
"""Images ``(..., bands, height, width)``: uint8, or of any dtype where an encoder takes the raster's own values."""
Valid = NDArray[np.bool_]
Embeddings = NDArray[np.float32]

RGB = ("red", "green", "blue")
EIGHT_BIT_STD = 1000.0
"""A band of 8-bit imagery never deviates by so much."""

GROUND_PER_INPUT_PIXEL_M = 0.5
"""Metres of ground per input pixel at which ImageNet-trained encoders told aerial scenes apart best (between
0.3 and 0.6, on the UC Merced land use scenes of Yang and Newsam 2010)."""

MOST_BLOWN_UP = 3
"""Pixels of coarse imagery become so many of the input along each side at most: scenes of 64 pixels (those of Yang and
Newsam, shrunk to 1.2 m) are told apart best at 192, worse at 128 and at 512, and time grows by the square."""


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What must be known of an encoder before it may run.

    Attributes
    ----------
    name
        Name by which a city's file asks for it.
    dimension
        How many numbers an embedding has.
    input_px
        Side of its input (pixels); None: any multiple of 32, chosen from the ground that a tile shows.
    pixel_m
        Ground that one input pixel showed in training (metres); None: it was not trained for one.
    bands
        What its input bands are, in order; ``imagery.bands`` must give as many.
    value_range
        What 0 and 255 of 8-bit imagery become before normalisation: ``(0, 1)`` for most models. None: the encoder
        takes the rasters' own values as they are, whatever their dtype.
    mean, std
        Mean and deviation of each band in training, in units of ``value_range``, or of the rasters' own values.
    licence, source
        Licence and source of the weights, quoted in every output.

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
    value_range: tuple[float, float] | None
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

    @property
    def own_values(self) -> bool:
        """Whether it takes the rasters' own values in place of 8-bit imagery."""
        return self.value_range is None

    def check_imagery(self, bands: Sequence[int], dtypes: Iterable[str] = ()) -> None:
        """Make sure that imagery is what the encoder needs.

        Parameters
        ----------
        bands
            Bands that imagery gives (``imagery.bands``).
        dtypes
            Dtypes of the rasters.

        Raises
        ------
        EncoderError
            When it has other bands, or is 8 bit where the encoder takes deeper values.
        """
        check_bands(self.name, self.bands, bands)
        deepest = max(self.std)
        if self.own_values and deepest > EIGHT_BIT_STD and "uint8" in set(dtypes):
            raise EncoderError(
                f"it takes the rasters' own values, which deviated by up to {deepest:g} in training, and the rasters "
                "are 8 bit",
                where=f"encoder {self.name}",
                todo="Give imagery with the values of its training, or choose an encoder for 8-bit imagery.",
            )

    def input_side(self, tile_m: float, *, asked_px: int | None = None, pixel_m: float | None = None) -> int:
        """Side of the model's input for a tile (pixels).

        Parameters
        ----------
        tile_m
            Side of the tile (metres).
        asked_px
            ``encoder.input_px``, which stands before all rules.
        pixel_m
            Ground that a pixel of the imagery shows (metres); None: as little as the encoder would see.
        """
        if asked_px is not None:
            return asked_px
        if self.input_px is not None:
            return self.input_px
        ground = max(self.pixel_m or GROUND_PER_INPUT_PIXEL_M, (pixel_m or 0.0) / MOST_BLOWN_UP)
        return int(np.clip(round(tile_m / ground / 32) * 32, 96, 512))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the run's record."""
        return asdict(self)


def limiting_pixel(finest_m: float, asked_m: float | None) -> float | None:
    """Tell the resolution of imagery that keeps an encoder's input smaller than its rule does; None: it does not.

    Parameters
    ----------
    finest_m
        Ground that a pixel of the finest raster shows (metres).
    asked_m
        ``tiles.pixel_m``: imagery that is brought to finer pixels shows no more than it did.
    """
    pixel_m = max(finest_m, asked_m or 0.0)
    return pixel_m if pixel_m > MOST_BLOWN_UP * GROUND_PER_INPUT_PIXEL_M else None


def name_bands(count: int) -> tuple[str, ...]:
    """Name bands of which no more is known than how many they are."""
    named = (*RGB, "nir")
    return named[:count] if count in {3, 4} else tuple(f"band {i + 1}" for i in range(count))


def check_bands(name: str, needed: Sequence[str], given: Sequence[int]) -> None:
    """Make sure that imagery has as many bands as an encoder needs.

    Parameters
    ----------
    name
        Name of the encoder, for the message.
    needed
        What its bands are, in order.
    given
        Bands that imagery gives (``imagery.bands``).

    Raises
    ------
    EncoderError
        Naming both.
    """
    if len(needed) != len(given):
        raise EncoderError(
            f"it needs {_count(len(needed))} ({', '.join(needed)}), and imagery.bands gives {_count(len(given))} "
            f"({', '.join(map(str, given))})",
            where=f"encoder {name}",
            todo="List in imagery.bands the numbers of the bands that it needs, in that order, or choose an encoder "
            "for those that there are.",
        )


def _count(bands: int) -> str:
    return "1 band" if bands == 1 else f"{bands} bands"


class Made(Protocol):
    """What made embeddings."""

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

    @property
    def kept_turns(self) -> int:
        """How many quarter turns of each tile are kept apart (`TurningEncoder`); 0: none."""


class Encoder(Made, Protocol):
    """Anything that turns tiles into embeddings."""

    def encode(self, pixels: Sequence[Pixels], valid: Sequence[Valid]) -> Embeddings:
        """Encode tiles.

        Parameters
        ----------
        pixels
            One array ``(bands, height, width)`` a tile; sizes may differ. Uint8, unless the card says that it takes the
            rasters' own values.
        valid
            One array ``(height, width)`` a tile: False where there is no data.

        Returns
        -------
        Array ``(tiles, dimension)``, float32, one row a tile in the given order.
        """


class TurningEncoder(Encoder, Protocol):
    """An encoder that sees each tile turned by quarters, and can tell the turns apart."""

    def encode_turns(self, pixels: Sequence[Pixels], valid: Sequence[Valid]) -> Embeddings:
        """Encode each quarter turn of tiles, see `Encoder.encode`: ``(tiles, turns, dimension)``, their mean is its."""
