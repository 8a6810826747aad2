"""One door to every encoder: a configured name becomes an `Encoder`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geo.config import Encoder as EncoderSettings
from geo.config import Tiles
from geo.errors import EncoderError
from geo.features.bands import BandStatistics
from geo.features.dense import Mapper, no_map
from geo.features.encoder import Encoder, EncoderCard

if TYPE_CHECKING:
    import torch

PROVIDERS = ("bundled", "bands", "torchgeo:NAME", "timm:NAME", "torchvision:NAME", "file:PATH")


def load_encoder(settings: EncoderSettings, *, tile_m: float) -> Encoder:
    """Make the encoder that the configuration names.

    Parameters
    ----------
    settings
        The ``encoder`` section.
    tile_m
        Side of a tile (metres).

    Raises
    ------
    EncoderError
        Naming what is wrong, and an encoder that works without downloads.
    """
    if settings.name == "bands":
        return BandStatistics()
    from geo.features.model import NetworkEncoder  # noqa: PLC0415 - as in _network

    module, card = _network(settings)
    return NetworkEncoder(module, card, settings, tile_m=tile_m)


def load_mapper(settings: EncoderSettings, tiles: Tiles) -> Mapper:
    """Make what maps imagery for ``tiles.mode: dense`` from the encoder that the configuration names.

    Raises
    ------
    EncoderError
        As `load_encoder`, and where the encoder has no feature map that its embeddings are the mean of.
    """
    if settings.name == "bands":
        raise no_map("bands", "it is computed from the pixels of a tile")
    from geo.features.mapper import NetworkMapper  # noqa: PLC0415 - as in _network

    module, card = _network(settings)
    return NetworkMapper(module, card, settings, tiles)


def _network(settings: EncoderSettings) -> tuple[torch.nn.Module, EncoderCard]:
    """Load the network that the configuration names."""
    provider, _, name = settings.name.partition(":")
    if (provider not in {"bundled", "torchgeo", "timm", "torchvision", "file"}) or (
        bool(name) == (provider == "bundled")
    ):
        raise EncoderError(
            f"no encoder is called {settings.name!r}",
            where="encoder.name",
            todo=f"Use one of {', '.join(PROVIDERS)}.",
        )
    # torch and the model zoos take seconds to import; a rerun that encodes nothing does without them
    from geo.features import bundled, hub  # noqa: PLC0415

    if provider == "bundled":
        return bundled.load()
    if provider == "torchgeo":
        return hub.from_torchgeo(name)
    if provider == "timm":
        return hub.from_timm(name)
    if provider == "torchvision":
        return hub.from_torchvision(name)
    return hub.from_file(Path(name), settings)
