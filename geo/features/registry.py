"""One door to every encoder: a configured name becomes an `Encoder`."""

from __future__ import annotations

from pathlib import Path

from geo.config import Encoder as EncoderSettings
from geo.errors import EncoderError
from geo.features.bands import BandStatistics
from geo.features.encoder import Encoder

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
    provider, _, name = settings.name.partition(":")
    if settings.name == "bands":
        return BandStatistics()
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
    from geo.features.network import NetworkEncoder  # noqa: PLC0415

    if provider == "bundled":
        module, card = bundled.load()
    elif provider == "torchgeo":
        module, card = hub.from_torchgeo(name)
    elif provider == "timm":
        module, card = hub.from_timm(name)
    elif provider == "torchvision":
        module, card = hub.from_torchvision(name)
    else:
        module, card = hub.from_file(Path(name), settings)
    return NetworkEncoder(module, card, settings, tile_m=tile_m)
