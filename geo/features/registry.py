"""One door to every encoder: the kinds that there are, and what a city's configuration names becomes an `Encoder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from geo.config.sections.encoder import EncoderSettings
from geo.config.sections.imagery import Tiles
from geo.features.encoder import Encoder
from geo.features.encoders.bands import Bands
from geo.features.encoders.bundled import Bundled
from geo.features.encoders.file import WeightsFile
from geo.features.encoders.kind import EncoderKind
from geo.features.encoders.open_clip import OpenClip
from geo.features.encoders.raster import Raster
from geo.features.encoders.timm import Timm
from geo.features.encoders.torchgeo import Torchgeo
from geo.features.encoders.torchvision import Torchvision

if TYPE_CHECKING:
    from geo.features.dense import Mapper

KINDS: tuple[type[EncoderKind], ...] = (
    Bundled,
    Bands,
    Torchgeo,
    Timm,
    Torchvision,
    OpenClip,
    WeightsFile,
    Raster,
)
"""A new one is a module in `geo.features.encoders` and a place here."""
PLAIN_BANDS = (1, 2, 3)
"""Red, green and blue, as most rasters hold them."""


def load_encoder(
    settings: EncoderSettings,
    *,
    tile_m: float,
    bands: Sequence[int] = PLAIN_BANDS,
    pixel_m: float | None = None,
) -> Encoder:
    """Make the encoder that the configuration names.

    Parameters
    ----------
    settings
        The section ``encoder`` of the city's file, of one of `KINDS`.
    tile_m
        Side of a tile (metres).
    bands
        Bands that imagery gives (``imagery.bands``).
    pixel_m
        Ground that a pixel of the imagery shows (metres), of which the input is made no more than three times as fine;
        None: of fine imagery.

    Raises
    ------
    EncoderError
        Naming what is wrong, and an encoder that works without downloads; or the bands that it needs where imagery
        gives others.

    Examples
    --------
    >>> from geo.config import encoder_settings
    >>> load_encoder(encoder_settings(name="bands"), tile_m=100).card.dimension
    21
    """
    return _kind(settings).load(tile_m=tile_m, bands=bands, pixel_m=pixel_m)


def load_mapper(
    settings: EncoderSettings,
    tiles: Tiles,
    *,
    bands: Sequence[int] = PLAIN_BANDS,
    pixel_m: float | None = None,
) -> Mapper:
    """Make what maps imagery for ``tiles.mode: dense`` from the encoder that the configuration names.

    Raises
    ------
    EncoderError
        As `load_encoder`, and where the encoder has no feature map that its embeddings are the mean of.
    """
    return _kind(settings).load_mapper(tiles, bands=bands, pixel_m=pixel_m)


def _kind(settings: EncoderSettings) -> EncoderKind:
    if not isinstance(settings, EncoderKind):
        raise TypeError(f"settings of one of the kinds are expected, found {type(settings).__name__}")
    return settings
